"""Two-way fixed effects with one dummy per event time: the plain event study."""

from __future__ import annotations

import numpy as np

from evalkit.errors import EstimationError, StudyError
from evalkit.impact.did.bands import normal_critical
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.found import EventPath, Found
from evalkit.impact.did.frames import event_frame
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.twfe import TwoWay, cohort_levels, two_way
from evalkit.impact.did.uncertainty import from_variance
from evalkit.results import Check


def event_study(panel: Panel, options: DidOptions) -> Found:
    """Effects by periods since treatment beside the last period before it; the headline is the mean of those ≥ 0."""
    if options.family == "poisson" and len(panel.cohorts) > 1:
        raise StudyError(
            "a two-way Poisson event study is refused with staggered starts",
            where="did",
            do="Use `estimator: callaway_santanna` (one cohort at a time) or `imputation` (the saturated form)",
        )
    reference = -1 - options.anticipation
    columns, times = event_columns(panel, options, reference)
    found = two_way(panel, columns, [str(e) for e in times], options)
    path = path_of(found, panel, reference)
    after = path.times >= 0
    if not after.any():
        raise EstimationError(
            "no period after the start can be compared", do="Check the periods after treatment"
        )
    weight = after / after.sum()
    estimate = float(weight @ path.estimates)
    variance = np.diag(path.covariance)
    band = normal_critical(path.covariance, options.level, draws=options.draws, seed=options.seed)
    return Found(
        estimate=estimate,
        interval=from_variance(estimate, float(weight @ path.covariance @ weight), panel, options),
        interval_name="cluster",
        n_clusters=panel.clusters,
        detail={
            "event_study": event_frame(path.times, path.estimates, variance, band, reference, panel, options)
        },
        checks=_dropped(found),
        references=("freyaldenhoven2019",),
        path=path,
        long_path=path,
        influence=found.influence[:, [found.names.index(str(e)) for e in path.times[after]]].mean(axis=1),
        units=found.units,
    )


def event_columns(panel: Panel, options: DidOptions, reference: int) -> tuple[np.ndarray, list[int]]:
    """Shape (cohorts, periods, event times): later effects first, then leads outwards from the reference.

    In this order a column that the others determine is the furthest lead. `leads` and `lags` gather what lies beyond.
    """
    levels = cohort_levels(panel)
    event = panel.calendar.steps[None, :] - levels[:, None]
    if options.leads is not None:
        event = np.maximum(event, -max(options.leads, 1))
    if options.lags is not None:
        event = np.minimum(event, options.lags)
    event = np.where(levels[:, None] == NEVER, reference, event)
    found = [int(e) for e in np.unique(event) if e != reference]
    times = [e for e in found if e > reference] + [e for e in reversed(found) if e < reference]
    return (event[:, :, None] == np.array(times)[None, None, :]).astype(float), times


def path_of(found: TwoWay, panel: Panel, reference: int) -> EventPath:
    """The event-time coefficients in order of time, covariates left out."""
    rows = [(int(name), k) for k, name in enumerate(found.names) if not name.startswith("covariate")]
    rows.sort()
    keep = np.array([k for _, k in rows], dtype=int)
    return EventPath(
        times=np.array([e for e, _ in rows], dtype=int),
        estimates=found.coefficients[keep],
        covariance=found.covariance[np.ix_(keep, keep)],
        reference=reference,
        n_clusters=panel.clusters,
    )


def _dropped(found: TwoWay) -> tuple[Check, ...]:
    if not found.dropped:
        return ()
    return (
        Check(
            name="dropped_event_times",
            null="every event time can be told apart from unit and period effects",
            statistic=len(found.dropped),
            passed=None,
            reading=f"No estimate for {', '.join(found.dropped)}: without never-treated units a second reference is "
            "needed.",
            next_step="Add never-treated units",
        ),
    )
