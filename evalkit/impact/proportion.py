"""One proportion with its interval: how many of those we know about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from evalkit.errors import DataError, StudyError
from evalkit.intervals import PROPORTION_INTERVALS
from evalkit.options import one_of, require_columns, takes
from evalkit.results import Check, Estimate, Result

SMALL_CELL, SMALL_BASE = 10, 20
UNIT = "proportion"


@dataclass(frozen=True, kw_only=True)
class ProportionOptions:
    """Either the two numbers `successes` and `trials`, or a 0/1 `outcome` column. See `proportion`."""

    outcome: str = ""
    successes: int | None = None
    trials: int | None = None
    interval: str = "wilson"
    lost: int = 0
    subgroup: str | None = None
    treated: str = "treated"
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {
        "p_adjust": "a share is set against nothing, so it has no p-value",
        "compliance": "one group is described, and nobody is compared with it",
        "missing": "an unknown outcome is counted, and `lost` gives the two ends of what it could have been",
    }

    def __post_init__(self) -> None:
        one_of("interval", self.interval, PROPORTION_INTERVALS)
        check_level(self.level)
        if (self.successes is None) != (self.trials is None):
            raise StudyError("`successes` and `trials` go together", where="proportion")
        if self.successes is None and not self.outcome:
            raise StudyError("give `successes` and `trials`, or an `outcome` column", where="proportion")
        if self.lost < 0:
            raise StudyError(
                "`lost` counts people, so it is 0 or more", where="proportion", found=str(self.lost)
            )
        if self.successes is not None and self.trials is not None:
            _check_counts(self.successes, self.trials)
            if self.subgroup:
                raise StudyError("`subgroup` needs an `outcome` column, not two numbers", where="proportion")


@takes(ProportionOptions)
def proportion(people: pd.DataFrame | None, options: ProportionOptions) -> Result:
    """The share of people with an outcome, between 0 and 1, with a Wilson, Clopper-Pearson or Jeffreys
    interval.

    Parameters
    ----------
    people
        One row per person; not read where `successes` and `trials` are given.
    outcome
        Column of 0 and 1. Where the frame has a `treated` column of 0 and 1, only its treated people are
        counted: this method has no comparison. A missing outcome leaves the person out, counted under
        Check `attrition`.
    successes, trials
        Whole numbers, in place of a frame.
    interval
        `wilson` (default), `clopper_pearson` (never below its level) or `jeffreys`.
    lost
        People who belong to the group but whose outcome is not known: two more estimates give the share if
        none of them, and if all of them, had the outcome.
    subgroup
        Column of categories: one more estimate for each. They describe; they do not compare.
    level
        Of the intervals.

    Returns
    -------
    Result
        Terms `proportion` (unit "proportion", 0.85 not 85; a report prints it as a percentage), and with
        people lost `proportion_if_none` and `proportion_if_all`. Detail frame `groups`: group, n, events,
        value, conf_low, conf_high.

    Raises
    ------
    StudyError, DataError
        More successes than trials, an outcome other than 0 or 1, nobody with a known outcome.

    Assumes
    -------
    People are independent of one another, and those counted stand for those meant (Check `attrition`).

    Notes
    -----
    Wilson: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).

    References
    ----------
    Wilson (1927); Clopper and Pearson (1934); Brown, Cai and DasGupta (2001).

    Examples
    --------
    >>> round(proportion(successes=17, trials=20).headline.conf_low, 3)
    0.64
    """
    if options.successes is not None and options.trials is not None:
        return _result({"all": (options.successes, options.trials)}, options, unknown=options.lost)
    if people is None:
        raise DataError("there is no frame to read the outcome from", where="proportion")
    groups, unknown = _counted(people, options)
    return _result(groups, options, unknown=unknown + options.lost)


def bounds(
    successes: int, trials: int, missing: int, *, interval: str = "wilson", level: float = 0.95
) -> pd.DataFrame:
    """The share among all who started, when `missing` more people are counted as none, or as all, having
    the outcome.

    Returns a frame with columns assumption ("none", "all"), n, events, value, conf_low, conf_high.
    """
    one_of("interval", interval, PROPORTION_INTERVALS)
    _check_counts(successes, trials)
    options = ProportionOptions(successes=successes, trials=trials, interval=interval, level=level)
    cases = {"none": (successes, trials + missing), "all": (successes + missing, trials + missing)}
    return _table(cases, options).rename(columns={"group": "assumption"})


def check_level(level: float) -> None:
    """Refuse a confidence level outside 0 to 1."""
    if not 0 < level < 1:
        raise StudyError("`level` lies between 0 and 1, such as 0.95", found=str(level))


def _counted(people: pd.DataFrame, options: ProportionOptions) -> tuple[dict[str, tuple[int, int]], int]:
    require_columns(people, [options.outcome, options.subgroup], where="proportion")
    rows = people[people[options.treated] == 1] if options.treated in people.columns else people
    known = rows[rows[options.outcome].notna()]
    values = pd.to_numeric(known[options.outcome], errors="coerce")
    if not values.isin([0, 1]).all():
        raise DataError(f"column `{options.outcome}` must hold 0 and 1 only", where="proportion")
    groups = {"all": (int(values.sum()), len(values))}
    if options.subgroup:
        for name, each in values.groupby(known[options.subgroup].astype(str), sort=True):
            groups[str(name)] = (int(each.sum()), len(each))
    return groups, len(rows) - len(known)


def _result(groups: dict[str, tuple[int, int]], options: ProportionOptions, *, unknown: int) -> Result:
    successes, trials = groups["all"]
    _check_counts(successes, trials)
    estimates = [_estimate("proportion", *groups["all"], options)]
    estimates += [
        _estimate("proportion", *groups[name], options, group=name) for name in groups if name != "all"
    ]
    if unknown:
        estimates.append(_estimate("proportion_if_none", successes, trials + unknown, options))
        estimates.append(_estimate("proportion_if_all", successes + unknown, trials + unknown, options))
    return Result(
        method="proportion",
        estimand="descriptive",
        outcome=options.outcome,
        estimates=tuple(estimates),
        checks=(_small(successes, trials), *_lost(unknown, trials)),
        detail={"groups": _table(groups, options)},
        references=(
            {"wilson": "wilson1927", "clopper_pearson": "clopper1934"}.get(options.interval, "brown2001"),
        ),
    )


def _estimate(
    term: str, successes: int, trials: int, options: ProportionOptions, group: str | None = None
) -> Estimate:
    value = successes / trials
    low, high = PROPORTION_INTERVALS[options.interval](successes, trials, options.level)
    return Estimate(
        term=term, measure="proportion", estimate=value, std_error=math.sqrt(value * (1 - value) / trials),
        conf_low=low, conf_high=high, level=options.level, interval=options.interval, n_treated=trials,
        group=group, unit=UNIT,
    )  # fmt: skip


def _table(groups: dict[str, tuple[int, int]], options: ProportionOptions) -> pd.DataFrame:
    rows = []
    for name, (successes, trials) in groups.items():
        low, high = PROPORTION_INTERVALS[options.interval](successes, trials, options.level)
        rows.append((name, trials, successes, successes / trials, low, high))
    return pd.DataFrame(rows, columns=["group", "n", "events", "value", "conf_low", "conf_high"])


def _small(successes: int, trials: int) -> Check:
    smallest = min(successes, trials - successes)
    enough = smallest >= SMALL_CELL and trials >= SMALL_BASE
    return Check(
        name="small_counts",
        null="the counts are large enough for a percentage to stand alone",
        statistic=smallest,
        threshold=SMALL_CELL,
        passed=enough,
        reading=f"{successes} of {trials}."
        if enough
        else f"{successes} of {trials}: print the counts beside the percentage.",
        next_step="" if enough else "Read the interval first: so few people leave a wide range.",
    )


def _lost(unknown: int, trials: int) -> tuple[Check, ...]:
    if not unknown:
        return ()
    share = unknown / (trials + unknown)
    return (
        Check(
            name="attrition",
            null="those whose outcome is not known are like the others",
            statistic=share,
            reading=f"The outcome of {unknown} of {trials + unknown} people ({share:.0%}) is not known.",
            next_step="Read the bounds: the share if none, and if all, of them had the outcome.",
        ),
    )


def _check_counts(successes: int, trials: int) -> None:
    if trials < 1:
        raise DataError("nobody has a known outcome", where="proportion", found=str(trials))
    if not 0 <= successes <= trials:
        raise DataError(
            "`successes` must lie between 0 and `trials`",
            where="proportion",
            found=f"{successes} of {trials}",
        )
