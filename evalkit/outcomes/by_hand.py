"""A few invented people with the answer worked by hand: the definitions are checked against them before any data.

`people_by_hand.csv` has one row per offence, or one row with blank offence columns for someone with none:

| column | holds |
|---|---|
| `person_id`, `index_date` | the invented person; a second index date is a second set of rows, with its own answer |
| `offence_date`, `conviction_date` | blank in a row without an offence; `conviction_date` blank: not convicted |
| `offence_id`, `offence_type`, `harm_days` and other weights | where an outcome uses them; the type for a table |
| a column named after an outcome or a history, or `<outcome>_time`, `<outcome>_event` | the answer |
| `note` | what the person is there to show; not read |

The answer stands in the first row of the person and index date, and may be repeated in the others. Blank in the first
row means that there is none: an immature person, or no days because no reoffence. An outcome without a column is not
checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from evalkit.contract import OFFENCES, Column, History, Outcome
from evalkit.errors import Problem
from evalkit.frames import FIRST_ROW, read_table
from evalkit.outcomes.expressions import KEY, SURVIVAL
from evalkit.outcomes.measuring import measure_history, measure_outcomes
from evalkit.outcomes.weighing import needed_columns

TOLERANCE = 1e-6
ROW = "_row_of_file"


def check_by_hand(
    path: Path,
    outcomes: Sequence[Outcome],
    histories: Sequence[History] = (),
    observed_until: date | None = None,
    *,
    weights: Mapping[str, pd.DataFrame] | None = None,
    shown: str = "people_by_hand.csv",
) -> list[Problem]:
    """Measure the invented people and compare with the answers beside them.

    `weights` holds the tables that outcomes name; an outcome whose table could not be read is not checked.

    Returns
    -------
    One problem for each answer that differs, with its row, the outcome, what was expected and what was measured; or
    the problems of the file itself. The people are invented, so both values are shown.
    """
    tables = {name: frame for name, frame in (weights or {}).items() if not frame.empty}
    measured = [each for each in outcomes if each.from_events and (each.weights or "") in {"", *tables}]
    answers = _answers(measured, histories)
    columns = _columns(answers, needed_columns(measured))
    table = read_table(path, columns, required=[*KEY, "offence_date"], shown=shown, ignore_others=False)
    if table.problems:
        return list(table.problems)
    rows = table.frame.assign(**{ROW: range(FIRST_ROW, FIRST_ROW + table.rows)})
    answers = [name for name in answers if name in rows.columns]
    if not answers:
        names = ", ".join(f"`{each.name}`" for each in (*measured, *histories))
        wrong = "no column holds an answer"
        return [Problem(where=f"{shown}, row 1", wrong=wrong, do=f"Add a column named after one of {names}")]
    problems = _contradictions(rows, answers, shown)
    got = _measure(rows, measured, histories, observed_until, tables)
    return problems + _differences(got, answers, shown)


def _answers(outcomes: Sequence[Outcome], histories: Sequence[History]) -> list[str]:
    pairs = [
        f"{each.name}_{part}" for each in outcomes if each.measure in SURVIVAL for part in ("time", "event")
    ]
    return [*(each.name for each in (*histories, *outcomes)), *pairs]


def _columns(answers: Sequence[str], needed: Sequence[str]) -> Mapping[str, Column]:
    events = {
        name: Column(type=column.type, nullable=True, min=column.min)
        for name, column in OFFENCES.items()
        if name != "person_id"
    }
    return {
        "person_id": Column(type="id"),
        "index_date": Column(type="date"),
        **events,
        **{name: Column(type="number", nullable=True, min=0) for name in needed if name not in events},
        **{name: Column(type="number", nullable=True) for name in answers},
        "note": Column(type="text", nullable=True),
    }


def _measure(
    rows: pd.DataFrame,
    outcomes: Sequence[Outcome],
    histories: Sequence[History],
    observed_until: date | None,
    tables: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """The first row of each person and index date, with the measured values beside the answers as `got <name>`."""
    first = rows.drop_duplicates([*KEY])
    people = first[[*KEY]]
    events = rows[rows["offence_date"].notna()]
    needed = needed_columns(outcomes)
    events = events.assign(**{name: float("nan") for name in needed if name not in events.columns})
    if "conviction_date" not in events.columns:
        events = events.assign(conviction_date=pd.NaT)
    # An offence belongs to the person; the same one may be written beside each of the person's index dates.
    held = [
        "person_id",
        *(name for name in (*OFFENCES, *needed) if name in events.columns and name != "person_id"),
    ]
    held = list(dict.fromkeys(held))
    events = events.assign(again=events.groupby(["index_date", *held], dropna=False).cumcount())
    events = events.drop_duplicates([*held, "again"])[held]
    if observed_until is not None:
        events = events[events["offence_date"] <= pd.Timestamp(observed_until)]
    known = measure_history(people, events, histories)
    got = measure_outcomes(known, events, outcomes, observed_until, tables)
    return first.join(got.drop(columns=[*KEY]).add_prefix("got "))


def _contradictions(rows: pd.DataFrame, answers: Sequence[str], shown: str) -> list[Problem]:
    """Later rows of a person whose answer is not that of the first."""
    firsts = rows.groupby([*KEY], sort=False)[[ROW]].transform("min")[ROW]
    problems = []
    for name in answers:
        first = firsts.map(rows.set_index(ROW)[name])
        differs = rows[name].notna() & ~(rows[name] == first)
        wrong = f"`{name}` differs from the person's first row"
        problems += [
            Problem(where=f"{shown}, row {row}", wrong=wrong, do="Repeat the same answer, or leave it blank")
            for row in rows.loc[differs, ROW]
        ]
    return problems


def _differences(people: pd.DataFrame, answers: Sequence[str], shown: str) -> list[Problem]:
    problems = []
    for name in answers:
        for row, expected, got in zip(people[ROW], people[name], people[f"got {name}"], strict=True):
            if not _same(expected, got):
                wrong = (
                    f"`{name}` by hand is {_word(expected)}, and by the definition in study.yml {_word(got)}"
                )
                do = "Work it again, or correct the outcome's follow_up, waiting or measure"
                problems.append(Problem(where=f"{shown}, row {row}", wrong=wrong, do=do))
    return problems


def _same(expected: float, got: float) -> bool:
    if pd.isna(expected) or pd.isna(got):
        return bool(pd.isna(expected) and pd.isna(got))
    return math.isclose(expected, got, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _word(value: float) -> str:
    return "blank" if pd.isna(value) else f"{value:g}"
