"""Invented frames that satisfy a study's columns, so that a study runs before its data arrive.

Nothing here resembles anybody: values are drawn from the ranges that the columns allow. Both arms draw from the same
distributions, so the true effect is nil unless the caller asks for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from evalkit.contract import Column
from evalkit.errors import StudyError

MISSING_SHARE = 0.03
MEAN_DAYS_TO_CONVICTION = 110
OFFENCES = (("theft", 2.0), ("criminal damage", 2.0), ("violence", 10.0), ("possession of a weapon", 180.0))
OFFENCE_SHARES = (0.4, 0.25, 0.25, 0.1)


def invent_people(
    columns: Mapping[str, Column],
    *,
    people: int,
    seed: int,
    start: date,
    end: date,
    share_treated: float = 0.5,
) -> pd.DataFrame:
    """One row per invented person: `person_id`, `index_date` between `start` and `end`, 0/1 `treated`, the columns.

    Raises
    ------
    StudyError
        A category column without `values`, which cannot be invented.
    """
    rng = np.random.default_rng([seed, 1])
    frame = pd.DataFrame({"person_id": [f"S{number:06d}" for number in range(1, people + 1)]})
    frame["index_date"] = _dates(rng, people, start, end)
    frame["treated"] = rng.permutation((np.arange(people) < round(share_treated * people)).astype(int))
    for name, column in columns.items():
        if name not in frame:
            frame[name] = _values(rng, name, column, people, start, end)
    return frame


def invent_offences(
    people: pd.DataFrame,
    *,
    seed: int,
    observed_until: date,
    look_back: int = 1095,
    yearly: float = 0.7,
    effect: float = 1.0,
    types: Sequence[tuple[str, float]] = OFFENCES,
) -> pd.DataFrame:
    """One row per invented offence: person_id, offence_date, conviction_date, offence_id, offence_type, harm_days.

    `yearly`: offences per person and year; people differ, so a few carry many. `effect` multiplies the rate of treated
    people after the index date (1: none). About one offence in seven is never proven: its conviction date is blank.
    `types`: each type of offence with its harm; all but the usual ones are equally common.
    """
    shares = OFFENCE_SHARES if tuple(types) == OFFENCES else [1 / len(types)] * len(types)
    rng = np.random.default_rng([seed, 2])
    rows = []
    for person in people.itertuples(index=False):
        index, ahead = (
            pd.Timestamp(person.index_date),
            (pd.Timestamp(observed_until) - person.index_date).days,
        )
        rate = yearly / 365.25 * rng.gamma(1.5, 1 / 1.5)
        after = rate * (effect if person.treated else 1.0)
        days = np.concatenate(
            [
                -rng.integers(1, look_back, rng.poisson(rate * look_back)),
                rng.integers(1, max(ahead, 2), rng.poisson(after * max(ahead, 0))),
            ]
        )
        rows += [
            _offence(rng, person.person_id, index + pd.Timedelta(days=int(day)), types, shares)
            for day in np.sort(days)
        ]
    frame = pd.DataFrame(
        rows, columns=["person_id", "offence_date", "conviction_date", "offence_type", "harm_days"]
    )
    frame.insert(3, "offence_id", [f"X{number:07d}" for number in range(1, len(frame) + 1)])
    return frame


def invent_weights(columns: Sequence[str]) -> pd.DataFrame:
    """A table of weights for the types that `invent_offences` draws: offence_type, the columns, source."""
    weights = {name: [harm for _, harm in OFFENCES] for name in columns}
    return pd.DataFrame({"offence_type": [kind for kind, _ in OFFENCES], **weights, "source": "invented"})


def invent_panel(
    *,
    units: int,
    periods: pd.PeriodIndex,
    seed: int,
    treated: int = 1,
    starts: int,
    mean: float = 12.0,
    effect: float = 1.0,
) -> pd.DataFrame:
    """One row per invented place and month: unit, period, count, population, first_treated (blank: never)."""
    rng = np.random.default_rng([seed, 3])
    season = 1 + 0.15 * np.sin(2 * np.pi * np.arange(len(periods)) / 12)
    rows = []
    for unit in range(units):
        level, first = mean * rng.gamma(8, 1 / 8), str(periods[starts]) if unit < treated else ""
        after = (np.arange(len(periods)) >= starts) & (unit < treated)
        counts = rng.poisson(
            level * season * np.where(after, effect, 1.0) * rng.gamma(40, 1 / 40, len(periods))
        )
        population = int(level * 400)
        rows += [
            (f"Invented place {unit + 1}", str(p), int(c), population, first)
            for p, c in zip(periods, counts, strict=True)
        ]
    return pd.DataFrame(rows, columns=["unit", "period", "count", "population", "first_treated"])


def _offence(
    rng: np.random.Generator,
    person: str,
    when: pd.Timestamp,
    types: Sequence[tuple[str, float]],
    shares: Sequence[float],
) -> tuple:
    kind, harm = types[rng.choice(len(types), p=shares)]
    convicted = when + pd.Timedelta(days=int(rng.gamma(2.0, MEAN_DAYS_TO_CONVICTION / 2)))
    return person, when, convicted if rng.random() < 6 / 7 else pd.NaT, kind, harm


def _dates(rng: np.random.Generator, people: int, start: date, end: date) -> pd.Series:
    days = (pd.Timestamp(end) - pd.Timestamp(start)).days
    return pd.Series(pd.Timestamp(start) + pd.to_timedelta(rng.integers(0, days + 1, people), unit="D"))


def _values(
    rng: np.random.Generator, name: str, column: Column, people: int, start: date, end: date
) -> pd.Series:
    low = float(column.min) if column.min is not None and column.type != "date" else 0.0
    high = float(column.max) if column.max is not None and column.type != "date" else low + 20.0
    if column.type == "category":
        if not column.values:
            raise StudyError(
                f"`{name}` has no `values` to draw from", where=f"columns.{name}", do="List its values"
            )
        values = pd.Series(rng.choice(list(column.values), people))
    elif column.type == "integer":
        values = pd.Series(rng.integers(int(low), int(high) + 1, people))
    elif column.type == "number":
        values = pd.Series(np.round(rng.uniform(low, high, people), 2))
    elif column.type == "flag":
        values = pd.Series(rng.integers(0, 2, people))
    elif column.type == "date":
        values = _dates(rng, people, start, end)
    else:
        values = pd.Series([f"{name} {number}" for number in range(1, people + 1)])
    return values.mask(rng.random(people) < MISSING_SHARE) if column.nullable else values
