"""Covariates that are missing: imputed by chained equations, estimates combined by Rubin's rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError
from evalkit.impact.measures import RATIOS, Means, Spread, estimate_from
from evalkit.impact.sample import Sample
from evalkit.regression import glm, least_squares
from evalkit.results import Check, Estimate

CYCLES, DONORS = 10, 5
One = Callable[[Sample, Any], tuple[Estimate, Means, tuple[Check, ...]]]


def pooled_over_imputations(sample: Sample, options: Any, one_estimate: One) -> tuple[Estimate, Means, tuple]:
    """The headline over `options.imputations` completed data sets, with Barnard and Rubin's degrees of
    freedom from those of the complete data: rows less the parameters of the outcome model, as R's mice has them."""
    if options.imputations < 2:
        raise EstimationError("`imputations` must be 2 or more", where="rates", found=options.imputations)
    frames = impute(
        sample.frame,
        options.adjust,
        helpers=np.column_stack([sample.treated, sample.outcome]),
        imputations=options.imputations,
        seed=options.seed,
    )
    found = [one_estimate(replace(sample, frame=frame), options) for frame in frames]
    heads = [head for head, _, _ in found]
    ratio = options.measure in RATIOS
    values = np.array([math.log(each.estimate) if ratio else each.estimate for each in heads])
    errors = np.array([math.nan if each.std_error is None else each.std_error for each in heads])
    free = _complete_df(sample, heads, [means for _, means, _ in found])
    pooled, spread = rubin(values, errors**2, complete_df=free)
    head = estimate_from(
        heads[0].term, options.measure, pooled, spread, sample, options.level, interval="wald_rubin"
    )
    means = _mean_of([means for _, means, _ in found])
    return head, means, (_missing_check(sample.frame, options, values, errors),)


def _complete_df(sample: Sample, heads: Sequence[Estimate], means: Sequence[Means]) -> float:
    """Degrees of freedom had nothing been missing: rows less parameters, or those of the clusters where fewer."""
    rows = len(sample.outcome) - max(each.parameters for each in means)
    return min([float(max(rows, 1)), *(each.df for each in heads if each.df is not None)])


def rubin(
    values: np.ndarray, variances: np.ndarray, *, complete_df: float = math.inf
) -> tuple[float, Spread]:
    """Rubin's mean and total variance; Barnard and Rubin's (1999) degrees of freedom."""
    size = len(values)
    within, between = float(variances.mean()), float(values.var(ddof=1))
    total = within + (1 + 1 / size) * between
    share = (1 + 1 / size) * between / total if total > 0 else 0.0
    if share <= 0:
        return float(values.mean()), Spread(variance=total, df=None)
    old = (size - 1) / share**2
    if math.isinf(complete_df):
        return float(values.mean()), Spread(variance=total, df=old)
    seen = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    return float(values.mean()), Spread(variance=total, df=old * seen / (old + seen))


def impute(
    frame: pd.DataFrame, names: Sequence[str], *, helpers: np.ndarray, imputations: int, seed: int
) -> list[pd.DataFrame]:
    """Completed copies of the frame: `names` with blanks drawn, given each other and `helpers` (arm,
    outcome).

    Numbers by predictive mean matching (5 donors), two-valued columns by a drawn logistic regression,
    categories by the nearest of their dummies' drawn predictions.
    """
    generator = np.random.default_rng(seed)
    coded, kinds = _coded(frame, names)
    gaps = {name: np.isnan(coded[name]) for name in names if np.isnan(coded[name]).any()}
    for name, gap in gaps.items():
        if gap.all():
            raise DataError(f"column `{name}` is missing for everybody", where="rates, `missing: mice`")
    return [
        _decoded(frame, _one_chain(coded, gaps, kinds, helpers, generator), gaps, kinds)
        for _ in range(imputations)
    ]


def _coded(
    frame: pd.DataFrame, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray | None]]:
    """Each column as numbers with NaN for blanks; of categories also their levels in sort order."""
    coded, kinds = {}, {}
    for name in names:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            coded[name], kinds[name] = column.to_numpy(float, na_value=np.nan), None
            continue
        levels = np.array(sorted(column.dropna().astype(str).unique()), dtype=object)
        places = column.astype(object).map({level: float(number) for number, level in enumerate(levels)})
        coded[name], kinds[name] = places.to_numpy(float), levels
    return coded, kinds


def _one_chain(
    coded: dict[str, np.ndarray],
    gaps: dict[str, np.ndarray],
    kinds: dict[str, np.ndarray | None],
    helpers: np.ndarray,
    generator: np.random.Generator,
) -> dict[str, np.ndarray]:
    values = {name: column.copy() for name, column in coded.items()}
    for name, gap in gaps.items():
        values[name][gap] = generator.choice(coded[name][~gap], gap.sum())
    for _ in range(CYCLES):
        for name, gap in gaps.items():
            others = [_columns(values[other], kinds[other]) for other in values if other != name]
            design = np.column_stack([np.ones(len(gap)), helpers, *others])
            values[name][gap] = _draw(values[name], gap, design, kinds[name], generator)
    return values


def _columns(values: np.ndarray, levels: np.ndarray | None) -> np.ndarray:
    if levels is None or len(levels) <= 2:
        return values[:, None]
    return (values[:, None] == np.arange(1, len(levels))[None, :]).astype(float)


def _draw(
    values: np.ndarray,
    gap: np.ndarray,
    design: np.ndarray,
    levels: np.ndarray | None,
    generator: np.random.Generator,
) -> np.ndarray:
    known = np.unique(values[~gap])
    if len(known) == 1:
        return np.full(gap.sum(), known[0])
    if len(known) == 2:
        chance = _drawn_logistic((values[~gap] == known[1]).astype(float), design, gap, generator)
        return np.where(generator.random(gap.sum()) < chance, known[1], known[0])
    if levels is not None:
        chances = [_drawn_logistic((values[~gap] == each) * 1.0, design, gap, generator) for each in known]
        share = np.cumsum(np.column_stack(chances), axis=1)
        places = (generator.random(gap.sum())[:, None] * share[:, -1:] > share).sum(axis=1)
        return known[np.minimum(places, len(known) - 1)]
    return _matched_draw(values, gap, design, generator)


def _matched_draw(
    values: np.ndarray, gap: np.ndarray, design: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Predictive mean matching: the value of one of the five people whose prediction is closest."""
    names = [str(number) for number in range(design.shape[1])]
    fit = least_squares(values[~gap], design[~gap], names)
    kept = [names.index(name) for name in fit.names]
    free = max((~gap).sum() - len(kept), 1)
    sigma2 = (fit.residuals**2).sum() / generator.chisquare(free)
    drawn = fit.coefficients + _normal(fit.bread * sigma2, generator)
    seen, wanted = design[~gap][:, kept] @ fit.coefficients, design[gap][:, kept] @ drawn
    # In a random order, so that people with the same prediction are all as likely to be taken.
    shuffled = generator.permutation(len(seen))
    order = shuffled[np.argsort(seen[shuffled], kind="stable")]
    donors = min(DONORS, len(order))
    first = _nearest(seen[order], wanted, donors)
    return values[~gap][order[first + generator.integers(0, donors, len(wanted))]]


def _nearest(seen: np.ndarray, wanted: np.ndarray, donors: int) -> np.ndarray:
    """Where the `donors` values of `seen`, which is sorted, begin that lie closest to each of `wanted`."""
    starts = np.searchsorted(seen, wanted)[:, None] - np.arange(donors + 1)
    starts = np.clip(starts, 0, len(seen) - donors)
    farthest = np.maximum(wanted[:, None] - seen[starts], seen[starts + donors - 1] - wanted[:, None])
    return starts[np.arange(len(wanted)), farthest.argmin(axis=1)]


def _drawn_logistic(
    y: np.ndarray, design: np.ndarray, gap: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    names = [str(number) for number in range(design.shape[1])]
    fit = glm(y, design[~gap], names, family="binomial")
    kept = [names.index(name) for name in fit.names]
    line = design[gap][:, kept] @ (fit.coefficients + _normal(fit.bread, generator))
    return 1 / (1 + np.exp(-line))


def _normal(covariance: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    root = np.linalg.cholesky(covariance + 1e-12 * np.trace(covariance) * np.eye(len(covariance)))
    return root @ generator.standard_normal(len(covariance))


def _decoded(
    frame: pd.DataFrame,
    values: dict[str, np.ndarray],
    gaps: dict[str, np.ndarray],
    kinds: dict[str, np.ndarray | None],
) -> pd.DataFrame:
    out = frame.copy()
    for name in gaps:
        levels = kinds[name]
        out[name] = values[name] if levels is None else levels[values[name].astype(int)]
    return out


def _mean_of(means: Sequence[Means]) -> Means:
    return Means(
        treated=float(np.mean([each.treated for each in means])),
        control=float(np.mean([each.control for each in means])),
        influence=np.mean([each.influence for each in means], axis=0),
        parameters=means[0].parameters,
    )


def _missing_check(frame: pd.DataFrame, options: Any, values: np.ndarray, errors: np.ndarray) -> Check:
    blanks = frame[list(options.adjust)].isna().any(axis=1)
    size = len(values)
    between = (1 + 1 / size) * values.var(ddof=1)
    share = float(between / (between + (errors**2).mean())) if size > 1 else 0.0
    return Check(
        name="imputation",
        null="which covariates are missing depends only on what was seen",
        statistic=share,
        reading=f"{int(blanks.sum())} of {len(blanks)} people lack a covariate; {size} imputations; "
        f"{share:.0%} of the variance is due to what is missing.",
        next_step="Compare with complete cases (`missing: complete`).",
    )
