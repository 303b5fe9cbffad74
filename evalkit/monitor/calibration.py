"""Whether a score that is said to be a chance comes true: on average, along its range, and band by band."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from evalkit.intervals import PROPORTION_INTERVALS
from evalkit.monitor.score_table import EVERYBODY, ScoreTable

MOST_STEPS, SETTLED, STEEPEST = 50, 1e-10, 1e3
Fitted = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """`in_the_large`: log odds of the outcome beyond the score's own, `slope`: that of the outcome on the score's log
    odds, each with its error, None where it does not exist. `certain`: scores of exactly 0 or 1, in neither."""

    n: int
    events: int
    expected: float
    in_the_large: Fitted | None
    slope: Fitted | None
    certain: int


def calibration(score: np.ndarray, outcome: np.ndarray) -> Calibration:
    """Calibration of one group (Cox 1958): intercept with the score as offset, and slope with its own intercept."""
    open_scores = (score > 0) & (score < 1)
    line, happened = logit(score[open_scores]), outcome[open_scores].astype(float)
    two_sided = 0 < happened.sum() < len(happened)
    large = _intercept(line, happened) if two_sided else None
    return Calibration(
        n=len(score), events=int(outcome.sum()), expected=float(score.sum()),
        in_the_large=large,
        slope=_slope(line, happened, large[0]) if large and np.ptp(line) > 0 else None,
        certain=int((~open_scores).sum()),
    )  # fmt: skip


def bands(table: ScoreTable, *, number: int, level: float, interval: str, expected: bool) -> pd.DataFrame:
    """What came true beside the score, in bands of equal size over everybody but that equal scores stay together.

    One row per group and band: group, band (1 the lowest), side (whether the band is flagged), n, events, value,
    conf_low, conf_high, and mean_score where the score is a chance.
    """
    first = np.searchsorted(table.score, table.score, side="left")
    band, names, rows = first * number // len(table.score), table.names or (EVERYBODY,), []
    key, cells = table.code * number + band, number * len(names)
    sizes = np.bincount(key, minlength=cells)
    happened, said = (
        np.bincount(key, weights=each, minlength=cells) for each in (table.outcome, table.score)
    )
    flagged = np.bincount(band, weights=table.flagged, minlength=number) / np.maximum(
        np.bincount(band, minlength=number), 1
    )
    for place in np.flatnonzero(sizes):
        n, events, at = int(sizes[place]), int(happened[place]), place % number
        low, high = PROPORTION_INTERVALS[interval](events, n, level)
        mean = float(said[place]) / n
        rows.append(
            (names[place // number], at + 1, _side(flagged[at]), n, events, mean, events / n, low, high)
        )
    columns = ["group", "band", "side", "n", "events", "mean_score", "value", "conf_low", "conf_high"]
    frame = pd.DataFrame(rows, columns=columns)  # fmt: skip
    return frame if expected else frame.drop(columns="mean_score")


def _side(flagged: float) -> str:
    return {0.0: "not flagged", 1.0: "flagged"}.get(flagged, "partly flagged")


def _intercept(line: np.ndarray, happened: np.ndarray) -> Fitted | None:
    shift = 0.0
    for _ in range(MOST_STEPS):
        mean = expit(line + shift)
        information = float((mean * (1 - mean)).sum())
        if not information > 0:
            return None
        step = float((happened - mean).sum()) / information
        shift += step
        if abs(step) < SETTLED:
            return shift, 1 / math.sqrt(information)
    return None


def _slope(line: np.ndarray, happened: np.ndarray, shift: float) -> Fitted | None:
    """Two parameters by Newton's steps on sums over the rows, so that a million people take a fraction of a second.

    The steps start from a slope of 1, which is near where most scores end; from 0, which is safe, where that fails.
    """
    middle = float(line.mean())
    centred = line - middle
    near = _newton(centred, happened, shift + middle, 1.0)
    return near or _newton(centred, happened, float(logit(happened.mean())), 0.0)


def _newton(centred: np.ndarray, happened: np.ndarray, level: float, slope: float) -> Fitted | None:
    for _ in range(MOST_STEPS):
        mean = expit(level + slope * centred)
        weight, rest = mean * (1 - mean), happened - mean
        a, b, c = float(weight.sum()), float(weight @ centred), float(weight @ centred**2)
        determinant = a * c - b * b
        if not determinant > 0 or abs(slope) > STEEPEST:
            return None
        up, along = float(rest.sum()), float(rest @ centred)
        steps = (c * up - b * along) / determinant, (a * along - b * up) / determinant
        level, slope = level + steps[0], slope + steps[1]
        if max(abs(each) for each in steps) < SETTLED:
            return slope, math.sqrt(a / determinant)
    return None
