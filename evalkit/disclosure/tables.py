"""Frames on their way out: small counts withheld with whatever would give them away, the rest rounded."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.disclosure.columns import kind_of, total_of
from evalkit.disclosure.policy import WITHHELD, Policy
from evalkit.disclosure.sums import numeric, protect, relations
from evalkit.errors import Refused
from evalkit.intervals import PROPORTION_INTERVALS

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
    """What a frame is judged by: the policy, the people in the smaller arm, whether its units are places, how often
    the rounding the pairs (count, total) of a comparison are rounded to (0: withheld in every table), and the totals
    that everybody knows; `closed_totals` are those that another table had to withhold; `greatest`: by analysis of
    an outcome of whole numbers, the greatest of them (None: not known); `nested`: pairs of outcomes, inner
    and outer."""

    policy: Policy
    record: Record
    people: int | None = None
    places: bool = False
    pairs: Mapping[tuple[float, float], int] = field(default_factory=dict)
    open_totals: Collection[int] = frozenset()
    closed_totals: Collection[int] = frozenset()
    greatest: Mapping[str, float] | None = None
    nested: frozenset[tuple[str, str]] = frozenset()


def release_frame(name: str, frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The frame as it may be printed: same columns and rows, withheld cells as `[c]`, counts as whole numbers."""
    frame = frame.reset_index(drop=True)
    kinds = {column: _kind(name, str(column), setting) for column in frame.columns}
    hidden = _hidden_counts(name, frame, kinds, setting)
    columns: dict[Any, list[Any]] = {}
    for column in frame.columns:
        kind = kinds[column]
        if kind in ("count", "total"):
            columns[column] = _counts(frame, column, hidden[column], kind, setting)
        elif kind in ("label", "safe"):
            columns[column] = [_text(value) for value in frame[column]]
        else:
            columns[column] = [
                _number(frame, row, str(column), kind, kinds, hidden, setting) for row in range(len(frame))
            ]
    setting.record.withheld += sum(
        value == WITHHELD for each in columns.values() for value in each if isinstance(value, str)
    )
    return pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in columns.items()})


def figures(value: float, count: int) -> float:
    """The number to so many significant figures."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, count - 1 - math.floor(math.log10(abs(value))))


def on_grid(value: float, grid: float) -> float:
    """The nearest multiple of the grid, without the binary tail."""
    return round(round(value / grid) * grid, 10)


def _kind(name: str, column: str, setting: Setting) -> str:
    kind = kind_of(column)
    if kind is None:
        setting.record.unknown.append(f"{name}.{column}")
        setting.record.note(
            f"Column `{column}` of `{name}` is not known to the disclosure gate and was withheld."
        )
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
        values, total = numeric(frame[column]), total_of(str(column), names)
        whole = None if total is None else numeric(frame[total])
        hidden[column] = _small(values, whole if kind == "count" else None, policy)
        if kind == "total" and setting.closed_totals:
            hidden[column] |= np.isin(values, list(setting.closed_totals))
        if whole is not None:
            pairs = zip(values, whole, strict=True)
            hidden[column] |= np.array([setting.pairs.get(pair, 1) == 0 for pair in pairs], dtype=bool)
        if column == "lost":
            # A step that lost nobody says nothing about anybody.
            hidden[column] &= values != 0
    return _with_secondary(name, frame, hidden, setting)


def _small(values: np.ndarray, whole: np.ndarray | None, policy: Policy) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        top = None if whole is None else np.where(np.isfinite(whole), whole, np.inf)
        # Offences may outnumber people: then there is no remainder to protect.
        top = None if top is None else np.where(values > top, np.inf, top)
        return np.asarray(policy.small(values, top)) & np.isfinite(values)


def _with_secondary(
    name: str, frame: pd.DataFrame, hidden: dict[Any, np.ndarray], setting: Setting
) -> dict[Any, np.ndarray]:
    cells, sums = relations(frame, [str(each) for each in hidden], setting.open_totals)
    if not sums:
        return hidden
    if len(cells) > MOST_CELLS:
        raise Refused(
            "the table is too large to be checked for differencing",
            where=f"disclosure, table `{name}`",
            found=f"{len(cells)} cells that add up",
            do="Name fewer groups or categories",
        )
    first = {
        f"{column}:{row}" for column, mask in hidden.items() for row in np.flatnonzero(mask)
    } & cells.keys()
    try:
        final = protect(cells, sums, first, setting.policy)
    except Refused as error:
        raise at(error, f"table `{name}`") from None
    setting.record.secondary += len(final - first)
    for key in final:
        column, row = key.rsplit(":", 1)
        hidden[column][int(row)] = True
    return hidden


def at(error: Refused, place: str) -> Refused:
    """The refusal, with the table or the analysis that it is about; the innermost place stands last."""
    return Refused(
        replace(each, where=f"disclosure, {place}{each.where.removeprefix('disclosure')}")
        for each in error.problems
    )


def _counts(frame: pd.DataFrame, column: Any, hidden: np.ndarray, kind: str, setting: Setting) -> list[Any]:
    policy, out = setting.policy, []
    total = total_of(str(column), [str(each) for each in frame.columns])
    wholes = [None] * len(frame) if total is None else numeric(frame[total])
    for value, whole, withheld in zip(numeric(frame[column]), wholes, hidden, strict=True):
        if not math.isfinite(value):
            out.append(None)
        elif withheld:
            out.append(WITHHELD)
        elif setting.places and kind == "total":
            out.append(int(value) if value == int(value) else figures(value, policy.figures))
        else:
            out.append(policy.rounded(value, setting.pairs.get((value, whole), 1)))
            setting.record.rounded += policy.rounding > 1
    return out


def _number(
    frame: pd.DataFrame,
    row: int,
    column: str,
    kind: str,
    kinds: dict[Any, str],
    hidden: dict[Any, np.ndarray],
    setting: Setting,
) -> Any:
    value = pd.to_numeric(frame[column].iloc[row], errors="coerce")
    if kind == "withheld":
        return WITHHELD
    counted = [name for name in hidden if np.isfinite(numeric(frame[name])[row])]
    if any(hidden[name][row] for name in counted) and kind not in ("amount",):
        # Blank or not: a limit that does not exist would show that a count is nought.
        return WITHHELD
    if not np.isfinite(value):
        return None if pd.isna(frame[column].iloc[row]) else WITHHELD
    value = float(value)
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
    frame: pd.DataFrame,
    row: int,
    column: str,
    value: float,
    counts: list[str],
    kinds: dict[Any, str],
    setting: Setting,
) -> Any:
    """From the printed counts where the raw ones give the raw number; otherwise on a grid."""
    policy, names = setting.policy, [str(each) for each in frame.columns]
    if column == "share_of_first" and row == 0:
        return value
    for name in counts:
        total = total_of(name, names)
        if total is None:
            continue
        x, n = float(frame[name].iloc[row]), float(frame[total].iloc[row])
        printed = from_counts(
            value, x, n, policy, limit=_is_limit(column), times=setting.pairs.get((x, n), 1)
        )
        if printed is not None:
            return printed
    change = _change(frame, row, column, value, policy)
    if change is not None:
        return change
    people = _people_of_row(frame, row, kinds) or setting.people
    if people is None or setting.places or ("events" in frame.columns and not counts):
        return figures(value, max(2, policy.figures))
    size = 100.0 if abs(value) > 1 else 1.0
    if not _is_limit(column) and 0 <= value <= size and policy.small(value / size * people, people):
        return WITHHELD
    return on_grid(value, size * policy.grid(people))


def from_counts(
    value: float, x: float, n: float, policy: Policy, *, limit: bool, times: int = 1
) -> float | None:
    """The share, or the limit of its interval, that the rounded counts give; None where the raw ones do not fit."""
    if n <= 0 or x > n:
        return None
    n_printed = policy.rounded(n)
    x_printed = min(policy.rounded(x, times), n_printed)
    for size, digits in ((1.0, 3), (100.0, 1)):
        if not limit:
            if math.isclose(value, size * x / n, rel_tol=1e-9, abs_tol=1e-12):
                return round(size * x_printed / n_printed, digits)
            if math.isclose(value, size * (1 - x / n), rel_tol=1e-9, abs_tol=1e-12):
                return round(size * (1 - x_printed / n_printed), digits)
            continue
        for interval in PROPORTION_INTERVALS.values():
            for end in (0, 1):
                if math.isclose(value, size * interval(x, n)[end], rel_tol=1e-9, abs_tol=1e-12):
                    return round(size * interval(x_printed, n_printed)[end], digits - 1)
    return None


def _is_limit(column: str) -> bool:
    return column.startswith("conf_")


def _change(frame: pd.DataFrame, row: int, column: str, value: float, policy: Policy) -> float | None:
    prefix = column.removesuffix("percent_change")
    before, after = f"{prefix}before", f"{prefix}after"
    if not column.endswith("percent_change") or before not in frame.columns or after not in frame.columns:
        return None
    old, new = policy.rounded(frame[before].iloc[row]), policy.rounded(frame[after].iloc[row])
    return round(100 * (new - old) / old, 0) + 0.0 if old else None


def _people_of_row(frame: pd.DataFrame, row: int, kinds: dict[Any, str]) -> float | None:
    totals = [numeric(frame[name])[row] for name, kind in kinds.items() if kind == "total"]
    totals = [each for each in totals if np.isfinite(each) and each > 0]
    return min(totals) if totals else None


def _grid(
    frame: pd.DataFrame, row: int, column: str, value: float, counted: list[str], setting: Setting
) -> Any:
    policy = setting.policy
    people = min((numeric(frame[name])[row] for name in counted), default=None) or setting.people
    if people is None:
        return figures(value, policy.figures) if setting.places else WITHHELD
    shares = [
        pd.to_numeric(frame[name].iloc[row], errors="coerce")
        for name in frame.columns
        if str(name).startswith("mean_")
    ]
    if any(0 <= share <= 1 and policy.small(share * people, people) for share in shares):
        return WITHHELD
    if column.startswith("mean_") and any(share > 1 or share < 0 for share in shares):
        return figures(value, 3)
    if column.startswith("smd_"):
        return on_grid(value, max(0.01, policy.grid(people / 2)))
    return on_grid(value, policy.grid(people))


def _level(frame: pd.DataFrame, row: int, value: float, counted: list[str], setting: Setting) -> Any:
    policy = setting.policy
    units = max((numeric(frame[name])[row] for name in counted), default=1.0)
    if value == int(value) and policy.small(value * units):
        return WITHHELD
    if not setting.places and counted and policy.small(units):
        return WITHHELD
    return figures(value, max(2, policy.figures))


def _model(frame: pd.DataFrame, row: int, column: str, value: float, policy: Policy) -> float:
    """To the decimal place of the last kept figure of the row's standard error."""
    if column in ("p_value", "p_adjusted"):
        return max(figures(value, policy.figures), 0.001)
    error = (
        pd.to_numeric(frame["std_error"].iloc[row], errors="coerce")
        if "std_error" in frame.columns
        else np.nan
    )
    if column in ("statistic",) or not np.isfinite(error) or error <= 0:
        return figures(value, policy.figures)
    return round(value, policy.figures - 1 - math.floor(math.log10(error))) + 0.0


def _text(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value
