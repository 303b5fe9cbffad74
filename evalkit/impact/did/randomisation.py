"""Randomisation inference: what the estimate would have been had other clusters been the treated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import comb

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError, StudyError
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.found import Found
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.inference import Interval, rank_of
from evalkit.results import Check

SMALLEST_P = 0.05
UNEQUAL_SIZES = 1.25


def randomised(panel: Panel, options: DidOptions, observed: float, effect: Callable[[Panel], float]) -> Found:
    """The p-value of the sharp null of no effect, by rank among re-assigned treatments.

    With one treated cluster each cluster takes its place in turn: p is rank / clusters, and no p below
    1 / clusters can be attained. All assignments are listed where there are no more than `draws`.
    """
    starts = _cluster_starts(panel, options)
    listed = _assignments(starts, options)
    placebos = np.array([_one(panel, assigned, effect) for assigned in listed])
    exact, total = len(listed) + 1 == _count(starts), len(listed) + 1
    rank = rank_of(observed, placebos[np.isfinite(placebos)])
    floor = 1 / total
    alone = int((starts < NEVER).sum()) == 1
    detail = {"placebo": _frame(panel, observed, placebos, listed, options)} if alone else {}
    return Found(
        estimate=observed,
        interval=Interval(std_error=None, statistic=None, df=None, p_value=rank / total, low=None, high=None),
        interval_name="randomisation",
        n_clusters=panel.clusters,
        detail=detail,
        checks=(
            _check(rank, total, floor, exact),
            *(_unequal(panel, observed, placebos, [starts, *listed]) if alone else ()),
        ),
        references=("abadie2010", "mackinnon2020", "ferman2019"),
    )


def _cluster_starts(panel: Panel, options: DidOptions) -> np.ndarray:
    starts = np.full(panel.clusters, NEVER, dtype=np.int64)
    np.minimum.at(starts, panel.cluster, panel.cohort)
    if (starts[panel.cluster] != panel.cohort).any():
        raise StudyError(
            "`inference: randomisation` needs whole clusters to be treated from one period",
            where="did",
            do="Choose the unit of assignment as `cluster`",
        )
    return starts


def _count(starts: np.ndarray) -> int:
    """How many different assignments have these starts."""
    total, left = 1, len(starts)
    for size in np.unique(starts, return_counts=True)[1]:
        total *= comb(left, int(size))
        left -= int(size)
    return total


def _assignments(starts: np.ndarray, options: DidOptions) -> list[np.ndarray]:
    """Every other assignment where they are few; otherwise random ones."""
    if _count(starts) <= options.draws + 1:
        return [each for each in _arrangements(starts) if (each != starts).any()]
    generator = np.random.default_rng(options.seed)
    return [generator.permutation(starts) for _ in range(options.draws)]


def _arrangements(starts: np.ndarray) -> Iterator[np.ndarray]:
    """Every distinct order of the starts, in the order of the alphabet."""
    current = np.sort(starts)
    while True:
        yield current.copy()
        falls = np.flatnonzero(current[:-1] < current[1:])
        if not len(falls):
            return
        k = falls[-1]
        swap = np.flatnonzero(current > current[k])
        swap = swap[swap > k][-1]
        current[k], current[swap] = current[swap], current[k]
        current[k + 1 :] = current[k + 1 :][::-1]


def _one(panel: Panel, starts: np.ndarray, effect: Callable[[Panel], float]) -> float:
    try:
        return effect(replace(panel, cohort=starts[panel.cluster]))
    except EstimationError:
        return np.nan


def _frame(
    panel: Panel, observed: float, placebos: np.ndarray, listed: list[np.ndarray], options: DidOptions
) -> pd.DataFrame:
    """Columns unit (the cluster in the treated place), estimate (a ratio for counts), rank (1: furthest from none)."""
    names = _cluster_names(panel, options)
    own = int(np.argmin(_cluster_starts(panel, options)))
    order = [own, *(int(np.argmin(each)) for each in listed)]
    values = np.array([observed, *placebos])
    size = np.where(np.isfinite(values), np.abs(values), -1)
    shown = np.exp(values) if options.family == "poisson" else values
    frame = pd.DataFrame({"unit": [names[k] for k in order], "estimate": shown})
    frame["rank"] = [int((size > each).sum()) + 1 for each in size]
    return frame.sort_values(["rank", "unit"], kind="stable").reset_index(drop=True)


def _cluster_names(panel: Panel, options: DidOptions) -> list[str]:
    if options.cluster not in (None, options.unit):
        return [f"cluster {k + 1}" for k in range(panel.clusters)]
    return [str(each) for each in panel.units]


def _check(rank: int, total: int, floor: float, exact: bool) -> Check:
    what = "all assignments" if exact else "assignments drawn at random"
    return Check(
        name="randomisation_floor",
        null="the programme changed nothing for any unit",
        statistic=floor,
        threshold=SMALLEST_P,
        passed=None if floor <= SMALLEST_P else False,
        reading=f"Rank {rank} of {total} {what}, p = {rank / total:.3f}; the smallest that this comparison can "
        f"give is {floor:.3f}.",
        next_step=""
        if floor <= SMALLEST_P
        else "More comparison units are needed before p could fall below 0.05",
    )


def _unequal(
    panel: Panel, observed: float, placebos: np.ndarray, starts: list[np.ndarray]
) -> tuple[Check, ...]:
    """Ferman and Pinto (2019): smaller clusters vary more, so ranks are taken after scaling by A + B / size."""
    weight = panel.exposure if panel.exposure is not None else panel.weights
    if weight is None:
        return ()
    size = np.bincount(panel.cluster, weights=weight) / np.bincount(panel.cluster)
    if size.max() / size.min() < UNEQUAL_SIZES or not np.isfinite(placebos).all():
        return ()
    own, *rest = (1 / size[int(np.argmin(each))] for each in starts)
    drawn = np.array(rest)
    columns = np.column_stack([np.ones(len(drawn)), drawn])
    a, b = np.linalg.lstsq(columns, placebos**2, rcond=None)[0]
    if a < 0:
        a, b = 0.0, np.sum(drawn * placebos**2) / np.sum(drawn**2)
    elif b < 0:
        a, b = np.mean(placebos**2), 0.0
    rank = rank_of(observed / np.sqrt(a + b * own), placebos / np.sqrt(a + b * drawn))
    return (
        Check(
            name="unequal_sizes",
            null="the programme changed nothing, allowing for small units varying more",
            statistic=rank / (len(placebos) + 1),
            reading=f"Units differ in size {size.max() / size.min():.1f} times. After scaling for it the rank is "
            f"{rank} of {len(placebos) + 1} (p = {rank / (len(placebos) + 1):.3f}).",
        ),
    )
