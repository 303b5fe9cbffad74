"""Van Buuren and Groothuis-Oudshoorn (2011), Journal of Statistical Software 45(3): imputation by chained equations.

`data/mice.csv` holds 400 invented people with blanks in a number, a two-valued and a three-valued column; `data/mice.json`
holds what R's mice 3.15.0 makes of them in 100 imputations, and its pool.scalar on five given estimates. Both were
written by `data/mice.R`. Imputations are random: 40 of ours and R's 100 are compared within four Monte Carlo errors. The
pooling rules (Rubin 1987; Barnard and Rubin 1999) are not random and agree to rounding.

For columns of three values or more ours draws the coefficients as well; mice's polyreg takes them as known, so that our
variance between imputations of `north` and `west` should be a little larger than R's.
"""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.missing import impute, rubin
from evalkit.impact.rates import rates
from evalkit.regression import classical_covariance, least_squares
from tests.tolerances import EXACT, SIMULATION

DATA = Path(__file__).parent / "data"
PEOPLE = pd.read_csv(DATA / "mice.csv")
PEER = json.loads((DATA / "mice.json").read_text(encoding="utf-8"))
ROUNDED = 1e-12  # R's answers are frozen to fifteen digits
TERMS = ("constant", "treated", "age", "woman", "north", "west")
IMPUTATIONS, OURS = PEER["m"], 40


@cache
def completed():
    helpers = PEOPLE[["treated", "back"]].to_numpy(float)
    return impute(PEOPLE, ("age", "sex", "area"), helpers=helpers, imputations=OURS, seed=1)


@cache
def fitted():
    """Coefficients and their variances by least squares in each completed data set."""
    found = []
    for people in completed():
        columns = [people["treated"], people["age"], people["sex"] == "woman", people["area"] == "north",
                   people["area"] == "west"]  # fmt: skip
        design = np.column_stack([np.ones(len(people)), *columns]).astype(float)
        fit = least_squares(people["back"].to_numpy(float), design, TERMS)
        found.append((fit.coefficients, np.diag(classical_covariance(fit))))
    return np.array(found)


@pytest.mark.parametrize("case", ["large", "small"])
def test_pooling_rules_to_rounding(case):
    complete = math.inf if case == "large" else 60 - 4
    value, found = rubin(np.array(PEER["values"]), np.array(PEER["variances"]), complete_df=complete)
    assert value == pytest.approx(PEER[case]["qbar"], rel=EXACT)
    assert found.variance == pytest.approx(PEER[case]["t"], rel=ROUNDED)
    assert found.df == pytest.approx(PEER[case]["df"], rel=ROUNDED)


@pytest.mark.parametrize("term", TERMS)
def test_degrees_of_freedom_of_a_whole_analysis(term):
    # Two values half of R's between-variance apart on each side of R's mean have R's mean, between and total variance.
    peer, half = PEER["pooled"][term], IMPUTATIONS // 2
    step = math.sqrt(peer["b"] * (IMPUTATIONS - 1) / IMPUTATIONS)
    values = peer["estimate"] + step * np.repeat([-1.0, 1.0], half)
    value, found = rubin(values, np.full(IMPUTATIONS, peer["ubar"]), complete_df=peer["dfcom"])
    assert value == pytest.approx(peer["estimate"], rel=ROUNDED)
    assert found.variance == pytest.approx(peer["t"], rel=ROUNDED)
    assert found.df == pytest.approx(peer["df"], rel=1e-11)


@pytest.mark.parametrize("term", TERMS)
def test_pooled_estimates_within_monte_carlo_error(term):
    peer, (values, variances) = PEER["pooled"][term], np.swapaxes(fitted(), 0, 1)[:, :, TERMS.index(term)]
    between = values.var(ddof=1)
    error = math.sqrt(between / OURS + peer["b"] / IMPUTATIONS)
    assert abs(values.mean() - peer["estimate"]) < SIMULATION * error
    # A variance from m draws has a relative error of √(2/(m − 1)).
    assert abs(math.log(between / peer["b"])) < SIMULATION * math.sqrt(2 / (OURS - 1) + 2 / (IMPUTATIONS - 1))
    error = math.sqrt(variances.var(ddof=1) * (1 / OURS + 1 / IMPUTATIONS))
    assert abs(variances.mean() - peer["ubar"]) < SIMULATION * error


def test_imputed_columns_have_the_same_means():
    frames = completed()
    ours = {
        "age": [each["age"].mean() for each in frames],
        "woman": [(each["sex"] == "woman").mean() for each in frames],
        "west": [(each["area"] == "west").mean() for each in frames],
    }
    for name, (mean, spread) in PEER["means"].items():
        error = math.sqrt(np.var(ours[name], ddof=1) / OURS + spread**2 / IMPUTATIONS)
        assert abs(np.mean(ours[name]) - mean) < SIMULATION * error
        assert np.std(ours[name], ddof=1) == pytest.approx(spread, rel=SIMULATION / math.sqrt(2 * OURS))


def test_people_with_the_same_prediction_are_all_donors():
    # One cause of bias: of many people with the same prediction only the first five in the file were ever drawn.
    people = pd.DataFrame({"age": np.r_[np.arange(30.0), np.full(10, np.nan)]})
    frames = impute(people, ("age",), helpers=np.ones((40, 0)), imputations=60, seed=2)
    drawn = np.concatenate([each["age"].to_numpy()[30:] for each in frames])
    assert len(np.unique(drawn)) > 25


def barnard_rubin(share: float, complete: float, imputations: int) -> float:
    """Barnard and Rubin (1999), equations 3 and 4, written out once more."""
    old, seen = (imputations - 1) / share**2, (complete + 1) / (complete + 3) * complete * (1 - share)
    return 1 / (1 / old + 1 / seen)


def test_an_adjusted_difference_has_the_degrees_of_freedom_of_its_linear_model():
    # R's dfcom of lm(back ~ treated + age + sex + area): 400 people less six coefficients.
    people = PEOPLE.rename(columns={"person": "person_id"})
    names = {
        "outcome": "back",
        "measure": "mean_difference",
        "adjust": ("age", "sex", "area"),
        "missing": "mice",
    }
    found = rates(people, **names, imputations=20, seed=3)
    peer, head = PEER["pooled"]["treated"], found.headline
    share = found.check("imputation").statistic
    assert peer["dfcom"] == 394
    assert head.df == pytest.approx(barnard_rubin(share, peer["dfcom"], 20), rel=ROUNDED)
    assert barnard_rubin(peer["lambda"], peer["dfcom"], IMPUTATIONS) == pytest.approx(peer["df"], rel=ROUNDED)
    assert abs(head.estimate - peer["estimate"]) < SIMULATION * math.sqrt(
        peer["b"] * (1 / 20 + 1 / IMPUTATIONS)
    )


def test_named_clusters_leave_fewer_degrees_of_freedom_than_rows():
    people = PEOPLE.assign(person_id=PEOPLE["person"], office=PEOPLE["person"] // 2 % 30)
    names = {"outcome": "back", "measure": "mean_difference", "adjust": ("age",), "missing": "mice"}
    found = rates(people, **names, cluster="office", imputations=10, seed=3)
    share = found.check("imputation").statistic
    assert found.headline.df == pytest.approx(barnard_rubin(share, 29, 10), rel=ROUNDED)
