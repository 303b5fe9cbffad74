"""Progression criteria of a pilot: was each target met, partly met or missed, and how sure can that be?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import pandas as pd

from evalkit.errors import DataError, Problem, StudyError, nearest
from evalkit.intervals import wilson
from evalkit.options import takes
from evalkit.results import Check, Estimate, Result

CRITERION_KEYS = ("name", "green", "amber", "value", "successes", "trials", "data", "column", "arm")
COUNTED = ("successes", "trials")


@dataclass(frozen=True, kw_only=True)
class ProgressionOptions:
    """`criteria`: one mapping each, with `name`, `green` and `amber`, and what was reached: `value` (any number, on
    the scale of the two bands), or `successes` and `trials`, or `column` (a 0/1 column of people, with `arm`, or of
    another frame, named by `data`), of which the share counts. Where `amber` is above `green`, lower is better."""

    criteria: tuple[dict, ...]
    treated: str = "treated"
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.criteria:
            raise StudyError("`criteria` must list at least one criterion")
        problems = [problem for each in self.criteria for problem in _problems(each)]
        if problems:
            raise StudyError(problems)


@takes(ProgressionOptions)
def progression(
    frames: pd.DataFrame | Mapping[str, pd.DataFrame] | None, options: ProgressionOptions
) -> Result:
    """Compare what a pilot reached with the bands that were set before it began.

    Parameters
    ----------
    frames : the people, one row per person, or a mapping of frames by name (`people` and others). Needed where a
        criterion names a `column` (0, 1 or missing; missing is left out of the trials). `arm: treated` or
        `arm: control` restricts it to one arm by the 0/1 column `treated`.
    criteria : one mapping each, with `name`, `green` and `amber` (the bands), and what was reached: `value` (any number
        on the scale of the bands), or `successes` and `trials`, or `column`, with `arm` or `data` (a frame's name).
    treated : the 0/1 column of the arms.
    level : of the intervals.

    Returns
    -------
    Result
        Headline term `met`: the number of criteria that are green, out of all. Frame `criteria`, one row per
        criterion: name, successes, trials, value (share), conf_low, conf_high (Wilson), green, amber, band,
        certain (whether the whole interval lies in that band).

    Raises
    ------
    DataError : a criterion names a column that the people do not have, or one that is not 0/1.

    Assumes
    -------
    The bands were written down before the data were seen.

    Notes
    -----
    A criterion is green at or above `green`, amber at or above `amber`, red below; with `amber` above `green`
    (people who left, harm, days waited) green at or below `green`, amber at or below `amber`, red above. No test
    of effect is made: a pilot of this size asks whether a trial can be run, not whether the programme works.

    References
    ----------
    wilson1927
    """
    frames = {"people": frames} if isinstance(frames, pd.DataFrame) else frames or {}
    rows = [_row(frames, criterion, options) for criterion in options.criteria]
    frame = pd.DataFrame(rows)
    met = int((frame["band"] == "green").sum())
    headline = Estimate(
        term="met", measure="count", estimate=met, unit=f"of {len(frame)} criteria", level=options.level
    )
    return Result(
        method="progression",
        estimand="descriptive",
        outcome="progression criteria",
        estimates=(headline,),
        checks=(_certainty(frame),),
        detail={"criteria": frame},
        references=("wilson1927",),
    )


def _problems(criterion: Mapping[str, Any]) -> list[Problem]:
    where = f"criterion `{criterion.get('name', '?')}`"
    unknown = [Problem(where=where, wrong=f"`{key}` is not a key of a criterion", do=nearest(key, CRITERION_KEYS))
               for key in criterion if key not in CRITERION_KEYS]  # fmt: skip
    missing = [Problem(where=where, wrong=f"`{key}` is required") for key in ("name", "green", "amber")
               if key not in criterion]  # fmt: skip
    if unknown or missing:
        return unknown + missing
    ways = ["value" in criterion, {"successes", "trials"} <= criterion.keys(), "column" in criterion]
    if sum(ways) != 1:
        return [
            Problem(where=where, wrong="give `value`, or `successes` and `trials`, or `column`, and only one")
        ]
    return _wrong_numbers(criterion, where)


def _wrong_numbers(criterion: Mapping[str, Any], where: str) -> list[Problem]:
    """Bands and values that are no numbers, shares outside 0 to 1, and more successes than trials."""
    given = {key: criterion[key] for key in ("green", "amber", "value", *COUNTED) if key in criterion}
    problems = [Problem(where=where, wrong=f"`{key}` is a number", found=str(value))
                for key, value in given.items() if not _is_number(value)]  # fmt: skip
    if problems or "value" in criterion:
        return problems
    problems = [Problem(where=where, wrong=f"`{key}` is a share from 0 to 1", found=str(given[key]))
                for key in ("green", "amber") if not 0 <= given[key] <= 1]  # fmt: skip
    if "trials" in given and not 0 <= given["successes"] <= given["trials"]:
        found = f"{given['successes']} of {given['trials']}"
        problems.append(Problem(where=where, wrong="`successes` lie between 0 and `trials`", found=found))
    return problems


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _row(
    frames: Mapping[str, pd.DataFrame], criterion: Mapping[str, Any], options: ProgressionOptions
) -> dict[str, Any]:
    successes, trials = _reached(frames, criterion, options)
    row = {"name": criterion["name"], "successes": successes, "trials": trials}
    low = high = None
    value = criterion.get("value")
    if trials:
        value = successes / trials
        low, high = wilson(successes, trials, options.level)
    band = _band(value, criterion)
    certain = None if low is None else _band(low, criterion) == _band(high, criterion)
    bands = {"green": criterion["green"], "amber": criterion["amber"], "band": band, "certain": certain}
    return row | {"value": value, "conf_low": low, "conf_high": high} | bands


def _reached(
    frames: Mapping[str, pd.DataFrame], criterion: Mapping[str, Any], options: ProgressionOptions
) -> tuple[int | None, int | None]:
    if "column" not in criterion:
        return criterion.get("successes"), criterion.get("trials")
    where = f"criterion `{criterion['name']}`"
    name = criterion.get("data", "people")
    if name not in frames or criterion["column"] not in frames[name].columns:
        raise DataError(f"`{name}` has no column `{criterion['column']}`", where=where)
    values = frames[name][criterion["column"]]
    if "arm" in criterion:
        values = values[frames[name][options.treated] == (criterion["arm"] == "treated")]
    values = values.dropna()
    if not values.isin([0, 1]).all():
        raise DataError(f"column `{criterion['column']}` must hold 0, 1 or nothing", where=where)
    return int(values.sum()), len(values)


def _band(value: float | None, criterion: Mapping[str, Any]) -> str:
    if value is None:
        return "not known"
    sign = 1 if criterion["amber"] <= criterion["green"] else -1  # amber above green: lower is better
    reached = [each for each in ("green", "amber") if sign * value >= sign * criterion[each]]
    return reached[0] if reached else "red"


def _certainty(frame: pd.DataFrame) -> Check:
    sure = int(frame["certain"].eq(True).sum())
    counted = int(frame["certain"].notna().sum())
    return Check(
        name="bands_certain",
        null="each criterion's underlying value lies in the band that was observed",
        statistic=sure,
        threshold=counted,
        passed=None,
        reading=f"For {sure} of {counted} criteria the whole interval lies in one band.",
        next_step="Where an interval crosses a band, judge the criterion with the people who ran the pilot.",
    )
