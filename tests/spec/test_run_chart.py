"""Which points are signals, what the limits of counts and shares are, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.monitor.run_chart import run_chart
from evalkit.monitor.series import positions
from tests.tolerances import EXACT

WOBBLE = [10, 14, 9, 13, 11, 15, 8, 12]


def chart(values, **options):
    frame = pd.DataFrame({"period": range(len(values)), "value": values})
    return run_chart(frame, period="period", outcome="value", **options)


def marked(values, rule, **options):
    points = chart(values, **options).detail["points"]
    return points.index[points["rule"] == rule].tolist()


def test_run_of_eight_but_not_of_seven_on_one_side():
    base = [10, 20, 10, 20, 10, 20, 10, 20]  # centre 15
    assert marked([*base, 12, *[17, 18] * 4], "run on one side", baseline=8) == list(range(9, 17))
    seven = [*base, 10, *[17, 18, 17, 18, 17, 18, 17]]
    assert marked(seven, "run on one side", baseline=8) == []
    assert marked(seven, "run on one side", baseline=8, run=7) == list(range(9, 16))


def test_trend_of_six_points_up_or_down_but_not_of_five():
    base = [10, 20, 10, 20, 10, 20, 10, 20]
    up = chart([*base, 12, 13, 14, 15.5, 16, 17], baseline=8).detail["points"]
    assert up.index[up["rule"] == "trend"].tolist() == list(range(8, 14))
    assert set(up.loc[8:13, "signal"]) == {"high"}
    down = chart([*base, 19, 18, 17, 16, 14], baseline=8).detail["points"]
    assert down.index[down["rule"] == "trend"].tolist() == list(range(7, 13))
    assert set(down.loc[7:12, "signal"]) == {"low"}
    assert marked([*base, 11, 13, 14, 15.5, 16], "trend", baseline=8) == []


def test_two_of_three_near_a_limit():
    base = [10, 12, 10, 12, 10, 12, 10, 12]  # centre 11, limits 11 -+ 5.32, near beyond 14.55
    assert marked([*base, 15, 11, 15], "two of three near a limit", baseline=8) == [8, 10]
    assert marked([*base, 15, 11, 11, 15], "two of three near a limit", baseline=8) == []
    assert marked([*base, 15, 7, 11], "two of three near a limit", baseline=8) == []


def test_rules_stop_at_a_gap_and_at_a_step():
    frame = pd.DataFrame({"period": [*range(12), *range(13, 17)], "value": [10, 20] * 4 + [17, 18] * 4})
    broken = run_chart(frame, period="period", outcome="value", gaps="break", baseline=8)
    assert not (broken.detail["points"]["rule"] == "run on one side").any()
    with pytest.raises(DataError, match="1 gaps between periods and 0 missing"):
        run_chart(frame, period="period", outcome="value")


def test_no_moving_range_is_taken_over_a_missing_value():
    values = [10, 12, 11, None, 50, 52, 51]
    result = chart(values, gaps="break")
    ranges = [2, 1, 2, 1]
    centre = np.mean([10, 12, 11, 50, 52, 51])
    assert result.headline.conf_high == pytest.approx(centre + 2.66 * np.mean(ranges), abs=EXACT * 100)
    with pytest.raises(DataError, match="missing is not nought"):
        chart(values)


def test_limits_of_shares_rates_and_counts_are_shewharts():
    frame = pd.DataFrame(
        {"month": ["2024-01", "2024-02", "2024-03"], "late": [12, 8, 10], "seen": [100, 80, 120]}
    )
    share = run_chart(frame, period="month", outcome="late", chart="p", trials="seen").detail["points"]
    centre = 30 / 300
    assert share["upper"].tolist() == pytest.approx([centre + 3 * (0.09 / n) ** 0.5 for n in (100, 80, 120)])
    assert share["lower"].tolist() == pytest.approx(
        [max(centre - 3 * (0.09 / n) ** 0.5, 0) for n in (100, 80, 120)]
    )
    rate = run_chart(frame, period="month", outcome="late", chart="u", exposure="seen").detail["points"]
    assert rate["upper"].tolist() == pytest.approx([centre + 3 * (0.1 / n) ** 0.5 for n in (100, 80, 120)])
    count = run_chart(frame, period="month", outcome="late", chart="c").detail["points"]
    assert count["upper"].iloc[0] == pytest.approx(10 + 3 * 10**0.5)
    assert count["lower"].iloc[0] == pytest.approx(10 - 3 * 10**0.5)


def test_counts_that_vary_more_than_chance_are_said_to():
    steady, wild = [10, 12, 8, 11, 9, 10, 13, 7], [2, 30, 4, 25, 1, 40, 3, 28]
    assert chart(steady, chart="c").check("overdispersion").passed is True
    check = chart(wild, chart="c").check("overdispersion")
    assert check.passed is False
    assert "xmr" in check.next_step


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        (["2019-11", "2019-12", "2020-01"], [1, 1]),
        (["2019-Q4", "2020-Q1", "2020-Q2"], [1, 1]),
        (["2018/19", "2019/20", "2020/21"], [1, 1]),
        (["2019-01-31", "2019-02-28", "2019-03-31"], [1, 1]),
        (["2019-01-07", "2019-01-14", "2019-01-21"], [7, 7]),
        ([3, 4, 6], [1, 2]),
    ],
)
def test_periods_are_put_on_a_line_of_time(periods, expected):
    assert np.diff(positions(pd.Series(periods), where="")).tolist() == expected


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"chart": "g"}, StudyError, "`xmr`, `p`, `u`, `c`"),
        ({"chart": "p"}, StudyError, "`trials` is for chart `p`"),
        ({"exposure": "value"}, StudyError, "`exposure` is for chart `u`"),
        ({"steps": [99]}, StudyError, "no period `99`"),
        ({"baseline": 2}, StudyError, "3 points or more"),
        ({"run": 2}, StudyError, "3 points or more"),
        ({"gaps": "fill"}, StudyError, "`refuse`, `break`"),
        ({"steps": [7]}, DataError, "3 points or more for its limits"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        chart(WOBBLE, **options)


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([1.5, 2, 3], {"chart": "c"}, "whole number"),
        ([5, 5, 5, 5], {}, "does not vary"),
        ([], {}, "no point"),
    ],
)
def test_values_that_have_no_limits_are_refused(values, options, words):
    with pytest.raises(DataError, match=words):
        chart(values, **options)


def test_a_repeated_period_is_refused():
    frame = pd.DataFrame({"period": [1, 1, 2], "value": [1, 2, 3]})
    with pytest.raises(DataError, match="more than one row"):
        run_chart(frame, period="period", outcome="value")


def test_row_order_changes_nothing():
    frame = pd.DataFrame({"period": range(8), "value": WOBBLE})
    there, back = (run_chart(each, period="period", outcome="value") for each in (frame, frame[::-1]))
    pd.testing.assert_frame_equal(there.detail["points"], back.detail["points"])
