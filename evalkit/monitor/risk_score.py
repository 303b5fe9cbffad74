"""How well a score that flags people does, group by group: it is checked here, never built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, StudyError
from evalkit.intervals import newcombe, wilson
from evalkit.options import require_columns, takes
from evalkit.results import Check, Estimate, Result

# rate: (those it is about, those among them who count)
RATES = {
    "sensitivity": ("outcome", "flagged"),
    "specificity": ("no_outcome", "not_flagged"),
    "positive_predictive_value": ("flagged", "outcome"),
    "flagged_share": ("everybody", "flagged"),
}
FEWEST, FEW_EVENTS = 2, 10


@dataclass(frozen=True, kw_only=True)
class RiskScoreOptions:
    """Columns of the score, the outcome and the groups. See `risk_score`."""

    score: str
    outcome: str
    threshold: float
    group: str | None = None
    bands: int = 5
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.bands < FEWEST:
            raise StudyError("`bands` is 2 or more", where="risk_score", found=self.bands)
        if not 0 < self.level < 1:
            raise StudyError("`level` lies between 0 and 1, such as 0.95", found=str(self.level))


@takes(RiskScoreOptions)
def risk_score(people: pd.DataFrame, options: RiskScoreOptions) -> Result:
    """Accuracy of a risk score at a threshold, its calibration, and how both differ between groups.

    Parameters
    ----------
    people
        One row per person, for whom the outcome was waited for without the score deciding what was done.
    score
        Column from 0 to 1 that is said to be the chance of the outcome.
    outcome
        Column of 0 and 1.
    threshold
        People at or above it are flagged.
    group
        Column of categories to compare; the largest group is the one others are set against.
    bands
        Bands of the score for the calibration frame, of equal size but that equal scores stay together.

    Returns
    -------
    Result
        Term `sensitivity` (of those with the outcome, the share flagged), then `specificity`,
        `positive_predictive_value` (of those flagged, the share with the outcome), `flagged_share` and
        `observed_over_expected`, each also by `group`; and differences to the largest group, terms ending
        `_difference` (Newcombe interval), in percentage points. Frames `accuracy` (group, measure, events, n, value,
        conf_low, conf_high) and `calibration` (group, band, n, events, value, mean_score).

    Raises
    ------
    StudyError, DataError
        A score outside 0 to 1, an outcome other than 0 and 1, a missing value.

    Assumes
    -------
    The outcome is what happens, not what is recorded of those who are watched (Check `recording`). Groups with
    different base rates cannot have both equal sensitivity and specificity and equal predictive value (Chouldechova
    2017): say beforehand which matters. Check `few_events`: groups with too few outcomes to be told apart.

    References
    ----------
    Wilson (1927); Newcombe (1998); Chouldechova (2017).

    Examples
    --------
    >>> people = pd.DataFrame({"score": [0.9, 0.8, 0.2, 0.1, 0.7], "returned": [1, 0, 0, 0, 1]})
    >>> risk_score(people, score="score", outcome="returned", threshold=0.5).headline.estimate
    1.0
    """
    table = _table(people, options)
    accuracy = pd.DataFrame(_accuracy(table, options))
    estimates = [
        *_estimates(accuracy, options),
        *_calibration_ratios(table, options),
        *_gaps(accuracy, options),
    ]
    return Result(
        method="risk_score",
        estimand="descriptive",
        outcome=options.outcome,
        estimates=tuple(estimates),
        checks=(_few_events(table), _recording()),
        detail={"accuracy": accuracy, "calibration": _calibration(table, options)},
        references=("wilson1927", "newcombe1998", "chouldechova2017"),
    )


def _table(people: pd.DataFrame, options: RiskScoreOptions) -> pd.DataFrame:
    require_columns(people, [options.score, options.outcome, options.group], where="risk_score")
    score = pd.to_numeric(people[options.score], errors="coerce")
    outcome = pd.to_numeric(people[options.outcome], errors="coerce")
    if people.empty or score.isna().any() or not score.between(0, 1).all():
        raise DataError(f"`{options.score}` must be a number from 0 to 1 for everybody", where="risk_score")
    if not outcome.isin([0, 1]).all():
        raise DataError(f"`{options.outcome}` must hold 0 and 1 only", where="risk_score")
    group = people[options.group].astype(str) if options.group else "all"
    return pd.DataFrame(
        {"score": score, "outcome": outcome == 1, "flagged": score >= options.threshold, "group": group}
    )


def _parts(table: pd.DataFrame) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Everybody, then each group from the largest; equal sizes in alphabetical order."""
    yield None, table
    sizes = table["group"].value_counts()
    if len(sizes) > 1:
        for name in sorted(sizes.index, key=lambda each: (-sizes[each], each)):
            yield name, table[table["group"] == name]


def _accuracy(table: pd.DataFrame, options: RiskScoreOptions) -> Iterator[dict[str, object]]:
    for name, part in _parts(table):
        sets = {
            "outcome": part["outcome"], "no_outcome": ~part["outcome"], "flagged": part["flagged"],
            "not_flagged": ~part["flagged"], "everybody": pd.Series(True, index=part.index),
        }  # fmt: skip
        for measure, (among, which) in RATES.items():
            n, events = int(sets[among].sum()), int((sets[among] & sets[which]).sum())
            low, high = wilson(events, n, options.level) if n else (np.nan, np.nan)
            yield {
                "group": name or "all", "measure": measure, "events": events, "n": n,
                "value": events / n if n else np.nan, "conf_low": low, "conf_high": high,
            }  # fmt: skip


def _estimates(accuracy: pd.DataFrame, options: RiskScoreOptions) -> list[Estimate]:
    return [
        Estimate(
            term=row.measure, measure="proportion", estimate=row.value, conf_low=row.conf_low, conf_high=row.conf_high,
            level=options.level, interval="wilson", n_treated=row.n, group=None if row.group == "all" else row.group,
            unit="proportion",
        )
        for row in accuracy.itertuples()
    ]  # fmt: skip


def _calibration_ratios(table: pd.DataFrame, options: RiskScoreOptions) -> list[Estimate]:
    """Outcomes over the sum of scores: 1 where the score is right on average."""
    made = []
    for name, part in _parts(table):
        events, expected, n = float(part["outcome"].sum()), float(part["score"].sum()), len(part)
        low, high = (
            (each * n / expected for each in wilson(events, n, options.level)) if expected else (None, None)
        )
        made.append(
            Estimate(
                term="observed_over_expected", measure="ratio", estimate=events / expected if expected else None,
                conf_low=low, conf_high=high, level=options.level, interval="wilson", n_treated=n, group=name,
                unit="ratio",
            )
        )  # fmt: skip
    return made


def _gaps(accuracy: pd.DataFrame, options: RiskScoreOptions) -> list[Estimate]:
    """Each group less the largest, for each rate, in percentage points."""
    groups = [name for name in dict.fromkeys(accuracy["group"]) if name != "all"]
    rows = accuracy.set_index(["group", "measure"])
    made = []
    for measure in RATES:
        for name in groups[1:]:
            one, other = rows.loc[(name, measure)], rows.loc[(groups[0], measure)]
            if not (one["n"] and other["n"]):
                continue
            low, high = newcombe(one["events"], one["n"], other["events"], other["n"], options.level)
            made.append(
                Estimate(
                    term=f"{measure}_difference", measure="risk_difference",
                    estimate=100 * (one["value"] - other["value"]), conf_low=100 * low, conf_high=100 * high,
                    level=options.level, interval="newcombe", n_treated=int(one["n"]), n_control=int(other["n"]),
                    group=name, unit="percentage points",
                )
            )  # fmt: skip
    return made


def _calibration(table: pd.DataFrame, options: RiskScoreOptions) -> pd.DataFrame:
    """The share with the outcome beside the mean score, in bands of equal size but that equal scores stay together."""
    rank = table["score"].rank(method="min") - 1
    banded = table.assign(band=(rank * options.bands // len(table)).astype(int) + 1)
    rows = []
    for name, part in _parts(banded):
        for band, here in part.groupby("band", sort=True):
            rows.append({
                "group": name or "all", "band": band, "n": len(here), "events": int(here["outcome"].sum()),
                "value": here["outcome"].mean(), "mean_score": here["score"].mean(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _few_events(table: pd.DataFrame) -> Check:
    counts = table.groupby("group")["outcome"].agg(["sum", "size"])
    fewest = int(np.minimum(counts["sum"], counts["size"] - counts["sum"]).min())
    return Check(
        name="few_events",
        null="every group has enough people with and without the outcome",
        statistic=fewest,
        threshold=FEW_EVENTS,
        passed=fewest >= FEW_EVENTS,
        reading=f"The smallest such number in a group is {fewest}.",
        next_step="" if fewest >= FEW_EVENTS else "Do not read differences between groups: too few outcomes.",
    )


def _recording() -> Check:
    return Check(
        name="recording",
        null="the outcome is recorded alike in every group",
        reading="Whether some groups are watched, and so recorded, more than others cannot be seen in these data.",
        next_step="Ask how the outcome comes to be recorded, and use one that the score's use cannot change.",
    )
