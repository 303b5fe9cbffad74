"""Each planned analysis, handed to its method: which rows, which columns, and whose earlier result it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from evalkit.contract import Outcome
from evalkit.errors import EvalkitError, Problem, StudyError
from evalkit.options import read_options
from evalkit.pipeline.earlier import earlier_results
from evalkit.pipeline.family import adjusted, over_analyses
from evalkit.pipeline.matched import tie_check, with_replacement
from evalkit.pipeline.methods import Method, method
from evalkit.results import Design, Result
from evalkit.study import Analysis, Study, path_problem

# Keys of an analysis that the pipeline itself reads; everything else is an option of the method.
OWN_KEYS = ("data", "data_status", "studies")
OTHER_WAY = {"lower": "higher", "higher": "lower"}
Printed = Callable[[Mapping[str, Result]], Mapping[str, Result]]


@dataclass(frozen=True, kw_only=True)
class Material:
    """What the analyses may read: people with outcomes after the design, and the study's other frames.

    `tie_samples`: the people of the same design with its ties broken in other orders.
    """

    people: pd.DataFrame | None
    frames: Mapping[str, pd.DataFrame]
    design: Design | None
    tie_samples: Sequence[pd.DataFrame] = ()


def analyse(study: Study, material: Material, as_printed: Printed = dict) -> dict[str, Result]:
    """Every analysis of the study under its name; those that rest on another come after it.

    `as_printed` turns results into what may be printed of them: an account values that, and nothing finer.
    """
    results: dict[str, Result] = {}
    for analysis in in_order(study):
        try:
            account = method(analysis.method, where="").reads == "account"
            earlier = as_printed(results) if account else results
            results[analysis.name] = _one(study, analysis, material, earlier)
        except EvalkitError as error:
            raise type(error)(at_analysis(problem, analysis) for problem in error.problems) from None
    return adjusted(study, {name: results[name] for name in study.analyses}, seed_of)


def in_order(study: Study) -> list[Analysis]:
    """Accounts last: their impacts may come from the analyses before them."""
    return sorted(study.analyses.values(), key=lambda each: method(each.method, where="").reads == "account")


def seed_of(study: Study, analysis: str) -> int:
    """A stream of its own for each analysis, keyed by its name, so that adding one changes no other."""
    return int.from_bytes(hashlib.sha256(f"{study.seed}:{analysis}".encode()).digest()[:6], "big")


def option_values(
    study: Study, analysis: Analysis, *, weighted: bool = False, matched: bool = False
) -> dict[str, Any]:
    """The options of an analysis as its method names them, with what the study knows filled in."""
    row = method(analysis.method, where=f"analyses.{analysis.name}")
    own = (*OWN_KEYS, "p_adjust") if over_analyses(analysis) else OWN_KEYS
    values = {name: value for name, value in analysis.options.items() if name not in own}
    if row.reads == "people" and analysis.outcome in study.outcomes:
        values |= _outcome_columns(study.outcomes[analysis.outcome], row)
        if _is_mean(values) and not _reused(study):
            values = _of_harm(study.outcomes[analysis.outcome], row) | values
    if isinstance(values.get("parameters"), str):
        values["parameters"] = _inside(study, analysis, values["parameters"])
    known = {
        "seed": seed_of(study, analysis.name),
        "estimand": study.estimand,
        "chosen_when_high": study.assignment.chosen_when_high,
    }
    if weighted:
        known["weights"] = "weight"
    if matched:
        known["subclass"] = "subclass"
    return {name: value for name, value in known.items() if name in row.option_names} | values


def _inside(study: Study, analysis: Analysis, given: str) -> str:
    """A file that an analysis names, which must lie inside the study."""
    wrong = path_problem(given, study.folder)
    if wrong:
        raise StudyError(f"`parameters` {wrong}", where=f"study.yml, analyses.{analysis.name}", found=given)
    return str(study.folder / given)


def _one(study: Study, analysis: Analysis, material: Material, earlier: Mapping[str, Result]) -> Result:
    row = method(analysis.method, where=f"analyses.{analysis.name}")
    design = material.design
    of_people = row.reads == "people" and analysis.data is None
    weighted = of_people and design is not None and design.method != "none"
    values = option_values(
        study, analysis, weighted=weighted, matched=weighted and design.subclass is not None
    )
    frame = _frame(study, row, analysis, material)
    if row.reads == "account":
        values["impacts"] = _impacts(study, frame, earlier, values)
    values |= series_of(values, material.frames)
    options = read_options(row.options, values, where=f"study.yml, analyses.{analysis.name}")
    result = row.function(frame, options)
    if row.name == "rates" and of_people:
        result = with_replacement(study, design, frame, options, result)
    if (
        row.name == "rates"
        and of_people
        and material.tie_samples
        and analysis.role in ("primary", "secondary")
    ):
        check = tie_check(material.tie_samples, row.function, options, result)
        result = replace(result, checks=(*result.checks, check))
    return _finished(study, analysis, row, design, result)


def series_of(values: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The frame of past counts that an analysis names beside its own data."""
    named = values.get("series")
    return {"series": frames[named]} if isinstance(named, str) and named in frames else {}


def _frame(study: Study, row: Method, analysis: Analysis, material: Material) -> Any:
    if row.reads == "account":
        return {name: material.frames[name] for name in ("costs", "benefits") if name in material.frames}
    if analysis.data is not None:
        return material.frames[analysis.data]
    if row.reads == "studies":
        return earlier_results(study, analysis.options.get("studies", ()))
    if row.name == "progression":
        people = {} if material.people is None else {"people": material.people}
        return people | dict(material.frames)
    if row.reads == "people":
        return material.people
    return None


def _outcome_columns(outcome: Outcome, row: Method) -> dict[str, Any]:
    if row.name == "survival":
        return _times(outcome)
    if outcome.measure == "column":
        better = {"better": outcome.better} if "better" in row.option_names and outcome.better else {}
        return {"outcome": outcome.column, **better}
    columns = {"outcome": outcome.name, "better": outcome.better}
    if outcome.measure == "binary":
        columns |= {"time": f"{outcome.name}_time", "event": f"{outcome.name}_event"}
    return {name: value for name, value in columns.items() if name in row.option_names and value is not None}


def _times(outcome: Outcome) -> dict[str, Any]:
    """A time and an event, and whether a longer time is better: of an event itself it is the other way round."""
    columns = {"time": f"{outcome.name}_time", "event": f"{outcome.name}_event", "outcome": outcome.name}
    if outcome.measure == "duration":
        columns |= {"time": outcome.time, "event": outcome.event}
    if outcome.better is None:
        return columns
    of_time = outcome.measure in ("time_to_first", "duration")
    return columns | {"better": outcome.better if of_time else OTHER_WAY[outcome.better]}


def _is_mean(values: Mapping[str, Any]) -> bool:
    return values.get("measure") == "mean_difference" and values.get("missing", "complete") == "complete"


def _reused(study: Study) -> bool:
    """Whether a control may stand for several treated people: a bootstrap of such matches has not the right spread."""
    return study.design is not None and bool(study.design.options.get("replace"))


def _of_harm(outcome: Outcome, row: Method) -> dict[str, Any]:
    """A few people carry most harm, so a difference of its means is looked at in more ways than one."""
    if outcome.measure != "severity" or "heavy_tailed" not in row.option_names:
        return {}
    largest = {"largest_event": f"{outcome.name}_largest"} if outcome.score == "sum" else {}
    return {"heavy_tailed": True, **largest}


def _impacts(
    study: Study, frames: Mapping[str, pd.DataFrame], earlier: Mapping[str, Result], values: Mapping[str, Any]
) -> dict[str, Any]:
    from evalkit.costbenefit import impact_from

    if "benefits" not in frames:
        return {}
    named = frames["benefits"]["impact"].dropna().astype(str).unique()
    impacts = {}
    for name in sorted(set(named) & set(earlier)):
        outcome = study.outcomes.get(study.analyses[name].outcome or "")
        baseline = dict(values.get("baselines") or {}).get(name, _baseline(earlier[name]))
        impact = impact_from(earlier[name], better=outcome.better if outcome else None, baseline=baseline)
        counted = outcome is not None and outcome.measure == "frequency"
        impacts[name] = replace(impact, types=outcome.types) if counted else impact
    return impacts


def _baseline(result: Result) -> float | None:
    """What a ratio multiplies: the rate of the comparison arm, as that analysis measured it."""
    if not result.headline.measure.endswith("ratio") or "arms" not in result.detail:
        return None
    arms = result.detail["arms"].set_index("arm")["value"]
    return float(arms["control"]) if "control" in arms.index else None


def _finished(study: Study, analysis: Analysis, row: Method, design: Design | None, result: Result) -> Result:
    """The result under the study's own names: its role, its outcome, the estimand of the comparison, the unit."""
    estimand = result.estimand
    if row.reads == "people" and row.compares:
        designed = analysis.data is None and design is not None and design.method != "none"
        estimand = design.estimand if designed else study.estimand
    outcome = study.outcomes.get(analysis.outcome or "")
    if outcome is not None and outcome.measure == "time_to_first" and row.name == "rates":
        # Days to a first reoffence exist only for those who reoffended: two selected groups, never an effect.
        estimand = "descriptive"
    estimates, unit = result.estimates, _unit(study, analysis, row)
    if unit is not None:
        estimates = tuple(
            replace(each, unit=unit)
            if each.measure == "mean_difference" and "slope" not in each.term
            else each
            for each in estimates
        )
    return replace(
        result, analysis=analysis.name, role=analysis.role, estimand=estimand, estimates=estimates,
        outcome=analysis.outcome or result.outcome,
    )  # fmt: skip


def _unit(study: Study, analysis: Analysis, row: Method) -> str | None:
    """What a difference of means is counted in: as study.yml says, or as the outcome was measured."""
    outcome = study.outcomes.get(analysis.outcome or "") if row.reads == "people" else None
    if outcome is None:
        column = study.columns.get(analysis.outcome or "") if row.reads == "frame" else None
        return None if column is None else column.unit
    if outcome.measure == "severity":
        return outcome.unit or (outcome.weight or "harm_days").replace("_", " ")
    measured = {"time_to_first": "days", "frequency": "offences per person"}
    return outcome.unit or measured.get(outcome.measure)


def at_analysis(problem: Problem, analysis: Analysis) -> Problem:
    """The same problem, with the analysis that met it."""
    where = f"analyses.{analysis.name}"
    if where in problem.where:
        return problem
    return replace(problem, where=f"{where}, {problem.where}" if problem.where else where)


def missing_frames(study: Study) -> list[Problem]:
    """Analyses that read a kind of data that the study does not have."""
    problems = []
    for analysis in study.analyses.values():
        row = method(analysis.method, where=f"analyses.{analysis.name}")
        where = f"study.yml, analyses.{analysis.name}"
        if row.reads == "frame" and analysis.data is None:
            problems.append(
                Problem(where=where, wrong="`data` is required: the name of a frame under `data`")
            )
        if row.reads == "studies" and analysis.data is None and not analysis.options.get("studies"):
            problems.append(Problem(where=where, wrong=f"`{row.name}` needs `studies` or `data`"))
        if row.reads == "account":
            problems += [
                Problem(where=where, wrong=f"`{row.name}` needs `data.{name}`", do="Add it under `data`")
                for name in ("costs", "benefits")
                if name not in study.data
            ]
        needs_people = row.reads == "people" and (row.compares or analysis.outcome is not None)
        if needs_people and analysis.data is None and not study.has_people:
            problems.append(
                Problem(
                    where=where, wrong=f"`{row.name}` needs people", do="Add `data.cohort` or `data.people`"
                )
            )
    return problems
