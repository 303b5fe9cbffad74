"""Estimators that must agree do, and what must not matter does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.did import DidOptions, did
from evalkit.impact.did.panel import read_panel
from evalkit.impact.did.two_by_two import two_by_two
from evalkit.regression import glm
from tests.tolerances import COEFFICIENT

NAMES = {"outcome": "y", "unit": "unit", "period": "period", "first_treated": "start"}
ALL = ["twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation", "synthetic"]


def panel(units: int = 40, periods: int = 7, starts=(0, 4, 6), seed: int = 3) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    start = np.array(starts)[np.arange(units) % len(starts)]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(start, periods),
        }
    )
    treated = (frame.start > 0) & (frame.period >= frame.start)
    own = np.repeat(generator.normal(size=units), periods)
    frame["y"] = own + 0.3 * frame.period + 1.5 * treated + generator.normal(size=len(frame))
    frame["x"] = generator.normal(size=len(frame))
    frame["people"] = np.repeat(generator.integers(500, 5000, units), periods)
    frame["count"] = generator.poisson(frame.people / 200 * np.exp(0.1 * own - 0.3 * treated))
    return frame


def effect(frame: pd.DataFrame, estimator: str, **options) -> float:
    return did(frame, estimator=estimator, diagnostics=False, **{**NAMES, **options}).headline.estimate


def four(frame: pd.DataFrame) -> float:
    means = frame.groupby([frame.start > 0, frame.period >= 4]).y.mean().unstack()
    return (means.loc[True, True] - means.loc[True, False]) - (
        means.loc[False, True] - means.loc[False, False]
    )


@pytest.mark.parametrize("estimator", [*ALL, "two_by_two"])
def test_two_periods_agree(estimator):
    frame = panel(starts=(0, 4))
    if estimator == "synthetic":
        pytest.skip("needs two periods before treatment")
    two = frame[frame.period.isin([3, 4])]
    assert effect(two, estimator) == pytest.approx(four(two), abs=1e-10)


@pytest.mark.parametrize("beside", [1, 2])
@pytest.mark.parametrize(
    ("estimator", "inference"),
    [
        *((each, "cluster") for each in (*ALL, "two_by_two")),
        *((each, way) for each in ("twfe", "two_by_two") for way in ("cr2", "wild_bootstrap")),
    ],
)
def test_one_or_two_comparison_units_leave_the_estimate_and_nothing_else(estimator, inference, beside):
    frame = panel(units=16, starts=(0, 4))
    frame = frame[(frame.start > 0) | (frame.unit < 2 * beside)]
    found = did(frame, estimator=estimator, inference=inference, **NAMES)
    head = found.headline
    if estimator in ("two_by_two", "twfe", "imputation") or (estimator == "synthetic" and beside == 1):
        # One comparison unit says nothing of which earlier periods count: the four means are what is left.
        assert head.estimate == pytest.approx(four(frame), abs=1e-9)
    assert head.estimate is not None
    assert (head.std_error, head.p_value, head.conf_low, head.conf_high) == (None, None, None, None)
    assert found.check("few_treated_clusters").passed is True
    assert found.check("few_clusters").passed is False
    assert f"Only {beside} of them" in found.check("few_clusters").reading
    for shown in found.detail.values():
        assert "std_error" not in shown or shown["std_error"].isna().all()


def test_units_treated_later_are_comparisons_where_the_estimator_uses_them():
    frame = panel(units=24)
    frame = frame[(frame.start > 0) | (frame.unit == 0)]
    assert did(frame, estimator="imputation", **NAMES).headline.std_error is not None
    later = {"estimator": "callaway_santanna", "control_group": "not_yet_treated"}
    assert did(frame, **later, **NAMES).headline.std_error is not None
    assert did(frame, estimator="callaway_santanna", **NAMES).headline.std_error is None


@pytest.mark.parametrize("estimator", ["two_by_two", "twfe", "imputation"])
def test_one_cohort_many_periods_is_the_difference_of_four_means(estimator):
    frame = panel(starts=(0, 4))
    assert effect(frame, estimator) == pytest.approx(four(frame), abs=1e-10)


def test_one_cohort_event_study_is_callaway_santanna_on_the_universal_base():
    frame = panel(starts=(0, 4))
    one = did(frame, estimator="event_study", **NAMES).detail["event_study"]
    two = did(frame, base_period="universal", **NAMES).detail["event_study"]
    assert one.event_time.tolist() == two.event_time.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    np.testing.assert_allclose(one.estimate, two.estimate, atol=1e-10)
    assert one.loc[one.event_time == -1, "estimate"].tolist() == [0.0]


def test_sun_abraham_is_callaway_santanna_with_the_never_treated():
    frame = panel()
    for kind in ("simple", "dynamic", "group", "calendar"):
        one, two = (effect(frame, each, aggregate=kind) for each in ("sun_abraham", "callaway_santanna"))
        assert one == pytest.approx(two, abs=1e-10)


def test_cells_are_two_by_twos():
    frame = panel()
    cells = did(frame, **NAMES).detail["group_time"]
    row = cells[(cells.cohort == 6) & (cells.period == 7)].iloc[0]
    small = frame[frame.start.isin([0, 6]) & frame.period.isin([5, 7])]
    assert row.estimate == pytest.approx(effect(small, "two_by_two"), abs=1e-12)


def test_complete_and_general_paths_agree():
    frame = panel(units=60)
    extra = frame.assign(unit=frame.unit + 1000).iloc[[0]]
    for estimator in ("twfe", "event_study", "sun_abraham", "imputation"):
        # A unit seen once says nothing, but sends the panel down the unbalanced path.
        assert effect(pd.concat([frame, extra]), estimator) == pytest.approx(
            effect(frame, estimator), abs=1e-9
        )


def test_poisson_before_and_after_is_the_ratio_of_ratios():
    frame = pd.DataFrame(
        {"unit": [1, 1, 2, 2], "period": [0, 1] * 2, "start": [1, 1, 0, 0], "count": [87, 120, 738, 817]}
    )
    expected = (120 / 87) / (817 / 738)
    for estimator in ("two_by_two", "twfe", "imputation", "callaway_santanna", "event_study"):
        got = effect(frame, estimator, outcome="count", family="poisson")
        assert got == pytest.approx(expected, rel=COEFFICIENT)
    assert expected == pytest.approx(1.246, abs=5e-4)


def test_poisson_one_cohort_all_forms_agree():
    frame = panel(starts=(0, 4))
    two = frame[frame.period.isin([3, 4])]
    options = {"outcome": "count", "family": "poisson", "exposure": "people"}
    found = [effect(two, each, **options) for each in ("two_by_two", "callaway_santanna")]
    assert found[0] == pytest.approx(found[1], rel=1e-9)
    found = [effect(two, each, **options) for each in ("twfe", "imputation", "event_study")]
    assert found == pytest.approx([found[0]] * 3, rel=1e-8)


@pytest.mark.parametrize("estimator", ALL)
def test_order_labels_and_scale(estimator):
    frame = panel()
    base = did(frame, estimator=estimator, diagnostics=False, **NAMES).headline
    other = frame.sample(frac=1, random_state=4).assign(
        unit=lambda d: "u" + (d.unit % 97).astype(str).str.zfill(3)
    )
    moved = did(other.assign(y=other.y * 10 + 5), estimator=estimator, diagnostics=False, **NAMES).headline
    assert moved.estimate == pytest.approx(10 * base.estimate, rel=1e-7)
    assert moved.std_error == pytest.approx(10 * base.std_error, rel=1e-6)
    assert base == did(frame, estimator=estimator, diagnostics=False, **NAMES).headline


@pytest.mark.parametrize(
    "estimator", ["twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation"]
)
def test_rescaled_weights_change_nothing(estimator):
    frame = panel().assign(w=lambda d: 1 + d.unit % 3)
    one = did(frame, estimator=estimator, weights="w", diagnostics=False, **NAMES).headline
    two = did(
        frame.assign(w=frame.w * 7), estimator=estimator, weights="w", diagnostics=False, **NAMES
    ).headline
    assert two.estimate == pytest.approx(one.estimate, abs=1e-10)
    assert two.std_error == pytest.approx(one.std_error, rel=1e-8)


@pytest.mark.parametrize(
    "estimator", ["twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation"]
)
def test_weights_of_one_are_no_weights_and_of_two_are_copies(estimator):
    frame = panel()
    plain = did(frame, estimator=estimator, diagnostics=False, **NAMES).headline
    ones = did(frame.assign(w=1.0), estimator=estimator, weights="w", diagnostics=False, **NAMES).headline
    assert ones.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert ones.std_error == pytest.approx(plain.std_error, rel=1e-6)
    heavy = frame.assign(w=1.0 + (frame.unit % 2))
    twins = pd.concat([frame, frame[frame.unit % 2 == 1].assign(unit=lambda d: d.unit + 1000)])
    assert effect(heavy, estimator, weights="w") == pytest.approx(effect(twins, estimator), abs=1e-9)


@pytest.mark.parametrize("estimator", ["twfe", "callaway_santanna", "event_study"])
def test_dates_and_integers_agree(estimator):
    frame = panel()
    month = pd.PeriodIndex([f"2019-{p:02d}" for p in frame.period], freq="M").to_timestamp()
    start = [f"2019-{s:02d}" if s else None for s in frame.start]
    dated = frame.assign(period=month, start=start)
    one, two = (did(each, estimator=estimator, diagnostics=False, **NAMES) for each in (frame, dated))
    assert one.headline.estimate == two.headline.estimate
    assert two.detail["means"].period.iloc[0] == "2019-01-01"


def test_every_second_year_is_one_step():
    frame = panel()
    wide = frame.assign(
        period=2000 + 2 * frame.period, start=np.where(frame.start > 0, 2000 + 2 * frame.start, 0)
    )
    one, two = (did(each, diagnostics=False, **NAMES).detail["event_study"] for each in (frame, wide))
    assert one.equals(two)


def test_repeated_cross_sections_equal_the_panel_for_means():
    frame = panel(starts=(0, 4))
    rows = frame.assign(unit=np.arange(len(frame)))
    assert effect(rows, "two_by_two") == pytest.approx(effect(frame, "two_by_two"), abs=1e-12)
    cells = did(
        rows.drop(columns="unit"), outcome="y", period="period", first_treated="start", diagnostics=False
    )
    whole = did(frame, diagnostics=False, **NAMES)
    np.testing.assert_allclose(
        cells.detail["group_time"].estimate, whole.detail["group_time"].estimate, atol=1e-12
    )


def test_one_row_each_is_hc1():
    frame = panel(starts=(0, 4)).assign(unit=lambda d: np.arange(len(d)))
    found = did(frame, estimator="two_by_two", diagnostics=False, **NAMES).headline
    x = np.column_stack(
        [np.ones(len(frame)), frame.start > 0, frame.period >= 4, (frame.start > 0) & (frame.period >= 4)]
    )
    x = x.astype(float)
    bread = np.linalg.inv(x.T @ x)
    rest = frame.y.to_numpy() - x @ bread @ x.T @ frame.y.to_numpy()
    n = len(frame)
    variance = n / (n - 4) * bread @ (x.T * rest**2) @ x @ bread
    assert found.std_error == pytest.approx(np.sqrt(variance[3, 3]), rel=1e-10)
    assert found.interval == "hc1"


def test_not_yet_treated_with_no_later_cohort_is_never_treated():
    frame = panel(starts=(0, 4))
    assert effect(frame, "callaway_santanna", control_group="not_yet_treated") == effect(
        frame, "callaway_santanna"
    )


def test_anticipation_moves_the_base():
    frame = panel(starts=(0, 4))
    cells = did(frame, anticipation=1, diagnostics=False, **NAMES).detail["group_time"]
    row = cells[cells.period == 4].iloc[0]
    two = frame[frame.period.isin([2, 4])]
    assert row.estimate == pytest.approx(effect(two, "two_by_two"), abs=1e-12)


def test_wild_bootstrap_interval_inverts_its_test():
    frame = panel(units=16, starts=(0, 4))
    found = did(frame, estimator="twfe", inference="wild_bootstrap", diagnostics=False, **NAMES).headline
    for end in (found.conf_low, found.conf_high):
        shifted = frame.assign(y=frame.y - end * ((frame.start > 0) & (frame.period >= 4)))
        again = did(
            shifted, estimator="twfe", inference="wild_bootstrap", diagnostics=False, **NAMES
        ).headline
        assert again.p_value == pytest.approx(0.05, abs=0.004)


def test_wild_bootstrap_is_the_same_with_and_without_closed_forms():
    frame = panel(units=16, starts=(0, 4))
    options = {"estimator": "twfe", "inference": "wild_bootstrap", "diagnostics": False, **NAMES}
    one = did(frame, **options).headline
    two = did(frame.assign(w=1.0), weights="w", **options).headline
    assert two.p_value == one.p_value
    assert two.conf_low == pytest.approx(one.conf_low, abs=1e-6)


def test_uniform_bands_hold_the_pointwise_intervals():
    for estimator in ("event_study", "callaway_santanna", "imputation"):
        path = did(panel(), estimator=estimator, diagnostics=False, **NAMES).detail["event_study"].dropna()
        assert (path.band_low <= path.conf_low + 1e-12).all()
        assert (path.band_high >= path.conf_high - 1e-12).all()


def test_input_is_not_changed():
    frame = panel()
    before = frame.copy(deep=True)
    did(frame, **NAMES)
    pd.testing.assert_frame_equal(frame, before)


def test_leads_and_lags_gather_what_lies_beyond():
    frame = panel(starts=(0, 4))
    path = did(frame, estimator="event_study", leads=2, lags=1, diagnostics=False, **NAMES).detail[
        "event_study"
    ]
    assert path.event_time.tolist() == [-2, -1, 0, 1]
    arm = frame.start > 0
    late, base = frame.period.isin([5, 6, 7]), frame.period == 3
    change = frame[late].groupby(arm).y.mean() - frame[base].groupby(arm).y.mean()
    row = path.set_index("event_time").estimate
    assert row[1] == pytest.approx(change[True] - change[False], abs=1e-10)


def test_two_way_covariates_are_columns_of_the_regression():
    frame = panel()
    treated = ((frame.start > 0) & (frame.period >= frame.start)).astype(float)
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str), drop_first=True).to_numpy(float)
    x = np.column_stack([treated, frame.x, np.ones(len(frame)), dummies])
    expected = np.linalg.lstsq(x, frame.y, rcond=None)[0][0]
    assert effect(frame, "twfe", covariates=["x"]) == pytest.approx(expected, abs=1e-9)


def test_two_way_anticipation_leaves_those_rows_out():
    frame = panel()
    waiting = (frame.start > 0) & (frame.period == frame.start - 1)
    assert effect(frame, "twfe", anticipation=1) == pytest.approx(effect(frame[~waiting], "twfe"), abs=1e-12)


def test_imputation_is_a_mean_of_treated_rows_less_untreated_effects():
    frame = panel()
    clean = (frame.start == 0) | (frame.period < frame.start)
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str)).to_numpy(float)
    beta = np.linalg.lstsq(dummies[clean], frame.y[clean], rcond=None)[0]
    expected = (frame.y - dummies @ beta)[~clean].mean()
    assert effect(frame, "imputation") == pytest.approx(expected, abs=1e-9)
    by_event = (frame.y - dummies @ beta)[~clean].groupby((frame.period - frame.start)[~clean]).mean()
    assert effect(frame, "imputation", aggregate="dynamic") == pytest.approx(by_event.mean(), abs=1e-9)


def test_saturated_poisson_is_the_log_of_cells():
    """One cohort: each cell's log ratio of ratios to the untreated model, averaged."""
    frame = panel(starts=(0, 4))
    cells = [((frame.start > 0) & (frame.period == t)).to_numpy(float) for t in (4, 5, 6, 7)]
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str), drop_first=True).to_numpy(float)
    x = np.column_stack([*cells, np.ones(len(frame)), dummies])
    names = [str(k) for k in range(x.shape[1])]
    fit = glm(
        frame["count"].to_numpy(float), x, names, family="poisson", offset=np.log(frame.people.to_numpy())
    )
    options = {"outcome": "count", "family": "poisson", "exposure": "people"}
    assert np.log(effect(frame, "imputation", **options)) == pytest.approx(
        fit.coefficients[:4].mean(), abs=1e-6
    )


@pytest.mark.parametrize("weights", [None, "mass"])
def test_a_complete_panel_of_two_periods_gives_the_very_same_numbers_by_the_shorter_way(weights):
    generator = np.random.default_rng(3)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(60), 2), "year": np.tile([1, 2], 60)})
    frame["area"], frame["start"] = frame.unit % 7, np.where(frame.unit % 3 == 0, 2, 0)
    frame["y"], frame["mass"] = generator.normal(size=120), generator.uniform(1, 2, 120)
    options = DidOptions(
        outcome="y", unit="unit", period="year", first_treated="start", estimator="two_by_two", cluster="area",
        weights=weights,
    )  # fmt: skip
    short = read_panel(frame, options)
    found, other = two_by_two(short, options), two_by_two(replace(short, grid=None), options)
    assert found.estimate == other.estimate
    assert found.influence.tobytes() == other.influence.tobytes()
    assert found.interval == other.interval
