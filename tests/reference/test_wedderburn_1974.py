"""Wedderburn (1974), quasi-likelihood: the dispersion of past counts, and what it does to a ratio of two counts.

Values of R 4.2.2 (stats::glm, family quasipoisson) are frozen in `data/seat_belts_dispersion.json`, made by
`data/seat_belts_dispersion.R` from R's own `Seatbelts` (Harvey and Durbin 1986).
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact.counts import counts
from tests.tolerances import COEFFICIENT, EXACT

DATA = Path(__file__).parent / "data"
ROADS = pd.read_csv(DATA / "seat_belts.csv")
R = json.loads((DATA / "seat_belts_dispersion.json").read_text(encoding="utf-8"))
CASES = {
    "drivers_mean": ("drivers", {}),
    "drivers_trend_months": ("drivers", {"trend": True, "season": "month"}),
    "vans_mean": ("vans", {}),
    "vans_trend": ("vans", {"trend": True}),
}
EIGHT = [4, 6, 9, 5, 12, 3, 8, 9]  # by hand: mean 7, squares about it 64, chi-square 64/7, over 7: 64/49


def ratio(before: int, after: int, frame: pd.DataFrame = ROADS, **options):
    options = {"period": "month", "count": "drivers", "starts": "1983-02-01"} | options
    return counts(before=before, after=after, series=frame, **options)


def months(values, start: str = "2016-01-01", **more) -> pd.DataFrame:
    dates = pd.date_range(start, periods=len(values), freq="MS").strftime("%Y-%m")
    return pd.DataFrame({"month": dates, "drivers": values, **more})


@pytest.mark.parametrize("case", CASES)
def test_dispersion_and_error_agree_with_r(case):
    column, options = CASES[case]
    frozen = R[case]
    found = ratio(frozen["before"], frozen["after"], count=column, **options)
    line = found.detail["dispersion"].iloc[0]
    assert line["dispersion"] == pytest.approx(frozen["dispersion"], rel=COEFFICIENT)
    assert line["df"] == frozen["df"] == found.headline.df
    assert math.log(found.headline.estimate) == pytest.approx(frozen["log_ratio"], rel=COEFFICIENT)
    assert found.headline.std_error == pytest.approx(frozen["std_error"], rel=COEFFICIENT)


def test_statsmodels_gives_the_same_scale():
    import statsmodels.api as sm

    past = ROADS["drivers"].to_numpy()[:169]
    fit = sm.GLM(past, np.ones((169, 1)), family=sm.families.Poisson()).fit(scale="X2")
    assert ratio(100, 90).check("overdispersion").statistic == pytest.approx(fit.scale, rel=COEFFICIENT)


def test_by_hand():
    found = ratio(84, 60, months(EIGHT), starts=None)
    assert found.check("overdispersion").statistic == pytest.approx(64 / 49, rel=EXACT)
    head = found.headline
    assert head.std_error == pytest.approx(math.sqrt(64 / 49 * (1 / 84 + 1 / 60)), rel=EXACT)
    assert (head.term, head.interval, head.df) == ("rate_ratio", "quasi_poisson", 7)
    # chi-square with 7 degrees of freedom: 16.0128 and 1.68987 at 97.5 and 2.5 per cent (any printed table).
    assert found.detail["dispersion"].iloc[0]["conf_low"] == pytest.approx(64 / 7 / 16.0128, rel=1e-4)
    assert found.detail["dispersion"].iloc[0]["conf_high"] == pytest.approx(64 / 7 / 1.68987, rel=1e-4)
    assert found.estimates[1].term == "rate_ratio_poisson"
    assert found.estimates[1].interval == "exact_conditional"


def test_never_below_one_unless_said():
    steady = months([10, 11, 9, 10, 10, 11, 9, 10])
    kept = ratio(120, 100, steady, starts=None)
    assert kept.headline == counts(before=120, after=100).headline
    assert len(kept.estimates) == 1
    assert kept.check("overdispersion").statistic < 1
    narrowed = ratio(120, 100, steady, starts=None, below_one=True)
    assert narrowed.headline.std_error < kept.headline.std_error
    assert "narrowed" in narrowed.check("overdispersion").reading


def test_areas_are_pooled_each_about_its_own_mean():
    one, other = months(EIGHT, area="A"), months([10 * each for each in EIGHT], area="B")
    found = ratio(84, 60, pd.concat([one, other]), starts=None, unit="area")
    # The second series has ten times the chi-square about ten times the mean.
    assert found.check("overdispersion").statistic == pytest.approx((64 / 7 + 640 / 7) / 14, rel=EXACT)
    assert found.headline.df == 14
    assert list(found.detail["dispersion"]["unit"]) == ["A", "B"]


def test_rows_that_have_a_series_of_their_own_keep_their_own_spread():
    table = pd.DataFrame({"category": ["A", "B"], "b": [84, 840], "a": [60, 600]})
    past = pd.concat([months(EIGHT, area="A"), months([10 * each for each in EIGHT], area="B")])
    found = counts(table, before="b", after="a", series=past, period="month", count="drivers", unit="area")
    spread = {each.group: each.std_error for each in found.estimates[:2]}
    assert spread["A"] == pytest.approx(math.sqrt(64 / 49 * (1 / 84 + 1 / 60)), rel=EXACT)
    assert spread["B"] == pytest.approx(math.sqrt(640 / 49 * (1 / 840 + 1 / 600)), rel=EXACT)
    assert all(each.p_adjusted is not None for each in found.estimates[:2])
    with pytest.raises(DataError, match="some rows"):
        counts(table, before="b", after="a", series=past[past["area"] == "A"], period="month", count="drivers",
               unit="area")  # fmt: skip


def test_a_ratio_of_ratios_is_widened_too():
    options = {"comparison_before": 738, "comparison_after": 817}
    found = ratio(87, 120, months(EIGHT), starts=None, **options)
    plain = counts(before=87, after=120, **options).headline
    assert found.headline.term == "ratio_of_rate_ratios"
    assert found.headline.std_error == pytest.approx(plain.std_error * 8 / 7, rel=EXACT)


def test_a_nought_has_no_widened_range_and_keeps_the_exact_one_beside():
    found = ratio(0, 6, months(EIGHT), starts=None)
    assert found.headline.conf_low is None
    assert found.estimates[1].conf_low is not None


def test_neighbouring_months_that_resemble_each_other_are_told():
    waves = months([5, 5, 6, 7, 12, 14, 15, 14, 9, 6, 5, 4] * 2)
    check = ratio(100, 90, waves, starts=None).check("autocorrelation")
    assert check.passed is False
    assert "too narrow" in check.reading


REFUSED = {
    "seven points": (months(EIGHT[:7]), {}, DataError, "8 past counts"),
    "seven before the start": (months(EIGHT * 2), {"starts": "2016-08"}, DataError, "before `starts`"),
    "a gap": (months(EIGHT * 2).drop(index=4), {}, DataError, "2016-05"),
    "a repeat": (pd.concat([months(EIGHT)] * 2), {}, DataError, "name `unit`"),
    "a blank": (months([*EIGHT, None]), {}, DataError, "not nought"),
    "a fraction": (months([*EIGHT, 1.5]), {}, DataError, "whole numbers"),
    "nought throughout": (months([0] * 9), {}, EstimationError, "nought"),
    "no row": (months(EIGHT).head(0), {}, DataError, "no row"),
    "no such column": (months(EIGHT), {"count": "thefts"}, DataError, "thefts"),
    "a name instead of a frame": ("months", {}, StudyError, "frame of past counts"),
    "too many terms": (months(EIGHT * 3), {"season": "month", "trend": True, "starts": "2017-06"}, DataError,
                       "two full cycles"),
    "waves": (months(EIGHT), {"season": "harmonic"}, StudyError, "interrupted"),
    "both": (months(EIGHT), {"dispersion": 2.0}, StudyError, "either"),
    "no column named": (months(EIGHT), {"count": None}, StudyError, "its columns"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_series_that_cannot_be_used_is_refused(case):
    frame, options, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        ratio(84, 60, frame, **({"starts": None} | options))


def test_options_of_a_series_need_one():
    with pytest.raises(StudyError, match="there is none"):
        counts(before=1, after=2, trend=True)
    with pytest.raises(StudyError, match="neither"):
        counts(before=1, after=2, starts="2019-01")
