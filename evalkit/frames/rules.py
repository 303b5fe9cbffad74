"""The rules of a column, judged in SQL over text: which values are sound, how many are not, and in which rows.

The text is judged before any cast, so that a value can be counted and its row named. Values are shown only for
categories, flags and dates, and there only where they look the part: never ids or free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from evalkit.contract import Column
from evalkit.engine import named
from evalkit.errors import Problem
from evalkit.frames.reasons import Reason, parsed, reasons_for, sound

if TYPE_CHECKING:
    import duckdb

SHOWN_ROWS = 5
FIRST_ROW = 2
BLANK_WORDS = ("null", "na", "n/a", "none", "nan", "unknown", "missing", "--")
# Digits and marks, with a month's name at most: what a mistyped date or number looks like, and a name does not.
_DATE_OR_NUMBER = re.compile(
    r"[\d\s/.,:+T%-]*(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\d\s/.,:+-]*)?",
    re.IGNORECASE,
)


def value_problems(
    con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Column], shown: str
) -> list[Problem]:
    """Every broken rule of every column of a table of text: one problem per column and reason, with its rows."""
    problems: list[Problem] = []
    for name, column in columns.items():
        reasons = reasons_for(name, column)
        for number, count in _counts(con, table, _verdict(name, column, reasons)):
            where = f"({_verdict(name, column, reasons)}) = {number}"
            rows = con.execute(
                f"SELECT rowid + {FIRST_ROW}, {named(name)} FROM {table} "
                f"WHERE {where} ORDER BY rowid LIMIT {SHOWN_ROWS}"
            ).fetchall()
            problems.append(_problem(reasons[number], name, rows, count, shown))
    return problems


def typed(name: str, column: Column) -> str:
    """The SQL that turns sound text into the column's type."""
    text = named(name)
    kinds = {"date": parsed(text, column), "number": f"CAST({text} AS DOUBLE)"}
    kinds |= dict.fromkeys(("integer", "flag"), f"CAST({text} AS BIGINT)")
    return kinds.get(column.type, text)


def rows_in_words(rows: Iterable[int], count: int) -> str:
    """`row 3`, or `rows 3, 7, 9 and 37 more`."""
    rows = list(rows)
    if count == 1:
        return f"row {rows[0]}"
    listed = ", ".join(map(str, rows[:-1])) + f" and {rows[-1]}"
    more = count - len(rows)
    return f"rows {listed}" if not more else f"rows {', '.join(map(str, rows))} and {more} more"


def _verdict(name: str, column: Column, reasons: list[Reason]) -> str:
    """NULL where the value is sound, else the number of the reason. The common case is tried first."""
    blank = f"WHEN {named(name)} IS NULL THEN {'NULL' if column.nullable else 0}"
    cases = " ".join(f"WHEN {reason.when} THEN {number}" for number, reason in enumerate(reasons) if number)
    right = sound(name, column)
    return f"CASE {blank} WHEN {right} THEN NULL {cases} END"


def _counts(con: duckdb.DuckDBPyConnection, table: str, verdict: str) -> list[tuple[int, int]]:
    return con.execute(
        f"SELECT reason, count(*) FROM (SELECT {verdict} AS reason FROM {table}) "
        "WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason"
    ).fetchall()


def _problem(reason: Reason, name: str, rows: list[tuple[int, str]], count: int, shown: str) -> Problem:
    found = ""
    if reason.shows:
        values = dict.fromkeys(str(value) for _, value in rows if value is not None)
        found = ", ".join(value for value in values if _may_be_shown(value, reason.known))
    do = reason.do
    if "{serial}" in do:
        do = do.format(serial=date(1899, 12, 30) + timedelta(days=int(rows[0][1])))
    return Problem(
        where=f"{shown}, {rows_in_words([row for row, _ in rows], count)}, column `{name}`",
        wrong=reason.wrong,
        found=found,
        do=do,
    )


def _may_be_shown(value: str, known: tuple[str, ...]) -> bool:
    if known:
        plain = value.strip().lower()
        if len(plain) == 1 or plain in BLANK_WORDS:
            return True
        return bool(get_close_matches(plain, [each.lower() for each in known], n=1, cutoff=0.75))
    return _DATE_OR_NUMBER.fullmatch(value) is not None
