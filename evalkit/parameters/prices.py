"""Price years and discounting: what a sum of one year is worth in another, and today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from evalkit.errors import StudyError, nearest
from evalkit.parameters.library import Library

FINANCIAL = re.compile(r"^(\d{4})[/-](\d{2}|\d{4})$")
CALENDAR = re.compile(r"^\d{4}(\.0)?$")


def price_year(value: object, *, where: str = "") -> str:
    """A price year in its one spelling: `2019/20` for a financial year, `2019` for a calendar year."""
    text = str(value).strip()
    found = FINANCIAL.match(text)
    if found:
        start, end = int(found[1]), found[2]
        if int(end) % 100 == (start + 1) % 100:
            return f"{start}/{(start + 1) % 100:02d}"
    if CALENDAR.match(text):
        return text[:4]
    raise StudyError(
        "a price year is a financial year such as 2019/20 or a calendar year such as 2019",
        where=where,
        found=text,
    )


def is_financial(year: str) -> bool:
    """True for a year such as 2019/20."""
    return "/" in year


def series_for(lib: Library, years: tuple[str, ...], series: str | None = None) -> str:
    """The name of the deflator that holds all these years of one calendar; a user's own series comes first."""
    kinds = {"financial" if is_financial(year) else "calendar" for year in years}
    if len(kinds) > 1:
        raise StudyError(
            "a financial year and a calendar year are different prices and are not converted into each other",
            found=", ".join(years),
            do="Give every amount a price year of one calendar",
        )
    kind = kinds.pop()
    if series is not None:
        return _named(lib, series, kind)
    of_kind = [name for name, table in lib.deflators.items() if table["years"] == kind]
    holds = [name for name in of_kind if set(years) <= _index(lib.deflators[name]).keys()]
    if not holds:
        missing = sorted(set(years) - {year for name in of_kind for year in _index(lib.deflators[name])})
        raise StudyError(
            "no deflator holds " + (", ".join(missing) if missing else "these years together"),
            found=", ".join(years),
            do=f"Known: {_span(lib, of_kind)}. Use one of these years, or add a table `deflators` that holds them to a "
            "file such as parameters.yml and name it: `parameters: parameters.yml` (docs/prices.md has an example)",
        )
    return holds[0]


def common_series(lib: Library, years: tuple[str, ...]) -> str | None:
    """The first series that holds all these years, so that an account is moved by one; None where none does."""
    try:
        return series_for(lib, tuple(dict.fromkeys(years)))
    except StudyError:
        return None


def newer_series(lib: Library, series: str, years: tuple[str, ...]) -> str | None:
    """A series of the same calendar and a later edition that holds all these years too."""
    table = lib.deflators[series]
    later = [
        name
        for name, other in lib.deflators.items()
        if other["years"] == table["years"]
        and str(other.get("edition", "")) > str(table.get("edition", ""))
        and set(years) <= _index(other).keys()
    ]
    return max(later, key=lambda name: str(lib.deflators[name]["edition"]), default=None)


def deflator_ratio(lib: Library, start: str, end: str, series: str | None = None) -> float:
    """Prices of `end` over prices of `start`; 1 where they are the same year, even one that no deflator holds."""
    if start == end:
        return 1.0
    index = _index(lib.deflators[series_for(lib, (start, end), series)])
    missing = [year for year in (start, end) if year not in index]
    if missing:
        raise StudyError(
            f"the deflator `{series}` does not hold {missing[0]}", do=f"It holds {min(index)} to {max(index)}"
        )
    return index[end] / index[start]


def is_forecast(lib: Library, years: tuple[str, ...], series: str | None = None) -> bool:
    """True where the deflator that serves these years was a forecast for one of them."""
    table = lib.deflators[series or series_for(lib, years)]
    start = table.get("forecast_from")
    return start is not None and any(year >= str(start) for year in years)


def factors(lib: Library, schedule: str, n_years: int, vintage: str) -> np.ndarray:
    """Discount factors of years 0 to n_years − 1, each year's rate chained to the factor of the year before."""
    if vintage not in lib.discounting:
        raise StudyError("unknown `discounting`", found=vintage, do=nearest(vintage, lib.discounting))
    schedules = lib.discounting[vintage]["schedules"]
    if schedule not in schedules:
        raise StudyError(
            f"`{vintage}` has no schedule of that name", found=schedule, do=nearest(schedule, schedules)
        )
    rates = np.zeros(n_years)
    for band in schedules[schedule]:
        rates[band["from"] : band.get("to", n_years) + 1] = band["rate"]
    rates[:1] = 0.0
    return np.cumprod(1.0 / (1.0 + rates))


def years_between(start: str, end: str) -> int:
    """Whole years from one price year to another, by the year in which each begins."""
    return int(end[:4]) - int(start[:4])


def _index(table: Mapping[str, Any]) -> dict[str, float]:
    return {str(year): float(value) for year, value in table["values"].items()}


def _named(lib: Library, series: str, kind: str) -> str:
    if series not in lib.deflators:
        raise StudyError("unknown deflator", found=series, do=nearest(series, lib.deflators))
    if lib.deflators[series]["years"] != kind:
        raise StudyError(f"`{series}` does not hold {kind} years", do="Use a deflator of the same calendar")
    return series


def _span(lib: Library, names: list[str]) -> str:
    return "; ".join(
        f"{name} {min(_index(lib.deflators[name]))} to {max(_index(lib.deflators[name]))}" for name in names
    )
