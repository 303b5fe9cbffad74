"""Goodman-Bacon (2021): which two-by-two comparisons a two-way fixed-effects estimate is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.panel import Panel
from evalkit.regression import factorize
from evalkit.results import Check

FORBIDDEN = "later_vs_earlier"
MUCH = 0.05


def bacon_frame(panel: Panel) -> pd.DataFrame | None:
    """Columns kind, treated, control, weight, estimate; None unless starts are staggered and the panel complete.

    Weights sum to one and the weighted estimates to the two-way coefficient without covariates.
    """
    if (
        panel.grid is None
        or panel.weights is not None
        or panel.exposure is not None
        or len(panel.cohorts) < 2
    ):
        return None
    cohort, levels = factorize(panel.first_rows(panel.cohort))
    y = panel.outcome.reshape(panel.grid)
    means = np.array([y[cohort == c].mean(axis=0) for c in range(len(levels))])
    share = np.bincount(cohort) / len(cohort)
    steps = panel.calendar.steps
    rows = []
    for k, g in enumerate(levels):
        for m, h in enumerate(levels):
            if g != h and g != NEVER:
                rows.append(_pair(panel, means, share, steps, (k, int(g)), (m, int(h))))
    frame = pd.DataFrame(rows, columns=["kind", "treated", "control", "weight", "estimate"])
    frame["weight"] = frame["weight"] / frame["weight"].sum()
    return frame


def _pair(
    panel: Panel,
    means: np.ndarray,
    share: np.ndarray,
    steps: np.ndarray,
    treated: tuple[int, int],
    control: tuple[int, int],
) -> tuple[str, object, object, float, float]:
    """One comparison: its kind, cohorts, unscaled weight (Goodman-Bacon eq. 10) and estimate."""
    (k, g), (m, h) = treated, control
    window = np.ones(len(steps), bool) if h == NEVER else steps < h if g < h else steps >= h
    after = (steps >= g) & window
    before = ~(steps >= g) & window
    gap = means[k] - means[m]
    total = share[k] + share[m]
    part = share[k] / total
    time = after.sum() / window.sum()
    weight = (total * window.mean()) ** 2 * part * (1 - part) * time * (1 - time)
    kind = "treated_vs_never" if h == NEVER else "earlier_vs_later" if g < h else FORBIDDEN
    label = panel.calendar.label
    return kind, label(g), "never" if h == NEVER else label(h), weight, gap[after].mean() - gap[before].mean()


def bacon_check(frame: pd.DataFrame, estimator: str) -> Check:
    """How much weight the comparisons with units already treated carry."""
    bad = frame["kind"] == FORBIDDEN
    weight = float(frame.loc[bad, "weight"].sum())
    matters = estimator == "twfe" and weight > MUCH
    return Check(
        name="bacon",
        null="no weight falls on comparisons with units already treated",
        statistic=weight,
        threshold=MUCH,
        passed=False if matters else True if weight == 0 else None,
        reading=f"In a two-way fixed-effects estimate {weight:.0%} of the weight falls on comparisons of later with "
        "earlier starters, which are wrong where effects change over time.",
        next_step="Use callaway_santanna, sun_abraham or imputation as the headline" if matters else "",
    )
