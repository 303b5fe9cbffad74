"""The accuracy of a score against scikit-learn, statsmodels, R's pROC (DeLong, DeLong and Clarke-Pearson 1988) and glm.

Rows, answers and the scripts that made them: data/risk_score.csv, .json, _r.json, .py, .R.
"""

import json
from pathlib import Path

import pandas as pd
import pytest

from evalkit.contract import SCORE_CELLS
from evalkit.monitor import risk_score
from tests.tolerances import COEFFICIENT, EXACT

DATA = Path(__file__).parent / "data"
GROUPS = ("all", "north", "south")


@pytest.fixture(scope="module")
def frozen():
    return {
        name: json.loads((DATA / f"risk_score{end}.json").read_text())
        for name, end in (("python", ""), ("r", "_r"))
    }


@pytest.fixture(scope="module")
def result():
    rows = pd.read_csv(DATA / "risk_score.csv")
    return risk_score(rows, score="score", outcome="harmed", threshold=0.3, group="group")


def found(result, term, group):
    wanted = (term, None if group == "all" else group)
    return next(each for each in result.estimates if (each.term, each.group) == wanted)


@pytest.mark.parametrize("group", GROUPS)
def test_cells_of_the_confusion_matrix(result, frozen, group):
    rows = result.detail["groups"].set_index("group")
    assert rows.loc[group, list(SCORE_CELLS)].tolist() == frozen["python"][group]["cells"]


@pytest.mark.parametrize("group", GROUPS)
def test_area_under_the_curve_and_delongs_interval(result, frozen, group):
    area, r = found(result, "area_under_curve", group), frozen["r"][group]
    assert area.estimate == pytest.approx(frozen["python"][group]["auc"], abs=EXACT)
    assert area.std_error**2 == pytest.approx(r["variance"], rel=COEFFICIENT)
    assert [area.conf_low, area.estimate, area.conf_high] == pytest.approx(r["auc"], rel=COEFFICIENT)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("package", ["python", "r"])
@pytest.mark.parametrize(
    ("term", "key"), [("calibration_slope", "slope"), ("calibration_in_the_large", "in_the_large")]
)
def test_calibration(result, frozen, group, package, term, key):
    ours = found(result, term, group)
    assert [ours.estimate, ours.std_error] == pytest.approx(frozen[package][group][key], rel=COEFFICIENT)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("term", ["sensitivity", "positive_predictive_value"])
def test_wilson_intervals(result, frozen, group, term):
    ours = found(result, term, group)
    assert [ours.conf_low, ours.conf_high] == pytest.approx(frozen["python"][group][term], rel=COEFFICIENT)


def test_newcombe_interval_of_the_difference_between_groups(result, frozen):
    ours = found(result, "sensitivity_difference", "south")
    limits = [100 * each for each in frozen["python"]["sensitivity_difference"]]
    assert [ours.conf_low, ours.conf_high] == pytest.approx(limits, rel=COEFFICIENT)
