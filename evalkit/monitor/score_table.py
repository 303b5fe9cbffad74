"""The rows that a check of a risk score rests on: what is wrong with them, and the sound ones as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Problem
from evalkit.options import require_columns

if TYPE_CHECKING:
    from evalkit.monitor.risk_score import RiskScoreOptions

EVERYBODY = "all"
MOST_GROUPS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreTable:
    """People in order of their score. `code` says which of `names` each belongs to; the largest group comes first.

    `left_out`: reason to the number of people who lack something; `rows` counts everybody.
    """

    score: np.ndarray
    outcome: np.ndarray
    flagged: np.ndarray
    code: np.ndarray
    names: tuple[str, ...]
    rows: int
    left_out: Mapping[str, int]

    def parts(self) -> Iterator[tuple[str | None, np.ndarray, np.ndarray]]:
        """Score and outcome, in order of the score: of everybody, then of each group."""
        yield None, self.score, self.outcome
        for code, name in enumerate(self.names):
            mine = self.code == code
            yield name, self.score[mine], self.outcome[mine]


def score_table(people: pd.DataFrame, options: RiskScoreOptions) -> ScoreTable:
    """The people with a score, an outcome and a group; DataError with everything that is wrong at once."""
    problems = score_problems(people, options)
    if problems:
        raise DataError(problems)
    columns = _columns(people, options)
    lacking, kept = _left_out(columns)
    score, outcome, group = (each[kept] for each in columns)
    order = np.argsort(score, kind="stable")
    code, names = _groups(group, options)
    return ScoreTable(
        score=score[order], outcome=outcome[order] == 1, flagged=score[order] >= options.threshold, code=code[order],
        names=names, rows=len(people), left_out=lacking,
    )  # fmt: skip


def score_problems(people: pd.DataFrame, options: RiskScoreOptions) -> list[Problem]:
    """Everything that is wrong with the rows, in words that name no person and no person's score."""
    try:
        require_columns(people, [options.score, options.outcome, options.group], where="risk_score")
    except DataError as error:
        return list(error.problems)
    if people.empty:
        return [Problem(where="risk_score", wrong="there are no rows")]
    columns = _columns(people, options)
    problems = [*_bad_scores(people, columns[0], options), *_bad_outcomes(people, columns[1], options)]
    if problems:
        return problems
    _, kept = _left_out(columns)
    score, outcome, group = (each[kept] for each in columns)
    if not len(score):
        return [
            Problem(where="risk_score", wrong="nobody has both a score and an outcome, and a group if one is named")
        ]  # fmt: skip
    return [
        *_one_class(outcome, options), *_idle_threshold(score, options),
        *_bad_groups(group, people, options),
    ]  # fmt: skip


def _columns(
    people: pd.DataFrame, options: RiskScoreOptions
) -> tuple[np.ndarray, np.ndarray, pd.Series | np.ndarray]:
    score, outcome = (
        pd.to_numeric(people[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        for name in (options.score, options.outcome)
    )
    group = people[options.group].reset_index(drop=True) if options.group else np.zeros(len(people))
    return score, outcome, group


def _left_out(columns: tuple) -> tuple[dict[str, int], np.ndarray]:
    """Complete cases, and how many lack what; who lacks two things is counted under the first."""
    kept, lacking = np.ones(len(columns[0]), dtype=bool), {}
    for words, values in zip(("no score", "no outcome", "no group"), columns, strict=True):
        missing = np.asarray(pd.isna(values)) & kept
        lacking[words] = int(missing.sum())
        kept &= ~missing
    return lacking, kept


def _bad_scores(people: pd.DataFrame, score: np.ndarray, options: RiskScoreOptions) -> list[Problem]:
    where = f"risk_score, column `{options.score}`"
    words = int((np.isnan(score) & people[options.score].notna().to_numpy()).sum())
    if words or np.isinf(score).any():
        wrong = "a score is a finite number, or missing"
        return [Problem(where=where, wrong=wrong, found=f"{words + int(np.isinf(score).sum())} rows are not")]
    outside = int(((score < 0) | (score > 1)).sum())
    if options.scale == "probability" and outside:
        return [
            Problem(
                where=where, wrong="a score that is said to be a chance lies from 0 to 1",
                found=f"{outside} rows outside",
                do="Correct them, or say `scale: points` of a score that is no chance: it is then not calibrated",
            )
        ]  # fmt: skip
    return []


def _bad_outcomes(people: pd.DataFrame, outcome: np.ndarray, options: RiskScoreOptions) -> list[Problem]:
    known = people[options.outcome].notna().to_numpy()
    other = int((known & ~np.isin(outcome, (0.0, 1.0))).sum())
    if not other:
        return []
    where, found = f"risk_score, column `{options.outcome}`", f"{other} rows hold something else"
    return [Problem(where=where, wrong="the outcome is 0, 1 or missing", found=found)]


def _one_class(outcome: np.ndarray, options: RiskScoreOptions) -> list[Problem]:
    if 0 < outcome.sum() < len(outcome):
        return []
    whom = "everybody" if outcome.all() else "nobody"
    return [
        Problem(
            where=f"risk_score, column `{options.outcome}`", wrong=f"{whom} has the outcome: nothing can be told apart",
            do="Take people, or a period, in which some had it and some did not",
        )
    ]  # fmt: skip


def _idle_threshold(score: np.ndarray, options: RiskScoreOptions) -> list[Problem]:
    flagged = int((score >= options.threshold).sum())
    if 0 < flagged < len(score):
        return []
    side = "below every score, so that everybody" if flagged else "above every score, so that nobody"
    return [
        Problem(
            where="risk_score, `threshold`", wrong=f"it lies {side} is flagged", found=f"{options.threshold:g}",
            do="Give the score from which somebody would act, on the scale of the score",
        )
    ]  # fmt: skip


def _bad_groups(
    group: pd.Series | np.ndarray, people: pd.DataFrame, options: RiskScoreOptions
) -> list[Problem]:
    if options.group is None:
        return []
    where = f"risk_score, column `{options.group}`"
    names = {str(each) for each in pd.unique(group)}
    if isinstance(people[options.group].dtype, pd.CategoricalDtype):
        empty = [str(each) for each in people[options.group].cat.categories if str(each) not in names]
        if empty:
            return [nobody_in(empty, where)]
    if len(names) == 1:
        return [
            Problem(where=where, wrong="there is one group only", do="Leave `group` out: nothing is compared")
        ]
    if len(names) > MOST_GROUPS:
        found = f"{len(names)} groups"
        return [
            Problem(
                where=where, wrong=f"at most {MOST_GROUPS} groups are compared", found=found, do="Merge them"
            )
        ]
    if EVERYBODY in names:
        return [
            Problem(where=where, wrong="a group cannot be called `all`: that is everybody", do="Rename it")
        ]
    return []  # fmt: skip


def nobody_in(groups: list[str], where: str) -> Problem:
    """The problem of groups that are named and that hold nobody with a score and an outcome."""
    do = "Leave the group out of the categories, or say that the score could not be checked for it"
    named = ", ".join(f"`{each}`" for each in groups)
    return Problem(where=where, wrong=f"nobody with a score and an outcome is in {named}", do=do)


def _groups(group: pd.Series | np.ndarray, options: RiskScoreOptions) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes and names, from the largest group; equal sizes in alphabetical order."""
    if options.group is None:
        return np.zeros(len(group), dtype=np.int64), ()
    found, levels = pd.factorize(pd.Series(group))
    names, sizes = [str(each) for each in levels], np.bincount(found, minlength=len(levels))
    order = sorted(range(len(names)), key=lambda each: (-sizes[each], names[each]))
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return place[found], tuple(names[each] for each in order)
