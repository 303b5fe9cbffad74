"""Robust intervals when the drift after treatment is bounded by the largest drift before it.

The set allowed is a union: for each period before the start, and each sign, the drift there is the yardstick and every
drift after is at most m_bar times it. Each part is a set of linear inequalities, tested at every value of the effect by
the hybrid of a conditional and a least-favourable test (C-LF) of Andrews, Roth and Pakes (2023), with a tenth of the
error given to the first stage. The interval runs from the lowest to the highest value that no part's test rejects.

The test's statistic is the largest of the standardised combinations of inequalities in which the effects that are not
of interest cancel. Here they can be written down: two hold the effect and the yardstick from above and from below,
the rest hold the yardstick alone (it must have its sign) and differ only in their scale, so that the smallest and the
largest scale stand for all. All four are linear in two normal numbers, which makes the least-favourable
critical value an integral round a circle: nothing is simulated and no linear program is solved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from evalkit.impact.did.drift import Drift

FIRST_STAGE = 0.1  # share of the error given to the least-favourable stage, as in the authors' software
ANGLES = 512
STEPS = 100
CLOSER = 4
HALVINGS = 40
SAME = 1e-12
SMALLEST = np.finfo(float).tiny


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """Per part (a period before the start and a sign): estimates of effect and yardstick, and the four combinations.

    `estimates` (parts, 2) and `root` (parts, 2, 2; the lower root of their covariance); `faces` (parts, 4, 2) are the
    combinations' coefficients, `limit` the least-favourable critical value.
    """

    estimates: np.ndarray
    root: np.ndarray
    faces: np.ndarray
    limit: np.ndarray
    error: float

    def keep(self, which: np.ndarray) -> Parts:
        return Parts(
            estimates=self.estimates[which], root=self.root[which], faces=self.faces[which],
            limit=self.limit[which], error=self.error,
        )  # fmt: skip


def relative_magnitudes(found: Drift, m_bar: float, level: float) -> tuple[float, float]:
    """Robust interval when drift after is at most m_bar times the largest drift before."""
    parts = _parts(found, m_bar, level)
    # Beyond these values the first stage alone rejects.
    reached = np.einsum("pfi,pi->pf", parts.faces[:, :2], parts.estimates) - parts.limit[:, None]
    low, high = (reached / parts.faces[:, :2, 0]).T
    some = low <= high
    parts, low, high = parts.keep(some), low[some], high[some]
    return _first_held(parts, low, high), _first_held(parts, high, low)


def _first_held(parts: Parts, start: np.ndarray, end: np.ndarray) -> float:
    """The furthest value on the way from `start` to `end`, over all parts, that a part's test does not reject."""
    way = np.sign((end - start).sum())
    for _ in range(CLOSER):
        grid = start[:, None] + (end - start)[:, None] * np.linspace(0.0, 1.0, STEPS + 1)
        held = ~_rejected(parts, grid)
        some, first, row = held.any(axis=1), held.argmax(axis=1), np.arange(len(grid))
        start, end = grid[row, np.maximum(first - 1, 0)], grid[row, first]
        furthest = (way * end[some]).min()
        # A part whose last rejected value is already nearer than that cannot set the end.
        some &= way * start <= furthest
        parts, start, end = parts.keep(some), start[some], end[some]
    return float(way * furthest)


def _parts(found: Drift, m_bar: float, level: float) -> Parts:
    k, ahead = len(found.pre), found.ahead
    yardsticks = np.zeros((k, k + ahead))
    yardsticks[np.arange(k), np.arange(k)] = -1.0
    yardsticks[np.arange(k - 1), np.arange(1, k)] = 1.0
    yardsticks = np.vstack([yardsticks, -yardsticks])
    effect = np.concatenate([np.zeros(k), found.weights])
    pairs = np.stack([np.broadcast_to(effect, yardsticks.shape), yardsticks], axis=1)
    root = _lower_root(pairs @ found.covariance @ pairs.transpose(0, 2, 1))
    faces = _faces(found, yardsticks, m_bar)
    error = 1 - level
    return Parts(
        estimates=pairs @ found.both, root=root, faces=faces, error=error,
        # The two signs of a yardstick mirror each other.
        limit=np.tile(_least_favourable((faces @ root)[:k], FIRST_STAGE * error), 2),
    )  # fmt: skip


def _lower_root(covariance: np.ndarray) -> np.ndarray:
    """Lower triangular roots of two-by-two covariances, also singular ones."""
    root = np.zeros_like(covariance)
    root[:, 0, 0] = np.sqrt(covariance[:, 0, 0])
    root[:, 1, 0] = covariance[:, 0, 1] / root[:, 0, 0]
    root[:, 1, 1] = np.sqrt(np.maximum(covariance[:, 1, 1] - root[:, 1, 0] ** 2, 0.0))
    return root


def _faces(found: Drift, yardsticks: np.ndarray, m_bar: float) -> np.ndarray:
    """The combinations that can decide the test: effect from above, from below, smallest and largest of the rest."""
    k, ahead = len(found.pre), found.ahead
    steps = np.zeros((ahead, k + ahead))
    steps[np.arange(ahead), k + np.arange(ahead)] = 1.0
    steps[np.arange(1, ahead), k + np.arange(ahead - 1)] = -1.0
    rows = m_bar * yardsticks[:, None, :]
    up, down = (
        np.sqrt(np.maximum(np.einsum("pti,ij,ptj->pt", each, found.covariance, each), SMALLEST))
        for each in (steps - rows, -steps - rows)
    )
    # A drift of one a period moves the effect by what later periods weigh.
    share = np.cumsum(found.weights[::-1])[::-1]
    more, less, reach = np.maximum(share, 0.0), np.maximum(-share, 0.0), m_bar * np.abs(share).sum()
    above, below, alone = up @ more + down @ less, down @ more + up @ less, up + down
    faces = np.zeros((len(yardsticks), 4, 2))
    faces[:, 0] = np.array([1.0, -reach]) / above[:, None]
    faces[:, 1] = np.array([-1.0, -reach]) / below[:, None]
    faces[:, 2, 1], faces[:, 3, 1] = -2 * m_bar / alone.min(axis=1), -2 * m_bar / alone.max(axis=1)
    return faces


def _least_favourable(spread: np.ndarray, share: float) -> np.ndarray:
    """What the largest of `spread` (parts, 4, 2) times two standard normals exceeds with probability `share`."""
    angle = (np.arange(ANGLES) + 0.5) * 2 * np.pi / ANGLES
    height = (spread @ np.array([np.cos(angle), np.sin(angle)])).max(axis=1)
    steep = 1 / np.maximum(height, SAME) ** 2
    low, high = np.zeros(len(spread)), 10 * height.max(axis=1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        beyond = np.exp(-0.5 * middle[:, None] ** 2 * steep).mean(axis=1) > share
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return high


def _rejected(parts: Parts, values: np.ndarray) -> np.ndarray:
    """Whether the hybrid test of each part rejects each of its `values` (parts, values) of the effect."""
    spread = parts.faces @ parts.root
    covariance = spread @ spread.transpose(0, 2, 1)
    level = np.einsum("pfi,pi->pf", parts.faces, parts.estimates)
    found = level[:, None, :] - values[:, :, None] * parts.faces[:, None, :, 0]
    which = found.argmax(axis=2)
    largest = np.take_along_axis(found, which[:, :, None], axis=2)
    row = np.arange(len(values))[:, None]
    variance = covariance[row, which, which][:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = covariance[row, which] / variance
        cut = (found - slope * largest) / (1 - slope)
        low = np.where(slope < 1 - SAME, cut, -np.inf).max(axis=2)
        high = np.minimum(np.where(slope > 1 + SAME, cut, np.inf).min(axis=2), parts.limit[:, None])
        largest, deviation = largest[:, :, 0], np.sqrt(variance[:, :, 0])
        tail = _tail(largest / deviation, low / deviation, high / deviation)
    size = parts.error * (1 - FIRST_STAGE) / (1 - FIRST_STAGE * parts.error)
    return (largest > parts.limit[:, None]) | ((largest > 0) & (tail < size))


def _tail(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The chance that a standard normal between `low` and `high` exceeds `value`."""
    base = log_ndtr(-low)
    far = np.exp(log_ndtr(-high) - base)
    return (np.exp(log_ndtr(-value) - base) - far) / (1 - far)
