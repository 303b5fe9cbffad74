"""What one section of study.yml promises and another must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.errors import Problem, nearest
from evalkit.study.block import Block
from evalkit.study.reader import at, cut

OF_THE_CONTRACT = ("people", "cohort", "control", "offences", "costs", "benefits", "published")


class _Cross:
    """What one section promises and another must keep."""

    def __init__(self, top: Block, values: Mapping[str, Any]) -> None:
        self.top, self.values, self.problems = top, values, top.problems

    def line(self, *keys: str) -> int:
        """The line of the deepest of these keys that is there."""
        node = self.top.node
        for key in keys:
            node = node.entries.get(key, node)
        return node.line

    def refuse(self, keys: tuple[str, ...], wrong: str, *, found: object = "", do: str = "") -> None:
        self.problems.append(Problem(where=at(self.line(*keys)), wrong=wrong, found=cut(found), do=do))

    def declared(self, section: str) -> Mapping[str, Any]:
        """Every name under a section, those whose own entry was wrong included: one mistake, one message."""
        node = self.top.node.entries.get(section)
        return {} if node is None else node.entries


def cross_checks(top: Block, values: Mapping[str, Any]) -> None:
    cross = _Cross(top, values)
    checks = (
        _check_primary, _check_analyses, _check_design, _check_names, _check_events, _check_weights, _check_data,
    )  # fmt: skip
    for check in checks:
        check(cross)


def _check_primary(cross: _Cross) -> None:
    entries = cross.declared("analyses")
    if not entries:
        return
    chosen = [
        name
        for name, node in entries.items()
        if "role" in node.entries and node.entries["role"].text == "primary"
    ]
    if len(chosen) != 1:
        found = ", ".join(chosen) or "none"
        last = ("analyses", chosen[-1], "role") if chosen else ("analyses",)
        cross.refuse(last, "exactly one analysis must have `role: primary`", found=found)


def _check_analyses(cross: _Cross) -> None:
    data, outcomes = cross.declared("data"), cross.declared("outcomes")
    for name, analysis in cross.values["analyses"].items():
        where = ("analyses", name)
        if analysis.data is not None and analysis.data not in data:
            cross.refuse(
                (*where, "data"), f"`analyses.{name}.data` is not a name under `data`",
                found=analysis.data, do=nearest(analysis.data, data),
            )  # fmt: skip
        series = analysis.options.get("series")
        if isinstance(series, str) and series not in data:
            cross.refuse(
                (*where, "series"), f"`analyses.{name}.series` is not a name under `data`", found=series,
                do=nearest(series, data),
            )  # fmt: skip
        if analysis.data is not None or analysis.outcome is None:
            continue
        if analysis.outcome not in outcomes:
            cross.refuse(
                (*where, "outcome"), f"`analyses.{name}.outcome` is not a name under `outcomes`",
                found=analysis.outcome,
                do=nearest(analysis.outcome, outcomes) if outcomes else "Add it there",
            )  # fmt: skip
        else:
            _check_outcome_columns(cross, analysis.outcome)


def _check_outcome_columns(cross: _Cross, name: str) -> None:
    outcome, columns = cross.values["outcomes"].get(name), cross.declared("columns")
    for key in ("column", "time", "event") if outcome else ():
        column = getattr(outcome, key)
        if column is not None and column not in columns:
            cross.refuse(
                ("outcomes", name, key), f"`outcomes.{name}.{key}` is not a name under `columns`",
                found=column, do="Add the column there with its type",
            )  # fmt: skip


def _check_design(cross: _Cross) -> None:
    design = cross.values["design"]
    columns, history = cross.declared("columns"), cross.declared("history")
    after = set(cross.declared("outcomes"))
    for outcome in cross.values["outcomes"].values():
        after |= {outcome.column, outcome.time, outcome.event} - {None}
    for key in ("covariates", "exact") if design else ():
        for name in getattr(design, key):
            where = ("design", key)
            if name in after:
                cross.refuse(
                    where, f"`design.{key}` names an outcome", found=name, do="A design never sees outcomes"
                )
            elif name in ("treated", "person_id"):
                cross.refuse(where, f"`design.{key}` cannot hold this column", found=name)
            elif name not in columns and name not in history:
                do = nearest(name, [*columns, *history]) if columns or history else "Add it under `columns`"
                cross.refuse(where, f"`design.{key}` is not under `columns` or `history`", found=name, do=do)


def _check_names(cross: _Cross) -> None:
    columns = cross.declared("columns")
    taken = {*columns, "weight", "subclass", "treated", "person_id", "index_date"}
    for name in cross.declared("history"):
        if name in taken:
            cross.refuse(("history", name), "a history needs a name that no column has", found=name)
    for name, outcome in cross.values["outcomes"].items():
        if name in cross.declared("history") or (
            name in taken and outcome.column != name and outcome.from_events
        ):
            cross.refuse(
                ("outcomes", name), "an outcome needs a name that no column or history has", found=name
            )


def _check_events(cross: _Cross) -> None:
    """What is counted from events needs the events, what can be seen of them, and a date to count from."""
    values, data = cross.values, cross.declared("data")
    measured = [("outcomes", name) for name, each in values["outcomes"].items() if each.from_events]
    counted = [("history", name) for name in values["history"]]
    if not (measured or counted) or not ("people" in data or "cohort" in data):
        return
    keys = (measured + counted)[0]
    if "offences" not in data:
        cross.refuse(
            keys, f"`{'.'.join(keys)}` needs `data.offences`", do="Add the offences file under `data`"
        )
    column = values["columns"].get("index_date")
    if column is None and "index_date" not in cross.declared("columns"):
        cross.refuse(keys, f"`{'.'.join(keys)}` needs the column `index_date`", do="Add it under `columns`")
    elif column is not None and column.type != "date":
        cross.refuse(
            ("columns", "index_date", "type"), "`index_date` must have `type: date`", found=column.type
        )
    if measured and values["observed_until"] is None and not cross.declared("extract"):
        cross.refuse(
            measured[0], f"`{'.'.join(measured[0])}` needs `extract.observed_until`",
            do="Say what the offence extract can see",
        )  # fmt: skip


def _check_weights(cross: _Cross) -> None:
    """A table of harm weights is a frame of the study's own."""
    data = cross.declared("data")
    for name, outcome in cross.values["outcomes"].items():
        if outcome.weights is None:
            continue
        where = ("outcomes", name, "weights")
        if outcome.weights in OF_THE_CONTRACT:
            do = "Give the weights a file of their own, such as `harm_weights: {file: data/harm_weights.csv}`"
            cross.refuse(
                where, f"`outcomes.{name}.weights` is not a table of weights", found=outcome.weights, do=do
            )
        elif outcome.weights not in data:
            do = nearest(outcome.weights, data) if data else "Add it there"
            cross.refuse(
                where, f"`outcomes.{name}.weights` is not a name under `data`", found=outcome.weights, do=do
            )


def _check_data(cross: _Cross) -> None:
    values, data = cross.values, cross.declared("data")
    if "people" in data and ("cohort" in data or "control" in data):
        cross.refuse(("data", "people"), "give either `people`, or `cohort` and `control`, not both")
    if "control" in data and "cohort" not in data and "people" not in data:
        cross.refuse(("data", "control"), "`data.control` needs `data.cohort` beside it")
    for name, source in values["data"].items():
        if source.table is not None and values["spark"] is None:
            cross.refuse(("data", name, "table"), "a table needs `engine: {spark: …}`", found=source.table)
    if values["disclosure"].already_public and values["data_status"] == "simulated":
        cross.refuse(("disclosure", "already_public"), "simulated data cannot be already public")
    window, seen = values["window"], values["observed_until"]
    if window and seen and seen < window.start:
        cross.refuse(("extract", "observed_until"), "nothing of the window can be seen", found=seen)
