"""What one offence weighs and whether it counts, by its type: part of the expression of `expressions`.

A table of weights has a row for each type of offence, or several: a code list with a row for each code and a type for
each group of codes. `median` is the middle weight of a type, or the mean of the two middle ones, and `mean` the mean of
all; with `code`, and where nothing is said, each type stands once. Means are made of decimals, so that the order of
rows does not matter, and the median of places in the order, since not every engine has an exact one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.contract import Outcome
from evalkit.errors import DataError

if TYPE_CHECKING:
    import ibis.expr.types as ir

WEIGHT, TYPE = "harm_days", "offence_type"
DECIMAL = "decimal(38, 9)"


def weight_of_types(table: ir.Table, weight: str, aggregation: str | None) -> ir.Table:
    """One row for each type of offence in a table of weights: offence_type, weight."""
    import ibis

    rows = table.filter(table[TYPE].notnull() & table[weight].notnull())
    rows = rows.select(TYPE, weight=rows[weight].cast(DECIMAL))
    if aggregation == "median":
        placed = rows.mutate(
            place=ibis.row_number().over(ibis.window(group_by=TYPE, order_by="weight")) + 1,
            number=rows.weight.count().over(ibis.window(group_by=TYPE)),
        )
        rows = placed.filter(
            2 * placed.place >= placed.number, 2 * placed.place <= placed.number + 2
        )  # the middle one or two
    return rows.group_by(TYPE).aggregate(weight=rows.weight.sum().cast("float64") / rows.weight.count())


def with_weights(events: ir.Table, outcomes: Sequence[Outcome], weights: Mapping[str, ir.Table]) -> ir.Table:
    """Events with a column for each table and rule that an outcome weighs them by: null where the type is not there."""
    for outcome in {column_of(each): each for each in outcomes if each.weights}.values():
        if outcome.weights not in weights:
            raise DataError(f"outcome `{outcome.name}` needs the table of weights `{outcome.weights}`")
        table = weights[outcome.weights]
        for name in (TYPE, outcome.weight or WEIGHT):
            if name not in table.columns:
                raise DataError(f"the table of weights `{outcome.weights}` has no column `{name}`")
        column = column_of(outcome)
        by_type = weight_of_types(table, outcome.weight or WEIGHT, outcome.aggregation)
        by_type = by_type.select(**{f"type_{column}": by_type[TYPE], column: by_type.weight})
        events = events.left_join(by_type, events[TYPE] == by_type[f"type_{column}"])
    return events


def column_of(outcome: Outcome) -> str:
    """The column of the events that holds what each offence weighs."""
    if outcome.weights is None:
        return outcome.weight or WEIGHT
    return f"_{outcome.weights}_{outcome.weight or WEIGHT}_{outcome.aggregation or 'code'}"


def needed_columns(outcomes: Sequence[Outcome]) -> list[str]:
    """The columns that the offences must have beyond the dates: weights, and types where something rests on them."""
    harm = {column_of(each) for each in outcomes if each.measure == "severity" and each.weights is None}
    return sorted(harm | ({TYPE} if any(each.by_type for each in outcomes) else set()))


def of_counted_type(events: ir.Table, outcome: Outcome) -> Any:
    """Whether the type of an offence lets it count; None where every type does. An offence without a type counts
    unless `types` says which do."""
    if outcome.types:
        return events[TYPE].fill_null("").isin(outcome.types)
    if outcome.leave_out:
        return events[TYPE].fill_null("").notin(outcome.leave_out)
    return None
