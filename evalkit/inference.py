"""Intervals, multiplicity, small-sample cluster corrections, wild cluster bootstrap and randomisation inference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from evalkit.errors import StudyError
from evalkit.options import one_of
from evalkit.regression import Fit, group_sums
from evalkit.results import Check, Estimate

WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
WEBB_BELOW = 12
TIE = 1 - 1e-9
# At an adjusted p-value of 0.05 the Monte Carlo error of so many draws is 0.002.
STEP_DOWN_DRAWS = 9999
RULE_WORDS = {"holm": "Holm's rule", "bh": "the rule of Benjamini and Hochberg"}


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A test of no effect and an interval for one coefficient; what does not exist is None."""

    std_error: float | None
    statistic: float | None
    df: float | None
    p_value: float | None
    low: float | None
    high: float | None


def critical_value(level: float, df: float | None = None) -> float:
    """The two-sided critical value of t with df degrees of freedom, or of the normal."""
    tail = 0.5 + level / 2
    return float(ndtri(tail) if df is None else stdtrit(df, tail))


def two_sided(statistic: float, df: float | None = None) -> float:
    """The two-sided p-value of a statistic under t with df degrees of freedom, or the normal."""
    return float(2 * (ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))))


def wald(estimate: float, std_error: float, *, df: float | None = None, level: float = 0.95) -> Interval:
    """Estimate ± critical value × SE, on the scale that the estimate is given."""
    if not std_error > 0 or not math.isfinite(std_error):
        return Interval(std_error=None, statistic=None, df=df, p_value=None, low=None, high=None)
    half = critical_value(level, df) * std_error
    statistic = estimate / std_error
    return Interval(
        std_error=std_error, statistic=statistic, df=df, p_value=two_sided(statistic, df),
        low=estimate - half, high=estimate + half,
    )  # fmt: skip


def margin_check(
    head: Estimate, margin: float, better: str | None, *, ratio: bool, sides: str = "arms"
) -> Check:
    """Whether the interval lies within a margin, on the side that matters where `better` names the good one.

    The margin is on the scale of the estimate: for a ratio 1.1 and 1/1.1 are the same margin. `sides` are the things
    that were compared, in words.
    """
    low, high = head.conf_low, head.conf_high
    if low is None or high is None:
        return Check(name="margin", reading="There is no interval to set against the margin.")
    bound = margin
    if ratio:
        bound, high = abs(math.log(margin)), math.log(high)
        low = math.log(low) if low > 0 else -math.inf
    worst = {"lower": high, "higher": -low}.get(better or "", max(-low, high))
    word = "non-inferior" if better else "equivalent"
    statistic = -worst if better == "higher" else worst
    statistic = math.exp(statistic) if ratio else statistic
    return Check(
        name="margin",
        null=f"the difference could be worse than the margin of {margin:g}",
        statistic=statistic if math.isfinite(statistic) else None,
        threshold=margin,
        passed=worst < bound,
        reading=f"The {sides} are {word} within the margin."
        if worst < bound
        else f"The {sides} cannot be called {word}: the interval reaches past the margin.",
    )


def refuse_margin(margin: float | None, *, ratio: bool) -> None:
    """A margin must be a size: above 0, and for a ratio not 1."""
    if margin is None:
        return
    if not 0 < margin < math.inf:
        raise StudyError("`margin` is a size above 0, whichever way is better", found=str(margin))
    if ratio and margin == 1:
        raise StudyError("`margin` of a ratio is a ratio, such as 1.1 for ten per cent: 1 leaves no room")


def check_margin(margin: float | None, better: str | None, *, ratio: bool, where: str) -> None:
    """The same, with `better`: one of its two words."""
    if better is not None:
        one_of("better", better, ("lower", "higher"), where=where)
    refuse_margin(margin, ratio=ratio)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values (family-wise error)."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    out = np.empty(len(p))
    out[order] = np.minimum(steps, 1)
    return out


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's step-up adjusted p-values (false discovery rate)."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")[::-1]
    steps = np.minimum.accumulate(p[order] * len(p) / (len(p) - np.arange(len(p))))
    out = np.empty(len(p))
    out[order] = np.minimum(steps, 1)
    return out


def romano_wolf(statistics: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Romano and Wolf's step-down adjusted p-values from joint draws of the statistics under the null.

    `draws` has one row per draw and one column per hypothesis, centred at the null.
    """
    size = np.abs(np.asarray(statistics, float))
    order = np.argsort(-size, kind="stable")
    largest = np.maximum.accumulate(np.abs(draws)[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (largest >= size[order] * TIE).sum(axis=0)) / (len(draws) + 1)
    out = np.empty(len(size))
    out[order] = np.maximum.accumulate(p)
    return out


def step_down(p_values: np.ndarray, influence: np.ndarray, *, seed: int) -> np.ndarray:
    """Romano and Wolf's step-down over estimates that rest on the same independent units.

    `influence` has one row per unit and one column per estimate; 0 where a unit has no part in it. The statistic of
    each test is the normal quantile of its own p-value, which for estimate/SE against the normal is its size, and else
    keeps the degrees of freedom or the score test that the p-value has. Its draws under the null are STEP_DOWN_DRAWS
    weighted sums of the units' influences over their standard error, with one normal multiplier for each unit in every
    column (Chernozhukov, Chetverikov and Kato 2013): so they are as correlated as the estimates. A multiplier of
    two values would leave the draws of a test that a few units carry too small ever to be beaten. Adjusted p-values are
    in the order of the p-values, never below them and, but for the chance of the draws, never above Holm's, which holds
    however the tests hang together: so both are bounds. One alone stays as it is.
    """
    p = np.asarray(p_values, float)
    if len(p) < 2:
        return p
    scaled = influence / np.sqrt((influence**2).sum(axis=0))
    # Normal weighted sums need no multiplier for each unit: their covariance is all, and R of QR is a root of it.
    root = np.linalg.qr(scaled, mode="r")
    normal = np.random.default_rng(seed).standard_normal((STEP_DOWN_DRAWS, len(root)))
    return np.clip(romano_wolf(ndtri(p / 2), normal @ root), p, holm(p))


def adjust(p_values: np.ndarray, method: str) -> np.ndarray:
    """Adjusted p-values by `holm` or `bh`."""
    if method not in ("holm", "bh"):
        raise StudyError("p-values are adjusted by `holm` or `bh` here", found=method)
    return holm(p_values) if method == "holm" else benjamini_hochberg(p_values)


def cr2(fit: Fit, clusters: np.ndarray, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """CR2 standard errors (Bell and McCaffrey 2002) and Satterthwaite degrees of freedom, one per coefficient.

    Effects absorbed from the fit must be nested in clusters (Pustejovsky and Tipton 2018, theorem 2); effects that
    are not must stand in the design as columns. Unweighted fits only. Works from cluster cross-products, so that
    large clusters cost no more memory than small ones.
    """
    if fit.weights is not None:
        raise StudyError("`inference: cr2` is not supported with weights", do="Use cluster or wild_bootstrap")
    x, order = fit.design, np.argsort(clusters, kind="stable")
    edges = np.searchsorted(clusters[order], np.arange(n_clusters + 1))
    grams = np.array([x[order[a:b]].T @ x[order[a:b]] for a, b in zip(edges[:-1], edges[1:], strict=True)])
    scores = group_sums(x * fit.residuals[:, None], clusters, n_clusters)
    values, vectors = np.linalg.eigh(fit.bread)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shaped = np.array([_cr2_weights(gram, root) for gram in grams])
    errors, freedom = [], []
    for k in range(len(fit.coefficients)):
        q = shaped @ fit.bread[:, k]
        z = np.einsum("gij,gj->gi", grams, q)
        own = np.einsum("gi,gi->g", q, z)
        spread = np.diag(own) - z @ fit.bread @ z.T
        errors.append(math.sqrt(max(np.sum(np.einsum("gi,gi->g", q, scores) ** 2), 0)))
        freedom.append(np.trace(spread) ** 2 / np.sum(spread**2))
    return np.array(errors), np.array(freedom)


def _cr2_weights(gram: np.ndarray, root: np.ndarray) -> np.ndarray:
    """The matrix that turns bread @ contrast into the cluster's adjusted contrast, in the span of its rows."""
    values, vectors = np.linalg.eigh(root @ gram @ root)
    values = np.clip(values, 0, 1)
    left = 1 - values
    # A cluster that alone determines a direction has nothing left there: the generalised inverse gives it 0.
    scale = np.where(left > 1e-10, 1 / np.sqrt(np.maximum(left, 1e-10)), 0.0) - 1
    factor = np.where(values > 1e-13, scale / np.maximum(values, 1e-13), 0.5)
    return np.eye(len(gram)) + root @ (vectors * factor) @ vectors.T @ root @ gram


@dataclass(frozen=True, kw_only=True)
class WildPieces:
    """Cluster sums from which every wild bootstrap statistic of one coefficient follows.

    With y and d the outcome and the regressor after everything else, and W the other columns that are not nested in
    clusters: `dy`, `dd` are d'y and d'd by cluster, `wy`, `wd` W'y and W'd by cluster, `inverse` that of W'W.
    """

    dy: np.ndarray
    dd: np.ndarray
    wy: np.ndarray
    wd: np.ndarray
    inverse: np.ndarray


def wild_pieces(fit: Fit, position: int, clusters: np.ndarray, n_clusters: int) -> WildPieces:
    """The cluster sums for one coefficient of a fit whose absorbed effects are nested in clusters."""
    others = np.delete(np.arange(fit.design.shape[1]), position)
    w, column = fit.design[:, others], fit.design[:, position]
    scaled = w if fit.weights is None else w * fit.weights[:, None]
    inverse = np.linalg.pinv(scaled.T @ w) if len(others) else np.zeros((0, 0))
    d = column - w @ (inverse @ (scaled.T @ column)) if len(others) else column
    rest = fit.residuals if fit.weights is None else fit.residuals / fit.weights
    y = rest + d * fit.coefficients[position]
    weight = 1.0 if fit.weights is None else fit.weights
    sums = group_sums(np.column_stack([d * y, d * d]) * np.reshape(weight, (-1, 1)), clusters, n_clusters)
    wide = [group_sums(scaled * each[:, None], clusters, n_clusters) if len(others) else np.zeros((n_clusters, 0))
            for each in (y, d)]  # fmt: skip
    return WildPieces(dy=sums[:, 0], dd=sums[:, 1], wy=wide[0], wd=wide[1], inverse=inverse)


def wild_signs(n_clusters: int, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Cluster multipliers, one row per cluster: Rademacher, or Webb's six points below 12 clusters.

    Where all sign patterns are no more than `draws` they are listed once, and the answer is exact (second value).
    """
    if n_clusters >= WEBB_BELOW and 2**n_clusters <= draws:
        patterns = np.arange(2**n_clusters)
        return np.array([1.0 - 2 * ((patterns >> g) & 1) for g in range(n_clusters)]), True
    generator = np.random.default_rng(seed)
    if n_clusters < WEBB_BELOW:
        points = np.concatenate([-WEBB, WEBB])
        return points[generator.integers(0, 6, (n_clusters, draws))], False
    return 1.0 - 2 * generator.integers(0, 2, (n_clusters, draws)).astype(float), False


def wild_p_value(pieces: WildPieces, null: float, signs: np.ndarray, exact: bool) -> float:
    """The restricted wild cluster bootstrap p-value of `coefficient = null` (symmetric, studentised)."""
    total = pieces.dd.sum()
    actual = _wild_statistic(pieces, null, np.ones((len(signs), 1)), total)[0]
    drawn = _wild_statistic(pieces, null, signs, total)
    beyond = int(np.count_nonzero(np.abs(drawn) >= abs(actual) * TIE))
    return beyond / signs.shape[1] if exact else (1 + beyond) / (1 + signs.shape[1])


def _wild_statistic(pieces: WildPieces, null: float, signs: np.ndarray, total: float) -> np.ndarray:
    restricted = pieces.dy - null * pieces.dd
    change = restricted @ signs / total
    nuisance = pieces.inverse @ ((pieces.wy - null * pieces.wd).T @ signs)
    scores = restricted[:, None] * signs - pieces.wd @ nuisance - pieces.dd[:, None] * change
    spread = np.sqrt(np.einsum("gb,gb->b", scores, scores)) / total
    return change / np.where(spread > 0, spread, np.inf)


def wild_interval(
    pieces: WildPieces, std_error: float, signs: np.ndarray, exact: bool, level: float
) -> tuple[float | None, float | None]:
    """The values that the bootstrap test does not reject, by bisection on either side of the estimate."""
    estimate = pieces.dy.sum() / pieces.dd.sum()
    alpha = 1 - level
    ends: list[float | None] = []
    for side in (-1, 1):
        inner, outer = estimate, estimate + side * 2 * std_error
        for _ in range(40):
            if wild_p_value(pieces, outer, signs, exact) <= alpha:
                break
            inner, outer = outer, estimate + 2 * (outer - estimate)
        else:
            ends.append(None)
            continue
        for _ in range(26):
            middle = (inner + outer) / 2
            if wild_p_value(pieces, middle, signs, exact) <= alpha:
                outer = middle
            else:
                inner = middle
        ends.append((inner + outer) / 2)
    return ends[0], ends[1]


def rank_of(observed: float, placebos: np.ndarray) -> int:
    """The place of the observed value among itself and the placebos by size, ties counted against it."""
    return 1 + int(np.count_nonzero(np.abs(placebos) >= abs(observed) * TIE))
