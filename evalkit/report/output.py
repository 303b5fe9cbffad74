"""What a report may read: results.json, detail/*.csv and run.json of one study's output folder, and nothing else."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.errors import ReportError
from evalkit.report.words import plain_words
from evalkit.results import Check, Estimate, Result

STATUS = {"real": "Real data", "published": "Published figures", "simulated": "Invented data"}


@dataclass(frozen=True, kw_only=True)
class Output:
    """One study's gated results: `values` is results.json, `run` is run.json, `results` holds detail as text frames.

    Detail cells stay text, since a withheld cell reads `[c]`; figures turn what they draw into numbers.
    """

    folder: Path
    values: Mapping[str, Any]
    results: tuple[Result, ...]
    balance: pd.DataFrame | None = None
    overlap: pd.DataFrame | None = None
    run: Mapping[str, Any] = field(default_factory=dict)

    def get(self, *path: str) -> Any:
        """The value at a path of keys, or None where any step is missing."""
        found: Any = self.values
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def rows(self, key: str) -> list[Mapping[str, Any]]:
        """A list of records under a top-level key; empty where there is none."""
        found = self.values.get(key)
        return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []

    @property
    def primary(self) -> Result | None:
        return next((each for each in self.results if each.role == "primary"), None)

    @property
    def simulated(self) -> bool:
        return self.values.get("data_status") == "simulated"

    @property
    def internal(self) -> bool:
        return self.get("disclosure", "preset") == "internal"

    @property
    def arms(self) -> dict[str, str]:
        """What the two groups are called."""
        named = self.get("about", "arms") or {}
        return {"treated": "people on the programme", "control": "comparison group"} | dict(named)

    def label(self, result: Result) -> str:
        """What an analysis measures, in the words of its outcome, its data marked where they are of another kind."""
        said = self.statement(result.analysis)
        label = said.get("label") or self.get("outcomes", result.outcome, "label")
        label = str(label or plain_words(result.outcome or result.analysis))
        status = said.get("data_status")
        others = {row.get("data_status", status) for row in self.rows("statements")} - {status}
        if status in STATUS and (others or status != self.values.get("data_status")):
            return f"{label} ({STATUS[status].lower()})"
        return label

    def level(self, analysis: str) -> int:
        """The evidence level of one analysis; nought where none is given."""
        level = self.statement(analysis).get("level", self.get("evidence", "level"))
        return level if isinstance(level, int) else 0

    @property
    def hypothetical(self) -> bool:
        """Whether the evidence level is only what such a design would earn."""
        main = self.statement(self.primary.analysis) if self.primary else {}
        unsaid = main.get("data_status", self.values.get("data_status")) == "simulated"
        return bool((self.get("evidence") or {}).get("hypothetical", unsaid))

    @property
    def mixed(self) -> bool:
        """Whether invented data stand beside real or published figures: other analyses', or a source's own."""
        return "simulated" in self._kinds and bool(self._kinds - {"simulated"})

    @property
    def _kinds(self) -> set[str]:
        """The kinds of data that the analyses work with, and that of figures which a source printed."""
        kinds = {str(row["data_status"]) for row in self.rows("statements") if row.get("data_status")}
        return (
            kinds
            | {str(self.values.get("data_status"))}
            | ({"published"} if self.rows("published") else set())
        )

    @property
    def status(self) -> str:
        """What kind of data the study works with, in words; empty where that is not recorded."""
        own = str(self.values.get("data_status"))
        if not self.mixed:
            return STATUS.get(own, "")
        known = [STATUS[kind] for kind in ("real", "published") if kind in self._kinds]
        return " and ".join([known[0], *(each.lower() for each in (*known[1:], STATUS["simulated"]))])

    def statement(self, analysis: str) -> Mapping[str, Any]:
        """What may and may not be said about an analysis."""
        return next((row for row in self.rows("statements") if row.get("analysis") == analysis), {})


def read_output(folder: Path) -> Output:
    """Read an output folder; refuse one that is missing, unreadable, or points outside itself."""
    values = _json(folder / "results.json")
    for key in ("study", "title", "data_status", "results"):
        if key not in values:
            raise ReportError(f"`{key}` is missing", where=str(_short(folder / "results.json")),
                              do="Run the study again")  # fmt: skip
    design = values.get("design") or {}
    run = folder / "run.json"
    return Output(
        folder=folder,
        values=values,
        results=tuple(_result(each, folder) for each in values["results"]),
        **{
            name: read_frame(folder, design[name])
            for name in ("balance", "overlap")
            if isinstance(design.get(name), str)
        },
        run=_json(run) if run.exists() else {},
    )


def read_frame(folder: Path, name: str) -> pd.DataFrame:
    """A detail file as text, the apostrophe that guards a spreadsheet against formulas taken off again."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise ReportError(
            "a detail file is missing", where="results.json", found=name, do="Run the study again"
        )
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows:
        return pd.DataFrame()
    body = [[_unguarded(cell) for cell in row] for row in rows[1:] if row]
    if any(len(row) != len(rows[0]) for row in body):
        raise ReportError("a detail file has rows of unequal length", where=name, do="Run the study again")
    return pd.DataFrame(body, columns=rows[0], dtype=str)


def share_criteria(frame: pd.DataFrame) -> pd.Series:
    """Which criteria of progression are shares of people; the others are numbers on a scale of their own."""
    known = numbers(frame, ["value", "green", "amber"])[["value", "green", "amber"]]
    return (known.isna() | ((known >= 0) & (known <= 1))).all(axis=1)


def numbers(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """A copy with those columns as numbers; what is withheld or blank becomes missing, an absent column too."""
    copy = frame.copy()
    for name in names:
        copy[name] = pd.to_numeric(copy[name], errors="coerce") if name in copy else float("nan")
    return copy


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in set("=+-@\t\r") else cell


def _result(values: Mapping[str, Any], folder: Path) -> Result:
    detail = {
        name: read_frame(folder, path)
        for name, path in (values.get("detail") or {}).items()
        if isinstance(path, str) and path.endswith(".csv")
    }
    return Result(
        **{name: values.get(name) or "" for name in ("analysis", "role", "method", "estimand", "outcome")},
        estimates=tuple(Estimate(**_known(Estimate, each)) for each in values.get("estimates") or ()),
        checks=tuple(Check(**_known(Check, each)) for each in values.get("checks") or ()),
        detail=detail,
        references=tuple(values.get("references") or ()),
    )


def _known(shape: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(shape)}
    kept = {name: value for name, value in values.items() if name in names}
    return {"term": "", "measure": "", "estimate": None} | kept if shape is Estimate else {"name": ""} | kept


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ReportError(
            "there are no results to report on", where=str(_short(path)), do="Run the study first"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReportError(
            "this is not readable JSON", where=str(_short(path)), do="Run the study again"
        ) from error
    if not isinstance(values, dict):
        raise ReportError("this must be one JSON object", where=str(_short(path)), do="Run the study again")
    return values


def _short(path: Path) -> Path:
    return Path(*path.parts[-3:])
