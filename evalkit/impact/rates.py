"""Treated against control: a difference or a ratio of risks, means or rates, as the design weighs them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evalkit.errors import StudyError
from evalkit.impact import rates_checks
from evalkit.impact.adjusted import MODELS, aipw, g_computation
from evalkit.impact.arms import arms_frame
from evalkit.impact.count_models import count_models
from evalkit.impact.heavy_tail import HeavyTail, heavy_tail
from evalkit.impact.influence import by_unit
from evalkit.impact.measures import (
    BINARY,
    MEASURES,
    RATIOS,
    Means,
    contrast,
    estimate_from,
    plain_estimate,
    spread,
    weighted_means,
)
from evalkit.impact.missing import pooled_over_imputations
from evalkit.impact.proportion import check_level
from evalkit.impact.sample import Sample, attrition, binary, read_sample
from evalkit.impact.side import adjusted_over, bounds_for_lost, cace, subgroups
from evalkit.inference import refuse_margin
from evalkit.options import one_of, takes
from evalkit.results import Check, Estimate, Result

TERM = "treated_vs_control"


@dataclass(frozen=True, kw_only=True)
class RatesOptions:
    """Columns of the people frame and how to compare its two arms. See `rates`."""

    outcome: str
    treated: str = "treated"
    measure: str = "risk_difference"
    adjust: tuple[str, ...] = ()
    model: str = "g_computation"
    estimand: str = "att"
    cluster: str | None = None
    weights: str | None = None
    subclass: str | None = None
    exposure: str | None = None
    subgroup: str | None = None
    p_adjust: str | None = None
    compliance: str | None = None
    margin: float | None = None
    better: str | None = None
    missing: str = "complete"
    imputations: int = 20
    negative_control: str | None = None
    plausible_effect: float | None = None
    time: str | None = None
    event: str | None = None
    heavy_tailed: bool = False
    largest_event: str | None = None
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        one_of("measure", self.measure, MEASURES, where="rates")
        one_of("model", self.model, MODELS, where="rates")
        one_of("missing", self.missing, ("complete", "mice"), where="rates")
        one_of("estimand", self.estimand, ("itt", "ate", "att", "ato", "descriptive"), where="rates")
        if self.better is not None:
            one_of("better", self.better, ("lower", "higher"), where="rates")
        if self.p_adjust is not None:
            one_of("p_adjust", self.p_adjust, ("holm", "bh", "romano_wolf"), where="rates, over subgroups")
        check_level(self.level)
        refuse_margin(self.margin, ratio=self.measure in RATIOS)
        wrong = next((words for words, is_wrong in self._conflicts() if is_wrong), None)
        if wrong:
            raise StudyError(wrong, where="rates")

    def _conflicts(self) -> tuple[tuple[str, bool], ...]:
        """Options that do not go together, in words, each with whether these do that."""
        mice, aipw_model = self.missing == "mice", bool(self.adjust) and self.model == "aipw"
        return (
            (
                "`exposure` belongs to `measure: rate_ratio`",
                bool(self.exposure) and self.measure != "rate_ratio",
            ),
            ("`exposure` is not supported with `model: aipw`", bool(self.exposure) and aipw_model),
            (
                "`compliance` needs a difference, not a ratio",
                bool(self.compliance) and self.measure in RATIOS,
            ),
            (
                "`missing: mice` imputes the covariates in `adjust`, and there are none",
                mice and not self.adjust,
            ),
            (
                "`missing: mice` is not supported with `subgroup` or `compliance`",
                mice and bool(self.subgroup or self.compliance),
            ),
            (
                "`p_adjust` is over the groups of `subgroup`, and there is none",
                bool(self.p_adjust and not self.subgroup),
            ),
            (
                "`p_adjust: romano_wolf` is not supported with `cluster`",
                self.p_adjust == "romano_wolf" and self.cluster is not None,
            ),
            ("`time` and `event` go together", (self.time is None) != (self.event is None)),
            ("the outcome cannot be a covariate of itself", self.outcome in self.adjust),
            (
                "`heavy_tailed` belongs to `measure: mean_difference`, with complete cases",
                self.heavy_tailed and (self.measure != "mean_difference" or mice),
            ),
            ("`largest_event` belongs to `heavy_tailed`", bool(self.largest_event) and not self.heavy_tailed),
        )


@takes(RatesOptions)
def rates(people: pd.DataFrame, options: RatesOptions) -> Result:
    """The difference or ratio between the treated and the control arm.

    Parameters
    ----------
    people
        One row per person and index date.
    outcome
        Column of 0 and 1 (risk difference, risk ratio, odds ratio), of numbers (mean difference) or of
        counts per person (rate ratio).
    treated
        Column of 0 and 1.
    measure
        `risk_difference` (percentage points), `risk_ratio`, `odds_ratio`, `mean_difference` (unit of the outcome) or
        `rate_ratio`.
    adjust, model
        Covariates, and how they enter: `g_computation` (one outcome model, standardised over the people of
        the estimand) or `aipw` (doubly robust; makes its own weights, so it takes none).
    estimand
        `att` standardises over the treated; `itt` and `ate` over everybody; `ato` over everybody as
        weighted.
    weights, subclass
        Columns from the design: people of weight 0 are left out; matched sets cluster the errors.
    cluster
        Column of clusters; blank throughout one arm where only the other arm is clustered (therapists).
    exposure
        Person-time behind each count, for `rate_ratio`.
    subgroup
        Column of categories: one estimate each, and a test that they differ.
    p_adjust
        `holm`, `bh` or `romano_wolf` over the groups of `subgroup`; all of them are listed. (In study.yml, without
        `subgroup`, over the analyses of one role.)
    compliance
        Column of 0 and 1, who took the programme up: adds term `cace`.
    margin, better
        The largest harm that would not matter (in the measure's unit; for a ratio as a ratio: 1.1 is ten per
        cent), and which way is better: adds Check `margin`.
    missing, imputations
        `complete` (default) or `mice`: covariates imputed so many times by chained equations.
    negative_control
        Outcome column that the programme cannot have changed: adds Check `negative_control`.
    time, event
        Columns of a time and a 0/1 event: the log-rank test joins Check `tests_disagree`.
    heavy_tailed, largest_event
        Of a mean difference where a few people carry most of the outcome (harm, days, costs): look at it again with a
        bootstrap interval, with the top 1% of people brought down to the next, and without the single largest event,
        where `largest_event` is the column of each person's largest.
    plausible_effect
        A size of effect that is thought plausible, in the measure's unit (of a ratio, its logarithm; default: half of
        what was estimated). Check `small_study` says what a study of this size would make of it.
    level, seed
        Of intervals; of imputations and resampling.

    Returns
    -------
    Result
        Headline `treated_vs_control`. With `heavy_tailed` also `bootstrap` (not with `adjust`),
        `capped_top_1_percent`, `without_largest_event`, Check `heavy_tail` over all of them, and frame
        `concentration`: group, n, share_of_total. Further terms: the same with `group` for subgroups; `cace`; for a
        rate ratio `quasi_poisson` and `negative_binomial`; where outcomes are missing `best_case`,
        `worst_case`, `lee_lower`, `lee_upper`. Detail frame `arms`: arm, n, events, value (the arm's mean,
        between 0 and 1 for a 0/1 outcome, as weighted or adjusted), conf_low, conf_high.

    Raises
    ------
    DataError, StudyError, EstimationError
        A column that is not there or holds something else; an arm without people.

    Assumes
    -------
    People of the two arms are alike but for the programme, given the design and `adjust` (the design's
    Check `balance`; Checks `e_value`, `hidden_bias`); one person's place does not change another's
    outcome.

    Notes
    -----
    Unweighted risk difference: Newcombe's interval and the score test. Unweighted ratios: normal on the
    log; means: Welch. Weighted, matched, adjusted or clustered: every estimate is a function of two arm
    means, and its variance the sum of squared influences, by row, matched set, person or cluster, with the
    factor G/(G−1) × (N−1)/(N−K). Named clusters give t with G−1 degrees of freedom, one clustered arm
    Satterthwaite's.

    References
    ----------
    Newcombe (1998); Welch (1947); Efron and Tibshirani (1993); Robins, Rotnitzky and Zhao (1994); VanderWeele and
    Ding (2017).

    Examples
    --------
    >>> people = pd.DataFrame({"treated": [1] * 4 + [0] * 4, "reoffended": [1, 0, 0, 0, 1, 1, 0, 0]})
    >>> rates(people, outcome="reoffended").headline.estimate
    -25.0
    """
    sample = read_rates_sample(people, options)
    if options.measure in BINARY:
        binary(sample, options.outcome)
    estimates, extra_checks, means = _estimates(sample, options)
    tail = _heavy_tail(sample, estimates[0], options)
    influence, units = by_unit(people, sample, means, options) or (None, None)
    checks = (
        *attrition(sample),
        *rates_checks.all_checks(sample, means, estimates[0], options),
        *extra_checks,
        *([tail.check] if tail else []),
    )
    return Result(
        method="rates",
        estimand=options.estimand,
        outcome=options.outcome,
        estimates=(*estimates, *(tail.estimates if tail else ())),
        checks=checks,
        detail={
            "arms": arms_frame(sample, means, options),
            **({"concentration": tail.concentration} if tail else {}),
        },
        references=_references(sample, options),
        influence=influence,
        units=units,
    )


def read_rates_sample(people: pd.DataFrame, options: RatesOptions) -> Sample:
    """The rows that this comparison uses; with `mice` those with missing covariates stay."""
    covariates = () if options.missing == "mice" else options.adjust
    needed = [*covariates, *(name for name in (options.subgroup, options.compliance) if name)]
    sample = read_sample(
        people, outcome=options.outcome, treated=options.treated, weights=options.weights,
        subclass=options.subclass, cluster=options.cluster, exposure=options.exposure, needed=needed, where="rates",
    )  # fmt: skip
    if options.adjust and options.model == "aipw" and (sample.weighted or sample.matched):
        raise StudyError(
            "`model: aipw` makes its own weights and takes none from the design",
            where="rates",
            do="Use `g_computation`, or `design: {method: none}`",
        )
    return sample


def means_of(sample: Sample, options: RatesOptions) -> tuple[Means, tuple[Check, ...]]:
    """The two arm means under the options, and what the model has to say about itself."""
    if not options.adjust:
        return weighted_means(sample), ()
    if options.model == "aipw":
        means, score = aipw(sample, options.adjust, options.measure, options.estimand)
        return means, (rates_checks.overlap(score),)
    return g_computation(sample, options.adjust, options.measure, options.estimand), ()


def one_estimate(sample: Sample, options: RatesOptions) -> tuple[Estimate, Means, tuple[Check, ...]]:
    """The headline estimate of these rows."""
    means, checks = means_of(sample, options)
    if sample.plain and not options.adjust:
        return plain_estimate(sample, options.measure, options.level), means, checks
    value, influence = contrast(means, options.measure)
    found = spread(influence, sample, means.parameters)
    return estimate_from(TERM, options.measure, value, found, sample, options.level), means, checks


def _estimates(sample: Sample, options: RatesOptions) -> tuple[list[Estimate], tuple[Check, ...], Means]:
    if options.missing == "mice":
        head, means, checks = pooled_over_imputations(sample, options, one_estimate)
        return [head], checks, means
    head, means, checks = one_estimate(sample, options)
    estimates = [head]
    if options.subgroup:
        found, check = subgroups(sample, options, one_estimate)
        estimates, checks = [*estimates, *adjusted_over(found, options)], (*checks, check)
    if options.compliance:
        found, check = cace(sample, means, options)
        estimates, checks = [*estimates, found], (*checks, check)
    if options.measure == "rate_ratio" and sample.plain and not options.adjust:
        estimates += count_models(sample, options.level)
    if sample.plain and not options.adjust:
        estimates += bounds_for_lost(sample, options)
    return estimates, checks, means


def _heavy_tail(sample: Sample, head: Estimate, options: RatesOptions) -> HeavyTail | None:
    if not options.heavy_tailed:
        return None
    return heavy_tail(sample, head, options, lambda other: one_estimate(other, options)[0])


def _references(sample: Sample, options: RatesOptions) -> tuple[str, ...]:
    keys = []
    if options.measure == "risk_difference" and sample.plain and not options.adjust:
        keys.append("newcombe1998")
    if options.measure == "mean_difference":
        keys.append("welch1947")
    if options.heavy_tailed and not options.adjust:
        keys.append("efron1993")
    if options.adjust:
        keys.append("robins1994" if options.model == "aipw" else "robins1986")
    if options.compliance:
        keys.append("angrist1996")
    if options.missing == "mice":
        keys.append("vanbuuren2011")
    if options.measure in BINARY and options.estimand != "itt":
        keys.append("vanderweele2017")
    return tuple(keys)
