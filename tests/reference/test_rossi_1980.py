"""Rossi, Berk and Lenihan (1980), the LIFE experiment: the tests, intervals and survival analyses of the
432-row file.

Values of R 4.2.2 (base, survival 3.5.3, sandwich 3.0.2) and statsmodels 0.15 are frozen in `data/rossi.R`
and beside the numbers; the file's source and licence are in `data/rossi_README.md`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.rates import rates
from tests.tolerances import COEFFICIENT, P_VALUE

MEN = pd.read_csv(Path(__file__).parent / "data" / "rossi.csv")


def compare(**options):
    return rates(MEN, outcome="arrest", treated="fin", **options)


def test_risk_difference_with_newcombe_interval_and_score_test():
    # R prop.test(correct = FALSE): chi-square 3.860973188, p 0.04942165414; statsmodels "newcomb" for the interval.
    head = compare().headline
    assert head.term == "treated_vs_control"
    assert head.estimate == pytest.approx(-8.333333333, rel=COEFFICIENT)
    assert (head.conf_low, head.conf_high) == pytest.approx((-16.50462539, -0.0151036535), rel=COEFFICIENT)
    assert head.p_value == pytest.approx(0.04942165414, rel=P_VALUE)
    assert head.statistic**2 == pytest.approx(3.860973188, rel=COEFFICIENT)
    assert (head.n_treated, head.n_control, head.unit) == (216, 216, "percentage points")


def test_reasonable_tests_fall_on_both_sides_of_the_line():
    # R fisher.test: 0.06321826396; survdiff: 0.05011611741.
    check = compare(time="week", event="arrest").check("tests_disagree")
    assert check.passed is False
    assert check.statistic == pytest.approx(0.06321826396, rel=P_VALUE)
    assert "log-rank 0.050" in check.reading


def test_arms_frame():
    arms = compare().detail["arms"].set_index("arm")
    assert list(arms.columns) == ["n", "events", "value", "conf_low", "conf_high"]
    assert list(arms["events"]) == [48, 66]
    assert arms.loc["treated", "value"] == pytest.approx(48 / 216)


def test_wald_interval_of_the_mean_difference_is_welch():
    # R t.test(arrest ~ fin): t -1.9678, df 427.83, p 0.04973.
    head = compare(measure="mean_difference").headline
    assert head.statistic == pytest.approx(-1.9677, abs=5e-4)
    assert head.p_value == pytest.approx(0.0497, abs=1e-4)


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
def test_ratios_have_the_error_of_their_log(measure):
    head = compare(measure=measure).headline
    a, b, c, d = 48, 168, 66, 150
    ratio, variance = {
        "risk_ratio": ((a / 216) / (c / 216), 1 / a - 1 / 216 + 1 / c - 1 / 216),
        "odds_ratio": (a * d / (b * c), 1 / a + 1 / b + 1 / c + 1 / d),
    }[measure]
    assert head.estimate == pytest.approx(ratio)
    assert head.std_error == pytest.approx(np.sqrt(variance))
    assert head.statistic == pytest.approx(np.log(ratio) / np.sqrt(variance))


def test_weights_of_one_change_nothing_and_weights_of_two_are_the_same_as_one():
    plain = compare()
    weighted = rates(MEN.assign(weight=1.0), outcome="arrest", treated="fin", weights="weight")
    assert weighted.headline == plain.headline
    assert weighted.headline.interval == "newcombe"
