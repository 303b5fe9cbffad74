"""From a Study to frames: people, offences, the study's own frames; every problem of every file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from evalkit.contract import BENEFITS, COSTS, OFFENCES, PUBLISHED, Column, Outcome
from evalkit.errors import Problem
from evalkit.pipeline.harm import tables_of_weights, types_of_offences
from evalkit.pipeline.infer import first_treated, frame_columns, named_columns
from evalkit.pipeline.methods import METHODS
from evalkit.study import Study, data_problems

PEOPLE = ("people", "cohort", "control")
CONTRACT: Mapping[str, Mapping[str, Column]] = {"costs": COSTS, "benefits": BENEFITS, "published": PUBLISHED}
# Columns of a contract frame that a study may leave out: they have a plain meaning when absent.
MAY_LACK = {"published": tuple(PUBLISHED), "costs": (), "benefits": ()}


@dataclass(kw_only=True)
class Gathered:
    """What a study's files hold. `offences` stays in the engine; `notes` say what was ignored or assumed."""

    people: pd.DataFrame | None = None
    offences: Any = None
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    con: Any = None
    flawed: set[str] = field(default_factory=set)

    def sound(self) -> set[str]:
        """The names of the frames that were read without a problem."""
        return set(self.frames) - self.flawed


def gather(study: Study) -> Gathered:
    """Read every file of the study once. What a user did to a file is a problem in the list, never an exception."""
    from evalkit.engine import connect

    found = Gathered(
        problems=data_problems(study),
        con=connect({"spark": study.spark} if study.spark else "duckdb", folders=[study.folder]),
    )
    if found.problems:
        return found
    if study.has_people:
        _people(study, found)
    if "offences" in study.data:
        _offences(study, found)
    weights = tables_of_weights(study)
    for name in study.data:
        if name in weights:
            _weights(study, name, weights[name], found)
        elif name not in (*PEOPLE, "offences"):
            _frame(study, name, found)
    if found.offences is not None and not found.problems:
        wrong, notes = types_of_offences(study, used_outcomes(study), found.con, found.people, found.frames)
        found.problems += wrong
        found.notes += notes
    found.notes += _nowhere(study, found)
    return found


def _nowhere(study: Study, found: Gathered) -> list[str]:
    """Columns that study.yml describes and no file has: what uses one is refused, and one that nothing uses is said."""
    read = [each for each in (found.people, *found.frames.values()) if each is not None]
    if found.problems or not read:
        return []
    held = {"person_id", "index_date", "treated", *(OFFENCES if "offences" in study.data else ())}
    held |= {str(name) for frame in read for name in frame.columns}
    absent = [f"`{name}`" for name in study.columns if name not in held]
    if not absent:
        return []
    what = f"column {absent[0]} is" if len(absent) == 1 else f"columns {', '.join(absent)} are"
    it = "it" if len(absent) == 1 else "them"
    return [f"study.yml, columns: {what} in no file, and nothing uses {it}"]


def _date_formats(study: Study) -> dict[str, str]:
    """How the offences write their dates, where `columns` says so for a column of the contract."""
    described = {name: column for name, column in study.columns.items() if name in OFFENCES}
    return {name: each.date_format for name, each in described.items() if each.date_format}


def event_outcomes(study: Study) -> list[Outcome]:
    """The outcomes that are measured from the offences."""
    return [outcome for outcome in study.outcomes.values() if outcome.from_events]


def used_outcomes(study: Study) -> list[Outcome]:
    """The outcomes to measure: those that some analysis is about, and those that offence dates alone give.

    Harm needs a column of weights, which nobody must have for an outcome that no analysis is about. Criteria of
    progression may read any outcome.
    """
    about = {analysis.outcome for analysis in study.analyses.values()}
    if any(analysis.method == "progression" for analysis in study.analyses.values()):
        about |= {each.name for each in study.outcomes.values() if each.from_events}
    dates_do = {
        each.name for each in study.outcomes.values() if each.from_events and each.measure != "severity"
    }
    return [each for each in study.outcomes.values() if each.name in about | dates_do]


def _people(study: Study, found: Gathered) -> None:
    from evalkit.frames import read_people

    files = {name: study.path(name) for name in PEOPLE if name in study.data}
    window = (study.window.start, study.window.end) if study.window else (None, None)
    table = read_people(
        files, study.columns, required=_used(study), window=window,
        shown={name: study.data[name].file for name in files}, con=found.con,
    )  # fmt: skip
    found.problems += table.problems
    found.notes += table.notes
    found.people = table.frame


def _used(study: Study) -> list[str]:
    """The columns of people that the design or an analysis of people names."""
    names = ["index_date"] if "index_date" in study.columns else []
    if study.design is not None:
        names += [*study.design.covariates, *study.design.exact]
    for outcome in used_outcomes(study):
        names += [each for each in (outcome.column, outcome.time, outcome.event) if each]
    for analysis in study.analyses.values():
        if METHODS[analysis.method].reads == "people" and analysis.data is None:
            names += named_columns(analysis.options, but=("outcome",))
    return [name for name in dict.fromkeys(names) if name in study.columns]


def _offences(study: Study, found: Gathered) -> None:
    from evalkit.frames import read_offences

    used = used_outcomes(study)
    weights = {
        each.weight or "harm_days" for each in used if each.measure == "severity" and each.weights is None
    }
    read = read_offences(
        study.path("offences"), found.con, people=None if found.people is None or found.people.empty else found.people,
        observed_until=study.observed_until, weights=sorted(weights), by_type=any(each.by_type for each in used),
        shown=study.data["offences"].file, date_formats=_date_formats(study),
    )  # fmt: skip
    found.problems += read.problems
    found.notes += read.notes
    found.offences = read.table


def _weights(study: Study, name: str, users: list[Outcome], found: Gathered) -> None:
    from evalkit.frames import read_weights

    table = read_weights(
        study.path(name), sorted({each.weight or "harm_days" for each in users}), con=found.con,
        once=any(each.aggregation in (None, "code") for each in users), shown=study.data[name].file,
    )  # fmt: skip
    found.problems += table.problems
    found.notes += table.notes
    found.frames[name] = table.frame


def _frame(study: Study, name: str, found: Gathered) -> None:
    from evalkit.frames import read_table

    contract = _contract(name)
    if contract is None:
        columns, required = frame_columns(study, name, found.con)
    else:
        columns, required = contract, [each for each in CONTRACT[name] if each not in MAY_LACK[name]]
    dates = {each for each, column in columns.items() if column.type == "date"}
    table = read_table(
        study.path(name), columns, required=required, shown=study.data[name].file, con=found.con,
        zero_is_blank=first_treated(study, name) & dates,
    )  # fmt: skip
    found.problems += table.problems
    if table.problems:
        found.flawed.add(name)
    found.notes += [note for note in table.notes if contract is None or "ignored" not in note]
    found.frames[name] = table.frame


def _contract(name: str) -> dict[str, Column] | None:
    """The columns of a frame that the contract describes, those that it may also hold included."""
    if name not in CONTRACT:
        return None
    if name == "published":
        return dict(PUBLISHED)
    from evalkit.costbenefit import optional_columns

    # A coded unit cost brings its own price year.
    blank = {"price_year": replace(BENEFITS["price_year"], nullable=True)} if name == "benefits" else {}
    return {**CONTRACT[name], **blank, **optional_columns(name)}


def contract_columns(name: str) -> list[str]:
    """The names that a frame of the contract may hold."""
    return list(_contract(name) or ())


def undescribed(study: Study) -> list[Problem]:
    """Columns of people that an analysis uses and that `columns` does not describe."""
    known = {*study.columns, *study.history, *study.outcomes, "treated", "person_id", "index_date"}
    return [
        Problem(
            where=f"study.yml, analyses.{analysis.name}", wrong=f"column `{column}` is not under `columns`",
            do=f"Add `{column}: {{type: …}}`",
        )
        for analysis in study.analyses.values()
        if analysis.data is None and METHODS[analysis.method].reads == "people" and study.has_people
        for column in named_columns(analysis.options, but=("outcome",))
        if column not in known
    ]  # fmt: skip
