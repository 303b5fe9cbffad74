"""Arm means adjusted for covariates: g-computation and augmented inverse probability weighting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact.measures import BINARY, Means
from evalkit.impact.sample import Sample
from evalkit.regression import Fit, glm, least_squares

MODELS = ("g_computation", "aipw")


def family_of(measure: str) -> str:
    """The family of the outcome model: binomial for risks, Poisson for rates, Gaussian for means."""
    return "binomial" if measure in BINARY else {"rate_ratio": "poisson"}.get(measure, "gaussian")


def covariate_matrix(frame: pd.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Numbers as they are, centred and scaled; categories as dummies without the first in sort order."""
    columns, labels = [], []
    for name in names:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            values = column.to_numpy(float)
            size = values.std() or 1.0
            columns.append((values - values.mean()) / size)
            labels.append(name)
            continue
        for level in sorted(column.astype(str).unique())[1:]:
            columns.append((column.astype(str) == level).to_numpy(float))
            labels.append(f"{name}={level}")
    if not columns:
        raise DataError("every covariate in `adjust` has one value only", where="rates")
    return np.column_stack(columns), labels


def g_computation(sample: Sample, covariates: Sequence[str], measure: str, estimand: str) -> Means:
    """Means of everybody's (or the treated's) prediction under each arm, from one outcome model.

    The model has the arm and the covariates, with the design's weights. Influences stack the score of the
    model on the average that is taken of it, so the error is the delta method's with a robust covariance.
    """
    family = family_of(measure)
    matrix, labels = covariate_matrix(sample.frame, covariates)
    n = len(sample.outcome)
    design = np.column_stack([np.ones(n), sample.treated, matrix])
    fit = _fit(sample.outcome, design, ["intercept", "treated", *labels], family, sample)
    kept = [number for number, name in enumerate(["intercept", "treated", *labels]) if name in set(fit.names)]
    target = sample.weights * (sample.treated if estimand == "att" else 1.0)
    target = target / target.sum()
    values, influence = [], np.empty((n, 2))
    for column, arm in enumerate((1.0, 0.0)):
        changed = design.copy()
        changed[:, 1] = arm
        changed = changed[:, kept]
        predicted, slope = _predict(changed @ fit.coefficients, family)
        mean = float(target @ predicted)
        gradient = (target * slope) @ changed
        influence[:, column] = target * (predicted - mean) + _model_influence(fit) @ gradient
        values.append(mean)
    return Means(treated=values[0], control=values[1], influence=influence, parameters=len(fit.names))


def aipw(sample: Sample, covariates: Sequence[str], measure: str, estimand: str) -> tuple[Means, np.ndarray]:
    """Doubly robust means, right if either the outcome model or the propensity score is; and that score."""
    family = family_of(measure)
    matrix, labels = covariate_matrix(sample.frame, covariates)
    n, treated, y = len(sample.outcome), sample.treated, sample.outcome
    design = np.column_stack([np.ones(n), matrix])
    names = ["intercept", *labels]
    score = glm(treated.astype(float), design, names, family="binomial").fitted
    predicted = {flag: _predict_from(sample, design, names, family, flag) for flag in (True, False)}
    if estimand == "att":
        share = treated.sum()
        one = y[treated].mean()
        weighted = np.where(treated, 0.0, score / (1 - score)) * (y - predicted[False])
        nought = float((predicted[False] * treated + weighted).sum() / share)
        influence = [treated * (y - one) / share, (treated * (predicted[False] - nought) + weighted) / share]
        return _means(float(one), nought, influence), score
    parts = [
        predicted[True] + np.where(treated, 1 / score, 0.0) * (y - predicted[True]),
        predicted[False] + np.where(treated, 0.0, 1 / (1 - score)) * (y - predicted[False]),
    ]
    values = [float(part.mean()) for part in parts]
    return _means(*values, [(part - value) / n for part, value in zip(parts, values, strict=True)]), score


def _means(one: float, nought: float, influence: list[np.ndarray]) -> Means:
    return Means(treated=one, control=nought, influence=np.column_stack(influence))


def _predict_from(
    sample: Sample, design: np.ndarray, names: list[str], family: str, flag: bool
) -> np.ndarray:
    """Everybody's outcome as the model of one arm has it."""
    rows = sample.arm(flag)
    fit = _fit(sample.outcome[rows], design[rows], names, family, sample.rows(rows))
    kept = [number for number, name in enumerate(names) if name in set(fit.names)]
    return _predict(design[:, kept] @ fit.coefficients, family)[0]


def _fit(outcome: np.ndarray, design: np.ndarray, names: list[str], family: str, sample: Sample) -> Fit:
    weights = sample.weights if sample.weighted else None
    if family == "gaussian":
        return least_squares(outcome, design, names, weights=weights)
    offset = None if sample.exposure is None else np.log(sample.exposure)
    return glm(outcome, design, names, family=family, offset=offset, weights=weights)


def _model_influence(fit: Fit) -> np.ndarray:
    return (fit.design * fit.residuals[:, None]) @ fit.bread


def _predict(line: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray]:
    """The mean and its slope in the linear predictor."""
    if family == "gaussian":
        return line, np.ones(len(line))
    if family == "poisson":
        return np.exp(line), np.exp(line)
    mean = 1 / (1 + np.exp(-line))
    return mean, mean * (1 - mean)
