"""Events to outcomes: one Ibis expression, the same on every engine. Tables in, tables out; nothing is run here.

The rules, with F the follow-up and W the waiting in calendar months, and U the last day that the extract can see:

- A reoffence counts when index_date < offence_date <= index_date + F and conviction_date <= index_date + (F + W). The
  months are summed and added once; where the day does not exist it becomes the month's last.
- A person is mature when index_date + (F + W) <= U. The outcome of anyone else is null, never a non-reoffence.
- History counts rows whose conviction is in [index_date - L, index_date): the mirror of the follow-up, so the day
  exactly L months before is inside and the index date itself is not.
- The group is the person and the index date: one person may have several. Rows out = rows in.
- Severity is the sum of the weights of the counted reoffences (or the largest, for `score: most_serious`), 0 where
  there are none, and null where the weight of one of them is missing. Sums are made in decimals, so that their order
  does not matter. Beside a sum stands `<outcome>_largest`, the largest weight in it.
- Where an outcome names `types` only those offences count, where it names those to `leave_out` all others do.
- Survival: `<outcome>_time` is days to the first counted reoffence or to the end of sight, `<outcome>_event` says
  which. The end of sight is index_date + F for the mature; for others it is the earlier of that and U - W, because a
  later offence could not yet have been proven. Someone whose end of sight is not after the index date has neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from evalkit.contract import History, Outcome
from evalkit.errors import DataError, Problem, StudyError, UsageError
from evalkit.outcomes.weighing import (
    DECIMAL,
    TYPE,
    WEIGHT,
    column_of,
    needed_columns,
    of_counted_type,
    with_weights,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

KEY = ("person_id", "index_date")
SURVIVAL = ("binary", "time_to_first")


def with_history(people: ir.Table, offences: ir.Table, histories: Sequence[History]) -> ir.Table:
    """People with one column per history: how many offences had a conviction in its window before the index date."""
    if not histories:
        return people
    require_names(people.columns, [history.name for history in histories])
    starts = {f"_from_{months}": -months for months in sorted({history.look_back for history in histories})}
    keys = people.select(
        *KEY, **{name: _shifted(people.index_date, months) for name, months in starts.items()}
    )
    furthest = min(starts, key=lambda name: starts[name])
    events = keys.inner_join(
        offences.select("person_id", "conviction_date"),
        [
            keys.person_id == offences.person_id,
            offences.conviction_date < keys.index_date,
            offences.conviction_date >= keys[furthest],
        ],
    )
    counts = events.group_by(*KEY).aggregate(
        **{
            each.name: (events.conviction_date >= events[f"_from_{each.look_back}"]).sum()
            for each in histories
        }
    )
    joined = _beside(people, counts)
    counted = {each.name: joined[each.name].fill_null(0).cast("int64") for each in histories}
    return joined.select(*people.columns, **counted)


def maturity(people: ir.Table, outcomes: Sequence[Outcome], observed_until: date | None) -> ir.Table:
    """People with a true or false column `<outcome>_mature` for each outcome that is measured from events."""
    last = _last_day(outcomes, observed_until)
    return people.mutate(
        **{
            f"{each.name}_mature": _shifted(people.index_date, _total(each)) <= last
            for each in outcomes
            if each.from_events
        }
    )


def with_outcomes(
    people: ir.Table,
    offences: ir.Table,
    outcomes: Sequence[Outcome],
    observed_until: date | None,
    weights: Mapping[str, ir.Table] | None = None,
) -> ir.Table:
    """People with one column per outcome, the time and event columns of those that survival can use, and the largest
    weight in a sum of harm.

    Parameters
    ----------
    people : one row per person_id and index_date; any other columns are kept.
    offences : person_id, offence_date, conviction_date (null: none), the weights that severity sums, and offence_type
        where an outcome rests on it.
    outcomes : `binary` 0 or 1, `frequency` a count, `time_to_first` days (null without a reoffence: descriptive among
        those who reoffended), `severity` a sum; `column` and `duration` are copied from people.
    observed_until : the last day that the extract can see.
    weights : the tables that outcomes name as `weights`: offence_type and the weight.
    """
    require_names(people.columns, [name for each in outcomes for name in new_columns(each)])
    counted = [each for each in outcomes if each.from_events]
    joined = people.mutate(
        **{new: people[source] for new, source in copied_columns(people.columns, outcomes).items()}
    )
    if counted:
        last = _last_day(counted, observed_until)
        joined = _beside(joined, _counts(people, offences, counted, last, weights or {}))
        joined = joined.mutate(**_ends(joined.index_date, counted, last))
        joined = joined.mutate(
            **{name: value for each in counted for name, value in _values(joined, each).items()}
        )
    names = [name for each in outcomes for name in new_columns(each)]
    return joined.select(*people.columns, *names)


def compiled_sql(
    outcomes: Sequence[Outcome],
    histories: Sequence[History] = (),
    *,
    observed_until: date | None,
    dialect: str = "duckdb",
    people: str = "people",
    offences: str = "offences",
) -> str:
    """The statement that measures history and outcomes, for an analyst to audit or to run where the data live.

    `people` and `offences` are the tables' names there, and a table of weights is called as the study calls it;
    `dialect` is duckdb, athena, trino, spark, postgres, ….
    """
    import ibis

    needed = {name: "string" if name == TYPE else "float64" for name in needed_columns(outcomes)}
    weights = {
        name: ibis.table(
            {
                TYPE: "string",
                **{each.weight or WEIGHT: "float64" for each in outcomes if each.weights == name},
            },
            name=name,
        )
        for name in sorted({each.weights for each in outcomes if each.weights})
    }
    dates = {"offence_date": "date", "conviction_date": "date"}
    columns = {source: "float64" for each in outcomes for source in _copies(each).values()}
    person = ibis.table({"person_id": "string", "index_date": "date", **columns}, name=people)
    offence = ibis.table({"person_id": "string", **dates, **needed}, name=offences)
    people_then = with_history(person, offence, histories)
    measured = with_outcomes(people_then, offence, outcomes, observed_until, weights)
    try:
        # Spark's own dialect asks for a running session; Databricks speaks the same and does not.
        return str(
            ibis.to_sql(
                measured, dialect={"spark": "databricks", "pyspark": "databricks"}.get(dialect, dialect)
            )
        )
    except (ValueError, AttributeError):
        raise UsageError(
            f"there is no SQL dialect `{dialect}`", do="Try duckdb, athena, trino or spark"
        ) from None


def _counts(
    people: ir.Table,
    offences: ir.Table,
    outcomes: Sequence[Outcome],
    last: ir.DateScalar,
    weights: Mapping[str, ir.Table],
) -> ir.Table:
    """Per person and index date with any offence in reach: number, first and weights of those that count."""
    keys = people.select(*KEY, **_ends(people.index_date, outcomes, last))
    needed = needed_columns(outcomes)
    _require_columns(offences, needed)
    furthest = max(outcomes, key=lambda each: each.follow_up or 0)
    events = keys.inner_join(
        offences.select("person_id", "offence_date", "conviction_date", *needed),
        [
            keys.person_id == offences.person_id,
            offences.offence_date > keys.index_date,
            offences.offence_date <= keys[f"_until_{furthest.follow_up}"],
            offences.conviction_date <= last,
        ],
    )
    events = with_weights(events, outcomes, weights)
    columns: dict[str, Any] = {}
    for each in outcomes:
        columns |= _of_events(events, each)
    return events.group_by(*KEY).aggregate(**columns)


def _of_events(events: ir.Table, outcome: Outcome) -> dict[str, Any]:
    """What one outcome needs of a person's events in reach."""
    counts = (events.offence_date <= events[f"_end_{_window(outcome)}"]) & (
        events.conviction_date <= events[f"_settled_{_total(outcome)}"]
    )
    of_type = of_counted_type(events, outcome)
    counts = counts if of_type is None else counts & of_type
    key = _counted(outcome)
    columns = {f"_n_{key}": counts.sum(), f"_first_{key}": events.offence_date.min(where=counts)}
    if outcome.measure == "severity":
        weight = events[column_of(outcome)]
        exact = weight.cast(DECIMAL)
        if outcome.score == "sum":
            columns[f"_sum_{outcome.name}"] = exact.sum(where=counts)
        columns[f"_most_{outcome.name}"] = exact.max(where=counts)
        columns[f"_blank_{outcome.name}"] = (counts & weight.isnull()).sum()
    return columns


def _ends(index_date: ir.DateColumn, outcomes: Sequence[Outcome], last: ir.DateScalar) -> dict[str, Any]:
    """The last day to offend, the last to be convicted, whether all of it can be seen, and the end of sight."""
    import ibis

    ends: dict[str, Any] = {}
    for each in outcomes:
        window = _window(each)
        until, settled = _shifted(index_date, each.follow_up or 0), _shifted(index_date, _total(each))
        mature = settled <= last
        proven = ibis.least(until, _shifted(last, -each.waiting))
        ends[f"_until_{each.follow_up}"] = until
        ends[f"_settled_{_total(each)}"] = settled
        ends[f"_mature_{window}"] = mature
        ends[f"_end_{window}"] = ibis.ifelse(mature, until, proven)
    return ends


def _values(joined: ir.Table, outcome: Outcome) -> dict[str, Any]:
    import ibis

    window = _window(outcome)
    key, mature = _counted(outcome), joined[f"_mature_{window}"]
    number = joined[f"_n_{key}"].fill_null(0)
    first = _days(joined[f"_first_{key}"], joined.index_date)
    if outcome.measure == "severity":
        known = mature & (joined[f"_blank_{outcome.name}"].fill_null(0) == 0)
        parts = ("sum", "most") if outcome.score == "sum" else ("most",)
        return {
            name: ibis.ifelse(known, joined[f"_{part}_{outcome.name}"].cast("float64").fill_null(0), None)
            for name, part in zip(new_columns(outcome), parts, strict=True)
        }
    happened = (number > 0).cast("int64")
    value = {"binary": happened, "frequency": number, "time_to_first": first}[outcome.measure]
    values = {outcome.name: ibis.ifelse(mature, value, None)}
    if outcome.measure in SURVIVAL:
        sight = _days(joined[f"_end_{window}"], joined.index_date)
        seen = sight > 0
        values[f"{outcome.name}_time"] = ibis.ifelse(seen, ibis.coalesce(first, sight), None)
        values[f"{outcome.name}_event"] = ibis.ifelse(seen, happened, None)
    return values


def copied_columns(columns: Iterable[str], outcomes: Iterable[Outcome]) -> dict[str, str]:
    """The new columns that are copies of a people column, each with its source; DataError where one is not there."""
    copies = {new: (source, each.name) for each in outcomes for new, source in _copies(each).items()}
    problems = [
        Problem(wrong=f"outcome `{name}` needs the column `{source}`, which the people do not have")
        for source, name in copies.values()
        if source not in columns
    ]
    if problems:
        raise DataError(problems)
    return {new: source for new, (source, _) in copies.items() if new != source}


def _copies(outcome: Outcome) -> dict[str, str]:
    """The column that an outcome is copied to, by the column of people that it comes from."""
    if outcome.measure == "column":
        return {outcome.name: outcome.column or outcome.name}
    if outcome.measure == "duration":
        return {f"{outcome.name}_time": outcome.time or "", f"{outcome.name}_event": outcome.event or ""}
    return {}


def new_columns(outcome: Outcome) -> list[str]:
    """The columns that an outcome adds to the people."""
    if not outcome.from_events:
        return [new for new, source in _copies(outcome).items() if new != source]
    if outcome.measure in SURVIVAL:
        return [outcome.name, f"{outcome.name}_time", f"{outcome.name}_event"]
    if outcome.measure == "severity" and outcome.score == "sum":
        return [outcome.name, f"{outcome.name}_largest"]
    return [outcome.name]


def require_names(columns: Iterable[str], names: Iterable[str]) -> None:
    """Refuse an outcome or history whose column the people have already."""
    taken = [name for name in names if name in columns]
    if taken:
        raise StudyError(
            f"`{taken[0]}` is to be measured, but the people have a column of that name",
            do="Give the outcome another name, or let it be `measure: column`",
        )


def _require_columns(offences: ir.Table, names: Iterable[str]) -> None:
    for name in names:
        if name not in offences.columns:
            what = "an outcome by type of offence" if name == TYPE else "severity"
            raise DataError(f"{what} needs the column `{name}`, which the offences do not have")


def _last_day(outcomes: Iterable[Outcome], observed_until: date | None) -> ir.DateScalar:
    import ibis

    for each in outcomes:
        if each.from_events and (observed_until is None or each.follow_up is None):
            needed = "`follow_up`" if each.follow_up is None else "`extract: {observed_until: …}`"
            raise StudyError(f"outcome `{each.name}` is measured from offences and needs {needed}")
    return ibis.literal(observed_until, type="date")


def _beside(people: ir.Table, counts: ir.Table) -> ir.Table:
    return people.left_join(counts, [people[name] == counts[name] for name in KEY], rname="_{name}_of_counts")


def _shifted(day: Any, months: int) -> Any:
    """The day so many calendar months on (or back), or the month's last where it has no such day."""
    import ibis

    return day + ibis.interval(months=months) if months >= 0 else day - ibis.interval(months=-months)


def _days(later: Any, earlier: Any) -> Any:
    return later.delta(earlier, unit="day")


def _total(outcome: Outcome) -> int:
    return (outcome.follow_up or 0) + outcome.waiting


def _window(outcome: Outcome) -> str:
    return f"{outcome.follow_up}_{outcome.waiting}"


def _counted(outcome: Outcome) -> str:
    """Outcomes of one window share their numbers and dates, unless some count other types of offence."""
    return f"{_window(outcome)}_{outcome.name}" if outcome.types or outcome.leave_out else _window(outcome)
