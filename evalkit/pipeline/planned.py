"""Every mistake in what study.yml plans, with the line it stands on, before any file is opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from evalkit.errors import EvalkitError, Problem, StudyError, nearest
from evalkit.options import read_options
from evalkit.pipeline.compose import design_values
from evalkit.pipeline.estimate import missing_frames, option_values
from evalkit.pipeline.family import family_problems
from evalkit.pipeline.gather import undescribed
from evalkit.pipeline.methods import METHODS, method, option_problems
from evalkit.pipeline.plan import number_problems, outcome_problems
from evalkit.study import Study

_PLANNED = re.compile(r"study\.yml, (analyses\.[\w-]+|design|report)")


def plan_problems(study: Study) -> list[Problem]:
    """What is wrong between the analyses, their methods, the design and the reports."""
    wrong = _method_problems(study)
    problems = [*wrong, *_design_problems(study), *_template_problems(study)]
    if all(each.method in METHODS for each in study.analyses.values()):
        problems += outcome_problems(study) + missing_frames(study) + family_problems(study)
    if not wrong:
        problems += number_problems(study) + undescribed(study)
    return located(problems, study.lines)


def also_wrong(study: Study) -> list[Problem]:
    """What is wrong with the methods and their options in a study.yml that has other mistakes already.

    Only about keys that are there: what is missing may be the mistake that the reader has named.
    """
    whole = replace(study, estimand=study.estimand or "att", seed=study.seed or 0)
    analyses = {name: each for name, each in study.analyses.items() if each.method}
    problems = _method_problems(replace(whole, analyses=analyses))
    named = [each for each in problems if "is required" not in each.wrong]
    return located([*named, *_template_problems(study)], study.lines)


def located(problems: Iterable[Problem], lines: Mapping[str, int]) -> list[Problem]:
    """The same problems, each once, with the line of the key that they name, or of the block that lacks it."""
    return list(dict.fromkeys(_located(each, lines) for each in problems))


def _located(problem: Problem, lines: Mapping[str, int]) -> Problem:
    found = _PLANNED.match(problem.where)
    if found is None:
        return problem
    block, rest = found[1], problem.where[found.end() :]
    keys = [f"{block}.{key}" for key in re.findall(r"`([^`]+)`", problem.wrong)]
    keys += [f"{block}.method"] * ("no method" in problem.wrong)
    line = next((lines[key] for key in [*keys, block] if key in lines), None)
    return replace(problem, where=f"study.yml, line {line}, {block}{rest}") if line else problem


def _method_problems(study: Study) -> list[Problem]:
    problems: list[Problem] = []
    for analysis in study.analyses.values():
        where = f"study.yml, analyses.{analysis.name}"
        try:
            row = method(analysis.method, where=where)
            of_people = row.reads == "people" and analysis.data is None
            weighted = of_people and study.design is not None and study.design.method != "none"
            values = option_values(study, analysis, weighted=weighted)
        except StudyError as error:
            problems += error.problems
            continue
        problems += option_problems(row.name, values, where=where)
    return problems


def _design_problems(study: Study) -> list[Problem]:
    if study.design is None:
        return []
    from evalkit.design import DesignOptions

    try:
        read_options(DesignOptions, design_values(study), where="study.yml, design")
    except EvalkitError as error:
        return list(error.problems)
    return []


def _template_problems(study: Study) -> list[Problem]:
    if not study.report.templates:
        return []
    from evalkit.report import template_names

    known = template_names()
    return [
        Problem(
            where="study.yml, report",
            wrong="`templates` names none that there is",
            found=each,
            do=nearest(each, known),
        )
        for each in study.report.templates
        if each not in known
    ]
