"""Every amount in the prices of one year: which year, by which deflator, and what cannot be brought together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.costbenefit.cells import where
from evalkit.errors import DataError, EvalkitError, Problem, StudyError
from evalkit.parameters import Library, prices


@dataclass(frozen=True, kw_only=True, eq=False)
class Moved:
    """What multiplies each cost row and each unit cost, and the deflators that were used (none for equal years)."""

    costs: np.ndarray
    benefits: np.ndarray
    series: tuple[str, ...]


def target_year(costs: pd.DataFrame, benefits: pd.DataFrame, price_year: str | None) -> str:
    """The year asked for, or the one that all typed amounts share; unit costs from codes are moved to it."""
    if price_year:
        return price_year
    years = sorted({*costs["price_year"], *benefits.loc[benefits["code"] == "", "price_year"]} - {""})
    years = years or sorted(set(benefits["unit_year"]) - {""})
    if len(years) == 1:
        return years[0]
    raise StudyError(
        "the amounts are in several price years",
        where="cost_benefit",
        found=", ".join(years),
        do="Give `price_year`",
    )


def moved(
    costs: pd.DataFrame, benefits: pd.DataFrame, target: str, lib: Library, series: str | None
) -> Moved:
    """Move costs and unit costs to the target year, all by one deflator wherever one holds every year.

    Raises
    ------
    DataError
        For every row whose price year no deflator can bring to the target year.
    """
    years = (target, *costs["price_year"], *benefits["unit_year"])
    series = series or prices.common_series(lib, years)
    problems = list(price_problems(costs, benefits, target, lib, series))
    if problems:
        raise DataError(problems)
    ratio = {year: prices.deflator_ratio(lib, year, target, series) for year in set(years)}
    others = [year for year in dict.fromkeys(years) if year != target]
    used = (series or prices.series_for(lib, (year, target)) for year in others)
    return Moved(
        costs=costs["price_year"].map(ratio).to_numpy(float),
        benefits=benefits["unit_year"].map(ratio).to_numpy(float),
        series=tuple(dict.fromkeys(used)),
    )


def price_problems(
    costs: pd.DataFrame, benefits: pd.DataFrame, target: str, lib: Library, series: str | None
) -> Iterator[Problem]:
    """One problem for each row whose price year cannot be brought to the target; rows without a year are left out."""
    for name, frame, column in (("costs", costs, "price_year"), ("benefits", benefits, "unit_year")):
        for year, row in zip(frame[column], frame["row"], strict=True):
            if not year:
                continue
            try:
                prices.deflator_ratio(lib, year, target, series)
            except EvalkitError as error:
                spot = where(name, row, "price_year")
                yield from (replace(each, where=spot) for each in error.problems)
