"""What a column of a frame holds where study.yml does not say: the method's own option names decide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalkit.contract import Column
from evalkit.study import Study

# Options that name a column of the frame that an analysis reads, by what the column must hold.
NUMBERS = (
    "outcome", "exposure", "weights", "before", "after", "exposure_before", "exposure_after", "comparison_before",
    "comparison_after", "comparison_exposure_before", "comparison_exposure_after", "successes", "trials", "reached",
    "invited", "answered", "agreed", "compliance", "closed", "days", "time", "event", "score",
)  # fmt: skip
PERIODS = ("period", "first_treated")
LABELS = ("unit", "cluster", "group", "category", "subgroup", "stages", "question")
LISTS = {"covariates": "number", "adjust": "number", "predictors": "number", "placebo_outcomes": "number"}
# Options of `counts` that name columns of its `series`, not of its `data`.
OF_SERIES = {"period": "period", "count": "number", "unit": "label"}
# Columns that a method reads under names of its own, where the file has them.
OWN_NAMES = {
    "meta": {
        **dict.fromkeys(("study", "outcome", "window", "estimand", "better"), "label"),
        **dict.fromkeys(("estimate", "std_error", "level"), "number"),
        **dict.fromkeys(("events_treated", "n_treated", "events_control", "n_control"), "number"),
        **dict.fromkeys(("mean_treated", "sd_treated", "mean_control", "sd_control"), "number"),
    },
    "funnel": dict.fromkeys(("reached", "n", "count"), "number"),
    "rates": {"treated": "number"},
    "survival": {"treated": "number"},
}
MONTH, WHOLE = re.compile(r"\d{4}-\d{2}"), re.compile(r"\d{1,18}(\.0+)?")


def named_columns(options: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Column to what it must hold: number, period or label, for every option that names one."""
    kinds = (
        dict.fromkeys(NUMBERS, "number") | dict.fromkeys(PERIODS, "period") | dict.fromkeys(LABELS, "label")
    )
    found = {
        options[name]: kind
        for name, kind in kinds.items()
        if name not in but and isinstance(options.get(name), str)
    }
    for name, kind in LISTS.items():
        # A predictor may be of one period or several: `prisoners@1988`, `prisoners@1984..1988`.
        found |= {each.split("@")[0]: kind for each in options.get(name) or () if isinstance(each, str)}
    return found


def frame_columns(study: Study, name: str, con: Any) -> tuple[dict[str, Column], list[str]]:
    """The columns of one of the study's own frames, and those that some analysis needs.

    A column that study.yml describes keeps its description, but that dates of periods may be months, and that a first
    treated period may be blank. Of the others, those that an option names as a number or a label are read as such,
    and a period by the look of its values: whole numbers, months or ISO dates.
    """
    needed: dict[str, str] = {}
    own: dict[str, str] = {}
    for analysis in study.analyses.values():
        of_series = tuple(OF_SERIES) if "series" in analysis.options else ()
        if of_series and analysis.options["series"] == name:
            needed |= {
                analysis.options[each]: OF_SERIES[each] for each in of_series if each in analysis.options
            }
        if analysis.data == name:
            needed |= named_columns(analysis.options, but=of_series)
            own |= OWN_NAMES.get(analysis.method, {})
    columns = dict(study.columns)
    for column, kind in (own | needed).items():
        declared = columns.get(column)
        if declared is None:
            columns[column] = _column(study.path(name), column, kind, con)
        elif kind == "period" and declared.type == "date" and declared.date_format is None:
            seen = _column(study.path(name), column, kind, con)
            columns[column] = replace(declared, date_format=seen.date_format)
    for column in first_treated(study, name) & columns.keys():
        columns[column] = replace(columns[column], nullable=True)
    return columns, list(needed)


def first_treated(study: Study, name: str) -> set[str]:
    """Columns of a frame that hold the period in which a unit was first treated: a blank or a 0 says never."""
    read = (each.options for each in study.analyses.values() if each.data == name)
    return {options["first_treated"] for options in read if isinstance(options.get("first_treated"), str)}


def _column(path: Path, column: str, kind: str, con: Any) -> Column:
    if kind == "number":
        return Column(type="number", nullable=True)
    if kind == "label":
        return Column(type="text", nullable=True)
    from evalkit.frames import read_table

    table = read_table(path, {column: Column(type="text", nullable=True)}, shown=path.name, con=con)
    values = [] if table.problems else [str(each) for each in table.frame[column].dropna().unique()]
    if values and all(WHOLE.fullmatch(each) for each in values):
        return Column(type="integer", nullable=True)
    values = [each for each in values if each not in ("0", "0.0")]
    if values and all(MONTH.fullmatch(each) for each in values):
        return Column(type="date", date_format="%Y-%m", nullable=True)
    return Column(type="date", nullable=True)
