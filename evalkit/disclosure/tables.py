"""Frames on their way out: small counts withheld with whatever would give them away, the rest rounded."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit.disclosure.attack import Cell, Sum, exposed
from evalkit.disclosure.columns import kind_of, total_of
from evalkit.disclosure.policy import WITHHELD, Policy
from evalkit.errors import Refused
from evalkit.intervals import PROPORTION_INTERVALS

TOTAL_NAMES = ("all", "total", "overall", "everyone", "accepted")
MOST_CELLS = 400


@dataclass(kw_only=True, eq=False)
class Record:
    """What the gate did, in counts and column names; never a value."""

    withheld: int = 0
    rounded: int = 0
    secondary: int = 0
    flagged: int = 0
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What a frame is judged by: the policy, the people in the smaller arm, whether its units are places, the
    pairs (count, total) that another table had to withhold, and the totals that are printed elsewhere."""

    policy: Policy
    record: Record
    people: int | None = None
    places: bool = False
    withheld_pairs: Collection[tuple[int, int]] = frozenset()
    open_totals: Collection[int] = frozenset()


def release_frame(name: str, frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The frame as it may be printed: same columns and rows, withheld cells as `[c]`, counts as whole numbers."""
    frame = frame.reset_index(drop=True)
    kinds = {column: _kind(name, str(column), setting) for column in frame.columns}
    hidden = _hidden_counts(name, frame, kinds, setting)
    columns: dict[Any, list[Any]] = {}
    for column in frame.columns:
        kind = kinds[column]
        if kind in ("count", "total"):
            columns[column] = _counts(frame[column], hidden[column], kind, setting)
        elif kind in ("label", "safe"):
            columns[column] = [_text(value) for value in frame[column]]
        else:
            columns[column] = [
                _number(frame, row, str(column), kind, kinds, hidden, setting) for row in range(len(frame))
            ]
    setting.record.withheld += sum(value == WITHHELD for each in columns.values() for value in each if isinstance(value, str))
    return pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in columns.items()})


def grid_of(people: float | None, policy: Policy) -> float:
    """The step of 1, 2 or 5 times a power of ten that holds at least as many people as counts are rounded to."""
    if not people:
        return 1.0
    needed = max(policy.rounding, policy.protection) / people
    scale = 10.0 ** math.floor(math.log10(needed))
    return next(step * scale for step in (1, 2, 5, 10) if step * scale >= needed * (1 - 1e-12))


def figures(value: float, count: int) -> float:
    """The number to so many significant figures."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, count - 1 - math.floor(math.log10(abs(value))))


def on_grid(value: float, grid: float) -> float:
    """The nearest multiple of the grid, without the binary tail."""
    return round(round(value / grid) * grid, 10)


def protect(cells: dict[str, Cell], sums: Sequence[Sum], hidden: set[str], policy: Policy) -> set[str]:
    """Withhold the cheapest further cells until the attacker's range of every small cell is wide enough."""
    hidden = set(hidden)
    while weak := exposed(cells, sums, hidden, policy):
        candidates = [name for name in _linked(weak, sums) if name not in hidden and _may_hide(cells[name])]
        if not candidates:
            raise Refused(
                "a small count could be worked out from the totals around it",
                where="disclosure",
                do="Merge small groups, drop the total, or use a preset under agreement",
            )
        hidden.add(min(candidates, key=lambda name: (cells[name].cost, name)))
    return hidden


def _may_hide(cell: Cell) -> bool:
    return not cell.open and not cell.implied


def _linked(weak: Sequence[str], sums: Sequence[Sum]) -> set[str]:
    """Cells that share a sum with a weak cell, or with a cell that does."""
    found = set(weak)
    while True:
        wider = found | {name for each in sums if found & {each.whole, *each.parts} for name in (each.whole, *each.parts)}
        if wider == found:
            return found
        found = wider


def _kind(name: str, column: str, setting: Setting) -> str:
    kind = kind_of(column)
    if kind is None:
        setting.record.unknown.append(f"{name}.{column}")
        setting.record.note(f"Column `{column}` of `{name}` is not known to the disclosure gate and was withheld.")
        return "withheld"
    return kind


def _hidden_counts(
    name: str, frame: pd.DataFrame, kinds: dict[Any, str], setting: Setting
) -> dict[Any, np.ndarray]:
    policy, hidden = setting.policy, {}
    names = [str(column) for column in frame.columns]
    for column, kind in kinds.items():
        if kind not in ("count", "total"):
            continue
        if setting.places and kind == "total":
            hidden[column] = np.zeros(len(frame), dtype=bool)
            continue
        values, total = _numeric(frame[column]), total_of(str(column), names)
        whole = None if total is None else _numeric(frame[total])
        with np.errstate(invalid="ignore"):
            hidden[column] = np.asarray(policy.small(values)) & np.isfinite(values)
            if whole is not None and kind == "count":
                hidden[column] |= np.asarray(policy.small(values, np.where(np.isfinite(whole), whole, np.inf))) & np.isfinite(values)
        if whole is not None:
            pairs = zip(values, whole, strict=True)
            hidden[column] |= np.array([pair in setting.withheld_pairs for pair in pairs], dtype=bool)
        if column == "lost":
            # A step that lost nobody says nothing about anybody.
            hidden[column] &= values != 0
    return _with_secondary(name, frame, hidden, names, setting)


def _with_secondary(
    name: str, frame: pd.DataFrame, hidden: dict[Any, np.ndarray], names: list[str], setting: Setting
) -> dict[Any, np.ndarray]:
    cells, sums = relations(name, frame, [str(each) for each in hidden], names, setting)
    if not sums:
        return hidden
    if len(cells) > MOST_CELLS:
        raise Refused(f"table `{name}` is too large to be checked for differencing", where="disclosure")
    first = {f"{column}:{row}" for column, mask in hidden.items() for row in np.flatnonzero(mask)} & cells.keys()
    final = protect(cells, sums, first, setting.policy)
    setting.record.secondary += len(final - first)
    for key in final:
        column, row = key.rsplit(":", 1)
        hidden[column][int(row)] = True
    return hidden


def relations(
    name: str, frame: pd.DataFrame, columns: Sequence[str], names: list[str], setting: Setting
) -> tuple[dict[str, Cell], list[Sum]]:
    """The cells of a frame that add up, and how: a total and its parts, steps of a flow, stages of a funnel."""
    cells: dict[str, Cell] = {}
    sums: list[Sum] = []
    for column in columns:
        values, total = _numeric(frame[column]), total_of(column, names)
        whole = np.full(len(frame), np.nan) if total is None else _numeric(frame[total])
        for row, value in enumerate(values):
            if np.isfinite(value):
                cells[f"{column}:{row}"] = Cell(
                    value=value,
                    total=float(whole[row]) if np.isfinite(whole[row]) else None,
                    cost=value,
                    open=value in setting.open_totals or (column == "lost" and value == 0),
                )
    for rows in _blocks(frame):
        for column in columns:
            sums += _adding_up(frame, column, rows, cells)
        sums += _steps(frame, rows, cells)
    used = {key for each in sums for key in (each.whole, *each.parts)}
    return {key: cell for key, cell in cells.items() if key in used}, sums


def _blocks(frame: pd.DataFrame) -> list[list[int]]:
    everything = list(range(len(frame)))
    if "arm" not in frame.columns:
        return [everything]
    arms = [[row for row in everything if frame["arm"].iloc[row] == arm] for arm in dict.fromkeys(frame["arm"])]
    return arms if len(arms) == 1 else [everything, *arms]


def _adding_up(frame: pd.DataFrame, column: str, rows: list[int], cells: dict[str, Cell]) -> list[Sum]:
    """A row that is the sum of the others: named as a total, the first, or the last."""
    keys = [f"{column}:{row}" for row in rows]
    if len(rows) < 3 or not all(key in cells for key in keys):
        return []
    values = [cells[key].value for key in keys]
    labels = [_first_label(frame, row) for row in rows]
    for place in dict.fromkeys([i for i, label in enumerate(labels) if label in TOTAL_NAMES] + [0, len(rows) - 1]):
        parts = keys[:place] + keys[place + 1 :]
        if values[place] > 0 and values[place] == sum(cells[key].value for key in parts):
            cells[keys[place]] = _dearer(cells[keys[place]])
            return [Sum(whole=keys[place], parts=tuple(parts))]
    return []


def _steps(frame: pd.DataFrame, rows: list[int], cells: dict[str, Cell]) -> list[Sum]:
    """Before = after + lost, step by step; where no column says how many were lost, their number is implied."""
    ordered = "step" in frame.columns or "stage" in frame.columns
    column = next((name for name in ("n", "reached", "count") if f"{name}:{rows[0]}" in cells), None) if rows else None
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


def _dearer(cell: Cell) -> Cell:
    return Cell(value=cell.value, total=cell.total, cost=10 * cell.cost + 1, open=cell.open, implied=cell.implied)


def _first_label(frame: pd.DataFrame, row: int) -> str:
    words = [value for value in frame.iloc[row] if isinstance(value, str)]
    return words[-1].lower() if words else ""


def _counts(column: pd.Series, hidden: np.ndarray, kind: str, setting: Setting) -> list[Any]:
    out: list[Any] = []
    for value, withheld in zip(_numeric(column), hidden, strict=True):
        if not math.isfinite(value):
            out.append(None)
        elif withheld:
            out.append(WITHHELD)
        elif setting.places and kind == "total":
            out.append(int(value) if value == int(value) else figures(value, setting.policy.figures))
        else:
            out.append(setting.policy.rounded(value))
            setting.record.rounded += setting.policy.rounding > 1
    return out


def _number(
    frame: pd.DataFrame, row: int, column: str, kind: str, kinds: dict[Any, str], hidden: dict[Any, np.ndarray], setting: Setting
) -> Any:
    value = pd.to_numeric(frame[column].iloc[row], errors="coerce")
    if kind == "withheld":
        return WITHHELD
    if not np.isfinite(value):
        return None if pd.isna(frame[column].iloc[row]) else WITHHELD
    value = float(value)
    counted = [name for name in hidden if np.isfinite(_numeric(frame[name])[row])]
    if any(hidden[name][row] for name in counted) and kind not in ("amount",):
        return WITHHELD
    counts = [name for name in counted if kinds[name] == "count"]
    if kind == "share" or (column.startswith("conf_") and "std_error" not in frame.columns and counted):
        return _share(frame, row, column, value, counts, kinds, setting)
    if kind == "grid":
        return _grid(frame, row, column, value, counted, setting)
    if kind == "level":
        return _level(frame, row, value, counted, setting)
    if kind == "model":
        return _model(frame, row, column, value, setting.policy)
    return figures(value, max(3, setting.policy.figures))


def _share(
    frame: pd.DataFrame, row: int, column: str, value: float, counts: list[str], kinds: dict[Any, str], setting: Setting
) -> Any:
    """From the printed counts where the raw ones give the raw number; otherwise on a grid."""
    policy, names = setting.policy, [str(each) for each in frame.columns]
    for name in counts:
        total = total_of(name, names)
        if total is None:
            continue
        x, n = float(frame[name].iloc[row]), float(frame[total].iloc[row])
        printed = from_counts(value, x, n, policy, column)
        if printed is not None:
            return printed
    change = _change(frame, row, column, value, policy)
    if change is not None:
        return change
    people = _people_of_row(frame, row, kinds) or setting.people
    if people is None or setting.places:
        return figures(value, policy.figures)
    size = 100.0 if abs(value) > 1 else 1.0
    if policy.small(value / size * people, people) and 0 <= value <= size:
        return WITHHELD
    return on_grid(value, size * grid_of(people, policy))


def from_counts(value: float, x: float, n: float, policy: Policy, column: str) -> float | None:
    """The share, or the limit of its interval, that the rounded counts give; None where the raw ones do not fit."""
    if n <= 0 or x > n:
        return None
    x_printed, n_printed = min(policy.rounded(x), policy.rounded(n)), policy.rounded(n)
    for size in (1.0, 100.0):
        digits = 3 if size == 1 else 1
        if not column.startswith("conf_"):
            if math.isclose(value, size * x / n, rel_tol=1e-9, abs_tol=1e-12):
                return round(size * x_printed / n_printed, digits)
            continue
        for interval in PROPORTION_INTERVALS.values():
            for end in (0, 1):
                if math.isclose(value, size * interval(x, n)[end], rel_tol=1e-9, abs_tol=1e-12):
                    return round(size * interval(x_printed, n_printed)[end], digits - 1)
    return None


def _change(frame: pd.DataFrame, row: int, column: str, value: float, policy: Policy) -> float | None:
    prefix = column.removesuffix("percent_change")
    before, after = f"{prefix}before", f"{prefix}after"
    if not column.endswith("percent_change") or before not in frame.columns or after not in frame.columns:
        return None
    old, new = policy.rounded(frame[before].iloc[row]), policy.rounded(frame[after].iloc[row])
    return round(100 * (new - old) / old, 0) + 0.0 if old else None


def _people_of_row(frame: pd.DataFrame, row: int, kinds: dict[Any, str]) -> float | None:
    totals = [_numeric(frame[name])[row] for name, kind in kinds.items() if kind == "total"]
    totals = [each for each in totals if np.isfinite(each) and each > 0]
    return min(totals) if totals else None


def _grid(frame: pd.DataFrame, row: int, column: str, value: float, counted: list[str], setting: Setting) -> Any:
    policy = setting.policy
    people = min((_numeric(frame[name])[row] for name in counted), default=None) or setting.people
    if people is None:
        return figures(value, policy.figures) if setting.places else WITHHELD
    shares = [pd.to_numeric(frame[name].iloc[row], errors="coerce") for name in frame.columns if str(name).startswith("mean_")]
    if any(0 <= share <= 1 and policy.small(share * people, people) for share in shares):
        return WITHHELD
    if column.startswith("mean_") and any(share > 1 or share < 0 for share in shares):
        return figures(value, 3)
    if column.startswith("smd_"):
        return on_grid(value, max(0.01, grid_of(people / 2, policy)))
    return on_grid(value, grid_of(people, policy))


def _level(frame: pd.DataFrame, row: int, value: float, counted: list[str], setting: Setting) -> Any:
    policy = setting.policy
    units = max((_numeric(frame[name])[row] for name in counted), default=1.0)
    if value == int(value) and policy.small(value * units):
        return WITHHELD
    if not setting.places and counted and policy.small(units):
        return WITHHELD
    return figures(value, max(2, policy.figures))


def _model(frame: pd.DataFrame, row: int, column: str, value: float, policy: Policy) -> float:
    """To the decimal place of the last kept figure of the row's standard error."""
    if column in ("p_value", "p_adjusted"):
        return max(figures(value, policy.figures), 0.001)
    error = pd.to_numeric(frame["std_error"].iloc[row], errors="coerce") if "std_error" in frame.columns else np.nan
    if column in ("statistic",) or not np.isfinite(error) or error <= 0:
        return figures(value, policy.figures)
    return round(value, policy.figures - 1 - math.floor(math.log10(error))) + 0.0


def _numeric(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _text(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value
