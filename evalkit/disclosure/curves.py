"""Survival curves on their way out: on round times, so that no person's own day can be read off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit.disclosure.policy import WITHHELD, Policy
from evalkit.disclosure.sums import numeric
from evalkit.disclosure.tables import Setting, on_grid

MOST_POINTS = 13
STEPS = (1, 2, 5, 10, 20, 30, 50, 60, 90, 100, 180, 200, 365, 500, 1000)
HEIGHTS = ("survival", "estimate", "cumulative_incidence", "incidence", "value")
LIMITS = ("conf_low", "conf_high")


def is_curve(frame: pd.DataFrame) -> bool:
    """Whether the frame has one row per time at which something happened."""
    return {"time", "at_risk"} <= set(frame.columns)


def release_curve(frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The curve at about a dozen round times: heights on a grid that fits several people, events withheld."""
    keys = [name for name in frame.columns if name in ("arm", "group", "cause", "event_type", "strata")]
    groups = frame.groupby(keys, sort=False, dropna=False) if keys else [((), frame)]
    # All arms on the same times, to the same last one: that an arm ends early would say that nobody was left.
    longest = float(pd.to_numeric(frame["time"]).max())
    when = np.arange(0.0, longest + 1e-9, _step(longest))
    rows = [
        row
        for _, part in groups
        for row in _rows(part.sort_values("time", kind="stable"), when, keys, setting)
    ]
    released = pd.DataFrame(rows, columns=list(frame.columns)).astype(object)
    released = released.where(released.notna(), None)
    setting.record.withheld += int((released == WITHHELD).to_numpy().sum())
    setting.record.note("Curves are printed at round times only; the times of single events are withheld.")
    return released


def _rows(part: pd.DataFrame, wanted: np.ndarray, keys: list[str], setting: Setting) -> list[dict[str, Any]]:
    times = part["time"].to_numpy(dtype=float)
    people = float(part["at_risk"].max())
    events = numeric(part["events"]) if "events" in part else np.zeros(len(part))
    so_far = np.cumsum(np.nan_to_num(events))
    # A comparison whose counts are withheld everywhere cannot have them read off the end of its curve.
    shown = setting.pairs.get((float(so_far[-1]), people), 1) != 0 if len(part) else False
    out, before = [], (0.0, people)
    for when in wanted:
        place = int(np.searchsorted(times, when, side="right")) - 1
        count = so_far[place] if place >= 0 else 0.0
        now = count, float(part["at_risk"].iloc[place]) if place >= 0 else people
        safe = shown and not setting.policy.small(count, people) and not _few_between(before, now, setting)
        before = now if safe else before
        out.append(_row(part, max(place, 0), float(when), people, count, safe, keys, setting))
    return out


def _few_between(before: tuple[float, float], now: tuple[float, float], setting: Setting) -> bool:
    """Whether, counts being printed as they are, few had the event or left since the last time that is printed."""
    if setting.policy.rounding > 1:
        return False
    return any(
        0 < abs(one - other) < setting.policy.threshold for one, other in zip(before, now, strict=True)
    )


def _row(
    part: pd.DataFrame, place: int, when: float, people: float, count: float, safe: bool, keys: list[str],
    setting: Setting,
) -> dict[str, Any]:  # fmt: skip
    """One time: at the very start everybody is at risk; elsewhere heights only where enough had the event by then."""
    policy, row = setting.policy, part.iloc[place]
    at_risk = float(row["at_risk"])
    small = bool(policy.small(at_risk)) or when > float(part["time"].max())
    height = next((name for name in part.columns if name in HEIGHTS), None)
    out: dict[str, Any] = {"time": when}
    for name in part.columns:
        if name in keys:
            out[name] = row[name]
        elif name == "at_risk":
            out[name] = WITHHELD if small or not (safe or when == 0) else policy.rounded(at_risk)
        elif name in HEIGHTS or name in LIMITS:
            fall = name == "survival" or (name in LIMITS and height == "survival")
            if when == 0:
                out[name] = 1.0 if fall else 0.0
            elif safe and not small:
                out[name] = _height(row, name, height, people, count, policy)
            else:
                out[name] = WITHHELD
        elif name != "time":
            out[name] = WITHHELD
    return out


def _height(
    row: pd.Series, name: str, height: str | None, people: float, count: float, policy: Policy
) -> Any:
    """A height from the rounded count where nobody was lost, else on a grid of several people; a limit as far from
    the printed height as it lies from the true one, in whole steps of the grid, so that it says nothing more."""
    if height is None or math.isnan(float(row[name])):
        return None
    value, grid = float(row[height]), policy.grid(people)
    known = {1 - count / people: 1.0, count / people: 0.0}
    start = next((base for share, base in known.items() if math.isclose(value, share, abs_tol=1e-9)), None)
    centre = on_grid(value, grid)
    if start is not None:
        share = min(1.0, policy.rounded(count) / policy.rounded(people))
        centre = round(abs(start - share), 3)
    if name in HEIGHTS:
        return min(1.0, max(0.0, centre))
    steps = math.ceil(abs(float(row[name]) - value) / grid - 1e-9) * grid
    return round(min(1.0, max(0.0, centre + math.copysign(steps, float(row[name]) - value))), 10)


def _step(longest: float) -> float:
    return float(next((each for each in STEPS if longest / each <= MOST_POINTS), longest / MOST_POINTS))
