"""Uniform bands: one critical value for a whole path."""

from __future__ import annotations

import numpy as np

from evalkit.inference import critical_value

BLOCK = 64


def multiplier_critical(influence: np.ndarray, level: float, *, draws: int, seed: int) -> float:
    """The critical value of the largest |t| over the columns, by multiplier bootstrap over rows (clusters)."""
    spread = np.sqrt(np.einsum("ij,ij->j", influence, influence))
    live = spread > 0
    if not live.any():
        return float("nan")
    scaled = (influence[:, live] / spread[live]).astype(np.float32)
    n, generator = len(scaled), np.random.default_rng(seed)
    total = scaled.sum(axis=0)
    largest = []
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        bits = np.unpackbits(
            np.frombuffer(generator.bytes(size * ((n + 7) // 8)), np.uint8).reshape(size, -1), axis=1
        )
        # Signs are 2 × bit - 1, so the signed sum is twice the sum over ones less the whole.
        signed = 2 * (bits[:, :n].astype(np.float32) @ scaled) - total
        largest.append(np.abs(signed).max(axis=1))
    found = float(np.quantile(np.concatenate(largest), level, method="higher"))
    return max(found, critical_value(level))


def normal_critical(covariance: np.ndarray, level: float, *, draws: int, seed: int) -> float:
    """The critical value of the largest |t| of normal estimates with this covariance, by simulation."""
    spread = np.sqrt(np.diag(covariance))
    live = spread > 0
    if not live.any() or not np.isfinite(covariance).all():
        return float("nan")
    correlation = covariance[np.ix_(live, live)] / np.outer(spread[live], spread[live])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = np.random.default_rng(seed).standard_normal((max(draws, 4999), len(root))) @ root.T
    found = float(np.quantile(np.abs(drawn).max(axis=1), level, method="higher"))
    return max(found, critical_value(level))
