"""The cells of `costs` and `benefits` against the contract: text, numbers, ranges and currency, row by row."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract import Column
from evalkit.errors import DataError, Problem, nearest
from evalkit.options import require_columns

FIRST_ROW = 2  # the header is line 1 of a file
OPTIONAL: Mapping[str, Column] = {
    "share": Column(type="number", min=0, max=1),
    "grant": Column(type="text", nullable=True),
    "multiplier": Column(type="number", min=1),
    "current_spend": Column(type="number", min=0, nullable=True),
    "recipient": Column(
        type="category", values=("taxpayers", "participants", "others", "indirect"), nullable=True
    ),
}


def where(frame: str, row: int, column: str = "") -> str:
    """`costs, row 3` or `costs, row 3, column amount`, counting the header as row 1."""
    return f"{frame}, row {row}" + (f", column `{column}`" if column else "")


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """The rows as named tuples of plain values; many times faster than `itertuples` on a short, wide frame."""
    row = namedtuple("row", frame.columns)
    return [row(*values) for values in zip(*(frame[name].tolist() for name in frame.columns), strict=True)]


def clean(
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
    kept = pd.DataFrame({"row": np.arange(len(frame)) + FIRST_ROW})
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
        kept[column] = _column(given, column, rule, name, problems)
    for column in ranged:
        _range_columns(kept, frame, column, name, problems)
    return kept


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
