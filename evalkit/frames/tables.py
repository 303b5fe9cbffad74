"""Files of rows to validated frames: read as text, counted, judged by the rules of their columns, and only then cast.

Rows are numbered as a spreadsheet numbers them: the header is row 1. Only an empty cell is missing. Spaces around a
value are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.contract import Column
from evalkit.engine import connect, named, quoted, scratch_of
from evalkit.errors import DataError, Problem, nearest
from evalkit.frames import csvfile
from evalkit.frames.rules import typed, value_problems

if TYPE_CHECKING:
    import duckdb

TEXT = "text_of_file"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Table:
    """A file as a frame.

    `frame` has the columns that were asked for, in the order in which they were asked for: ids, categories and text as
    strings, dates as datetime64, integers as int64 (Int64 where any is missing), numbers as float64, flags as 0 and 1.
    Where there are `problems` it has no rows. `rows` counts the file's. `notes` say what was passed over or assumed.
    """

    frame: pd.DataFrame
    rows: int
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def checked(self) -> Table:
        """The same table, or DataError with all its problems."""
        if self.problems:
            raise DataError(self.problems)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTable:
    """A file's wanted columns as text in the engine, under the name `TEXT`, in the file's order."""

    columns: tuple[str, ...]
    others: tuple[str, ...]
    rows: int
    notes: tuple[str, ...] = ()


def read_table(
    path: Path,
    columns: Mapping[str, Column],
    *,
    required: Sequence[str] | None = None,
    shown: str | None = None,
    ignore_others: bool = True,
    zero_is_blank: Iterable[str] = (),
    con: duckdb.DuckDBPyConnection | None = None,
) -> Table:
    """Read a CSV or Parquet file and hold every value against the rule of its column.

    Parameters
    ----------
    path : the file. `.csv` in UTF-8, UTF-16 or Windows-1252 with commas, semicolons or tabs; or `.parquet`.
    columns : what each column holds; those that are not in the file and not required are left out of the frame.
    required : columns that must be there (all of `columns` by default).
    shown : the file's name in messages, relative to the study.
    ignore_others : count columns that `columns` does not name; when False they are a problem.
    zero_is_blank : columns in which a 0 says that there is nothing, as a blank does.
    con : an open engine that may read the file's folder; one is opened otherwise.

    Returns
    -------
    Table, with every problem of the file at once. What a user did to the file is a problem, never an exception.
    """
    path, shown = Path(path), shown or Path(path).name
    required = tuple(columns) if required is None else tuple(required)
    con = con if con is not None else connect(folders=[path.parent])
    try:
        text = load_text(con, path, columns, shown)
    except DataError as error:
        return Table(frame=_empty(columns), rows=0, problems=error.problems)
    held = {name: columns[name] for name in columns if name in text.columns}
    for name in held.keys() & set(zero_is_blank):
        con.execute(f"UPDATE {TEXT} SET {named(name)} = NULL WHERE {named(name)} IN ('0', '0.0')")
    problems = missing_columns(text, required, shown) + value_problems(con, TEXT, held, shown)
    if text.others and not ignore_others:
        problems += _unknown_columns(text, columns, shown)
    frame = _empty(held) if problems else _frame(con, held)
    con.execute(f"DROP TABLE {TEXT}")
    return Table(frame=frame, rows=text.rows, problems=tuple(problems), notes=notes_of(text, shown))


read_frame = read_table


def load_text(
    con: duckdb.DuckDBPyConnection, path: Path, wanted: Mapping[str, Column], shown: str
) -> TextTable:
    """Bring the wanted columns of a file into the engine as text; DataError where the file has no sound rows."""
    if not path.is_file():
        raise DataError(
            "the file is not there", where=shown, do="Put it there, or correct `file:` in study.yml"
        )
    if set(str(path)) & set("*?[]{}"):
        raise DataError("a file's name cannot hold * ? [ ] { }", where=shown, do="Rename the file")
    if path.suffix.lower() == ".csv":
        return _load_csv(con, path, wanted, shown)
    if path.suffix.lower() == ".parquet":
        return _load_parquet(con, path, wanted, shown)
    raise DataError(
        "only .csv and .parquet files are read",
        where=shown,
        found=path.suffix,
        do="Save the file as CSV (UTF-8)",
    )


def missing_columns(text: TextTable, required: Iterable[str], shown: str) -> list[Problem]:
    """A problem for each required column that the header lacks."""
    known = [*text.columns, *text.others]
    lowered = {name.lower(): name for name in known}
    return [
        Problem(
            where=f"{shown}, row 1",
            wrong=f"there is no column `{name}`",
            do=f"Did you mean `{lowered[name.lower()]}`?"
            if name.lower() in lowered
            else nearest(name, known),
        )
        for name in dict.fromkeys(required)
        if name not in text.columns
    ]


def notes_of(text: TextTable, shown: str) -> tuple[str, ...]:
    """What a reader should know about how the file was read, each with the file's name."""
    count = len(text.others)
    others = (f"{count} other column{'s' if count > 1 else ''} ignored",) if count else ()
    return tuple(f"{shown}: {note}" for note in (*text.notes, *others))


def _load_csv(
    con: duckdb.DuckDBPyConnection, path: Path, wanted: Mapping[str, Column], shown: str
) -> TextTable:
    import duckdb

    layout = csvfile.survey(path, shown, scratch_of(con))
    places = {name: f"c{number}" for number, name in enumerate(layout.header)}
    width, held = len(places), [name for name in wanted if name in places]
    try:
        if not layout.paired or layout.fields != (layout.rows + 1) * width:
            raise DataError(csvfile.uneven_rows(layout, shown))
        source = _csv_source(layout, places.values())
        chosen = [f"{_trimmed(places[name])} AS {named(name)}" for name in held] or ["c0 AS c0"]
        _store(con, chosen, source)
    except duckdb.Error:
        # The engine's own message would print the row, which is a person's.
        raise DataError(csvfile.uneven_rows(layout, shown)) from None
    finally:
        if layout.path != path:
            layout.path.unlink(missing_ok=True)
    rows = con.execute(f"SELECT count(*) FROM {TEXT}").fetchall()[0][0]
    if rows != layout.rows:
        raise DataError(csvfile.uneven_rows(layout, shown))
    others = tuple(name for name in layout.header if name not in wanted)
    return TextTable(columns=tuple(held), others=others, rows=rows, notes=layout.notes)


def _csv_source(layout: csvfile.Layout, places: Iterable[str]) -> str:
    # Sniffing off: every column is text, one delimiter, one quotation mark, nothing is guessed or dropped.
    columns = ", ".join(f"{quoted(place)}: 'VARCHAR'" for place in places)
    return (
        f"read_csv({quoted(layout.path)}, columns={{{columns}}}, auto_detect=false, header=true, "
        f"delim={quoted(layout.delimiter)}, quote='\"', escape='\"', nullstr='', comment='', new_line='\\n', "
        f"strict_mode=true, max_line_size={csvfile.LONGEST_LINE}, buffer_size={2 * csvfile.LONGEST_LINE})"
    )


def _load_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, wanted: Mapping[str, Column], shown: str
) -> TextTable:
    import duckdb

    source = f"read_parquet({quoted(path)})"
    try:
        header = {row[0]: row[1] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        held = [name for name in wanted if name in header]
        problems = [
            each for name in held for each in _stored_wrongly(name, header[name], wanted[name], shown)
        ]
        if problems:
            raise DataError(problems)
        chosen = [f"{_as_text(named(name), header[name], wanted[name])} AS {named(name)}" for name in held]
        _store(con, chosen or ["1 AS c0"], source)
    except duckdb.Error:
        raise DataError(
            "the file cannot be read as Parquet", where=shown, do="Write it again, or save as CSV"
        ) from None
    rows = con.execute(f"SELECT count(*) FROM {TEXT}").fetchall()[0][0]
    return TextTable(columns=tuple(held), others=tuple(n for n in header if n not in wanted), rows=rows)


def _store(con: duckdb.DuckDBPyConnection, chosen: list[str], source: str) -> None:
    con.execute(f"CREATE OR REPLACE TABLE {TEXT} AS SELECT {', '.join(chosen)} FROM {source}")


def _trimmed(text: str) -> str:
    # Tabs and no-break spaces are rare and slow to look for, so plain spaces go by the short way.
    rare = f"contains({text}, '\t') OR contains({text}, '\u00a0')"
    return f"nullif(CASE WHEN {rare} THEN trim({text}, ' \t\u00a0') ELSE trim({text}) END, '')"


def _stored_wrongly(name: str, stored: str, column: Column, shown: str) -> list[Problem]:
    where = f"{shown}, column `{name}`"
    if column.type == "id" and stored in ("FLOAT", "DOUBLE"):
        do = "Write the column as text: decimals cannot tell long ids apart"
        return [Problem(where=where, wrong="ids are stored as decimal numbers", do=do)]
    if stored.endswith("]") or stored.startswith(("STRUCT", "MAP", "UNION", "BLOB")):
        return [
            Problem(
                where=where, wrong="the column holds lists or binary values", do="Store one plain value a row"
            )
        ]
    return []


def _as_text(name: str, stored: str, column: Column) -> str:
    if stored == "BOOLEAN":
        return f"CAST(CAST({name} AS INTEGER) AS VARCHAR)"
    if stored in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN NOT isnan({name}) THEN CAST({name} AS VARCHAR) END"
    if stored == "DATE" or stored.startswith("TIMESTAMP"):
        plain = f"CAST({name} AS TIMESTAMP)" if stored.startswith("TIMESTAMP") else name
        return (
            f"strftime({plain}, {quoted(column.date_format)})"
            if column.date_format
            else f"CAST({plain} AS VARCHAR)"
        )
    return _trimmed(f"CAST({name} AS VARCHAR)")


def _unknown_columns(text: TextTable, columns: Mapping[str, Column], shown: str) -> list[Problem]:
    return [
        Problem(
            where=f"{shown}, row 1", wrong=f"the column `{name}` is not known here", do=nearest(name, columns)
        )
        for name in text.others
    ]


def _frame(con: duckdb.DuckDBPyConnection, columns: Mapping[str, Column]) -> pd.DataFrame:
    chosen = ", ".join(f"{typed(name, column)} AS {named(name)}" for name, column in columns.items())
    fetched = con.execute(f"SELECT {chosen or '1 AS c0'} FROM {TEXT} ORDER BY rowid").to_arrow_table()
    frame = pd.DataFrame(index=pd.RangeIndex(fetched.num_rows))
    for name, column in columns.items():
        frame[name] = _series(fetched.column(name), column)
    return frame


def _series(values: object, column: Column) -> pd.Series:
    if column.type == "date":
        return values.to_pandas(date_as_object=False).astype("datetime64[us]")
    if column.type in ("integer", "flag"):
        whole = pd.Series(values.to_pandas(integer_object_nulls=True), dtype="Int64")
        return whole if whole.hasnans else whole.astype("int64")
    if column.type == "number":
        return values.to_pandas().astype("float64")
    return values.to_pandas().astype("str" if pd.__version__ >= "3" else object)


def _empty(columns: Mapping[str, Column]) -> pd.DataFrame:
    dtypes = {"date": "datetime64[us]", "integer": "int64", "flag": "int64", "number": "float64"}
    return pd.DataFrame(
        {name: pd.Series(dtype=dtypes.get(column.type, "str")) for name, column in columns.items()}
    )
