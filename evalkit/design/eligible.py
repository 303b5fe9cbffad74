"""The people whom a design may use: both arms there, covariates whole, somebody like them, and their score."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from evalkit.design.choices import WHERE, DesignOptions
from evalkit.design.covariates import (
    Column,
    missing_by_covariate,
    one_arm_only,
    read_columns,
    refuse_constant,
    showable,
)
from evalkit.design.score import logistic_score
from evalkit.errors import DataError, DesignError
from evalkit.options import require_columns

SCORED = ("nearest", "radius", "subclass", "inverse_probability", "entropy", "overlap")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Eligible:
    """Rows that a method may use (positions in the frame), their arms, columns, strata and score; and who was lost.

    `columns` are the covariates', `beside` those that people only match exactly on: for the balance table.
    """

    rows: np.ndarray
    treated: np.ndarray
    columns: list[Column]
    beside: list[Column] = field(default_factory=list)
    strata: np.ndarray | None = None
    logit: np.ndarray | None = None
    lost: tuple[tuple[np.ndarray, str], ...] = ()
    aliased: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def probability(self) -> np.ndarray:
        return expit(self.logit)

    def width(self, caliper: float | None) -> float | None:
        """The caliper on the scale of the logit: standard deviations over all units, divisor n−1."""
        return None if caliper is None else caliper * float(self.logit.std(ddof=1))


def arms_of(people: pd.DataFrame, options: DesignOptions) -> np.ndarray:
    """True for the treated; refuses a frame whose columns, index, arms or persons cannot make a comparison."""
    require_columns(people, [options.treated, *options.covariates, *options.exact], where=WHERE)
    if not people.index.is_unique:
        raise DataError(
            "the index of the frame repeats, so rows cannot be told apart", where=WHERE, do="Reset it"
        )
    column = people[options.treated]
    if column.isna().any() or not column.isin([0, 1]).all():
        raise DataError(
            f"`{options.treated}` must be 0 or 1 in every row", where=WHERE, do="Mend the arms first"
        )
    treated = column.to_numpy() == 1
    _refuse_empty(treated, "the frame holds nobody of it")
    if options.person_id in people.columns:
        _refuse_both_arms(people[options.person_id], treated)
    return treated


def eligible(people: pd.DataFrame, treated: np.ndarray, options: DesignOptions) -> Eligible:
    """Read the covariates, set aside whom the method cannot use, and fit the score where the method needs one."""
    if options.method == "none":
        columns = read_columns(people, options.covariates, where=WHERE)
        return Eligible(rows=np.arange(len(people)), treated=treated, columns=columns)
    needed = tuple(dict.fromkeys((*options.covariates, *options.exact)))
    lost = [(rows, f"missing covariate: {name}") for name, rows in missing_by_covariate(people, needed)]
    found = _kept(people, treated, lost, options)
    _refuse_empty(found.treated, "everybody in it has a missing covariate")
    if options.method == "exact":
        return replace(found, strata=_strata(people, found.rows, needed))
    refuse_constant(found.columns, where=WHERE)
    alone = _without_counterpart(found, options)
    if alone:
        lost += alone
        found = _kept(people, treated, lost, options)
    _refuse_empty(found.treated, "nobody in it is like anybody in the other arm")
    if options.exact:
        found = replace(found, strata=_strata(people, found.rows, options.exact))
    if options.method not in SCORED:
        return found
    score = logistic_score(found.columns, found.treated, where=WHERE)
    return replace(found, logit=score.logit, aliased=score.aliased)


def _kept(
    people: pd.DataFrame, treated: np.ndarray, lost: list[tuple[np.ndarray, str]], options: DesignOptions
) -> Eligible:
    modelled = () if options.method == "exact" else options.covariates
    columns = read_columns(people, modelled, where=WHERE)
    others = dict.fromkeys(name for name in (*options.covariates, *options.exact) if name not in modelled)
    beside = read_columns(people, [name for name in others if showable(people[name])], where=WHERE)
    if not lost:
        return Eligible(rows=np.arange(len(people)), treated=treated, columns=columns, beside=beside)
    rows = np.delete(np.arange(len(people)), np.concatenate([gone for gone, _ in lost]))
    columns, beside = [column.at(rows) for column in columns], [column.at(rows) for column in beside]
    return Eligible(rows=rows, treated=treated[rows], columns=columns, beside=beside, lost=tuple(lost))


def _without_counterpart(found: Eligible, options: DesignOptions) -> list[tuple[np.ndarray, str]]:
    """Controls with a value that no treated person has, to be left out; the other way round nothing can be done."""
    lost, taken = [], np.zeros(found.size, dtype=bool)
    for column, value, only_treated, places in one_arm_only(found.columns, found.treated):
        held = column.name if " = " in column.name else f"{column.name} = {value:g}"
        if " = " in column.name and value == 0:
            continue  # everybody but one level: said again by the other levels
        if only_treated or options.estimand != "att":
            arm, other = ("treated", "control") if only_treated else ("control", "treated")
            raise DesignError(
                f"everybody with {held} is in the {arm} arm, so there is no overlap (separation) for them",
                where=WHERE,
                do=f"Group that value with another, leave these people out, or find people of the {other} arm with it",
            )
        places = places[~taken[places]]
        taken[places] = True
        if len(places):
            lost.append((found.rows[places], f"no treated person with {held}"))
    return lost


def _strata(people: pd.DataFrame, rows: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    return people[list(names)].iloc[rows].groupby(list(names), sort=True, observed=True).ngroup().to_numpy()


def _refuse_empty(treated: np.ndarray, why: str) -> None:
    if treated.all() or not treated.any():
        raise DesignError(
            f"the {'control' if treated.all() else 'treated'} arm is empty: {why}",
            where=WHERE,
            do="Check the data of that arm, use fewer covariates, or find other people to compare with",
        )


def _refuse_both_arms(person: pd.Series, treated: np.ndarray) -> None:
    both = int(person[~treated].isin(person[treated].unique()).sum())
    if both:
        raise DataError(
            "the same person stands in both arms",
            where=WHERE,
            found=f"{both} control rows",
            do="Keep each person in one arm",
        )
