"""study.yml as a frozen Study: every key known, every mistake named with its line, all of them at once.

A wrong study.yml, a path that leaves the folder included, is a `StudyError`. A file that is promised and
not there is a data problem: `data_problems` lists those, so that a study may be read before its data arrive.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from evalkit.errors import Problem, StudyError
from evalkit.study.block import Block
from evalkit.study.checks import cross_checks
from evalkit.study.reader import lines, load
from evalkit.study.sections import path_problem, sections
from evalkit.study.shapes import Analysis, Assignment, Comparison, Disclosure, Report, Source, Study, Window

__all__ = [
    "Analysis", "Assignment", "Comparison", "Disclosure", "Report", "Source", "Study", "Window",
    "data_problems", "path_problem", "read_study",
]  # fmt: skip


def read_study(folder: Path | str, *, also: Callable[[Study], list[Problem]] | None = None) -> Study:
    """Read `study.yml` in a folder (or given itself).

    Parameters
    ----------
    folder : the study's folder, or the path of its `study.yml`.
    also : asked for the problems that it sees in a study that has some already, so that all are told at once.

    Returns
    -------
    Study
        Frozen: every block of the file as a shape of its own, with defaults filled in and the line of each key kept.

    Raises
    ------
    StudyError
        With one `Problem` for each mistake, in the order of the lines.
    """
    folder = Path(folder)
    if folder.name == "study.yml":
        folder = folder.parent
    folder = folder.resolve()
    node, problems = load(folder / "study.yml")
    top = Block(node, "", problems)
    values = sections(top, folder)
    top.close()
    cross_checks(top, values)
    study = Study(folder=folder, lines=lines(node), **values)
    if problems:
        problems += also(study) if also else []
        raise StudyError(sorted(dict.fromkeys(problems), key=_line))
    return study


def data_problems(study: Study) -> list[Problem]:
    """The files that study.yml promises and that are not there: one problem each, for a DataError."""
    return [
        Problem(
            where=source.file or name,
            wrong="is not a file" if study.path(name).exists() else "there is no such file",
            do=f"Put it there, or change `data.{name}.file` in study.yml",
        )
        for name, source in study.data.items()
        if source.file is not None and not study.path(name).is_file()
    ]


def _line(problem: Problem) -> int:
    found = re.search(r"line (\d+)", problem.where)
    return int(found[1]) if found else 0
