"""The part of an event path that honest bounds can use: unbroken through its reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.impact.did.found import EventPath


@dataclass(frozen=True, kw_only=True, eq=False)
class Drift:
    """An unbroken path around the reference: `pre` leads (further first), `post` effects, their covariance."""

    pre: np.ndarray
    post: np.ndarray
    covariance: np.ndarray
    ahead: int
    weights: np.ndarray

    @property
    def both(self) -> np.ndarray:
        return np.concatenate([self.pre, self.post])


def drift(path: EventPath, weights: np.ndarray | None = None) -> Drift | None:
    """The part of a path that runs without gaps through the reference; None without a lead, an effect and its error.

    `weights` say which mix of the effects after the reference is bounded (default: the plain mean from event time 0).
    """
    if path.reference is None or not path.universal or not np.isfinite(path.covariance).all():
        return None
    position = {int(t): k for k, t in enumerate(path.times)}
    before, after = _unbroken(position, path.reference, -1)[::-1], _unbroken(position, path.reference, 1)
    if not before or not any(path.times[k] >= 0 for k in after):
        return None
    keep = np.array(before + after)
    covariance = path.covariance[np.ix_(keep, keep)]
    if weights is None:
        counted = path.times[np.array(after)] >= 0
        weights = counted / counted.sum()
    if not weights @ covariance[len(before) :, len(before) :] @ weights > 0:
        return None
    return Drift(
        pre=path.estimates[before],
        post=path.estimates[after],
        covariance=covariance,
        ahead=len(after),
        weights=weights,
    )


def _unbroken(position: dict[int, int], reference: int, way: int) -> list[int]:
    """The places of the event times next to the reference, going one way, up to the first gap."""
    found, step = [], reference + way
    while step in position:
        found.append(position[step])
        step += way
    return found
