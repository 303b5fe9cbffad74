"""How often a score is right at a threshold, and how well it ranks: counts, rates, their differences, the AUC."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from evalkit.contract import SCORE_CELLS, SCORE_RATES
from evalkit.inference import adjust, critical_value
from evalkit.intervals import PROPORTION_INTERVALS, newcombe, score_test
from evalkit.monitor.score_table import EVERYBODY, ScoreTable

# The false positive rate is one less specificity, and how common the outcome is says nothing of the score.
COMPARED = ("sensitivity", "positive_predictive_value", "specificity", "flagged_share")


def cells(table: ScoreTable, threshold: float) -> pd.DataFrame:
    """One row for everybody and one per group: group, threshold, n, events, flagged, and the four cells."""
    which = np.where(table.outcome, np.where(table.flagged, 0, 1), np.where(table.flagged, 2, 3))
    groups = max(1, len(table.names))
    counts = np.bincount(4 * table.code + which, minlength=4 * groups).reshape(groups, 4)
    rows = [counts.sum(axis=0), *(counts if table.names else ())]
    frame = pd.DataFrame(rows, columns=list(SCORE_CELLS)).astype(int)
    frame.insert(0, "group", [EVERYBODY, *table.names])
    frame.insert(1, "threshold", float(threshold))
    frame.insert(2, "n", frame[list(SCORE_CELLS)].sum(axis=1))
    frame.insert(3, "events", frame["true_positives"] + frame["false_negatives"])
    frame.insert(4, "flagged", frame["true_positives"] + frame["false_positives"])
    return frame


def rates(counts: pd.DataFrame, *, level: float, interval: str) -> pd.DataFrame:
    """Every rate of every row of `cells`: group, measure, events, n, value, conf_low, conf_high."""
    limits, rows = PROPORTION_INTERVALS[interval], []
    for _, row in counts.iterrows():
        for measure, (counted, among) in SCORE_RATES.items():
            events, n = (int(row[list(names)].sum()) for names in (counted, among))
            low, high = limits(events, n, level) if n else (math.nan, math.nan)
            value = events / n if n else math.nan
            rows.append((row["group"], measure, events, n, value, low, high))
    names = ["group", "measure", "events", "n", "value", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=names)


def differences(accuracy: pd.DataFrame, *, level: float, p_adjust: str) -> pd.DataFrame:
    """Each group less the largest, rate by rate, in percentage points, p-values adjusted over all of them.

    Newcombe's interval for each difference by itself; the p-value of the score test. A rate that one of the two does
    not have (nobody with the outcome, nobody flagged) gives no row.
    """
    groups = [each for each in dict.fromkeys(accuracy["group"]) if each != EVERYBODY]
    found = accuracy.set_index(["group", "measure"])[["events", "n"]].astype(int)
    rows = []
    for measure in COMPARED:
        for name in groups[1:]:
            one, other = tuple(found.loc[(name, measure)]), tuple(found.loc[(groups[0], measure)])
            if one[1] and other[1]:
                low, high = newcombe(*one, *other, level)
                points = 100 * (one[0] / one[1] - other[0] / other[1])
                test = score_test(*one, *other)
                rows.append(
                    (name, groups[0], measure, points, 100 * low, 100 * high, test[1], one[1], other[1])
                )
    names = [
        "group",
        "reference",
        "measure",
        "difference",
        "conf_low",
        "conf_high",
        "p_value",
        "n",
        "n_reference",
    ]
    frame = pd.DataFrame(rows, columns=names)  # fmt: skip
    adjusted = adjust(frame["p_value"].to_numpy(), p_adjust) if len(frame) else []
    frame.insert(7, "p_adjusted", adjusted)
    return frame.assign(rule=p_adjust, level=level)


def auc(score: np.ndarray, outcome: np.ndarray) -> tuple[float, float] | None:
    """The area under the curve and its DeLong error, from scores in ascending order; None for one class.

    The area is the chance that somebody with the outcome scores higher than somebody without, ties counted half. The
    placements behind the error come from ranks (Sun and Xu 2014), so that no pair is formed.
    """
    m, n = int(outcome.sum()), int((~outcome).sum())
    if not m or not n:
        return None
    ranks = _midranks(score)
    above = (ranks[outcome] - _midranks(score[outcome])) / n
    below = 1 - (ranks[~outcome] - _midranks(score[~outcome])) / m
    area = float(above.mean())
    if min(m, n) < 2:
        return area, math.nan
    return area, math.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n)


def auc_limits(area: float, error: float, level: float) -> tuple[float | None, float | None]:
    """DeLong's interval, cut at 0 and 1; none where every score of one side is above the other, or one is alone."""
    if not error > 0:
        return None, None
    half = critical_value(level) * error
    return max(0.0, area - half), min(1.0, area + half)


def _midranks(ascending: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values with their mean rank."""
    starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
    ends = np.r_[starts[1:], len(ascending)]
    return np.repeat((starts + ends + 1) / 2, ends - starts)
