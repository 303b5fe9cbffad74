"""The results of other studies, as a meta-analysis reads them: one row per study, from what each has published."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from evalkit.errors import DataError, Problem, StudyError
from evalkit.study import Study

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
BESIDE = re.compile(r"\A\.\./|/\Z")


def earlier_results(study: Study, names: Sequence[str]) -> pd.DataFrame:
    """The primary estimate of each named study: study, measure, estimate, std_error, outcome, window, estimand, level.

    `names` are folders beside this study's own, also written `../name`. What is read is their output/results.json, so
    nothing that the gate withheld can come back.

    Raises
    ------
    StudyError : a name that is not that of a neighbouring folder.
    DataError : a study that has not been run.
    """
    names = [BESIDE.sub("", str(name)) for name in names]
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong:
        raise StudyError(
            "`studies` names folders beside this one",
            found=wrong[0],
            do="Write `[first-study, second-study]`",
        )
    problems, rows = [], []
    for name in names:
        path = study.folder.parent / name / "output" / "results.json"
        if not path.is_file():
            problems.append(
                Problem(
                    where=name, wrong="this study has no results yet", do=f"Run `evalkit run {name}` first"
                )
            )
            continue
        rows.append(_row(name, json.loads(path.read_text(encoding="utf-8"))))
    if problems:
        raise DataError(problems)
    return pd.DataFrame(rows)


def _row(name: str, values: dict[str, Any]) -> dict[str, Any]:
    primary = next(result for result in values["results"] if result["role"] == "primary")
    head, outcome = primary["estimates"][0], values["outcomes"].get(primary["outcome"], {})
    window = (
        f"{outcome.get('follow_up')} + {outcome.get('waiting')} months"
        if outcome.get("follow_up")
        else "not stated"
    )
    return {
        "study": name, "measure": head["measure"], "estimate": head["estimate"], "std_error": head["std_error"],
        "outcome": outcome.get("measure") or primary["outcome"], "window": window, "estimand": primary["estimand"],
        "better": outcome.get("better"), "level": values["evidence"]["level"],
    }  # fmt: skip
