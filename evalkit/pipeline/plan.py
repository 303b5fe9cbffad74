"""What cannot be between an analysis and its outcome, or among the numbers that study.yml itself holds."""

from __future__ import annotations

import warnings
from dataclasses import replace

from evalkit.errors import EvalkitError, Problem
from evalkit.options import read_options
from evalkit.pipeline.estimate import option_values
from evalkit.pipeline.gather import Gathered
from evalkit.pipeline.methods import METHODS
from evalkit.study import Analysis, Study

OF_YES_OR_NO = ("risk_difference", "risk_ratio", "odds_ratio")
WITH_TIMES = ("duration", "time_to_first", "binary")


def outcome_problems(study: Study) -> list[Problem]:
    """Methods that cannot read the outcome that they are given, by what the outcome measures."""
    problems = []
    for analysis in study.analyses.values():
        outcome = study.outcomes.get(analysis.outcome or "")
        if outcome is None or METHODS[analysis.method].reads != "people":
            continue
        where = f"study.yml, analyses.{analysis.name}"
        found = f"{outcome.name} ({outcome.measure})"
        if analysis.method == "survival" and outcome.measure not in WITH_TIMES:
            wrong = "`survival` needs an outcome with a time"
            do = "Use an outcome of measure `time_to_first`, `binary` or `duration`"
            problems.append(Problem(where=where, wrong=wrong, found=found, do=do))
        if analysis.method != "survival" and outcome.measure == "duration":
            wrong = f"`{analysis.method}` cannot read a time that may be cut short"
            do = "Use `method: survival`, or an outcome of measure `column`"
            problems.append(Problem(where=where, wrong=wrong, found=found, do=do))
        measure = analysis.options.get("measure", "risk_difference")
        counted = outcome.measure in ("frequency", "severity", "time_to_first")
        if analysis.method == "rates" and counted and measure in OF_YES_OR_NO:
            wrong = f"`measure` {measure} needs an outcome that is yes or no"
            do = "Write `measure: mean_difference`, or `rate_ratio` for a frequency"
            problems.append(Problem(where=where, wrong=wrong, found=found, do=do))
    return problems


def number_problems(study: Study) -> list[Problem]:
    """What is wrong with numbers written in study.yml itself.

    Such a method reads nothing else, so whether its numbers can be is known before any file is opened: it is called,
    and what it returns is thrown away.
    """
    problems = []
    for analysis in study.analyses.values():
        alone = analysis.data is None and "series" not in analysis.options
        if METHODS[analysis.method].reads == "numbers" and alone:
            problems += _refused(study, analysis)
    return problems


def score_problems(study: Study, gathered: Gathered) -> list[Problem]:
    """What is wrong with the rows that a risk score is checked on, so far as they are there before any outcome is
    measured; and groups that study.yml names and that hold nobody."""
    problems: list[Problem] = []
    for analysis in study.analyses.values():
        frame = gathered.people if analysis.data is None else gathered.frames.get(analysis.data)
        if analysis.method != "risk_score" or frame is None or frame.empty:
            continue
        from evalkit.monitor.score_table import nobody_in, score_problems

        where = f"study.yml, analyses.{analysis.name}"
        options = read_options(METHODS["risk_score"].options, option_values(study, analysis), where=where)
        if options.outcome not in frame.columns and analysis.outcome in study.outcomes:
            continue
        found = score_problems(frame, options)
        column = study.columns.get(options.group or "")
        if not found and column is not None:
            there = set(frame[options.group])
            empty = [each for each in column.values or () if each not in there]
            found = [nobody_in(empty, f"column `{options.group}`")] if empty else []
        problems += [replace(each, where=f"{where}, {each.where}") for each in found]
    return problems


def _refused(study: Study, analysis: Analysis) -> list[Problem]:
    where = f"study.yml, analyses.{analysis.name}"
    row = METHODS[analysis.method]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row.function(None, read_options(row.options, option_values(study, analysis), where=where))
    except EvalkitError as error:
        return [
            Problem(
                where=f"{where}, {each.where}" if each.where else where,
                wrong=each.wrong,
                found=each.found,
                do=each.do,
            )
            for each in error.problems
        ]
    return []
