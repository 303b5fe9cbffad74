"""Answers to a survey: of those who answered, how many agreed, and how many of those asked they were."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit.errors import DataError, StudyError
from evalkit.intervals import wilson
from evalkit.options import require_columns, takes
from evalkit.results import Check, Estimate, Result

ENOUGH_ANSWERED = 0.6  # a convention, not a test: at 60% the missing could still turn most majorities round
SMALL_CELL, SMALL_BASE = 10, 20
LARGEST_SEARCHED = 20_000
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class SurveyOptions:
    """Numbers, or the names of columns with one row per question. See `survey`."""

    answered: int | str | None = None
    agreed: int | str | None = None
    invited: int | str | None = None
    question: str | None = None
    percentages: tuple[float, ...] = ()
    baseline: bool | None = None
    design_effect: float = 1.0
    outcome: str = ""
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise StudyError("`level` lies between 0 and 1, such as 0.95", found=str(self.level))
        if self.design_effect < 1:
            raise StudyError("`design_effect` is 1 or more", where="survey", found=self.design_effect)
        if (self.agreed is None) == (not self.percentages):
            raise StudyError("give either `agreed` or `percentages`", where="survey")
        if self.answered is None:
            raise _no_number(self.percentages)
        if self.percentages and isinstance(self.answered, str):
            raise StudyError("with `percentages`, `answered` is one number", where="survey")


@takes(SurveyOptions)
def survey(frame: pd.DataFrame | None, options: SurveyOptions) -> Result:
    """The share of those who answered that agreed, with a Wilson interval, beside the share of those asked who did.

    Parameters
    ----------
    frame
        One row per question, where options name columns, or one row per person with 0, 1 or nothing in each; not
        read where the options are numbers.
    invited
        How many were asked. Where it is not known, nothing is said of the response, and a Check says so.
    answered
        How many answered the question. Required: a percentage of an unknown number means nothing.
    agreed
        How many of them gave the answer in question.
    question
        Column that names each row (default: `question`, or the rows are numbered).
    percentages
        Printed percentages in place of `agreed`: every whole number that rounds to each is considered.
    baseline
        Whether the same people were asked before the programme; false or unknown limits what may be said.
    design_effect
        Variance over that of a simple random sample, where people were sampled in groups.
    outcome, level
        What was asked, in words; the level of the intervals.

    Returns
    -------
    Result
        Term `proportion_of_answered`, one per question with `group` its name; where some did not answer also
        `proportion_if_none` and `proportion_if_all` of the first question, were none or all of them to agree. Frame
        `answers`: group, invited, answered, agreed, value, conf_low, conf_high.

    Raises
    ------
    StudyError, DataError
        `answered` is not given, more agreed than answered, more answered than invited, an impossible percentage.

    Assumes
    -------
    Those who answered stand for those asked (Check `response_rate`); answers are what people think (Check `baseline`).

    Notes
    -----
    With a design effect the Wilson interval is that of answered / design effect people.

    References
    ----------
    Wilson (1927).

    Examples
    --------
    >>> round(survey(invited=200, answered=120, agreed=66).headline.estimate, 2)
    0.55
    """
    table = _table(frame, options)
    estimates = [_estimate(row, options) for row in table.itertuples()]
    estimates += _if_the_rest(table.iloc[0], options)
    first = table.iloc[0]
    return Result(
        method="survey",
        estimand="descriptive",
        outcome=options.outcome,
        estimates=tuple(estimates),
        checks=(_response(first), _baseline(options.baseline), _small(table), *_rounded(table, options)),
        detail={"answers": _detail(table, estimates)},
        references=("wilson1927",),
    )


def possible_counts(percentage: float, n: int, *, places: int = 0) -> list[int]:
    """The whole numbers out of n that print as this percentage at so many decimal places, halves either way."""
    half = 0.5 / 10**places + ROUNDING
    first, last = math.ceil((percentage - half) * n / 100), math.floor((percentage + half) * n / 100)
    return list(range(max(first, 0), min(last, n) + 1))


def smallest_possible_n(percentages: Iterable[float], *, places: int = 0) -> int:
    """The smallest number of people of whom all these rounded percentages are possible.

    Raises
    ------
    DataError
        A percentage outside 0 to 100, or none at all.

    Examples
    --------
    >>> smallest_possible_n([59, 56, 53, 51])
    59
    """
    wanted = list(percentages)
    if not wanted or not all(0 <= each <= 100 for each in wanted):
        raise DataError("percentages lie between 0 and 100, and there must be at least one", where="survey")
    for n in range(1, LARGEST_SEARCHED + 1):
        if all(possible_counts(each, n, places=places) for each in wanted):
            return n
    raise DataError("no number of people gives these percentages", where="survey")


def _no_number(percentages: tuple[float, ...]) -> StudyError:
    least = f" At least {smallest_possible_n(percentages)} people must have answered" if percentages else ""
    return StudyError(
        "percentages with no number of people who answered cannot be read",
        where="survey, `answered`",
        do=f"Ask the source how many answered.{least}",
    )


def _table(frame: pd.DataFrame | None, options: SurveyOptions) -> pd.DataFrame:
    """Group, invited, answered, and the least and greatest that can have agreed; one row per question."""
    if options.percentages:
        return _from_percentages(options)
    given = {name: getattr(options, name) for name in ("invited", "answered", "agreed")}
    columns = [value for value in given.values() if isinstance(value, str)]
    if columns and (frame is None or frame.empty):
        raise DataError("the options name columns, and there is no row to read them from", where="survey")
    if columns and frame is not None:
        require_columns(frame, [*columns, options.question], where="survey")
        frame = _of_people(frame, columns, options.question)
    rows = len(frame) if columns and frame is not None else 1
    table = pd.DataFrame(
        {"group": _names(frame if columns else None, options.question, rows)}, index=range(rows)
    )
    for name, value in given.items():
        table[name] = _numbers(frame, name, value, rows)
    _refuse_impossible(table)
    return table.assign(least=table["agreed"], most=table["agreed"])


def _of_people(frame: pd.DataFrame, columns: list[str], question: str | None) -> pd.DataFrame:
    """One row of counts where every row is a person: 0, 1 or nothing in each column, and no question named."""
    if len(frame) < 2 or question or "question" in frame.columns:
        return frame
    numbers = frame[columns].apply(pd.to_numeric, errors="coerce")
    people = (numbers.isin([0, 1]) | frame[columns].isna()).all(axis=None)
    return numbers.sum().to_frame().T if people else frame


def _names(frame: pd.DataFrame | None, question: str | None, rows: int) -> list[str | None]:
    if frame is None:
        return [None]
    name = question or ("question" if "question" in frame.columns else None)
    if name is None:
        return [None] if rows == 1 else [f"question {number}" for number in range(1, rows + 1)]
    return frame[name].astype(str).tolist()


def _numbers(frame: pd.DataFrame | None, name: str, value: Any, rows: int) -> list[float]:
    if not isinstance(value, str) or frame is None:
        return [float("nan") if value is None else float(value)] * rows
    numbers = pd.to_numeric(frame[value], errors="coerce")
    if numbers.isna().any() and name != "invited":
        lacking = int(numbers.isna().sum())
        raise DataError(
            f"`{name}` is missing for {lacking} of {rows} questions; percentages with no number cannot be read",
            where=f"survey, column `{value}`",
        )
    return numbers.astype(float).tolist()


def _refuse_impossible(table: pd.DataFrame) -> None:
    for name in ("invited", "answered", "agreed"):
        values = table[name].dropna()
        if ((values < 0) | (values != values.round())).any():
            raise DataError(f"`{name}` counts people, so it is a whole number of 0 or more", where="survey")
    if (table["answered"] < 1).any():
        raise DataError("nobody answered, so there is no share to give", where="survey, `answered`")
    for part, whole in (("agreed", "answered"), ("answered", "invited")):
        if (table[part] > table[whole]).any():
            raise DataError(f"more people are counted under `{part}` than under `{whole}`", where="survey")


def _from_percentages(options: SurveyOptions) -> pd.DataFrame:
    rows = []
    for number, percentage in enumerate(options.percentages, start=1):
        counts = possible_counts(percentage, options.answered)
        if not counts:
            raise DataError(
                "this percentage is not possible of so many people",
                where="survey, `percentages`",
                found=f"{percentage:g}% of {options.answered}",
                do=f"At least {smallest_possible_n(options.percentages)} must have answered",
            )
        middle = min(counts, key=lambda count: abs(100 * count / options.answered - percentage))
        rows.append({"group": f"question {number}", "agreed": middle, "least": counts[0], "most": counts[-1]})
    invited = float("nan") if options.invited is None else options.invited
    if isinstance(invited, str):
        raise StudyError("with `percentages`, `invited` is one number", where="survey")
    table = pd.DataFrame(rows).assign(answered=float(options.answered), invited=float(invited))
    _refuse_impossible(table)
    return table


def _limits(least: float, most: float, answered: float, options: SurveyOptions) -> tuple[float, float]:
    effect = options.design_effect
    low, _ = wilson(least / effect, answered / effect, options.level)
    _, high = wilson(most / effect, answered / effect, options.level)
    return low, high


def _estimate(row: Any, options: SurveyOptions) -> Estimate:
    low, high = _limits(row.least, row.most, row.answered, options)
    share = row.agreed / row.answered
    return Estimate(
        term="proportion_of_answered", measure="proportion", estimate=share,
        std_error=math.sqrt(options.design_effect * share * (1 - share) / row.answered), conf_low=low, conf_high=high,
        level=options.level, interval="wilson", n_treated=int(row.answered), group=row.group, unit="proportion",
    )  # fmt: skip


def _if_the_rest(row: pd.Series, options: SurveyOptions) -> list[Estimate]:
    silent = row["invited"] - row["answered"]
    if not silent > 0:
        return []
    cases = {"proportion_if_none": row["agreed"], "proportion_if_all": row["agreed"] + silent}
    return [
        Estimate(
            term=term, measure="proportion", estimate=agreed / row["invited"], level=options.level,
            n_treated=int(row["invited"]), group=row["group"], unit="proportion",
        )
        for term, agreed in cases.items()
    ]  # fmt: skip


def _detail(table: pd.DataFrame, estimates: list[Estimate]) -> pd.DataFrame:
    out = table[["group", "invited", "answered", "agreed"]].copy()
    out = out.astype({"invited": "Int64", "answered": int, "agreed": int})
    answers = estimates[: len(table)]
    return out.assign(
        value=[each.estimate for each in answers],
        conf_low=[each.conf_low for each in answers],
        conf_high=[each.conf_high for each in answers],
    )


def _response(row: pd.Series) -> Check:
    known = row["invited"] > 0
    rate = row["answered"] / row["invited"] if known else None
    return Check(
        name="response_rate",
        null="those who answered are like those who were asked",
        statistic=rate,
        threshold=ENOUGH_ANSWERED,
        passed=bool(rate >= ENOUGH_ANSWERED) if known else False,
        reading=f"{row['answered']:,.0f} of the {row['invited']:,.0f} people asked answered ({rate:.0%})."
        if known
        else f"{row['answered']:,.0f} people answered; how many were asked is not known.",
        next_step=""
        if known and rate >= ENOUGH_ANSWERED
        else "Say beside every percentage who may be missing from it.",
    )


def _baseline(asked_before: bool | None) -> Check:
    words = {True: "The same people were also asked before.", False: "Nobody was asked before the programme."}
    return Check(
        name="baseline",
        null="the answers can be set beside those before the programme",
        passed=asked_before,
        reading=words.get(asked_before, "Whether anybody was asked before the programme is not said."),
        next_step="" if asked_before else "Word the answers as what people said, not as a change.",
    )


def _small(table: pd.DataFrame) -> Check:
    smallest = int(min(table["agreed"].min(), (table["answered"] - table["agreed"]).min()))
    enough = smallest >= SMALL_CELL and table["answered"].min() >= SMALL_BASE
    return Check(
        name="small_counts",
        null="the counts are large enough for a percentage to stand alone",
        statistic=smallest,
        threshold=SMALL_CELL,
        passed=bool(enough),
        reading=f"The smallest count behind a percentage is {smallest:,}.",
        next_step="" if enough else "Print the counts beside the percentage, and read the interval first.",
    )


def _rounded(table: pd.DataFrame, options: SurveyOptions) -> tuple[Check, ...]:
    if not options.percentages:
        return ()
    spread = [
        f"{low:g}" if low == high else f"{low:g} to {high:g}"
        for low, high in zip(table.least, table.most, strict=True)
    ]
    return (
        Check(
            name="possible_percentages",
            null="the printed percentages are possible of the number who answered",
            statistic=smallest_possible_n(options.percentages),
            passed=True,
            reading=f"Of {options.answered:,} who answered, the percentages stand for {', '.join(spread)} people.",
        ),
    )
