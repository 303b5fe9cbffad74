"""Romano and Wolf (2005), step-down p-values over several outcomes: pyfixest's answers, and families with a closed form.

pyfixest 0.60.0 `rwolf` redraws the outcomes of a regression with Rademacher signs; its answers, the mean over eleven
seeds, are frozen in `data/several_outcomes.json`, made by `data/several_outcomes.py`. Seeds cannot be matched, so each
comparison allows four Monte Carlo errors of both sides, and 0.003 for the two kinds of draw in 60 places.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from evalkit.impact.did import did
from evalkit.impact.rates import rates
from evalkit.inference import STEP_DOWN_DRAWS, step_down
from tests.tolerances import EXACT, PRINTED, SIMULATION

DATA = Path(__file__).parent / "data"
FROZEN = json.loads((DATA / "several_outcomes.json").read_text(encoding="utf-8"))
PANEL = {"unit": "area", "period": "period", "first_treated": "start", "diagnostics": False}


def close_to(p, other_draws=np.inf):
    """Four Monte Carlo errors about p, of ours and of as many other draws."""
    p = np.asarray(p)
    return SIMULATION * np.sqrt(p * (1 - p) * (1 / STEP_DOWN_DRAWS + 1 / other_draws))


def adjusted(found, seed=1):
    p = np.array([each.headline.p_value for each in found])
    return step_down(p, np.column_stack([each.influence for each in found]), seed=seed)


def test_five_outcomes_of_the_same_people():
    people = pd.read_csv(DATA / "several_outcomes.csv")
    found = [rates(people, outcome=f"y{j}", measure="mean_difference") for j in range(5)]
    frozen = FROZEN["people"]
    # Welch's degrees of freedom against n - 2: the same to the fourth decimal
    assert [each.headline.p_value for each in found] == pytest.approx(frozen["p_value"], abs=PRINTED)
    gap = np.abs(adjusted(found) - frozen["p_adjusted"])
    assert (gap <= close_to(frozen["p_adjusted"], frozen["draws"])).all()


def test_three_outcomes_of_the_same_places():
    panel, frozen = pd.read_csv(DATA / "several_outcomes_panel.csv"), FROZEN["places"]
    found = [did(panel, outcome=f"y{j}", estimator="twfe", **PANEL) for j in range(3)]
    assert [each.headline.p_value for each in found] == pytest.approx(frozen["p_value"], abs=PRINTED)
    gap = np.abs(adjusted(found) - frozen["p_adjusted"])
    assert (gap <= close_to(frozen["p_adjusted"], frozen["draws"]) + 0.003).all()


def test_independent_outcomes_take_sidaks_step_down():
    p = np.array([0.04, 0.01, 0.02])
    apart = np.kron(np.eye(3), np.ones((50, 1)))  # each unit has a part in one estimate only
    sidak = 1 - (1 - np.array([0.01, 0.02, 0.04])) ** np.array([3, 2, 1])
    expected = np.maximum.accumulate(sidak)[[2, 0, 1]]
    assert (np.abs(step_down(p, apart, seed=3) - expected) <= close_to(expected)).all()


def test_the_same_outcome_many_times_costs_nothing():
    one = np.random.default_rng(4).normal(size=(200, 1))
    p = np.full(4, 0.03)
    same = step_down(p, one @ np.array([[1.0, -1.0, 5.0, 0.01]]), seed=3)
    assert np.ptp(same) == 0
    assert (same >= 0.03).all()
    assert (same - 0.03 <= close_to(0.03)).all()


@pytest.mark.parametrize("correlation", [-0.9, 0.3, 0.7, 0.95])
def test_two_outcomes_take_the_bivariate_normal(correlation):
    p, z = np.array([0.02, 0.02]), -ndtri(0.01)
    # columns whose correlation is exactly the one asked for
    influence = np.array([[1.0, correlation], [0.0, np.sqrt(1 - correlation**2)]])
    law = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    within = law.cdf([z, z]) - 2 * law.cdf([z, -z]) + law.cdf([-z, -z])
    assert step_down(p, influence, seed=5) == pytest.approx(1 - within, abs=float(close_to(1 - within)))


def test_holms_rule_bounds_what_draws_cannot_tell():
    p = np.array([1e-9, 0.2, 1e-7])
    found = step_down(p, np.kron(np.eye(3), np.ones((50, 1))), seed=3)
    assert found[[0, 2]] == pytest.approx([3e-9, 2e-7], rel=EXACT)
    assert found[1] == pytest.approx(0.2, abs=float(close_to(0.2)))


def test_one_test_alone_is_left_as_it_is():
    assert step_down(np.array([0.03]), np.ones((9, 1)), seed=1) == pytest.approx(0.03, abs=EXACT)
