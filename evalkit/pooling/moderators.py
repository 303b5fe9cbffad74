"""Meta-regression: how far characteristics of the studies account for the differences between their effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from evalkit.errors import DataError, EstimationError
from evalkit.intervals import chi_square_p
from evalkit.pooling.pooling import Pooled, pool
from evalkit.results import Estimate

if TYPE_CHECKING:
    from evalkit.pooling.method import MetaOptions


def regression(table: pd.DataFrame, tau2: float, options: MetaOptions) -> list[Estimate]:
    """Coefficients, the variance left between studies, the share accounted for, and the test of all moderators.

    `tau2` is the variance between studies without moderators. A category has a coefficient for every value but the
    first in alphabetical order. R² is 100 (tau² − residual tau²) / tau², never below 0.
    """
    names, design = design_of(table, options.moderators)
    if len(table) <= design.shape[1]:
        raise EstimationError(
            "there are no more studies than coefficients", where="meta, `moderators`",
            found=f"{len(table)} studies, {design.shape[1]} coefficients", do="Use fewer moderators",
        )  # fmt: skip
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise EstimationError(
            "the moderators cannot be told apart in these studies", where="meta, `moderators`"
        )
    y, v = table["estimate"].to_numpy(), table["std_error"].to_numpy() ** 2
    fit = pool(y, v, design, estimator=options.estimator, interval=options.kind)
    made = [_coefficient(fit, place, name, options) for place, name in enumerate(names)]
    made.append(Estimate(term="tau2_residual", measure="tau2", estimate=fit.tau2, level=options.level))
    if tau2 > 0:
        share = 100 * max(0.0, (tau2 - fit.tau2) / tau2)
        made.append(Estimate(term="r2", measure="r2", estimate=share, level=options.level, unit="per cent"))
    return [*made, _all_moderators(fit, options)]


def design_of(table: pd.DataFrame, moderators: tuple[str, ...]) -> tuple[list[str], np.ndarray]:
    """The names and columns of the regression: a constant, numbers as they are, categories as indicators."""
    names, columns = ["intercept"], [np.ones(len(table))]
    for moderator in moderators:
        values = table[moderator]
        if values.isna().any():
            raise DataError(f"`{moderator}` is missing for a study", where="meta, `moderators`")
        if pd.api.types.is_numeric_dtype(values):
            names.append(moderator)
            columns.append(values.to_numpy(float))
            continue
        texts = values.astype(str)
        for category in sorted(set(texts))[1:]:
            names.append(f"{moderator}: {category}")
            columns.append((texts == category).to_numpy(float))
    return names, np.column_stack(columns)


def _coefficient(fit: Pooled, place: int, name: str, options: MetaOptions) -> Estimate:
    found = fit.interval(place, level=options.level)
    return Estimate(
        term=name, measure=options.measure, estimate=float(fit.coefficients[place]), std_error=found.std_error,
        statistic=found.statistic, df=fit.df, p_value=found.p_value, conf_low=found.low, conf_high=found.high,
        level=options.level, interval="hartung_knapp" if fit.df else "normal",
    )  # fmt: skip


def _all_moderators(fit: Pooled, options: MetaOptions) -> Estimate:
    """Wald test of every coefficient but the constant: chi-square, or F under Hartung-Knapp."""
    slopes = fit.coefficients[1:]
    statistic = float(slopes @ np.linalg.solve(fit.covariance[1:, 1:], slopes))
    if fit.df:
        statistic /= len(slopes)
        p_value = float(fdtrc(len(slopes), fit.df, statistic))
    else:
        p_value = chi_square_p(statistic, len(slopes))
    return Estimate(
        term="moderators", measure="f" if fit.df else "chi_square", estimate=statistic, statistic=statistic,
        df=len(slopes), p_value=p_value, level=options.level,
    )  # fmt: skip
