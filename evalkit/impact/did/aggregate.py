"""From cohort-by-period effects to one number: simple, dynamic, by group, by calendar period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Cohort-by-period cells in order: `cohort` and `step`, and the cohort's `share` of all units."""

    cohort: np.ndarray
    step: np.ndarray
    share: np.ndarray

    @property
    def event(self) -> np.ndarray:
        """Steps since the first treatment."""
        return self.step - self.cohort

    @property
    def post(self) -> np.ndarray:
        """True where the cohort is treated."""
        return self.step >= self.cohort


@dataclass(frozen=True, kw_only=True, eq=False)
class Averages:
    """`keys` name the rows of `weights` (rows × cells); `overall` weighs the rows, `members` marks their cells.

    `shares_overall` is true where the overall weights rest on estimated cohort shares.
    """

    keys: np.ndarray
    weights: np.ndarray
    members: np.ndarray
    overall: np.ndarray
    shares_overall: bool


def averages(cells: Cells, kind: str) -> Averages:
    """The rows of an aggregation and the weights of its overall effect.

    simple: all treated cells by cohort share. dynamic: by event time, then the plain mean over event times ≥ 0.
    group: the plain mean of a cohort's treated cells, then by cohort share. calendar: by period, then the plain mean.
    """
    if not cells.post.any():
        raise EstimationError(
            "no effect can be measured after the start", do="Check the periods after treatment"
        )
    if kind == "simple":
        keys, member = np.zeros(1, int), cells.post[None, :]
        overall = np.ones(1)
    else:
        of = {"dynamic": cells.event, "group": cells.cohort, "calendar": cells.step}[kind]
        keep = np.ones(len(of), bool) if kind == "dynamic" else cells.post
        keys = np.unique(of[keep])
        member = (of[None, :] == keys[:, None]) & keep[None, :]
        counted = keys >= 0 if kind == "dynamic" else np.ones(len(keys), bool)
        overall = counted / counted.sum()
    mass = np.where(member, np.ones(len(cells.share)) if kind == "group" else cells.share, 0.0)
    if kind == "group":
        share = np.array([cells.share[row][0] for row in member])
        overall = share / share.sum()
    return Averages(
        keys=keys, weights=mass / mass.sum(axis=1, keepdims=True), members=member, overall=overall,
        shares_overall=kind == "group",
    )  # fmt: skip


def share_influence(
    cells: Cells, found: Averages, effects: np.ndarray, cohort: np.ndarray, unit_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What estimating the cohort shares adds to each unit's influence, on the rows and on the overall effect.

    `unit_weight` sums to one over all units. A row Σ p_k τ_k / Σ p_k moves by (Σ_k τ_k - m θ) / Σ p_k for a unit
    whose cohort has m of its cells.
    """
    levels, at = np.unique(cohort, return_inverse=True)
    values = found.weights @ effects
    table, overall = np.zeros((len(levels), len(found.keys))), np.zeros(len(levels))
    if found.shares_overall:
        shares = np.array([cells.share[row][0] for row in found.members])
        place = np.searchsorted(levels, found.keys)
        overall[place] = (values - found.overall @ values) / shares.sum()
    else:
        for k, member in enumerate(found.members):
            place = np.searchsorted(levels, cells.cohort[member])
            change = np.bincount(place, weights=effects[member] - values[k], minlength=len(levels))
            table[:, k] = change / cells.share[member].sum()
    return table[at] * unit_weight[:, None], overall[at] * unit_weight
