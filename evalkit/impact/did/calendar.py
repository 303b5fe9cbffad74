"""Periods as whole steps: integers, or dates of one step, to a position and back to a label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.regression import factorize, places

NEVER = np.iinfo(np.int32).max
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """The periods of a panel in order. `steps` is each period's position, counted in steps from the first.

    `first` and `size` turn a position back into a label. `unit` is `integer`, `day` or `month`.
    """

    labels: tuple[object, ...]
    steps: np.ndarray
    first: int
    size: int
    unit: str
    start_inside: bool = False

    def label(self, step: int) -> object:
        """The label of a step, in the data or between two of them."""
        found = np.flatnonzero(self.steps == step)
        if len(found):
            return self.labels[found[0]]
        value = self.first + int(step) * self.size
        if self.unit == "integer":
            return value
        if self.unit == "month":
            return f"{value // 12:04d}-{value % 12 + 1:02d}-01"
        return str(np.datetime64(0, "D") + value * DAY)


def read_calendar(
    periods: pd.Series, starts: pd.Series, names: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray, Calendar]:
    """Period codes, each row's first treated step (NEVER where never treated), and the calendar.

    Only the distinct values are read; rows get theirs by code.
    Whoever starts after the last period is untreated in all.
    """
    row_period, period_code, distinct = _distinct(periods)
    row_start, start_code, begun = _distinct(starts)
    blank = 0 if periods.dtype.kind in "iu" else int((row_period < 0).sum())
    if blank:
        raise DataError(f"`{names[0]}` is blank in {blank} rows", where=f"column `{names[0]}`")
    read = _dates if _is_date(distinct) else _integers
    found, steps, calendar = read(distinct, begun, names)
    steps = np.where(steps > calendar.steps[-1], NEVER, steps)
    # Blank starts have code -1, the last place.
    cohort = np.append(steps[start_code], NEVER)[row_start]
    code = found[period_code]
    return row_period if np.array_equal(code, np.arange(len(code))) else code[row_period], cohort, calendar


def _distinct(values: pd.Series) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """A place for each row (-1 where blank), each place's code, and the distinct values in order of their codes."""
    placed = places(values.to_numpy()) if values.dtype.kind in "iu" else None
    if placed is not None:
        place, filled, low = placed
        return place, np.maximum(np.cumsum(filled) - 1, 0), pd.Series(np.flatnonzero(filled) + low)
    found, levels = pd.factorize(values)
    return found, np.arange(len(levels)), pd.Series(levels)


def _is_date(values: pd.Series) -> bool:
    if isinstance(values.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values):
        return False
    first = values.dropna()
    return len(first) > 0 and not _is_number(first.iloc[0])


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _whole(values: pd.Series, name: str, *, blank: bool) -> np.ndarray:
    """Whole numbers; where blanks are allowed they, and 0 and infinity, become NaN."""
    if pd.api.types.is_integer_dtype(values) and not values.hasnans:
        numbers = values.to_numpy()
        if not blank:
            return numbers
        return np.where(numbers == 0, np.nan, numbers)
    numbers = pd.to_numeric(values.replace("", np.nan), errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    unread = np.isnan(numbers) & ~values.replace("", np.nan).isna().to_numpy()
    fraction = np.isfinite(numbers) & (numbers != np.round(numbers))
    if unread.any() or fraction.any() or (not blank and not np.isfinite(numbers).all()):
        raise DataError(
            f"`{name}` must hold whole numbers or dates"
            + ("; blank or 0 for never treated" if blank else ""),
            where=f"column `{name}`",
            found=f"{int((unread | fraction | ~np.isfinite(numbers)).sum())} other values",
        )
    if not blank:
        return numbers.astype(np.int64)
    return np.where(np.isfinite(numbers) & (numbers != 0), numbers, np.nan)


def _integers(
    periods: pd.Series, starts: pd.Series, names: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray, Calendar]:
    """Codes of the distinct periods, steps of the distinct starts, and the calendar."""
    found, levels = factorize(_whole(periods, names[0], blank=False))
    if pd.api.types.is_datetime64_any_dtype(starts) and starts.notna().any():
        raise DataError(
            f"`{names[1]}` holds dates but `{names[0]}` holds numbers", do="Give both on one scale"
        )
    begun = _whole(starts, names[1], blank=True)
    size = _step(levels)
    # A start between two periods is first seen in the later one.
    steps = np.where(np.isnan(begun), NEVER, np.ceil((np.nan_to_num(begun) - levels[0]) / size))
    calendar = Calendar(
        labels=tuple(int(each) for each in levels), steps=(levels - levels[0]) // size,
        first=int(levels[0]), size=size, unit="integer",
    )  # fmt: skip
    return found, steps.astype(np.int64), calendar


def _step(levels: np.ndarray) -> int:
    gaps = np.diff(levels)
    return int(math.gcd(*(int(gap) for gap in gaps))) if len(gaps) else 1


def _days(values: pd.Series, name: str, *, blank: bool) -> np.ndarray:
    """Dates as numpy days; NaT where blank."""
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.start_time
    if pd.api.types.is_numeric_dtype(values):
        values = pd.Series(np.where(values.fillna(0) == 0, None, values), index=values.index)
    text = values.mask(values.isin(["", "0", 0])) if values.dtype.kind not in "M" else values
    dates = pd.to_datetime(text, errors="coerce", format=None if values.dtype.kind == "M" else "ISO8601")
    if (dates.isna() & ~text.isna()).any() or (not blank and dates.isna().any()):
        raise DataError(
            f"`{name}` must hold dates such as 2018-09-01" + ("; blank for never treated" if blank else ""),
            where=f"column `{name}`",
            found=f"{int(dates.isna().sum())} values that are not dates",
        )
    return dates.to_numpy().astype("datetime64[D]")


def _dates(
    periods: pd.Series, starts: pd.Series, names: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray, Calendar]:
    """As `_integers`, for dates of one step: a number of days below 28, or months."""
    days = _days(periods, names[0], blank=False)
    begun = _days(starts, names[1], blank=True)
    found, levels = factorize(days.astype(np.int64))
    dates = levels.astype("datetime64[D]")
    gaps = np.diff(levels)
    labels = tuple(str(each) for each in dates)
    never = np.isnat(begun)
    if len(gaps) == 0 or (gaps == gaps[0]).all() and gaps[0] < 28:
        size = int(gaps[0]) if len(gaps) else 1
        off = np.where(never, 0, begun.astype(np.int64) - levels[0])
        steps, inside = off // size, bool((off % size != 0)[~never].any())
        calendar = Calendar(
            labels=labels, steps=(levels - levels[0]) // size, first=int(levels[0]), size=size, unit="day",
            start_inside=inside,
        )  # fmt: skip
        return found, np.where(never, NEVER, steps), calendar
    return _months(found, dates, begun, labels, names[0])


def _months(
    found: np.ndarray, dates: np.ndarray, begun: np.ndarray, labels: tuple[str, ...], name: str
) -> tuple[np.ndarray, np.ndarray, Calendar]:
    months = dates.astype("datetime64[M]").astype(np.int64) + 1970 * 12
    if len(np.unique(months)) < len(months):
        raise DataError(
            f"the dates in `{name}` are not of one step",
            where=f"column `{name}`",
            do="Give each period one date: the first day of its week, month, quarter or year",
        )
    size = _step(months)
    never = np.isnat(begun)
    day = (begun - begun.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    usual = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    month = np.where(never, months[0], begun.astype("datetime64[M]").astype(np.int64) + 1970 * 12)
    # A start inside a period makes that whole period count as treated; the check says so.
    inside = ~never & (~np.isin(day, np.append(usual, 0)) | ((month - months[0]) % size != 0))
    calendar = Calendar(
        labels=labels, steps=(months - months[0]) // size, first=int(months[0]), size=size, unit="month",
        start_inside=bool(inside.any()),
    )  # fmt: skip
    return found, np.where(never, NEVER, (month - months[0]) // size), calendar
