"""Time to an event in two arms: survival curves, hazard ratios, restricted means and competing risks."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError
from evalkit.impact import kaplan_meier as km
from evalkit.impact.adjusted import covariate_matrix
from evalkit.impact.cox import CoxFit, cox, proportional_hazards_test, robust_covariance
from evalkit.impact.measures import FEWEST_CLUSTERS, FEWEST_IN_ARM, Spread, estimate_from
from evalkit.impact.rates_checks import clusters as cluster_check
from evalkit.impact.sample import Sample, attrition, read_sample
from evalkit.impact.side import adjusted_over, subgroups
from evalkit.impact.survival_frames import quantity, survival_frames
from evalkit.impact.survival_options import SurvivalOptions
from evalkit.inference import margin_check
from evalkit.options import takes
from evalkit.results import Check, Estimate, Result

TERMS = {"rmst": "rmst_difference", "cox": "hazard_ratio"}
MEASURES = {
    "kaplan_meier": "survival_difference", "rmst": "mean_difference", "aalen_johansen": "risk_difference",
}  # fmt: skip
REFERENCES = {
    "kaplan_meier": ("kaplan1958", "kalbfleisch2002"),
    "cox": ("cox1972", "efron1977", "lin1989", "grambsch1994"),
    "rmst": ("royston2013",),
    "aalen_johansen": ("aalen1978",),
}


@takes(SurvivalOptions)
def survival(people: pd.DataFrame, options: SurvivalOptions) -> Result:
    """How the time to an event differs between the treated and the control arm.

    Parameters
    ----------
    people
        One row per person and index date.
    outcome, time, event
        Columns of a time (days, 0 or more) and of an event (1, or 0 where the time is that of censoring);
        by default `<outcome>_time` and `<outcome>_event`. For `aalen_johansen` the event is 0, 1, or 2 and
        above for events that compete with it.
    estimator
        `kaplan_meier` (difference of survival at `horizon`), `cox` (hazard ratio), `rmst` (difference of
        mean time without the event up to `horizon`) or `aalen_johansen` (difference of incidence by
        `horizon`).
    covariates, ties, transform
        For `cox`: covariates beside the arm, `efron` or `breslow`, and the function of time of its test.
    horizon
        In the unit of time; default: the last time at which both arms have people at risk.
    treated, weights, subclass, cluster
        As in `rates`.
    subgroup, p_adjust
        Column of categories: the headline in each of them at the same horizon (blank where a group was not followed
        to it, or its hazard ratio has no finite value), p-values adjusted by `holm` or `bh`, and Check
        `subgroup_interaction`, the test that the groups differ.
    margin, better
        The largest difference that would not matter, in the headline's unit (for a hazard ratio as a ratio: 1.1 is ten
        per cent), and whether a longer time is better (`higher`) or a shorter (`lower`): adds Check `margin`.
    estimand, level
        What a design made the comparison stand for (`att`, `ate`, …: a label here, since weights carry it); the
        level of the intervals.

    Returns
    -------
    Result
        Headline `difference_at_horizon` (percentage points, treated minus control), `hazard_ratio`
        (followed by the terms of the covariates) or `rmst_difference` (unit of time). Detail frames:
        `curves` (arm, time, at_risk, events: people; survival, conf_low, conf_high: log-log limits),
        `arms` (arm, n, events, value at the horizon, conf_low, conf_high), and for `aalen_johansen`
        `incidence` (arm, time, value, conf_low, conf_high).

    Raises
    ------
    DataError, StudyError, EstimationError
        A time below 0, an event of another code, a horizon that an arm was not followed to.

    Assumes
    -------
    Censoring says nothing about the event to come; for `cox`, hazards stay in proportion (Check
    `proportional_hazards`); the arms are alike given the design.

    Notes
    -----
    Greenwood's variance, or with weights and clusters the sum of squared influences; Cox by partial
    likelihood with Lin and Wei's errors where rows are weighted or clustered; the test of proportionality
    is the score test.

    References
    ----------
    Kaplan and Meier (1958); Cox (1972); Efron (1977); Lin and Wei (1989); Royston and Parmar (2013); Aalen
    and Johansen (1978); Grambsch and Therneau (1994).

    Examples
    --------
    >>> people = pd.DataFrame({"treated": [1, 1, 0, 0], "days": [9, 30, 5, 30], "back": [1, 0, 1, 0]})
    >>> survival(people, time="days", event="back", horizon=8).headline.estimate
    50.0
    """
    sample, time = _read(people, options)
    horizon = _horizon(sample, time, options)
    estimates, checks = _headline(sample, time, horizon, options)
    head, test = estimates[0], _log_rank(sample, time)
    if options.subgroup:
        groups, differ = subgroups(sample, options, partial(_of_group, horizon=horizon))
        estimates, checks = [*estimates, *adjusted_over(groups, options)], (*checks, differ)
    if options.margin is not None:
        ratio = options.estimator == "cox"
        checks = (*checks, margin_check(head, options.margin, options.better_headline, ratio=ratio))
    return Result(
        method="survival",
        estimand=options.estimand,
        outcome=options.outcome or options.columns[1],
        estimates=tuple(estimates),
        checks=(
            *attrition(sample),
            *checks,
            *cluster_check(sample, head.n_clusters),
            _horizon_check(horizon, options),
            *_test_checks(test, head, options),
        ),
        detail=survival_frames(sample, time, horizon, options),
        references=REFERENCES[options.estimator],
    )


def _headline(
    sample: Sample, time: np.ndarray, horizon: float, options: SurvivalOptions
) -> tuple[list[Estimate], tuple[Check, ...]]:
    """The headline, with the terms of the covariates after a hazard ratio."""
    if options.estimator == "cox":
        return _cox(sample, time, options)
    return [_difference(sample, time, horizon, options)], ()


def _of_group(sample: Sample, options: SurvivalOptions, *, horizon: float) -> tuple[Estimate, None, tuple]:
    """The headline of one group at the horizon of all; blank where it does not exist in that group."""
    time = _times(sample, options)
    try:
        _horizon(sample, time, replace(options, horizon=horizon))
        return _headline(sample, time, horizon, options)[0][0], None, ()
    except EstimationError:
        return _nothing(sample, options), None, ()


def _nothing(sample: Sample, options: SurvivalOptions) -> Estimate:
    term = TERMS.get(options.estimator, "difference_at_horizon")
    nowhere = Spread(variance=np.nan, trusted=False)
    blank = estimate_from(term, "rate_ratio", np.nan, nowhere, sample, options.level)
    return replace(blank, measure=MEASURES.get(options.estimator, "hazard_ratio"), unit=_unit(options))


def _unit(options: SurvivalOptions) -> str | None:
    if options.estimator == "cox":
        return "ratio"
    days = options.columns[0] == "days" or options.columns[0].endswith("_time")
    return ("days" if days else None) if options.estimator == "rmst" else "percentage points"


def _times(sample: Sample, options: SurvivalOptions) -> np.ndarray:
    return pd.to_numeric(sample.frame[options.columns[0]], errors="coerce").to_numpy(float)


def _read(people: pd.DataFrame, options: SurvivalOptions) -> tuple[Sample, np.ndarray]:
    time, event = options.columns
    sample = read_sample(
        people, outcome=event, treated=options.treated, weights=options.weights, subclass=options.subclass,
        cluster=options.cluster, where="survival",
        needed=[time, *options.covariates, *([options.subgroup] if options.subgroup else [])],
    )  # fmt: skip
    values = _times(sample, options)
    if not np.isfinite(values).all() or (values < 0).any():
        raise DataError(f"column `{time}` must hold times of 0 or more", where="survival")
    competing = options.estimator == "aalen_johansen"
    codes = sample.outcome
    if (codes != codes.round()).any() or (codes < 0).any() or (codes.max() > 1 and not competing):
        do = "For competing events use `estimator: aalen_johansen`" if not competing else ""
        raise DataError(f"column `{event}` must hold 0 and 1", where="survival", do=do)
    return sample, values


def _horizon(sample: Sample, time: np.ndarray, options: SurvivalOptions) -> float:
    """The horizon asked for, or the last time to which both arms were followed."""
    followed = [float(time[sample.treated == flag].max()) for flag in (True, False)]
    if options.horizon is None:
        return min(followed)
    for flag, last in zip((True, False), followed, strict=True):
        still = ((sample.treated == flag) & (time == last) & (sample.outcome == 0)).any()
        if last < options.horizon and still and options.estimator != "cox":
            raise EstimationError(
                f"nobody in the {'treated' if flag else 'control'} arm was followed to the horizon",
                where="survival",
                found=f"{last:g} of {options.horizon:g}",
                do="Shorten `horizon`",
            )
    return float(options.horizon)


def _difference(sample: Sample, time: np.ndarray, horizon: float, options: SurvivalOptions) -> Estimate:
    values, influence = [], np.zeros(len(time))
    for sign, flag in ((1.0, True), (-1.0, False)):
        rows = sample.arm(flag)
        value, moved = quantity(sample, time, horizon, options, rows)
        values.append(value)
        influence[rows] = sign * moved
    scale = 1.0 if options.estimator == "rmst" else 100.0
    found = _clustered(scale * influence, sample)
    measure = MEASURES[options.estimator]
    each = estimate_from(
        TERMS.get(options.estimator, "difference_at_horizon"),
        measure, scale * (values[0] - values[1]), found, sample, options.level,
    )  # fmt: skip
    return replace(each, unit=_unit(options))


def _clustered(influence: np.ndarray, sample: Sample) -> Spread:
    """Variance of a sum of influences without a small-sample factor, as R's `survival` has it."""
    if sample.clusters is None:
        return Spread(variance=float((influence**2).sum()))
    size = int(sample.clusters.max()) + 1
    sums = np.bincount(sample.clusters, weights=influence, minlength=size)
    return _spread(float((sums**2).sum()), sample)


def _spread(variance: float, sample: Sample) -> Spread:
    if sample.clusters is None:
        return Spread(variance=variance)
    size = int(sample.clusters.max()) + 1
    if not sample.named:
        return Spread(variance=variance, n_clusters=size)
    arms = [len(np.unique(sample.clusters[sample.arm(flag)])) for flag in (True, False)]
    if sample.nested is not None:
        size = arms[0] if sample.nested else arms[1]
    trusted = min(arms) >= FEWEST_IN_ARM and (size >= FEWEST_CLUSTERS)
    return Spread(variance=variance, df=size - 1, n_clusters=size, trusted=trusted)


def _cox(
    sample: Sample, time: np.ndarray, options: SurvivalOptions
) -> tuple[list[Estimate], tuple[Check, ...]]:
    matrix, names = sample.treated.astype(float)[:, None], ["hazard_ratio"]
    if options.covariates:
        others, labels = _raw_covariates(sample.frame, options.covariates)
        matrix, names = np.column_stack([matrix, others]), names + labels
    weights = sample.weights if sample.weighted else None
    fit = cox(time, sample.outcome, matrix, ties=options.ties, weights=weights)
    covariance = fit.covariance if sample.plain else robust_covariance(fit, sample.clusters)[0]
    interval = "wald" if sample.plain else "robust"
    estimates = [
        replace(
            estimate_from(
                name, "rate_ratio", float(value), _spread(float(variance), sample), sample,
                options.level, interval=interval,
            ),
            measure="hazard_ratio",
        )
        for name, value, variance in zip(names, fit.coefficients, np.diag(covariance), strict=True)
    ]  # fmt: skip
    return estimates, (_proportional(fit, options),)


def _raw_covariates(frame: pd.DataFrame, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Covariates in their own units, so that each hazard ratio is per unit."""
    matrix, labels = covariate_matrix(frame, names)
    columns = [
        frame[label].to_numpy(float) if label in names else matrix[:, number]
        for number, label in enumerate(labels)
    ]
    return np.column_stack(columns), labels


def _proportional(fit: CoxFit, options: SurvivalOptions) -> Check:
    chi, p = proportional_hazards_test(fit, transform=options.transform)
    together = f"; all terms together p = {p[-1]:.3f}" if len(chi) > 2 else ""
    holds = bool(p[0] >= 0.05)
    return Check(
        name="proportional_hazards",
        null="the hazard ratio of the arms is the same at every time",
        statistic=chi[0],
        threshold=3.841458820694124,
        passed=holds,
        reading=f"Score test of the arm's term: chi-square {chi[0]:.2f}, p = {p[0]:.3f}{together}.",
        next_step="" if holds else "Report the restricted mean or the difference at a horizon instead.",
    )


def _log_rank(sample: Sample, time: np.ndarray) -> km.LogRank:
    weights = sample.weights if sample.weighted else None
    return km.log_rank(time, (sample.outcome == 1).astype(float), sample.treated, weights)


def _test_checks(test: km.LogRank, head: Estimate, options: SurvivalOptions) -> tuple[Check, ...]:
    alpha = 1 - options.level
    name = "log-rank" if options.estimator != "aalen_johansen" else "log-rank of the cause-specific hazards"
    first = Check(
        name="log_rank",
        null="the two arms have the event at the same rate throughout",
        statistic=test.statistic,
        reading=f"The {name} chi-square is {test.statistic:.2f}, p = {test.p_value:.3f}.",
    )
    if head.p_value is None:
        return (first,)
    agree = (test.p_value < alpha) == (head.p_value < alpha)
    return (
        first,
        Check(
            name="tests_disagree",
            null=f"reasonable tests of the same thing fall on one side of {alpha:.2g}",
            statistic=max(test.p_value, head.p_value),
            threshold=alpha,
            passed=agree,
            reading=f"p-values: {head.term.replace('_', ' ')} {head.p_value:.3f}, {name} {test.p_value:.3f}.",
            next_step="" if agree else "Do not rest anything on which side of the line the p-value falls.",
        ),
    )


def _horizon_check(horizon: float, options: SurvivalOptions) -> Check:
    chosen = (
        "as asked for" if options.horizon is not None else "the last time to which both arms were followed"
    )
    return Check(
        name="horizon",
        null="the horizon was fixed before anybody saw the curves",
        statistic=horizon,
        reading=f"The horizon is {horizon:g}, {chosen}.",
        next_step="" if options.horizon is not None else "Fix `horizon` in the plan.",
    )
