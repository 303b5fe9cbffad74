"""Group effects taken out of columns: codes of groups, sums within them, and one or two sets of effects absorbed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import linalg, sparse

from evalkit.errors import StudyError

CONVERGED = 1e-11
DENSE_LEVELS = 2000
MANY_COLUMNS = 6
FEW_PLACES = 8
LARGEST_CODE = np.iinfo(np.int64).max


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
