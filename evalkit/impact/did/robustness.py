"""Would the same method find an effect where there is none, and does one unit make it?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.twfe import TREATED, effect, position, treated_now, two_way, without_anticipation
from evalkit.impact.did.uncertainty import from_variance
from evalkit.results import Check

MOST_LEFT_OUT = 60
ALPHA = 0.05


def placebo_date(panel: Panel, options: DidOptions) -> Check:
    """The same estimate before treatment, as if each cohort had started half way through its earlier periods."""
    name, null = "placebo_date", "before treatment, a made-up start has no effect"
    before = panel.keep(panel.step < panel.cohort - options.anticipation)
    steps = before.calendar.steps
    early = [int((steps < g).sum()) for g in panel.cohorts]
    shift = max(1, min(early) // 2)
    pretended = np.where(before.cohort < NEVER, before.cohort - options.anticipation - shift, NEVER)
    moved = replace(before, cohort=pretended)
    try:
        if min(early) < 2:
            raise EstimationError("too few periods")
        found = two_way(moved, treated_now(moved), [TREATED], options)
        k = position(found, TREATED)
    except EstimationError:
        return Check(
            name=name, null=null, passed=None, reading="Needs two or more periods before treatment.",
            next_step="Add earlier periods",
        )  # fmt: skip
    interval = from_variance(float(found.coefficients[k]), found.covariance[k, k], moved, options)
    p = interval.p_value
    shown = np.exp(found.coefficients[k]) if options.family == "poisson" else found.coefficients[k]
    return Check(
        name=name,
        null=null,
        statistic=p,
        threshold=ALPHA,
        passed=None if p is None else p >= ALPHA,
        reading=f"A start {shift} periods early would give {shown:.4g}"
        + ("." if p is None else f" (p = {p:.3f})."),
        next_step="The arms were already parting before treatment" if p is not None and p < ALPHA else "",
    )


def leave_one_out(panel: Panel, options: DidOptions) -> tuple[Check, pd.DataFrame] | None:
    """The two-way estimate without each comparison cluster in turn; frame left_out, estimate."""
    treated = np.zeros(panel.clusters, bool)
    treated[panel.cluster[panel.treated]] = True
    if panel.clusters > MOST_LEFT_OUT or (~treated).sum() < 2:
        return None
    whole = _effect(panel, options)
    rows = []
    for k in np.flatnonzero(~treated | (treated.sum() > 1)):
        rows.append((_name(panel, options, int(k)), _effect(panel.keep(panel.cluster != k), options)))
    frame = pd.DataFrame(rows, columns=["left_out", "estimate"])
    values = frame["estimate"].to_numpy()
    flips = bool((np.sign(values) != np.sign(whole)).any())
    if options.family == "poisson":
        frame["estimate"] = np.exp(values)
    shown = frame["estimate"]
    return Check(
        name="leave_one_out",
        null="no single unit makes the finding",
        statistic=float(np.abs(values - whole).max()),
        passed=not flips,
        reading=f"Without one unit at a time the estimate runs from {shown.min():.4g} to {shown.max():.4g}.",
        next_step="Look at the unit whose absence turns the sign" if flips else "",
    ), frame


def _effect(panel: Panel, options: DidOptions) -> float:
    return effect(without_anticipation(panel, options), options)


def _name(panel: Panel, options: DidOptions, cluster: int) -> str:
    if options.cluster not in (None, options.unit):
        return f"cluster {cluster + 1}"
    return str(panel.units[cluster])
