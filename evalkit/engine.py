"""Where the rows are worked on: DuckDB in this process. Another engine is named in study.yml; none is there yet."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import StudyError, nearest
from evalkit.scratch import own_folder

if TYPE_CHECKING:
    import duckdb

ENGINES = ("duckdb",)
PLANNED = ("spark", "athena")


def connect(
    engine: str | Mapping[str, Any] = "duckdb",
    *,
    folders: Sequence[Path] = (),
    memory_limit: str | None = None,
    threads: int | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open the engine that holds the rows while they are checked and counted.

    Parameters
    ----------
    engine : `engine:` of study.yml. `duckdb`, or a mapping with one key that names a cluster.
    folders : folders whose files may be read. No other file and no address on a network can be, whatever a later
        statement asks for, and the connection cannot be told otherwise.
    memory_limit : such as `4GB`; what does not fit is written to a folder of this process that is deleted at its end.
    threads : how many at once; the rows and their order do not depend on it.

    Raises
    ------
    StudyError : the engine is not known, or not there yet.
    """
    _require_duckdb(engine)
    import duckdb

    scratch = _scratch()
    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    con = duckdb.connect(":memory:", config=offline)
    settings: dict[str, str | int] = {"temp_directory": str(scratch), "TimeZone": "UTC"}
    if memory_limit is not None:
        settings["memory_limit"] = memory_limit
    if threads is not None:
        settings["threads"] = threads
    for name, value in settings.items():
        con.execute(f"SET {name} = {quoted(value)}")
    allowed = ", ".join(quoted(Path(folder).resolve()) for folder in (*folders, scratch))
    con.execute(f"SET allowed_directories = [{allowed}]")
    con.execute("SET enable_external_access = false")
    return con


def scratch_of(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder that this connection may write to; it is emptied when Python ends."""
    return Path(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])


def tables(con: duckdb.DuckDBPyConnection) -> Any:
    """The Ibis back end over the connection: the door through which outcomes ask for tables."""
    import ibis

    return ibis.duckdb.from_connection(con)


def quoted(value: object) -> str:
    """A literal for a statement of ours."""
    return "'" + str(value).replace("'", "''") + "'"


def named(column: str) -> str:
    """A column's name for a statement of ours."""
    return '"' + column.replace('"', '""') + '"'


def _require_duckdb(engine: str | Mapping[str, Any]) -> None:
    names = [engine] if isinstance(engine, str) else list(engine)
    if len(names) != 1:
        raise StudyError("`engine` names one engine", where="engine", found=", ".join(map(str, names)))
    name = names[0]
    if name in PLANNED:
        raise StudyError(
            f"`engine: {name}` cannot be run yet",
            where="engine",
            do=f"Leave `engine` out to use DuckDB, or print the statement with `evalkit outcomes --sql {name}`",
        )
    if name not in ENGINES:
        raise StudyError(
            f"there is no engine `{name}`", where="engine", do=nearest(name, (*ENGINES, *PLANNED))
        )
    if not isinstance(engine, str) and engine[name]:
        raise StudyError("`engine: duckdb` takes no settings", where="engine")


def _scratch() -> Path:
    folder = own_folder("evalkit-").resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
