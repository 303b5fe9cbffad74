"""What an analysis found, as the net impact per person that a benefit line multiplies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from evalkit.contract import BETTER
from evalkit.errors import StudyError, nearest
from evalkit.options import one_of
from evalkit.results import Estimate, Result

RATIOS = ("risk_ratio", "odds_ratio", "rate_ratio", "ratio_of_rate_ratios")
DIFFERENCES = ("risk_difference", "mean_difference", "rate_difference", "frequency_difference", "difference")
SCALES = ("proportion", "count")
NOT_PER_PERSON = re.compile(
    r"\bper (?!person\b|head\b|participant\b|young person\b)(?!\d+ (people|persons)\b)"
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Impact:
    """A net impact per person, positive where the outcome became better.

    `value` is a proportion of people (`scale` proportion) or a count per person (`scale` count). `std_error` is on
    the same scale; for a ratio `log_std_error` is that of its logarithm, `baseline` the rate without the programme
    and `ratio` the (rate) ratio. `draws` may hold an empirical sampling distribution instead, re-centred on
    `value`. `types` are the types of offence that a frequency counts: none named is every type, None is not known.
    """

    value: float
    std_error: float | None = None
    estimand: str = "att"
    analysis: str = ""
    scale: str = "proportion"
    baseline: float | None = None
    ratio: float | None = None
    log_std_error: float | None = None
    draws: np.ndarray | None = None
    types: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        one_of("scale", self.scale, SCALES, where="impact")
        if not np.isfinite(self.value):
            raise StudyError("an impact must be a number", where="impact", found=str(self.value))

    @property
    def has_error(self) -> bool:
        """True where the analysis gave its sampling error, so that draws can carry it."""
        return self.draws is not None or self.log_std_error is not None or self.std_error is not None


def as_impact(name: str, value: Any) -> Impact:
    """An Impact as given, or built from a mapping of its fields."""
    if isinstance(value, Impact):
        return value
    if not isinstance(value, Mapping):
        raise StudyError("an impact is an Impact or a mapping of its fields", where=f"impacts, `{name}`")
    known = [each.name for each in fields(Impact)]
    for key in value:
        if key not in known:
            raise StudyError(
                f"`{key}` is not a field of an impact", where=f"impacts, `{name}`", do=nearest(key, known)
            )
    return Impact(**{"analysis": name, **value})


def impact_from(
    result: Result, *, better: str | None, baseline: float | None = None, term: str | None = None
) -> Impact:
    """Turn an analysis into a net impact per person.

    Parameters
    ----------
    result : Result
        A difference in percentage points or in units per person, or a ratio with its `baseline`.
    better : {"lower", "higher"}
        The good direction of the outcome: the sign of the impact is taken from it.
    baseline : float, optional
        What a ratio multiplies: the proportion (risk and odds ratios) or count per person (rate ratios) without the
        programme. Required for ratios, refused for differences.
    term : str, optional
        The estimate to use; by default the headline.

    Returns
    -------
    Impact
        A net impact per person, positive where the programme helps, with its error where the estimate has one.

    Raises
    ------
    StudyError
        For an outcome whose good direction is not said, a descriptive analysis, a ratio without a baseline, an estimate
        that is neither a proportion nor a count per person, or an estimate that does not exist.

    Notes
    -----
    For `better: lower` a difference d becomes −d, a ratio R over a baseline b becomes b (1 − R). An odds ratio is
    turned into the risk ratio at the baseline, its log error by the delta method.
    """
    where = f"impact: {result.analysis or result.method}"
    if better is None:
        raise StudyError(
            "the outcome does not say which direction is better",
            where=where,
            do="Give `better: lower` or `higher`",
        )
    one_of("better", better, BETTER, where=where)
    if result.estimand == "descriptive":
        do = "Value an analysis with a comparison, or enter a number with its deadweight"
        raise StudyError("a description is not a net impact", where=where, do=do)
    estimate = result.headline if term is None else result.estimate(term)
    if estimate is None or estimate.estimate is None:
        raise StudyError("the analysis gave no estimate to value", where=where, found=term or "")
    sign = -1.0 if better == "lower" else 1.0
    if estimate.measure in RATIOS:
        return _from_ratio(result, estimate, baseline, sign, where)
    return _from_difference(result, estimate, baseline, sign, where)


def _from_difference(
    result: Result, estimate: Estimate, baseline: float | None, sign: float, where: str
) -> Impact:
    unit = (estimate.unit or "").lower()
    in_points = estimate.measure == "risk_difference" or "percentage point" in unit
    if not in_points and estimate.measure not in DIFFERENCES:
        raise StudyError(
            f"`{estimate.measure}` is neither a proportion nor a count per person",
            where=where,
            do="Value a risk difference, a difference per person, or a ratio with its baseline",
        )
    if not in_points and NOT_PER_PERSON.search(unit):
        raise StudyError("the estimate is not per person", where=where, found=estimate.unit)
    if baseline is not None:
        raise StudyError(
            "a difference is already absolute and takes no baseline", where=where, found=str(baseline)
        )
    size = 0.01 if in_points else 1.0
    error = None if estimate.std_error is None else estimate.std_error * size
    return Impact(
        value=sign * size * estimate.estimate,
        std_error=error,
        estimand=result.estimand,
        analysis=result.analysis,
        scale="proportion" if in_points else "count",
    )


def _from_ratio(
    result: Result, estimate: Estimate, baseline: float | None, sign: float, where: str
) -> Impact:
    share = estimate.measure in ("risk_ratio", "odds_ratio")
    if baseline is None:
        raise StudyError(
            "a ratio needs a baseline to become a number per person", where=where, do="Give `baselines:`"
        )
    if baseline < 0 or (share and baseline > 1):
        raise StudyError("a baseline is a proportion or a count per person", where=where, found=str(baseline))
    ratio, log_error = estimate.estimate, estimate.std_error
    if estimate.measure == "odds_ratio":
        scale = 1.0 - baseline + baseline * ratio
        log_error = None if log_error is None else log_error * (1.0 - baseline) / scale
        ratio = ratio / scale
    value = sign * baseline * (ratio - 1.0)
    return Impact(
        value=value,
        std_error=None if log_error is None else abs(baseline * ratio * log_error),
        estimand=result.estimand,
        analysis=result.analysis,
        scale="proportion" if share else "count",
        baseline=sign * baseline,
        ratio=ratio,
        log_std_error=log_error,
    )
