"""An estimate that compares two counts: how coarsely it must be printed so that many pairs of counts fit.

The rule is a map from pairs of counts (x of n in each arm) to what is printed. All pairs go through it at once; the
pairs that print alike form a block, and a block is what an attacker who knows the rule, the rounding and both n can
reach at best. The finest step whose blocks are wide enough is used; where none is, the estimate is withheld.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import special

from evalkit.disclosure.attack import Spread, hashed
from evalkit.disclosure.policy import Policy

REACH = 60
LARGE = 1000
WALD = "wald_difference"
OF_EVENTS = ("rate_ratio", "hazard_ratio")
PAIR_MEASURES = ("risk_difference", WALD, "risk_ratio", "odds_ratio", *OF_EVENTS)
RATIOS = ("risk_ratio", "odds_ratio", *OF_EVENTS)


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
        if measure in RATIOS:
            return self.log
        return self.points / 100 if measure == "mean_difference" else self.points


STEPS = (
    Step(points=0.1, log=0.01, p="two_figures", errors=True, outward=False),
    Step(points=1, log=0.05, p="one_figure", errors=True, outward=False),
    Step(points=1, log=0.05, p="bands", errors=True, outward=False),
    Step(points=2, log=0.1, p="bands", errors=True, outward=False),
    Step(points=5, log=0.2, p="bands", errors=False, outward=True),
    Step(points=10, log=0.5, p="none", errors=False, outward=True),
)
# In order of usefulness to a reader: which step, and how the two counts are printed beside it (1: as the preset
# rounds them, 2: twice as coarse, 0: not at all). A comparison to a point is worth more than two rounded counts.
ATTEMPTS = (
    (STEPS[0], 1), (STEPS[1], 1), (STEPS[2], 1), (STEPS[1], 2), (STEPS[2], 2), (STEPS[3], 1), (STEPS[3], 2),
    (STEPS[1], 0), (STEPS[2], 0), (STEPS[3], 0), (STEPS[4], 0), (STEPS[5], 0), (None, 1),
)  # fmt: skip
ALL_HIDDEN = (None, 0)
P_BANDS = np.array([0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """The four numbers behind a comparison; with `events` x counts events, of which a person may have several."""

    x_treated: int
    n_treated: int
    x_control: int
    n_control: int
    events: bool = False

    @property
    def counts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return (self.x_treated, self.n_treated), (self.x_control, self.n_control)

    def small(self, policy: Policy) -> bool:
        """Whether either count, or what is left of its arm, is too small to print."""
        return any(bool(policy.small(x, None if self.events else n)) for x, n in self.counts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """What an estimate prints, as numbers or as arrays of them."""

    estimate: np.ndarray
    std_error: np.ndarray
    p_value: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


def compare(measure: str, x1: np.ndarray, n1: int, x0: np.ndarray, n0: int, level: float = 0.95) -> Numbers:
    """Two proportions compared as `rates` compares them: Newcombe and score for differences, logs for ratios.

    `wald_difference` is the same difference with the plain interval and test of a weighted or matched comparison.
    Ratios of rates and of hazards are as if everybody had the same time.
    """
    p1, p0 = x1 / n1, x0 / n0
    z = special.ndtri(0.5 + level / 2)
    if measure == "risk_difference":
        pooled = (x1 + x0) / (n1 + n0)
        null_error = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        error = np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
        low, high = _newcombe(x1, n1, x0, n0, z)
        return Numbers(
            estimate=100 * (p1 - p0), std_error=100 * error, p_value=_p_value(p1 - p0, null_error),
            conf_low=100 * low, conf_high=100 * high,
        )  # fmt: skip
    if measure == "mean_difference":
        return _welch(p1, n1, p0, n0, z)
    if measure == WALD:
        error = np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
        return Numbers(
            estimate=100 * (p1 - p0), std_error=100 * error, p_value=_p_value(p1 - p0, error),
            conf_low=100 * (p1 - p0 - z * error), conf_high=100 * (p1 - p0 + z * error),
        )  # fmt: skip
    return _ratio(measure, x1, n1, x0, n0, z)


def _welch(p1: np.ndarray, n1: int, p0: np.ndarray, n0: int, z: float) -> Numbers:
    error = np.sqrt(p1 * (1 - p1) / max(n1 - 1, 1) + p0 * (1 - p0) / max(n0 - 1, 1))
    return Numbers(
        estimate=p1 - p0, std_error=error, p_value=_p_value(p1 - p0, error),
        conf_low=p1 - p0 - z * error, conf_high=p1 - p0 + z * error,
    )  # fmt: skip


def _ratio(measure: str, x1: np.ndarray, n1: int, x0: np.ndarray, n0: int, z: float) -> Numbers:
    p1, p0 = x1 / n1, x0 / n0
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "risk_ratio":
            log, variance = np.log(p1 / p0), 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
        elif measure in OF_EVENTS:
            log, variance = np.log(p1 / p0), 1 / x1 + 1 / x0
        else:
            log = np.log(x1 * (n0 - x0) / ((n1 - x1) * x0))
            variance = 1 / x1 + 1 / (n1 - x1) + 1 / x0 + 1 / (n0 - x0)
    log = np.where(np.isfinite(log), log, np.nan)
    error = np.where(np.isfinite(log) & (variance < np.inf), np.sqrt(np.maximum(variance, 0)), np.nan)
    half = z * error
    return Numbers(
        estimate=np.exp(log), std_error=error, p_value=_p_value(log, error),
        conf_low=np.exp(log - half), conf_high=np.exp(log + half),
    )  # fmt: skip


def coarsen(numbers: Numbers, measure: str, step: Step) -> Numbers:
    """The numbers as printed at one step. NaN stays NaN."""
    grid, ratio = step.grid(measure), measure in RATIOS
    forward = np.log if ratio else np.asarray
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, low, high = (
            forward(each) / grid for each in (numbers.estimate, numbers.conf_low, numbers.conf_high)
        )
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

    def printed_as(self, pair: Pair) -> tuple[Step | None, int]:
        """The step at which this pair is printed (None: the estimate is withheld), and how its counts are."""
        return (*ATTEMPTS, ALL_HIDDEN)[int(self.attempt[self._place(pair)])]

    def fits(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """All pairs that print exactly as this one does."""
        same = self.block == self.block[self._place(pair)]
        return self.x_treated[same], self.x_control[same]

    def middle(self, pair: Pair) -> Pair:
        """One pair for all that print alike: what is worked out from it says no more than what is printed."""
        x1, x0 = self.fits(pair)
        order = np.argsort((x1 - x1.mean()) ** 2 + (x0 - x0.mean()) ** 2, kind="stable")
        return replace(pair, x_treated=int(x1[order[0]]), x_control=int(x0[order[0]]))

    def _place(self, pair: Pair) -> int:
        return int(np.flatnonzero((self.x_treated == pair.x_treated) & (self.x_control == pair.x_control))[0])


def choose(
    pair: Pair, measures: Sequence[str], policy: Policy, level: float = 0.95, *, counted: bool = True,
    heights: bool = False,
) -> Lattice:  # fmt: skip
    """Send every pair of counts through the rule and give each the finest step at which it is safe.

    `measures` are printed beside one another. `counted` is False where the counts are printed nowhere, so that
    there is no attempt to print them; with `heights` a curve prints both shares on the grid of the preset.
    """
    spans = tuple(_span(x, None if pair.events else n) for x, n in pair.counts)
    sizes = replace(pair, x_treated=0, x_control=0)
    return _lattice(spans, sizes, tuple(measures), policy, level, counted, heights)


@lru_cache(maxsize=64)
def _lattice(
    spans: tuple[tuple[int, int], ...], sizes: Pair, measures: tuple[str, ...], policy: Policy, level: float,
    counted: bool, heights: bool,
) -> Lattice:  # fmt: skip
    ns = (sizes.n_treated, sizes.n_control)
    xs = tuple(each.ravel() for each in np.meshgrid(*(np.arange(a, b + 1) for a, b in spans), indexing="ij"))
    tops = (None, None) if sizes.events else ns
    small = tuple(policy.small(x, top) for x, top in zip(xs, tops, strict=True))
    known = _known(xs, ns, small, policy, sizes.events, heights)
    raw = [compare(measure, xs[0], ns[0], xs[1], ns[1], level) for measure in measures]
    chosen, block = np.full(len(xs[0]), len(ATTEMPTS)), np.zeros(len(xs[0]), dtype=np.int64)
    left = np.ones(len(xs[0]), dtype=bool)
    for attempt, (step, times) in enumerate(ATTEMPTS):
        if (step is STEPS[0] and policy.rounding > 1 and min(ns) < LARGE) or (times and not counted):
            continue
        if not left.any() or (times > 1 and policy.rounding == 1) or (step is not None and not measures):
            continue
        codes = hashed(
            [*known, *_printed_counts(xs, small[0] | small[1], times, policy), *_codes(raw, measures, step)]
        )
        take = _safe(codes, left, xs, tops, small, policy)
        chosen[take], block[take] = attempt, codes[take]
        left &= ~take
    block[left] = hashed([*known, chosen])[left]
    return Lattice(x_treated=xs[0], x_control=xs[1], attempt=chosen, block=block)


def _known(
    xs: tuple[np.ndarray, ...], ns: tuple[int, int], small: tuple, policy: Policy, events: bool, heights: bool
) -> list[np.ndarray]:
    """What the attacker has beside the numbers. On which side of a half the rates lie is common knowledge: without
    it, x and n - x would pass for one another. That some cell is small may be read from what is withheld."""
    side = 0 * xs[0] if events else 1 * (2 * (xs[0] + xs[1]) > sum(ns))
    curve = [np.round(x / n / policy.grid(n)) for x, n in zip(xs, ns, strict=True)] if heights else []
    return [side, 1 * (small[0] | small[1]), *curve]


def _codes(raw: list[Numbers], measures: tuple[str, ...], step: Step | None) -> list[np.ndarray]:
    if step is None:
        return []
    columns = []
    for numbers, measure in zip(raw, measures, strict=True):
        seen = coarsen(numbers, measure, step)
        columns += [seen.estimate, seen.std_error, seen.p_value, seen.conf_low, seen.conf_high]
    return [
        np.where(np.isfinite(each), np.round(np.nan_to_num(each, posinf=0, neginf=0) * 1e5), -1e9)
        for each in columns
    ]


def _printed_counts(
    xs: tuple[np.ndarray, ...], hidden: np.ndarray, times: int, policy: Policy
) -> list[np.ndarray]:
    return [np.where(hidden, -1, policy.rounded(x, times)) for x in xs] if times else []


def _safe(
    codes: np.ndarray, left: np.ndarray, xs: tuple[np.ndarray, ...], tops: tuple, small: tuple, policy: Policy
) -> np.ndarray:
    """The pairs that may be printed at this step: an attacker who knows which ones are finds enough that fit.

    Taking one pair out narrows the range of those that print like it, so it is repeated until nothing changes.
    """
    places = np.flatnonzero(left)
    blocks = np.unique(codes[places], return_inverse=True)[1]
    sides = [
        (Spread.of(blocks, x[places]), _needs(x[places], top, is_small[places], policy))
        for x, top, is_small in zip(xs, tops, small, strict=True)
    ]
    alive = np.ones(len(places), dtype=bool)
    while alive.any():
        safe = np.ones(len(places), dtype=bool)
        for spread, (least, most, many) in sides:
            low, high, found = spread.among(alive)
            safe &= (low <= least) & (high >= most) & (found > many)
        if (safe | ~alive).all():
            break
        alive &= safe
    take = np.zeros(len(codes), dtype=bool)
    take[places[alive]] = True
    return take


def _needs(x: np.ndarray, top: int | None, small: np.ndarray, policy: Policy) -> tuple[np.ndarray, ...]:
    """How low and how high the range of each count must reach, and how many numbers must fit: for a small count as
    far on either side as the protection, or as there are whole numbers; for another only several numbers."""
    floor, reach = (0 if policy.hide_zeros else 1), policy.protection
    ceiling = x + reach if top is None else np.maximum(top - floor, x)
    least = np.where(small, np.maximum(x - reach, np.minimum(floor, x)), x)
    most = np.where(small, np.minimum(x + reach, ceiling), x)
    return least, most, np.where(small, reach, policy.spread)


def _span(x: int, n: int | None) -> tuple[int, int]:
    """The counts that are tried: all of a small arm, a wide stretch around the printed count of a large one."""
    if n is None:
        start = max(0, x // 10 * 10 - REACH)
        return start, start + 2 * REACH
    if n <= 2 * REACH:
        return 0, n
    start = max(0, min(x // 10 * 10 - REACH, n - 2 * REACH))
    return start, min(n, start + 2 * REACH)


def _newcombe(x1: np.ndarray, n1: int, x0: np.ndarray, n0: int, z: float) -> tuple[np.ndarray, np.ndarray]:
    ends = []
    for x, n in ((x1, n1), (x0, n0)):
        p = x / n
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        ends.append(
            (p, (p + z**2 / (2 * n) - half) / (1 + z**2 / n), (p + z**2 / (2 * n) + half) / (1 + z**2 / n))
        )
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
    return np.round(values, max(0, math.ceil(-math.log10(grid)))) + 0.0
