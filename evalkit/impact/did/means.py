"""Raw means by period and arm: the first thing that a reader should see."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.impact.did.panel import Panel


def means_frame(panel: Panel) -> pd.DataFrame:
    """Columns period, arm (treated, control), mean, n (units), post (1 from the first start on), cohorts together.

    With weights the means are weighted; with an exposure they are rates: the sum of counts over that of exposure.
    """
    n_periods = len(panel.calendar.labels)
    if panel.grid is not None and panel.weights is None and panel.exposure is None:
        arms = np.stack([panel.unit_treated, ~panel.unit_treated]).astype(float)
        n = np.repeat(arms.sum(axis=1)[None, :], n_periods, axis=0).ravel()
        total = (arms @ panel.outcome.reshape(panel.grid)).T.ravel()
        below = n
    else:
        n, total, below = _sums(panel, n_periods)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / below
    frame = pd.DataFrame(
        {
            "period": [label for label in panel.calendar.labels for _ in range(2)],
            "arm": ["treated", "control"] * n_periods,
            "mean": mean,
            "n": n.astype(int),
            "post": np.repeat((panel.calendar.steps >= panel.unit_cohort.min()).astype(int), 2),
        }
    )
    return frame.loc[frame["n"] > 0].reset_index(drop=True)


def _sums(panel: Panel, n_periods: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, sums of the outcome and of what it is divided by, in each period's two arms."""
    cell = panel.period * 2 + (~panel.treated)
    weight = panel.weights if panel.exposure is None else panel.exposure
    top = panel.outcome if weight is None or panel.exposure is not None else panel.outcome * weight
    n = np.bincount(cell, minlength=2 * n_periods)
    below = n if weight is None else np.bincount(cell, weights=weight, minlength=2 * n_periods)
    return n, np.bincount(cell, weights=top, minlength=2 * n_periods), below
