"""Ho, Imai, King and Stuart (2011), MatchIt: nonparametric preprocessing for parametric causal inference, Journal of
Statistical Software 42(8). The answers are MatchIt 4.7.2's on Lalonde's data (data/lalonde/README.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.design import DesignOptions, build_design, tie_orders
from tests.tolerances import COEFFICIENT, EXACT

DATA = Path(__file__).parent / "data" / "lalonde"
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
SETTINGS = [(o, c, r) for o in ("largest", "smallest", "data") for c in (None, 0.2) for r in (1, 2)]
PAIRS_1_TO_1_WITH_CALIPER = {"largest": 117, "smallest": 109, "data": 114}
PAIRS_1_TO_2_WITH_CALIPER = {"largest": 147, "smallest": 146, "data": 147}


@pytest.fixture(scope="module")
def lalonde():
    return pd.read_csv(DATA / "lalonde.csv", index_col="id")


@pytest.fixture(scope="module")
def matchit():
    pairs = pd.read_csv(DATA / "matchit_4_7_2_pairs.csv")
    return pairs.dropna(subset=["control"])


def design(people, **options):
    return build_design(people, covariates=COVARIATES, treated="treat", **options)


def difference(people, weights):
    arm, outcome = people["treat"] == 1, people["re78"]
    return np.average(outcome[arm], weights=weights[arm]) - np.average(outcome[~arm], weights=weights[~arm])


@pytest.mark.parametrize(("order", "caliper", "ratio"), SETTINGS)
def test_same_sets_and_distances_as_matchit(lalonde, matchit, order, caliper, ratio):
    ours = design(lalonde, method="nearest", order=order, caliper=caliper, ratio=ratio).pairs
    same_caliper = matchit["caliper"].isna() if caliper is None else matchit["caliper"] == caliper
    theirs = matchit[(matchit["order"] == order) & same_caliper & (matchit["ratio"] == ratio)]
    both = ours.merge(theirs, on=["treated", "round"], how="outer", suffixes=("", "_matchit"))
    assert len(both) == len(ours) == len(theirs)
    assert set(both["control"]) == set(both["control_matchit"])
    score = lalonde["logit"]
    assert score[both["control"]].to_numpy() == pytest.approx(
        score[both["control_matchit"]].to_numpy(), abs=EXACT
    )


@pytest.mark.parametrize("order", ["largest", "smallest", "data"])
def test_number_matched_inside_the_caliper(lalonde, order):
    once = design(lalonde, method="nearest", order=order, caliper=0.2)
    twice = design(lalonde, method="nearest", order=order, caliper=0.2, ratio=2)
    assert len(once.pairs) == PAIRS_1_TO_1_WITH_CALIPER[order]
    assert len(twice.pairs) == PAIRS_1_TO_2_WITH_CALIPER[order]


def test_score_is_the_plain_logit_of_glm(lalonde):
    found = design(lalonde, method="nearest")
    assert found.distance.to_numpy() == pytest.approx(lalonde["logit"].to_numpy(), abs=COEFFICIENT)


def test_caliper_is_in_standard_deviations_over_all_units(lalonde):
    found = design(lalonde, method="nearest", caliper=0.2)
    width = 0.2 * found.distance.std(ddof=1)
    assert width == pytest.approx(0.36090239, abs=1e-8)
    assert found.pairs["distance"].max() <= width


def test_losing_treated_people_changes_what_is_estimated(lalonde):
    found = design(lalonde, method="nearest", caliper=0.2)
    assert found.estimand == "att among the matched"
    left_out = found.discarded.set_index("person")["reason"]
    assert (
        left_out.filter(like="NSW").tolist()
        == ["no free control left (caliper of 0.2 standard deviations)"] * 68
    )
    assert left_out.filter(like="PSID").unique().tolist() == ["not chosen as a match"]
    assert (found.weights > 0).sum() + len(found.discarded) == len(lalonde)
    assert design(lalonde, method="nearest").estimand == "att"


def test_subclassification_effect_from_its_own_strata(lalonde):
    """R MatchIt gives 1359.487533 for six subclasses; the same from the mean difference of each stratum by hand."""
    found = design(lalonde, method="subclass", subclasses=6)
    assert difference(lalonde, found.weights) == pytest.approx(1359.487533, abs=COEFFICIENT)
    by_hand = 0.0
    for _, stratum in lalonde.groupby(found.subclass):
        means = stratum.groupby("treat")["re78"].mean()
        by_hand += (means[1] - means[0]) * stratum["treat"].sum() / 185
    assert by_hand == pytest.approx(1359.487533, abs=COEFFICIENT)


def test_tie_orders_move_only_people_with_equal_scores(lalonde):
    options = DesignOptions(method="nearest", covariates=tuple(COVARIATES), caliper=0.2, treated="treat")
    designs = list(tie_orders(lalonde, options, n=4, seed=1))
    reference = design(lalonde, method="nearest", caliper=0.2)
    assert reference.checks[-1].name == "ties"
    assert reference.checks[-1].statistic > 0
    taken = {frozenset(found.pairs["control"]) for found in designs}
    assert len(taken) > 1
    for found in designs:
        assert np.sort(found.pairs["distance"]) == pytest.approx(
            np.sort(reference.pairs["distance"]), abs=EXACT
        )
