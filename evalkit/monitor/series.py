"""Periods of one step in order: where a series has gaps, and refusing what cannot be put on a line of time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import DataError

MONTHS = 12


def positions(periods: pd.Series, *, where: str) -> np.ndarray:
    """Each period as a whole number of steps: integers, dates of one step, `2019-04`, `2019-Q2` or `2019/20`."""
    if periods.isna().any():
        raise DataError("a period is missing", where=where)
    # Dates first: read as numbers they would be counts of nanoseconds.
    if pd.api.types.is_datetime64_any_dtype(periods):
        return _dates(periods)
    numbers = pd.to_numeric(periods, errors="coerce")
    if numbers.notna().all():
        return numbers.to_numpy(float)
    texts = periods.astype(str).str.strip()
    for pattern, per_year in (
        (r"(\d{4})-(\d{1,2})", MONTHS),
        (r"(\d{4})[- ]?Q([1-4])", 4),
        (r"(\d{4})/(\d{2})", 1),
    ):
        parts = texts.str.fullmatch(pattern)
        if parts.all():
            found = texts.str.extract(pattern).astype(int)
            return (found[0] * per_year + (found[1] if per_year > 1 else 0)).to_numpy(float)
    dates = pd.to_datetime(texts, errors="coerce", format="%Y-%m-%d")
    if dates.isna().any():
        raise DataError(
            "periods are whole numbers, dates, or text like 2019-04, 2019-Q2 or 2019/20",
            where=where,
            found=texts[dates.isna()].iloc[0],
        )
    return _dates(dates)


def _dates(dates: pd.Series) -> np.ndarray:
    """Months where every date is the same day of its month, or its last; else days."""
    if (dates.dt.day == dates.dt.day.iloc[0]).all() or dates.dt.is_month_end.all():
        return (dates.dt.year * MONTHS + dates.dt.month).to_numpy(float)
    return ((dates - dates.min()) / pd.Timedelta(days=1)).to_numpy(float)


def in_order(frame: pd.DataFrame, period: str, *, where: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows by time, and for each whether a period is missing between it and the row before it."""
    at = positions(frame[period], where=where)
    order = np.argsort(at, kind="stable")
    steps = np.diff(at[order])
    if (steps == 0).any():
        raise DataError("a period has more than one row", where=where, do="Give one row per period")
    after_gap = np.zeros(len(at), bool)
    if len(steps):
        after_gap[1:] = ~np.isclose(steps, steps.min())
    return frame.iloc[order].reset_index(drop=True), after_gap
