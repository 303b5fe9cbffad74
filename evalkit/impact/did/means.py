"""Raw means by period and arm: the first thing that a reader should see."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.impact.did.panel import Panel


def means_frame(panel: Panel) -> pd.DataFrame:
    """Columns period, arm (treated, control), mean, n (units), cohorts together.

    With weights the means are weighted; with an exposure they are rates: the sum of counts over that of exposure.
    """
    n_periods = len(panel.calendar.labels)
    cell = panel.period * 2 + (~panel.treated)
    weight = panel.weights if panel.exposure is None else panel.exposure
    top = panel.outcome if weight is None or panel.exposure is not None else panel.outcome * weight
    n = np.bincount(cell, minlength=2 * n_periods)
    below = n if weight is None else np.bincount(cell, weights=weight, minlength=2 * n_periods)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell, weights=top, minlength=2 * n_periods) / below
    frame = pd.DataFrame(
        {
            "period": [label for label in panel.calendar.labels for _ in range(2)],
            "arm": ["treated", "control"] * n_periods,
            "mean": mean,
            "n": n.astype(int),
        }
    )
    return frame.loc[frame["n"] > 0].reset_index(drop=True)
