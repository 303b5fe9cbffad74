"""`counts`: every row is looked at, windows are held against the programme's first day, and what is refused."""

import pandas as pd
import pytest

from evalkit.errors import StudyError
from evalkit.impact.counts import counts

FIRES = pd.DataFrame(
    {
        "category": ["deliberate fires", "primary fires", "road collisions"],
        "before": [87, 115, 40],
        "after": [120, 114, 44],
        "county_before": [825, 910, 60],
        "county_after": [937, 851, None],
    }
)
COLUMNS = {
    "before": "before", "after": "after", "comparison_before": "county_before", "comparison_after": "county_after",
}  # fmt: skip
YEARS = {"before": 882, "after": 805, "starts": "2019-09", "window_ends": ("2018-09", "2019-09")}


def fires(**options):
    return counts(FIRES, **(COLUMNS | {"contains": True} | options))


def test_containment_names_what_the_whole_would_have_given_in_every_row():
    reading = fires().check("containment").reading
    assert "deliberate fires 1.214" in reading
    assert "primary fires 1.060" in reading
    assert "road collisions" not in reading


def test_containment_gives_the_range_where_rows_are_many():
    many = pd.concat([FIRES.assign(category=f"{k} " + FIRES["category"]) for k in range(3)])
    reading = counts(many, **COLUMNS, contains=True).check("containment").reading
    assert "in 6 rows" in reading
    assert "from 1.060 to 1.214" in reading


def test_bases_are_compared_in_every_row():
    check = fires().check("additive_scale")
    assert check.statistic == pytest.approx(738 / 87)
    assert check.passed is None
    assert check.reading.startswith(
        "In 2 of 3 rows one base is more than twice the other (most in deliberate fires"
    )
    assert "-46 to +57" in check.reading
    alike = fires(contains=False, comparison_before="before", comparison_after="after").check(
        "additive_scale"
    )
    assert alike.passed is True


def test_a_later_row_with_unequal_bases_is_not_missed():
    check = counts(FIRES.iloc[[2, 0]], **COLUMNS, contains=False).check("additive_scale")
    assert "deliberate fires" in check.reading


def test_a_start_inside_the_later_window_is_told():
    check = counts(**YEARS).check("start_inside_window")
    assert check.passed is False
    assert check.statistic == pytest.approx(335 / 365)
    assert "335 of the 365 days counted as after lie before it" in check.reading


@pytest.mark.parametrize(
    ("starts", "passed", "words"),
    [
        ("2018-10-01", True, "between the two windows"),
        ("2018-09-16", False, "15 of the days counted as before"),
        ("2019-10-01", False, "every day counted as after was over"),
        (2019, False, "92 of the 365 days"),
    ],
)
def test_a_start_is_held_against_both_windows(starts, passed, words):
    check = counts(**(YEARS | {"starts": starts})).check("start_inside_window")
    assert check.passed is passed
    assert words in check.reading


def test_windows_of_two_lengths_need_exposures():
    given = YEARS | {"starts": "2018-12-01", "window_starts": ("2017-10", "2019-01")}
    check = counts(**given).check("equal_windows")
    assert check.passed is False
    assert "365 days, the one after 273 days" in check.reading
    assert counts(**given, exposure_before=365, exposure_after=273).check("equal_windows") is None
    assert counts(**(given | {"window_starts": ("2017-10", "2018-10")})).check("equal_windows").passed is True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"starts": None}, "needs `starts`"),
        ({"window_ends": ("2019-09", "2018-09")}, "must end before"),
        ({"window_ends": ("2019-09",)}, "two dates"),
        ({"window_ends": ("September", "2019-09")}, "must be dates"),
        ({"window_starts": ("2018-01", "2018-06")}, "must end before"),
        ({"window_ends": None}, "neither"),
        ({"window_ends": None, "window_starts": ("2017-10", "2018-10")}, "needs `window_ends`"),
    ],
)
def test_windows_that_cannot_be_are_refused(options, words):
    with pytest.raises(StudyError, match=words):
        counts(**(YEARS | options))
