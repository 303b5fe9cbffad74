"""Build the comparison that a study asks for: one door to matching, weighting, subclasses and no adjustment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evalkit.design import diagnostics, matching
from evalkit.design.balance import balance_of, effective_n_table, overlap_table
from evalkit.design.builders import BUILDERS, Built, nearest
from evalkit.design.choices import WHERE, DesignOptions
from evalkit.design.eligible import Eligible, arms_of, eligible
from evalkit.errors import DesignError, StudyError
from evalkit.options import takes
from evalkit.results import Check, Design

AMONG_MATCHED = "att among the matched"


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
    Design. `detail` holds `balance` (see `balance_table`), where there is a score `overlap` (one row per bin of it:
    score_low, score_high, n_treated, n_control, and share_treated and share_control of each arm's weight) and
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
    >>> people = pd.DataFrame({"person_id": list("abcdef"), "treated": [1, 1, 0, 0, 0, 0],
    ...                        "age": [17, 21, 16, 18, 22, 23]})
    >>> design = build_design(people, method="nearest", covariates=["age"])
    >>> design.weights.tolist()
    [1.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    """
    found = eligible(people, arms_of(people, options), options)
    built = BUILDERS[options.method](found, options, np.arange(found.size))
    return _finish(people, found, built, options)


def tie_orders(
    people: pd.DataFrame, options: DesignOptions, *, n: int = 20, seed: int = 0
) -> Iterator[Design]:
    """The same nearest-neighbour design with ties broken in `n` random orders, to show what the tie rule decides.

    Parameters
    ----------
    people : one row per person and index date, as in `build_design`.
    options : `DesignOptions` of method `nearest`.
    n : how many orders.
    seed : of the random orders.

    Yields
    ------
    One Design per order. Only which of several people with equal scores is taken differs; where there are no ties
    every design is the same.

    Raises
    ------
    StudyError : another method, since only `nearest` breaks ties.
    DataError, DesignError : as in `build_design`.

    Assumes
    -------
    What `build_design` does. A spread of estimates over the orders is not sampling error: it is what an arbitrary rule
    leaves open.

    Notes
    -----
    Orders are permutations drawn from one generator, so the first ten of twenty are the ten of `n=10`.
    """
    if options.method != "nearest":
        raise StudyError("only method `nearest` breaks ties", where=WHERE, found=options.method)
    found = eligible(people, arms_of(people, options), options)
    draws = np.random.default_rng(seed)
    for _ in range(n):
        yield _finish(people, found, nearest(found, options, draws.permutation(found.size)), options)


def _finish(people: pd.DataFrame, found: Eligible, built: Built, options: DesignOptions) -> Design:
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


def _estimand(found: Eligible, built: Built, options: DesignOptions) -> str:
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


def _discarded(people: pd.DataFrame, found: Eligible, built: Built) -> pd.DataFrame:
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


def _balance(found: Eligible, built: Built, options: DesignOptions) -> pd.DataFrame | None:
    columns = [*found.columns, *found.beside]
    if not columns:
        return None
    whole = np.logical_and.reduce([~np.isnan(column.values) for column in columns])
    if whole.all():
        return balance_of(columns, found.treated, built.weights, estimand=options.estimand)
    columns = [column.at(whole) for column in columns]  # method none keeps people with blanks
    return balance_of(columns, found.treated[whole], built.weights[whole], estimand=options.estimand)


def _detail(found: Eligible, built: Built, balance: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    detail = {} if balance is None else {"balance": balance}
    if found.logit is not None:
        detail["overlap"] = overlap_table(found.logit, found.treated, built.weights)
    return {**detail, "effective_n": effective_n_table(found.treated, built.weights)}


def _checks(
    found: Eligible, built: Built, balance: pd.DataFrame | None, options: DesignOptions
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
