"""results.json as the contract has it: assembled from what the gate released and from what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit import __version__
from evalkit.contract import Outcome
from evalkit.disclosure import WITHHELD, Released, write_csv
from evalkit.pipeline.family import family_words
from evalkit.pipeline.harm import rule_in_words
from evalkit.pipeline.tell import Told, answers, called, definition_of, label_of
from evalkit.results import Design, Result
from evalkit.study import Study

SCHEMA = 1
ASSIGNMENT = ("by", "unit", "chosen_when_high", "registered")


def record(
    study: Study, released: Released, told: Sequence[Told], design: Design | None, *,
    parameters: Sequence[Mapping[str, Any]], detail: Mapping[str, Mapping[str, str]],
    weights: Mapping[str, pd.DataFrame] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Everything that results.json holds, in the order of the contract; what reports need beyond it comes last."""
    printed = {result.analysis: result for result in released.results}
    first = next(each for each in told if each.analysis == study.primary.name)
    together = family_words(study, printed)
    return {
        "schema": SCHEMA, "evalkit": __version__, "study": study.study, "title": study.title,
        "data_status": study.data_status, "about": _about(study), "outcomes": _outcomes(study, weights or {}),
        "flow": released.flow.replace({WITHHELD: None}), "design": _design(released, design, detail),
        "evidence": first.evidence.to_dict(),
        "results": [_result(printed[name], detail.get(name, {})) for name in study.analyses],
        "statements": [_statement(study, each, together.get(each.analysis)) for each in told],
        "published": released.published if released.published is not None else [],
        "warnings": list(released.texts[1:] if design is not None else released.texts),
        "disclosure": {
            "preset": study.disclosure.preset, "suppressed": released.suppressed, "notes": list(released.notes),
            "already_public": study.disclosure.already_public,
        },
        "headline": first.statement.headline,
        "answers": answers(study, told, printed),
        "parameters": list(parameters),
    }  # fmt: skip


def write_detail(released: Released, folder: Path) -> dict[str, dict[str, str]]:
    """Each frame as detail/<analysis>_<frame>.csv, and balance.csv; the paths by analysis, and under `design`."""
    (folder / "detail").mkdir(exist_ok=True)
    paths: dict[str, dict[str, str]] = {"design": {}}
    for result in released.results:
        paths[result.analysis] = {
            name: _write(frame, folder, f"{result.analysis}_{name}") for name, frame in result.detail.items()
        }
    if released.balance is not None:
        paths["design"]["balance"] = _write(released.balance, folder, "balance")
    for name, frame in released.other.items():
        paths["design"][name] = _write(frame, folder, name)
    return paths


def _write(frame: pd.DataFrame, folder: Path, name: str) -> str:
    path = f"detail/{name}.csv"
    write_csv(frame, folder / path)
    return path


def _about(study: Study) -> dict[str, Any]:
    window = {"from": study.window.start, "to": study.window.end} if study.window else {}
    return {
        "question": study.question, "intervention": dict(study.intervention), "commissioner": study.commissioner,
        "window": window, "observed_until": study.observed_until,
        "assignment": {name: getattr(study.assignment, name) for name in ASSIGNMENT},
        "arms": dict(study.arms), "estimand": study.estimand, "seed": study.seed,
    }  # fmt: skip


def _outcomes(study: Study, weights: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    return {
        name: {
            "label": called(outcome), "definition": _definition(study, outcome, weights),
            "better": outcome.better,
            "measure": outcome.measure, "unit": outcome.unit, "follow_up": outcome.follow_up,
            "waiting": outcome.waiting,
        }
        for name, outcome in study.outcomes.items()
    }  # fmt: skip


def _definition(study: Study, outcome: Outcome, weights: Mapping[str, pd.DataFrame]) -> str:
    """The sentence that statements use, and after it where weights come from and every type that was named."""
    return f"{definition_of(outcome)} {rule_in_words(study, outcome, weights)}".rstrip()


def _design(
    released: Released, design: Design | None, detail: Mapping[str, Mapping[str, str]]
) -> dict[str, Any] | None:
    """The comparison as it may be printed: its sentence is the first of the texts that passed the gate."""
    if design is None:
        return None
    return {
        "method": design.method, "estimand": design.estimand, "covariates": list(design.covariates),
        "summary": released.texts[0], "checks": [check.to_dict() for check in released.checks], **detail["design"],
    }  # fmt: skip


def _result(result: Result, paths: Mapping[str, str]) -> dict[str, Any]:
    return result.to_dict() | {"detail": dict(paths)}


def _statement(study: Study, told: Told, together: str | None) -> dict[str, Any]:
    """What may be said of one analysis; `together`: with which others its p-value is adjusted, and how."""
    analysis = study.analyses[told.analysis]
    return told.statement.to_dict() | {
        "role": analysis.role, "label": label_of(study, analysis), "level": told.evidence.level,
        "certainty": told.evidence.certainty, "obligatory": told.evidence.obligatory,
        "data_status": analysis.options.get("data_status") or study.data_status,
    } | ({} if together is None else {"p_adjusted": together})  # fmt: skip
