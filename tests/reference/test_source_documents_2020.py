"""Figures printed in the Local Government Association's case studies (2020) and in the St Albans
partnership's strategy for 2018/19, with the intervals that they should have carried."""

import math

import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.impact.count_checks import base_range, unknown_base, weighted_displacement_difference
from evalkit.impact.counts import counts
from evalkit.impact.proportion import bounds, proportion

PRINTED_RATIO = 5.1e-4
PRINTED_PERCENT = 0.051

PROPORTIONS = [
    (21, 26, 62.1, 91.5),
    (21, 30, 52.1, 83.3),
    (25, 30, 66.4, 92.7),
    (17, 20, 64.0, 94.8),
    (15, 20, 53.1, 88.8),
    (12, 20, 38.7, 78.1),
    (6, 20, 14.5, 51.9),
    (4, 20, 8.1, 41.6),
    (1, 20, 0.9, 23.6),
    (346, 617, 52.1, 59.9),
    (155, 617, 21.9, 28.7),
    (8, 617, 0.7, 2.5),
    (4, 617, 0.3, 1.7),
    (1, 617, 0.0, 0.9),
    (8, 155, 2.6, 9.9),
    (165, 617, 23.4, 30.4),
    (13, 617, 1.2, 3.6),
]

ST_ALBANS = [
    ("All crime", 5958, 7381, 23.9, 1.239, 1.197, 1.282),
    ("Violence against person", 1572, 1966, 25.1, 1.251, 1.170, 1.337),
    ("Domestic abuse related", 696, 784, 12.6, 1.126, 1.016, 1.249),
    ("Motor vehicle", 615, 913, 48.5, 1.485, 1.339, 1.647),
    ("Theft from person", 82, 95, 15.9, 1.159, 0.853, 1.576),
    ("Robbery", 37, 81, 118.9, 2.189, 1.467, 3.323),
    ("Criminal damage", 775, 888, 14.6, 1.146, 1.039, 1.263),
    ("Drug possession", 175, 167, -4.6, 0.954, 0.767, 1.186),
    ("Theft from shop", 587, 692, 17.9, 1.179, 1.055, 1.318),
    ("Making off", 283, 314, 11.0, 1.110, 0.942, 1.308),
    ("ASB", 2240, 2653, 18.4, 1.184, 1.119, 1.253),
    ("CPT ASB", 488, 486, -0.4, 0.996, 0.877, 1.132),
    ("CPT domestic abuse referrals", 6, 14, 133, 2.333, 0.842, 7.408),
    ("CPT safeguarding", 87, 63, -27.6, 0.724, 0.515, 1.013),
]

FIRES = {"before": 87, "after": 120, "comparison_before": 825, "comparison_after": 937}


@pytest.mark.parametrize(("successes", "trials", "low", "high"), PROPORTIONS)
def test_wilson_intervals_of_the_programmes(successes, trials, low, high):
    head = proportion(successes=successes, trials=trials).headline
    assert head.estimate == successes / trials
    assert 100 * head.conf_low == pytest.approx(low, abs=PRINTED_PERCENT)
    assert 100 * head.conf_high == pytest.approx(high, abs=PRINTED_PERCENT)


def test_spark2life_bounds_for_the_four_who_did_not_engage():
    result = proportion(successes=21, trials=26, lost=4)
    assert result.estimate("proportion_if_none").estimate == pytest.approx(21 / 30)
    assert result.estimate("proportion_if_all").estimate == pytest.approx(25 / 30)
    assert list(bounds(21, 26, 4)["events"]) == [21, 25]


@pytest.mark.parametrize(("name", "before", "after", "change", "ratio", "low", "high"), ST_ALBANS)
def test_st_albans_crime_table(name, before, after, change, ratio, low, high):
    result = counts(before=before, after=after)
    head = result.headline
    assert head.term == "rate_ratio"
    assert (head.estimate, head.conf_low, head.conf_high) == pytest.approx(
        (ratio, low, high), abs=PRINTED_RATIO
    )
    percent = result.detail["counts"]["percent_change"].iloc[0]
    assert percent == pytest.approx(change, abs=0.5 if abs(change) > 100 else PRINTED_PERCENT)


def test_st_albans_table_as_a_frame_adjusts_for_many_rows():
    frame = pd.DataFrame([row[:3] for row in ST_ALBANS], columns=["category", "before", "after"])
    result = counts(frame, before="before", after="after")
    assert [each.group for each in result.estimates] == [row[0] for row in ST_ALBANS]
    abuse = result.estimates[2]
    assert abuse.p_value < 0.05 < abuse.p_adjusted
    assert result.check("small_counts").passed is False


def test_nottinghamshire_knife_crime_just_includes_no_change():
    head = counts(before=882, after=805).headline
    assert (head.estimate, head.conf_low, head.conf_high) == pytest.approx(
        (0.913, 0.829, 1.005), abs=PRINTED_RATIO
    )
    assert head.p_value == pytest.approx(0.064, abs=5e-4)
    assert head.interval == "exact_conditional"


def test_deliberate_fires_against_the_rest_of_the_county():
    result = counts(**FIRES, contains=True)
    head = result.headline
    assert head.term == "ratio_of_rate_ratios"
    assert (head.estimate, head.conf_low, head.conf_high) == pytest.approx(
        (1.246, 0.929, 1.671), abs=PRINTED_RATIO
    )
    assert head.p_value == pytest.approx(0.14, abs=5e-3)
    assert "1.214" in result.check("containment").reading
    assert result.check("additive_scale").statistic == pytest.approx(738 / 87)
    assert "-46" in result.check("additive_scale").reading


def test_the_whole_county_pulls_the_ratio_towards_one():
    assert counts(**FIRES, contains=False).headline.estimate == pytest.approx(1.214, abs=PRINTED_RATIO)


def test_primary_fires():
    head = counts(
        before=115, after=114, comparison_before=795 + 115, comparison_after=737 + 114, contains=True
    ).headline
    assert (head.estimate, head.conf_low, head.conf_high) == pytest.approx(
        (1.069, 0.810, 1.412), abs=PRINTED_RATIO
    )


def test_hertfordshire_fire_injuries():
    head = counts(before=34, after=37).headline
    assert (head.estimate, head.conf_low, head.conf_high) == pytest.approx((1.09, 0.66, 1.79), abs=5.1e-3)


def test_suffolk_bases_from_a_count_and_a_percentage():
    assert base_range(436, 37) == (318, 319)
    assert base_range(421, 18) == (356, 358)


def test_loftus_fall_of_41_per_cent_on_an_unknown_base():
    table = unknown_base(-41, [25, 50, 100, 200, 500])
    assert list(table["conf_low"].round()) == [-71, -63, -58, -53, -49]
    assert list(table["conf_high"].round()) == [18, -4, -18, -26, -32]


def test_a_zero_base_has_no_ratio_and_a_blank_is_not_a_zero():
    zero = counts(before=0, after=12).headline
    assert zero.estimate is None
    assert zero.conf_low > 1
    assert zero.conf_high is None
    frame = pd.DataFrame({"category": ["burglary", "theft"], "before": [math.nan, 82], "after": [340, 95]})
    result = counts(frame, before="before", after="after")
    assert result.headline.estimate is None
    assert result.headline.conf_low is None
    assert result.check("missing_counts").passed is False


def test_unequal_windows_need_their_exposure():
    head = counts(before=45, after=63, exposure_before=7, exposure_after=9).headline
    assert head.estimate == pytest.approx(63 / 9 / (45 / 7))


def test_dispersion_widens_the_interval():
    result = counts(before=882, after=805, dispersion=4.0)
    wide, plain = result.estimates
    assert wide.std_error == pytest.approx(2 * plain.std_error)
    assert (wide.term, wide.interval) == ("rate_ratio", "quasi_poisson")
    assert (plain.term, plain.interval) == ("rate_ratio_poisson", "exact_conditional")
    assert wide.conf_low < plain.conf_low < plain.conf_high < wide.conf_high
    assert wide.p_value > plain.p_value


def test_weighted_displacement_difference():
    each = weighted_displacement_difference(
        before=87, after=120, comparison_before=738, comparison_after=817,
        displacement_before=50, displacement_after=40,
        displacement_comparison_before=60, displacement_comparison_after=55,
    )  # fmt: skip
    assert each.estimate == (120 - 87) - (817 - 738) + (40 - 50) - (55 - 60)
    assert each.std_error == pytest.approx(math.sqrt(120 + 87 + 817 + 738 + 40 + 50 + 55 + 60))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"before": -1, "after": 2}, DataError),
        ({"before": 1.5, "after": 2}, DataError),
        (
            {"before": 10, "after": 20, "comparison_before": 9, "comparison_after": 30, "contains": True},
            DataError,
        ),
        ({"before": 10, "after": 20, "comparison_before": 9}, StudyError),
        ({"before": 10, "after": 20, "contains": True}, StudyError),
        ({"before": 10, "after": 20, "exposure_before": 9}, StudyError),
        ({"before": "was", "after": "now"}, DataError),
        ({"before": 10, "after": 20, "colour": 9}, StudyError),
    ],
)
def test_impossible_counts_are_refused(values, kind):
    with pytest.raises(kind):
        counts(**values)


@pytest.mark.parametrize(
    "values", [{"successes": 21, "trials": 20}, {"successes": 2, "trials": 0}, {"successes": -1, "trials": 3}]
)
def test_impossible_proportions_are_refused(values):
    with pytest.raises(DataError):
        proportion(**values)


def test_a_proportion_reads_the_treated_arm_and_counts_those_unknown():
    people = pd.DataFrame({"treated": [1, 1, 1, 1, 0], "stopped": [1, 1, 0, math.nan, 1]})
    result = proportion(people, outcome="stopped")
    assert (result.headline.estimate, result.headline.n_treated) == (pytest.approx(2 / 3), 3)
    assert result.check("attrition").statistic == 0.25
