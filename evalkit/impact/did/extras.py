"""The same analysis again: on outcomes that cannot have changed, by subgroup, without untreated neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EvalkitError
from evalkit.impact.did.options import DidOptions
from evalkit.inference import adjust
from evalkit.options import require_columns
from evalkit.results import Check, Estimate, Result

ALPHA = 0.05
Door = Callable[[pd.DataFrame, DidOptions], Result]


def without_buffer(frame: pd.DataFrame, options: DidOptions) -> tuple[pd.DataFrame, tuple[Check, ...]]:
    """The frame without the untreated neighbours that `buffer` marks, and the Check that says so."""
    if options.buffer is None:
        return frame, ()
    require_columns(frame, (options.buffer,), where="did")
    flag = pd.to_numeric(frame[options.buffer], errors="coerce")
    if not flag.isin([0, 1]).all():
        raise DataError(f"`{options.buffer}` must hold 0 or 1", where=f"column `{options.buffer}`")
    near = flag == 1
    units = int(frame.loc[near, options.unit].nunique()) if options.unit else int(near.sum())
    check = Check(
        name="spill_over",
        null="the programme reached no comparison unit",
        statistic=units,
        reading=f"{units} neighbouring units are left out, since the programme may have reached them.",
        next_step="Estimate the change in the neighbours themselves: it shows displacement or diffusion",
    )
    return frame.loc[~near], (check,)


def placebo_outcomes(door: Door, frame: pd.DataFrame, options: DidOptions) -> tuple[Check, ...]:
    """One Check for each outcome that the programme cannot have changed: an effect on it is a warning."""
    return tuple(_placebo(door, frame, options, name) for name in options.placebo_outcomes)


def _placebo(door: Door, frame: pd.DataFrame, options: DidOptions, name: str) -> Check:
    again = door(frame, _plain(options, outcome=name))
    p, value = again.headline.p_value, again.headline.estimate
    return Check(
        name="placebo_outcome",
        null=f"the programme did not change `{name}`",
        statistic=p,
        threshold=ALPHA,
        passed=None if p is None else p >= ALPHA,
        reading=f"On `{name}` the same method gives {value:.4g}" + ("." if p is None else f" (p = {p:.3f})."),
        next_step="Something else changed at the same time" if p is not None and p < ALPHA else "",
    )


def by_subgroup(door: Door, frame: pd.DataFrame, options: DidOptions) -> tuple[Estimate, ...]:
    """The effect in each value of `subgroup`, in order; blank where it does not exist there."""
    if options.subgroup is None:
        return ()
    require_columns(frame, (options.subgroup,), where="did")
    found = []
    for value in sorted(frame[options.subgroup].dropna().unique()):
        rows = frame[options.subgroup] == value
        try:
            head = door(frame.loc[rows], _plain(options)).headline
        except EvalkitError:
            head = Estimate(term="att", measure="mean_difference", estimate=None, level=options.level)
        found.append(replace(head, group=str(value)))
    known = [k for k, each in enumerate(found) if each.p_value is not None]
    if options.p_adjust and known:
        adjusted = adjust(np.array([found[k].p_value for k in known]), options.p_adjust)
        for k, p in zip(known, adjusted, strict=True):
            found[k] = replace(found[k], p_adjusted=float(p))
    return tuple(found)


def _plain(options: DidOptions, **changes: str) -> DidOptions:
    return replace(
        options, diagnostics=False, subgroup=None, margin=None, buffer=None, placebo_outcomes=(), **changes
    )
