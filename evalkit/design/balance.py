"""How alike the arms are, before and after: standardised differences, variance ratios, distributions, overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.design.covariates import Column, read_columns
from evalkit.design.weighting import effective_sample_size
from evalkit.errors import DesignError
from evalkit.options import require_columns

MOST_BINS = 20
BIN_WIDTHS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """Where a standardised difference (absolute value) stops being good and starts being poor."""

    good: float
    reasonable: float
    source: str

    def rating(self, difference: float) -> str:
        """`good`, `reasonable` or `poor`; empty where there is no difference to rate."""
        if not np.isfinite(difference):
            return ""
        size = abs(difference)
        return "good" if size <= self.good else "reasonable" if size <= self.reasonable else "poor"


JUSTICE_DATA_LAB = Threshold(good=0.05, reasonable=0.10, source="Ministry of Justice, Justice Data Lab")


def balance_table(
    people: pd.DataFrame,
    weights: pd.Series,
    covariates: Sequence[str],
    *,
    treated: str = "treated",
    estimand: str = "att",
    threshold: Threshold = JUSTICE_DATA_LAB,
) -> pd.DataFrame:
    """Balance of each covariate before and after a design.

    Parameters
    ----------
    people : one row per person.
    weights : the design's weights, on the index of `people`; 0 for those not used.
    covariates : columns of `people`: numbers, flags (0/1) or categories. Rows with a blank in one are left out.
    treated : the 0/1 column of the arms.
    estimand : for `att` differences are in standard deviations of the treated people before matching; otherwise of
        both arms, pooled: the root of the mean of the two variances.
    threshold : where a difference (absolute value) stops being `good` and starts being `poor`.

    Returns
    -------
    One row per number, flag or level of a category: covariate, mean_treated and mean_control (after), smd_before,
    smd_after, variance_ratio_before and variance_ratio_after (treated over control; blank for flags), ks_before and
    ks_after (largest distance between the two cumulative distributions), rating.

    Raises
    ------
    DataError : a column that the people do not have.

    Assumes
    -------
    Nothing of the outcome, which is not looked at. Balance on these covariates says nothing of others.

    Notes
    -----
    A flag's standard deviation is √(p(1−p)); a number's has divisor n−1. The same one serves before and after, so
    that a change in the difference is a change in means (Stuart 2010).

    References
    ----------
    stuart2010
    """
    require_columns(people, [treated, *covariates], where="balance_table()")
    whole = people[list(covariates)].notna().all(axis=1).to_numpy() & people[treated].notna().to_numpy()
    columns = [column.at(whole) for column in read_columns(people, covariates)]
    arm = people[treated].to_numpy()[whole] == 1
    if arm.all() or not arm.any():
        raise DesignError(
            "one of the two arms is empty", where="balance_table()", do=f"Check the column `{treated}`"
        )
    return balance_of(
        columns, arm, weights.to_numpy(dtype=float)[whole], estimand=estimand, threshold=threshold
    )


def balance_of(
    columns: Sequence[Column],
    treated: np.ndarray,
    weights: np.ndarray,
    *,
    estimand: str,
    threshold: Threshold = JUSTICE_DATA_LAB,
) -> pd.DataFrame:
    """`balance_table` over columns of numbers without missing values."""
    pooled = estimand != "att"
    rows = [_one_column(column, treated, weights, pooled) for column in columns]
    table = pd.DataFrame(rows, columns=BALANCE_COLUMNS)
    table["rating"] = [threshold.rating(value) for value in table["smd_after"]]
    return table


BALANCE_COLUMNS = (
    "covariate", "mean_treated", "mean_control", "smd_before", "smd_after", "variance_ratio_before",
    "variance_ratio_after", "ks_before", "ks_after",
)  # fmt: skip


def _one_column(column: Column, treated: np.ndarray, weights: np.ndarray, pooled: bool) -> tuple[object, ...]:
    values = column.values
    before = [_Arm.of(values[arm], None, column.binary) for arm in (treated, ~treated)]
    used = weights > 0
    after = [_Arm.of(values[arm & used], weights[arm & used], column.binary) for arm in (treated, ~treated)]
    spread = _spread(before[0].variance, before[1].variance, pooled)
    return (
        column.name,
        after[0].mean,
        after[1].mean,
        _over(before[0].mean - before[1].mean, spread),
        _over(after[0].mean - after[1].mean, spread),
        np.nan if column.binary else _over(before[0].variance, before[1].variance),
        np.nan if column.binary else _over(after[0].variance, after[1].variance),
        _distance(before, column.binary),
        _distance(after, column.binary),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Arm:
    values: np.ndarray
    weights: np.ndarray | None
    mean: float
    variance: float

    @classmethod
    def of(cls, values: np.ndarray, weights: np.ndarray | None, binary: bool) -> _Arm:
        if not len(values):
            return cls(values=values, weights=weights, mean=np.nan, variance=np.nan)
        mean = float(values.mean() if weights is None else weights @ values / weights.sum())
        return cls(
            values=values, weights=weights, mean=mean, variance=_variance(values, weights, mean, binary)
        )


def _variance(values: np.ndarray, weights: np.ndarray | None, mean: float, binary: bool) -> float:
    if binary:
        return mean * (1 - mean)
    squares = (values - mean) ** 2
    if weights is None:
        return float(squares.sum() / (len(values) - 1)) if len(values) > 1 else np.nan
    total = weights.sum()
    left = total**2 - (weights**2).sum()
    return float(total * (weights @ squares) / left) if left > 0 else np.nan


def _spread(treated: float, control: float, pooled: bool) -> float:
    if not pooled and treated > 0:
        return float(np.sqrt(treated))
    return float(np.sqrt((treated + control) / 2))


def _over(value: float, by: float) -> float:
    if value == 0 and by == 0:
        return 0.0
    return value / by if by and np.isfinite(by) else np.nan


def _distance(arms: Sequence[_Arm], binary: bool) -> float:
    """The largest gap between the arms' cumulative distributions, looked for at the smaller arm's values only."""
    small, large = sorted(arms, key=lambda arm: len(arm.values))
    if not len(small.values):
        return np.nan
    if binary:
        return abs(small.mean - large.mean)
    points = np.unique(small.values)
    gaps = np.abs(_cumulative(small, points) - _cumulative(large, points))
    return float(gaps.max())


def _cumulative(arm: _Arm, points: np.ndarray) -> np.ndarray:
    """Shares of the arm below, and at or below, each point."""
    if arm.weights is None:
        ordered = np.sort(arm.values)
        total = np.arange(len(ordered) + 1) / len(ordered)
    else:
        order = np.argsort(arm.values)
        ordered = arm.values[order]
        total = np.concatenate(([0.0], np.cumsum(arm.weights[order])))
        total /= total[-1]
    return np.concatenate([total[np.searchsorted(ordered, points, side=side)] for side in ("left", "right")])


def overlap_table(logit: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """Where each arm stands on the score.

    Returns
    -------
    One row per bin of the log-odds: score_low and score_high (probabilities), n_treated and n_control (everybody with
    a score), share_treated and share_control (of the arm's weight in the design). Bin edges are round numbers
    of the log-odds, so that no person's own score is printed.
    """
    low, high = float(logit.min()), float(logit.max())
    width = next(
        (each for each in BIN_WIDTHS if (high - low) / each < MOST_BINS), (high - low) / (MOST_BINS - 1)
    )
    edges = np.arange(np.floor(low / width), np.floor(high / width) + 2) * width
    place = np.clip(np.floor(logit / width) - np.floor(low / width), 0, len(edges) - 2).astype(np.int64)
    size = len(edges) - 1
    table = pd.DataFrame(
        {"score_low": 1 / (1 + np.exp(-edges[:-1])), "score_high": 1 / (1 + np.exp(-edges[1:]))}
    )
    for name, arm in (("treated", treated), ("control", ~treated)):
        table[f"n_{name}"] = np.bincount(place[arm], minlength=size)
    for name, arm in (("treated", treated), ("control", ~treated)):
        share = np.bincount(place[arm], weights[arm], size)
        table[f"share_{name}"] = share / share.sum() if share.sum() else share
    return table


def effective_n_table(treated: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """People before, people used and effective number in each arm: arm, n_before, n_used, effective_n."""
    return pd.DataFrame(
        [
            (name, int(arm.sum()), int((weights[arm] > 0).sum()), effective_sample_size(weights[arm]))
            for name, arm in (("treated", treated), ("control", ~treated))
        ],
        columns=["arm", "n_before", "n_used", "effective_n"],
    )
