"""History, maturity and outcomes of a pandas frame of people: the expression of `outcomes`, run and brought home."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.contract import History, Outcome
from evalkit.engine import connect, tables
from evalkit.errors import DataError
from evalkit.outcomes import expressions
from evalkit.outcomes.weighing import TYPE, WEIGHT

if TYPE_CHECKING:
    import ibis.expr.types as ir

ROW = "_row"
DATES = ("offence_date", "conviction_date")


def measure_history(
    people: pd.DataFrame, offences: ir.Table | pd.DataFrame, histories: Sequence[History]
) -> pd.DataFrame:
    """People, in their order and on their index, with one integer column per history.

    Parameters
    ----------
    people : one row per person_id and index_date; every other column is kept as it is.
    offences : a table in the engine (`read_offences(…).table`) or a frame: person_id, offence_date, conviction_date.
    histories : names and look-back windows, as in `with_history`.

    Returns
    -------
    DataFrame
        The people, with one column for each history: how many offences had a conviction in its window before the
        index date.

    Raises
    ------
    DataError
        A key or a date that is not there, a person and index date that are repeated.
    StudyError
        A history of the name of a column that the people have.
    """
    expressions.require_names(people.columns, [each.name for each in histories])
    backend, keys, events = _tables(people, offences)
    measured = expressions.with_history(keys, events, histories)
    return _beside(people, _collect(backend, measured, len(people)), "int64")


def measure_maturity(people: pd.DataFrame, outcome: Outcome, observed_until: date | None) -> pd.Series:
    """True, on the people's index, where the whole of the outcome's follow-up and waiting can be seen.

    Parameters
    ----------
    people : one row per person_id and index_date.
    outcome : its follow-up and waiting (days or months); one that is not measured from events is mature for everyone.
    observed_until : the last day that the extract can see.

    Returns
    -------
    Series
        Of True and False, named `<outcome>_mature`.

    Raises
    ------
    DataError
        A key that the people do not have, a person and index date that are repeated.
    """
    if not outcome.from_events:
        return pd.Series(True, index=people.index, name=f"{outcome.name}_mature")
    backend, keys, _ = _tables(people, None)
    measured = _collect(backend, expressions.maturity(keys, [outcome], observed_until), len(people))
    return _beside(people, measured, "bool")[f"{outcome.name}_mature"]


def measure_outcomes(
    people: pd.DataFrame,
    offences: ir.Table | pd.DataFrame | None,
    outcomes: Sequence[Outcome],
    observed_until: date | None = None,
    weights: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """People, in their order and on their index, with the columns of `with_outcomes`.

    Parameters
    ----------
    people : one row per person_id and index_date; every other column is kept as it is.
    offences : a table in the engine (`read_offences(…).table`) or a frame, one row per offence: person_id,
        offence_date, conviction_date. None where no outcome is measured from offences.
    outcomes : names, measures and windows, as in `with_outcomes`.
    observed_until : the last day that the extract can see.
    weights : the frames that outcomes name as their table of weights, with columns offence_type and the weight.

    Returns
    -------
    DataFrame
        The people, with one column per outcome, and for survival `<outcome>_time` (days) and `<outcome>_event` (0/1).
        What is measured from offences is float64, NaN where it is not to be known: the outcome of the immature, days
        without a reoffence, severity where a weight is missing. Columns of people keep their type.

    Raises
    ------
    DataError
        No offences where an outcome needs them, a key or a date that is not there, a repeated person and index date.
    StudyError
        An outcome of the name of a column that the people have.
    """
    measured = [each for each in outcomes if each.from_events]
    new = [name for each in outcomes for name in expressions.new_columns(each)]
    expressions.require_names(people.columns, new)
    copied = expressions.copied_columns(people.columns, outcomes)
    result = people.assign(**{new: people[source] for new, source in copied.items()})
    if not measured:
        return result
    if offences is None:
        raise DataError(f"outcome `{measured[0].name}` is measured from offences, and there are none")
    backend, keys, events = _tables(people, offences)
    weighed = {name: _weights(frame) for name, frame in (weights or {}).items()}
    counted = _collect(
        backend, expressions.with_outcomes(keys, events, measured, observed_until, weighed), len(people)
    )
    return _beside(result, counted, "float64")


def left_out(people: pd.DataFrame, outcomes: Iterable[Outcome], observed_until: date | None) -> pd.DataFrame:
    """One row per outcome measured from events: outcome, n, immature, unweighted (a counted offence had no weight)."""
    rows = []
    for each in outcomes:
        if each.from_events:
            mature = measure_maturity(people, each, observed_until)
            unweighted = int((mature & people[each.name].isna()).sum()) if each.measure == "severity" else 0
            row = {
                "outcome": each.name,
                "n": len(people),
                "immature": int((~mature).sum()),
                "unweighted": unweighted,
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=["outcome", "n", "immature", "unweighted"])


def _tables(people: pd.DataFrame, offences: ir.Table | pd.DataFrame | None) -> tuple[Any, ir.Table, ir.Table]:
    """The engine, the people's keys with their row number, and the offences, as tables of that engine."""
    import ibis

    _require_keys(people)
    keys = ibis.memtable(_arrow(people[[*expressions.KEY]], dates=("index_date",), row=True))
    if offences is None or isinstance(offences, pd.DataFrame):
        events = offences if offences is None else ibis.memtable(_arrow(_contract(offences), dates=DATES))
        return tables(connect()), keys, events
    return offences.get_backend(), keys, offences


def _contract(offences: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("person_id", *DATES) if name not in offences.columns]
    if missing:
        raise DataError(f"the offences have no column `{missing[0]}`")
    numbers = [
        name
        for name in offences.columns
        if name in (WEIGHT, TYPE) or pd.api.types.is_numeric_dtype(offences[name])
    ]
    return offences[list(dict.fromkeys(["person_id", *DATES, *numbers]))]


def _weights(frame: pd.DataFrame) -> ir.Table:
    """A table of weights in the engine, its text columns but for the type left behind."""
    import ibis

    kept = [name for name in frame.columns if name == TYPE or pd.api.types.is_numeric_dtype(frame[name])]
    return ibis.memtable(_arrow(frame[kept], dates=()))


def _require_keys(people: pd.DataFrame) -> None:
    for name in expressions.KEY:
        if name not in people.columns:
            raise DataError(f"the people have no column `{name}`", do="Outcomes from events need both keys")
    if people.duplicated([*expressions.KEY]).any():
        raise DataError(
            "a person and index date are repeated", do="Keep one row for each person and index date"
        )


def _arrow(frame: pd.DataFrame, *, dates: Iterable[str], row: bool = False) -> Any:
    import pyarrow as pa

    columns = {
        name: pa.array(
            frame[name].astype("str").where(frame[name].notna(), None), pa.string(), from_pandas=True
        )
        for name in ("person_id", TYPE)
        if name in frame.columns
    }
    columns |= {name: pa.array(_days(frame[name]), pa.timestamp("us")).cast(pa.date32()) for name in dates}
    columns |= {
        name: pa.array(frame[name].astype("float64"), pa.float64(), from_pandas=True)
        for name in frame.columns
        if name not in columns
    }
    if row:
        columns[ROW] = pa.array(range(len(frame)), pa.int64())
    return pa.table(columns)


def _days(values: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(values).dt.floor("D")
    except (ValueError, TypeError, AttributeError):
        do = "Turn it into dates first, for instance with `pandas.to_datetime` and the format of the file"
        raise DataError(f"the column `{values.name}` does not hold dates", do=do) from None


def _collect(backend: Any, measured: ir.Table, rows: int) -> pd.DataFrame:
    new = [name for name in measured.columns if name not in expressions.KEY]
    frame = backend.to_pyarrow(measured.select(*new)).to_pandas().sort_values(ROW)
    if len(frame) != rows:
        raise AssertionError("outcomes were measured for another number of rows than there are people")
    return frame.drop(columns=ROW)


def _beside(people: pd.DataFrame, measured: pd.DataFrame, dtype: str) -> pd.DataFrame:
    return people.assign(**{name: measured[name].astype(dtype).to_numpy() for name in measured.columns})
