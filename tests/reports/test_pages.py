"""Every page in a browser: accessible, self-contained, and readable on a telephone."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.reports.conftest import MADE

pytestmark = pytest.mark.browser


def test_axe_finds_nothing(pages):
    assert {path: page["violations"] for path, page in pages.items() if page["violations"]} == {}


def test_nothing_is_fetched(pages):
    assert {path: page["requests"] for path, page in pages.items() if page["requests"]} == {}


def test_no_page_scrolls_sideways_at_360_pixels(pages):
    assert {path: page["width_at_360"] for path, page in pages.items() if page["width_at_360"] > 360} == {}


def test_every_page_has_one_main_and_no_script_but_the_account(pages):
    scripts = {path: page["scripts"] for path, page in pages.items() if page["scripts"]}
    assert {page["main"] for page in pages.values()} == {1}
    assert [path.split("/")[-3:] for path in scripts] == [["value", "report", "commissioner.html"]]
    assert set(scripts.values()) == {2}  # the numbers, and what moves them


def test_a_page_with_an_account_lets_its_own_script_run_and_no_other(reports):
    text = (reports["value"] / "commissioner.html").read_text(encoding="utf-8")
    inside = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in inside]
    assert re.findall(r"script-src ([^;\"]*)", text) == [f"'sha256-{each}'" for each in hashes]
    assert len(hashes) == 1
    plain = (reports["matched"] / "commissioner.html").read_text(encoding="utf-8")
    assert "script-src" not in plain
    assert "what-if-data" not in (reports["value"] / "technical.html").read_text(encoding="utf-8")


def test_every_address_is_local(reports):
    for folder in reports.values():
        for path in folder.glob("*.html"):
            text = path.read_text(encoding="utf-8")
            found = re.findall(r'(?:href|src|action|srcset)="([^"]*)"', text)
            assert all(each.startswith(("#", "data:")) for each in found), path.name
            assert "@import" not in text
            assert "url(" not in text


def test_head_has_language_title_policy_and_skip_link(reports):
    text = (reports["matched"] / "commissioner.html").read_text(encoding="utf-8")
    assert '<html lang="en-GB">' in text
    assert "<title>Northfield mentoring: Report for the commissioner</title>" in text
    assert "Content-Security-Policy" in text
    assert 'href="#main"' in text
    assert '<th scope="col"' in text
    assert '<th scope="row"' in text


def test_index_links_every_report(reports):
    site = next(iter(reports.values())).parents[1]
    text = (site / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^"#]+)"', text)
    assert len(links) == sum(len(templates) * len(formats) for templates, formats in MADE.values())
    assert all((site / link).is_file() for link in links)
