"""Checks of the comparison itself: who is in it, how it was measured, and what the scale does."""

from __future__ import annotations

import numpy as np

from evalkit.errors import DataError
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.results import Check

UNEQUAL = 2.0
SEVERAL = 2


def comparison_checks(panel: Panel, options: DidOptions) -> tuple[Check, ...]:
    """The checks that every estimator shares."""
    found = [_comparison_units(panel), _start_inside(panel), _containment(options), _bases(panel, options)]
    return tuple(each for each in (*found, _breaks(panel, options), *_left_out(panel)) if each is not None)


def _comparison_units(panel: Panel) -> Check:
    never = panel.unit_counts()[1]
    later = len(panel.cohorts) > 1
    return Check(
        name="comparison_units",
        null="several untreated units stand beside the treated ones",
        statistic=never,
        threshold=SEVERAL,
        passed=never >= SEVERAL or (never == 0 and later),
        reading=f"{never} units are never treated"
        + (", so units treated later are the only comparison." if never == 0 else "."),
        next_step="" if never >= SEVERAL else "One comparison unit cannot show what is usual: find more",
    )


def _start_inside(panel: Panel) -> Check:
    inside = panel.calendar.start_inside
    return Check(
        name="start_inside_window",
        null="treatment starts on the edge of a period",
        passed=not inside,
        reading="A start falls inside a period: that period counts as treated although part of it was not."
        if inside
        else "Every start falls on the edge of a period.",
        next_step="Leave that period out, or use shorter periods" if inside else "",
    )


def _containment(options: DidOptions) -> Check:
    words = {
        None: "Not stated whether a comparison unit contains a treated one (a county that holds the town).",
        True: "A comparison unit contains a treated one: the effect is pulled towards none.",
        False: "No comparison unit contains a treated one.",
    }
    return Check(
        name="containment",
        null="no comparison unit contains a treated one",
        passed=None if options.contains is None else not options.contains,
        reading=words[options.contains],
        next_step="" if options.contains is False else "Take the treated area out of its comparison, then say "
        "`contains: false`",
    )  # fmt: skip


def base_means(panel: Panel) -> tuple[float, float]:
    """Mean outcome (or rate, with an exposure) of treated and of never treated units before the first start."""
    before = panel.step < panel.cohort.min()
    out = []
    for arm in (panel.treated & before, ~panel.treated & before):
        weight = np.ones(int(arm.sum())) if panel.weights is None else panel.weights[arm]
        out.append(float(np.average(panel.outcome[arm], weights=weight)) if arm.any() else np.nan)
    return out[0], out[1]


def _bases(panel: Panel, options: DidOptions) -> Check | None:
    """The additive scale on counts with unequal bases can turn the sign of an effect: refused unless asked for."""
    if options.family != "gaussian":
        return None
    values = panel.outcome
    if not _counts(values):
        return None
    treated, control = base_means(panel)
    if not np.isfinite(control) or min(treated, control) < 0:
        return None
    low, high = sorted((treated, control))
    ratio = high / low if low > 0 else np.inf
    unequal = ratio > UNEQUAL
    if unequal and options.scale != "additive":
        raise DataError(
            f"`{options.outcome}` holds counts, and one arm starts at more than {UNEQUAL:g} times the other: a "
            "difference of differences can then have the wrong sign",
            where="did",
            found=f"means before of {treated:.4g} and {control:.4g}",
            do="Use `family: poisson` (with `exposure` for populations), or ask for this with `scale: additive`",
        )
    return Check(
        name="unequal_bases",
        null="both arms start from levels alike enough for the additive scale",
        statistic=ratio,
        threshold=UNEQUAL,
        passed=not unequal,
        reading=f"Before the start the means were {treated:.4g} (treated) and {control:.4g} (control).",
        next_step="Report the ratio scale (`family: poisson`) beside it" if unequal else "",
    )


def _counts(values: np.ndarray) -> bool:
    """Whole numbers from 0, more than yes and no; a glance at the first few spares most columns a full look."""
    few = values[:100]
    if not np.array_equal(few, np.round(few)):
        return False
    return bool(values.min() >= 0 and values.max() > 1 and np.array_equal(values, np.round(values)))


def _breaks(panel: Panel, options: DidOptions) -> Check | None:
    """Known changes of recording inside the window."""
    if not options.series_breaks:
        return None
    labels = {str(label) for label in panel.calendar.labels}
    inside = [str(each) for each in options.series_breaks if str(each) in labels]
    return Check(
        name="series_break",
        null="the outcome was recorded in one way throughout",
        statistic=len(inside),
        threshold=0,
        passed=not inside,
        reading=f"Recording changed in {', '.join(inside)}."
        if inside
        else "No known change lies in the window.",
        next_step="Run again on the periods since the change" if inside else "",
    )


def _left_out(panel: Panel) -> list[Check]:
    return [
        Check(
            name="left_out",
            null="nothing was left out",
            statistic=count,
            passed=None,
            reading=f"Left out: {count} {reason if 'rows' in reason else 'units ' + reason}.",
        )
        for reason, count in sorted(panel.left_out.items())
        if count
    ]
