"""What to ask of a before-and-after count, and what else may be said from the little that was printed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import StudyError
from evalkit.inference import critical_value, margin_check, two_sided
from evalkit.intervals import rate_ratio_exact
from evalkit.results import Check, Estimate

SMALL_BASE, SMALL_COUNT, UNEQUAL_BASES = 20, 10, 2.0
MOST_NAMED = 5


def count_checks(table: pd.DataFrame, chosen_when_high: bool | None) -> tuple[Check, ...]:
    """The Checks of a table with one row per category: counts, scale, choice of area, missing figures."""
    checks = [_small(table)]
    if table["comparison_before"].notna().any():
        checks.append(_additive(table))
    if chosen_when_high is not None:
        checks.append(regression_to_the_mean(chosen_when_high))
    missing = int(table[["before", "after"]].isna().any(axis=1).sum())
    if missing:
        checks.append(_missing(missing, len(table)))
    return tuple(checks)


def containment(contains: bool | None, naive: Mapping[str | None, float | None]) -> Check:
    """Whether the comparison area holds the area itself, and what the whole would have given in each row."""
    reading = {
        True: f"The comparison area contains the area itself, whose counts were subtracted from it"
        f"{_with_the_whole(naive)}.",
        False: "The comparison area does not contain the area itself.",
        None: "It is not said whether the comparison area contains the area itself.",
    }[contains]
    return Check(
        name="containment",
        null="the comparison area is separate from the area itself",
        passed=None if contains is None else True,
        reading=reading,
        next_step="Set `contains: true` or `contains: false`." if contains is None else "",
    )


def _with_the_whole(naive: Mapping[str | None, float | None]) -> str:
    """What each row would have come to without the subtraction; the range of them where they are many."""
    known = {name: value for name, value in naive.items() if value is not None}
    if not known:
        return ""
    if len(naive) == 1:
        return f" (the whole area would have given {next(iter(known.values())):.3f})"
    if len(known) > MOST_NAMED:
        ends = f"from {min(known.values()):.3f} to {max(known.values()):.3f}"
        return f" (in {len(known)} rows; with the whole area the ratios would have run {ends})"
    listed = ", ".join(f"{name} {value:.3f}" for name, value in known.items())
    return f" (the whole area would have given: {listed})"


def within_margin(heads: Sequence[Estimate], margin: float | None, better: str | None) -> tuple[Check, ...]:
    """Whether each row's change lies within the margin: one Check, that of the row that comes nearest to failing."""
    if margin is None:
        return ()
    each = [margin_check(head, margin, better, ratio=True, sides="rates before and after") for head in heads]
    known = [check for check in each if check.passed is not None]
    if len(each) == 1 or not known:
        return (each[0],)
    far = [math.inf if check.statistic is None else abs(math.log(check.statistic)) for check in known]
    failed = [place for place, check in enumerate(known) if not check.passed]
    worst = max(failed or range(len(known)), key=lambda place: far[place])
    inside = sum(bool(check.passed) for check in known)
    told = f"{inside} of {len(each)} rows lie within the margin."
    unknown = len(each) - len(known)
    return (replace(known[worst], reading=told + (f" {unknown} have no interval." if unknown else "")),)


def regression_to_the_mean(chosen_when_high: bool) -> Check:
    """Whether the area or the people were chosen at a peak, after which a fall is to be expected anyway."""
    return Check(
        name="regression_to_the_mean",
        null="the choice of area or people did not depend on a high count",
        passed=not chosen_when_high,
        reading="Chosen because the count was high: some fall was likely without any programme."
        if chosen_when_high
        else "Not chosen because the count was high.",
        next_step="Use a longer series before the start, or places that were as high at the time."
        if chosen_when_high
        else "",
    )


def base_range(after: int, percent: float, *, decimals: int = 0) -> tuple[int, int] | None:
    """The smallest and largest whole count before that, with `after`, give `percent` change as it was
    printed.

    Parameters
    ----------
    after
        The count after.
    percent
        The change as it was printed: −20 for a fall by a fifth.
    decimals
        Places after the point that it was printed with.

    Returns
    -------
    tuple of int, or None
        None where no whole number gives the change.

    Raises
    ------
    StudyError
        A fall of 100% or more.

    Assumes
    -------
    The change was rounded to the nearest, and both counts are of the same thing.

    Notes
    -----
    before = after / (1 + percent/100), at both ends of the rounding.

    Examples
    --------
    >>> base_range(80, -20)
    (100, 100)
    """
    if percent <= -100:
        raise StudyError("a fall of 100% or more leaves no base to find", found=percent)
    half = 0.5 * 10.0**-decimals
    low = after / (1 + (percent + half) / 100)
    high = after / (1 + (percent - half) / 100) if percent - half > -100 else math.inf
    if math.isinf(high):
        return None
    tolerance = 1e-9 * max(1.0, high)
    first, last = math.ceil(low - tolerance), math.floor(high + tolerance)
    return (first, last) if first <= last else None


def unknown_base(percent: float, bases: Iterable[int], *, level: float = 0.95) -> pd.DataFrame:
    """How precise a printed percentage change would be, had it stood on each of these counts before.

    Parameters
    ----------
    percent
        The change as it was printed: −20 for a fall by a fifth.
    bases
        Counts before to try, each above 0.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per base: before, after (to the nearest whole number), percent_change, conf_low, conf_high
        (percentages, exact).

    Assumes
    -------
    Events are independent and the windows are equally long.

    Notes
    -----
    After given after + before is binomial; its Clopper-Pearson limits become those of the ratio.

    References
    ----------
    Przyborowski and Wilenski (1940); Clopper and Pearson (1934).
    """
    rows = []
    for before in bases:
        after = round(before * (1 + percent / 100))
        low, high = rate_ratio_exact(after, before, level=level)
        rows.append((before, after, 100 * (after / before - 1), 100 * (low - 1), 100 * (high - 1)))
    return pd.DataFrame(rows, columns=["before", "after", "percent_change", "conf_low", "conf_high"])


def weighted_displacement_difference(
    *,
    before: int,
    after: int,
    comparison_before: int,
    comparison_after: int,
    displacement_before: int = 0,
    displacement_after: int = 0,
    displacement_comparison_before: int = 0,
    displacement_comparison_after: int = 0,
    level: float = 0.95,
) -> Estimate:
    """Crimes fewer (negative) or more in an area and its surroundings than in their comparisons changed by.

    Parameters
    ----------
    before, after
        Events in the area, over two windows of the same length.
    comparison_before, comparison_after
        Events in its comparison.
    displacement_before, displacement_after
        Events in the places around the area; nought where none are looked at.
    displacement_comparison_before, displacement_comparison_after
        Events in the comparison of those places.
    level
        Of the interval.

    Returns
    -------
    Estimate
        Term `weighted_displacement_difference`, in events, with a Wald interval.

    Assumes
    -------
    Parallel change in numbers, so the comparison must have about the same counts before; independent events.

    Notes
    -----
    The change in the area minus that in its comparison, plus the same for the places around. The variance is the sum
    of the eight counts.

    References
    ----------
    Wheeler and Ratcliffe (2018).
    """
    eight = np.array(
        [
            [before, after, comparison_before, comparison_after],
            [displacement_before, displacement_after]
            + [displacement_comparison_before, displacement_comparison_after],
        ],
        dtype=float,
    )
    difference = float((eight @ np.array([-1.0, 1.0, 1.0, -1.0])).sum())
    error = math.sqrt(eight.sum())
    half = critical_value(level) * error
    statistic = difference / error if error else None
    return Estimate(
        term="weighted_displacement_difference", measure="count_difference", estimate=difference,
        std_error=error, statistic=statistic, p_value=None if statistic is None else two_sided(statistic),
        conf_low=difference - half, conf_high=difference + half, level=level, interval="wald", unit="events",
    )  # fmt: skip


def _small(table: pd.DataFrame) -> Check:
    base = float(table["before"].min())
    smallest = float(table[["before", "after"]].min().min())
    enough = base >= SMALL_BASE and smallest >= SMALL_COUNT
    return Check(
        name="small_counts",
        null="every count is large enough for a percentage change to mean something",
        statistic=base,
        threshold=SMALL_BASE,
        passed=enough,
        reading=f"The smallest count before is {base:.0f} and the smallest of all {smallest:.0f}.",
        next_step="" if enough else "Print the counts, not the percentage alone: a few events move it far.",
    )


def _additive(table: pd.DataFrame) -> Check:
    """Every row's bases against each other, and where a difference of numbers would point the other way."""
    four = table[["before", "after", "comparison_before", "comparison_after"]]
    bases = four[["before", "comparison_before"]]
    ratio = (bases.max(axis=1) / bases.min(axis=1).where(bases.min(axis=1) > 0, 0)).where(
        bases.notna().all(axis=1)
    )
    difference = (four["after"] - four["before"]) - (four["comparison_after"] - four["comparison_before"])
    unequal = ratio > UNEQUAL_BASES
    at = int(ratio.fillna(-1).to_numpy().argmax())
    worst = float(ratio.iloc[at])
    return Check(
        name="additive_scale",
        null="the two areas start from about the same count",
        statistic=worst,
        threshold=UNEQUAL_BASES,
        passed=None if unequal.any() else True,
        reading=_bases(table["group"], ratio, difference, at),
        next_step="Compare ratios, or rates per head." if unequal.any() else "",
    )


def _bases(names: pd.Series, ratio: pd.Series, difference: pd.Series, at: int) -> str:
    unequal, one = ratio > UNEQUAL_BASES, len(ratio) == 1
    size = f"{ratio.iloc[at]:.1f} times the other"
    if not unequal.any():
        return f"One base is {size}." if one else f"In no row is one base more than {size}."
    gaps = difference[unequal].dropna()
    if one:
        tail = f" (their difference, {gaps.iloc[0]:+.0f}, says how large the areas are)" if len(gaps) else ""
        return f"One base is {size}, so changes in numbers are not compared{tail}."
    ends = f", {gaps.min():+.0f} to {gaps.max():+.0f}," if len(gaps) else ""
    return (
        f"In {int(unequal.sum())} of {len(ratio)} rows one base is more than twice the other (most in "
        f"{names.iloc[at]}: {size}), so changes in numbers are not compared (their differences{ends} say how large "
        f"the areas are)."
    )


def _missing(missing: int, rows: int) -> Check:
    return Check(
        name="missing_counts",
        null="every count is known",
        statistic=missing,
        threshold=0,
        passed=False,
        reading=f"{missing} of {rows} rows lack a count, which is not the same as a count of nought.",
        next_step="Ask the source for the figure; until then no change is given for these rows.",
    )
