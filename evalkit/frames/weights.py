"""A table of harm weights that the user brings: one row for each type of offence, or for each code of a type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.contract import Column
from evalkit.errors import Problem
from evalkit.frames.offences import NAME
from evalkit.frames.rules import FIRST_ROW, SHOWN_ROWS, rows_in_words
from evalkit.frames.tables import Table, read_table

if TYPE_CHECKING:
    import duckdb

TYPE = "offence_type"
ABOUT = {
    "source": Column(type="text", nullable=True),
    "version": Column(type="text", nullable=True),
    "verified": Column(type="flag", nullable=True),
}


def read_weights(
    path: Path,
    columns: Sequence[str],
    *,
    once: bool = False,
    shown: str | None = None,
    con: duckdb.DuckDBPyConnection | None = None,
) -> Table:
    """Read a table of weights and hold it against what outcomes do with it.

    Parameters
    ----------
    path : rows of `offence_type` and the weights; `source`, `version` and `verified` (0 or 1) where the user gives
        them. Other columns are ignored and counted.
    columns : the weights that outcomes sum: numbers of 0 or more, none of them blank.
    once : whether each type may stand only once, since no outcome says how several of its rows become one.
    shown : the file's name in messages.
    con : an open engine that may read the file's folder; one is opened otherwise.

    Returns
    -------
    Table, with every problem of the file at once.
    """
    shown = shown or Path(path).name
    weights = {name: Column(type="number", min=0) for name in columns}
    table = read_table(
        path, {TYPE: Column(type="text"), **weights, **ABOUT}, required=[TYPE, *columns], shown=shown, con=con
    )
    if table.problems:
        return replace(table, problems=tuple(_of_this_table(each) for each in table.problems))
    problems = [] if table.rows else [Problem(where=shown, wrong="the table of weights has no rows")]
    problems += _repeated(table.frame, shown) if once else []
    return replace(table, problems=tuple(problems))


def types_after(con: duckdb.DuckDBPyConnection, people: pd.DataFrame | None) -> dict[str, int]:
    """How many proven offences of each type the study's people have after their first index date.

    Offences without a type are counted under an empty one. Reads the table that `read_offences` left in the engine;
    where the people are not known, every proven offence of it is counted.
    """
    after = ""
    if people is not None and not people.empty and "index_date" in people.columns:
        keys = people[["person_id", "index_date"]].astype({"person_id": "str"})
        con.register("people_from", keys.groupby("person_id", as_index=False)["index_date"].min())
        after = "JOIN people_from USING (person_id) WHERE offence_date > index_date AND "
    counted = con.execute(
        f"SELECT coalesce({TYPE}, ''), count(*) FROM {NAME} {after or 'WHERE '} conviction_date IS NOT NULL "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    if after:
        con.unregister("people_from")
    return dict(counted)


def _of_this_table(problem: Problem) -> Problem:
    """The same problem with what to do here: study.yml sets no limits for a weight, which is 0 or more and never
    blank."""
    if "nullable" in problem.do:
        return replace(problem, do="Fill it in, or leave the row out")
    return replace(problem, do="A weight is 0 or more") if "limit" in problem.do else problem


def _repeated(frame: pd.DataFrame, shown: str) -> list[Problem]:
    problems = []
    for name, rows in frame.groupby(TYPE, sort=True):
        if len(rows) > 1:
            places = [int(row) + FIRST_ROW for row in rows.index]
            problems.append(
                Problem(
                    where=f"{shown}, {rows_in_words(places[:SHOWN_ROWS], len(places))}, column `{TYPE}`",
                    wrong=f"the type `{name}` has {len(rows)} weights, and nothing says how they become one",
                    do="Give the outcome `aggregation: median` or `mean`, or keep one row for each type",
                )
            )
    return problems
