"""The two windows of a before-and-after count, against the day on which the programme began."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import pandas as pd

from evalkit.errors import StudyError
from evalkit.results import Check

WHERE = "counts"
YEAR, MONTH = re.compile(r"\d{4}"), re.compile(r"(\d{4})-(\d{2})")
ONE_DAY = pd.Timedelta(days=1)
# Two calendar years, or two windows that end on the last of February, differ by a day.
ALIKE = 2


@dataclass(frozen=True, kw_only=True)
class Windows:
    """First and last days, all inside; `before_first` None where it was not given."""

    starts: pd.Timestamp
    before_first: pd.Timestamp | None
    before_last: pd.Timestamp
    after_first: pd.Timestamp
    after_last: pd.Timestamp


def read_windows(starts: int | str | date, window_ends: tuple, window_starts: tuple | None) -> Windows:
    """The days that a year, a month or a date names: its first for a start, its last for an end.

    Raises
    ------
    StudyError
        What is no date; windows that overlap or run backwards.
    """
    for name, value in (("window_ends", window_ends), ("window_starts", window_starts)):
        if value is not None and len(value) != 2:
            raise StudyError(f"`{name}` holds two dates: before, after", where=WHERE, found=f"{len(value)}")
    before_last, after_last = (_day(each, "window_ends", last=True) for each in window_ends)
    first = [_day(each, "window_starts", last=False) for each in window_starts or ()]
    found = Windows(
        starts=_day(starts, "starts", last=False), before_first=first[0] if first else None,
        before_last=before_last, after_first=first[1] if first else before_last + ONE_DAY, after_last=after_last,
    )  # fmt: skip
    if (
        not (found.before_first or found.before_last)
        <= found.before_last
        < found.after_first
        <= found.after_last
    ):
        raise StudyError(
            "the window before must end before the one after begins, and each begin before it ends", where=WHERE,
            do="Give `window_ends: [last day before, last day after]`, and `window_starts` in the same order",
        )  # fmt: skip
    return found


def window_checks(windows: Windows, *, same_exposure: bool) -> list[Check]:
    """Check `start_inside_window`; and `equal_windows` where both lengths are known and no exposure was given."""
    checks = [_start(windows)]
    if windows.before_first is not None and same_exposure:
        checks.append(_lengths(windows))
    return checks


def _day(value: int | str | date, name: str, *, last: bool) -> pd.Timestamp:
    text = str(value)
    if YEAR.fullmatch(text):
        return pd.Timestamp(f"{text}-12-31" if last else f"{text}-01-01")
    day = pd.to_datetime(f"{text}-01" if MONTH.fullmatch(text) else text, errors="coerce", format="ISO8601")
    if pd.isna(day) or text.isdigit():
        raise StudyError(f"`{name}` must be dates such as 2018-09-30, or months such as 2018-09", where=WHERE,
                         found=text)  # fmt: skip
    return day + pd.offsets.MonthEnd(0) if last and MONTH.fullmatch(text) else day


def _start(windows: Windows) -> Check:
    began = f"{windows.starts.day} {windows.starts.month_name()} {windows.starts.year}"
    days = (windows.after_last - windows.after_first).days + 1
    early = min(max((windows.starts - windows.after_first).days, 0), days)
    late = max((windows.before_last - windows.starts).days + 1, 0)
    if early == days:
        reading = f"The programme began on {began}, when every day counted as after was over."
    elif early:
        reading = (
            f"The programme began on {began}: {early} of the {days} days counted as after lie before it."
        )
    elif late:
        reading = f"The programme began on {began}: {late} of the days counted as before lie after it."
    else:
        reading = f"The programme began on {began}, between the two windows."
    inside = bool(early or late)
    return Check(
        name="start_inside_window",
        null="the programme began between the two windows",
        statistic=early / days if early or not late else None,
        threshold=0,
        passed=not inside,
        reading=reading,
        next_step="Ask for counts that end before the start, and for counts that begin with it."
        if inside
        else "",
    )


def _lengths(windows: Windows) -> Check:
    before = (windows.before_last - windows.before_first).days + 1
    after = (windows.after_last - windows.after_first).days + 1
    alike = abs(before - after) <= ALIKE
    return Check(
        name="equal_windows",
        null="the two windows are of one length",
        statistic=after / before,
        threshold=1,
        passed=alike,
        reading=f"The window before has {before} days, the one after {after} days.",
        next_step="" if alike else "Give the lengths as `exposure_before` and `exposure_after`.",
    )
