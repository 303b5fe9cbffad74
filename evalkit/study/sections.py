"""Each section of study.yml: which keys it has, what each may hold, the shape it becomes."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from evalkit.contract import (
    AGGREGATIONS,
    BETTER,
    COLUMN_TYPES,
    EVENT_MEASURES,
    MEASURES,
    SCORES,
    Column,
    History,
    Outcome,
)
from evalkit.errors import nearest
from evalkit.study.block import Block
from evalkit.study.reader import real_date
from evalkit.study.shapes import FORMATS, Analysis, Assignment, Comparison, Disclosure, Report, Source, Window

STATUSES = ("real", "published", "simulated")
ESTIMANDS = ("itt", "ate", "att", "ato", "descriptive")
ASSIGNMENTS = ("randomised", "threshold", "choice", "area", "none", "unknown")
ROLES = ("primary", "secondary", "sensitivity", "exploratory")
DESIGNS = ("nearest", "exact", "subclass", "radius", "inverse_probability", "entropy", "overlap", "none")
PRESETS = ("internal", "partner", "public")
_BARRED = re.compile(r"[\\*?\[\]{}\x00]|\A~|\A[A-Za-z]:|//|:")
_STUDY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


def sections(top: Block, folder: Path) -> dict[str, Any]:
    return {
        **_heading(top, folder),
        "assignment": _assignment(top),
        "window": _window(top),
        "observed_until": _extract(top),
        "arms": _arms(top),
        "spark": _engine(top),
        "data": {name: _source(name, block, folder) for name, block in top.blocks("data")},
        "columns": {name: _column(block) for name, block in top.blocks("columns", named=False)},
        "history": {name: _history(name, block) for name, block in top.blocks("history")},
        "outcomes": {name: _outcome(name, block) for name, block in top.blocks("outcomes")},
        "design": _design(top),
        "analyses": {name: _analysis(name, block) for name, block in top.blocks("analyses", required=True)},
        "disclosure": _disclosure(top),
        "report": _report(top),
    }


def _heading(top: Block, folder: Path) -> dict[str, Any]:
    schema = top.number("schema", 1, whole=True)
    if schema != 1:
        top.refuse("schema", "`schema` must be 1", found=schema)
    study = top.text("study", required=True)
    if study and not _STUDY_NAME.match(study):
        top.refuse("study", "`study` must be letters, digits, `.`, `_` or `-`", found=study)
    elif study and study != folder.name:
        top.refuse(
            "study", "`study` must equal the folder's name", found=study, do=f"The folder is `{folder.name}`"
        )
    intervention = top.block("intervention")
    return {
        "schema": 1,
        "study": study,
        "title": top.text("title", required=True),
        "question": top.text("question", required=True),
        "commissioner": top.text("commissioner"),
        "data_status": top.text("data_status", required=True, allowed=STATUSES),
        "estimand": top.text("estimand", required=True, allowed=ESTIMANDS),
        "seed": top.number("seed", required=True, whole=True, least=0),
        "intervention": {} if intervention is None else _intervention(intervention),
    }


def _intervention(block: Block) -> dict[str, Any]:
    values = {"name": block.text("name"), "start": block.text("start", also=("date", "integer"))}
    start = values["start"]
    if start and re.match(r"\d{4}-\d{2}(-\d{2})?\Z", start) and real_date(f"{start}-01"[:10]) is None:
        block.refuse("start", "`intervention.start` is not a month or day of the calendar", found=start)
    return {name: value for name, value in values.items() if value is not None} | block.rest(words=True)


def _assignment(top: Block) -> Assignment:
    block = top.block("assignment")
    if block is None:
        return Assignment()
    assignment = Assignment(
        by=block.text("by", "unknown", allowed=ASSIGNMENTS),
        unit=block.text("unit"),
        chosen_when_high=block.flag("chosen_when_high"),
        registered=block.text("registered", also=("date",)),
    )
    block.close()
    return assignment


def _window(top: Block) -> Window | None:
    block = top.block("window")
    if block is None:
        return None
    start, end = block.date("from", required=True), block.date("to", required=True)
    block.close()
    if start is None or end is None:
        return None
    if start > end:
        block.refuse("to", "`window.to` is before `window.from`", found=f"{start} to {end}")
    return Window(start=start, end=end)


def _extract(top: Block) -> date | None:
    block = top.block("extract")
    if block is None:
        return None
    seen = block.date("observed_until", required=True)
    block.close()
    return seen


def _arms(top: Block) -> dict[str, str]:
    block = top.block("arms")
    if block is None:
        return {}
    arms = {arm: block.text(arm) for arm in ("treated", "control")}
    block.close()
    return {arm: label for arm, label in arms.items() if label is not None}


def _engine(top: Block) -> str | None:
    """The address of a Spark cluster; None for DuckDB in process, which may also be named."""
    node = top.node.entries.get("engine")
    if node is not None and node.kind == "text" and node.text == "duckdb":
        top.take("engine")
        return None
    block = top.block("engine")
    if block is None:
        return None
    spark = block.text("spark", required=True)
    block.close()
    return spark


def _source(name: str, block: Block, folder: Path) -> Source:
    source = Source(name=name, file=block.text("file"), table=block.text("table"))
    block.close()
    if (source.file is None) == (source.table is None):
        key = "file" if source.file else "table"
        block.refuse(
            key, f"`data.{name}` must name one file", do=f"Write `{name}: {{file: data/{name}.csv}}`"
        )
    if source.file is not None:
        wrong = path_problem(source.file, folder)
        if wrong:
            do = "Name one file inside the study folder, such as `data/cohort.csv`"
            block.refuse("file", f"`data.{name}.file` {wrong}", found=source.file, do=do)
    return source


def path_problem(given: str, folder: Path) -> str:
    """Characters first: resolving alone lets `s3://b/k`, `*.csv` and `~/x` through as if they were inside."""
    if given.startswith("/") or _BARRED.search(given):
        return (
            "must be a plain relative path: no `/` at the start, `~`, drive, backslash, `//`, `:` or wildcard"
        )
    try:
        inside = (folder / given).resolve().relative_to(folder)
    except (ValueError, OSError, RuntimeError):
        return "leads out of the study folder"
    return "leads into output/, which a run replaces" if inside.parts[:1] == ("output",) else ""


def _column(block: Block) -> Column:
    kind = block.text("type", "text", required=True, allowed=COLUMN_TYPES)
    dated, numeric = kind == "date", kind in ("integer", "number")
    column = Column(
        type=kind,
        nullable=block.flag("nullable", False),
        min=_bound(block, "min", dated),
        max=_bound(block, "max", dated),
        values=block.texts("values", also=("integer", "number", "date")),
        unit=block.text("unit"),
        date_format=block.text("date_format"),
    )
    block.close()
    fits = {
        "min": dated or numeric,
        "max": dated or numeric,
        "values": kind == "category",
        "date_format": dated,
    }
    for key, fit in fits.items():
        if key in block.node.entries and not fit:
            block.refuse(key, f"`{block.full(key)}` has no meaning for a column of type {kind}")
    if column.min is not None and column.max is not None and column.min > column.max:
        block.refuse("max", f"`{block.full('max')}` is below `min`", found=column.max)
    return column


def _bound(block: Block, key: str, dated: bool) -> float | str | None:
    if not dated:
        return block.number(key)
    day = block.date(key)
    return None if day is None else day.isoformat()


def _history(name: str, block: Block) -> History:
    look_back = block.months("look_back", required=True)
    block.close()
    if look_back == 0:
        block.refuse("look_back", f"`{block.full('look_back')}` must be at least 1 month")
    return History(name=name, look_back=look_back or 1)


_NEEDED = {"severity": ("weight",), "column": ("column",), "duration": ("time", "event")}


def _outcome(name: str, block: Block) -> Outcome:
    measure = block.text("measure", required=True, allowed=MEASURES)
    outcome = Outcome(
        name=name,
        measure=measure or "binary",
        better=block.text("better", allowed=BETTER),
        label=block.text("label", ""),
        follow_up=block.months("follow_up", required=measure in EVENT_MEASURES),
        waiting=block.months("waiting", 0),
        **{key: block.text(key) for key in ("weight", "weights", "column", "unit", "time", "event")},
        aggregation=block.text("aggregation", allowed=AGGREGATIONS),
        score=block.text("score", "sum", allowed=SCORES),
        types=block.texts("types", also=("integer",)),
        leave_out=block.texts("leave_out", also=("integer",)),
    )
    block.close()
    if outcome.follow_up == 0:
        block.refuse("follow_up", f"`{block.full('follow_up')}` must be at least 1 month")
    _harm(block, outcome, measure)
    needed = () if outcome.weights else _NEEDED.get(measure, ())
    for key in ("weight", "column", "time", "event"):
        if key in needed and getattr(outcome, key) is None:
            block.refuse(key, f"`{block.full(key)}` is required", do=f"A {measure} outcome needs `{key}:`")
        elif (
            measure and key not in (*needed, *_NEEDED.get(measure, ())) and getattr(outcome, key) is not None
        ):
            block.refuse(key, f"`{block.full(key)}` has no meaning for a {measure} outcome")
    return outcome


def _harm(block: Block, outcome: Outcome, measure: str | None) -> None:
    """Keys of harm and of types of offence that have no meaning beside the others."""
    given = block.node.entries
    for key in ("weights", "aggregation", "score"):
        if measure and measure != "severity" and key in given:
            block.refuse(key, f"`{block.full(key)}` has no meaning for a {measure} outcome")
    for key in ("types", "leave_out"):
        if measure and measure not in EVENT_MEASURES and key in given:
            block.refuse(key, f"`{block.full(key)}` has no meaning for a {measure} outcome")
    if measure == "severity" and "aggregation" in given and outcome.weights is None:
        do = "Add `weights:` with the name of the table under `data`"
        block.refuse("aggregation", f"`{block.full('aggregation')}` is of a table of weights", do=do)
    if outcome.types and outcome.leave_out:
        wrong = f"`{block.full('leave_out')}` has no meaning beside `types`"
        block.refuse("leave_out", wrong, do="Name the types that count, or those that do not")


def _design(top: Block) -> Comparison | None:
    block = top.block("design")
    if block is None:
        return None
    method = block.text("method", "none", required=True, allowed=DESIGNS)
    covariates, exact = block.texts("covariates"), block.texts("exact")
    typed = {
        "caliper": block.number("caliper", least=0),
        "ratio": block.number("ratio", whole=True, least=1),
        "replace": block.flag("replace"),
    }
    options = {name: value for name, value in typed.items() if value is not None} | block.rest()
    return Comparison(method=method, covariates=covariates, exact=exact, options=options)


def _analysis(name: str, block: Block) -> Analysis:
    role = block.text("role", "secondary", required=True, allowed=ROLES)
    method = block.text("method", "", required=True)
    named = {key: block.text(key) for key in ("outcome", "data")}
    label = block.text("label", "")
    options = {key: value for key, value in named.items() if value is not None} | block.rest()
    return Analysis(name=name, role=role, method=method, label=label, options=options)


def _disclosure(top: Block) -> Disclosure:
    block = top.block("disclosure")
    if block is None:
        return Disclosure()
    disclosure = Disclosure(
        preset=block.text("preset", "public", allowed=PRESETS), already_public=block.text("already_public")
    )
    block.close()
    return disclosure


def _report(top: Block) -> Report:
    block = top.block("report")
    if block is None:
        return Report()
    report = Report(
        templates=block.texts("templates", Report().templates), formats=block.texts("formats", FORMATS)
    )
    block.close()
    for each in report.formats:
        if each not in FORMATS:
            block.refuse("formats", "there is no such format", found=each, do=nearest(each, FORMATS))
    for each in report.templates:
        if not _STUDY_NAME.match(each):
            block.refuse("templates", "a template is named by one plain word", found=each)
    return report
