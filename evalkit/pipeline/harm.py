"""Harm weights that the user brings, and types of offence: what fits the offences, and the rule in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evalkit.contract import Outcome
from evalkit.errors import Problem, nearest
from evalkit.study import Study

TYPE, WEIGHT = "offence_type", "harm_days"
MOST_NAMED, FEW_TYPES = 50, 3
AGGREGATED = {
    "median": "the median of the rows of each type of offence",
    "mean": "the mean of the rows of each type of offence",
    "code": "one row for each code of offence",
    None: "one row for each type of offence",
}


def tables_of_weights(study: Study) -> dict[str, list[Outcome]]:
    """The frames that outcomes name as `weights`, each with those outcomes."""
    named: dict[str, list[Outcome]] = {}
    for outcome in study.outcomes.values():
        if outcome.weights is not None:
            named.setdefault(outcome.weights, []).append(outcome)
    return named


def weights_of(study: Study, frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of weights that have been read."""
    return {name: frames[name] for name in tables_of_weights(study) if name in frames}


def types_of_offences(
    study: Study, outcomes: Sequence[Outcome], con: Any, people: pd.DataFrame | None,
    frames: Mapping[str, pd.DataFrame],
) -> tuple[list[Problem], list[str]]:  # fmt: skip
    """Offences that could count and have no weight, a problem for each type; and names that no offence bears."""
    by_type = [each for each in outcomes if each.by_type]
    if not by_type:
        return [], []
    from evalkit.frames import types_after

    counted = types_after(con, people)
    problems: dict[tuple[str, str], Problem] = {}
    notes = []
    for outcome in by_type:
        table = frames[outcome.weights] if outcome.weights else None
        listed = set() if table is None else set(table[TYPE])
        notes += _unheard(outcome, {*counted, *listed})
        if table is not None:
            for each in _unlisted(study, outcome, counted, listed):
                problems.setdefault((each.where, each.wrong), each)
    return list(problems.values()), notes


def rule_in_words(study: Study, outcome: Outcome, weights: Mapping[str, pd.DataFrame]) -> str:
    """Where the weights come from and how several of one type become one, and every type of a list too long for the
    definition's own sentence."""
    said = []
    if outcome.weights is not None:
        said.append(_table_in_words(study, outcome, weights.get(outcome.weights)))
    if len(outcome.types) > FEW_TYPES:
        said.append(f"Only these types of offence count: {', '.join(outcome.types)}.")
    if len(outcome.leave_out) > FEW_TYPES:
        said.append(f"These types of offence are left out: {', '.join(outcome.leave_out)}.")
    return " ".join(said)


def types_in_words(outcome: Outcome) -> str:
    """Which offences are meant, to follow the word: ` of type theft`, ` other than drug possession`; empty for all."""
    named = outcome.types or outcome.leave_out
    if not named:
        return ""
    if len(named) > FEW_TYPES:
        return f" of {len(named)} types" if outcome.types else f" other than those of {len(named)} types"
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"
    return f" of type {listed}" if outcome.types else f" other than {listed}"


def _table_in_words(study: Study, outcome: Outcome, frame: pd.DataFrame | None) -> str:
    source = study.data[outcome.weights]
    column = outcome.weight or WEIGHT
    words = f"Weights are those of {source.file or source.table}"
    words += f", column {column}" if outcome.weight else ""
    if frame is not None:
        words += f" ({_about(frame)})" if _about(frame) else ""
    words += f", {AGGREGATED[outcome.aggregation]}"
    apart = None if frame is None or outcome.aggregation not in ("median", "mean") else _apart(frame, column)
    return f"{words}; the mean of a type is up to {apart:.2g} times its median." if apart else f"{words}."


def _about(frame: pd.DataFrame) -> str:
    """Sources and versions as the table gives them, and whether they were checked."""
    parts = []
    for name, lead in (("source", ""), ("version", "version ")):
        if name in frame.columns:
            said = list(dict.fromkeys(frame[name].dropna().astype(str)))
            parts += [lead + " and ".join(each.rstrip(". ") for each in said)] if said else []
    if "verified" in frame.columns and not frame["verified"].fillna(0).all():
        some = "" if not frame["verified"].fillna(0).any() else "some values "
        parts.append(f"{some}not checked against the primary document")
    return "; ".join(parts)


def _apart(frame: pd.DataFrame, column: str) -> float | None:
    """The largest ratio between mean and median of a type; None where every type has one row, or like rows."""
    of_type = frame.groupby(TYPE)[column]
    median, mean = of_type.median(), of_type.mean()
    known = (median > 0) & (mean > 0)
    apart = (mean / median)[known]
    largest = max(apart.max(), (1 / apart).max()) if known.any() else 1.0
    return float(largest) if largest > 1.005 else None


def _unlisted(study: Study, outcome: Outcome, counted: Mapping[str, int], listed: set[str]) -> list[Problem]:
    where = f"{study.data['offences'].file or 'offences'}, column `{TYPE}`"
    table = study.data[outcome.weights].file
    counts = {
        name: n
        for name, n in counted.items()
        if name not in listed
        and name not in outcome.leave_out
        and (not outcome.types or name in outcome.types)
    }
    problems = [
        Problem(
            where=where,
            wrong=f"{_offences(n)} of type `{name}` after the index date, which has no weight in {table}"
            if name
            else f"{_offences(n)} without a type after the index date, so without a weight",
            do=f"{nearest(name, listed)} Give it a weight, or name it under `outcomes.{outcome.name}.leave_out`"
            if name
            else "Give each offence its type",
        )
        for name, n in counts.items()
    ]
    if len(problems) > MOST_NAMED:
        more = f"{len(problems) - MOST_NAMED} more types of offence have no weight in {table}"
        problems = [*problems[:MOST_NAMED], Problem(where=where, wrong=more)]
    return problems


def _offences(n: int) -> str:
    return "1 proven offence" if n == 1 else f"{n} proven offences"


def _unheard(outcome: Outcome, known: set[str]) -> list[str]:
    """Types that an outcome names and nobody's offence and no row of the table bears: probably misspelt."""
    known = {each for each in known if each}
    return [
        f"outcomes.{outcome.name}.{key}: no offence after an index date is of type `{name}`. "
        + (nearest(name, known) if known else "")
        for key in ("types", "leave_out")
        for name in getattr(outcome, key)
        if name not in known
    ]
