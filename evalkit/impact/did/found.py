"""What an estimator hands back to the door: an effect, how sure, and what to draw and check from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalkit.inference import Interval
from evalkit.results import Check


@dataclass(frozen=True, kw_only=True, eq=False)
class EventPath:
    """Effects by event time with their full covariance, the reference left out; logs for ratios.

    `universal` is true where every effect is measured from the reference period, as honest bounds need.
    """

    times: np.ndarray
    estimates: np.ndarray
    covariance: np.ndarray
    reference: int | None
    n_clusters: int
    universal: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """An estimated effect. `estimate` and `interval` are logs for ratios; the door turns them into ratios.

    `interval_name` says how the interval was made. `path` is the event path as shown, `pre_path` the effects whose
    early ones are tested where that differs, `long_path` the path on the universal base. `influence` is one value per
    cluster; its sum of squares is the variance before small-sample factors. `units` are the names of those clusters.
    """

    estimate: float
    interval: Interval
    interval_name: str
    n_clusters: int
    detail: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    references: tuple[str, ...] = ()
    path: EventPath | None = None
    pre_path: EventPath | None = None
    long_path: EventPath | None = None
    influence: np.ndarray | None = None
    units: np.ndarray | None = None
    n_treated: int | None = None
    n_control: int | None = None
