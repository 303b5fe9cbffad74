"""Weights of a synthetic control: the simplex, the weights of predictors, and the ridge augmentation."""

from __future__ import annotations

import numpy as np

from evalkit.errors import EstimationError

TINY = 1e-12
# The search for predictor weights: the deepest log weight, the population per predictor, and when to stop.
DEEPEST, POPULATION, GENERATIONS, POLISHES, STEPS, SETTLED, SEED = -18.0, 8, 80, 2, 60, 1e-6, 0
GRID, SMALLEST = 21, 1e-8


def simplex(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights ≥ 0 that sum to one and bring the mixture of the columns of `points` closest to `target`.

    One non-negative least squares problem answers it exactly. With D = points − target the solution u of
    min |D u|² + (1 − Σ u)² over u ≥ 0 is a multiple of the w that minimises |D w| on the simplex, because for
    u = s w the best s falls as |D w| rises.
    """
    from scipy.optimize import nnls

    away = points - target[:, None]
    scale = np.sqrt((away**2).sum(axis=0).mean())
    away = away / (scale if scale > 0 else 1.0)
    system = np.vstack([away, np.ones(away.shape[1])])
    right = np.zeros(len(system))
    right[-1] = 1.0
    found, _ = nnls(system, right, maxiter=30 * system.shape[1] + 100)
    found[found < TINY * found.max()] = 0.0
    return found / found.sum()


def nested(
    predictors: np.ndarray, wanted: np.ndarray, before: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of units and of predictors: those predictor weights whose units best follow the outcome before.

    Predictors are divided by their standard deviation over all units. No predictor weights can follow the outcome
    more closely than the units chosen by the outcome alone: where some predictor weights choose just those units
    (a linear programme tells), that is the answer (Malo, Eskelinen, Zhou and Kuosmanen 2024). Otherwise they are
    searched for over the whole range of weights. All of it is deterministic.
    """
    spread = np.column_stack([predictors, wanted]).std(axis=1, ddof=1)
    points, aim = predictors / spread[:, None], wanted / spread
    if len(aim) == 1:
        return simplex(points, aim), np.ones(1)
    bound = simplex(before, target)
    found = attaining(points, aim, bound)
    if found is not None:
        return bound, found
    best = _searched(points, aim, before, target)
    return _units(best, points, aim), best


def attaining(points: np.ndarray, aim: np.ndarray, units: np.ndarray) -> np.ndarray | None:
    """Predictor weights under which these units are a best choice, the least of them as large as can be; or None.

    The conditions of Karush, Kuhn and Tucker are linear in the predictor weights: the slope is the same for every
    unit that carries weight and no smaller for the others.
    """
    from scipy.optimize import linprog

    # Columns: predictor weights, the common slope, and the least predictor weight, which is made as large as it goes.
    slopes = points.T * (points @ units - aim)
    count, size = slopes.shape
    carries = units > 0
    equal = np.column_stack([slopes[carries], -np.ones(carries.sum()), np.zeros(carries.sum())])
    equal = np.vstack([equal, np.concatenate([np.ones(size), [0.0, 0.0]])])
    others = np.column_stack(
        [-slopes[~carries], np.ones(count - carries.sum()), np.zeros(count - carries.sum())]
    )
    least = np.column_stack([-np.eye(size), np.zeros(size), np.ones(size)])
    right = np.concatenate([np.zeros(carries.sum()), [1.0]])
    found = linprog(
        np.concatenate([np.zeros(size + 1), [-1.0]]), A_eq=equal, b_eq=right, A_ub=np.vstack([others, least]),
        b_ub=np.zeros(count - carries.sum() + size), bounds=[(0, None)] * size + [(None, None), (0, None)],
    )  # fmt: skip
    return found.x[:size] / found.x[:size].sum() if found.status == 0 else None


def _units(raw: np.ndarray, points: np.ndarray, aim: np.ndarray) -> np.ndarray:
    root = np.sqrt(raw / raw.sum())
    return simplex(points * root[:, None], aim * root)


def _searched(points: np.ndarray, aim: np.ndarray, before: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Predictor weights by differential evolution over their logs, polished by Nelder and Mead.

    The loss has many local optima, and the best is often at weights of which most are nearly nought, which a descent
    from equal weights does not reach. The seed is fixed: the same places give the same weights.
    """
    from scipy.optimize import differential_evolution, minimize

    def loss(logs: np.ndarray) -> float:
        return float(((target - before @ _units(_from_logs(logs), points, aim)) ** 2).mean())

    size, generator = len(aim), np.random.default_rng(SEED)
    first = _starts(points, aim, before, target)
    others = generator.uniform(DEEPEST, 0.0, (max(POPULATION * size - len(first), size), size))
    found = differential_evolution(
        loss, [(DEEPEST, 0.0)] * size, init=np.vstack([first, others]), maxiter=GENERATIONS, tol=SETTLED,
        polish=False, seed=generator,
    ).x  # fmt: skip
    for _ in range(POLISHES):
        # A step of two in the log, towards the middle of its range, in each predictor.
        steps = found + np.diag(np.where(found < DEEPEST / 2, 2.0, -2.0))
        options = {
            "initial_simplex": np.vstack([found, steps]), "maxiter": STEPS * size, "xatol": 1e-3,
            "fatol": SETTLED * loss(found) / 10,
        }  # fmt: skip
        found = minimize(loss, found, method="Nelder-Mead", options=options).x
    return _from_logs(found)


def _from_logs(logs: np.ndarray) -> np.ndarray:
    raw = np.exp(np.clip(logs - logs.max(), DEEPEST, 0.0))
    return raw / raw.sum()


def _starts(points: np.ndarray, aim: np.ndarray, before: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Logs of weights to start from: equal, squares of regression coefficients, and each predictor alone."""
    size = len(aim)
    everyone = np.column_stack([points, aim])
    design = np.column_stack([np.ones(everyone.shape[1]), everyone.T])
    outcomes = np.column_stack([before, target]).T
    slopes = (np.linalg.lstsq(design, outcomes, rcond=None)[0][1:] ** 2).sum(axis=1)
    shares = slopes / slopes.max() if slopes.max() > 0 else np.ones(size)
    regression = np.log(np.maximum(shares, np.exp(DEEPEST)))
    return np.vstack([np.zeros(size), regression, np.where(np.eye(size) == 1, 0.0, DEEPEST)])


def ridge_weights(before: np.ndarray, target: np.ndarray, base: np.ndarray, penalty: float) -> np.ndarray:
    """The base weights plus the ridge correction of what they leave unmatched (may be negative; still sum to one)."""
    centre = before.mean(axis=1, keepdims=True)
    points, aim = before - centre, target - centre[:, 0]
    gram = points @ points.T + penalty * np.eye(len(points))
    return base + np.linalg.solve(gram, aim - points @ base) @ points


def choose_ridge(before: np.ndarray, target: np.ndarray) -> float:
    """The penalty that best predicts each period before the start from the others, by the one-error rule.

    Of 21 penalties, evenly spaced in logs below the largest squared singular value of the centred outcomes, the
    largest whose mean squared error is within one standard error of the least.
    """
    centred = before - before.mean(axis=1, keepdims=True)
    top = float(np.linalg.svd(centred, compute_uv=False)[0] ** 2)
    if not top > 0:
        raise EstimationError(
            "the comparison units do not differ before the start", where="synthetic_control"
        )
    penalties = top * np.logspace(0, np.log10(SMALLEST), GRID)
    errors = np.empty((len(target), GRID))
    for out in range(len(target)):
        keep = np.arange(len(target)) != out
        base = simplex(before[keep], target[keep])
        for k, penalty in enumerate(penalties):
            weights = ridge_weights(before[keep], target[keep], base, penalty)
            errors[out, k] = (target[out] - before[out] @ weights) ** 2
    means = errors.mean(axis=0)
    least = int(means.argmin())
    allowed = means[least] + errors[:, least].std(ddof=1) / np.sqrt(len(target))
    return float(penalties[means <= allowed].max())
