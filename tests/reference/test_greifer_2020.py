"""Greifer (2020), WeightIt: weighting for covariate balance in observational studies, R package: the balance table
and weight summary that its read-me prints for ATE weights on Lalonde's data (bal.tab and summary)."""

from pathlib import Path

import pandas as pd
import pytest

from evalkit.design import balance_table, build_design

PEOPLE = pd.read_csv(Path(__file__).parent / "data" / "lalonde" / "lalonde.csv")
COVARIATES = ["age", "educ", "nodegree", "married", "race", "re74", "re75"]
PRINTED_FOUR = 5.1e-5
EFFECTIVE = {"control": 329.008, "treated": 58.327}
STANDARDISED = {
    "age": (-0.2419, -0.1676),
    "educ": (0.0448, 0.1296),
    "re74": (-0.5958, -0.2740),
    "re75": (-0.2870, -0.1579),
}
DIFFERENCES_OF_SHARES = {
    "nodegree": -0.0547,
    "married": -0.0944,
    "race = black": 0.0499,
    "race = hispan": 0.0047,
    "race = white": -0.0546,
}


@pytest.fixture(scope="module")
def weighted():
    return build_design(
        PEOPLE, method="inverse_probability", estimand="ate", covariates=COVARIATES, treated="treat"
    )


def test_effective_sample_sizes(weighted):
    found = weighted.detail["effective_n"].set_index("arm")["effective_n"]
    assert found.to_dict() == pytest.approx(EFFECTIVE, abs=5.1e-4)


def test_standardised_differences_before_and_after(weighted):
    table = weighted.detail["balance"].set_index("covariate")
    for name, (before, after) in STANDARDISED.items():
        assert table.loc[name, "smd_before"] == pytest.approx(before, abs=PRINTED_FOUR)
        assert table.loc[name, "smd_after"] == pytest.approx(after, abs=PRINTED_FOUR)


def test_differences_of_shares(weighted):
    table = weighted.detail["balance"].set_index("covariate")
    for name, after in DIFFERENCES_OF_SHARES.items():
        gap = table.loc[name, "mean_treated"] - table.loc[name, "mean_control"]
        assert gap == pytest.approx(after, abs=PRINTED_FOUR)


def test_the_public_table_is_the_design_s(weighted):
    table = balance_table(PEOPLE, weighted.weights, COVARIATES, treated="treat", estimand="ate")
    pd.testing.assert_frame_equal(table, weighted.detail["balance"])


def test_largest_weights_within_the_treated():
    raw = build_design(
        PEOPLE,
        method="inverse_probability",
        estimand="ate",
        covariates=COVARIATES,
        treated="treat",
        stabilised=True,
    )
    weights = raw.weights[PEOPLE["treat"] == 1] / (185 / 614)
    assert weights.max() == pytest.approx(40.0773, abs=PRINTED_FOUR)
    assert weights.min() == pytest.approx(1.1721, abs=PRINTED_FOUR)
