"""The names of a season: a number of periods, a month, a quarter; each is one known model, or refused by name."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import StudyError
from evalkit.impact.interrupted import interrupted
from evalkit.options import read_options
from tests.tolerances import COEFFICIENT


def series(step: str = "MS", n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    dates = pd.date_range("2015-01-01", periods=n, freq=step)
    mean = np.exp(4 + 0.3 * np.sin(dates.month * np.pi / 6))
    return pd.DataFrame(
        {"period": dates.strftime("%Y-%m-%d"), "number": range(n), "thefts": rng.poisson(mean)}
    )


def answer(frame: pd.DataFrame, **options):
    options = {"period": "period", "starts": frame["period"].iloc[36], "diagnostics": False} | options
    return interrupted(frame, outcome="thefts", **options)


def numbers(result) -> list[float]:
    return [value for each in result.estimates for value in (each.estimate, each.std_error)]


@pytest.mark.parametrize("same", ["month", "months", 12])
def test_twelve_is_a_term_for_each_month(same):
    assert numbers(answer(series(), season=same)) == numbers(answer(series(), season="months"))


@pytest.mark.parametrize("same", ["quarter", 4])
def test_four_is_a_term_for_each_quarter_of_quarterly_figures(same):
    frame = series("QS")
    assert numbers(answer(frame, season=same)) == numbers(answer(frame, season="months"))


def test_a_quarter_of_monthly_figures_agrees_with_statsmodels():
    import statsmodels.api as sm

    frame = series()
    found = answer(frame, season="quarter").headline
    time = np.arange(60)
    after = (time >= 36).astype(float)
    quarter = pd.get_dummies(pd.to_datetime(frame["period"]).dt.quarter, drop_first=True).to_numpy(float)
    design = np.column_stack([np.ones(60), time - 36, after, after * (time - 36), quarter])
    fit = sm.GLM(frame["thefts"], design, family=sm.families.Poisson()).fit(scale="X2")
    assert np.log(found.estimate) == pytest.approx(fit.params.iloc[2], rel=COEFFICIENT)
    assert found.std_error == pytest.approx(fit.bse.iloc[2], rel=COEFFICIENT)


def test_numbered_periods_need_no_season_length():
    by_number = answer(series(), period="number", starts=36, season=12)
    assert numbers(by_number) == pytest.approx(numbers(answer(series(), season=12)), rel=1e-9)


def test_the_check_says_which_terms():
    assert "each of 12 periods" in answer(series(), season=12).check("season").reading
    assert "each quarter" in answer(series(), season="quarter").check("season").reading


@pytest.mark.parametrize(
    ("step", "options", "words"),
    [
        ("MS", {"season": 4}, "a year has 12"),
        ("QS", {"season": 12}, "a year has 4"),
        ("QS", {"season": "month"}, "by month"),
        ("MS", {"season": 1}, "2 or more"),
        ("MS", {"season": "winter"}, "`season` is"),
        ("MS", {"season": 12, "season_length": 6}, "two lengths"),
        ("MS", {"season": "quarter", "season_length": 6}, "by month or by quarter"),
        ("YS", {"season": "quarter"}, "how many periods"),
        ("7D", {"season": "harmonic"}, "52 for weeks"),
    ],
)
def test_a_season_that_cannot_be_is_refused_by_name(step, options, words):
    with pytest.raises(StudyError, match=words):
        answer(series(step), **options)


def test_study_yml_may_hold_a_number():
    values = {"outcome": "thefts", "period": "period", "starts": 12, "season": 4}
    assert read_options(interrupted.options, values, where="study.yml").season == 4
