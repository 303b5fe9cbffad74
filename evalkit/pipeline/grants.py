"""Grants that several studies share, over the studies that are run together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalkit.errors import DataError, EvalkitError, Problem
from evalkit.study import read_study


def grant_register(folders: Sequence[Path]) -> tuple[dict[Path, EvalkitError], dict[Path, list[str]]]:
    """The studies whose grant would count twice, with why, and what each grant leaves to no study here.

    A study that cannot be read is left to its own run, which says what is wrong with it.
    """
    from evalkit.costbenefit import register_problems, remainders

    carried = [each for folder in folders for each in _carried(folder)]
    by_name = {folder.resolve().name: folder for folder in folders}
    wrong: dict[str, list[Problem]] = {}
    for studies, problem in register_problems(carried):
        for study in studies:
            wrong.setdefault(study, []).append(problem)
    notes: dict[Path, list[str]] = {}
    for studies, words in remainders(carried):
        for study in studies - set(wrong):
            notes.setdefault(by_name[study], []).append(words)
    return {by_name[study]: DataError(problems) for study, problems in wrong.items()}, notes


def _carried(folder: Path) -> list:
    from evalkit.contract import COSTS
    from evalkit.costbenefit import carried_by, optional_columns
    from evalkit.frames import read_table

    try:
        study = read_study(folder)
        if "costs" not in study.data:
            return []
        file = study.data["costs"].file
        table = read_table(
            study.path("costs"), {**COSTS, **optional_columns("costs")}, required=list(COSTS), shown=file
        )
        return [] if table.problems else list(carried_by(folder.resolve().name, table.frame))
    except EvalkitError:
        return []
