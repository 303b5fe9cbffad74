"""What the files of an account show to be wrong, found by `check` as by `run`: file, row and column, all at once."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from evalkit.contract import Column
from evalkit.errors import EvalkitError, Problem
from evalkit.options import read_options
from evalkit.pipeline.estimate import option_values
from evalkit.pipeline.gather import Gathered, contract_columns
from evalkit.pipeline.methods import method
from evalkit.study import Analysis, Study

FRAMES = ("costs", "benefits")
RATES = ("risk_difference", "risk_ratio", "odds_ratio")
FRAME = re.compile(r"^(costs|benefits)(?=, row|$)")


def account_problems(study: Study, gathered: Gathered) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with study.yml and with the files of its accounts; a cell already refused as read counts once."""
    if not set(FRAMES) <= set(study.data):
        return [], []
    known = {_place(each.where) for each in gathered.problems}
    of_study: list[Problem] = []
    of_files: list[Problem] = []
    for analysis in study.analyses.values():
        row = method(analysis.method, where=f"analyses.{analysis.name}")
        if row.reads != "account":
            continue
        for each in _problems(study, analysis, gathered):
            if not FRAME.match(each.where):
                inner = f", {each.where}" if each.where not in ("", "cost_benefit") else ""
                of_study.append(replace(each, where=f"study.yml, analyses.{analysis.name}{inner}"))
                continue
            shown = replace(each, where=FRAME.sub(lambda found: study.data[found[1]].file, each.where))
            if _place(shown.where) not in known and shown not in of_files:
                of_files.append(shown)
    return of_study, of_files


def _problems(study: Study, analysis: Analysis, gathered: Gathered) -> list[Problem]:
    from evalkit.costbenefit import account_problems as of_frames

    frames = {name: _text(study, name, gathered) for name in FRAMES}
    if any(frame is None for frame in frames.values()):
        return []
    impacts, problems = _impacts(study, frames["benefits"])
    values = option_values(study, analysis) | {"impacts": impacts}
    row = method(analysis.method, where="")
    try:
        options = read_options(row.options, values, where=f"study.yml, analyses.{analysis.name}")
        return [*problems, *of_frames(frames, options)]
    except EvalkitError:
        return problems  # what is wrong with the options is a problem of the plan, which has said so


def _text(study: Study, name: str, gathered: Gathered) -> pd.DataFrame | None:
    """The frame as read; as text where some of its cells were refused, so that the others are still judged."""
    from evalkit.frames import read_table

    file = study.data[name].file
    if not any(each.where.startswith(file) for each in gathered.problems):
        return gathered.frames.get(name)
    columns = {column: Column(type="text", nullable=True) for column in contract_columns(name)}
    table = read_table(study.path(name), columns, required=(), shown=file, con=gathered.con)
    return None if table.problems else table.frame


def _impacts(study: Study, benefits: pd.DataFrame) -> tuple[dict, list[Problem]]:
    """The analyses that benefit lines name, with the scale and the estimand that they will have and no size."""
    from evalkit.costbenefit import Impact

    impacts, problems = {}, []
    if "impact" not in benefits:
        return impacts, problems
    for name in sorted(set(benefits["impact"].dropna().astype(str)) & set(study.analyses)):
        analysis = study.analyses[name]
        row = method(analysis.method, where=f"analyses.{name}")
        outcome = study.outcomes.get(analysis.outcome or "")
        wrong = _unusable(study, row.compares, row.reads, outcome)
        if wrong:
            problems.append(Problem(where=f"`impact: {name}`", wrong=wrong[0], do=wrong[1]))
        of_rates = row.name == "rates" and analysis.options.get("measure", "risk_difference") in RATES
        estimand = study.estimand if row.reads == "people" and study.estimand == "itt" else "att"
        impacts[name] = Impact(value=0.1, estimand=estimand, scale="proportion" if of_rates else "count")
    return impacts, problems


def _unusable(study: Study, compares: bool, reads: str, outcome) -> tuple[str, str] | None:
    """Why an analysis can never be an impact, and what to do."""
    if not compares or (reads == "people" and study.estimand == "descriptive" and study.design is None):
        return (
            "a description is not a net impact",
            "Value an analysis with a comparison, or enter a number with its deadweight",
        )
    if outcome is None or outcome.better is None:
        return (
            "the outcome does not say which direction is better",
            "Give `better: lower` or `better: higher`",
        )
    return None


def _place(where: str) -> str:
    return where.replace("`", "")
