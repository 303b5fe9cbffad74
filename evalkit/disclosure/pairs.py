"""An estimate that compares two counts: how coarsely it must be printed so that many pairs of counts fit.

The rule is a map from pairs of counts (x of n in each arm) to what is printed. All pairs go through it at once; the
pairs that print alike form a block, and a block is what an attacker who knows the rule, the rounding and both n can
reach at best. The finest step whose blocks are wide enough is used; where none is, the estimate is withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from evalkit.disclosure.attack import block_ranges, combine, distinct
from evalkit.disclosure.policy import Policy

REACH = 120
LARGE = 1000
PAIR_MEASURES = ("risk_difference", "risk_ratio", "odds_ratio")
RATIOS = ("risk_ratio", "odds_ratio", "rate_ratio", "hazard_ratio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One degree of coarseness.

    `points` is the grid of a risk difference in percentage points, `log` that of the logarithm of a ratio; `p` says
    how a p-value is printed; `errors` whether a standard error and a statistic are printed; `outward` whether limits
    move away from the estimate, so that the printed interval always holds the computed one.
    """

    points: float
    log: float
    p: str
    errors: bool
    outward: bool

    def grid(self, measure: str) -> float:
        return self.log if measure in RATIOS else self.points


STEPS = (
    Step(points=0.1, log=0.01, p="two_figures", errors=True, outward=False),
    Step(points=1, log=0.05, p="one_figure", errors=True, outward=False),
    Step(points=1, log=0.05, p="bands", errors=True, outward=False),
    Step(points=2, log=0.1, p="bands", errors=True, outward=False),
    Step(points=5, log=0.2, p="bands", errors=False, outward=True),
    Step(points=10, log=0.5, p="none", errors=False, outward=True),
)
# In order of usefulness to a reader: which step, and whether the two counts are printed beside it. A comparison
# that is exact to a point is worth more than two rounded counts.
ATTEMPTS = (
    (STEPS[0], True), (STEPS[1], True), (STEPS[2], True),
    (STEPS[1], False), (STEPS[2], False), (STEPS[3], False), (STEPS[4], False), (STEPS[5], False),
    (None, True),
)  # fmt: skip
ALL_HIDDEN = (None, False)
P_BANDS = np.array([0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """The four numbers behind a comparison of two proportions."""

    x_treated: int
    n_treated: int
    x_control: int
    n_control: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """What an estimate prints, as numbers or as arrays of them."""

    estimate: np.ndarray
    std_error: np.ndarray
    p_value: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


def compare(measure: str, x1: np.ndarray, n1: int, x0: np.ndarray, n0: int, level: float = 0.95) -> Numbers:
    """Two proportions compared as `rates` compares them: Newcombe and score for differences, logs for ratios."""
    p1, p0 = x1 / n1, x0 / n0
    if measure == "risk_difference":
        pooled = (x1 + x0) / (n1 + n0)
        null_error = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        error = np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
        low, high = _newcombe(x1, n1, x0, n0, level)
        return Numbers(
            estimate=100 * (p1 - p0), std_error=100 * error, p_value=_p_value(p1 - p0, null_error),
            conf_low=100 * low, conf_high=100 * high,
        )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "risk_ratio":
            log, variance = np.log(p1 / p0), 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
        else:
            log = np.log(x1 * (n0 - x0) / ((n1 - x1) * x0))
            variance = 1 / x1 + 1 / (n1 - x1) + 1 / x0 + 1 / (n0 - x0)
    log = np.where(np.isfinite(log), log, np.nan)
    error = np.where(np.isfinite(log) & (variance < np.inf), np.sqrt(np.maximum(variance, 0)), np.nan)
    half = special.ndtri(0.5 + level / 2) * error
    return Numbers(
        estimate=np.exp(log), std_error=error, p_value=_p_value(log, error),
        conf_low=np.exp(log - half), conf_high=np.exp(log + half),
    )  # fmt: skip


def coarsen(numbers: Numbers, measure: str, step: Step) -> Numbers:
    """The numbers as printed at one step. NaN stays NaN."""
    grid, ratio = step.grid(measure), measure in RATIOS
    forward = np.log if ratio else np.asarray
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, low, high = (forward(each) / grid for each in (numbers.estimate, numbers.conf_low, numbers.conf_high))
    centre = _half_even(centre)
    if step.outward:
        low, high = np.floor(low + 1e-9), np.ceil(high - 1e-9)
    else:
        low, high = np.minimum(_half_even(low), centre), np.maximum(_half_even(high), centre)
    centre, low, high = (_printed(each * grid, grid, ratio) for each in (centre, low, high))
    error_grid = grid / 2
    error = np.maximum(_half_even(numbers.std_error / error_grid), 1) * error_grid
    missing = np.full_like(np.asarray(numbers.estimate, dtype=float), np.nan)
    return Numbers(
        estimate=centre, conf_low=low, conf_high=high,
        std_error=np.round(error, 4) if step.errors else missing,
        p_value=coarse_p(np.asarray(numbers.p_value, dtype=float), step.p),
    )  # fmt: skip


def coarse_p(p: np.ndarray, rule: str) -> np.ndarray:
    """A p-value to two figures, to one, or as the upper end of its band; never below 0.001."""
    p = np.asarray(p, dtype=float)
    if rule == "none":
        return np.full_like(p, np.nan)
    if rule == "bands":
        upper = P_BANDS[np.minimum(np.searchsorted(P_BANDS, np.nan_to_num(p, nan=1.0)), len(P_BANDS) - 1)]
        return np.where(np.isnan(p), np.nan, upper)
    figures = 2 if rule == "two_figures" else 1
    with np.errstate(divide="ignore", invalid="ignore"):
        place = 10.0 ** (np.floor(np.log10(np.maximum(p, 0.001))) - figures + 1)
    return np.maximum(np.round(_half_even(p / place) * place, 6), 0.001)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """Every pair of counts near the true one, the attempt at which each is printed, and its block."""

    x_treated: np.ndarray
    x_control: np.ndarray
    attempt: np.ndarray
    block: np.ndarray

    def printed_as(self, pair: Pair) -> tuple[Step | None, bool]:
        """The step at which this pair is printed (None: the estimate is withheld), and whether its counts are."""
        return (*ATTEMPTS, ALL_HIDDEN)[int(self.attempt[self._place(pair)])]

    def fits(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """All pairs that print exactly as this one does."""
        same = self.block == self.block[self._place(pair)]
        return self.x_treated[same], self.x_control[same]

    def _place(self, pair: Pair) -> int:
        return int(np.flatnonzero((self.x_treated == pair.x_treated) & (self.x_control == pair.x_control))[0])


def choose(pair: Pair, measures: Sequence[str], policy: Policy, level: float = 0.95) -> Lattice:
    """Send every pair of counts through the rule and give each the finest step at which it is safe."""
    spans = (_span(pair.x_treated, pair.n_treated), _span(pair.x_control, pair.n_control))
    return _lattice(spans, pair.n_treated, pair.n_control, tuple(sorted(set(measures))), policy, level)


@lru_cache(maxsize=32)
def _lattice(
    spans: tuple[tuple[int, int], tuple[int, int]],
    n1: int,
    n0: int,
    measures: tuple[str, ...],
    policy: Policy,
    level: float,
) -> Lattice:
    x1, x0 = (each.ravel() for each in np.meshgrid(*(np.arange(a, b + 1) for a, b in spans), indexing="ij"))
    small = (policy.small(x1, n1), policy.small(x0, n0))
    raw = [compare(measure, x1, n1, x0, n0, level) for measure in measures]
    chosen, block = np.full(len(x1), len(ATTEMPTS)), np.zeros(len(x1), dtype=np.int64)
    left = np.ones(len(x1), dtype=bool)
    # Which side of a half the rates lie is common knowledge: without it, x and n - x would pass for one another.
    side = 2 * (x1 + x0) > n1 + n0
    for attempt, (step, counted) in enumerate(ATTEMPTS):
        if step is STEPS[0] and policy.rounding > 1 and min(n1, n0) < LARGE:
            continue
        counts = _printed_counts(x1, x0, small[0] | small[1] if counted else np.ones_like(left), policy)
        codes = combine([side, counts, *_codes(raw, measures, step)])
        take = left & _reaches(codes, (x1, x0), (n1, n0), small, policy)
        take &= _wide(codes, take, (x1, x0), small, policy)
        chosen[take], block[take] = attempt, codes[take] + attempt * len(x1)
        left &= ~take
    block[left] = len(ATTEMPTS) * len(x1)
    return Lattice(x_treated=x1, x_control=x0, attempt=chosen, block=block)


def _codes(raw: list[Numbers], measures: tuple[str, ...], step: Step | None) -> list[np.ndarray]:
    if step is None:
        return []
    columns = []
    for numbers, measure in zip(raw, measures, strict=True):
        seen = coarsen(numbers, measure, step)
        for each in (seen.estimate, seen.std_error, seen.p_value, seen.conf_low, seen.conf_high):
            columns.append(np.where(np.isfinite(each), np.round(np.where(np.isfinite(each), each, 0) * 1e4), -1e9))
    return columns


def _printed_counts(x1: np.ndarray, x0: np.ndarray, hidden: np.ndarray, policy: Policy) -> np.ndarray:
    shown = combine([policy.rounded(x1), policy.rounded(x0)])
    return np.where(hidden, -1, shown)


def _reaches(
    codes: np.ndarray, xs: tuple[np.ndarray, np.ndarray], ns: tuple[int, int], small: tuple, policy: Policy
) -> np.ndarray:
    """Where the range of a small count, among all pairs that print alike, reaches far enough on either side."""
    safe = np.ones(len(codes), dtype=bool)
    for x, n, is_small in zip(xs, ns, small, strict=True):
        low, high = block_ranges(codes, x)
        floor = 0 if policy.hide_zeros else 1
        below = x - low >= np.minimum(policy.protection, np.maximum(x - floor, 0))
        above = high - x >= np.minimum(policy.protection, np.maximum(n - floor - x, 0))
        safe &= ~is_small | (below & above)
    return safe


def _wide(
    codes: np.ndarray, take: np.ndarray, xs: tuple[np.ndarray, np.ndarray], small: tuple, policy: Policy
) -> np.ndarray:
    """Where enough whole numbers fit for an attacker who also knows which pairs the rule prints at this step."""
    safe = np.zeros(len(codes), dtype=bool)
    if not take.any():
        return safe
    wide = np.ones(int(take.sum()), dtype=bool)
    for x, is_small in zip(xs, small, strict=True):
        any_small = block_ranges(codes[take], is_small[take].astype(np.int64))[1] > 0
        wide &= distinct(codes[take], x[take]) > np.where(any_small, policy.protection, policy.spread)
    safe[take] = wide
    return safe


def _span(x: int, n: int) -> tuple[int, int]:
    """The counts that are tried: all of a small arm, a wide stretch around the printed count of a large one."""
    if n <= 2 * REACH:
        return 0, n
    start = max(0, min(x // 10 * 10 - REACH, n - 2 * REACH))
    return start, min(n, start + 2 * REACH)


def _newcombe(x1: np.ndarray, n1: int, x0: np.ndarray, n0: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    z = special.ndtri(0.5 + level / 2)
    ends = []
    for x, n in ((x1, n1), (x0, n0)):
        p = x / n
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        ends.append((p, (p + z**2 / (2 * n) - half) / (1 + z**2 / n), (p + z**2 / (2 * n) + half) / (1 + z**2 / n)))
    (p1, low1, high1), (p0, low0, high0) = ends
    return p1 - p0 - np.hypot(p1 - low1, high0 - p0), p1 - p0 + np.hypot(high1 - p1, p0 - low0)


def _p_value(difference: np.ndarray, error: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error > 0, 2 * special.ndtr(-np.abs(difference / error)), 1.0)


def _half_even(values: np.ndarray) -> np.ndarray:
    # Dividing by a grid such as 0.1 leaves 2.4999999 where 2.5 is meant: settle the last bits first.
    return np.round(np.round(values, 9))


def _printed(values: np.ndarray, grid: float, ratio: bool) -> np.ndarray:
    if ratio:
        ratios = np.exp(values)
        return np.where(ratios < 0.1, np.round(ratios, 3), np.round(ratios, 2))
    return np.round(values, 1 if grid < 1 else 0) + 0.0
