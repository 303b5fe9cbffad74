"""Reports made again from an output folder, without the study that made it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, ReportError, UsageError, nearest
from evalkit.study import Report, read_study


def results_of(folder: Path) -> Path:
    """The output folder of a study, or the folder itself where `run --output` wrote into it.

    Raises
    ------
    EvalkitError : ReportError where the study has not been run, StudyError where there is neither study nor output.
    """
    for target in (folder.resolve() / "output", folder.resolve()):
        if (target / "results.json").is_file():
            return target
    read_study(folder)
    raise ReportError("there are no results to report yet", do=f"Run `evalkit run {folder}` first")


def require_formats(formats: Sequence[str]) -> None:
    """Refuse a format that no report is made in."""
    known = Report().formats
    for each in formats:
        if each not in known:
            raise UsageError("this is not a format of reports", found=each, do=nearest(each, known))


def report_of(folder: Path, target: Path) -> Report:
    """What to render: as study.yml says today where it is there and sound, otherwise as it said when it was run.

    A study that renders nothing when it is run gets the usual templates when a report is asked for.
    """
    try:
        report = read_study(folder).report
    except EvalkitError:
        report = _as_run(target)
    return report if report.templates else Report(formats=report.formats)


def _as_run(target: Path) -> Report:
    try:
        values = json.loads((target / "run.json").read_text(encoding="utf-8"))["report"]
        return Report(templates=tuple(values["templates"]), formats=tuple(values["formats"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Report()


def report_record(report: Report) -> dict[str, Any]:
    """The report block as run.json keeps it."""
    return {"templates": list(report.templates), "formats": list(report.formats)}
