"""Effects and their variances from counts or means, one per study; nothing here pools."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln

from evalkit.errors import DataError, StudyError
from evalkit.options import one_of, require_columns

COUNTS = ("events_treated", "n_treated", "events_control", "n_control")
MEANS = ("mean_treated", "sd_treated", "n_treated", "mean_control", "sd_control", "n_control")
LOG_OF = {"log_odds_ratio": "odds_ratio", "log_risk_ratio": "risk_ratio", "log_rate_ratio": "rate_ratio"}
MEASURES = (*LOG_OF, "risk_difference", "smd")
ZERO_CELLS = ("add_half", "leave_out", "refuse")
HALF = 0.5
POINTS = 100.0  # risk differences are in percentage points


def effects_from_counts(
    frame: pd.DataFrame, measure: str, *, zero_cells: str = "add_half"
) -> tuple[pd.DataFrame, pd.Series]:
    """The effect of each study and its standard error, from the events in its two groups.

    Parameters
    ----------
    frame
        `events_treated`, `n_treated`, `events_control`, `n_control`: people, or for `log_rate_ratio` events and the
        time (or people) they were counted over.
    measure
        `log_odds_ratio`, `log_risk_ratio`, `risk_difference` (percentage points) or `log_rate_ratio`.
    zero_cells
        Where a group has no events, or only events: `add_half` adds 0.5 to every cell of that study (to both counts
        of a rate ratio), `leave_out` drops the study, `refuse` stops. A study where nobody, or everybody, in both
        groups had the event says nothing about a ratio, and is dropped from ratios whatever the rule.

    Returns
    -------
    tuple
        A frame with columns estimate and std_error on the index of the studies kept, and for every row whether it
        was `as counted`, `half added` or `left out`.

    Raises
    ------
    StudyError, DataError
        A measure that counts do not give; missing, negative or fractional counts; more events than people.
    """
    one_of("zero_cells", zero_cells, ZERO_CELLS, where="meta")
    if measure == "smd":
        raise StudyError("counts do not give `smd`", where="meta", do=f"Give {', '.join(MEANS)}")
    one_of("measure", measure, MEASURES, where="meta")
    require_columns(frame, COUNTS, where="meta")
    a, n1, c, n0 = (_counted(frame, name, whole=name.startswith("events")) for name in COUNTS)
    rates = measure == "log_rate_ratio"
    if not rates and ((a > n1) | (c > n0)).any():
        raise DataError("a study has more events than people", where="meta")
    empty = (a == 0) | (c == 0) | (False if rates else (a == n1) | (c == n0))
    silent = ((a == 0) & (c == 0)) | (False if rates else (a == n1) & (c == n0))
    if zero_cells == "refuse" and empty.any():
        raise DataError(
            f"{int(empty.sum())} studies have a group with no events, or only events", where="meta"
        )
    out = silent & (measure != "risk_difference") if zero_cells == "add_half" else empty
    rule = np.select([out, empty], ["left out", "half added"], default="as counted")
    add = np.where(empty, HALF, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, variance = _effect(
            measure, a + add, c + add, *((n1, n0) if rates else (n1 + 2 * add, n0 + 2 * add))
        )
    effects = pd.DataFrame({"estimate": value, "std_error": np.sqrt(variance)}, index=frame.index)
    return effects[~out], pd.Series(rule, index=frame.index)


def effects_from_means(frame: pd.DataFrame) -> pd.DataFrame:
    """Standardised mean difference (Hedges' g, exact correction) of each study and its standard error.

    `frame` has `mean_treated`, `sd_treated`, `n_treated` and the same of the control group. Variance: 1/n₁ + 1/n₀ +
    g²/2(n₁ + n₀) (Hedges 1982). Returns columns estimate and std_error.
    """
    require_columns(frame, MEANS, where="meta")
    numbers = [pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in MEANS]
    m1, s1, n1, m0, s0, n0 = numbers
    if np.isnan(numbers).any() or min(n1.min(), n0.min()) < 2 or min(s1.min(), s0.min()) <= 0:
        raise DataError("means need standard deviations above 0 and groups of 2 or more", where="meta")
    df = n1 + n0 - 2
    pooled = np.sqrt(((n1 - 1) * s1**2 + (n0 - 1) * s0**2) / df)
    correction = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    g = correction * (m1 - m0) / pooled
    variance = 1 / n1 + 1 / n0 + g**2 / (2 * (n1 + n0))
    return pd.DataFrame({"estimate": g, "std_error": np.sqrt(variance)}, index=frame.index)


def _counted(frame: pd.DataFrame, name: str, *, whole: bool) -> np.ndarray:
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    if np.isnan(values).any():
        raise DataError(
            f"`{name}` is missing for {int(np.isnan(values).sum())} studies; a percentage without its numbers "
            f"cannot be pooled, and missing is not nought",
            where="meta",
        )
    if (
        (values < 0).any()
        or (whole and (values != np.round(values)).any())
        or (not whole and (values <= 0).any())
    ):
        raise DataError(
            f"`{name}` must hold whole numbers" if whole else f"`{name}` must be above 0", where="meta"
        )
    return values


def _effect(
    measure: str, a: np.ndarray, c: np.ndarray, n1: np.ndarray, n0: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if measure == "log_odds_ratio":
        return np.log(a * (n0 - c) / (c * (n1 - a))), 1 / a + 1 / (n1 - a) + 1 / c + 1 / (n0 - c)
    if measure == "log_risk_ratio":
        return np.log(a / n1 / (c / n0)), 1 / a - 1 / n1 + 1 / c - 1 / n0
    if measure == "log_rate_ratio":
        return np.log(a / n1 / (c / n0)), 1 / a + 1 / c
    p1, p0 = a / n1, c / n0
    return POINTS * (p1 - p0), POINTS**2 * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
