"""What `survival` shows arm by arm: the curves, the value at the horizon, and the incidence of competing events."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pandas as pd

from evalkit import inference
from evalkit.impact import kaplan_meier as km
from evalkit.impact.sample import Sample
from evalkit.impact.survival_options import SurvivalOptions


def quantity(
    sample: Sample, time: np.ndarray, horizon: float, options: SurvivalOptions, rows: np.ndarray
) -> tuple[float, np.ndarray]:
    function = {
        "rmst": km.restricted_mean_at, "aalen_johansen": km.incidence_at,
    }.get(options.estimator, km.survival_at)  # fmt: skip
    weights = sample.weights[rows] if sample.weighted else None
    return function(time[rows], sample.outcome[rows], horizon, weights)


def survival_frames(
    sample: Sample, time: np.ndarray, horizon: float, options: SurvivalOptions
) -> dict[str, pd.DataFrame]:
    frames = {"curves": _stacked(partial(_curve, sample, time, options))}
    frames["arms"] = _stacked(partial(_arm, sample, time, horizon, options))
    if options.estimator == "aalen_johansen":
        frames["incidence"] = _stacked(partial(_incidence, sample, time, options))
    return frames


def _stacked(of_arm: partial) -> pd.DataFrame:
    parts = []
    for name, flag in (("treated", True), ("control", False)):
        part = of_arm(flag)
        part.insert(0, "arm", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _curve(sample: Sample, time: np.ndarray, options: SurvivalOptions, flag: bool) -> pd.DataFrame:
    rows = sample.arm(flag)
    weights = sample.weights[rows] if sample.weighted else None
    curve = km.kaplan_meier(time[rows], (sample.outcome[rows] > 0).astype(float), weights)
    low, high = km.log_log_limits(curve.survival, curve.hazard_variance, options.level)
    table = pd.DataFrame({
        "time": curve.time, "at_risk": curve.people, "events": curve.people_events,
        "survival": curve.survival, "conf_low": low, "conf_high": high,
    })  # fmt: skip
    if curve.time[0] == 0:
        return table
    start = pd.DataFrame([[0.0, len(rows), 0, 1.0, 1.0, 1.0]], columns=table.columns)
    return pd.concat([start.astype(table.dtypes.to_dict()), table], ignore_index=True)


def _arm(
    sample: Sample, time: np.ndarray, horizon: float, options: SurvivalOptions, flag: bool
) -> pd.DataFrame:
    rows = sample.arm(flag)
    value, influence = quantity(sample, time, horizon, options, rows)
    variance = float((influence**2).sum())
    if options.estimator == "rmst":
        found = inference.wald(value, math.sqrt(variance), level=options.level)
        low, high = found.low, found.high
    else:
        alive = 1 - value if options.estimator == "aalen_johansen" else value
        spread = variance / alive**2 if alive > 0 else math.nan
        limits = km.log_log_limits(np.array([alive]), np.array([spread]), options.level)
        low, high = float(limits[0][0]), float(limits[1][0])
        if options.estimator == "aalen_johansen":
            low, high = 1 - high, 1 - low
    events = int(((sample.outcome[rows] == 1) & (time[rows] <= horizon)).sum())
    columns = ["n", "events", "value", "conf_low", "conf_high"]
    return pd.DataFrame([[len(rows), events, value, low, high]], columns=columns)


def _incidence(sample: Sample, time: np.ndarray, options: SurvivalOptions, flag: bool) -> pd.DataFrame:
    rows = sample.arm(flag)
    weights = sample.weights[rows] if sample.weighted else None
    grid, value, variance = km.cumulative_incidence(time[rows], sample.outcome[rows], weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = km.log_log_limits(1 - value, variance / (1 - value) ** 2, options.level)
    return pd.DataFrame({"time": grid, "value": value, "conf_low": 1 - high, "conf_high": 1 - low})
