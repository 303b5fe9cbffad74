"""How small a difference a plan could see: closed forms, published sizes, words."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from evalkit.design import in_words, power
from evalkit.errors import StudyError
from tests.tolerances import COEFFICIENT

Z = norm.ppf(0.975) + norm.ppf(0.8)


def detectable(**options):
    return power(None, **options).headline.estimate


def test_sample_size_of_two_proportions_is_that_of_r():
    # power.prop.test(p1 = .35, p2 = .30, power = .8) of R stats: n = 1376.298868 per arm
    result = power(None, measure="risk_difference", baseline=0.35, effect=-5.0)
    assert result.headline.term == "sample_size_treated"
    assert result.headline.estimate == pytest.approx(1376.298868, abs=COEFFICIENT)
    assert in_words(result).startswith("You would need 1,377 people")


def test_detectable_difference_and_sample_size_are_inverse():
    result = power(None, baseline=0.35, n_treated=1000, n_control=1500)
    again = power(None, baseline=0.35, effect=-result.headline.estimate, allocation=1.5)
    assert again.headline.estimate == pytest.approx(1000, abs=COEFFICIENT)
    check = power(None, baseline=0.35, effect=-result.headline.estimate, n_treated=1000, n_control=1500)
    assert check.estimate("power").estimate == pytest.approx(0.8, abs=COEFFICIENT)


def test_a_pilot_of_45_families_sees_about_26_points():
    result = power(None, baseline=0.4, n_treated=45, n_control=45, who="families")
    assert result.headline.estimate == pytest.approx(25.9, abs=0.05)
    assert result.headline.unit == "percentage points"
    words = "With 45 families in each group you could only be fairly sure of seeing a difference of about 26 points."
    assert in_words(result, who="families") == words
    assert result.check("power").reading == words
    assert detectable(baseline=0.4, n_treated=90, n_control=90) == pytest.approx(19.1, abs=0.05)
    assert detectable(baseline=0.4, n_treated=90, n_control=90, direction="higher") == pytest.approx(
        20.7, abs=0.05
    )


@pytest.mark.parametrize("direction", ["lower", "higher"])
@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
def test_a_ratio_of_shares_is_the_difference_that_can_be_seen_on_another_scale(measure, direction):
    plan = {"baseline": 0.3, "n_treated": 260, "n_control": 410, "icc": 0.03, "cluster_size": 12}
    points = detectable(**plan, direction=direction)
    reached = 0.3 + (points if direction == "higher" else -points) / 100
    expected = reached / 0.3 if measure == "risk_ratio" else reached / (1 - reached) / (0.3 / 0.7)
    assert detectable(measure=measure, **plan, direction=direction) == pytest.approx(
        expected, abs=COEFFICIENT
    )


@pytest.mark.parametrize("direction", ["lower", "higher"])
@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
def test_statsmodels_gives_a_detectable_ratio_the_power_that_was_asked_for(measure, direction):
    from statsmodels.stats.proportion import power_proportions_2indep

    ratio = detectable(measure=measure, baseline=0.35, n_treated=500, n_control=500, direction=direction)
    odds = ratio * 0.35 / 0.65
    reached = ratio * 0.35 if measure == "risk_ratio" else odds / (1 + odds)
    found = power_proportions_2indep(reached - 0.35, 0.35, 500, ratio=1.0, alpha=0.05)
    assert found.power == pytest.approx(0.8, abs=1e-5)  # statsmodels adds the far tail of the test


def test_a_ratio_of_shares_says_both_directions():
    plan = {"measure": "odds_ratio", "baseline": 0.4, "n_treated": 90, "n_control": 120}
    down, up = power(None, **plan), power(None, **plan, direction="higher")
    assert down.estimate("minimum_detectable_increase").estimate == up.headline.estimate
    assert up.estimate("minimum_detectable_reduction").estimate == down.headline.estimate
    assert down.headline.estimate < 1 < up.headline.estimate
    assert "% lower. Were it an increase: odds about" in down.check("power").reading
    assert down.references == ("fleiss2003",)


def test_a_ratio_to_plan_for_needs_the_people_that_its_points_need():
    points = power(None, baseline=0.35, effect=-5.0).headline.estimate
    risk = power(None, measure="risk_ratio", baseline=0.35, effect=0.30 / 0.35).headline
    odds = power(None, measure="odds_ratio", baseline=0.35, effect=(0.30 / 0.70) / (0.35 / 0.65)).headline
    assert risk.estimate == pytest.approx(points, abs=COEFFICIENT)
    assert odds.estimate == pytest.approx(points, abs=COEFFICIENT)


def test_means_by_the_closed_form():
    found = detectable(measure="mean_difference", n_treated=80, n_control=120, sd=3.0, r_squared=0.36)
    assert found == pytest.approx(Z * 3 * 0.8 * np.sqrt(1 / 80 + 1 / 120), abs=COEFFICIENT)


def test_clusters_multiply_the_variance_by_the_design_effect():
    plain = detectable(measure="mean_difference", n_treated=200, n_control=200)
    clustered = detectable(measure="mean_difference", n_treated=200, n_control=200, icc=0.05, cluster_size=20)
    assert clustered / plain == pytest.approx(np.sqrt(1 + 19 * 0.05), abs=COEFFICIENT)
    unequal = detectable(
        measure="mean_difference", n_treated=200, n_control=200, icc=0.05, cluster_size=20, cluster_cv=0.5
    )
    assert unequal / plain == pytest.approx(np.sqrt(1 + (1.25 * 20 - 1) * 0.05), abs=COEFFICIENT)


def test_only_the_clustered_arm_pays_in_a_partially_nested_trial():
    found = detectable(
        measure="mean_difference", n_treated=60, n_control=60, icc=0.1, cluster_size=20, clustered="treated"
    )
    assert found == pytest.approx(Z * np.sqrt(2.9 / 60 + 1 / 60), abs=COEFFICIENT)


def test_attrition_takes_people_away():
    kept = detectable(baseline=0.4, n_treated=80, n_control=80)
    assert detectable(baseline=0.4, n_treated=100, n_control=100, attrition=0.2) == pytest.approx(
        kept, abs=COEFFICIENT
    )


def test_rates_and_their_dispersion():
    ratio = detectable(measure="rate_ratio", baseline=0.8, n_treated=300, n_control=300, dispersion=2.0)
    error = np.sqrt(2 * (1 / (300 * 0.8 * ratio) + 1 / (300 * 0.8)))
    assert -np.log(ratio) == pytest.approx(Z * error, abs=COEFFICIENT)
    assert ratio < detectable(measure="rate_ratio", baseline=0.8, n_treated=300, n_control=300) < 1


def test_schoenfeld_events():
    # Schoenfeld 1983: events = (z + z)² / (p₁ p₀ log² HR)
    result = power(None, measure="hazard_ratio", baseline=0.4, effect=0.7)
    n = result.headline.estimate
    events = n * (1 - 0.6**0.7) + n * 0.4
    assert events == pytest.approx(Z**2 / (0.25 * np.log(0.7) ** 2), abs=COEFFICIENT)


def test_panels_with_serial_correlation():
    """The variance of (mean after − mean before) under AR(1), against a simulation of the errors' own covariance."""
    options = {
        "measure": "mean_difference",
        "n_treated": 10,
        "n_control": 30,
        "periods_before": 6,
        "periods_after": 4,
    }
    independent = detectable(**options)
    assert independent == pytest.approx(Z * np.sqrt((1 / 6 + 1 / 4) * (1 / 10 + 1 / 30)), abs=COEFFICIENT)
    ar = 0.6
    covariance = np.array([[ar ** abs(i - j) for j in range(10)] for i in range(10)])
    contrast = np.array([-1 / 6] * 6 + [1 / 4] * 4)
    expected = Z * np.sqrt(contrast @ covariance @ contrast * (1 / 10 + 1 / 30))
    assert detectable(**options, autocorrelation=ar) == pytest.approx(expected, abs=COEFFICIENT)


def test_where_nothing_could_be_seen_there_is_no_number():
    result = power(None, baseline=0.05, n_treated=20, n_control=20)
    assert result.headline.estimate is None
    assert result.check("power").passed is False
    assert "even the largest possible difference" in in_words(result)


def test_the_arms_of_a_frame_are_counted():
    people = pd.DataFrame({"treated": [1] * 45 + [0] * 90})
    result = power(people, baseline=0.4)
    assert (result.headline.n_treated, result.headline.n_control) == (45, 90)
    assert "45 people in one group and 90 in the other" in in_words(result)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baseline": 0.4}, "`n_treated` and `n_control` are required"),
        ({"n_treated": 10, "n_control": 10}, "`baseline` is required"),
        ({"baseline": 40, "n_treated": 10, "n_control": 10}, "Write 40% as 0.40"),
        ({"baseline": 0.4, "n_treated": 10, "n_control": 10, "icc": 0.1}, "`icc` needs `cluster_size`"),
        ({"baseline": 0.4, "n_treated": 10, "n_control": 10, "power": 1.5}, "`power` must lie"),
        ({"baseline": 0.4, "n_treated": 10, "n_control": 0}, "`n_control` must be above 0"),
        ({"baseline": 0.4, "effect": 0}, "`effect` must be"),
        ({"baseline": 0.4, "effect": 1, "measure": "odds_ratio"}, "ratio other than 1"),
        ({"baseline": 0.4, "effect": 3, "measure": "risk_ratio"}, "a share between 0 and 1"),
        ({"baseline": 40, "n_treated": 10, "n_control": 10, "measure": "odds_ratio"}, "Write 40% as 0.40"),
        ({"baseline": 0.4, "n_treated": 9, "n_control": 9, "periods_before": 3}, "both `periods_before`"),
        ({"measure": "median"}, "must be one of"),
    ],
)
def test_plans_that_make_no_sense_are_refused(options, words):
    with pytest.raises(StudyError, match=words):
        power(None, **options)
