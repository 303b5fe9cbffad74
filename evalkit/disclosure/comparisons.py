"""Which estimates compare two counts, and how such a comparison is printed at one step of coarseness."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.disclosure.estimates import adjusted, sizes, withheld
from evalkit.disclosure.pairs import PAIR_MEASURES, RATIOS, WALD, Numbers, Pair, Step, coarsen, compare
from evalkit.disclosure.policy import Policy
from evalkit.results import Estimate, Result

MOST_PAIRS = 4_000_000
FIELDS = ("estimate", "std_error", "p_value", "conf_low", "conf_high")
ARMS = ("treated", "control")
# Fitted only where the counts allow it: that they are there would say something of a small one.
SOMETIMES = frozenset({"quasi_poisson", "negative_binomial"})
NOWHERE = frozenset({"best_case", "worst_case", "lee_lower", "lee_upper", "cace"})


@dataclass(frozen=True, kw_only=True)
class Printing:
    """How one pair of counts is printed.

    `step` (None: no estimate), `times`: how often the rounding its counts are rounded to (0: withheld); `lead`: the
    measure that was attacked; `middle`: one pair that stands for all that print alike.
    """

    step: Step | None
    times: int
    lead: str | None
    middle: Pair


def pairs_of(result: Result) -> dict[str | None, Pair]:
    """The counts behind each comparison of a result, by group (None: everybody).

    From its frame `arms`; for a group, and for a mean of noughts and ones, from the numbers that were computed:
    what can be worked out from the exact numbers is what has to be protected.
    """
    found: dict[str | None, Pair] = {}
    for group, rows in _arms(result):
        pair = _pair(rows, events=any(each.measure == "rate_ratio" for each in result.estimates))
        if pair is not None:
            found[group] = pair
    for each in result.estimates:
        if each.group is not None and each.group not in found and measure_of(each) is not None:
            pair = recovered(each)
            if pair is not None:
                found[each.group] = pair
    return found


def measure_of(estimate: Estimate) -> str | None:
    """How the lattice knows this comparison of two counts; None where it is another kind of estimate."""
    if estimate.term in NOWHERE:
        return None
    if estimate.measure == "risk_difference" and estimate.interval == "newcombe":
        return estimate.measure
    if estimate.unit is not None and "percentage point" in estimate.unit:
        return WALD
    if estimate.measure == "mean_difference":
        likely = estimate.term == "treated_vs_control" and abs(estimate.estimate or 0.0) <= 1
        return estimate.measure if likely else None
    if estimate.measure == "hazard_ratio" and estimate.term != "hazard_ratio":
        return None
    return estimate.measure if estimate.measure in PAIR_MEASURES else None


def recovered(estimate: Estimate) -> Pair | None:
    """The one pair of counts that gives exactly this estimate and error; None where there is none, or several."""
    n1, n0, measure = estimate.n_treated, estimate.n_control, measure_of(estimate)
    if not n1 or not n0 or n1 * n0 > MOST_PAIRS or estimate.std_error is None or estimate.estimate is None:
        return None
    x1, x0 = (each.ravel() for each in np.meshgrid(np.arange(n1 + 1), np.arange(n0 + 1), indexing="ij"))
    seen = compare(measure, x1, n1, x0, n0, estimate.level)
    same = np.isclose(seen.estimate, estimate.estimate, rtol=1e-9, atol=1e-9)
    same &= np.isclose(seen.std_error, estimate.std_error, rtol=1e-9, atol=1e-9)
    places = np.flatnonzero(same)
    if not len(places):
        return None
    # x and n - x of both arms may give the same numbers: whichever it is, its small cells are as small.
    first = places[0]
    return Pair(x_treated=int(x1[first]), n_treated=n1, x_control=int(x0[first]), n_control=n0)


def as_printed(estimate: Estimate, pair: Pair, how: Printing, policy: Policy) -> Estimate:
    """A comparison as printed: the attacked measure from its own numbers; another measure of the same counts from
    the pair that stands for all that print alike, so that it says nothing more; and an estimate that is no
    function of the counts from its own numbers, unless one of the counts is small."""
    measure = measure_of(estimate)
    if how.step is None or measure is None or estimate.estimate is None:
        return withheld(estimate, policy)
    raw = _numbers(estimate)
    exact, plain = _function_of(estimate, measure, pair)
    if not plain and pair.small(policy):
        return withheld(estimate, policy)
    if exact and measure != how.lead:
        raw = _moved(raw, estimate, measure, how.middle, plain=plain)
    return _printed(estimate, coarsen(raw, measure, how.step), measure, how.step, policy)


def at_step(estimate: Estimate, step: Step, policy: Policy) -> Estimate:
    """A comparison whose counts are not known to the gate, at one step."""
    measure = measure_of(estimate)
    if measure is None or estimate.estimate is None:
        return withheld(estimate, policy)
    return _printed(estimate, coarsen(_numbers(estimate), measure, step), measure, step, policy)


def _printed(estimate: Estimate, seen: Numbers, measure: str, step: Step, policy: Policy) -> Estimate:
    known = {name: _or_none(getattr(seen, name)) for name in FIELDS}
    value, error = known["estimate"], known["std_error"]
    statistic = None
    exists = value is not None and (measure not in RATIOS or value > 0)
    if step.errors and estimate.statistic is not None and error and exists:
        statistic = round((math.log(value) if measure in RATIOS else value) / error, 1) + 0.0
    p_adjusted = adjusted(estimate, known["p_value"])
    return replace(estimate, **known, statistic=statistic, p_adjusted=p_adjusted, **sizes(estimate, policy))


def _function_of(estimate: Estimate, measure: str, pair: Pair) -> tuple[bool, bool]:
    """Whether the estimate, and whether its error too, are what the counts alone give."""
    seen = _of_pair(measure, pair, estimate.level)
    value = estimate.estimate or 0.0
    exact = math.isclose(abs(float(seen.estimate)), abs(value), rel_tol=1e-9, abs_tol=1e-9)
    same = math.isclose(float(seen.std_error), estimate.std_error or -1.0, rel_tol=1e-9, abs_tol=1e-9)
    return exact, exact and same


def _moved(raw: Numbers, estimate: Estimate, measure: str, middle: Pair, *, plain: bool) -> Numbers:
    """The numbers of the middle pair; where the error is the estimate's own, its interval about the middle."""
    seen = _of_pair(measure, middle, estimate.level)
    if plain:
        return seen
    if measure in RATIOS:
        factor = seen.estimate / raw.estimate
        return replace(
            raw, estimate=seen.estimate, conf_low=raw.conf_low * factor, conf_high=raw.conf_high * factor
        )
    shift = math.copysign(1.0, float(raw.estimate)) * abs(seen.estimate) - raw.estimate
    return replace(
        raw, estimate=raw.estimate + shift, conf_low=raw.conf_low + shift, conf_high=raw.conf_high + shift
    )


def _of_pair(measure: str, pair: Pair, level: float) -> Numbers:
    x1, x0 = np.array(pair.x_treated, dtype=float), np.array(pair.x_control, dtype=float)
    return compare(measure, x1, pair.n_treated, x0, pair.n_control, level)


def _numbers(estimate: Estimate) -> Numbers:
    values = {name: getattr(estimate, name) for name in FIELDS}
    return Numbers(
        **{name: np.array(np.nan if each is None else each, float) for name, each in values.items()}
    )


def _or_none(value: np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None


def _arms(result: Result) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """The rows of the frame `arms`, by group."""
    arms = result.detail.get("arms")
    if arms is None or not {"arm", "n", "events"} <= set(arms.columns):
        return
    grouped = next((name for name in ("group", "subgroup") if name in arms.columns), None)
    if grouped is None:
        yield None, arms
        return
    names = [_group(each) for each in arms[grouped]]
    for group in dict.fromkeys(names):
        yield group, arms[[each == group for each in names]]


def _pair(rows: pd.DataFrame, *, events: bool) -> Pair | None:
    counts: dict[str, int] = {}
    for arm in ARMS:
        found = rows[rows["arm"].astype(str) == arm]
        if len(found) != 1:
            return None
        n, x = (pd.to_numeric(found[name].iloc[0], errors="coerce") for name in ("n", "events"))
        if pd.isna(x) and "value" in found.columns:
            x = _share_of(found["value"].iloc[0], n)
        if pd.isna(n) or pd.isna(x) or n <= 0 or x < 0 or x != int(x) or (x > n and not events):
            return None
        counts |= {f"x_{arm}": int(x), f"n_{arm}": int(n)}
    # Where no arm has more events than people, everybody may have had one: a remainder could be nobody.
    return Pair(**counts, events=events and any(counts[f"x_{arm}"] > counts[f"n_{arm}"] for arm in ARMS))


def _share_of(value: object, n: float) -> float:
    """How many of n a share between 0 and 1 is, where it is a whole number of people."""
    share = pd.to_numeric(value, errors="coerce")
    if pd.isna(share) or not 0 <= share <= 1 or abs(share * n - round(share * n)) > 1e-6:
        return float("nan")
    return float(round(share * n))


def _group(value: object) -> str | None:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return None if str(value) in ("", "all") else str(value)
