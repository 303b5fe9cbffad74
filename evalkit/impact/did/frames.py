"""The detail frames that several estimators fill: event study, cohort by period, and rows of an aggregation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.impact.did.aggregate import Cells
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.uncertainty import too_few
from evalkit.inference import critical_value


def spread_columns(
    values: np.ndarray, variance: np.ndarray, band: float | None, panel: Panel, options: DidOptions
) -> dict[str, np.ndarray]:
    """Columns estimate, std_error, conf_low, conf_high and, with a critical value, band_low and band_high.

    Ratios are shown as ratios, their error as that of the logarithm. Blank errors where clusters are too few.
    """
    error = np.sqrt(np.maximum(variance, 0))
    error = np.where(error > 0, error, np.nan)
    if too_few(panel, options):
        error = np.full(len(error), np.nan)
    half = critical_value(options.level, panel.clusters - 1) * error
    shown = np.exp if options.family == "poisson" else np.asarray
    out = {
        "estimate": shown(values),
        "std_error": error,
        "conf_low": shown(values - half),
        "conf_high": shown(values + half),
    }
    if band is not None:
        wide = max(band, critical_value(options.level, panel.clusters - 1)) * error
        out |= {"band_low": shown(values - wide), "band_high": shown(values + wide)}
    return out


def event_frame(
    times: np.ndarray,
    values: np.ndarray,
    variance: np.ndarray,
    band: float,
    reference: int | None,
    panel: Panel,
    options: DidOptions,
) -> pd.DataFrame:
    """Columns event_time, estimate, std_error, conf_low, conf_high, band_low, band_high.

    The reference stands in a row of its own with no effect (0, or a ratio of 1) and no error.
    """
    if reference is not None and reference not in times:
        times = np.append(times, reference)
        values, variance = np.append(values, 0.0), np.append(variance, 0.0)
    order = np.argsort(times, kind="stable")
    columns = spread_columns(values[order], variance[order], band, panel, options)
    return pd.DataFrame({"event_time": times[order].astype(int), **columns})


def cell_frame(
    cells: Cells,
    values: np.ndarray,
    variance: np.ndarray,
    band: float,
    counts: np.ndarray,
    panel: Panel,
    options: DidOptions,
) -> pd.DataFrame:
    """Columns cohort, period, event_time, the spread columns, n_treated, n_control (units compared)."""
    label = panel.calendar.label
    return pd.DataFrame(
        {
            "cohort": [label(int(g)) for g in cells.cohort],
            "period": [label(int(t)) for t in cells.step],
            "event_time": cells.event.astype(int),
            **spread_columns(values, variance, band, panel, options),
            "n_treated": counts[:, 0].astype(int),
            "n_control": counts[:, 1].astype(int),
        }
    )


def row_frame(
    name: str,
    labels: list[object],
    values: np.ndarray,
    variance: np.ndarray,
    panel: Panel,
    options: DidOptions,
) -> pd.DataFrame:
    """One row per cohort or period: its label under `name`, then the spread columns without bands."""
    return pd.DataFrame({name: labels, **spread_columns(values, variance, None, panel, options)})
