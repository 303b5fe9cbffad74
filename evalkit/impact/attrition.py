"""How far people whose outcome is not known could move a difference."""

from __future__ import annotations

import math

import numpy as np

from evalkit.intervals import score_test


def extreme_cases(
    treated: np.ndarray, control: np.ndarray, lost_treated: int, lost_control: int
) -> tuple[float, float]:
    """Lowest and highest difference of risks, were the lost of one arm all without and of the other all
    with."""
    n_1, n_0 = len(treated) + lost_treated, len(control) + lost_control
    low = treated.sum() / n_1 - (control.sum() + lost_control) / n_0
    high = (treated.sum() + lost_treated) / n_1 - control.sum() / n_0
    return float(low), float(high)


def lee_bounds(
    treated: np.ndarray, control: np.ndarray, lost_treated: int, lost_control: int
) -> tuple[float, float]:
    """Lee's (2009) bounds on the mean difference among those who would be followed up in either arm.

    Parameters
    ----------
    treated, control
        Known outcomes of each arm: arrays of numbers, or of 0 and 1.
    lost_treated, lost_control
        People of each arm whose outcome is not known.

    Returns
    -------
    tuple of float
        The lowest and the highest difference, treated minus control, in the unit of the outcome (a share for 0 and 1).

    Assumes
    -------
    Being in one arm never makes a person harder to follow for some and easier for others.

    Notes
    -----
    The arm with more known outcomes is trimmed from above and from below by the excess share of those it kept; a
    person is split where the share is not a whole number of people.

    References
    ----------
    Lee (2009).

    Examples
    --------
    >>> lee_bounds(np.array([0, 1, 1, 1]), np.array([0, 1]), lost_treated=0, lost_control=2)
    (0.0, 0.5)
    """
    kept_1 = len(treated) / (len(treated) + lost_treated)
    kept_0 = len(control) / (len(control) + lost_control)
    if kept_1 >= kept_0:
        low, high = _trimmed(treated, (kept_1 - kept_0) / kept_1)
        return low - float(control.mean()), high - float(control.mean())
    low, high = _trimmed(control, (kept_0 - kept_1) / kept_0)
    return float(treated.mean()) - high, float(treated.mean()) - low


def tipping_point(
    events_treated: int,
    n_treated: int,
    events_control: int,
    n_control: int,
    *,
    lost_treated: int = 0,
    lost_control: int = 0,
    alpha: float = 0.05,
) -> tuple[int, int] | None:
    """The fewest events among those lost that change whether the score test is below `alpha`.

    Parameters
    ----------
    events_treated, n_treated, events_control, n_control
        Events and people with a known outcome, by arm.
    lost_treated, lost_control
        People of each arm whose outcome is not known.
    alpha
        The line that the p-value crosses.

    Returns
    -------
    tuple of int, or None
        Events among the treated lost and among the control lost: of all pairs that cross the line the one nearest, in
        people, to the rates of those known. None where no pair does.

    Assumes
    -------
    Nothing of those lost: every pair of counts is tried, likely or not.

    Notes
    -----
    The test is the score test of two proportions.

    Examples
    --------
    >>> tipping_point(30, 100, 45, 100, lost_treated=10, lost_control=0)
    (6, 0)
    """
    one = np.arange(lost_treated + 1)
    nought = np.arange(lost_control + 1)
    significant = score_test(events_treated, n_treated, events_control, n_control)[1] < alpha
    expected = (lost_treated * events_treated / n_treated, lost_control * events_control / n_control)
    best, distance = None, math.inf
    for a in one:
        for b in nought:
            p = score_test(
                events_treated + a, n_treated + lost_treated, events_control + b, n_control + lost_control
            )[1]
            away = abs(a - expected[0]) + abs(b - expected[1])
            if (p < alpha) != significant and away < distance:
                best, distance = (int(a), int(b)), away
    return best


def _trimmed(values: np.ndarray, share: float) -> tuple[float, float]:
    """Mean after taking `share` off the top, and off the bottom, splitting a person where it must."""
    ordered = np.sort(values)
    drop = share * len(ordered)
    whole, part = int(drop), drop - int(drop)
    weights = np.ones(len(ordered))
    weights[:whole] = 0.0
    if part > 0 and whole < len(weights):
        weights[whole] = 1 - part
    return float(np.average(ordered, weights=weights[::-1])), float(np.average(ordered, weights=weights))
