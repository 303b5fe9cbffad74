"""How small a difference a study could see, how many people it would need, and the answer in words."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from evalkit.design.power_options import WHERE, PowerOptions
from evalkit.design.precision import (
    PROPORTIONS,
    UNITS,
    largest,
    on_test_scale,
    standard_errors,
    transformed,
)
from evalkit.errors import StudyError
from evalkit.options import takes
from evalkit.results import Check, Estimate, Result

GRID = 400
MULTIPLES = (0.5, 1.0, 2.0, 4.0)
RATIOS_OF_PROPORTIONS = ("risk_ratio", "odds_ratio")
OTHER_WAY = {"lower": "higher", "higher": "lower"}
OTHER_TERM = {"higher": "minimum_detectable_increase", "lower": "minimum_detectable_reduction"}
NOUNS = {"risk_ratio": "a share", "odds_ratio": "odds"}


@takes(PowerOptions)
def power(frame: pd.DataFrame | None, options: PowerOptions) -> Result:
    """The smallest true difference that a comparison would probably find, and the people that a given one needs.

    Parameters
    ----------
    frame : None, or a people frame whose 0/1 column `treated` is counted where the numbers are not given.
    outcome : what is to be compared, in words.
    measure : `risk_difference` (percentage points), `risk_ratio`, `odds_ratio`, `mean_difference` (units of `sd`),
        `rate_ratio`, `hazard_ratio`.
    baseline : what happens without the programme: a proportion, or events per person and unit of `follow_up`; for
        `hazard_ratio` the proportion of controls with the event by the end.
    n_treated, n_control : people at the start. `attrition` is the share lost by the end.
    effect : a difference to plan for, in the measure's unit (−5 points; a ratio of 0.8). Adds the terms `power` and
        `sample_size_treated`.
    direction : `lower` or `higher`: where to look for the difference when `effect` is not given.
    power, alpha : chance of finding it; two-sided test level.
    icc, cluster_size, cluster_cv, clustered : clusters (schools, therapists), their mean size and its coefficient of
        variation; `treated` where only that arm is clustered (partially nested).
    sd, r_squared, dispersion : spread of a mean outcome; share that covariates explain; variance over mean of counts.
    periods_before, periods_after, autocorrelation : a difference-in-differences panel whose errors follow AR(1).
    allocation : controls per treated person when a sample size is worked out.
    who : what to call the people in words.

    Returns
    -------
    Result with the headline term `minimum_detectable_effect` (a size without sign, or a ratio; missing where even the
    largest possible difference could not be seen). A ratio of shares or odds differs by direction, so the other way
    follows as `minimum_detectable_increase` (or `minimum_detectable_reduction`). Detail `sizes`: n_treated, n_control,
    value for 0.5 to 4 times the people. Check `power` holds the answer in words; it fails where the `effect` is
    smaller than could be seen.

    Raises
    ------
    StudyError : an option out of its range, a `baseline` or a number of people that is missing, half a panel, an `icc`
        without a `cluster_size`.

    Assumes
    -------
    A normal approximation; `baseline`, `icc`, `sd` and `dispersion` are what they will turn out to be.

    Notes
    -----
    The difference d solves d = z(1−α/2)·SE₀ + z(power)·SE₁. Proportions: SE₀ pools the two arms, SE₁ does not (Fleiss,
    Levin and Paik 2003). Risk and odds ratios are that same difference of proportions, printed as a ratio to the
    baseline: the three measures never disagree about what could be seen. Rates: SE of the log ratio is
    √(φ/events₁ + φ/events₀). Survival: √(1/(p₁p₀·events)) (Schoenfeld 1983). Clusters multiply variances by
    1 + ((1 + cv²)m − 1)·icc (Eldridge, Ashby and Kerry 2006). Panels: variance of mean after minus mean before under
    AR(1) (Burlig, Preonas and Woerman 2020).

    References
    ----------
    fleiss2003, schoenfeld1983, eldridge2006, burlig2020.

    Examples
    --------
    >>> found = power(None, measure="risk_difference", baseline=0.4, n_treated=45, n_control=45)
    >>> round(found.headline.estimate, 1)
    25.9
    """
    options = _with_numbers(frame, options)
    planned = options.n_treated is not None
    estimates = [_detectable(options), *_other_way(options)] if planned else []
    if options.effect is not None:
        estimates += [_power(options)] if planned else []
        estimates.append(_sample_size(options))
    return Result(
        method="power",
        estimand="",
        outcome=options.outcome,
        estimates=tuple(estimates),
        checks=(_check(estimates, options),) if planned else (),
        detail={"sizes": _sizes(options)} if planned else {},
        references=_references(options),
    )


def in_words(result: Result, *, who: str = "people") -> str:
    """The headline of a power calculation as a sentence for somebody who has never met a power calculation."""
    head = result.headline
    if head.term == "sample_size_treated":
        needed = _ceiling(head.estimate)
        return f"You would need {needed:,} {who} in the programme group to be fairly sure of seeing it."
    groups = _groups(head, who)
    if head.estimate is None:
        return f"With {groups} even the largest possible difference could not be seen with confidence."
    return f"With {groups} you could only be fairly sure of seeing {_difference(head)}."


def minimum_detectable_effect(options: PowerOptions) -> float | None:
    """The smallest effect that meets the required power: a size without sign, or a ratio; None where there is none."""
    from scipy.optimize import brentq

    reach = largest(options)
    sizes = np.linspace(reach / GRID, reach * (1 - 1e-9), GRID)
    short = [_shortfall(size, options) for size in sizes]
    place = next((position for position, value in enumerate(short) if value <= 0), None)
    if place is None:
        return None
    low = sizes[place - 1] if place else sizes[0] * 1e-9
    size = brentq(_shortfall, low, sizes[place], args=(options,), xtol=1e-14)
    return transformed(size, options)


def sample_size(options: PowerOptions) -> float:
    """People needed in the treated arm for `effect`, unrounded, with `allocation` controls for each."""
    single = replace(options, n_treated=1, n_control=1)
    size, sign = on_test_scale(options.effect, options)
    null, alternative = standard_errors(size * sign, single, n_control=options.allocation)
    return ((_z(1 - options.alpha / 2) * null + _z(options.power) * alternative) / size) ** 2


def achieved_power(options: PowerOptions) -> float:
    """Chance of finding `effect` with the people at hand (the far tail of the two-sided test is left out)."""
    size, sign = on_test_scale(options.effect, options)
    null, alternative = standard_errors(size * sign, options)
    return float(ndtr((size - _z(1 - options.alpha / 2) * null) / alternative))


def _shortfall(size: float, options: PowerOptions) -> float:
    sign = -1 if options.direction == "lower" else 1
    null, alternative = standard_errors(size * sign, options)
    return _z(1 - options.alpha / 2) * null + _z(options.power) * alternative - size


def _z(probability: float) -> float:
    return float(ndtri(probability))


def _with_numbers(frame: pd.DataFrame | None, options: PowerOptions) -> PowerOptions:
    n_treated, n_control = options.n_treated, options.n_control
    if frame is not None and options.treated in frame.columns:
        arm = frame[options.treated]
        n_treated = int((arm == 1).sum()) if n_treated is None else n_treated
        n_control = int((arm == 0).sum()) if n_control is None else n_control
    if (n_treated is None) != (n_control is None) or (n_treated is None and options.effect is None):
        raise StudyError(
            "`n_treated` and `n_control` are required",
            where=WHERE,
            do="Or give `effect` alone for the number of people it needs",
        )
    return replace(options, n_treated=n_treated, n_control=n_control)


def _detectable(options: PowerOptions) -> Estimate:
    return _estimate("minimum_detectable_effect", minimum_detectable_effect(options), options)


def _other_way(options: PowerOptions) -> list[Estimate]:
    """A ratio of shares up is not the reciprocal of the ratio down: both are given."""
    if options.measure not in RATIOS_OF_PROPORTIONS:
        return []
    other = replace(options, direction=OTHER_WAY[options.direction])
    return [_estimate(OTHER_TERM[other.direction], minimum_detectable_effect(other), other)]


def _power(options: PowerOptions) -> Estimate:
    return replace(
        _estimate("power", achieved_power(options), options), measure="probability", unit="probability"
    )


def _sample_size(options: PowerOptions) -> Estimate:
    counted = _estimate("sample_size_treated", sample_size(options), options)
    return replace(counted, measure="sample_size", unit=options.who, n_treated=None, n_control=None)


def _estimate(term: str, value: float | None, options: PowerOptions) -> Estimate:
    return Estimate(
        term=term,
        measure=options.measure,
        estimate=value,
        level=1 - options.alpha,
        n_treated=options.n_treated,
        n_control=options.n_control,
        unit=UNITS[options.measure],
    )


def _sizes(options: PowerOptions) -> pd.DataFrame:
    rows = []
    for multiple in MULTIPLES:
        n_treated, n_control = (max(1, round(multiple * n)) for n in (options.n_treated, options.n_control))
        several = replace(options, n_treated=n_treated, n_control=n_control)
        rows.append((n_treated, n_control, minimum_detectable_effect(several)))
    return pd.DataFrame(rows, columns=["n_treated", "n_control", "value"]).astype({"value": float})


def _check(estimates: list[Estimate], options: PowerOptions) -> Check:
    head = estimates[0]
    enough = None if options.effect is None else achieved_power(options) >= options.power
    if head.estimate is None:
        enough = False
    words = in_words(Result(method="power", estimand="", outcome="", estimates=(head,)), who=options.who)
    return Check(
        name="power",
        null="the study could see the difference that it looks for",
        statistic=head.estimate,
        threshold=options.effect,
        passed=enough,
        reading=words + _other_in_words(estimates, options),
        next_step="Plan for more people, or for learning about delivery rather than effect."
        if enough is False
        else "",
    )


def _other_in_words(estimates: list[Estimate], options: PowerOptions) -> str:
    """What could be seen the other way, where that is another size."""
    other = next((each for each in estimates if each.term in OTHER_TERM.values()), None)
    if other is None:
        return ""
    way = "an increase" if options.direction == "lower" else "a reduction"
    if other.estimate is None:
        return f" The largest possible {way.split()[1]} could not be seen."
    return f" Were it {way}: {_difference(other)}."


def _references(options: PowerOptions) -> tuple[str, ...]:
    used = {
        **dict.fromkeys(PROPORTIONS, ("fleiss2003",)),
        "hazard_ratio": ("schoenfeld1983",),
    }.get(options.measure, ())
    used += ("eldridge2006",) if options.icc else ()
    return used + (("burlig2020",) if options.periods_before else ())


def _groups(head: Estimate, who: str) -> str:
    if head.n_treated == head.n_control:
        return f"{head.n_treated:,} {who} in each group"
    return f"{head.n_treated:,} {who} in one group and {head.n_control:,} in the other"


def _difference(head: Estimate) -> str:
    if head.measure == "risk_difference":
        return f"a difference of about {head.estimate:.0f} points"
    if head.measure == "mean_difference":
        return f"a difference of about {head.estimate:.2g} {head.unit}"
    change = 100 * (head.estimate - 1)
    noun = NOUNS.get(head.measure, "a rate")
    return f"{noun} about {abs(change):.0f}% {'lower' if change < 0 else 'higher'}"


def _ceiling(value: float) -> int:
    return math.ceil(value - 1e-9)
