"""What an account may not do: each misuse refused by name, with the row it stands in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pandas as pd

from evalkit.costbenefit.cells import rows_of, where
from evalkit.costbenefit.grants import wrong_in_one_account
from evalkit.costbenefit.impacts import Impact
from evalkit.costbenefit.inputs import Inputs
from evalkit.errors import DataError, Problem
from evalkit.parameters import Parameter

ANY_CRIME = "any crime"
CALENDAR = 1000  # a year index this large is a calendar year in the wrong column


def refuse_misuse(inputs: Inputs) -> None:
    """Raise one DataError that lists every misuse.

    Refused: deadweight on an impact that is already net; engaged or retained below one on an intention-to-treat
    estimate; a crime priced from a yes/no rate; one event priced twice; a transfer that is not fiscal; a benefit
    that starts before any cost or ends before it starts; the multiplier from recorded to actual crime on some crime
    lines but not on others; more than the whole of one grant.
    """
    problems = misuses(inputs)
    if problems:
        raise DataError(problems)


def misuses(inputs: Inputs) -> list[Problem]:
    """Every misuse, in the order of the rules."""
    return [
        *_net_impacts(inputs.benefits, inputs.impacts),
        *_crime_from_rates(inputs),
        *_same_event_twice(inputs.benefits, inputs.entries),
        *_transfers(inputs.benefits),
        *_timing(inputs.costs, inputs.benefits),
        *_multipliers(inputs.benefits, inputs.entries),
        *_grants(inputs.costs),
    ]


def _net_impacts(benefits: pd.DataFrame, impacts: Mapping[str, Impact]) -> Iterator[Problem]:
    for row in rows_of(benefits[benefits["analysis"] != ""]):
        spot = where("benefits", row.row)
        if row.deadweight != 0:
            yield Problem(
                where=f"{spot}, column `deadweight`",
                wrong=f"the impact of the analysis `{row.analysis}` is already net of what would have happened anyway",
                found=f"{row.deadweight:g}",
                do="Set deadweight to 0",
            )
        if impacts[row.analysis].estimand != "itt":
            continue
        for column in ("engaged", "retained"):
            if getattr(row, column) != 1:
                yield Problem(
                    where=f"{spot}, column `{column}`",
                    wrong=f"`{row.analysis}` is an intention-to-treat estimate and counts those who took no part",
                    found=f"{getattr(row, column):g}",
                    do=f"Set {column} to 1",
                )


def _crime_from_rates(inputs: Inputs) -> Iterator[Problem]:
    for row in rows_of(inputs.benefits[inputs.benefits["analysis"] != ""]):
        entry = inputs.entries.get(row.code)
        is_rate = inputs.impacts[row.analysis].scale == "proportion"
        if entry is not None and entry.counts == "offences" and is_rate:
            yield Problem(
                where=where("benefits", row.row, "impact"),
                wrong=f"`{row.code}` is the cost of one offence, and `{row.analysis}` is a yes/no rate",
                do="Crime is costed from the frequency of offences by type: name an analysis of frequency",
            )


def _same_event_twice(benefits: pd.DataFrame, entries: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Two databases for one event, the average crime beside a type of crime, or a whole cost beside its own parts."""
    rows = [(row, entries[row.code]) for row in rows_of(benefits) if row.code and entries[row.code].event]
    databases, wholes = defaultdict(dict), defaultdict(dict)
    for row, entry in rows:
        databases[entry.event].setdefault(entry.database, row)
        wholes[(entry.part_of or entry.code, row.perspective)].setdefault(entry.code, []).append(row)
    for event, by_database in databases.items():
        if len(by_database) > 1:
            yield _twice(
                list(by_database.values())[1],
                f"`{event}` is valued from two databases: {', '.join(map(str, by_database))}",
            )
    for (whole, perspective), by_code in wholes.items():
        if whole in by_code and (len(by_code) > 1 or _repeats(by_code[whole])):
            last = [row for each in by_code.values() for row in each][-1]
            yield _twice(
                last,
                f"the whole {perspective} cost `{whole}` is counted beside itself or its own agency shares",
            )
    crimes = [row for row, entry in rows if entry.counts == "offences" and entry.event != ANY_CRIME]
    if ANY_CRIME in databases and crimes:
        yield _twice(crimes[0], "a type of crime is valued beside the average of all crime")


def _repeats(rows: list) -> bool:
    """True where one line prices the same whole cost for several agencies."""
    lines = [row.line for row in rows]
    return len(lines) > len(set(lines))


def _twice(row, wrong: str) -> Problem:
    return Problem(
        where=where("benefits", row.row, "unit_cost"),
        wrong=f"the same event is valued twice: {wrong}",
        found=row.code,
        do="Keep one of them",
    )


def _transfers(benefits: pd.DataFrame) -> Iterator[Problem]:
    for row in rows_of(benefits[(benefits["transfer"] == 1) & (benefits["perspective"] != "fiscal")]):
        yield Problem(
            where=where("benefits", row.row, "transfer"),
            wrong="a transfer (a benefit payment or a tax) is fiscal, and no part of public value",
            found=row.perspective,
        )


def _timing(costs: pd.DataFrame, benefits: pd.DataFrame) -> Iterator[Problem]:
    for name, frame, column in (("costs", costs, "year"), ("benefits", benefits, "last_year")):
        for row in rows_of(frame[frame[column] >= CALENDAR]):
            spot, year = where(name, row.row, column), str(getattr(row, column))
            yield Problem(where=spot, wrong="years count from 0, the first year of the account", found=year)
    first_cost = costs["year"].min() if len(costs) else None
    for row in rows_of(benefits):
        if row.last_year < row.first_year:
            yield Problem(
                where=where("benefits", row.row, "last_year"),
                wrong="the last year comes before the first",
                found=f"{row.first_year} to {row.last_year}",
            )
        if first_cost is not None and row.first_year < first_cost:
            yield Problem(
                where=where("benefits", row.row, "first_year"),
                wrong=f"the benefit comes before any cost (the first cost is in year {first_cost})",
                found=str(row.first_year),
            )


def _multipliers(benefits: pd.DataFrame, entries: Mapping[str, Parameter]) -> Iterator[Problem]:
    crimes = [row for row in rows_of(benefits) if row.code and entries[row.code].counts == "offences"]
    with_it = [row for row in crimes if row.multiplier != 1]
    if with_it and len(with_it) < len(crimes):
        yield Problem(
            where=where("benefits", with_it[0].row, "multiplier"),
            wrong="the multiplier from recorded to actual crime is on some crime lines and not on others",
            do="Use it on all crime lines or on none",
        )


def _grants(costs: pd.DataFrame) -> Iterator[Problem]:
    for grant, rows in costs[costs["grant"] != ""].groupby("grant", sort=True):
        yield from (
            Problem(where=where("costs", rows["row"].iloc[-1], "share"), wrong=wrong, found=str(grant))
            for wrong in wrong_in_one_account(rows)
        )
