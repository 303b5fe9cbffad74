"""The diagnostics that belong to each estimator, gathered."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from evalkit.errors import EvalkitError
from evalkit.impact.did.bacon import bacon_check, bacon_frame
from evalkit.impact.did.event_study import event_study
from evalkit.impact.did.found import EventPath, Found
from evalkit.impact.did.honest import sensitivity
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.pretrends import pre_trend_checks
from evalkit.impact.did.robustness import leave_one_out, placebo_date
from evalkit.impact.did.uncertainty import too_few
from evalkit.results import Check

REGRESSIONS = ("two_by_two", "twfe")
MOST_LEADS = 120


def diagnose(panel: Panel, options: DidOptions, found: Found) -> tuple[list[Check], dict[str, pd.DataFrame]]:
    """Pre-trends and their power, bounds, Bacon weights, a placebo date, leaving units out: checks and frames."""
    checks: list[Check] = []
    frames: dict[str, pd.DataFrame] = {}
    bacon = bacon_frame(panel) if options.family == "gaussian" else None
    if bacon is not None:
        frames["bacon"] = bacon
        checks.append(bacon_check(bacon, options.estimator))
    paths = _paths(panel, options, found)
    exact = options.estimator != "callaway_santanna"
    checks += pre_trend_checks(paths[0], paths[1] or paths[0], found.estimate, exact=exact)
    frame, check = sensitivity(paths[1], options.level, ratio=options.family == "poisson")
    checks.append(check)
    if frame is not None:
        frames["sensitivity"] = frame
    if options.unit is not None:
        checks.append(placebo_date(panel, options))
    left = _left_out(panel, options)
    if left is not None:
        checks.append(left[0])
        frames["leave_one_out"] = left[1]
    return checks, frames


def _paths(panel: Panel, options: DidOptions, found: Found) -> tuple[EventPath | None, EventPath | None]:
    """The path whose leads are tested and the universal one that is bounded; regressions get an event study."""
    if too_few(panel, options):
        return None, None
    if options.estimator not in REGRESSIONS:
        return found.pre_path or found.path, found.long_path
    if options.unit is None or len(panel.calendar.labels) > MOST_LEADS or _changing(panel):
        return None, None
    if options.family == "poisson" and len(panel.cohorts) > 1:
        return None, None
    try:
        path = event_study(
            panel, replace(options, estimator="event_study", inference="cluster", aggregate=None)
        ).path
    except EvalkitError:
        return None, None
    return path, path


def _changing(panel: Panel) -> bool:
    """True where no unit is seen twice, so that unit effects leave nothing."""
    return len(panel.units) == len(panel.outcome)


def _left_out(panel: Panel, options: DidOptions) -> tuple[Check, pd.DataFrame] | None:
    if options.estimator not in REGRESSIONS or options.unit is None or _changing(panel):
        return None
    try:
        return leave_one_out(panel, options)
    except EvalkitError:
        return None
