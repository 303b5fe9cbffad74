"""The time of year of each period of a series: by month, by quarter, or by a number of periods."""

from __future__ import annotations

import numpy as np

from evalkit.errors import DataError, StudyError
from evalkit.impact.did.calendar import Calendar

NAMES = ("none", "month", "months", "quarter", "harmonic")
QUARTERS, MONTHS, WEEK = 4, 12, 7
Season = str | int


def check_season(season: Season, *, where: str) -> None:
    """Refuse what is neither a known word nor a number of periods."""
    if season in NAMES or (isinstance(season, int) and season >= 2):
        return
    raise StudyError(
        "`season` is `none`, `month`, `quarter`, `harmonic`, or the number of periods in a cycle, 2 or more",
        where=where,
        found=str(season),
    )


def cycle(calendar: Calendar, season: Season, length: int | None = None) -> int | None:
    """Periods in a cycle: as given, or from the calendar; None where neither says."""
    if length is not None or isinstance(season, int):
        return length or int(season)
    if calendar.unit == "month" and MONTHS % calendar.size == 0 and calendar.size < MONTHS:
        return MONTHS // calendar.size
    if calendar.unit == "day" and calendar.size == 1:
        return WEEK
    return {"month": MONTHS, "quarter": QUARTERS}.get(str(season)) if calendar.unit == "integer" else None


def phases(
    calendar: Calendar, periods: int, season: Season, length: int | None = None, *, where: str
) -> np.ndarray | None:
    """The place of each period in its cycle, 0 for the first; None where no season is modelled.

    Raises
    ------
    StudyError, DataError
        The cycle is not known, or is not that of the periods; fewer than two full cycles.
    """
    if season == "none":
        return None
    found = cycle(calendar, season, length)
    if found is None:
        raise StudyError(
            f"`season: {season}` does not say how many periods make a cycle",
            where=where,
            do="Set `season: 12` for months, 4 for quarters, 52 for weeks; or `season_length` where there is one",
        )
    _refuse_other_year(calendar, season, found, where)
    if periods < 2 * found:
        raise DataError(
            f"a season of {found} periods needs two full cycles",
            where=where,
            found=f"{periods} periods",
            do="Set `season: none`, or give a longer series",
        )
    offset = calendar.first // calendar.size if calendar.unit == "month" else 0
    place = (offset + np.arange(periods)) % found
    return place // (found // QUARTERS) if season == "quarter" else place


def _refuse_other_year(calendar: Calendar, season: Season, found: int, where: str) -> None:
    year = cycle(calendar, "none")
    if isinstance(season, int) and calendar.unit == "month" and year is not None and found != year:
        raise StudyError(
            f"a year has {year} of these periods, and `season` says {found}",
            where=where,
            do=f"Set `season: {year}`" + (", or `quarter`" if found == QUARTERS else ""),
        )
    if season == "month" and calendar.unit == "month" and calendar.size != 1:
        raise StudyError("`season: month` is for figures by month", where=where, do=f"Set `season: {found}`")
    if season == "quarter" and found % QUARTERS:
        raise StudyError(
            "`season: quarter` is for figures by month or by quarter",
            where=where,
            found=f"a cycle of {found} periods",
        )


def named(season: Season) -> str:
    """What models the time of year, in words."""
    if isinstance(season, int):
        return f"a term for each of {season} periods"
    return {"month": "a term for each month", "months": "a term for each period of the cycle",
            "quarter": "a term for each quarter", "harmonic": "waves"}.get(season, season)  # fmt: skip
