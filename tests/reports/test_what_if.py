"""The what-if page in a browser: its numbers are those of Python, and the keyboard is enough."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from evalkit.costbenefit import Impact, cost_benefit, what_if, what_if_ratio
from evalkit.report.output import read_output
from evalkit.report.whatif import values
from tests.costs import account, benefit, cost

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
SCRIPT = HERE.parents[1] / "templates" / "report" / "whatif.js"


def page(data):
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What if</title></head>'
        "<body><main><h1>What if</h1>"
        f'<div id="what-if"></div><script type="application/json" id="what-if-data">{json.dumps(data)}</script>'
        f"<script>{SCRIPT.read_text(encoding='utf-8')}</script></main></body></html>"
    )


def opened(tmp_path, data):
    path = tmp_path / "page.html"
    path.write_text(page(data), encoding="utf-8")
    return moved(path)


def moved(path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or not (HERE / "node_modules" / "puppeteer-core").is_dir():
        pytest.skip("needs headless Chromium")
    done = subprocess.run(
        ["node", "what_if.mjs", chromium, str(path)], cwd=HERE, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture
def data():
    lines = [
        benefit("a", deadweight=0.2, last_year=3, drop_off=0.1, confidence=3, population=30),
        benefit("b", impact="main", unit_cost=9000),
    ]
    result = cost_benefit(
        account([cost()], lines), draws=0, impacts={"main": Impact(value=0.07, std_error=0.04)}
    )
    return what_if(result)


def test_the_page_says_what_python_computes(tmp_path, data):
    found = opened(tmp_path, data)
    moves = {
        "start": {},
        "impact80": {"impact": 0.8},
        "cost110": {"impact": 0.8, "unit_cost": 1.1},
        "deadweight40": {"impact": 0.8, "unit_cost": 1.1, "deadweight": 0.4},
        "again": {},
    }
    for step, move in moves.items():
        assert float(found[step]["ratio"]) == pytest.approx(what_if_ratio(data, **move), rel=1e-12), step
        needed = 1 / what_if_ratio(data, **{**move, "impact": 1.0})
        assert float(found[step]["breakEven"]) == pytest.approx(needed, rel=1e-12), step
    assert found["violations"] == []
    assert found["errors"] == []


def test_below_the_level_for_a_ratio_there_is_only_break_even(tmp_path, data):
    found = opened(tmp_path, {**data, "showRatio": False})
    assert found["start"]["ratio"] == ""
    assert "Each £1" not in found["start"]["says"]
    assert found["start"]["says"].startswith("Benefits would equal costs at ")


def test_a_rendered_report_moves_under_its_own_policy(reports):
    """The page's policy is in force here: a wrong hash would leave the section hidden and silent."""
    account = next(r for r in read_output(reports["value"].parent).results if r.method == "cost_benefit")
    data = values(read_output(reports["value"].parent), account)
    found = moved(reports["value"] / "commissioner.html")
    assert not data["showRatio"]
    assert [line["name"] for line in data["lines"]] == ["Residential placement avoided", "Arrest avoided"]
    assert found["start"]["ratio"] == ""
    assert float(found["start"]["breakEven"]) == pytest.approx(1 / what_if_ratio(data), rel=1e-12)
    needed = 1 / what_if_ratio(data, unit_cost=1.1, deadweight=0.4)
    assert float(found["deadweight40"]["breakEven"]) == pytest.approx(needed, rel=1e-12)
    assert found["again"] == found["start"]
    assert found["violations"] == []
    assert found["errors"] == []
