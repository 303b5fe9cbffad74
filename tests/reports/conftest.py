"""The fixtures' reports, made once for all the tests of reports."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from places import once, visit

from evalkit.report import site_index, write_report

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"
ALL = ("html", "pdf", "docx")
MADE = {
    "single": (("commissioner", "summary"), ALL),
    "matched": (("commissioner", "summary", "technical"), ALL),
    "area": (("commissioner", "summary"), ("html", "pdf")),
    "value": (("commissioner", "summary", "technical"), ("html", "pdf")),
    "hostile": (("commissioner", "summary", "technical"), ("html", "pdf")),
}
HOSTILE = (
    "a& <script>alert(1)</script> {{< env HOME >}} =cmd() [x](javascript:alert(1)) "
    '#import "/etc" $x$ `r` |*_@\\ \'{}'
)


def copy_study(name: str, place: Path) -> Path:
    """A fixture's output folder, copied; `hostile` is the matched study with a label that tries everything."""
    shutil.copytree(FIXTURES / ("matched" if name == "hostile" else name) / "output", place)
    if name == "hostile":
        path = place / "results.json"
        values = json.loads(path.read_text(encoding="utf-8"))
        values["title"] = HOSTILE
        values["headline"] = HOSTILE
        values["outcomes"]["reoffended"]["label"] = HOSTILE
        values["about"]["arms"]["treated"] = HOSTILE
        values["flow"][0]["step"] = HOSTILE
        values["results"][0]["checks"][0]["reading"] = HOSTILE
        path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return place


def _make_site(site: Path) -> None:
    for name, (templates, formats) in MADE.items():
        output = copy_study(name, site / name)
        write_report(output, templates=templates, formats=formats, engine="embedded")
    site_index([site / name for name in MADE], site)


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each study's report folder made by the embedded renderer."""
    site = once(tmp_path_factory, "site", _make_site)
    return {name: site / name / "report" for name in MADE}


@pytest.fixture(scope="session")
def pages(reports: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What a headless browser found on every page: axe-core's violations, requests, width at 360 px, text."""
    site = next(iter(reports.values())).parents[1]
    found = [site / "index.html", *sorted(site.glob("*/report/*.html"))]

    def make(folder: Path) -> None:
        (folder / "found.json").write_text(json.dumps(visit(found, HERE)), encoding="utf-8")

    return json.loads((once(tmp_path_factory, "visited", make) / "found.json").read_text(encoding="utf-8"))
