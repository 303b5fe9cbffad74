"""Survival curves, restricted means, cumulative incidence and the log-rank test: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.inference import critical_value
from evalkit.intervals import chi_square_p


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """A survival curve at the distinct times of one arm.

    `at_risk`, `events`: weighted numbers just before and at each time; `people`, `people_events`:
    unweighted ones. `survival`: just after each time. `hazard_variance`: of minus the log of survival
    (Greenwood, or robust).
    """

    time: np.ndarray
    people: np.ndarray
    people_events: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    survival: np.ndarray
    hazard_variance: np.ndarray


@dataclass(frozen=True, kw_only=True)
class LogRank:
    """Chi-square on one degree of freedom, its p-value, and the treated arm's events beyond those
    expected."""

    statistic: float
    p_value: float
    excess: float


def kaplan_meier(time: np.ndarray, event: np.ndarray, weights: np.ndarray | None = None) -> Curve:
    """Product-limit curve with Greenwood's variance; with weights, a variance robust to them."""
    grid, place = distinct(time)
    size = len(grid)
    people_all = np.bincount(place, minlength=size)
    people_events = np.bincount(place[event > 0], minlength=size)
    people = people_all[::-1].cumsum()[::-1]
    if weights is None:
        at_risk, events = people.astype(float), people_events.astype(float)
    else:
        at_risk = np.bincount(place, weights=weights, minlength=size)[::-1].cumsum()[::-1]
        events = np.bincount(place, weights=weights * (event > 0), minlength=size)
    left = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(np.where(at_risk > 0, left / at_risk, 1.0))
        steps = np.where(events > 0, events / (at_risk * left), 0.0)
    variance = steps.cumsum() if weights is None else _robust(place, event, weights, at_risk, left, events)
    return Curve(
        time=grid, people=people, people_events=people_events, at_risk=at_risk, events=events,
        survival=survival, hazard_variance=variance,
    )  # fmt: skip


def distinct(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct times in order, and the place of each row among them; by counting where times are whole
    numbers."""
    whole = time.astype(np.int64)
    top = int(whole.max()) if len(whole) else 0
    if (whole == time).all() and 0 <= top <= 4 * len(time) + 1000:
        seen = np.zeros(top + 1, bool)
        seen[whole] = True
        return np.flatnonzero(seen).astype(float), (seen.cumsum() - 1)[whole]
    return np.unique(time, return_inverse=True)


def at(curve: Curve, values: np.ndarray, horizon: float, before: float) -> float:
    """The value of a right-continuous step function of the curve's times at `horizon`."""
    place = int(np.searchsorted(curve.time, horizon, side="right")) - 1
    return before if place < 0 else float(values[place])


def log_log_limits(
    survival: np.ndarray, hazard_variance: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of survival on the complementary log-log scale, which stay between 0 and 1. NaN where they do
    not exist."""
    z = critical_value(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(survival)
        half = z * np.sqrt(hazard_variance) / np.abs(log)
        low, high = survival ** np.exp(half), survival ** np.exp(-half)
    # Before the first event nothing is uncertain in the sample; after everybody has had it nothing is defined.
    start, end = survival >= 1, survival <= 0
    return np.where(start, 1.0, np.where(end, np.nan, low)), np.where(start, 1.0, np.where(end, np.nan, high))


def cumulative_incidence(
    time: np.ndarray, cause: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Aalen-Johansen incidence of cause 1 in the presence of others (2, 3, …; 0 censored): times, value,
    variance.

    The variance is the infinitesimal jackknife: the sum of squared influences, as R's `survival` has it.
    """
    steps = _steps(time, cause, weights)
    chosen = _chosen(len(steps.time))
    variance = [float((_incidence_influence(steps, last) ** 2).sum()) for last in chosen]
    return steps.time, steps.value, np.interp(np.arange(len(steps.time)), chosen, variance)


def incidence_at(
    time: np.ndarray, cause: np.ndarray, horizon: float, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Aalen-Johansen incidence of cause 1 by `horizon`, and each row's influence on it."""
    steps = _steps(np.minimum(time, horizon), np.where(time <= horizon, cause, 0), weights)
    return float(steps.value[-1]), _incidence_influence(steps, len(steps.time) - 1)


def survival_at(
    time: np.ndarray, event: np.ndarray, horizon: float, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Survival at `horizon`, and each row's influence on it."""
    curve = kaplan_meier(time, event, weights)
    value = at(curve, curve.survival, horizon, 1.0)
    return value, _hazard_influence(curve, time, event, horizon, weights, np.full(len(curve.time), value))


def restricted_mean_at(
    time: np.ndarray, event: np.ndarray, horizon: float, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Mean time without the event up to `horizon`, and each row's influence on it."""
    curve = kaplan_meier(time, event, weights)
    value, beyond = _areas(curve, horizon)
    moved = np.zeros(len(curve.time))
    moved[: len(beyond) - 1] = beyond[1:]
    return value, _hazard_influence(curve, time, event, horizon, weights, moved)


def log_rank(
    time: np.ndarray, event: np.ndarray, treated: np.ndarray, weights: np.ndarray | None = None
) -> LogRank:
    """The log-rank test of two arms; with weights, the weighted score with a robust variance."""
    grid, place = distinct(time)
    size, weight = len(grid), np.ones(len(time)) if weights is None else weights
    at_risk = np.bincount(place, weights=weight, minlength=size)[::-1].cumsum()[::-1]
    treated_risk = np.bincount(place, weights=weight * treated, minlength=size)[::-1].cumsum()[::-1]
    events = np.bincount(place, weights=weight * (event > 0), minlength=size)
    share = treated_risk / at_risk
    excess = float((weight * treated * (event > 0)).sum() - (events * share).sum())
    if weights is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(at_risk > 1, (at_risk - events) / (at_risk - 1), 0.0)
        variance = float((events * share * (1 - share) * spread).sum())
    else:
        compensator = (events / at_risk).cumsum()[place] * treated - (events / at_risk * share).cumsum()[
            place
        ]
        variance = float(((weight * ((event > 0) * (treated - share[place]) - compensator)) ** 2).sum())
    statistic = excess**2 / variance if variance > 0 else 0.0
    return LogRank(statistic=statistic, p_value=chi_square_p(statistic, 1), excess=excess)


def _robust(
    place: np.ndarray, event: np.ndarray, weights: np.ndarray, at_risk: np.ndarray, left: np.ndarray,
    events: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Variance of minus log survival at each time, from each row's influence on the hazards.

    A row still at risk at time k moves the log of (1 − d/n) by w (d/n − event) / (n − d): summed squares over
    rows need only three running totals of the rows that left at each time.
    """
    size = len(at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        drift = np.where(left > 0, events / (at_risk * left), 0.0).cumsum()
        jump = np.where(left > 0, 1 / left, 0.0)
    square = weights**2
    own = np.where(event > 0, drift[place] - jump[place], drift[place])
    gone = np.bincount(place, weights=square * own**2, minlength=size).cumsum()
    staying = np.bincount(place, weights=square, minlength=size)
    staying = staying[::-1].cumsum()[::-1] - staying
    return gone + staying * drift**2


def _chosen(size: int) -> np.ndarray:
    """Which times get a variance of their own: all, or two hundred of many, the rest between them."""
    return np.arange(size) if size <= 200 else np.unique(np.linspace(0, size - 1, 200).round().astype(int))


def _areas(curve: Curve, horizon: float) -> tuple[float, np.ndarray]:
    """Area under the curve up to `horizon`, and the part of it beyond 0 and each time before `horizon`."""
    inside = curve.time < horizon
    edges = np.concatenate([[0.0], curve.time[inside], [horizon]])
    heights = np.concatenate([[1.0], curve.survival[inside]])
    beyond = (heights * np.diff(edges))[::-1].cumsum()[::-1]
    return float(beyond[0]), beyond


def _hazard_influence(
    curve: Curve, time: np.ndarray, event: np.ndarray, horizon: float, weights: np.ndarray | None,
    moved: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Influence of each row on a quantity that falls by `moved` per unit of hazard added at each time."""
    weight = np.ones(len(time)) if weights is None else weights
    last = np.searchsorted(curve.time, np.minimum(time, horizon), side="right") - 1
    left = curve.at_risk - curve.events
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = np.where(left > 0, moved / left, 0.0)
        drift = np.where(left > 0, moved * curve.events / (curve.at_risk * left), 0.0).cumsum()
    drift, jump = np.append(drift, 0.0), np.append(jump, 0.0)  # place -1: nothing happened yet
    return -weight * (np.where((event > 0) & (time <= horizon), jump[last], 0.0) - drift[last])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Steps:
    """One arm's competing events at its distinct times, with each row's place, cause and weight."""

    time: np.ndarray
    place: np.ndarray
    cause: np.ndarray
    weight: np.ndarray
    at_risk: np.ndarray
    ours: np.ndarray
    every: np.ndarray
    before: np.ndarray
    value: np.ndarray


def _steps(time: np.ndarray, cause: np.ndarray, weights: np.ndarray | None) -> _Steps:
    grid, place = distinct(time)
    size, weight = len(grid), np.ones(len(time)) if weights is None else weights
    at_risk = np.bincount(place, weights=weight, minlength=size)[::-1].cumsum()[::-1]
    ours = np.bincount(place, weights=weight * (cause == 1), minlength=size)
    every = np.bincount(place, weights=weight * (cause > 0), minlength=size)
    before = np.concatenate([[1.0], np.cumprod(1 - every / at_risk)[:-1]])
    return _Steps(
        time=grid, place=place, cause=cause, weight=weight, at_risk=at_risk, ours=ours, every=every,
        before=before, value=np.cumsum(before * ours / at_risk),
    )  # fmt: skip


def _incidence_influence(steps: _Steps, last: int) -> np.ndarray:
    """Each row's influence on the incidence at one time.

    Row i moves it by the sum, over times k at which it is at risk, of w / n(k) times [S(k−) 1{i has cause
    1 at k} − (I(T) − I(k)) / (1 − d(k)/n(k)) 1{i has any cause at k}], less what everybody's events moved
    it by on average.
    """
    upto = slice(0, last + 1)
    risk, ahead = steps.at_risk[upto], steps.value[last] - steps.value[upto]
    left = 1 - steps.every[upto] / risk
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(left > 0, ahead / left, 0.0)
    drift = ((steps.before[upto] * steps.ours[upto] - change * steps.every[upto]) / risk**2).cumsum()
    stop = np.minimum(steps.place, last)
    seen = steps.place <= last
    jump = np.where(seen & (steps.cause == 1), steps.before[stop], 0.0)
    jump = jump - np.where(seen & (steps.cause > 0), change[stop], 0.0)
    return steps.weight * (jump / risk[stop] - drift[stop])
