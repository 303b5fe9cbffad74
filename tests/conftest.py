"""Study folders to break, and every shipped study run once for all the tests that look at what comes out."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from places import ROOT, once  # noqa: E402


@pytest.fixture
def make_study(tmp_path):
    """A fresh study folder of a design, small and sound, to run or to break."""
    from evalkit.scaffold import new_study

    def make(design: str = "matched", name: str = "my-study") -> Path:
        return new_study(tmp_path / name, design=design, seed=1)

    return make


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The shipped studies, run and rendered once: site/<study>/results.json and report/, and site/index.html."""

    def make(folder: Path) -> None:
        from evalkit.pipeline import find_studies, run_all

        shutil.copytree(ROOT / "studies", folder / "studies", ignore=shutil.ignore_patterns("output"))
        done = run_all(find_studies([folder / "studies"]), output=folder / "site")
        assert not [each.error for each in done if each.error is not None]

    return once(tmp_path_factory, "shipped", make) / "site"


@pytest.fixture(scope="session")
def results(site):
    """results.json of a shipped study, by name."""
    return lambda study: json.loads((site / study / "results.json").read_text(encoding="utf-8"))
