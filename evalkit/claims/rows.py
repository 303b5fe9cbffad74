"""What is true of every row of a result that has several: how many rose, fell or cannot be told apart.

A result has several rows where its headline belongs to one group among others: a row of a table of counts, a question
of a survey. Where the headline is that of everybody, the groups after it are detail and no tally is made.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.claims.amounts import LEAST_FOR_PERCENT, amount, percent
from evalkit.claims.certainty import RATIOS
from evalkit.results import Estimate, Result

CLEAR_BELOW = 0.05


def peers(result: Result) -> tuple[Estimate, ...]:
    """The rows that stand beside the headline, itself first; empty where it stands alone or speaks of everybody."""
    head = result.headline
    if head.group in (None, "", "all"):
        return ()
    rows = [each for each in result.estimates if (each.term, each.measure) == (head.term, head.measure)]
    return tuple(rows) if len(rows) > 1 else ()


def leaning(row: Estimate) -> str:
    """down, up, untold (no difference cannot be ruled out) or missing; by the adjusted p-value where there is one."""
    if row.estimate is None:
        return "missing"
    null = 1.0 if row.measure in RATIOS else 0.0
    if row.p_adjusted is not None:
        clear = row.p_adjusted < CLEAR_BELOW
    else:
        clear = None not in (row.conf_low, row.conf_high) and not row.conf_low <= null <= row.conf_high
    if not clear:
        return "untold"
    return "down" if row.estimate < null else "up"


def adjusted(rows: Sequence[Estimate]) -> bool:
    return all(row.p_adjusted is not None for row in rows if row.estimate is not None)


def lean(rows: Sequence[Estimate]) -> str:
    """lower or higher where every row leans that way; cannot tell where none does; not assessed where they differ."""
    found = {leaning(row) for row in rows}
    if found <= {"untold", "missing"}:
        return "cannot tell"
    return {frozenset({"down"}): "lower", frozenset({"up"}): "higher"}.get(frozenset(found), "not assessed")


def changes(rows: Sequence[Estimate], counted: str) -> str:
    """`Of the 14 rows for …, 8 rose, 1 fell and 2 cannot be told apart from no change; …`."""
    return _tally(rows, counted, "rose", "fell", "no change")


def differences(rows: Sequence[Estimate], counted: str) -> str:
    """The same for rows that were each set against a comparison."""
    known = next((lay for row in rows if (lay := amount(row))), None)
    more, less = (known.more, known.less) if known else ("higher", "lower")
    return _tally(rows, counted, f"came out {more}", f"came out {less}", "no difference")


def _tally(rows: Sequence[Estimate], counted: str, up: str, down: str, null: str) -> str:
    number = {word: sum(leaning(row) == word for row in rows) for word in ("up", "down", "untold", "missing")}
    missing = number["missing"]
    gap = f"; for {missing} a count is missing, so nothing can be said" if missing else ""
    allowing = ", allowing for the number of rows" if adjusted(rows) else ", each row taken by itself"
    if not number["up"] + number["down"]:
        return f"None of the {len(rows)} rows for {counted} can be told apart from {null}{allowing}{gap}."
    return (
        f"Of the {len(rows)} rows for {counted}, {_none(number['up'])} {up}, {_none(number['down'])} {down} and "
        f"{_none(number['untold'])} cannot be told apart from {null}{allowing}{gap}."
    )


def _none(number: int) -> str:
    return str(number) if number else "none"


def shares(rows: Sequence[Estimate]) -> str:
    """`between 41% and 57%` over the rows; empty where a row is missing or rests on too few for a per cent."""
    if any(row.estimate is None or (row.n_treated or 0) < LEAST_FOR_PERCENT for row in rows):
        return ""
    values = sorted(row.estimate for row in rows)
    low, high = (percent(value) for value in (values[0], values[-1]))
    return f"about {low}" if low == high else f"between {low} and {high}"
