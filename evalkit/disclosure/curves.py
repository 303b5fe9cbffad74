"""Survival curves on their way out: on round times, so that no person's own day can be read off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit.disclosure.policy import WITHHELD
from evalkit.disclosure.tables import Setting, grid_of, on_grid

MOST_POINTS = 13
STEPS = (1, 2, 5, 10, 20, 30, 50, 60, 90, 100, 180, 200, 365, 500, 1000)
HEIGHTS = ("survival", "estimate", "cumulative_incidence", "incidence", "conf_low", "conf_high")


def is_curve(frame: pd.DataFrame) -> bool:
    """Whether the frame has one row per time at which something happened."""
    return {"time", "at_risk"} <= set(frame.columns)


def release_curve(frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The curve at about a dozen round times: heights on a grid that fits several people, events withheld."""
    keys = [name for name in frame.columns if name in ("arm", "group", "cause", "event_type", "strata")]
    groups = frame.groupby(keys, sort=False, dropna=False) if keys else [((), frame)]
    step = _step(float(pd.to_numeric(frame["time"]).max()))
    rows = [row for _, part in groups for row in _rows(part.sort_values("time", kind="stable"), step, keys, setting)]
    released = pd.DataFrame(rows, columns=list(frame.columns)).astype(object)
    released = released.where(released.notna(), None)
    setting.record.withheld += int((released == WITHHELD).to_numpy().sum())
    setting.record.note("Curves are printed at round times only; the times of single events are withheld.")
    return released


def _rows(part: pd.DataFrame, step: float, keys: list[str], setting: Setting) -> list[dict[str, Any]]:
    times = part["time"].to_numpy(dtype=float)
    people = float(part["at_risk"].max())
    wanted = np.arange(0.0, times.max() + 1e-9, step) if len(times) else np.array([])
    out = []
    for when in wanted:
        place = int(np.searchsorted(times, when, side="right")) - 1
        row = part.iloc[max(place, 0)]
        out.append(_row(part, row, float(when), people, place < 0, keys, setting))
    return out


def _row(
    part: pd.DataFrame, row: pd.Series, when: float, people: float, before: bool, keys: list[str], setting: Setting
) -> dict[str, Any]:
    policy, at_risk = setting.policy, float(row["at_risk"])
    grid, small = grid_of(people, policy), bool(policy.small(at_risk))
    out: dict[str, Any] = {"time": when}
    for name in part.columns:
        if name in keys:
            out[name] = row[name]
        elif name == "at_risk":
            out[name] = WITHHELD if small else policy.rounded(at_risk)
        elif name in HEIGHTS and not small:
            start = 1.0 if "incidence" not in name and float(part["survival"].max() if "survival" in part else 1) > 0 else 0.0
            height = start if before else float(row[name])
            out[name] = None if math.isnan(height) else min(1.0, max(0.0, on_grid(height, grid)))
        elif name != "time":
            out[name] = WITHHELD
    return out


def _step(longest: float) -> float:
    return float(next((each for each in STEPS if longest / each <= MOST_POINTS), longest / MOST_POINTS))
