"""The fixtures' reports, made once for all the tests of reports."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each study's report folder made by the embedded renderer."""
    site = tmp_path_factory.mktemp("site")
    made = {}
    for name, (templates, formats) in MADE.items():
        output = copy_study(name, site / name)
        write_report(output, templates=templates, formats=formats, engine="embedded")
        made[name] = output / "report"
    site_index([site / name for name in MADE], site)
    return made


@pytest.fixture(scope="session")
def pages(reports: dict[str, Path]) -> dict[str, dict]:
    """What a headless browser found on every page: axe-core's violations, requests, width at 360 px, text."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or shutil.which("node") is None or not (HERE / "node_modules" / "axe-core").is_dir():
        pytest.skip("needs Chromium, Node and `npm install` in tests/reports")
    site = next(iter(reports.values())).parents[1]
    paths = [str(site / "index.html"), *sorted(str(path) for path in site.glob("*/report/*.html"))]
    done = subprocess.run(
        ["node", "browser.mjs", chromium, "-", *paths], cwd=HERE, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)
