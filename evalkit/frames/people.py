"""The people of a study: one row per person and index date, in two arms, from one file or from two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.contract import Column
from evalkit.errors import Problem, StudyError
from evalkit.frames.rules import FIRST_ROW, SHOWN_ROWS, rows_in_words
from evalkit.frames.tables import Table, read_table

if TYPE_CHECKING:
    import duckdb

ROW = "row of the file"
SOURCE = "name of the file"


def read_people(
    files: Mapping[str, Path],
    columns: Mapping[str, Column],
    *,
    required: Sequence[str] = (),
    window: tuple[date | None, date | None] = (None, None),
    shown: Mapping[str, str] | None = None,
    con: duckdb.DuckDBPyConnection | None = None,
) -> Table:
    """Read the people of both arms and hold them against the columns of the study.

    Parameters
    ----------
    files : `{"cohort": path, "control": path}` (treated 1 and 0; either may be absent), or `{"people": path}` with a
        0/1 column `treated`.
    columns : the study's columns; those that no file has and `required` does not name are left out.
    required : columns that an analysis uses. `person_id` always is.
    window : the first and last index date allowed, each inclusive, either None. `shown` names each file in messages.

    Returns
    -------
    Table: the files' rows in order, cohort before control, with `treated` 1 or 0 after `person_id` and `index_date`.
    A repeated person and index date, in a file or across arms, and an index date outside the window are problems;
    one person with several index dates is not.
    """
    _require_arms(files)
    columns = {"person_id": Column(type="id"), "index_date": Column(type="date"), **columns}
    tables = {
        arm: _read_arm(arm, path, columns, required, (shown or {}).get(arm, Path(path).name), con)
        for arm, path in files.items()
    }
    problems = [problem for table in tables.values() for problem in table.problems]
    if not problems:
        problems = _people_problems(list(tables.values()), window)
    frame = pd.concat([table.frame for table in tables.values()], ignore_index=True).drop(
        columns=[ROW, SOURCE]
    )
    return Table(
        frame=_lead(frame.iloc[:0] if problems else frame, ("person_id", "index_date", "treated")),
        rows=sum(table.rows for table in tables.values()),
        problems=tuple(problems),
        notes=tuple(note for table in tables.values() for note in table.notes),
    )


def _require_arms(files: Mapping[str, Path]) -> None:
    if not files or not ({*files} <= {"cohort", "control"} or {*files} == {"people"}):
        raise StudyError(
            "people come from `cohort` and `control`, or from `people` with a column `treated`",
            where="data",
            found=", ".join(files),
        )


def _read_arm(
    arm: str,
    path: Path,
    columns: Mapping[str, Column],
    required: Sequence[str],
    shown: str,
    con: duckdb.DuckDBPyConnection | None,
) -> Table:
    needed = {"person_id", *required}
    if arm == "people":
        columns, needed = {**columns, "treated": Column(type="flag")}, {*needed, "treated"}
    else:
        # The file says the arm; a column of that name in it would be a second opinion.
        columns = {name: column for name, column in columns.items() if name != "treated"}
        needed -= {"treated"}
    table = read_table(
        path, columns, required=[name for name in columns if name in needed], shown=shown, con=con
    )
    problems = table.problems + tuple(_unknown_names(needed - {*columns}, shown))
    if not problems and not table.rows:
        problems = (
            Problem(where=shown, wrong="there is a header but no rows", do="Add the people, one row each"),
        )
    frame = table.frame.assign(**{ROW: range(FIRST_ROW, FIRST_ROW + len(table.frame)), SOURCE: shown})
    if arm != "people":
        frame = frame.assign(treated=int(arm == "cohort"))
    return Table(frame=frame, rows=table.rows, problems=problems, notes=table.notes)


def _unknown_names(names: set[str], shown: str) -> list[Problem]:
    return [
        Problem(
            where=shown,
            wrong=f"`{name}` is used but its type is not known",
            do=f"Add `{name}` under `columns`",
        )
        for name in sorted(names)
    ]


def _people_problems(tables: list[Table], window: tuple[date | None, date | None]) -> list[Problem]:
    people = pd.concat([table.frame for table in tables], ignore_index=True)
    key = [name for name in ("person_id", "index_date") if name in people.columns]
    problems = _repeated(people, key)
    if "index_date" in people.columns:
        problems += _outside(people, window)
    return problems


def _repeated(people: pd.DataFrame, key: list[str]) -> list[Problem]:
    words = "person and index date" if len(key) == 2 else "person"
    again = people[people.duplicated(key, keep=False)]
    arms = again.groupby(key)["treated"].transform("nunique") if len(again) else again["treated"]
    across, within = again[arms > 1], again[(arms == 1) & again.duplicated(key)]
    problems = []
    if len(across):
        wrong = (
            f"duplicated people across arms: the same {words} is treated in one row and control in another"
        )
        problems.append(_at(across, wrong, "Keep each person in the arm that they were in on that date"))
    for _, rows in within.groupby(SOURCE, sort=False):
        wrong = f"the same {words} stands in an earlier row"
        problems.append(_at(rows, wrong, "Keep one row for each person and index date"))
    return problems


def _outside(people: pd.DataFrame, window: tuple[date | None, date | None]) -> list[Problem]:
    first, last = window
    dates = people["index_date"]
    outside = pd.Series(False, index=people.index)
    if first is not None:
        outside |= dates < pd.Timestamp(first)
    if last is not None:
        outside |= dates > pd.Timestamp(last)
    wrong = f"the index date is outside the window {first or 'the beginning'} to {last or 'the end'}"
    return [
        _at(rows, wrong, "Correct the dates, the `window`, or leave these people out", column="index_date")
        for _, rows in people[outside].groupby(SOURCE, sort=False)
    ]


def _at(rows: pd.DataFrame, wrong: str, do: str, column: str | None = None) -> Problem:
    """A problem at the rows of one or more files; dates are shown, people are not."""
    places = [
        f"{source}, {rows_in_words(each[ROW].head(SHOWN_ROWS), len(each))}"
        for source, each in rows.groupby(SOURCE, sort=False)
    ]
    found = (
        "" if column is None else ", ".join(rows[column].head(SHOWN_ROWS).dt.strftime("%Y-%m-%d").unique())
    )
    where = "; ".join(places) + (f", column `{column}`" if column else "")
    return Problem(where=where, wrong=wrong, found=found, do=do)


def _lead(frame: pd.DataFrame, first: Sequence[str]) -> pd.DataFrame:
    leading = [name for name in first if name in frame.columns]
    return frame[[*leading, *(name for name in frame.columns if name not in leading)]]
