"""costs and benefits as they came, checked row by row and resolved: unit costs from codes, impacts from analyses."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract import BENEFITS, COSTS, Column
from evalkit.costbenefit.distributions import FAMILIES
from evalkit.costbenefit.impacts import Impact
from evalkit.errors import DataError, EvalkitError, Problem, StudyError, nearest
from evalkit.options import require_columns
from evalkit.parameters import Library, Parameter, price_year

FIRST_ROW = 2  # the header is line 1 of a file
COST_DEFAULTS: Mapping[str, Any] = {"share": 1.0, "grant": ""}
BENEFIT_DEFAULTS: Mapping[str, Any] = {
    "transfer": 0, "cashable": 0, "affected": 1.0, "engaged": 1.0, "retained": 1.0, "units": 1.0, "drop_off": 0.0,
    "schedule": "standard", "multiplier": 1.0, "current_spend": np.nan, "recipient": "",
}  # fmt: skip
OPTIONAL: Mapping[str, Column] = {
    "share": Column(type="number", min=0, max=1),
    "grant": Column(type="text", nullable=True),
    "multiplier": Column(type="number", min=1),
    "current_spend": Column(type="number", min=0, nullable=True),
    "recipient": Column(
        type="category", values=("taxpayers", "participants", "others", "indirect"), nullable=True
    ),
}
RANGED_COSTS = ("amount",)
RANGED_BENEFITS = (
    "population",
    "affected",
    "engaged",
    "retained",
    "impact",
    "deadweight",
    "units",
    "unit_cost",
    "drop_off",
)
FOREIGN = re.compile(r"[$€¥]|\b(usd|eur|dollars?|euros?|us|aud|cad|chf|jpy)\b", re.IGNORECASE)
POUNDS = re.compile(r"^(£|gbp)?\s*([\d,]+(\.\d+)?)\s*(gbp|pounds?)?$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Clean lines, sorted by a stable key. `entries` and `impacts` are what codes and names resolved to.

    `benefits` gains `code` ("" for a number), `analysis` ("" for a number) and `unit_year` (the unit cost's price
    year).
    """

    costs: pd.DataFrame
    benefits: pd.DataFrame
    entries: Mapping[str, Parameter] = field(default_factory=dict)
    impacts: Mapping[str, Impact] = field(default_factory=dict)


def optional_columns(name: str) -> dict[str, Column]:
    """What `costs` or `benefits` may hold beyond the contract, for a reader of files to keep."""
    defaults, ranged = (
        (COST_DEFAULTS, RANGED_COSTS) if name == "costs" else (BENEFIT_DEFAULTS, RANGED_BENEFITS)
    )
    found = {key: replace(OPTIONAL[key], nullable=True) for key in defaults if key in OPTIONAL}
    for column in ranged:
        found |= {f"{column}_{end}": Column(type="number", nullable=True) for end in ("low", "high")}
        found[f"{column}_distribution"] = Column(type="category", values=FAMILIES, nullable=True)
    return {**found, "currency": Column(type="text", nullable=True)}


def read_inputs(frames: Any, lib: Library, impacts: Mapping[str, Impact]) -> Inputs:
    """Check both frames; every problem is reported at once.

    Raises
    ------
    StudyError
        Where `frames` does not hold `costs` and `benefits`.
    DataError
        For missing columns and wrong values, each with its row.
    """
    inputs, problems = collect_inputs(frames, lib, impacts)
    if inputs is None or problems:
        raise DataError(problems)
    return inputs


def collect_inputs(
    frames: Any, lib: Library, impacts: Mapping[str, Impact]
) -> tuple[Inputs | None, list[Problem]]:
    """The inputs and everything wrong with them; no inputs where a frame lacks a column.

    A cell that is wrong as it stands is not judged again for what it stands for.
    """
    if not isinstance(frames, Mapping) or not {"costs", "benefits"} <= set(frames):
        raise StudyError("an account needs two frames, `costs` and `benefits`", where="cost_benefit")
    problems: list[Problem] = []
    costs = _clean(frames["costs"], "costs", COSTS, COST_DEFAULTS, RANGED_COSTS, problems)
    benefits = _clean(frames["benefits"], "benefits", BENEFITS, BENEFIT_DEFAULTS, RANGED_BENEFITS, problems)
    if costs is None or benefits is None:
        return None, problems
    meant: list[Problem] = []
    entries = _unit_costs(benefits, lib, meant)
    used = _impacts(benefits, impacts, meant)
    _price_years(costs, benefits, entries, meant)
    places = {each.where for each in problems}
    problems += [each for each in meant if each.where not in places]
    inputs = Inputs(
        costs=costs.sort_values(["line", "agency", "kind", "year", "amount", "row"], ignore_index=True),
        benefits=benefits.sort_values(
            ["line", "agency", "perspective", "first_year", "row"], ignore_index=True
        ),
        entries=entries,
        impacts=used,
    )
    return inputs, problems


def where(frame: str, row: int, column: str = "") -> str:
    """`costs, row 3` or `costs, row 3, column amount`, counting the header as row 1."""
    return f"{frame}, row {row}" + (f", column `{column}`" if column else "")


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """The rows as named tuples of plain values; many times faster than `itertuples` on a short, wide frame."""
    row = namedtuple("row", frame.columns)
    return [row(*values) for values in zip(*(frame[name].tolist() for name in frame.columns), strict=True)]


def _clean(
    frame: Any,
    name: str,
    contract: Mapping[str, Column],
    defaults: Mapping[str, Any],
    ranged: tuple[str, ...],
    problems: list[Problem],
) -> pd.DataFrame | None:
    """The frame with every column of the contract, or None where one is missing."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError("this must be a table", where=name)
    try:
        require_columns(frame, [each for each in contract if each not in defaults], where=name)
    except DataError as error:
        problems += error.problems
        return None
    clean = pd.DataFrame({"row": np.arange(len(frame)) + FIRST_ROW})
    _refuse_currency(frame, name, problems)
    for column, rule in {**contract, **{key: OPTIONAL[key] for key in defaults if key in OPTIONAL}}.items():
        given = (
            frame[column].reset_index(drop=True)
            if column in frame
            else pd.Series([None] * len(frame), dtype=object)
        )
        if column in defaults:
            given = given.astype(object).where(
                given.notna() & (given.astype(str).str.strip() != ""), defaults[column]
            )
        clean[column] = _column(given, column, rule, name, problems)
    for column in ranged:
        _range_columns(clean, frame, column, name, problems)
    return clean


def _column(given: pd.Series, column: str, rule: Column, name: str, problems: list[Problem]) -> pd.Series:
    if rule.type in ("text", "category"):
        text = given.astype(object).where(given.notna(), "").astype(str).str.strip()
        _check_text(text, column, rule, name, problems)
        return text
    number = pd.to_numeric(given, errors="coerce").astype(float)
    for position, value in enumerate(number):
        wrong = _wrong_number(value, rule, given.iloc[position])
        if wrong:
            found = given.iloc[position]
            problems.append(
                Problem(
                    where=where(name, position + FIRST_ROW, column),
                    wrong=wrong,
                    found="" if found is None else str(found),
                )
            )
    whole = rule.type in ("integer", "flag")
    return number.fillna(0).astype(int) if whole else number


def _wrong_number(value: float, rule: Column, given: Any) -> str:
    if not np.isfinite(value):
        if rule.nullable and (given is None or pd.isna(given)):
            return ""
        return "a number is needed"
    if rule.type == "flag" and value not in (0, 1):
        return "this is 0 or 1"
    if rule.type == "integer" and value != round(value):
        return "this is a whole number"
    if rule.max == 1 and rule.min == 0 and value > 1:
        return "a share cannot be above one"
    if rule.min is not None and value < rule.min:
        return "this cannot be negative" if rule.min == 0 else f"this is at least {rule.min}"
    if rule.max is not None and value > rule.max:
        return f"this is at most {rule.max}"
    return ""


def _check_text(text: pd.Series, column: str, rule: Column, name: str, problems: list[Problem]) -> None:
    may_be_blank = rule.nullable or (name == "benefits" and column == "price_year")
    for position, value in enumerate(text):
        spot = where(name, position + FIRST_ROW, column)
        if not value and not may_be_blank:
            problems.append(Problem(where=spot, wrong="this is blank"))
        elif value and rule.values and value not in rule.values:
            problems.append(
                Problem(where=spot, wrong="unknown value", found=value, do=nearest(value, rule.values))
            )


def _refuse_currency(frame: pd.DataFrame, name: str, problems: list[Problem]) -> None:
    if "currency" not in frame:
        return
    for position, given in enumerate(frame["currency"]):
        value = "" if pd.isna(given) else str(given).strip().upper()
        if value not in ("GBP", "£", ""):
            problems.append(
                Problem(
                    where=where(name, position + FIRST_ROW, "currency"),
                    wrong="another currency is not converted",
                    found=value,
                    do="Give the amount in pounds and say in the log how it was converted",
                )
            )


def _range_columns(
    clean: pd.DataFrame, frame: pd.DataFrame, column: str, name: str, problems: list[Problem]
) -> None:
    """`<input>_low`, `<input>_high` (both or neither in a row) and `<input>_distribution`, where the frame has them."""
    low, high, family = f"{column}_low", f"{column}_high", f"{column}_distribution"
    if low not in frame and high not in frame:
        return
    for end in (low, high):
        given = frame.get(end)
        clean[end] = np.nan if given is None else pd.to_numeric(given, errors="coerce").to_numpy(float)
    named = frame.get(family, pd.Series([""] * len(frame))).astype(object)
    clean[family] = named.where(named.notna(), "").astype(str).to_numpy()
    problems += [
        Problem(where=where(name, row), wrong=f"`{low}` and `{high}` are given together or not at all")
        for row in clean.loc[clean[low].isna() != clean[high].isna(), "row"]
    ]


def _unit_costs(benefits: pd.DataFrame, lib: Library, problems: list[Problem]) -> dict[str, Parameter]:
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


def _impacts(
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


def _price_years(
    costs: pd.DataFrame, benefits: pd.DataFrame, entries: Mapping[str, Parameter], problems: list[Problem]
) -> None:
    for name, frame in (("costs", costs), ("benefits", benefits)):
        years = []
        for row in rows_of(frame):
            entry = entries.get(getattr(row, "code", ""))
            text = row.price_year or (entry.price_year if entry else "")
            if not text and name == "benefits" and np.isnan(row.unit_cost):
                years.append(
                    ""
                )  # a unit cost that was refused, perhaps a mistyped code: the year is not asked for
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
