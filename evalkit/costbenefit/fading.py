"""Benefits that fade: what is kept in later years, its range, and the drop-off at which an account breaks even."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special

from evalkit.costbenefit.cells import rows_of, where
from evalkit.costbenefit.distributions import Uncertain, from_range
from evalkit.errors import StudyError

RANGES = ("beta", "triangular")
POINTS = 4096  # midpoints of probability over which the power of a triangular share is averaged
HALVINGS = 200  # of an interval of doubles: more than their digits


def drop_off_range(row) -> Uncertain | None:
    """The distribution of a line's drop-off, or None where its row gives no range."""
    low, high = getattr(row, "drop_off_low", np.nan), getattr(row, "drop_off_high", np.nan)
    if not np.isfinite(low) or not np.isfinite(high):
        return None
    spot = where("benefits", row.row, "drop_off")
    family = row.drop_off_distribution or "beta"
    if family not in RANGES:
        raise StudyError(
            "a drop-off is a share: its range is a beta or a triangular one", where=spot, found=family
        )
    return from_range(family, float(row.drop_off), float(low), float(high), where=spot)


def expected_kept(drawn: Uncertain, powers: np.ndarray) -> np.ndarray:
    """The mean of (1 − drop-off)^k: exact for a beta, by 4,096 midpoints for a triangular one."""
    if drawn.family == "beta":
        log_mean = (
            special.gammaln(drawn.b + powers) - special.gammaln(drawn.b)
            + special.gammaln(drawn.a + drawn.b) - special.gammaln(drawn.a + drawn.b + powers)
        )  # fmt: skip
        return np.exp(log_mean)
    if drawn.family == "normal":  # a range without width
        return (1 - drawn.mean) ** powers
    share = np.array([drawn.quantile((i + 0.5) / POINTS) for i in range(POINTS)])
    return ((1 - share)[:, None] ** powers).mean(axis=0)


def profile(benefits: pd.DataFrame, horizon: int) -> np.ndarray:
    """(1 − drop_off)^(year − first_year) from the first to the last year inclusive, nought elsewhere.

    Where the drop-off has a range it is the mean of that power over the range: present values are expected ones.
    """
    years = np.arange(horizon)
    first = benefits["first_year"].to_numpy()[:, None]
    inside = (years >= first) & (years <= benefits["last_year"].to_numpy()[:, None])
    powers = np.maximum(years - first, 0)
    kept = (1 - benefits["drop_off"].to_numpy(float))[:, None] ** powers
    if "drop_off_low" in benefits:
        for position, row in enumerate(rows_of(benefits)):
            drawn = drop_off_range(row)
            if drawn is not None:
                kept[position] = expected_kept(drawn, powers[position])
    return np.where(inside, kept, 0.0)


def fading(drawn: Uncertain, discount: np.ndarray, first: int, last: int) -> Uncertain:
    """What a drawn drop-off multiplies a line's whole present value by; its mean is 1.

    Payback in a draw keeps the expected shape over years: only the sum moves.
    """
    weights = discount[first : last + 1]
    whole = float((weights * expected_kept(drawn, np.arange(len(weights)))).sum())
    if whole == 0:
        return replace(drawn, mean=1.0, fade=np.array([1.0]))
    return replace(drawn, mean=1.0, fade=weights / whole)


def drop_off_for(target: float, fixed: float, worth: np.ndarray) -> float | None:
    """The drop-off at which `fixed` plus lines worth `worth` (lines × years since their first) come to `target`.

    None where no drop-off does: the first year alone is already enough, or nothing lasts beyond it.
    """
    by_power = worth.sum(axis=0)
    if len(by_power) < 2 or not by_power[1:].any():
        return None

    def short(kept: float) -> float:
        return fixed + float(np.polyval(by_power[::-1], kept)) - target

    low, high = 0.0, 1.0
    while short(high) < 0 and high < 1e6:
        high *= 2
    if short(low) > 0 or short(high) < 0:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if short(middle) < 0 else (low, middle)
    return 1 - (low + high) / 2
