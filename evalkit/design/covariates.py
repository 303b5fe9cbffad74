"""Covariates as columns of numbers: flags as they are, categories as dummies, missing and hopeless values by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, DesignError

MOST_LEVELS = 100


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Column:
    """One column of numbers made from a covariate.

    `reference` marks the first level of a category in sorted order: a model leaves it out, a balance table shows it.
    """

    name: str
    covariate: str
    values: np.ndarray
    binary: bool
    reference: bool = False

    def at(self, rows: np.ndarray) -> Column:
        """The same column for some rows only."""
        return Column(
            name=self.name,
            covariate=self.covariate,
            values=self.values[rows],
            binary=self.binary,
            reference=self.reference,
        )


def read_columns(people: pd.DataFrame, covariates: Sequence[str], *, where: str = "design") -> list[Column]:
    """Each covariate as one column (a number or a flag) or one column per level (a category), missing as NaN."""
    return [column for name in covariates for column in _from_covariate(people[name], name, where)]


def showable(values: pd.Series) -> bool:
    """Whether a column that people only match exactly on can stand in a balance table: no dates, no long list."""
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        return False
    return pd.api.types.is_numeric_dtype(values) or values.nunique() <= MOST_LEVELS


def missing_by_covariate(people: pd.DataFrame, covariates: Iterable[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Each covariate that has missing values, with the rows where it is the first one missing."""
    seen = np.zeros(len(people), dtype=bool)
    for name in covariates:
        gone = people[name].isna().to_numpy() & ~seen
        if gone.any():
            seen |= gone
            yield name, np.flatnonzero(gone)


def refuse_constant(columns: Iterable[Column], *, where: str = "design") -> None:
    """Refuse a covariate that has one value for everybody."""
    varied: dict[str, bool] = {}
    for column in columns:
        varies = bool(column.values.min() != column.values.max())
        varied[column.covariate] = varied.get(column.covariate, False) or varies
    for name, varies in varied.items():
        if not varies:
            raise DesignError(
                f"the covariate `{name}` has one value for everybody, so it cannot tell people apart",
                where=where,
                do="Take it out of `covariates`, or check that the right column was read",
            )


def one_arm_only(
    columns: Iterable[Column], treated: np.ndarray
) -> Iterator[tuple[Column, float, bool, np.ndarray]]:
    """Values of a flag or category found in one arm only: column, value, whether in the treated arm, its rows."""
    for column in columns:
        if not column.binary:
            continue
        for value in (0.0, 1.0):
            rows = column.values == value
            n, n_treated = int(rows.sum()), int((rows & treated).sum())
            if n and n_treated in (0, n):
                yield column, value, n_treated == n, np.flatnonzero(rows)


def _from_covariate(values: pd.Series, name: str, where: str) -> list[Column]:
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        raise DataError(
            f"the covariate `{name}` holds dates",
            where=where,
            do="Turn it into a number first (age in years, months since a fixed day)",
        )
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return [_numeric(values, name, where)]
    return _levels(values, name, where)


def _numeric(values: pd.Series, name: str, where: str) -> Column:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(numbers).any():
        raise DataError(
            f"the covariate `{name}` holds an infinite value", where=where, do="Mend it or leave it blank"
        )
    seen = numbers[~np.isnan(numbers)]
    return Column(name=name, covariate=name, values=numbers, binary=bool(((seen == 0) | (seen == 1)).all()))


def _levels(values: pd.Series, name: str, where: str) -> list[Column]:
    codes, found = pd.factorize(values.astype("str").where(values.notna()), sort=True)
    if len(found) > MOST_LEVELS:
        raise DesignError(
            f"the covariate `{name}` has more than {MOST_LEVELS} different values",
            where=where,
            found=f"{len(found)} values",
            do="An identifier is not a covariate; if it is a category, group its values first",
        )
    gone = codes < 0
    return [
        Column(
            name=f"{name} = {level}",
            covariate=name,
            values=np.where(gone, np.nan, codes == position),
            binary=True,
            reference=position == 0,
        )
        for position, level in enumerate(found)
    ]
