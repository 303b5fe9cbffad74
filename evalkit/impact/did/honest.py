"""How far parallel trends may fail before the finding does (Rambachan and Roth 2023).

The quantity bounded is the plain mean of the effects at event times ≥ 0, on the universal base.
Relative magnitudes: from one period to the next the arms may drift apart after treatment by at most M̄ times the most
that they drifted before; the interval inverts the authors' hybrid test (`relative_magnitudes`). Without any drift it is
the usual interval.
Smoothness: the slope of the drift may change by at most M a period; the interval is their fixed-length interval, whose
affine estimator minimises its length.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from evalkit.impact.did.drift import Drift, drift
from evalkit.impact.did.found import EventPath
from evalkit.impact.did.relative_magnitudes import relative_magnitudes
from evalkit.results import Check

M_BARS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
SMOOTHNESS_SHARES = (0.0, 0.25, 0.5, 1.0)
LARGEST = 20.0
NEAR = 1e-6


def smoothness(found: Drift, m: float, level: float) -> tuple[float, float]:
    """Fixed-length interval when the slope of the drift changes by at most m a period."""
    from scipy.optimize import minimize

    k, ahead = len(found.pre), found.ahead
    bends, times = _bends(k, ahead), np.concatenate([np.arange(-k, 0), np.arange(1, ahead + 1)]).astype(float)
    start = _straight(found, times)
    width = len(times) - 1

    def weights(v: np.ndarray) -> np.ndarray:
        return np.concatenate([v[:k], found.weights])

    def length(v: np.ndarray) -> float:
        w = weights(v)
        sd = np.sqrt(w @ found.covariance @ w)
        return float(folded_critical(m * v[k:].sum() / sd, level) * sd)

    limits = [
        {"type": "eq", "fun": lambda v: weights(v) @ times},
        {"type": "ineq", "fun": lambda v: v[k:] - bends.T @ weights(v)},
        {"type": "ineq", "fun": lambda v: v[k:] + bends.T @ weights(v)},
    ]
    first = np.concatenate([start, np.abs(bends.T @ weights(np.append(start, np.zeros(width)))) + 1e-6])
    if m == 0:
        best = start
    else:
        found_best = minimize(
            length, first, method="SLSQP", constraints=limits, options={"maxiter": 300, "ftol": 1e-10}
        )
        best = found_best.x[:k] if found_best.success else start
    w = np.concatenate([best, found.weights])
    sd = float(np.sqrt(w @ found.covariance @ w))
    bias = m * float(np.abs(bends.T @ w).sum())
    half = folded_critical(bias / sd, level) * sd
    return float(w @ found.both - half), float(w @ found.both + half)


def _bends(k: int, ahead: int) -> np.ndarray:
    """How the drift at each time moves with each change of slope: rows times, columns -k+1 … ahead-1."""
    out = np.zeros((k + ahead, k + ahead - 1))
    for column, j in enumerate(range(-k + 1, ahead)):
        for back in range(1, k + 1):
            if j <= 0:
                out[k - back, column] = max(back + j, 0)
        for after in range(1, ahead + 1):
            if j >= 1:
                out[k + after - 1, column] = max(after - j, 0)
    return out


def _straight(found: Drift, times: np.ndarray) -> np.ndarray:
    """Weights on the leads that cancel any straight trend with the smallest variance."""
    k = len(found.pre)
    early, cross = found.covariance[:k, :k], found.covariance[:k, k:] @ found.weights
    trend, target = times[:k], -found.weights @ times[k:]
    inverse = np.linalg.pinv(early)
    free = -inverse @ cross
    push = inverse @ trend
    return free + push * (target - trend @ free) / (trend @ push)


def folded_critical(bias: float, level: float) -> float:
    """The quantile of |N(bias, 1)|."""
    from scipy.special import ndtr

    low, high = 0.0, bias + 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if ndtr(middle - bias) - ndtr(-middle - bias) < level:
            low = middle
        else:
            high = middle
    return high


def breakdown(interval: Callable[[float], tuple[float, float]], largest: float) -> float:
    """The largest violation at which the interval still leaves out zero; 0 where it holds zero without any."""

    def holds(m: float) -> bool:
        low, high = interval(m)
        return low <= 0 <= high

    tried = [m for m in (*M_BARS, largest) if m <= largest]
    reached = next((k for k, m in enumerate(tried) if holds(m)), None)
    if reached is None:
        return largest
    if reached == 0:
        return 0.0
    low, high = tried[reached - 1], tried[reached]
    while high - low > NEAR:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low


def sensitivity(path: EventPath | None, level: float, *, ratio: bool) -> tuple[pd.DataFrame | None, Check]:
    """Frame restriction, m_bar, conf_low, conf_high (ratios for counts), and Check `breakdown`."""
    found = None if path is None else drift(path)
    if found is None:
        return None, Check(
            name="breakdown", null="the finding survives a failure of parallel trends as large as any seen before",
            passed=None, reading="Cannot be bounded: this needs a path with at least one lead and an error.",
            next_step="Add earlier periods",
        )  # fmt: skip
    magnitudes = cache(lambda m: relative_magnitudes(found, m, level))
    rows = [("relative_magnitudes", m, *magnitudes(m)) for m in M_BARS]
    unit = float(np.sqrt(found.covariance[len(found.pre), len(found.pre)]))
    if len(found.pre) > 1:
        sizes = [share * unit for share in SMOOTHNESS_SHARES]
        rows += [("smoothness", m, *smoothness(found, m, level)) for m in sizes]
    frame = pd.DataFrame(rows, columns=["restriction", "m_bar", "conf_low", "conf_high"])
    if ratio:
        frame[["conf_low", "conf_high"]] = np.exp(frame[["conf_low", "conf_high"]])
    value = breakdown(magnitudes, LARGEST)
    return frame, _breakdown_check(value)


def _breakdown_check(value: float) -> Check:
    enough = value >= 1
    if value == 0:
        words = "Averaged over the periods since the start, the interval holds no effect even if trends were parallel."
    else:
        words = f"The finding holds until trends fail after treatment by {value:.2f} times the most seen before it."
    return Check(
        name="breakdown",
        null="the finding survives a failure of parallel trends as large as any seen before",
        statistic=value,
        threshold=1.0,
        passed=enough,
        reading=words,
        next_step="" if enough else "Say that the finding rests on parallel trends",
    )
