"""Who is matched with whom on a score: nearest neighbours, radius, exact strata and subclasses, over plain arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ORDERS = ("largest", "smallest", "data", "random")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Matches:
    """Matched pairs as row positions, in order of the treated person's row and then of the round.

    `ties` counts the matches where another free control stood at exactly the same distance.
    """

    treated: np.ndarray
    control: np.ndarray
    round: np.ndarray
    distance: np.ndarray
    ties: int


def processing_order(
    score: np.ndarray, treated: np.ndarray, order: str, rank: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Rows of the treated in the order in which they choose; equal scores by rank."""
    rows = np.flatnonzero(treated)
    if order == "data":
        return rows
    if order == "random":
        return np.random.default_rng(seed).permutation(rows)
    sign = -1 if order == "largest" else 1
    return rows[np.lexsort((rank[rows], sign * score[rows]))]


def nearest(
    score: np.ndarray,
    sequence: np.ndarray,
    controls: np.ndarray,
    *,
    rank: np.ndarray,
    strata: np.ndarray | None = None,
    width: float | None = None,
    ratio: int = 1,
    replace: bool = False,
) -> Matches:
    """Match each treated person to the nearest `ratio` controls, one round after another.

    Parameters
    ----------
    score : one number per row. Distances are absolute differences.
    sequence : rows of the treated in the order in which they choose.
    controls : rows of the controls.
    rank : breaks ties; the lower goes first.
    strata : matches stay inside a stratum; None for one stratum.
    width : the largest distance allowed.

    Notes
    -----
    Everybody chooses once before anybody chooses twice, and who finds nobody in a round gets nobody later (the rule
    of MatchIt, Ho, Imai, King and Stuart 2011). Without replacement each control serves once: the nearest free one is
    found through pointers that skip used values, so the time grows as n log n.
    """
    choose = _with_replacement if replace else _without_replacement
    limit = np.inf if width is None else width
    found, ties = [], 0
    for chosen, available in _by_stratum(sequence, controls, strata):
        rows, tied = choose(score, chosen, available, rank, limit, ratio)
        found.append(rows)
        ties += tied
    empty = np.empty(0, dtype=np.int64)
    columns = [np.concatenate(parts) for parts in zip(*found, strict=True)] if found else [empty] * 3
    place = np.lexsort((columns[2], columns[0]))
    treated, control, turn = (column[place] for column in columns)
    return Matches(
        treated=treated,
        control=control,
        round=turn,
        distance=np.abs(score[treated] - score[control]),
        ties=ties,
    )


def _by_stratum(
    sequence: np.ndarray, controls: np.ndarray, strata: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if strata is None:
        yield sequence, controls
        return
    sequence = sequence[np.argsort(strata[sequence], kind="stable")]
    controls = controls[np.argsort(strata[controls], kind="stable")]
    inside, outside = strata[sequence], strata[controls]
    for code in np.unique(inside):
        first, last = np.searchsorted(inside, [code, code + 1])
        start, stop = np.searchsorted(outside, [code, code + 1])
        if stop > start:
            yield sequence[first:last], controls[start:stop]


class _Shelf:
    """Controls sorted by score: distinct values, at each a queue of free rows, and pointers over emptied values."""

    def __init__(self, score: np.ndarray, controls: np.ndarray, rank: np.ndarray) -> None:
        order = np.argsort(score[controls])
        self.rows = controls[order]
        values = score[self.rows]
        self.starts = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]))
        self.values = values[self.starts[:-1]]
        self.rank = rank
        self.queues: dict[int, list[int]] = {}
        self.below: dict[int, int] = {}
        self.above: dict[int, int] = {}

    def queue(self, place: int) -> list[int]:
        """Free rows of one value, the next to go last in the list; sorted only when first looked at."""
        if place not in self.queues:
            members = self.rows[self.starts.item(place) : self.starts.item(place + 1)]
            if len(members) > 1:
                members = members[np.argsort(-self.rank[members])]
            self.queues[place] = members.tolist()
        return self.queues[place]

    def free(self, place: int, pointers: dict[int, int]) -> int:
        """The first value from `place` onwards that still has a free control, shortening the path for the next."""
        path = []
        while place in pointers:
            path.append(place)
            place = pointers[place]
        for passed in path:
            pointers[passed] = place
        return place

    def take(self, place: int) -> int:
        queue = self.queue(place)
        row = queue.pop()
        if not queue:
            self.below[place] = place - 1
            self.above[place] = place + 1
        return row

    def nearest(self, value: float, place: int) -> tuple[int, float, bool]:
        """The nearest free value to `value` (which stands at or after `place`), its distance, whether tied."""
        low, high = self.free(place, self.below), self.free(place + 1, self.above)
        under = value - self.values.item(low) if low >= 0 else np.inf
        over = self.values.item(high) - value if high < len(self.values) else np.inf
        if under == over == np.inf:
            return -1, np.inf, False
        if under == over:
            earlier = self.rank[self.queue(low)[-1]] < self.rank[self.queue(high)[-1]]
            return (low if earlier else high), under, True
        best = low if under < over else high
        return best, min(under, over), len(self.queue(best)) > 1


def _without_replacement(
    score: np.ndarray, sequence: np.ndarray, controls: np.ndarray, rank: np.ndarray, limit: float, ratio: int
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], int]:
    shelf = _Shelf(score, controls, rank)
    places = np.searchsorted(shelf.values, score[sequence], side="right") - 1
    waiting = list(zip(sequence.tolist(), score[sequence].tolist(), places.tolist(), strict=True))
    found, ties = [], 0
    for turn in range(1, ratio + 1):
        served = []
        for person in waiting:
            place, distance, tied = shelf.nearest(person[1], person[2])
            if place >= 0 and distance <= limit:
                found.append((person[0], shelf.take(place), turn))
                ties += tied
                served.append(person)
        waiting = served
    rows = np.array(found, dtype=np.int64).reshape(-1, 3)
    return (rows[:, 0], rows[:, 1], rows[:, 2]), ties


def _with_replacement(
    score: np.ndarray, sequence: np.ndarray, controls: np.ndarray, rank: np.ndarray, limit: float, ratio: int
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], int]:
    rising = controls[np.lexsort((rank[controls], score[controls]))]
    falling = controls[np.lexsort((rank[controls], -score[controls]))]
    target = score[sequence]
    high = np.searchsorted(score[rising], target, side="right")
    low = len(controls) - high
    alive = np.arange(len(sequence))
    found, ties = [], 0
    for turn in range(1, ratio + 1):
        up, next_up = _gap(score, rising, high, target), _gap(score, rising, high + 1, target)
        down, next_down = _gap(score, falling, low, target), _gap(score, falling, low + 1, target)
        first_up, first_down = (
            rising[np.minimum(high, len(rising) - 1)],
            falling[np.minimum(low, len(falling) - 1)],
        )
        go_up = (up < down) | ((up == down) & (rank[first_up] < rank[first_down]))
        distance = np.minimum(up, down)
        fits = np.isfinite(distance) & (distance <= limit)
        alive = alive[fits[alive]]
        chosen = np.where(go_up, first_up, first_down)[alive]
        found.append((sequence[alive], chosen, np.full(len(alive), turn)))
        following = np.where(go_up, next_up, next_down)
        ties += int(((up == down) | (following == distance))[alive].sum())
        high, low = high + go_up, low + ~go_up
    treated, control, turns = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return (treated, control, turns), ties


def _gap(score: np.ndarray, ordered: np.ndarray, place: np.ndarray, target: np.ndarray) -> np.ndarray:
    inside = place < len(ordered)
    gap = np.abs(score[ordered[np.where(inside, place, 0)]] - target)
    return np.where(inside, gap, np.inf)


def radius_weights(
    score: np.ndarray, treated: np.ndarray, *, width: float, strata: np.ndarray | None = None
) -> np.ndarray:
    """Weights when every control within `width` serves: each treated person's weight of one is shared equally."""
    weights = np.zeros(len(score))
    for chosen, available in _by_stratum(np.flatnonzero(treated), np.flatnonzero(~treated), strata):
        rows = available[np.argsort(score[available], kind="stable")]
        values, target = score[rows], score[chosen]
        first = np.searchsorted(values, target - width, side="left")
        last = np.searchsorted(values, target + width, side="right")
        served = last > first
        share = 1 / np.where(served, last - first, 1)
        change = np.bincount(first[served], share[served], len(rows) + 1)
        change -= np.bincount(last[served], share[served], len(rows) + 1)
        cover = np.bincount(first[served], minlength=len(rows) + 1) - np.bincount(
            last[served], minlength=len(rows) + 1
        )
        weights[rows] = np.where(np.cumsum(cover)[:-1] > 0, np.cumsum(change)[:-1], 0.0)
        weights[chosen[served]] = 1.0
    return weights


def pair_weights(matches: Matches, n: int) -> np.ndarray:
    """One for each matched treated person; a control's share of each set it serves in, averaging one over controls."""
    weights = np.zeros(n)
    size = np.bincount(matches.treated, minlength=n)
    np.add.at(weights, matches.control, 1 / size[matches.treated])
    used = weights > 0
    if used.any():
        weights[used] *= used.sum() / weights[used].sum()
    weights[matches.treated] = 1.0
    return weights


def subclass_of_score(score: np.ndarray, treated: np.ndarray, number: int) -> np.ndarray:
    """Subclass of each person: quantiles of the treated people's scores, ends open so that nobody falls outside."""
    edges = np.unique(np.quantile(score[treated], np.linspace(0, 1, number + 1)))
    last = max(len(edges) - 2, 0)
    return np.clip(np.searchsorted(edges, score, side="right") - 1, 0, last)


def stratum_weights(strata: np.ndarray, treated: np.ndarray, estimand: str) -> np.ndarray:
    """Weights that give each arm the strata of the treated (att) or of everybody (ate); 0 where an arm is missing."""
    n_treated = np.bincount(strata, treated)
    n_control = np.bincount(strata, ~treated)
    both = (n_treated > 0) & (n_control > 0)
    target = n_treated if estimand == "att" else n_treated + n_control
    weights = np.zeros(len(strata))
    for arm, count in ((treated, n_treated), (~treated, n_control)):
        share = np.where(both, target / np.maximum(count, 1), 0.0)
        weights[arm] = share[strata[arm]]
        total, used = weights[arm].sum(), (weights[arm] > 0).sum()
        if total > 0:
            weights[arm] *= used / total
    return weights
