"""What adds up in a frame, and which further cells must be withheld because of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.disclosure.attack import Cell, Sum, exposed
from evalkit.disclosure.columns import kind_of, total_of
from evalkit.disclosure.policy import Policy
from evalkit.errors import Refused

TOTAL_NAMES = ("all", "total", "overall", "everyone", "accepted")
ORDERED = ("step", "stage")
MOST_TRIED = 40


def relations(
    frame: pd.DataFrame, columns: Sequence[str], known: Collection[int]
) -> tuple[dict[str, Cell], list[Sum]]:
    """The cells of a frame that add up, and how: a total and its parts, steps of a flow, stages of a funnel.

    `known` totals are printed elsewhere: a column that adds up to one has it as its total.
    """
    cells = {key: cell for column in columns for key, cell in _cells(frame, column, known)}
    sums: list[Sum] = []
    for rows in _blocks(frame):
        for column in columns:
            sums += _adding_up(frame, column, rows, cells) or _to_known(column, rows, cells, known)
        sums += _steps(frame, rows, cells)
    used = {key for each in sums for key in (each.whole, *each.parts)}
    return {key: cell for key, cell in cells.items() if key in used}, sums


def protect(
    cells: Mapping[str, Cell], sums: Sequence[Sum], hidden: Collection[str], policy: Policy
) -> set[str]:
    """Withhold further cells, cheapest first, until the attacker's range of every small cell is wide enough."""
    hidden = set(hidden)
    while weak := exposed(cells, sums, hidden, policy):
        near = [name for name in _beside(weak, sums) if _may_hide(cells[name], name, hidden)]
        near = near or [name for name in cells if _may_hide(cells[name], name, hidden)]
        if not near:
            raise Refused(
                "a small count could be worked out from the totals around it",
                where="disclosure",
                do="Merge its small groups in the data, leave its total out, or use a preset under agreement",
            )
        near.sort(key=lambda name: (cells[name].cost, name))
        hidden.add(_best(near[:MOST_TRIED], cells, sums, hidden, policy, len(weak)))
    return hidden


def _best(
    candidates: Sequence[str],
    cells: Mapping[str, Cell],
    sums: Sequence[Sum],
    hidden: set[str],
    policy: Policy,
    weak: int,
) -> str:
    """The cheapest cell after which fewer are weak; the cheapest of all where none helps by itself."""
    for name in candidates:
        if len(exposed(cells, sums, hidden | {name}, policy)) < weak:
            return name
    return candidates[0]


def _may_hide(cell: Cell, name: str, hidden: set[str]) -> bool:
    return name not in hidden and not cell.open and not cell.implied


def _beside(weak: Sequence[str], sums: Sequence[Sum]) -> list[str]:
    """Cells that share a sum with a weak cell."""
    found = {
        name: None
        for each in sums
        for name in (each.whole, *each.parts)
        if {each.whole, *each.parts} & set(weak)
    }
    return list(found)


def _cells(frame: pd.DataFrame, column: str, known: Collection[int]) -> list[tuple[str, Cell]]:
    values, total = numeric(frame[column]), total_of(column, [str(each) for each in frame.columns])
    whole = np.full(len(frame), np.nan) if total is None else numeric(frame[total])
    # How many people there are, or were lost, is no one's secret in itself: only small numbers of them are.
    plain = kind_of(column) == "total" or column == "lost"
    found = []
    for row, value in enumerate(values):
        if np.isfinite(value):
            top = float(whole[row]) if np.isfinite(whole[row]) else None
            shown = (plain and value in known) or (column == "lost" and value == 0)
            found.append(
                (f"{column}:{row}", Cell(value=value, total=top, cost=value, open=shown, plain=plain))
            )
    return found


def _blocks(frame: pd.DataFrame) -> list[list[int]]:
    everything = list(range(len(frame)))
    if "arm" not in frame.columns:
        return [everything]
    arms = [
        [row for row in everything if frame["arm"].iloc[row] == arm] for arm in dict.fromkeys(frame["arm"])
    ]
    return arms if len(arms) == 1 else [everything, *arms]


def _adding_up(frame: pd.DataFrame, column: str, rows: list[int], cells: dict[str, Cell]) -> list[Sum]:
    """A row that is the sum of the others: named as a total, the first, or the last."""
    keys = [f"{column}:{row}" for row in rows]
    if len(rows) < 3 or not all(key in cells for key in keys):
        return []
    values = [cells[key].value for key in keys]
    named = [place for place, row in enumerate(rows) if _first_label(frame, row) in TOTAL_NAMES]
    for place in dict.fromkeys([*named, 0, len(rows) - 1]):
        parts = keys[:place] + keys[place + 1 :]
        if values[place] > 0 and values[place] == sum(cells[key].value for key in parts):
            total = cells[keys[place]]
            cells[keys[place]] = replace(total, cost=10 * total.cost + 1)
            return [Sum(whole=keys[place], parts=tuple(parts))]
    return []


def _to_known(column: str, rows: list[int], cells: dict[str, Cell], known: Collection[int]) -> list[Sum]:
    keys = [f"{column}:{row}" for row in rows]
    if len(rows) < 3 or kind_of(column) != "total" or not all(key in cells for key in keys):
        return []
    total = sum(cells[key].value for key in keys)
    if total not in known:
        return []
    name = f"sum of {column}:{rows[0]}"
    cells[name] = Cell(value=total, open=True, plain=True)
    return [Sum(whole=name, parts=tuple(keys))]


def _steps(frame: pd.DataFrame, rows: list[int], cells: dict[str, Cell]) -> list[Sum]:
    """Before = after + lost, step by step; where no column says how many were lost, their number is implied."""
    column = next((name for name in ("n", "reached", "count") if rows and f"{name}:{rows[0]}" in cells), None)
    ordered = any(name in frame.columns for name in ORDERED)
    if not ordered or column is None or ("arm" in frame.columns and frame["arm"].iloc[rows].nunique() > 1):
        return []
    sums = []
    for before, after in zip(rows, rows[1:], strict=False):
        whole, part = f"{column}:{before}", f"{column}:{after}"
        if whole not in cells or part not in cells or cells[part].value > cells[whole].value:
            continue
        left = cells[whole].value - cells[part].value
        gone = f"lost:{after}"
        if gone not in cells or cells[gone].value != left:
            if "lost" in frame.columns or left == 0:
                continue
            gone = f"implied:{before}-{after}"
            cells[gone] = Cell(value=left, implied=True)
        sums.append(Sum(whole=whole, parts=(part, gone)))
    return sums


def _first_label(frame: pd.DataFrame, row: int) -> str:
    words = [value for value in frame.iloc[row] if isinstance(value, str)]
    return words[-1].lower() if words else ""


def numeric(column: pd.Series) -> np.ndarray:
    """The column as floats; words and gaps become NaN."""
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
