"""Published two-group claims: is there any pair of counts that gives the figures as they were printed?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit import intervals
from evalkit.errors import StudyError
from evalkit.inference import critical_value

METHODS = ("newcombe", "wald", "any")


def possible_counts(
    *,
    n_treated: int,
    n_control: int,
    percent_treated: float | None = None,
    percent_control: float | None = None,
    difference: float | None = None,
    conf_low: float | None = None,
    conf_high: float | None = None,
    p_value: float | None = None,
    decimals: int = 0,
    p_decimals: int = 3,
    method: str = "any",
    level: float = 0.95,
) -> pd.DataFrame:
    """Every pair of counts that gives the printed percentages, difference, interval and p-value after
    rounding.

    Parameters
    ----------
    n_treated, n_control
        People in each arm, as printed.
    percent_treated, percent_control, difference, conf_low, conf_high
        In percent and percentage points, rounded to `decimals`; leave out what was not printed.
    p_value
        Of the chi-square, Fisher or Wald test, rounded to `p_decimals`.
    decimals, p_decimals
        Places after the point that percentages, and the p-value, were printed with.
    method
        Which interval of the difference was used: `newcombe`, `wald`, or `any` of the two.
    level
        Of the printed interval.

    Returns
    -------
    pandas.DataFrame
        Columns events_treated, events_control, interval (which gave the limits, or blank where none were
        printed). No row: the printed figures cannot all be true of these numbers of people.

    Raises
    ------
    StudyError
        A method that is not known.

    Assumes
    -------
    The numbers of people are those that the figures stand on, and rounding was to the nearest.

    Notes
    -----
    Every pair of whole numbers is tried. A printed difference may be rounded by itself or taken between two rounded
    percentages; either will do.

    Examples
    --------
    >>> len(possible_counts(n_treated=20, n_control=20, percent_treated=41))
    0
    """
    if method not in METHODS:
        raise StudyError("`method` must be one of `newcombe`, `wald`, `any`", found=method)
    half = 0.5 * 10.0**-decimals + 1e-9
    one, nought = _fitting(n_treated, percent_treated, half), _fitting(n_control, percent_control, half)
    a, b = (part.ravel() for part in np.meshgrid(one, nought, indexing="ij"))
    gap = 100 * (a / n_treated - b / n_control)
    if difference is not None:
        # A difference may be rounded by itself or taken between two rounded percentages.
        near = np.abs(gap - difference) <= half
        if percent_treated is not None and percent_control is not None:
            near |= abs(percent_treated - percent_control - difference) <= 1e-9
        a, b = a[near], b[near]
    rows = []
    for events_1, events_0 in zip(a.tolist(), b.tolist(), strict=True):
        table = (events_1, n_treated, events_0, n_control)
        if p_value is not None and not _p_fits(table, p_value, 0.5 * 10.0**-p_decimals + 1e-12):
            continue
        rows += [
            (events_1, events_0, name)
            for name in _intervals_that_fit(table, conf_low, conf_high, half, method, level)
        ]
    return pd.DataFrame(rows, columns=["events_treated", "events_control", "interval"])


def percentages_possible(percents: list[float], *, decimals: int = 0, most: int = 1000) -> int | None:
    """The smallest number of people for which every one of these rounded percentages is possible.

    Parameters
    ----------
    percents
        As printed, 0 to 100, of one group of people.
    decimals
        Places after the point that they were printed with.
    most
        The largest number tried.

    Returns
    -------
    int, or None
        None where no number up to `most` gives all of them.

    Assumes
    -------
    All the percentages are of the same people, rounded to the nearest.

    Notes
    -----
    n is possible where for each percentage p some whole number k has 100 k/n within half a unit of its last place.

    Examples
    --------
    >>> percentages_possible([33, 67])
    3
    """
    half = 0.5 * 10.0**-decimals + 1e-9
    for n in range(1, most + 1):
        if all(len(_fitting(n, percent, half)) for percent in percents):
            return n
    return None


def _fitting(n: int, percent: float | None, half: float) -> np.ndarray:
    """Counts out of n whose percentage rounds to the printed one."""
    counts = np.arange(n + 1)
    return counts if percent is None else counts[np.abs(100 * counts / n - percent) <= half]


def _p_fits(table: tuple[int, int, int, int], p_value: float, half: float) -> bool:
    events_1, n_1, events_0, n_0 = table
    p_1, p_0 = events_1 / n_1, events_0 / n_0
    variance = p_1 * (1 - p_1) / n_1 + p_0 * (1 - p_0) / n_0
    found = [intervals.score_test(*table)[1], intervals.fisher_exact(*table)]
    if variance > 0:
        found.append(intervals.chi_square_p((p_1 - p_0) ** 2 / variance, 1))
    return any(abs(each - p_value) <= half for each in found)


def _intervals_that_fit(
    table: tuple[int, int, int, int],
    low: float | None,
    high: float | None,
    half: float,
    method: str,
    level: float,
) -> list[str]:
    if low is None and high is None:
        return [""]
    fits = []
    for name in ("newcombe", "wald"):
        if method not in (name, "any"):
            continue
        limits = _limits(table, name, level)
        wanted = zip(limits, (low, high), strict=True)
        if all(printed is None or abs(100 * limit - printed) <= half for limit, printed in wanted):
            fits.append(name)
    return fits


def _limits(table: tuple[int, int, int, int], name: str, level: float) -> tuple[float, float]:
    if name == "newcombe":
        return intervals.newcombe(*table, level)
    events_1, n_1, events_0, n_0 = table
    p_1, p_0 = events_1 / n_1, events_0 / n_0
    half = critical_value(level) * float(np.sqrt(p_1 * (1 - p_1) / n_1 + p_0 * (1 - p_0) / n_0))
    return p_1 - p_0 - half, p_1 - p_0 + half
