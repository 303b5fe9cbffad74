"""Interrupted series: what must not change an answer, what must change it by a known rule, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact.interrupted import interrupted
from evalkit.results import Result

N, START = 48, 30
FAMILIES = ("poisson", "quasi_poisson", "negative_binomial", "gaussian")


def months(seed: int = 1, effect: float = -0.3, noise: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = np.arange(N)
    rate = np.exp(3.5 + 0.005 * time + effect * (time >= START) + noise * rng.normal(size=N))
    return pd.DataFrame(
        {
            "month": pd.date_range("2016-01-01", periods=N, freq="MS").strftime("%Y-%m-%d"),
            "number": time,
            "thefts": rng.poisson(rate),
            "people": 10_000 + 20 * time,
        }
    )


def answer(frame: pd.DataFrame, **options) -> Result:
    options = {"outcome": "thefts", "period": "month", "starts": "2018-07-01", "diagnostics": False} | options
    return interrupted(frame, **options)


def figures(result: Result) -> list[float]:
    return [value for each in result.estimates for value in (each.estimate, each.std_error)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_order_of_the_rows_does_not_matter(family):
    frame = months()
    assert figures(answer(frame.sample(frac=1, random_state=3), family=family)) == figures(
        answer(frame, family=family)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_and_dates_give_the_same_answer(family):
    by_number = answer(months(), family=family, period="number", starts=START)
    assert figures(by_number) == figures(answer(months(), family=family))


def test_a_period_numbered_nought_may_be_the_start():
    frame = months().assign(number=lambda each: each["number"] - START)
    assert answer(frame, period="number", starts=0).headline == answer(months()).headline


def test_exposure_in_thousands_changes_nothing():
    frame = months()
    thousands = frame.assign(people=frame["people"] / 1000)
    assert figures(answer(thousands, exposure="people")) == pytest.approx(
        figures(answer(frame, exposure="people")), rel=1e-9
    )


def test_gaussian_changes_scale_with_the_outcome():
    one, ten = (
        answer(each, family="gaussian")
        for each in (months(), months().assign(thefts=lambda f: f["thefts"] * 10))
    )
    assert np.array(figures(ten)) == pytest.approx(10 * np.array(figures(one)), rel=1e-9)


def test_quasi_poisson_widens_the_poisson_interval_by_the_root_of_the_dispersion():
    frame = months(noise=0.3)
    plain, wide = answer(frame, family="poisson"), answer(frame)
    dispersion = plain.check("overdispersion").statistic
    assert wide.headline.estimate == pytest.approx(plain.headline.estimate, rel=1e-12)
    assert wide.headline.std_error == pytest.approx(plain.headline.std_error * dispersion**0.5, rel=1e-9)
    assert plain.check("overdispersion").passed is False
    assert wide.check("overdispersion").passed is True


def test_newey_west_without_lags_is_the_robust_error():
    frame = months()
    from evalkit.impact.interrupted.model import fit_series
    from evalkit.impact.interrupted.options import InterruptedOptions
    from evalkit.impact.interrupted.series import read_series
    from evalkit.regression import robust_covariance

    options = InterruptedOptions(
        outcome="thefts", period="month", starts="2018-07-01", autocorrelation="newey_west", lags=0
    )
    model = fit_series(read_series(frame, options), options)
    assert model.covariance == pytest.approx(robust_covariance(model.fit, "HC1"), rel=1e-9)


def test_the_difference_in_events_is_what_the_lines_enclose():
    found = answer(months(), season="harmonic")
    path = found.detail["series"]
    after = path[path["post"] == 1]
    gap = (after["fitted"] - after["counterfactual"]).sum()
    assert found.estimate("total_difference").estimate == pytest.approx(gap, rel=1e-9)
    ratio = after["fitted"].sum() / after["counterfactual"].sum()
    assert found.estimate("average_change").estimate == pytest.approx(ratio, rel=1e-9)


def test_a_comparison_that_changed_alike_leaves_no_change():
    twin = pd.concat([months().assign(ward="A"), months().assign(ward="B")])
    found = answer(twin, unit="ward", comparison="B")
    assert found.headline.estimate == pytest.approx(1, abs=1e-9)
    assert found.check("comparison_units").statistic == 1
    assert (found.headline.n_treated, found.headline.n_control) == (1, 1)


def test_several_comparison_series_are_added_up():
    parts = [months().assign(ward="A"), months(2, 0).assign(ward="B"), months(3, 0).assign(ward="C")]
    whole = parts[1].assign(thefts=parts[1]["thefts"] + parts[2]["thefts"])
    two = answer(pd.concat(parts), unit="ward", comparison=("B", "C"))
    one = answer(pd.concat([parts[0], whole]), unit="ward", comparison="B")
    assert figures(two) == pytest.approx(figures(one), rel=1e-9)


def test_a_named_break_takes_its_step_away():
    frame = months()
    doubled = frame.assign(thefts=frame["thefts"] * np.where(frame["number"] >= 12, 2, 1))
    found = answer(doubled, breaks=["2017-01-01"])
    assert found.check("series_break").passed is True
    assert found.headline.estimate == pytest.approx(
        answer(frame, breaks=["2017-01-01"]).headline.estimate, rel=0.05
    )


def test_a_break_at_the_start_leaves_the_estimate_without_an_error():
    head = answer(months(), breaks=["2018-07-01"])
    assert head.headline.estimate is not None
    assert (head.headline.std_error, head.headline.conf_low, head.headline.p_value) == (None, None, None)
    assert head.check("series_break").passed is False


def test_fewer_than_eight_periods_before_give_no_interval():
    found = answer(months().iloc[START - 7 :])
    assert found.headline.estimate is not None
    assert (found.headline.std_error, found.headline.conf_low, found.headline.p_value) == (None, None, None)
    assert found.check("few_points_before").passed is False
    assert found.detail["series"]["conf_low"].isna().all()


def test_a_start_inside_a_month_is_said():
    assert answer(months(), starts="2018-07-16").check("start_inside_window").passed is False
    assert answer(months()).check("start_inside_window").passed is True


def test_noughts_stay_in_as_noughts():
    frame = months().assign(thefts=lambda each: np.where(each["number"] % 3 == 0, 0, each["thefts"]))
    found = answer(frame)
    assert found.headline.estimate is not None
    assert "16 periods hold nought" in found.check("small_counts").reading


def test_return_to_the_usual_level_is_estimated_from_the_history():
    rng = np.random.default_rng(5)
    counts = rng.poisson(40, N)
    counts[START - 12 : START] += 30
    frame = months().assign(thefts=counts)
    check = answer(frame, chosen_when_high=True, season_length=6, season="none").check(
        "regression_to_the_mean"
    )
    assert check.passed is False
    assert check.statistic < 1
    assert "without any programme" in check.reading
    short = answer(frame.iloc[START - 9 :], chosen_when_high=True).check("regression_to_the_mean")
    assert "unknown" in short.reading
    assert answer(frame, chosen_when_high=False).check("regression_to_the_mean").passed is True
    assert answer(frame).check("regression_to_the_mean").passed is None


def test_false_starts_and_autoregressive_errors_are_shown():
    found = answer(months(), diagnostics=True)
    assert len(found.detail["placebo_starts"]) == START - 8 - 4 + 1
    assert found.check("placebo_start").passed is not None
    assert found.check("arima_errors").statistic == pytest.approx(found.headline.estimate, rel=0.1)


REFUSED = {
    "a gap": (lambda f: f.drop(index=5), {}, DataError, "gaps"),
    "a repeat": (lambda f: pd.concat([f, f.iloc[[3]]]), {}, DataError, "more than one row"),
    "a blank": (lambda f: f.assign(thefts=f["thefts"].astype(float).mask(f["number"] == 4)), {}, DataError, "blank"),
    "a fraction": (lambda f: f.assign(thefts=f["thefts"] + 0.5), {}, DataError, "fractions"),
    "a negative": (lambda f: f.assign(thefts=-f["thefts"]), {}, DataError, "negative"),
    "a missing column": (lambda f: f.drop(columns="thefts"), {}, DataError, "no column"),
    "no exposure": (lambda f: f.assign(people=0), {"exposure": "people"}, DataError, "above 0"),
    "only noughts before": (
        lambda f: f.assign(thefts=f["thefts"].where(f["number"] >= START, 0)), {}, EstimationError, "nought",
    ),
    "a start outside": (lambda f: f, {"starts": "2030-01-01"}, DataError, "before it and one after"),
    "a start that is no date": (lambda f: f, {"starts": 7}, StudyError, "must be a date"),
    "prais_winsten on counts": (lambda f: f, {"autocorrelation": "prais_winsten"}, StudyError, "newey_west"),
    "exposure without counts": (
        lambda f: f, {"family": "gaussian", "exposure": "people"}, StudyError, "exposure",
    ),
    "an unknown family": (lambda f: f, {"family": "binomial"}, StudyError, "family"),
    "an unknown option": (lambda f: f, {"seasn": "months"}, StudyError, "season"),
    "lags without newey_west": (lambda f: f, {"lags": 3}, StudyError, "lags"),
    "comparison without unit": (lambda f: f, {"comparison": "B"}, StudyError, "unit"),
    "a season of unknown length": (
        lambda f: f, {"period": "number", "starts": START, "season": "months"}, StudyError, "season_length",
    ),
    "a season longer than half the series": (
        lambda f: f.iloc[START - 12 : START + 8], {"season": "months"}, DataError, "two full cycles",
    ),
    "too many terms": (
        lambda f: f.iloc[START - 4 : START + 5],
        {"season": "months", "season_length": 4, "breaks": ("2018-05-01", "2018-09-01")},
        EstimationError, "cannot support",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_by_name(case):
    change, options, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        answer(change(months()), **options)


def test_weeks_with_a_gap_name_the_missing_week():
    frame = pd.DataFrame({"week": pd.date_range("2020-01-06", periods=40, freq="7D"), "thefts": range(40)})
    with pytest.raises(DataError, match="2020-02-10"):
        interrupted(frame.drop(index=5), outcome="thefts", period="week", starts="2020-06-01")


def test_several_series_without_a_comparison_are_refused():
    twin = pd.concat([months().assign(ward="A"), months().assign(ward="B")])
    with pytest.raises(DataError, match="2 series"):
        answer(twin, unit="ward")
    with pytest.raises(DataError, match="more than one row"):
        answer(twin)


def test_the_frame_is_left_as_it_was():
    frame = months()
    before = frame.copy()
    answer(frame, season="months")
    pd.testing.assert_frame_equal(frame, before)
