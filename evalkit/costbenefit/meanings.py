"""What the cells of `benefits` stand for: unit costs from codes, impacts from analyses, and price years."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from evalkit.costbenefit.cells import rows_of, where
from evalkit.costbenefit.impacts import Impact
from evalkit.errors import DataError, EvalkitError, Problem, nearest
from evalkit.parameters import Library, Parameter, price_year

FOREIGN = re.compile(r"[$€¥]|\b(usd|eur|dollars?|euros?|us|aud|cad|chf|jpy)\b", re.IGNORECASE)
POUNDS = re.compile(r"^(£|gbp)?\s*([\d,]+(\.\d+)?)\s*(gbp|pounds?)?$", re.IGNORECASE)


def unit_costs(benefits: pd.DataFrame, lib: Library, problems: list[Problem]) -> dict[str, Parameter]:
    """Replace `unit_cost` by a number; `code` keeps the code. Returns the entries used, by code."""
    values, codes, used = [], [], {}
    for row in rows_of(benefits):
        try:
            value, entry = _unit_cost(row.unit_cost, row.perspective, lib)
        except EvalkitError as error:
            spot = where("benefits", row.row, "unit_cost")
            problems += [
                Problem(where=spot, wrong=each.wrong, found=each.found, do=each.do) for each in error.problems
            ]
            value, entry = np.nan, None
        values.append(value)
        codes.append("" if entry is None else entry.code)
        if entry is not None:
            used[entry.code] = entry
    benefits["unit_cost"], benefits["code"] = np.asarray(values, dtype=float), codes
    return used


def _unit_cost(text: str, perspective: str, lib: Library) -> tuple[float, Parameter | None]:
    if FOREIGN.search(text) and text not in lib.entries:
        raise DataError(
            "a unit cost in another currency is not converted", found=text, do="Give it in pounds"
        )
    try:
        value = float(text)
    except ValueError:
        pounds = POUNDS.match(text)
        value = float(pounds[2].replace(",", "")) if pounds else None
    if value is not None:
        if not np.isfinite(value) or value < 0:
            raise DataError("a unit cost cannot be negative", found=text)
        return value, None
    if text not in lib.entries:
        raise DataError(f"there is no unit cost `{text}`", do=_offer(text, lib.entries))
    entry = lib.entries[text]
    return _for_perspective(entry, perspective), entry


def _offer(text: str, known: Mapping[str, Parameter]) -> str:
    """The code closest to a mistyped one; the list of all of them has its own verb."""
    offer = nearest(text, known)
    return offer if offer.startswith("Did") else "`evalkit parameters` lists the codes"


def _for_perspective(entry: Parameter, perspective: str) -> float:
    if perspective in entry.values:
        return entry.values[perspective]
    if "total" in entry.values and perspective != "fiscal":
        return entry.values["total"]
    held = ", ".join(entry.values)
    raise DataError(
        f"`{entry.code}` has no {perspective} value",
        found=f"it holds {held}",
        do="Use another code or a number",
    )


def impacts_meant(
    benefits: pd.DataFrame, known: Mapping[str, Impact], problems: list[Problem]
) -> dict[str, Impact]:
    """Replace `impact` by a number; `analysis` keeps the name. Returns the impacts used, by name."""
    values, names, used = [], [], {}
    for row in rows_of(benefits):
        value, name = _number_or_name(row.impact)
        if name in known:
            value, used[name] = known[name].value, known[name]
        else:
            problems += _wrong_impact(row, value, name, known)
        values.append(value)
        names.append(name)
    benefits["impact"], benefits["analysis"] = np.asarray(values, dtype=float), names
    return used


def _number_or_name(text: str) -> tuple[float, str]:
    try:
        return float(text), ""
    except ValueError:
        return np.nan, text


def _wrong_impact(row, value: float, name: str, known: Mapping[str, Impact]) -> list[Problem]:
    spot = where("benefits", row.row, "impact")
    if name:
        do = (
            nearest(name, known)
            if known
            else "Give a number, or name an analysis of this study that has a result"
        )
        return [Problem(where=spot, wrong=f"there is no analysis `{name}`", do=do)]
    if not np.isfinite(value):
        return [Problem(where=spot, wrong="a number is needed", found=row.impact)]
    if value >= 0:
        return []
    wrong = "an effect of the wrong sign: a typed impact is positive where the programme helps"
    do = "Name the analysis, whose sign is read from its outcome, or enter the size of the improvement"
    return [Problem(where=spot, wrong=wrong, found=row.impact, do=do)]


def price_years(
    costs: pd.DataFrame, benefits: pd.DataFrame, entries: Mapping[str, Parameter], problems: list[Problem]
) -> None:
    """Write each row's price year as a financial year, a code's own where the row names none; adds `unit_year`."""
    for name, frame in (("costs", costs), ("benefits", benefits)):
        years = []
        for row in rows_of(frame):
            entry = entries.get(getattr(row, "code", ""))
            text = row.price_year or (entry.price_year if entry else "")
            if not text and name == "benefits" and np.isnan(row.unit_cost):
                # A unit cost that was refused, perhaps a mistyped code: the year is not asked for.
                years.append("")
                continue
            try:
                years.append(price_year(text))
            except EvalkitError as error:
                years.append("")
                spot = where(name, row.row, "price_year")
                problems += [
                    Problem(where=spot, wrong=each.wrong, found=each.found) for each in error.problems
                ]
        frame["price_year"] = years
    own = [
        (entries[code].price_year or "") if code else year
        for code, year in zip(benefits["code"], benefits["price_year"], strict=True)
    ]
    benefits["unit_year"] = own
