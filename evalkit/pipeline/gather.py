"""From a Study to frames: people, offences, the study's own frames; every problem of every file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from evalkit.contract import BENEFITS, COSTS, PUBLISHED, Column, Outcome
from evalkit.errors import Problem
from evalkit.pipeline.methods import METHODS
from evalkit.study import Study, data_problems

PEOPLE = ("people", "cohort", "control")
CONTRACT: Mapping[str, Mapping[str, Column]] = {"costs": COSTS, "benefits": BENEFITS, "published": PUBLISHED}
# Columns of a contract frame that a study may leave out: they have a plain meaning when absent.
MAY_LACK = {"published": tuple(PUBLISHED), "costs": (), "benefits": ()}
# Options that name a column of the frame that an analysis reads.
COLUMN_OPTIONS = (
    "outcome", "unit", "period", "first_treated", "exposure", "cluster", "weights", "group", "category", "subgroup",
    "compliance", "before", "after",
    "exposure_before", "exposure_after", "comparison_before", "comparison_after", "successes", "trials", "stages",
    "invited", "answered", "agreed", "treated_unit",
)  # fmt: skip


@dataclass(kw_only=True)
class Gathered:
    """What a study's files hold. `offences` stays in the engine; `notes` say what was ignored or assumed."""

    people: pd.DataFrame | None = None
    offences: Any = None
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    con: Any = None


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
    for name in study.data:
        if name not in (*PEOPLE, "offences"):
            _frame(study, name, found)
    return found


def event_outcomes(study: Study) -> list[Outcome]:
    """The outcomes that are measured from the offences."""
    return [outcome for outcome in study.outcomes.values() if outcome.from_events]


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
    for outcome in study.outcomes.values():
        names += [each for each in (outcome.column, outcome.time, outcome.event) if each]
    for analysis in study.analyses.values():
        if METHODS[analysis.method].reads == "people" and analysis.data is None:
            names += _named_columns(analysis.options, but=("outcome",))
    return [name for name in dict.fromkeys(names) if name in study.columns]


def _named_columns(options: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> list[str]:
    lists = [options.get(name) or () for name in ("covariates", "adjust", "predictors")]
    single = [options.get(name) for name in COLUMN_OPTIONS if name not in but]
    return [each for each in single if isinstance(each, str)] + [each for some in lists for each in some]


def _offences(study: Study, found: Gathered) -> None:
    from evalkit.frames import read_offences

    weights = {
        outcome.weight or "harm_days" for outcome in study.outcomes.values() if outcome.measure == "severity"
    }
    read = read_offences(
        study.path("offences"), found.con, people=None if found.people is None or found.people.empty else found.people,
        observed_until=study.observed_until, weights=sorted(weights), shown=study.data["offences"].file,
    )  # fmt: skip
    found.problems += read.problems
    found.notes += read.notes
    found.offences = read.table


def _frame(study: Study, name: str, found: Gathered) -> None:
    from evalkit.frames import read_table

    contract = _contract(name)
    columns = contract or study.columns
    required = (
        _needed(study, name)
        if contract is None
        else [each for each in CONTRACT[name] if each not in MAY_LACK[name]]
    )
    table = read_table(
        study.path(name), columns, required=required, shown=study.data[name].file, con=found.con
    )
    found.problems += table.problems
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


def _needed(study: Study, name: str) -> list[str]:
    """The columns of a frame that some analysis names and that study.yml describes."""
    needed = []
    for analysis in study.analyses.values():
        if analysis.data == name:
            needed += _named_columns(analysis.options)
    return [column for column in dict.fromkeys(needed) if column in study.columns]


def undescribed(study: Study) -> list[Problem]:
    """Columns that an analysis of a frame uses and that `columns` does not describe."""
    return [
        Problem(
            where=f"study.yml, analyses.{analysis.name}", wrong=f"column `{column}` is not under `columns`",
            do=f"Add `{column}: {{type: …}}`",
        )
        for analysis in study.analyses.values()
        if analysis.data is not None and analysis.data not in CONTRACT
        for column in dict.fromkeys(_named_columns(analysis.options))
        if column not in study.columns
    ]  # fmt: skip
