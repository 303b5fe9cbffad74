"""How well a score that flags people does, group by group: it is checked here, never built."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from evalkit.contract import SCORE_RATES
from evalkit.errors import StudyError, nearest
from evalkit.inference import critical_value
from evalkit.intervals import PROPORTION_INTERVALS, wilson
from evalkit.monitor import accuracy
from evalkit.monitor.calibration import Calibration, bands, calibration
from evalkit.monitor.score_checks import checks_of
from evalkit.monitor.score_table import EVERYBODY, ScoreTable, score_table
from evalkit.options import one_of, takes
from evalkit.results import Estimate, Result

SCALES, ADJUSTMENTS = ("probability", "points"), ("holm", "bh")
FEWEST, MOST = 2, 20
# The false positive rate is one less specificity: it stands in the frame alone.
ESTIMATED = ("sensitivity", "positive_predictive_value", "specificity", "flagged_share", "outcome_share")


@dataclass(frozen=True, kw_only=True)
class RiskScoreOptions:
    """Columns of the score, the outcome and the groups. See `risk_score`."""

    score: str
    outcome: str
    threshold: Any
    group: str | None = None
    scale: str = "probability"
    bands: int = 5
    interval: str = "wilson"
    p_adjust: str = "holm"
    least: dict | None = None
    within: str | None = None
    acted_on: bool | None = None
    missing: str = "complete"
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {"subgroup": "name the column of groups under `group`"}

    def __post_init__(self) -> None:
        one_of("scale", self.scale, SCALES)
        one_of("interval", self.interval, tuple(PROPORTION_INTERVALS))
        one_of("p_adjust", self.p_adjust, ADJUSTMENTS)
        one_of("missing", self.missing, ("complete",))
        number = isinstance(self.threshold, int | float) and not isinstance(self.threshold, bool)
        if not number or not math.isfinite(self.threshold):
            raise StudyError(
                "`threshold` is one number: the score from which somebody acts",
                where="risk_score",
                found=str(self.threshold),
                do="Give each further threshold an analysis of its own",
            )
        if not FEWEST <= self.bands <= MOST:
            raise StudyError(
                f"`bands` is {FEWEST} or more, and at most {MOST}", where="risk_score", found=self.bands
            )
        if not 0 < self.level < 1:
            raise StudyError("`level` lies between 0 and 1, such as 0.95", found=str(self.level))
        _require_limits(self.least)


@takes(RiskScoreOptions)
def risk_score(people: pd.DataFrame, options: RiskScoreOptions) -> Result:
    """Accuracy of a risk score at a threshold, its calibration, and how both differ between groups.

    Parameters
    ----------
    people
        One row per person whose outcome was waited for. Who lacks a score, an outcome or a group is left out and
        counted (Check `left_out`).
    score, scale
        Column of the score, and what it is: `probability` (the default), from 0 to 1 and said to be the chance of the
        outcome; or `points`, any number, which is ranked and cut, and not calibrated.
    outcome
        Column of 0 and 1.
    threshold
        People at or above it are flagged. One number.
    group
        Column of at most 12 categories; the largest group is the one that others are set against.
    bands
        Bands of the score for the frame `calibration`, 2 to 20.
    interval
        Of one rate: wilson, clopper_pearson or jeffreys.
    p_adjust
        How p-values are adjusted over all differences between groups: holm or bh.
    least
        Limits set beforehand, rate to share, such as `{sensitivity: 0.4}` (Check `preset_limits`).
    within
        In words, the time after the score in which the outcome counts, such as `6 months`.
    acted_on
        Whether anybody acted on the score before the outcome was known.
    missing
        `complete` only: who lacks a score, an outcome or a group is left out.
    level
        Of the intervals.

    Returns
    -------
    Result
        Term `sensitivity` (of those with the outcome, the share flagged), then `positive_predictive_value` (of those
        flagged, the share with the outcome), `specificity`, `flagged_share`, `outcome_share`, `area_under_curve`
        (DeLong interval), and of a probability `observed_over_expected`, `calibration_in_the_large` (log odds) and
        `calibration_slope`; each for everybody, then by `group`. Then each group less the largest, terms ending
        `_difference`, in percentage points (Newcombe interval, `p_adjusted` over all of them).

        Frames: `groups` (group, threshold, n, events, flagged, true_positives, false_negatives, false_positives,
        true_negatives); `accuracy` (group, measure, events, n, value, conf_low, conf_high), false_positive_rate among
        its measures; `calibration` (group, band, side, n, events, mean_score, value, conf_low, conf_high);
        `differences` (group, reference, measure, difference, conf_low, conf_high, p_value, p_adjusted, n,
        n_reference, rule, level). Row `all` is everybody; with a `group`, `calibration` has rows of groups only.

    Raises
    ------
    StudyError
        A threshold that is no number or a list, an option that is not known.
    DataError
        Scores or outcomes that cannot be, one class only, a threshold that flags everybody or nobody, one group, a
        group with nobody. All at once; no message holds a person's score.

    Assumes
    -------
    The outcome is what happens, not what is recorded of those who are watched (Check `recording`), and the use of the
    score did not change it (Check `acted_on`). Groups with different base rates cannot have both equal predictive
    value and equal error rates (Check `base_rates`).

    Notes
    -----
    Calibration in the large is a in logit P = a + logit(score); the slope is b in logit P = a + b logit(score). Scores
    of exactly 0 or 1 have no logit and are left out of both. A design's weights are not used.

    References
    ----------
    Wilson (1927); Newcombe (1998); DeLong, DeLong and Clarke-Pearson (1988); Sun and Xu (2014); Cox (1958);
    Chouldechova (2017); Kleinberg, Mullainathan and Raghavan (2016); Collins, Ogundimu and Altman (2016).

    Examples
    --------
    >>> people = pd.DataFrame({"score": [0.9, 0.8, 0.2, 0.1, 0.7], "returned": [1, 0, 0, 0, 1]})
    >>> risk_score(people, score="score", outcome="returned", threshold=0.5).headline.estimate
    1.0
    """
    table = score_table(people, options)
    counts = accuracy.cells(table, options.threshold)
    rates = accuracy.rates(counts, level=options.level, interval=options.interval)
    gaps = accuracy.differences(rates, level=options.level, p_adjust=options.p_adjust)
    areas, fitted = _fits(table, options)
    ratios = {name: _ratio(each, options.level) for name, each in fitted.items() if each.expected}
    detail = {"groups": counts, "accuracy": rates, "calibration": _bands(table, options)}
    return Result(
        method="risk_score",
        estimand="descriptive",
        outcome=options.outcome,
        estimates=(*_estimates(rates, areas, fitted, options), *_differences(gaps, options)),
        checks=checks_of(table, counts, gaps, fitted, ratios, options),
        detail=detail | ({"differences": gaps} if table.names else {}),
        references=_references(table, options),
    )


def _require_limits(least: Mapping[str, Any] | None) -> None:
    for name, value in (least or {}).items():
        if name not in SCORE_RATES:
            raise StudyError(
                f"`least` names rates, and `{name}` is none",
                where="risk_score",
                do=nearest(name, SCORE_RATES),
            )
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise StudyError(
                "a limit under `least` is a share from 0 to 1", where="risk_score", found=str(value)
            )


def _fits(table: ScoreTable, options: RiskScoreOptions) -> tuple[dict, dict[str | None, Calibration]]:
    """The area under the curve and the calibration of everybody (None) and of each group."""
    areas, fitted = {}, {}
    for name, score, outcome in table.parts():
        areas[name] = (accuracy.auc(score, outcome), int(outcome.sum()), len(outcome))
        if options.scale == "probability":
            fitted[name] = calibration(score, outcome)
    return areas, fitted


def _bands(table: ScoreTable, options: RiskScoreOptions) -> pd.DataFrame:
    return bands(
        table, number=options.bands, level=options.level, interval=options.interval,
        expected=options.scale == "probability",
    )  # fmt: skip


def _estimates(
    rates: pd.DataFrame, areas: Mapping, fitted: Mapping[str | None, Calibration], options: RiskScoreOptions
) -> Iterator[Estimate]:
    """Everything about everybody, then about each group."""
    rows = rates.set_index(["group", "measure"])
    for name in areas:
        yield from (_rate(rows.loc[(name or EVERYBODY, each)], each, name, options) for each in ESTIMATED)
        yield _area(areas[name], name, options)
        if name in fitted:
            yield from _calibrations(fitted[name], name, options)


def _rate(row: pd.Series, measure: str, group: str | None, options: RiskScoreOptions) -> Estimate:
    return Estimate(
        term=measure, measure="proportion", estimate=row["value"], conf_low=row["conf_low"], conf_high=row["conf_high"],
        level=options.level, interval=options.interval, n_treated=int(row["n"]), group=group, unit="proportion",
    )  # fmt: skip


def _area(found: tuple, group: str | None, options: RiskScoreOptions) -> Estimate:
    area, events, n = found
    value, error = area or (None, math.nan)
    low, high = (None, None) if value is None else accuracy.auc_limits(value, error, options.level)
    return Estimate(
        term="area_under_curve", measure="area_under_curve", estimate=value, std_error=error or None, conf_low=low,
        conf_high=high, level=options.level, interval=None if low is None else "delong", n_treated=events,
        n_control=n - events, group=group, unit="area",
    )  # fmt: skip


def _ratio(found: Calibration, level: float) -> tuple[float, float, float]:
    """Observed over expected, with the limits of Wilson's interval for the share that was observed."""
    low, high = (each * found.n / found.expected for each in wilson(found.events, found.n, level))
    return found.events / found.expected, low, high


def _calibrations(found: Calibration, group: str | None, options: RiskScoreOptions) -> Iterator[Estimate]:
    same = {"level": options.level, "n_treated": found.n, "group": group}
    ratio, low, high = _ratio(found, options.level) if found.expected else (None, None, None)
    error = math.sqrt(1 / found.events - 1 / found.n) if found.events else None
    yield Estimate(
        term="observed_over_expected", measure="ratio", estimate=ratio, std_error=error, conf_low=low, conf_high=high,
        interval="wilson", unit="ratio", **same,
    )  # fmt: skip
    for term, each, unit in (
        ("calibration_in_the_large", found.in_the_large, "log odds"),
        ("calibration_slope", found.slope, "slope (1: as it should be)"),
    ):
        value, error = each or (None, None)
        half = critical_value(options.level) * error if error else None
        yield Estimate(
            term=term, measure=term, estimate=value, std_error=error, unit=unit,
            conf_low=None if half is None else value - half, conf_high=None if half is None else value + half,
            interval="wald" if half else None, **same,
        )  # fmt: skip


def _differences(gaps: pd.DataFrame, options: RiskScoreOptions) -> Iterator[Estimate]:
    for row in gaps.itertuples():
        yield Estimate(
            term=f"{row.measure}_difference", measure="risk_difference", estimate=row.difference, conf_low=row.conf_low,
            conf_high=row.conf_high, p_value=row.p_value, p_adjusted=row.p_adjusted, level=options.level,
            interval="newcombe", n_treated=int(row.n), n_control=int(row.n_reference), group=row.group,
            unit="percentage points",
        )  # fmt: skip


def _references(table: ScoreTable, options: RiskScoreOptions) -> tuple[str, ...]:
    of_interval = {"wilson": "wilson1927", "clopper_pearson": "clopper1934", "jeffreys": "brown2001"}
    found = [of_interval[options.interval], "delong1988", "sun2014"]
    if options.scale == "probability":
        found += ["cox1958", "collins2016"]
    if table.names:
        found += ["newcombe1998", "chouldechova2017", "kleinberg2016"]
    return tuple(dict.fromkeys(found))
