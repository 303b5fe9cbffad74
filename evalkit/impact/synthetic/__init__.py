"""Synthetic control: one place beside a weighted mixture of others that followed the same course before."""

from __future__ import annotations

import pandas as pd

from evalkit.impact.synthetic.checks import (
    FEWEST_DONORS,
    leave_one_out_check,
    placebo_start,
    places_checks,
    pre_fit,
    randomisation_floor,
)
from evalkit.impact.synthetic.fit import frames, leave_one_out, mix, placebo_frame, placebos
from evalkit.impact.synthetic.options import SyntheticControlOptions
from evalkit.impact.synthetic.panel import read_places
from evalkit.options import takes
from evalkit.results import Estimate, Result

__all__ = ["SyntheticControlOptions", "synthetic_control"]


@takes(SyntheticControlOptions)
def synthetic_control(frame: pd.DataFrame, options: SyntheticControlOptions) -> Result:
    """Mean gap, from the start on, between one treated place and the mixture of others that followed it before.

    Parameters
    ----------
    frame
        One row per unit and period, none missing. The numbers should be comparable between places: rates, or
        the same quantity of places of like size.
    outcome
        Column of the outcome, any number.
    unit, period
        Columns of the place and of the period (whole numbers or dates of one step).
    treated_unit
        The name of the treated place in `unit`. Places that had the programme at any time must be left out.
    starts
        The first period with the programme.
    predictors
        Columns to match on, each by its mean over the periods before the start (blanks left out), or over some
        of them: `beer@1984..1988`, `cigarettes@1975`. Their weights are chosen so that the mixture best follows
        the outcome before the start. Without predictors the outcome of every earlier period is matched.
    inference
        `placebo`: each place takes the treated one's part in turn.
    augmented, ridge
        True adds the ridge correction of Ben-Michael, Feller and Rothstein; `ridge` is its penalty (default: by
        leaving out each earlier period in turn).
    diagnostics
        False leaves out placebos, donors left out and the false start, and with them the p-value.
    level
        Recorded with the estimate, which has a p-value but no interval.

    Returns
    -------
    Result
        Term `att`: mean gap, in the outcome's unit, with the placebo p-value and no standard error. Detail frames:
        `weights` (unit, weight), `path` (period, actual, synthetic, gap, post), `placebo` (unit, rmspe_before,
        rmspe_after, rmspe_ratio, estimate, rank), `leave_one_out` (left_out, estimate, rmspe_before), and
        `predictors` (predictor, weight, actual, synthetic, donor_mean).

    Raises
    ------
    StudyError, DataError, EstimationError
        An option that is not supported; a unit without a period, a blank outcome; no comparison unit.

    Assumes
    -------
    The comparison places were not touched by the programme, nothing else happened in the treated place alone, and
    a mixture that follows it before would have followed it after (Checks `pre_fit`, `placebo_start`,
    `leave_one_out`). With fewer than five comparison units no p-value is given (Check `comparison_units`);
    with one the gap is that to this unit (Check `few_clusters`).

    Notes
    -----
    Weights minimise the distance to the treated place before the start, none negative, summing to one. p is the rank
    of the treated place's ratio of root mean squared gaps, after over before, among all places: at least 1/(J + 1).
    In a placebo the treated place is among the donors, so that under no effect every place is alike. Predictor
    weights minimise the mean squared gap before the start; with few of them the choice of units is not unique.
    Where some predictor weights choose the units that the outcome alone would, those are taken (Check
    `predictors_idle`); otherwise they are searched for, without a proof that none are better.

    References
    ----------
    Abadie and Gardeazabal (2003); Abadie, Diamond and Hainmueller (2010); Ben-Michael, Feller and Rothstein (2021).

    Examples
    --------
    >>> rows = [(u, t, a + b * t - 3 * (u == "A" and t >= 8)) for u, a, b in
    ...         [("A", 5, 1.0), ("B", 0, 0.5), ("C", 10, 1.5), ("D", 9, 0.2)] for t in range(12)]
    >>> places = pd.DataFrame(rows, columns=["ward", "year", "thefts"])
    >>> found = synthetic_control(places, outcome="thefts", unit="ward", period="year", treated_unit="A", starts=8)
    >>> round(found.headline.estimate, 6)
    -3.0
    """
    places = read_places(frame, options)
    own = mix(places, places.treated, places.donors, options)
    detail, checks, p = frames(places, own), places_checks(places, own), None
    if options.diagnostics:
        found, ranks = placebos(places, own, options)
        total, rank = len(found), int(ranks[own.unit])
        detail["placebo"] = placebo_frame(places, found, ranks)
        checks += [
            pre_fit(places, own, [each for each in found if each.unit != own.unit]),
            randomisation_floor(rank, total),
        ]
        if len(own.donors) > 1:
            detail["leave_one_out"] = leave_one_out(places, own, options)
            checks.append(leave_one_out_check(detail["leave_one_out"], own.effect))
        back = placebo_start(places, own, options)
        checks += [back] if back is not None else []
        p = rank / total if total > FEWEST_DONORS else None
    else:
        checks.append(pre_fit(places, own, []))
    head = Estimate(
        term="att", measure="mean_difference", estimate=own.effect, p_value=p, level=options.level,
        n_treated=1, n_control=len(own.donors), n_clusters=len(places.units),
        unit=options.outcome.replace("_", " "),
    )  # fmt: skip
    references = ("abadie2003", "abadie2010", *(("benmichael2021",) if options.augmented else ()))
    return Result(
        method="synthetic_control", estimand="att", outcome=options.outcome, estimates=(head,),
        checks=tuple(checks), detail=detail, references=references,
    )  # fmt: skip
