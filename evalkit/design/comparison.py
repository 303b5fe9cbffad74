"""Build the comparison that a study asks for: one door to matching, weighting, subclasses and no adjustment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.design import diagnostics, matching, weighting
from evalkit.design.balance import balance_of, effective_n_table, overlap_table
from evalkit.design.choices import WHERE, DesignOptions
from evalkit.design.eligible import Eligible, arms_of, eligible
from evalkit.errors import DesignError, StudyError
from evalkit.options import takes
from evalkit.results import Check, Design

CLOSE = 0.2  # standard deviations of the logit: Austin 2011
AMONG_MATCHED = "att among the matched"
AMONG_KEPT = "{} among those with scores inside {:g} and {:g}"


@takes(DesignOptions)
def build_design(people: pd.DataFrame, options: DesignOptions) -> Design:
    """Who is compared with whom, decided from covariates alone: matched sets, weights, balance, and what was lost.

    Parameters
    ----------
    people : one row per person and index date; its index must not repeat. No outcome is looked at.
    method : `nearest` (1:k matching on the logit of a logistic score), `exact`, `subclass` (quantiles of the treated
        people's score), `radius` (every control within the caliper shares the weight, as the Justice Data Lab does),
        `inverse_probability`, `entropy`, `overlap`, `none`.
    covariates : columns of `people`: numbers, flags (0/1) or categories (dummies; first level in sorted order is the
        reference). Rows with a blank in one are left out and counted.
    exact : columns that must agree within a matched set.
    estimand : `att`, `ate`, `ato`; with `none` also `itt`, `descriptive`.
    caliper : largest distance, in standard deviations (divisor n−1) of the logit over all units. A plain number.
    ratio, replace, order : controls per treated person; whether a control may serve twice; who chooses first
        (`largest` score, `smallest`, `data`, `random` by `seed`).
    subclasses, stabilised, trim, moments : number of subclasses; unnormalised stabilised weights; leave out scores
        outside [trim, 1−trim]; 2 balances squares too.
    treated, person_id, seed : the 0/1 column, the identifier, the seed of `order: random`.

    Returns
    -------
    Design. `detail` holds `balance` (see `balance_table`), `overlap` (see `overlap_table`; where there is a score) and
    `effective_n` (arm, n_before, n_used, effective_n). `pairs` (nearest only) has treated, control, round, distance.
    `discarded` lists everybody with weight 0 and why. If treated people found nobody, `estimand` reads
    `att among the matched`.

    Raises
    ------
    DataError : a column is missing, `treated` is not 0/1, a person is in both arms, the index repeats.
    DesignError : one arm is empty, a covariate is constant, the arms are separated, too few controls.
    StudyError : an option does not go with the method.

    Assumes
    -------
    Given the covariates, who was treated says nothing more about the outcome (no Check can show this); every treated
    person has controls like them (Checks `overlap`, `balance`, `extreme_weights`, `effective_sample_size`, `ties`).

    Notes
    -----
    A value of a flag or category held by controls only has a likelihood maximum at minus infinity for `att`: those
    controls get weight 0 before the score is fitted, which is the limit of the fit with them in.

    References
    ----------
    ho_imai_king_stuart2011, rosenbaum_rubin1983, stuart2010, hainmueller2012, li_morgan_zaslavsky2018, crump2009.

    Examples
    --------
    >>> design = build_design(people, method="nearest", covariates=["age", "prior_offences"], caliper=0.2)
    """
    found = eligible(people, arms_of(people, options), options)
    built = _BUILDERS[options.method](found, options, np.arange(found.size))
    return _finish(people, found, built, options)


def tie_orders(
    people: pd.DataFrame, options: DesignOptions, *, n: int = 20, seed: int = 0
) -> Iterator[Design]:
    """The same nearest-neighbour design with ties broken in `n` random orders, to show what the tie rule decides.

    Yields
    ------
    One Design per order. Only which of several people with equal scores is taken differs; where there are no ties
    every design is the same.
    """
    if options.method != "nearest":
        raise StudyError("only method `nearest` breaks ties", where=WHERE, found=options.method)
    found = eligible(people, arms_of(people, options), options)
    draws = np.random.default_rng(seed)
    for _ in range(n):
        yield _finish(people, found, _nearest(found, options, draws.permutation(found.size)), options)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Built:
    """What a method decided for the eligible people, by position among them.

    `why` says, for those of weight 0, why a treated person and why a control was left out; `without` marks treated
    people who have nobody like them.
    """

    weights: np.ndarray
    why: tuple[str, str] = ("", "")
    subclass: np.ndarray | None = None
    matches: matching.Matches | None = None
    without: np.ndarray | None = None
    estimand: str | None = None


def _nearest(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    n_treated, n_control = int(found.treated.sum()), int((~found.treated).sum())
    if not options.replace and n_treated > n_control:
        raise DesignError(
            "there are more treated people than controls, so matching without replacement must leave some out",
            where=WHERE,
            found=f"{n_treated} treated, {n_control} controls",
            do="Use `replace: true`, `method: entropy` or `method: overlap`, or find more controls",
        )
    width = found.width(options.caliper)
    matches = matching.nearest(
        found.logit,
        matching.processing_order(found.logit, found.treated, options.order, rank, options.seed),
        np.flatnonzero(~found.treated),
        rank=rank,
        strata=found.strata,
        width=width,
        ratio=options.ratio,
        replace=options.replace,
    )
    weights = matching.pair_weights(matches, found.size)
    far = np.zeros(found.size, dtype=bool)
    far[matches.treated[matches.distance > (width or found.width(CLOSE))]] = True
    return _Built(
        weights=weights,
        why=(_why_unmatched(options), "not chosen as a match"),
        subclass=None if options.replace else _set_numbers(matches, found.size),
        matches=matches,
        without=far | _high_score(found) | (found.treated & (weights == 0)),
    )


def _radius(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    weights = matching.radius_weights(
        found.logit, found.treated, width=found.width(options.caliper), strata=found.strata
    )
    return _Built(
        weights=weighting.normalised(weights, found.treated),
        why=(_why_unmatched(options), "no treated person within the caliper"),
        without=_high_score(found) | (found.treated & (weights == 0)),
    )


def _exact(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    return _stratified(found, found.strata, options, "with the same values")


def _subclass(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    strata = matching.subclass_of_score(found.probability, found.treated, options.subclasses)
    return _stratified(found, strata, options, "in the subclass")


def _stratified(found: Eligible, strata: np.ndarray, options: DesignOptions, which: str) -> _Built:
    weights = matching.stratum_weights(strata, found.treated, options.estimand)
    used = weights > 0
    number = np.where(used, strata, -1)
    number[used] = np.unique(strata[used], return_inverse=True)[1] + 1
    return _Built(
        weights=weights,
        why=(f"no control {which}", f"no treated person {which}"),
        subclass=number,
        without=found.treated & ~used,
        estimand=None if options.estimand == "att" or used.all() else f"{options.estimand} among the matched",
    )


def _inverse_probability(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    kept = np.ones(found.size, dtype=bool)
    if options.trim is not None:
        kept = (found.probability >= options.trim) & (found.probability <= 1 - options.trim)
        if not found.treated[kept].any() or found.treated[kept].all():
            raise DesignError("trimming leaves an arm empty", where=WHERE, do="Choose a smaller `trim`")
    weights = np.zeros(found.size)
    weights[kept] = weighting.inverse_probability(
        found.logit[kept], found.treated[kept], estimand=options.estimand, stabilised=options.stabilised
    )
    why = "" if kept.all() else f"score outside {options.trim:g} to {1 - options.trim:g}"
    trimmed = None if kept.all() else AMONG_KEPT.format(options.estimand, options.trim, 1 - options.trim)
    return _Built(weights=weights, why=(why, why), without=_high_score(found), estimand=trimmed)


def _overlap(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    return _Built(
        weights=weighting.overlap_weights(found.probability, found.treated), without=_high_score(found)
    )


def _entropy(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    weights = weighting.entropy_balance(
        found.columns, found.treated, estimand=options.estimand, moments=options.moments, where=WHERE
    )
    return _Built(weights=weights, without=_high_score(found))


def _none(found: Eligible, options: DesignOptions, rank: np.ndarray) -> _Built:
    return _Built(weights=np.ones(found.size))


_BUILDERS = {
    "nearest": _nearest,
    "exact": _exact,
    "subclass": _subclass,
    "radius": _radius,
    "inverse_probability": _inverse_probability,
    "entropy": _entropy,
    "overlap": _overlap,
    "none": _none,
}


def _why_unmatched(options: DesignOptions) -> str:
    limits = [f"caliper of {options.caliper:g} standard deviations"] if options.caliper else []
    limits += [f"same {', '.join(options.exact)}"] if options.exact else []
    return "no free control left" + (f" ({'; '.join(limits)})" if limits else "")


def _high_score(found: Eligible) -> np.ndarray:
    beyond = found.logit > found.logit[~found.treated].max() + found.width(CLOSE)
    return found.treated & ((found.probability > diagnostics.HIGH_SCORE) | beyond)


def _set_numbers(matches: matching.Matches, n: int) -> np.ndarray:
    number = np.full(n, -1)
    number[matches.treated] = np.unique(matches.treated, return_inverse=True)[1] + 1
    number[matches.control] = number[matches.treated]
    return number


def _finish(people: pd.DataFrame, found: Eligible, built: _Built, options: DesignOptions) -> Design:
    if not (built.weights[found.treated] > 0).any() or not (built.weights[~found.treated] > 0).any():
        raise DesignError(
            "no treated person has a control like them, so nothing can be compared",
            where=WHERE,
            do="Widen the caliper, match exactly on fewer columns, or find other controls",
        )
    weights = np.zeros(len(people))
    weights[found.rows] = built.weights
    balance = _balance(found, built, options)
    return Design(
        method=options.method,
        estimand=_estimand(found, built, options),
        weights=pd.Series(weights, index=people.index, name="weight"),
        subclass=_on_index(built.subclass, found, people),
        pairs=_pairs(people, found, built.matches),
        discarded=_discarded(people, found, built),
        covariates=tuple(dict.fromkeys((*options.covariates, *options.exact))),
        distance=_distance(people, found, options),
        checks=_checks(found, built, balance, options),
        detail=_detail(found, built, balance),
    )


def _estimand(found: Eligible, built: _Built, options: DesignOptions) -> str:
    if built.estimand:
        return built.estimand
    unmatched = options.estimand == "att" and (built.weights[found.treated] == 0).any()
    return AMONG_MATCHED if unmatched else options.estimand


def _on_index(values: np.ndarray | None, found: Eligible, people: pd.DataFrame) -> pd.Series | None:
    if values is None:
        return None
    whole = np.full(len(people), -1)
    whole[found.rows] = values
    numbers = pd.array(whole, dtype="Int64")
    numbers[whole < 0] = pd.NA
    return pd.Series(numbers, index=people.index, name="subclass")


def _distance(people: pd.DataFrame, found: Eligible, options: DesignOptions) -> pd.Series | None:
    if found.logit is None or options.method == "entropy":  # there the score only serves the overlap check
        return None
    whole = np.full(len(people), np.nan)
    whole[found.rows] = found.logit
    return pd.Series(whole, index=people.index, name="distance")


def _pairs(people: pd.DataFrame, found: Eligible, matches: matching.Matches | None) -> pd.DataFrame | None:
    if matches is None:
        return None
    return pd.DataFrame(
        {
            "treated": people.index[found.rows[matches.treated]],
            "control": people.index[found.rows[matches.control]],
            "round": matches.round,
            "distance": matches.distance,
        }
    )


def _discarded(people: pd.DataFrame, found: Eligible, built: _Built) -> pd.DataFrame:
    out = built.weights == 0
    parts = [
        *found.lost,
        (found.rows[out & found.treated], built.why[0]),
        (found.rows[out & ~found.treated], built.why[1]),
    ]
    reasons = list(dict.fromkeys(reason for rows, reason in parts if len(rows)))
    parts = [(rows, reason) for rows, reason in parts if len(rows)]
    rows = np.concatenate([rows for rows, _ in parts]) if parts else np.empty(0, dtype=np.int64)
    codes = np.repeat([reasons.index(reason) for _, reason in parts], [len(rows) for rows, _ in parts])
    place = np.argsort(rows, kind="stable")
    reason = pd.Categorical.from_codes(codes.astype(np.int64)[place], categories=reasons)
    return pd.DataFrame({"person": people.index[rows[place]], "reason": reason})


def _balance(found: Eligible, built: _Built, options: DesignOptions) -> pd.DataFrame | None:
    columns = [*found.columns, *found.beside]
    if not columns:
        return None
    whole = np.logical_and.reduce([~np.isnan(column.values) for column in columns])
    if whole.all():
        return balance_of(columns, found.treated, built.weights, estimand=options.estimand)
    columns = [column.at(whole) for column in columns]  # method none keeps people with blanks
    return balance_of(columns, found.treated[whole], built.weights[whole], estimand=options.estimand)


def _detail(found: Eligible, built: _Built, balance: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    detail = {} if balance is None else {"balance": balance}
    if found.logit is not None:
        detail["overlap"] = overlap_table(found.logit, found.treated, built.weights)
    return {**detail, "effective_n": effective_n_table(found.treated, built.weights)}


def _checks(
    found: Eligible, built: _Built, balance: pd.DataFrame | None, options: DesignOptions
) -> tuple[Check, ...]:
    checks = []
    if built.without is not None:
        checks.append(diagnostics.overlap_check(built.without, found.treated))
    if balance is not None:
        checks.append(diagnostics.balance_check(balance, options.estimand))
    checks += diagnostics.weight_checks(built.weights, found.treated)
    if built.matches is not None:
        checks.append(diagnostics.ties_check(built.matches.ties))
    if found.aliased:
        checks.append(diagnostics.aliased_check(found.aliased))
    return tuple(checks)
