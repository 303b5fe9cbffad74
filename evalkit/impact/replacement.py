"""Errors of a matched comparison in which one control may stand for several treated people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError
from evalkit.impact.measures import Spread, estimate_from
from evalkit.impact.sample import read_sample
from evalkit.options import require_columns
from evalkit.results import Result


def abadie_imbens(
    people: pd.DataFrame,
    pairs: pd.DataFrame,
    *,
    outcome: str,
    distance: pd.Series,
    treated: str = "treated",
    measure: str = "risk_difference",
    level: float = 0.95,
) -> Result:
    """The effect on the treated by nearest neighbours with replacement: Abadie and Imbens (2006), theorem
    7.

    Parameters
    ----------
    people
        One row per person, labelled by the index that `pairs` uses.
    pairs
        A Design's pairs: columns treated and control (index labels), one row per match.
    outcome, treated
        Columns of the outcome (0 and 1, or numbers) and of the arm (0 and 1).
    distance
        The score that people were matched on, on the index of `people`.
    measure
        `risk_difference` (percentage points) or `mean_difference`.
    level
        Of the interval.

    Returns
    -------
    Result
        Term `treated_vs_control`, interval `wald` with the Abadie-Imbens error; matched set variation is
        not enough here, since a control used often moves many differences together.

    Raises
    ------
    EstimationError
        A measure that is a ratio; a single control.
    DataError
        No pair with both outcomes, a column that is not there.

    Assumes
    -------
    Matches are close enough for the bias that remains to be ignored; the score is taken as known.

    Notes
    -----
    V = Σ_treated (Y − Ŷ(0) − τ)²/N₁² + Σ_controls σ̂² Σ_sets-of-use terms, where a control that serves
    with weights summing to K, squares to K₂, adds (K² − K₂) σ̂²/N₁², and σ̂² is half the squared gap to
    the nearest other control.

    References
    ----------
    Abadie and Imbens (2006).
    """
    if measure not in ("risk_difference", "mean_difference"):
        raise EstimationError("`abadie_imbens` gives differences only", where="rates", found=measure)
    require_columns(pairs, ["treated", "control"], where="pairs")
    sample = read_sample(people, outcome=outcome, treated=treated, where="rates")
    y = pd.Series(sample.outcome, index=sample.frame.index)
    known = pairs[pairs["treated"].isin(y.index) & pairs["control"].isin(y.index)]
    if known.empty:
        raise DataError("no pair has both outcomes", where="rates")
    share = 1 / known.groupby("treated")["control"].transform("size")
    matched = (share * y.loc[known["control"]].to_numpy()).groupby(known["treated"]).sum()
    gaps = y.loc[matched.index] - matched
    effect, size = float(gaps.mean()), len(gaps)
    use, squares = share.groupby(known["control"]).sum(), (share**2).groupby(known["control"]).sum()
    controls = y.index[~sample.treated]
    sigma2 = _nearest_variance(y.loc[controls], distance.loc[controls]).loc[use.index]
    variance = float((((gaps - effect) ** 2).sum() + ((use**2 - squares) * sigma2).sum()) / size**2)
    scale = 100.0 if measure == "risk_difference" else 1.0
    keep = np.isin(sample.frame.index, [*matched.index, *use.index])
    head = estimate_from(
        "treated_vs_control",
        measure,
        scale * effect,
        Spread(variance=scale**2 * variance),
        sample.rows(keep),
        level,
    )
    return Result(
        method="rates", estimand="att", outcome=outcome, estimates=(head,), references=("abadie2006",)
    )


def _nearest_variance(y: pd.Series, distance: pd.Series) -> pd.Series:
    """Half the squared gap of each outcome to that of the person of the same arm nearest in the score."""
    if len(y) < 2:
        raise EstimationError("one control is not enough for an error", where="rates")
    order = np.argsort(distance.to_numpy(float), kind="stable")
    score, values = distance.to_numpy(float)[order], y.to_numpy(float)[order]
    gap = np.diff(score)
    before, after = np.append(np.inf, gap), np.append(gap, np.inf)
    places = np.arange(len(score))
    other = np.where(before <= after, places - 1, places + 1)
    out = np.empty(len(score))
    out[order] = (values - values[other]) ** 2 / 2
    return pd.Series(out, index=y.index)
