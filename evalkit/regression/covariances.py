"""Covariances of a fit: under equal variance, robust to unequal variance, and robust to clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.errors import StudyError
from evalkit.regression.absorption import codes, group_sums
from evalkit.regression.fits import Fit


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
