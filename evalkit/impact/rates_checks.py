"""What to ask of a two-group comparison before believing it: every Check that `rates` makes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from evalkit import intervals
from evalkit.impact import sensitivity
from evalkit.impact.measures import BINARY, FEWEST_CLUSTERS, FEWEST_IN_ARM, RATIOS, Means, two_by_two
from evalkit.impact.sample import Sample
from evalkit.inference import margin_check, two_sided
from evalkit.results import Check, Estimate

FEWEST_REOFFENDERS, FEWEST_EXPECTED, SMALL_COUNT = 30, 10, 10
OVERLAP, LOW_POWER, MANY_CLUSTERS = (0.01, 0.99), 0.8, 40


def all_checks(sample: Sample, means: Means, head: Estimate, options: Any) -> tuple[Check, ...]:
    """The Checks that these rows and options call for, in reading order."""
    checks = [*clusters(sample, head.n_clusters)]
    if options.measure in BINARY:
        checks += [_small(sample), *_gates(sample)]
    if options.measure in BINARY and sample.plain and not options.adjust:
        checks.append(_disagreement(sample, options))
    if options.margin is not None:
        checks.append(margin_check(head, options.margin, options.better, ratio=options.measure in RATIOS))
    if head.std_error:
        checks.append(_small_study(head, options))
        checks += _number_needed(sample, head, options)
    if options.measure in BINARY and options.estimand not in ("itt", "descriptive"):
        checks += _e_value(means, head)
    if sample.matched:
        checks += _hidden_bias(sample, options)
    if options.negative_control:
        checks.append(_negative_control(sample, options))
    return (*checks, *_repeated_people(sample))


def overlap(score: np.ndarray) -> Check:
    """Whether everybody could have been in either arm, by the range of the propensity score."""
    low, high = float(score.min()), float(score.max())
    inside = low >= OVERLAP[0] and high <= OVERLAP[1]
    return Check(
        name="overlap",
        null="everybody could have been in either arm",
        statistic=max(high, 1 - low),
        threshold=OVERLAP[1],
        passed=inside,
        reading=f"The chance of being treated runs from {low:.3f} to {high:.3f}.",
        next_step="" if inside else "Leave out people whom only one arm holds, and say who they are.",
    )


def clusters(sample: Sample, n_clusters: int | None) -> tuple[Check, ...]:
    """Whether the named clusters are enough for their spread to be estimated; nothing where none are
    named."""
    if not sample.named or sample.clusters is None:
        return ()
    arms = [len(np.unique(sample.clusters[sample.arm(flag)])) for flag in (True, False)]
    if sample.nested is not None:
        arms = [arms[0] if sample.nested else arms[1]]
    few_in_arm, total = min(arms) < FEWEST_IN_ARM, n_clusters or 0
    few = few_in_arm or (sample.nested is None and total < FEWEST_CLUSTERS)
    name = "few_treated_clusters" if few_in_arm else "few_clusters"
    return (
        Check(
            name=name,
            null="there are enough clusters for their spread to be estimated",
            statistic=min(arms) if few_in_arm else total,
            threshold=FEWEST_IN_ARM if few_in_arm else FEWEST_CLUSTERS,
            passed=False if few else (True if total >= MANY_CLUSTERS else None),
            reading=f"{total} clusters"
            + (
                ", in one arm only."
                if sample.nested is not None
                else f", {arms[0]} and {arms[1]} in the arms."
            ),
            next_step="No error or interval is given: compare clusters by randomisation, or describe."
            if few
            else ("" if total >= MANY_CLUSTERS else "The interval uses t with few degrees of freedom."),
        ),
    )


def _small(sample: Sample) -> Check:
    events_1, n_1, events_0, n_0 = two_by_two(sample)
    smallest = min(events_1, n_1 - events_1, events_0, n_0 - events_0)
    return Check(
        name="small_counts",
        null="every cell holds enough people",
        statistic=smallest,
        threshold=SMALL_COUNT,
        passed=smallest >= SMALL_COUNT,
        reading=f"The smallest of the four cells holds {smallest} people.",
        next_step=""
        if smallest >= SMALL_COUNT
        else "Print counts beside percentages, and rely on the interval.",
    )


def _gates(sample: Sample) -> list[Check]:
    """The Justice Data Lab's two rules on what may be printed."""
    events, n, _, _ = two_by_two(sample)
    smaller = min(events, n - events)
    return [
        Check(
            name="enough_reoffenders",
            null="the treated arm holds enough people with the outcome for measures among them alone",
            statistic=events,
            threshold=FEWEST_REOFFENDERS,
            passed=events >= FEWEST_REOFFENDERS,
            reading=f"{events} treated people had the outcome.",
            next_step=""
            if events >= FEWEST_REOFFENDERS
            else "Withhold measures among those with the outcome.",
        ),
        Check(
            name="normal_approximation",
            null="n × p in the treated arm is large enough for a normal interval",
            statistic=smaller,
            threshold=FEWEST_EXPECTED,
            passed=smaller >= FEWEST_EXPECTED,
            reading=f"The rarer outcome was seen in {smaller} treated people.",
            next_step="" if smaller >= FEWEST_EXPECTED else "Use exact or score methods only.",
        ),
    ]


def _disagreement(sample: Sample, options: Any) -> Check:
    alpha = 1 - options.level
    table = two_by_two(sample)
    tests = {"chi-square": intervals.score_test(*table)[1], "Fisher": intervals.fisher_exact(*table)}
    if options.time is not None and options.event is not None:
        from evalkit.impact.kaplan_meier import log_rank

        frame = sample.frame
        time, event = (frame[name].to_numpy(float) for name in (options.time, options.event))
        tests["log-rank"] = log_rank(time, event, sample.treated).p_value
    below = {p < alpha for p in tests.values()}
    agree = len(below) == 1
    listed = ", ".join(f"{name} {p:.3f}" for name, p in tests.items())
    return Check(
        name="tests_disagree",
        null=f"reasonable tests of the same thing fall on one side of {alpha:.2g}",
        statistic=max(tests.values()),
        threshold=alpha,
        passed=agree,
        reading=f"p-values: {listed}.",
        next_step="" if agree else "Do not rest anything on which side of the line the p-value falls.",
    )


def _small_study(head: Estimate, options: Any) -> Check:
    value = math.log(head.estimate) if options.measure in RATIOS and head.estimate else head.estimate
    effect = options.plausible_effect or (value or head.std_error) / 2
    power, wrong_sign, exaggeration = sensitivity.type_s_and_m(
        effect, head.std_error, alpha=1 - options.level
    )
    source = "the effect thought plausible" if options.plausible_effect else "half of what was estimated"
    return Check(
        name="small_study",
        null="a study of this size finds effects of a plausible size, and finds them about as large as they are",
        statistic=exaggeration,
        passed=None,
        reading=f"If the true effect were {source}, power would be {power:.0%}; an estimate that passed the 5% "
        "test would be "
        f"{exaggeration:.1f} times too large on average and have the wrong sign in {wrong_sign:.0%} of cases.",
        next_step="" if power >= LOW_POWER else "Read the size of the estimate with this in mind.",
    )


def _number_needed(sample: Sample, head: Estimate, options: Any) -> list[Check]:
    if (
        options.measure in RATIOS
        or not sample.plain
        or options.adjust
        or (head.p_value or 0) <= 1 - options.level
    ):
        return []
    scale = 100.0 if options.measure == "risk_difference" else 1.0
    one, nought = sample.outcome[sample.treated], sample.outcome[~sample.treated]
    spreads = (one.var() * scale**2, nought.var() * scale**2)
    needed = sensitivity.number_needed(head.estimate or 0.0, *spreads, len(nought) / len(one))
    if needed is None:
        return []
    return [
        Check(
            name="number_needed",
            null="the arms are large enough for a difference of this size to be told from none",
            statistic=needed,
            reading=f"A difference of this size would need about {needed} treated people to be told from none.",
        )
    ]


def _e_value(means: Means, head: Estimate) -> list[Check]:
    one, nought = means.treated, means.control
    if not (one > 0 and nought > 0) or head.conf_low is None or head.conf_high is None:
        return []
    ratio = one / nought
    limit = _nearest_ratio(head, ratio, nought)
    point, at_limit = sensitivity.e_value(ratio, limit)
    return [
        Check(
            name="e_value",
            null="nothing unmeasured explains the difference",
            statistic=point,
            reading=f"Something unmeasured would need a risk ratio of {point:.2f} with both treatment and outcome to "
            f"explain the difference, and of {at_limit:.2f} to move its interval to no difference.",
            next_step="Name what might be that strong, such as motivation or housing, and look for it.",
        )
    ]


def _nearest_ratio(head: Estimate, ratio: float, nought: float) -> float:
    """The confidence limit nearer to no difference, as a risk ratio."""
    nearer = head.conf_high if ratio < 1 else head.conf_low
    if head.measure == "risk_ratio":
        return nearer
    if head.measure == "odds_ratio":
        return nearer / (1 - nought + nearer * nought)
    return max((nought + nearer / 100) / nought, 1e-12)


def _hidden_bias(sample: Sample, options: Any) -> list[Check]:
    order = np.argsort(sample.clusters, kind="stable")
    sizes = np.bincount(sample.clusters)
    if not ((sizes == 2) | (sizes == 1)).all() or not (sizes == 2).any():
        return []
    paired = order[np.isin(sample.clusters[order], np.flatnonzero(sizes == 2))].reshape(-1, 2)
    first = np.where(sample.treated[paired[:, 0]], paired[:, 0], paired[:, 1])
    second = paired.sum(axis=1) - first
    differences = sample.outcome[first] - sample.outcome[second]
    if options.measure in BINARY:
        gamma = sensitivity.rosenbaum_binary(int((differences > 0).sum()), int((differences < 0).sum()))
    else:
        gamma = sensitivity.rosenbaum_signed_rank(differences)
    return [
        Check(
            name="hidden_bias",
            null="within a pair, each was as likely as the other to be treated",
            statistic=gamma,
            reading=f"The finding holds while hidden bias multiplies the odds of treatment by less than {gamma:.2f}."
            if gamma > 1
            else "The paired test does not show a difference even without hidden bias.",
            next_step="Ask what could make one of two matched people more likely to be treated.",
        )
    ]


def _negative_control(sample: Sample, options: Any) -> Check:
    from dataclasses import replace

    from evalkit.impact.measures import contrast, spread, weighted_means
    from evalkit.options import require_columns

    require_columns(sample.frame, [options.negative_control], where="rates, `negative_control`")
    values = sample.frame[options.negative_control].to_numpy(float)
    known = sample.rows(np.isfinite(values))
    known = replace(known, outcome=values[np.isfinite(values)], exposure=None)
    value, influence = contrast(weighted_means(known), "mean_difference")
    variance = spread(influence, known, 2).variance
    statistic = value / math.sqrt(variance) if variance > 0 else 0.0
    p = two_sided(statistic)
    return Check(
        name="negative_control",
        null="the arms do not differ in something that the programme cannot have changed",
        statistic=statistic,
        threshold=0.05,
        passed=p >= 0.05,
        reading=f"The arms differ by {value:.3g} in `{options.negative_control}` (p = {p:.3f}).",
        next_step=""
        if p >= 0.05
        else "The arms were not alike: the difference in the outcome carries this bias too.",
    )


def _repeated_people(sample: Sample) -> tuple[Check, ...]:
    if "person_id" not in sample.frame.columns or sample.frame["person_id"].is_unique:
        return ()
    repeats = int(sample.frame["person_id"].duplicated().sum())
    return (
        Check(
            name="repeated_people",
            null="every row is another person",
            statistic=repeats,
            reading=f"{repeats} rows belong to people who have an earlier row.",
            next_step="" if sample.named or sample.weighted else "Set `cluster: person_id`.",
        ),
    )
