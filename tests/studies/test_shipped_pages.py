"""Every page of every shipped study in a real browser: accessible, silent, and no wider than a telephone."""

from __future__ import annotations

import json

import pytest
from places import ROOT, once, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(site, tmp_path_factory) -> dict[str, dict]:
    pages = [site / "index.html", *sorted(site.glob("*/report/*.html"))]

    def make(folder):
        found = visit(pages, ROOT / "tests" / "reports")
        (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")

    return json.loads(
        (once(tmp_path_factory, "visited-shipped", make) / "found.json").read_text(encoding="utf-8")
    )


def test_axe_finds_nothing(seen):
    assert {page: found["violations"] for page, found in seen.items() if found["violations"]} == {}


def test_nothing_is_asked_of_the_network(seen):
    assert {page: found["requests"] for page, found in seen.items() if found["requests"]} == {}


def test_no_page_scrolls_sideways_at_360_pixels(seen):
    assert [page for page, found in seen.items() if found["width_at_360"] > 360] == []
