"""What to ask of a synthetic control before its gap is called an effect."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.impact.flaws import start_inside_period
from evalkit.impact.synthetic.fit import Mixture, mix
from evalkit.impact.synthetic.options import SyntheticControlOptions
from evalkit.impact.synthetic.panel import Places
from evalkit.impact.synthetic.weights import simplex
from evalkit.results import Check

CLOSE, FEWEST_BEFORE, FEWEST_DONORS, WANTED_DONORS = 0.25, 8, 5, 10
SMALLEST_P, HEAVY, HELD_OUT = 0.05, 0.5, 1 / 3
SAME_WEIGHT = 1e-6


def places_checks(places: Places, own: Mixture) -> list[Check]:
    """The checks that need nothing but the mixture itself."""
    found = [
        _few_before(places),
        _donors(places),
        *_few(places),
        start_inside_period(places.calendar.labels[places.before], inside=places.inside),
        _heaviest(places, own),
    ]
    if (own.weights < 0).any():
        found.append(_extrapolation(own))
    if places.names:
        found.append(_idle(places, own))
    return found


def pre_fit(places: Places, own: Mixture, others: list[Mixture]) -> Check:
    """How closely the mixture follows the unit before the start, against how much units differ from each other."""
    spread = float(places.outcome[:, : own.before].std(axis=0, ddof=1).mean())
    share = own.rmspe[0] / spread if spread > 0 else np.inf
    typical = float(np.median([each.rmspe[0] for each in others])) if others else np.nan
    close = bool(share <= CLOSE or own.rmspe[0] <= typical)
    exact = own.rmspe[0] <= 1e-6 * max(spread, 1e-300)
    return Check(
        name="pre_fit",
        null="before the start the mixture follows the place closely",
        statistic=share,
        threshold=CLOSE,
        passed=close,
        reading=f"Before the start the mixture misses by {own.rmspe[0]:.3g} on average, {share:.2f} of the "
        f"difference usual between places"
        + (f" (median miss of the others: {typical:.3g})." if others else ".")
        + (" The fit is perfect, so that other weights fit as well." if exact else ""),
        next_step=""
        if close
        else "Do not read the gap as an effect; look for closer places, or use `augmented: true`",
    )


def _few_before(places: Places) -> Check:
    enough = places.before >= FEWEST_BEFORE
    return Check(
        name="few_points_before",
        null="there are enough periods before the start to choose the mixture by",
        statistic=places.before,
        threshold=FEWEST_BEFORE,
        passed=enough,
        reading=f"{places.before} periods before the start, {len(places.donors)} comparison units.",
        next_step="" if enough else "A close fit over few periods may be luck; ask for a longer series",
    )


def _donors(places: Places) -> Check:
    number = len(places.donors)
    enough = number >= FEWEST_DONORS
    return Check(
        name="comparison_units",
        null="there are several places to mix",
        statistic=number,
        threshold=FEWEST_DONORS,
        passed=enough,
        reading=f"{number} comparison units."
        + (
            ""
            if enough
            else " With fewer than five the rank among them says next to nothing, and no p is given."
        ),
        next_step="" if number >= WANTED_DONORS else "Add comparison places that did not have the programme",
    )


def _few(places: Places) -> list[Check]:
    """One comparison place cannot be mixed, nor say how much places vary: the gap stays, nothing else."""
    if len(places.donors) > 1:
        return []
    return [
        Check(
            name="few_clusters",
            null="there are enough places to see how much places vary",
            statistic=len(places.units),
            threshold=FEWEST_DONORS + 1,
            passed=False,
            reading="One place stands beside one other: the gap is the plain difference between the two, and nothing "
            "says how large such a gap usually is.",
            next_step="Use `did`, which allows for their difference before the start, and find more places",
        )
    ]


def _heaviest(places: Places, own: Mixture) -> Check:
    at = int(np.argmax(own.weights))
    largest = float(own.weights[at])
    used = int((np.abs(own.weights) > 1e-3).sum())
    return Check(
        name="synthetic_weights",
        null="no single unit carries the comparison",
        statistic=largest,
        threshold=HEAVY,
        passed=largest <= HEAVY,
        reading=f"{used} of {len(own.donors)} units carry weight; the heaviest carries {largest:.0%}.",
        next_step=""
        if largest <= HEAVY
        else "Read the result as a comparison with that unit, and see `leave_one_out`",
    )


def _extrapolation(own: Mixture) -> Check:
    negative = float(-own.weights[own.weights < 0].sum())
    return Check(
        name="extrapolation",
        null="the mixture lies among the comparison units",
        statistic=negative,
        reading=f"The ridge correction gives negative weights that sum to {negative:.2f}: the comparison goes beyond "
        "what any mixture of the places has shown.",
        next_step="Compare with `augmented: false`",
    )


def _idle(places: Places, own: Mixture) -> Check:
    """Whether the predictors changed which places are mixed: those that follow the outcome best may suit them too."""
    table = places.outcome[:, : own.before]
    moved = float(np.abs(own.weights - simplex(table[own.donors].T, table[own.unit])).max())
    idle = moved < SAME_WEIGHT
    return Check(
        name="predictors_idle",
        null="the predictors have a say in which places are mixed",
        statistic=moved,
        threshold=SAME_WEIGHT,
        reading="The mixture is the one that the outcome before the start alone would choose: the predictors change "
        "nothing, and need not be alike."
        if idle
        else f"Without predictors the weight of a place would differ by up to {moved:.2f}.",
        next_step="Compare actual and synthetic in the frame `predictors`; leave them out, or say that they do not "
        "count"
        if idle
        else "",
    )


def randomisation_floor(rank: int, total: int) -> Check:
    """Where the treated unit stands among all, and the smallest p that so many units can give."""
    floor = 1 / total
    return Check(
        name="randomisation_floor",
        null="the programme changed nothing in any place",
        statistic=floor,
        threshold=SMALLEST_P,
        passed=None if floor <= SMALLEST_P else False,
        reading=f"Rank {rank} of {total} by the ratio of misses after to before, p = {rank / total:.3f}; the "
        f"smallest that so many places can give is {floor:.3f}.",
        next_step=""
        if floor <= SMALLEST_P
        else "More comparison units are needed before p could fall below 0.05",
    )


def leave_one_out_check(frame: pd.DataFrame, effect: float) -> Check:
    low, high = float(frame["estimate"].min()), float(frame["estimate"].max())
    steady = bool((np.sign(frame["estimate"]) == np.sign(effect)).all())
    moved = float(np.abs(frame["estimate"] - effect).max())
    return Check(
        name="leave_one_out",
        null="the answer does not hang on one comparison unit",
        statistic=moved,
        passed=None if steady else False,
        reading=f"Without each weighted unit in turn the estimate runs from {low:.3g} to {high:.3g} "
        f"(with all: {effect:.3g}).",
        next_step="" if steady else "The direction of the answer hangs on one unit: do not state it",
    )  # fmt: skip


def placebo_start(places: Places, own: Mixture, options: SyntheticControlOptions) -> Check | None:
    """A start set back over the last third of the periods before: the mixture should go on following the place."""
    early = places.before - max(1, round(places.before * HELD_OUT))
    if early < 4 or places.names or len(own.donors) < 2:
        return None
    earlier = mix(places, own.unit, own.donors, options, early)
    held = earlier.gap[early : places.before]
    usual = [mix(places, k, np.delete(own.donors, at), options, early).gap[early : places.before]
             for at, k in enumerate(own.donors)]  # fmt: skip
    sizes = np.array([abs(each.mean()) for each in usual])
    share = (1 + int((sizes >= abs(held.mean())).sum())) / (1 + len(sizes))
    return Check(
        name="placebo_start",
        null="a false start before the real one shows no gap",
        statistic=share,
        threshold=SMALLEST_P * 2,
        passed=None if 1 / (1 + len(sizes)) > SMALLEST_P * 2 else bool(share > SMALLEST_P * 2),
        reading=f"With the start set back by {places.before - early} periods the mean gap before the real start is "
        f"{held.mean():.3g}; {share:.0%} of places show one as large.",
        next_step="" if share > SMALLEST_P * 2 else "The place was already drifting from its mixture",
    )
