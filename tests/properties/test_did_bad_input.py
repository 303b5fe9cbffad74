"""What `did` refuses, and what it handles by a written rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact.did import did

NAMES = {"outcome": "y", "unit": "unit", "period": "period", "first_treated": "start"}


def panel(units: int = 20, periods: int = 6, start: int = 4, treated: int = 8) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "unit": np.repeat([f"u{k:02d}" for k in range(units)], periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(np.where(np.arange(units) < treated, start, 0), periods),
        }
    )
    frame["y"] = generator.normal(size=len(frame))
    frame["n"] = generator.poisson(20, len(frame))
    return frame


def refused(error, words, frame, **options):
    with pytest.raises(error, match=words):
        did(frame, **{**NAMES, **options})


def test_treatment_that_switches_off():
    frame = panel()
    frame.loc[(frame.unit == "u00") & (frame.period == 6), "start"] = 0
    refused(DataError, "must start once and stay", frame)


def test_duplicate_unit_periods():
    frame = panel()
    for estimator in ("two_by_two", "callaway_santanna"):
        refused(
            DataError, "1 repeated unit-periods", pd.concat([frame, frame.iloc[[3]]]), estimator=estimator
        )


def test_units_treated_in_the_first_period_are_left_out_and_counted():
    frame = panel()
    always = panel(treated=3, start=1).query("start == 1").assign(unit=lambda d: "a" + d.unit)
    for estimator in ("twfe", "callaway_santanna", "imputation"):
        found = did(pd.concat([frame, always]), estimator=estimator, **NAMES)
        assert found.headline.estimate == did(frame, estimator=estimator, **NAMES).headline.estimate
        assert "3 units already treated in the first period" in found.check("left_out").reading
    refused(DataError, "no before", always)


def test_no_never_treated_group_where_one_is_asked_for():
    frame = panel().replace({"start": {0: 6}})
    refused(DataError, "no never-treated unit", frame)
    assert did(frame, control_group="not_yet_treated", **NAMES).headline.estimate is not None
    for estimator in ("sun_abraham", "imputation", "twfe", "event_study"):
        assert did(frame, estimator=estimator, **NAMES).headline.estimate is not None


def test_all_treated_at_once_or_never():
    refused(DataError, "no comparison", panel(treated=20))
    refused(DataError, "no unit starts treatment", panel(treated=0))
    refused(DataError, "no unit starts treatment", panel(start=99))


def test_constant_outcome():
    refused(DataError, "same number in every row", panel().assign(y=1.0))


@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation"])
def test_a_single_cluster_has_no_error(estimator):
    found = did(panel().assign(area="one"), cluster="area", estimator=estimator, **NAMES)
    assert found.headline.estimate is not None
    assert found.headline.std_error is None
    assert found.check("few_clusters").passed is False


@pytest.mark.parametrize("estimator", ["two_by_two", "twfe", "event_study", "sun_abraham"])
def test_a_single_cluster_keeps_the_estimate(estimator):
    found = did(panel().assign(area="one"), cluster="area", estimator=estimator, **NAMES)
    assert found.headline.estimate is not None
    assert found.headline.std_error is None


def test_missing_periods():
    frame = panel()
    gap = frame.drop(frame.index[[1, 9]])
    found = did(gap, **NAMES)
    assert "2 units not seen in every period" in found.check("left_out").reading
    assert found.headline.n_clusters == 18
    kept = did(gap, unbalanced="repeated_cross_sections", **NAMES)
    assert kept.headline.n_clusters == 20
    refused(DataError, "every unit in every period", gap, estimator="synthetic")


def test_a_period_that_nobody_has_is_a_gap_in_time():
    found = did(panel(periods=7).query("period != 2"), estimator="event_study", **NAMES)
    assert found.detail["event_study"].event_time.tolist() == [-3, -1, 0, 1, 2, 3]


def test_non_integer_counts():
    frame = panel().assign(n=lambda d: d.n + 0.5)
    refused(DataError, "whole counts", frame, outcome="n", family="poisson", estimator="twfe")
    frame = panel().assign(n=lambda d: d.n - 100)
    refused(DataError, "must not be negative", frame, outcome="n", family="poisson", estimator="twfe")


def test_no_events_after_treatment():
    frame = panel()
    frame["n"] = np.where((frame.start > 0) & (frame.period >= 4), 0, frame.n)
    refused(EstimationError, "ratio does not exist", frame, outcome="n", family="poisson", estimator="twfe")
    refused(
        EstimationError, "ratio does not exist", frame, outcome="n", family="poisson", estimator="two_by_two"
    )


def test_staggered_poisson_two_way_is_refused():
    frame = panel()
    frame.loc[frame.unit.isin(["u00", "u01", "u02"]), "start"] = 5
    for estimator in ("twfe", "event_study"):
        refused(
            StudyError,
            "refused with staggered starts",
            frame,
            outcome="n",
            family="poisson",
            estimator=estimator,
        )
    for estimator in ("callaway_santanna", "imputation"):
        assert (
            did(frame, estimator=estimator, family="poisson", **{**NAMES, "outcome": "n"}).headline.estimate
            > 0
        )
    refused(StudyError, "needs one starting period", frame, estimator="two_by_two")


def test_additive_counts_on_unequal_bases_are_refused_unless_asked_for():
    frame = pd.DataFrame(
        {"unit": [1, 1, 2, 2], "period": [1, 2] * 2, "start": [2, 2, 0, 0], "y": [87, 120, 738, 817]}
    )
    refused(DataError, "wrong sign", frame, estimator="two_by_two")
    found = did(frame, estimator="two_by_two", scale="additive", **NAMES)
    assert found.headline.estimate == pytest.approx(-46)
    assert found.check("unequal_bases").passed is False


def test_few_treated_clusters_keep_the_estimate_only():
    for treated in (1, 2):
        for estimator in ("two_by_two", "twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation",
                          "synthetic"):  # fmt: skip
            found = did(panel(treated=treated), estimator=estimator, **NAMES)
            head = found.headline
            assert head.estimate is not None
            assert (head.std_error, head.p_value, head.conf_low, head.conf_high) == (None,) * 4
            assert found.check("few_treated_clusters").passed is False


def test_randomisation_with_one_treated_unit():
    frame = panel(units=9, treated=1)
    found = did(frame, estimator="twfe", inference="randomisation", **NAMES)
    placebo = found.detail["placebo"]
    rank = int(placebo.loc[placebo.unit == "u00", "rank"].iloc[0])
    assert found.headline.p_value == pytest.approx(rank / 9)
    assert found.headline.std_error is None
    assert found.check("randomisation_floor").statistic == pytest.approx(1 / 9)
    assert len(placebo) == 9


def test_a_unit_in_two_clusters():
    frame = panel().assign(area=lambda d: d.period % 2)
    refused(DataError, "more than one `area`", frame, cluster="area")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimator": "magic"}, "`estimator` must be one of"),
        ({"family": "binomial"}, "`family` must be one of"),
        ({"colour": 1}, "`colour` is not an option"),
        ({"estimator": "sun_abraham", "family": "poisson"}, "not supported by `sun_abraham`"),
        ({"estimator": "event_study", "inference": "cr2"}, "not supported by `event_study`"),
        ({"estimator": "twfe", "exposure": "n"}, "needs `family: poisson`"),
        (
            {"estimator": "twfe", "family": "poisson", "inference": "cr2"},
            "not supported with `family: poisson`",
        ),
        ({"estimator": "twfe", "aggregate": "group"}, "`aggregate: group` is not supported by `twfe`"),
        ({"estimator": "twfe", "leads": 3}, "options of `event_study` only"),
        ({"estimator": "twfe", "control_group": "not_yet_treated"}, "option of `callaway_santanna` only"),
        ({"estimator": "synthetic", "weights": "n"}, "not supported by `synthetic`"),
        ({"anticipation": -1}, "must be 0 or more"),
        ({"level": 1.2}, "between 0 and 1"),
    ],
)
def test_refused_by_name(options, words):
    refused(StudyError, words, panel(), **options)


def test_mistyped_columns_and_values():
    refused(DataError, "no column `yy`", panel(), outcome="yy")
    refused(DataError, "must hold numbers", panel().assign(y="high"))
    refused(DataError, "whole numbers or dates", panel().assign(period=lambda d: d.period + 0.5))
    refused(DataError, "is blank in 1 rows", panel().assign(unit=lambda d: d.unit.where(d.index != 0)))
    refused(DataError, "panel is empty", panel().iloc[:0])


def test_missing_outcomes_are_counted():
    frame = panel()
    frame.loc[5, "y"] = np.nan
    found = did(frame, estimator="twfe", **NAMES)
    assert "1 rows with a missing value" in found.check("left_out").reading


def test_a_start_inside_a_period_is_said():
    frame = panel()
    dates = pd.to_datetime([f"2020-{p:02d}-01" for p in frame.period])
    dated = frame.assign(period=dates, start=np.where(frame.start > 0, "2020-04-15", ""))
    found = did(dated, estimator="twfe", **NAMES)
    assert found.check("start_inside_window").passed is False
    assert did(dated.assign(start=dated.start.replace("2020-04-15", "2020-04-01")), estimator="twfe",
               **NAMES).headline.estimate == found.headline.estimate  # fmt: skip
