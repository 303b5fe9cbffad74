"""The offences file, left in the engine as a table: ten million rows need not pass through pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.contract import OFFENCES, OFFENCES_REQUIRED, Column
from evalkit.engine import named, tables
from evalkit.errors import DataError, Problem
from evalkit.frames.rules import FIRST_ROW, SHOWN_ROWS, rows_in_words, typed, value_problems
from evalkit.frames.tables import TEXT, TextTable, load_text, missing_columns, notes_of

if TYPE_CHECKING:
    import duckdb

NAME = "offences"
ROW = "row of the file"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Offences:
    """The offences of a study.

    `table` is an Ibis table in the engine, one row per offence kept, with the columns of the contract that the file
    has; None where there are `problems`. `rows` counts the file's rows, `kept` the table's. `unknown` are of people
    outside the study, `late` after the end of the extract, `repeated` dropped because their `offence_id` repeats,
    `equal` kept although every column equals another row's, `unproven` have no conviction or one after the extract.
    """

    table: Any
    rows: int
    kept: int = 0
    unknown: int = 0
    late: int = 0
    repeated: int = 0
    equal: int = 0
    unproven: int = 0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def checked(self) -> Offences:
        """The same offences, or DataError with all their problems."""
        if self.problems:
            raise DataError(self.problems)
        return self


def read_offences(
    path: Path,
    con: duckdb.DuckDBPyConnection,
    *,
    people: pd.DataFrame | None = None,
    observed_until: date | None = None,
    weights: Sequence[str] = (),
    date_formats: Mapping[str, str] | None = None,
    by_type: bool = False,
    shown: str | None = None,
) -> Offences:
    """Read the offences into the engine and hold them against the contract.

    Parameters
    ----------
    path : the file, with the columns of the contract; others are ignored and counted.
    con : the engine that keeps the table.
    people : the study's; offences of anyone else are ignored and counted. None keeps everyone's.
    observed_until : the last day that the extract can see; later offences are ignored and counted.
    weights : columns that a severity outcome sums; required, numbers of 0 or more.
    date_formats : how a column of dates is written, where it is not YYYY-MM-DD.
    by_type : whether an outcome rests on the type of each offence, so that the column is required.
    shown : the file's name in messages.

    Returns
    -------
    Offences. A conviction before its offence, and one person's `offence_id` in rows that differ, are problems.
    """
    shown = shown or Path(path).name
    columns = {**OFFENCES, **{name: Column(type="number", nullable=True, min=0) for name in weights}}
    columns |= {
        name: replace(columns[name], date_format=given) for name, given in (date_formats or {}).items()
    }
    try:
        text = load_text(con, Path(path), columns, shown)
    except DataError as error:
        return Offences(table=None, rows=0, problems=error.problems)
    held = {name: columns[name] for name in columns if name in text.columns}
    required = (*OFFENCES_REQUIRED, *weights, *(("offence_type",) if by_type else ()))
    problems = missing_columns(text, required, shown) + value_problems(con, TEXT, held, shown)
    counts = {} if problems else _keep(con, held, people, observed_until)
    problems = problems or _row_problems(con, held, shown)
    if not problems:
        counts |= _settle(con, held, observed_until)
    con.execute(f"DROP TABLE {TEXT}")
    return Offences(
        table=None if problems else tables(con).table(NAME),
        rows=text.rows,
        **counts,
        problems=tuple(problems),
        notes=_notes(text, counts, shown),
    )


def _keep(
    con: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Column],
    people: pd.DataFrame | None,
    observed_until: date | None,
) -> dict[str, int]:
    """Cast the rows of the study's people up to the end of the extract; count the others."""
    chosen = ", ".join(f"{typed(name, column)} AS {named(name)}" for name, column in columns.items())
    known = "TRUE"
    if people is not None:
        con.register("people_known", pd.DataFrame({"person_id": people["person_id"].astype("str").unique()}))
        known = "person_id IN (SELECT person_id FROM people_known)"
    seen = "TRUE" if observed_until is None else f"offence_date <= DATE '{observed_until:%Y-%m-%d}'"
    con.execute(
        f"CREATE OR REPLACE TABLE {NAME} AS SELECT *, {known} AS known, {seen} AS seen FROM "
        f"(SELECT {chosen}, rowid + {FIRST_ROW} AS {named(ROW)} FROM {TEXT})"
    )
    unknown, late = _row(
        con, f"SELECT count(*) FILTER (NOT known), count(*) FILTER (known AND NOT seen) FROM {NAME}"
    )
    con.execute(
        f"CREATE OR REPLACE TABLE {NAME} AS SELECT * EXCLUDE (known, seen) FROM {NAME} WHERE known AND seen"
    )
    if people is not None:
        con.unregister("people_known")
    return {"unknown": unknown, "late": late}


def _row_problems(con: duckdb.DuckDBPyConnection, columns: Mapping[str, Column], shown: str) -> list[Problem]:
    problems = _problem_where(
        con,
        "conviction_date < offence_date",
        Problem(
            where=shown,
            wrong="the conviction is before the offence",
            do="Correct one of the two dates; leave `conviction_date` blank where there is no conviction",
        ),
    )
    if "offence_id" in columns:
        problems += _problem_where(
            con,
            _clashing(columns),
            Problem(
                where=shown,
                wrong="the `offence_id` stands in another row of this person with other values",
                do="Give each offence an id of its own, or make the rows equal",
            ),
        )
    return problems


def _problem_where(con: duckdb.DuckDBPyConnection, condition: str, problem: Problem) -> list[Problem]:
    count = _row(con, f"SELECT count(*) FROM {NAME} WHERE {condition}")[0]
    if not count:
        return []
    rows = con.execute(
        f"SELECT {named(ROW)} FROM {NAME} WHERE {condition} ORDER BY {named(ROW)} LIMIT {SHOWN_ROWS}"
    ).fetchall()
    where = f"{problem.where}, {rows_in_words([row for (row,) in rows], count)}"
    return [Problem(where=where, wrong=problem.wrong, do=problem.do)]


def _clashing(columns: Mapping[str, Column]) -> str:
    values = ", ".join(named(name) for name in columns)
    return (
        f"(person_id, offence_id) IN (SELECT (person_id, offence_id) FROM {NAME} WHERE offence_id IS NOT NULL "
        f"GROUP BY person_id, offence_id HAVING count(*) > 1 AND count(DISTINCT row({values})) > 1)"
    )


def _settle(
    con: duckdb.DuckDBPyConnection, columns: Mapping[str, Column], observed_until: date | None
) -> dict[str, int]:
    """Drop rows whose `offence_id` repeats, count rows that are equal all the same, and drop the row numbers."""
    repeated = 0
    if "offence_id" in columns:
        again = (
            f"SELECT {named(ROW)} FROM {NAME} WHERE offence_id IS NOT NULL QUALIFY "
            f"row_number() OVER (PARTITION BY person_id, offence_id ORDER BY {named(ROW)}) > 1"
        )
        repeated = _row(con, f"DELETE FROM {NAME} WHERE {named(ROW)} IN ({again})")[0]
    values = ", ".join(named(name) for name in columns)
    equal = _row(
        con,
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {NAME} GROUP BY {values} HAVING count(*) > 1)",
    )[0]
    late = "" if observed_until is None else f" OR conviction_date > DATE '{observed_until:%Y-%m-%d}'"
    kept, unproven = _row(
        con, f"SELECT count(*), count(*) FILTER (conviction_date IS NULL{late}) FROM {NAME}"
    )
    con.execute(f"ALTER TABLE {NAME} DROP COLUMN {named(ROW)}")
    return {"kept": kept, "repeated": repeated, "equal": int(equal), "unproven": unproven}


def _notes(text: TextTable, counts: Mapping[str, int], shown: str) -> tuple[str, ...]:
    words = {
        "unknown": "offences of people outside the study, ignored",
        "late": "offences after the end of the extract, ignored",
        "repeated": "rows dropped because their `offence_id` repeats",
        "equal": "rows equal to an earlier one, counted as separate offences: give an `offence_id` where they are not",
        "unproven": "offences without a conviction by the end of the extract, not proven",
    }
    counted = tuple(f"{shown}: {each} ({counts[name]})" for name, each in words.items() if counts.get(name))
    return notes_of(text, shown) + counted


def _row(con: duckdb.DuckDBPyConnection, statement: str) -> tuple[Any, ...]:
    return con.execute(statement).fetchall()[0]
