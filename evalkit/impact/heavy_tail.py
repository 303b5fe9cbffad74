"""What a mean hides where a few people carry most of it: harm, days, costs.

Three more looks at one difference (a bootstrap interval, the most harmful people brought down to the next, the single
largest event taken out), the share that the people at the top hold, and a verdict over all of the looks together,
which tells nothing of any one person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.impact.sample import Sample
from evalkit.options import require_columns
from evalkit.results import Check, Estimate

DRAWS, MOST_WORK = 1999, 20_000_000
TOP = 0.01
SHARES = ((TOP, "top 1%"), (0.1, "top 10%"), (1.0, "everybody"))
BOOTSTRAP, CAPPED, WITHOUT = "bootstrap", "capped_top_1_percent", "without_largest_event"
NULL = "no few people carry the difference"


@dataclass(frozen=True, kw_only=True)
class HeavyTail:
    """The further estimates, the frame `concentration` and the check `heavy_tail`."""

    estimates: tuple[Estimate, ...]
    concentration: pd.DataFrame
    check: Check


def heavy_tail(
    sample: Sample, head: Estimate, options: Any, again: Callable[[Sample], Estimate]
) -> HeavyTail:
    """Look again at a difference of means in each of the ways; `again` estimates it from other outcomes.

    Frame `concentration`: group (`top 1%`, `top 10%`, `everybody`), n (people in it), share_of_total (of the outcome
    of both arms together, as observed, without weights; blank where there is nothing to share).
    """
    found = [] if options.adjust else [_bootstrap(sample, head, options)]
    found.append(_as(CAPPED, again(replace(sample, outcome=capped(sample.outcome)))))
    if options.largest_event is not None:
        found.append(_as(WITHOUT, again(replace(sample, outcome=_without_largest(sample, options)))))
    return HeavyTail(
        estimates=tuple(found), concentration=concentration(sample.outcome), check=_verdict(head, found)
    )


def concentration(outcome: np.ndarray) -> pd.DataFrame:
    """How much of the total the people with most of it hold: group, n, share_of_total."""
    ordered, total = np.sort(outcome)[::-1], outcome.sum()
    rows = [
        (name, count, float(ordered[:count].sum() / total) if total > 0 else None)
        for count, name in ((_people(share, len(outcome)), name) for share, name in SHARES)
    ]
    return pd.DataFrame(rows, columns=["group", "n", "share_of_total"])


def capped(outcome: np.ndarray) -> np.ndarray:
    """The outcome with the people at the top 1% brought down to the largest value below them."""
    count = _people(TOP, len(outcome))
    if count >= len(outcome):
        return outcome
    return np.minimum(outcome, np.sort(outcome)[::-1][count])


def bootstrap_differences(sample: Sample, *, draws: int, seed: int) -> np.ndarray:
    """Differences of weighted arm means over samples of people, or of matched sets or clusters, drawn anew.

    Independent people are drawn within their arm. Rows that are alike are drawn together, as a multinomial of how
    often each occurs, which is the same sample at less work.
    """
    parts = _parts(sample)
    if sample.clusters is None:
        groups = [parts[sample.treated], parts[~sample.treated]]
    else:
        groups = [_summed(parts, sample.clusters)]
    generator = np.random.default_rng(seed)
    totals = sum(_drawn(group, draws, generator) for group in groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return totals[:, 0] / totals[:, 1] - totals[:, 2] / totals[:, 3]


def _parts(sample: Sample) -> np.ndarray:
    """Of each row what it adds to the sum and the weight of the treated arm, and to those of the control arm."""
    sums = np.column_stack([sample.weights * sample.outcome, sample.weights])
    return np.column_stack([sums * sample.treated[:, None], sums * ~sample.treated[:, None]])


def _summed(parts: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    return np.column_stack([np.bincount(clusters, weights=column) for column in parts.T])


def _drawn(units: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    kinds, count = np.unique(units, axis=0, return_counts=True)
    number = int(count.sum())
    step = max(1, MOST_WORK // (10 * len(kinds)))
    often = (
        generator.multinomial(number, count / number, size=min(step, draws - start))
        for start in range(0, draws, step)
    )
    return np.concatenate([each @ kinds for each in often])


def _bootstrap(sample: Sample, head: Estimate, options: Any) -> Estimate:
    plain = replace(
        head, term=BOOTSTRAP, std_error=None, statistic=None, df=None, p_value=None, p_adjusted=None,
        conf_low=None, conf_high=None, interval=None,
    )  # fmt: skip
    if head.conf_low is None:
        return plain
    draws = max(199, min(DRAWS, MOST_WORK // len(sample.outcome)))
    values = bootstrap_differences(sample, draws=draws, seed=options.seed)
    values = values[np.isfinite(values)]
    half = (1 - options.level) / 2
    low, high = np.quantile(values, [half, 1 - half])
    return replace(
        plain, std_error=float(values.std(ddof=1)), conf_low=float(low), conf_high=float(high),
        interval="bootstrap_percentile",
    )  # fmt: skip


def _without_largest(sample: Sample, options: Any) -> np.ndarray:
    """The outcome after its single largest event is taken away; with several as large, that of the first person."""
    require_columns(sample.frame, [options.largest_event], where="rates")
    event = sample.frame[options.largest_event].to_numpy(float)
    outcome = sample.outcome.copy()
    if len(event) and np.nanmax(event) > 0:
        first = int(np.nanargmax(event))
        outcome[first] -= event[first]
    return outcome


def _as(term: str, estimate: Estimate) -> Estimate:
    return replace(estimate, term=term)


def _verdict(head: Estimate, looks: list[Estimate]) -> Check:
    """Whether every look has the same direction, and an interval on the same side of nought or round it."""
    agree = all(_side(each) == _side(head) and _sign(each) == _sign(head) for each in looks)
    ways = [_WAYS[each.term] for each in looks]
    listed = ", ".join(ways[:-1]) + f" and {ways[-1]}" if len(ways) > 1 else ways[0]
    return Check(
        name="heavy_tail",
        null=NULL,
        passed=agree,
        reading=f"The direction, and whether the interval holds no difference, stay the same {listed}."
        if agree
        else f"The direction, or whether the interval holds no difference, does not stay the same {listed}: a few "
        "people with very large values decide it.",
        next_step=""
        if agree
        else "Rest nothing on this difference; read the frequency of offences beside it.",
    )


_WAYS = {
    BOOTSTRAP: "with a bootstrap interval",
    CAPPED: "with the people at the very top brought down to the next",
    WITHOUT: "without the single largest event",
}


def _side(each: Estimate) -> int | None:
    if each.conf_low is None or each.conf_high is None:
        return None
    return int(each.conf_low > 0) - int(each.conf_high < 0)


def _sign(each: Estimate) -> int:
    return int(np.sign(each.estimate or 0.0))


def _people(share: float, number: int) -> int:
    """How many people a share of them is: at least one."""
    return max(1, int(np.ceil(round(share * number, 9))))
