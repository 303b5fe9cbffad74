"""Least squares with absorbed effects, generalised linear models, robust and cluster covariances.

Everything here works on arrays. A fit carries what a covariance needs and no more: the inverse of the information
(`bread`) and, for each row, a design row and a residual whose product is the row's score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from scipy.special import expit

from evalkit.errors import EstimationError, StudyError

COLLINEAR = 1e-9
CONVERGED = 1e-11
MOST_STEPS = 60
DENSE_LEVELS = 2000
MANY_COLUMNS = 6
FEW_PLACES = 8
LARGEST_CODE = np.iinfo(np.int64).max
FAMILIES = ("gaussian", "poisson", "binomial")


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A fitted regression. Columns of the design that the others determine are left out and named in `dropped`.

    `design` and `residuals` multiply to the scores; for weighted fits the weight is inside `residuals`.
    `effects` counts the parameters of absorbed effects, one entry per effect, the first with its mean.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    bread: np.ndarray
    design: np.ndarray
    residuals: np.ndarray
    n: int
    effects: tuple[int, ...] = ()
    weights: np.ndarray | None = None
    dropped: tuple[str, ...] = ()
    fitted: np.ndarray | None = None

    def position(self, name: str) -> int:
        """Where a coefficient stands; refused where the column was left out."""
        if name not in self.names:
            raise EstimationError(
                f"the effect of `{name}` does not exist in these data",
                do="Its column is determined by the others, so no comparison is left",
            )
        return self.names.index(name)


def codes(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Whole numbers 0 to L-1 in the sort order of the values, and L."""
    found, levels = factorize(values)
    return found, len(levels)


def places(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Whole numbers of modest range as places in a table from their lowest: places, which are filled, the lowest."""
    if values.dtype.kind not in "iu" or not len(values):
        return None
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1000 or high > LARGEST_CODE:
        return None
    # Narrow types would overflow in the subtraction.
    place = values.astype(np.int64, copy=False)
    place = place - low if low else place
    if high - low < FEW_PLACES:
        return place, np.array([(place == k).any() for k in range(high - low + 1)]), low
    filled = np.zeros(high - low + 1, bool)
    filled[place] = True
    return place, filled, low


def factorize(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes 0 to L-1 in sort order, and the sorted levels; whole numbers of modest range go by a table."""
    values = np.asarray(values)
    placed = places(values)
    if placed is not None:
        place, filled, low = placed
        levels = np.flatnonzero(filled)
        if len(levels) == len(filled):
            return place, levels + low
        return (np.cumsum(filled) - 1)[place], levels + low
    import pandas as pd

    found, levels = pd.factorize(values, sort=True)
    return found.astype(np.int64, copy=False), np.asarray(levels)


def group_sums(values: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums of each column within groups: shape (n_groups, columns), or (n_groups,) for a vector."""
    if values.ndim == 1:
        return np.bincount(groups, weights=values, minlength=n_groups)
    if not values.shape[1]:
        return np.zeros((n_groups, 0))
    if values.shape[1] >= MANY_COLUMNS:
        rows = sparse.csr_matrix(
            (np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(n_groups, len(groups))
        )
        return rows @ values
    return np.column_stack([np.bincount(groups, weights=column, minlength=n_groups) for column in values.T])


def absorb(
    columns: np.ndarray,
    effects: Sequence[np.ndarray],
    weights: np.ndarray | None = None,
    grid: tuple[int, int] | None = None,
) -> np.ndarray:
    """Residuals of each column after one or two sets of group effects.

    `grid` (units, periods) says that rows are a complete grid sorted by unit then period: then two means are exact.
    Otherwise two effects are eliminated exactly: the larger in closed form, the smaller by one linear solve.
    """
    if columns.ndim == 1:
        return absorb(columns[:, None], effects, weights, grid)[:, 0]
    if not effects:
        return columns
    if len(effects) == 1:
        return _absorb_one(columns, effects[0], weights)
    if len(effects) > 2:
        raise StudyError("more than two sets of effects are not supported", found=str(len(effects)))
    if grid is not None and weights is None:
        return _absorb_grid(columns, grid)
    return _absorb_two(columns, effects[0], effects[1], weights)


def _absorb_one(columns: np.ndarray, groups: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    n_groups = int(groups.max()) + 1
    total = np.bincount(groups, weights=weights, minlength=n_groups)
    weighted = columns if weights is None else columns * weights[:, None]
    means = group_sums(weighted, groups, n_groups) / np.maximum(total, 1e-300)[:, None]
    return columns - means[groups]


def _absorb_grid(columns: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    out = np.empty(columns.shape)
    for k in range(columns.shape[1]):
        values = columns[:, k].reshape(grid)
        rest = values - values.mean(axis=1)[:, None]
        rest -= rest.mean(axis=0)[None, :]
        out[:, k] = rest.reshape(-1)
    return out


def _absorb_two(
    columns: np.ndarray, first: np.ndarray, second: np.ndarray, weights: np.ndarray | None
) -> np.ndarray:
    solve = two_effects(first, second, weights)
    out = columns
    # A second pass removes what rounding left of the first, where group totals span many orders.
    for _ in range(1 if weights is None else 2):
        weighted = out if weights is None else out * weights[:, None]
        a, b = solve(
            group_sums(weighted, first, int(first.max()) + 1),
            group_sums(weighted, second, int(second.max()) + 1),
        )
        out = out - a[first] - b[second]
    return out


def two_effects(
    first: np.ndarray,
    second: np.ndarray,
    weights: np.ndarray | None = None,
    sizes: tuple[int, int] | None = None,
) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A solver of the normal equations of two sets of effects: from (weighted) sums by each to the effects.

    The larger set is eliminated in closed form; what is left is one small linear system, factorised once.
    """
    n_first, n_second = sizes or (int(first.max()) + 1, int(second.max()) + 1)
    if n_second > n_first:
        turned = two_effects(second, first, weights, (n_second, n_first))
        return lambda left, right: turned(right, left)[::-1]
    joint = _joint(first, second, n_first, n_second, weights)
    total_first = np.bincount(first, weights=weights, minlength=n_first)
    total_second = np.bincount(second, weights=weights, minlength=n_second).astype(float)
    divisor = np.where(total_first > 0, total_first, 1.0)
    solve = _schur_solver(joint, divisor, total_second)

    def effects(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        b = solve(right - joint.T @ (left / divisor[:, None]))
        return (left - joint @ b) / divisor[:, None], b

    return effects


def _joint(big: np.ndarray, small: np.ndarray, n_big: int, n_small: int, weights: np.ndarray | None):
    """Weights summed by the two groupings: dense where a good part of the cells is filled."""
    if n_big * n_small <= 8 * len(big) + 10_000:
        flat = np.bincount(big * n_small + small, weights=weights, minlength=n_big * n_small)
        return flat.astype(float).reshape(n_big, n_small)
    values = np.ones(len(big)) if weights is None else weights
    return sparse.csr_matrix((values, (big, small)), shape=(n_big, n_small))


def _schur_solver(joint, total_big: np.ndarray, total_small: np.ndarray):
    if joint.shape[1] <= DENSE_LEVELS:
        scaled = (
            joint / total_big[:, None]
            if isinstance(joint, np.ndarray)
            else joint.multiply(1 / total_big[:, None])
        )
        cross = joint.T @ scaled
        cross = cross if isinstance(cross, np.ndarray) else cross.toarray()
        # The null direction (a constant) must not pass for signal, so the cut-off is well above rounding.
        inverse = linalg.pinvh(np.diag(total_small) - cross, rtol=1e-11)
        return lambda right: inverse @ right
    return lambda right: np.column_stack(
        [_conjugate_gradient(joint, total_big, total_small, column) for column in right.T]
    )


def _conjugate_gradient(
    joint, total_big: np.ndarray, total_small: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Solve the normal equations of the smaller effect without forming them."""
    scale = 1 / np.maximum(total_small, 1e-300)
    x, rest = np.zeros_like(right), right.copy()
    direction = scale * rest
    size = rest @ direction
    stop = size * CONVERGED**2
    for _ in range(10 * len(right)):
        if size <= stop or size == 0:
            break
        image = total_small * direction - joint.T @ ((joint @ direction) / total_big)
        step = size / (direction @ image)
        x += step * direction
        rest -= step * image
        ahead = scale * rest
        size, before = rest @ ahead, size
        direction = ahead + (size / before) * direction
    return x


def effect_ranks(effects: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Free parameters of each effect: all levels of the first; of the second, less one per connected part."""
    if not effects:
        return ()
    sizes = [int(each.max()) + 1 for each in effects]
    if len(effects) == 1:
        return (sizes[0],)
    if _all_linked(effects[0], effects[1], sizes):
        return (sizes[0], sizes[1] - 1)
    graph = sparse.coo_matrix((np.ones(len(effects[0]), bool), (effects[0], effects[1])), shape=sizes)
    whole = sparse.bmat([[None, graph], [graph.T, None]])
    parts = sparse.csgraph.connected_components(whole, directed=False, return_labels=False)
    return (sizes[0], sizes[1] - parts)


def _all_linked(first: np.ndarray, second: np.ndarray, sizes: list[int]) -> bool:
    """True where a few steps from the first level reach every level of both: the usual panel, told quickly."""
    if sizes[0] * sizes[1] > 8 * len(first) + 10_000:
        return False
    filled = np.bincount(first * sizes[1] + second, minlength=sizes[0] * sizes[1]).reshape(sizes) > 0
    reached = filled[0]
    for _ in range(4):
        left = filled[:, reached].any(axis=1)
        reached = filled[left].any(axis=0)
        if left.all() and reached.all():
            return True
    return False


def independent(gram: np.ndarray) -> np.ndarray:
    """Positions of columns, in order, that earlier columns do not determine, from their cross-products."""
    size = len(gram)
    scale = np.sqrt(np.maximum(np.diag(gram), 0))
    safe = np.where(scale > 0, scale, 1)
    work = gram / np.outer(safe, safe)
    kept = []
    for k in range(size):
        if scale[k] > 0 and work[k, k] > COLLINEAR:
            kept.append(k)
            work = work - np.outer(work[:, k], work[k]) / work[k, k]
    return np.array(kept, dtype=int)


def least_squares(
    outcome: np.ndarray,
    design: np.ndarray,
    names: Sequence[str],
    *,
    effects: Sequence[np.ndarray] = (),
    weights: np.ndarray | None = None,
    grid: tuple[int, int] | None = None,
    ranks: tuple[int, ...] | None = None,
) -> Fit:
    """Least squares of the outcome on the design after absorbing up to two sets of effects."""
    both = absorb(np.column_stack([outcome, design]), effects, weights, grid)
    y, x = both[:, 0], both[:, 1:]
    # Demeaning leaves rounding behind where an effect determines a column: measure against the column itself.
    spread = np.einsum("ij,ij->j", x, x) <= COLLINEAR**2 * np.einsum("ij,ij->j", design, design)
    x = np.where(spread[None, :], 0.0, x) if spread.any() else x
    weighted = x if weights is None else x * weights[:, None]
    gram = weighted.T @ x
    kept = independent(gram)
    dropped = tuple(name for k, name in enumerate(names) if k not in set(kept.tolist()))
    if dropped:
        x, weighted, gram = x[:, kept], weighted[:, kept], gram[np.ix_(kept, kept)]
    bread = linalg.pinvh(gram) if len(kept) else np.zeros((0, 0))
    coefficients = bread @ (weighted.T @ y)
    rest = y - x @ coefficients
    return Fit(
        names=tuple(names[k] for k in kept),
        coefficients=coefficients,
        bread=bread,
        design=x,
        residuals=rest if weights is None else rest * weights,
        n=len(y),
        effects=effect_ranks(effects) if ranks is None else ranks,
        weights=weights,
        dropped=dropped,
        fitted=outcome - rest,
    )


def glm(
    outcome: np.ndarray,
    design: np.ndarray,
    names: Sequence[str],
    *,
    family: str,
    offset: np.ndarray | None = None,
    effects: Sequence[np.ndarray] = (),
    weights: np.ndarray | None = None,
) -> Fit:
    """Poisson (log link) or binomial (logit) regression by iteratively weighted least squares.

    With effects and the Poisson family this is conditional fixed-effects Poisson: the estimates and scores are
    those of the model with a dummy for every level. Rows of levels whose outcome is zero throughout say nothing
    and must be left out before (`informative`).
    """
    if family not in ("poisson", "binomial"):
        raise StudyError(f"`{family}` is not a family here", found=family)
    shift = np.zeros(len(outcome)) if offset is None else offset
    prior = np.ones(len(outcome)) if weights is None else weights
    mean = (outcome + outcome.mean()) / 2 if family == "poisson" else (outcome + 0.5) / 2
    line = np.log(mean) if family == "poisson" else np.log(mean / (1 - mean))
    before = np.inf
    ranks = effect_ranks(effects)
    for _ in range(MOST_STEPS):
        variance = mean if family == "poisson" else mean * (1 - mean)
        working = line - shift + (outcome - mean) / variance
        fit = least_squares(working, design, names, effects=effects, weights=prior * variance, ranks=ranks)
        line = fit.fitted + shift
        mean = np.exp(np.clip(line, -700, 700)) if family == "poisson" else expit(line)
        mean = np.clip(mean, 1e-12, None if family == "poisson" else 1 - 1e-12)
        deviance = _deviance(outcome, mean, prior, family)
        if abs(before - deviance) <= CONVERGED * (abs(deviance) + 0.1):
            return _final(fit, outcome, mean, prior)
        before = deviance
    raise EstimationError(
        "the regression did not settle",
        do="A group may hold only zeros, or a covariate may separate the outcomes; look at the counts by group",
    )


def _deviance(outcome: np.ndarray, mean: np.ndarray, prior: np.ndarray, family: str) -> float:
    if family == "poisson":
        log = np.log(np.where(outcome > 0, outcome / mean, 1))
        return float(2 * np.sum(prior * (outcome * log - (outcome - mean))))
    log = outcome * np.log(mean) + (1 - outcome) * np.log1p(-mean)
    return float(-2 * np.sum(prior * log))


def _final(fit: Fit, outcome: np.ndarray, mean: np.ndarray, prior: np.ndarray) -> Fit:
    return Fit(
        names=fit.names, coefficients=fit.coefficients, bread=fit.bread, design=fit.design,
        residuals=prior * (outcome - mean), n=fit.n, effects=fit.effects, weights=fit.weights,
        dropped=fit.dropped, fitted=mean,
    )  # fmt: skip


def informative(outcome: np.ndarray, effects: Sequence[np.ndarray]) -> np.ndarray:
    """Rows that a Poisson model with these effects can learn from: no level whose outcome is zero throughout."""
    kept = np.ones(len(outcome), bool)
    while True:
        before = kept.sum()
        for each in effects:
            total = np.bincount(each, weights=np.where(kept, outcome, 0))
            kept &= total[each] > 0
        if kept.sum() == before:
            return kept


def robust_covariance(fit: Fit, kind: str = "HC1") -> np.ndarray:
    """Heteroskedasticity-robust covariance HC0 to HC3 of a fit; HC2 and HC3 only without absorbed effects."""
    if kind not in ("HC0", "HC1", "HC2", "HC3"):
        raise StudyError("the robust covariance must be HC0, HC1, HC2 or HC3", found=kind)
    scores = fit.design * fit.residuals[:, None]
    if kind in ("HC2", "HC3"):
        if fit.effects:
            raise StudyError(f"{kind} is not supported with absorbed effects", do="Use HC1 or clusters")
        lever = np.einsum("ij,jk,ik->i", fit.design, fit.bread, fit.design)
        lever = lever if fit.weights is None else lever * fit.weights
        scores = scores / (1 - lever[:, None]) ** (0.5 if kind == "HC2" else 1.0)
    free = fit.n - len(fit.coefficients) - sum(fit.effects)
    factor = fit.n / free if kind == "HC1" else 1.0
    return factor * fit.bread @ (scores.T @ scores) @ fit.bread


def classical_covariance(fit: Fit) -> np.ndarray:
    """Covariance under independent errors of equal variance, with all absorbed parameters counted."""
    free = fit.n - len(fit.coefficients) - sum(fit.effects)
    squares = fit.residuals**2 if fit.weights is None else fit.residuals**2 / fit.weights
    return fit.bread * (squares.sum() / free)


def cluster_factor(n_clusters: int, n: int, parameters: int) -> float:
    """G/(G-1) × (N-1)/(N-K): the small-sample factor of every cluster-robust error here.

    Not a number with a single cluster, so that no error can come of it.
    """
    if n_clusters < 2:
        return float("nan")
    return n_clusters / (n_clusters - 1) * (n - 1) / max(n - parameters, 1)


def cluster_scores(fit: Fit, clusters: np.ndarray, n_clusters: int) -> np.ndarray:
    """Scores summed by cluster: one row per cluster."""
    return group_sums(fit.design * fit.residuals[:, None], clusters, n_clusters)


def sandwich(bread: np.ndarray, scores: np.ndarray, *, n: int, parameters: int) -> np.ndarray:
    """Cluster-robust covariance from scores summed by cluster."""
    return cluster_factor(len(scores), n, parameters) * bread @ (scores.T @ scores) @ bread


def cluster_covariance(fit: Fit, clusters: np.ndarray, *, nested: Sequence[bool] = ()) -> np.ndarray:
    """Cluster-robust covariance; `nested` says of each absorbed effect whether clusters contain its levels.

    K counts the coefficients and the parameters of the effects that are not nested in clusters.
    """
    found, n_clusters = codes(clusters)
    scores = cluster_scores(fit, found, n_clusters)
    return sandwich(fit.bread, scores, n=fit.n, parameters=counted_parameters(fit, nested))


def counted_parameters(fit: Fit, nested: Sequence[bool] = ()) -> int:
    """K: coefficients, and parameters of effects that are not nested in clusters; a mean where any effect is."""
    flags = tuple(nested) + (False,) * (len(fit.effects) - len(nested))
    free = sum(size for size, inside in zip(fit.effects, flags, strict=True) if not inside)
    return len(fit.coefficients) + free + (1 if any(flags) else 0)
