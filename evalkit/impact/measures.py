"""Two arm means, how far each row moves them, and every measure of their difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evalkit import inference, intervals
from evalkit.impact.sample import Sample
from evalkit.regression import cluster_factor
from evalkit.results import Estimate

MEASURES = ("risk_difference", "risk_ratio", "odds_ratio", "mean_difference", "rate_ratio")
RATIOS = ("risk_ratio", "odds_ratio", "rate_ratio")
BINARY = ("risk_difference", "risk_ratio", "odds_ratio")
UNITS = {"risk_difference": "percentage points", "mean_difference": None}
FEWEST_IN_ARM, FEWEST_CLUSTERS = 3, 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Means:
    """Mean outcome of the treated and the control arm, with the influence of each row on both (n by 2).

    An arm's mean less its expectation is about the sum of its influences, so their squares sum to its
    variance. `parameters` is how many numbers were fitted on the way.
    """

    treated: float
    control: float
    influence: np.ndarray
    parameters: int = 2


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A variance with the degrees of freedom of its t interval, and how many clusters it rests on."""

    variance: float
    df: float | None = None
    n_clusters: int | None = None
    trusted: bool = True


def weighted_means(sample: Sample) -> Means:
    """Weighted mean of each arm, per unit of exposure where there is one."""
    exposure = np.ones(len(sample.outcome)) if sample.exposure is None else sample.exposure
    influence = np.zeros((len(sample.outcome), 2))
    values = []
    for column, flag in enumerate((True, False)):
        rows = sample.arm(flag)
        weight = sample.weights[rows]
        total = (weight * exposure[rows]).sum()
        mean = (weight * sample.outcome[rows]).sum() / total
        influence[rows, column] = weight * (sample.outcome[rows] - mean * exposure[rows]) / total
        values.append(float(mean))
    return Means(treated=values[0], control=values[1], influence=influence)


def contrast(means: Means, measure: str) -> tuple[float, np.ndarray]:
    """The difference, or the log of the ratio, and each row's influence on it. NaN where it does not
    exist."""
    one, nought = means.treated, means.control
    if measure in ("risk_difference", "mean_difference"):
        scale = 100.0 if measure == "risk_difference" else 1.0
        return scale * (one - nought), scale * (means.influence[:, 0] - means.influence[:, 1])
    slopes, values = [], []
    for value in (one, nought):
        odds = measure == "odds_ratio"
        below = value * (1 - value) if odds else value
        if below <= 0:
            return math.nan, np.full(len(means.influence), math.nan)
        slopes.append(1 / below)
        values.append(math.log(value / (1 - value)) if odds else math.log(value))
    return values[0] - values[1], means.influence @ np.array([slopes[0], -slopes[1]])


def spread(influence: np.ndarray, sample: Sample, parameters: int) -> Spread:
    """Variance of a sum of influences: HC1 by rows, or by clusters with G/(G-1) × (N-1)/(N-K)."""
    n = len(influence)
    if n <= parameters:
        return Spread(variance=math.nan, trusted=False)
    if sample.clusters is None:
        return Spread(variance=float(n / (n - parameters) * (influence**2).sum()))
    if sample.nested is not None:
        return _nested_spread(influence, sample)
    size = int(sample.clusters.max()) + 1
    if size < 2:
        return Spread(variance=math.nan, n_clusters=size, trusted=False)
    sums = np.bincount(sample.clusters, weights=influence, minlength=size)
    variance = float(cluster_factor(size, n, parameters) * (sums**2).sum())
    if not sample.named:
        return Spread(variance=variance, n_clusters=size)
    smallest = min(len(np.unique(sample.clusters[sample.arm(flag)])) for flag in (True, False))
    trusted = smallest >= FEWEST_IN_ARM and size >= FEWEST_CLUSTERS
    return Spread(variance=variance, df=size - 1, n_clusters=size, trusted=trusted)


def _nested_spread(influence: np.ndarray, sample: Sample) -> Spread:
    """One arm in clusters, the other not: the arms' variances apart, with Satterthwaite's degrees of
    freedom."""
    parts, free, clusters = [], [], 0
    for flag in (True, False):
        rows = sample.arm(flag)
        found, groups = np.unique(sample.clusters[rows], return_inverse=True)
        sums = np.bincount(groups, weights=influence[rows])
        clusters = len(found) if flag == sample.nested else clusters
        parts.append(len(found) / max(len(found) - 1, 1) * (sums**2).sum())
        free.append(max(len(found) - 1, 1))
    variance = float(sum(parts))
    below = sum(part**2 / df for part, df in zip(parts, free, strict=True))
    return Spread(
        variance=variance,
        df=variance**2 / below if below else None,
        n_clusters=clusters,
        trusted=clusters >= FEWEST_IN_ARM,
    )


def estimate_from(
    term: str,
    measure: str,
    value: float,
    spread: Spread,
    sample: Sample,
    level: float,
    *,
    interval: str = "wald",
) -> Estimate:
    """Wald estimate from a difference or a log ratio; without error and interval where they cannot be
    trusted."""
    ratio = measure in RATIOS
    known = math.isfinite(value)
    shown = (math.exp(value) if ratio else value) if known else None
    base = {
        "term": term, "measure": measure, "estimate": shown, "level": level, "unit": UNITS.get(measure, "ratio"),
        "n_treated": int(sample.treated.sum()), "n_control": int((~sample.treated).sum()),
        "n_clusters": spread.n_clusters,
    }  # fmt: skip
    if not known or not spread.trusted or not spread.variance > 0:
        return Estimate(**base)
    found = inference.wald(value, math.sqrt(spread.variance), df=spread.df, level=level)
    return Estimate(
        **base, std_error=found.std_error, statistic=found.statistic, df=found.df, p_value=found.p_value,
        conf_low=math.exp(found.low) if ratio else found.low,
        conf_high=math.exp(found.high) if ratio else found.high, interval=interval,
    )  # fmt: skip


def plain_estimate(sample: Sample, measure: str, level: float) -> Estimate:
    """The textbook estimate from independent rows that count alike."""
    if measure == "risk_difference":
        return _risk_difference(sample, level)
    means = weighted_means(sample)
    value, influence = contrast(means, measure)
    if measure == "mean_difference":
        return estimate_from(
            "treated_vs_control", measure, value, _welch(sample), sample, level, interval="welch"
        )
    if measure == "rate_ratio":
        return estimate_from(
            "treated_vs_control",
            measure,
            value,
            spread(influence, sample, 2),
            sample,
            level,
            interval="robust",
        )
    if not math.isfinite(value):
        return _empty_cell(sample, measure, means, level)
    # Without a small-sample factor these are Katz's and Woolf's variances of the log.
    exact = Spread(variance=float((influence**2).sum()))
    return estimate_from("treated_vs_control", measure, value, exact, sample, level, interval="log_normal")


def two_by_two(sample: Sample) -> tuple[int, int, int, int]:
    """Events and people of the treated arm, then of the control arm."""
    one, nought = sample.outcome[sample.treated], sample.outcome[~sample.treated]
    return int(one.sum()), len(one), int(nought.sum()), len(nought)


def _risk_difference(sample: Sample, level: float) -> Estimate:
    table = two_by_two(sample)
    p_1, p_0 = table[0] / table[1], table[2] / table[3]
    low, high = intervals.newcombe(*table, level)
    error = 100 * math.sqrt(p_1 * (1 - p_1) / table[1] + p_0 * (1 - p_0) / table[3])
    score, p = intervals.score_test(*table)
    difference = 100 * (p_1 - p_0)
    return Estimate(
        term="treated_vs_control", measure="risk_difference", estimate=difference, std_error=error,
        statistic=math.copysign(math.sqrt(score), difference), p_value=p, conf_low=100 * low,
        conf_high=100 * high, level=level, interval="newcombe", n_treated=table[1], n_control=table[3],
        unit="percentage points",
    )  # fmt: skip


def _welch(sample: Sample) -> Spread:
    parts, free = [], []
    for flag in (True, False):
        values = sample.outcome[sample.treated == flag]
        if len(values) < 2:
            return Spread(variance=math.nan)
        parts.append(values.var(ddof=1) / len(values))
        free.append(len(values) - 1)
    variance = float(sum(parts))
    below = sum(part**2 / df for part, df in zip(parts, free, strict=True))
    return Spread(variance=variance, df=float(variance**2 / below) if below else None)


def _empty_cell(sample: Sample, measure: str, means: Means, level: float) -> Estimate:
    """A ratio with an arm at 0% or 100%: nought where that is its value, otherwise none."""
    nothing = means.treated == 0 and means.control > 0
    exists = nothing and (measure == "risk_ratio" or means.control < 1)
    return Estimate(
        term="treated_vs_control", measure=measure, estimate=0.0 if exists else None, level=level, unit="ratio",
        n_treated=int(sample.treated.sum()), n_control=int((~sample.treated).sum()),
        p_value=intervals.fisher_exact(*two_by_two(sample)),
    )  # fmt: skip
