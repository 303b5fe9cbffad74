"""The segmented regression of a series: its columns, its fit by family, and the covariance of its coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from evalkit.errors import EstimationError
from evalkit.impact.interrupted.options import InterruptedOptions
from evalkit.impact.interrupted.series import Series, season_length
from evalkit.regression import Fit, classical_covariance, glm, least_squares

SETTLED, MOST_STEPS = 1e-10, 200
LEVEL, SLOPE = "level_change", "slope_change"


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A fitted series. Rows run by series, then period; `unchanged` is the design without the programme.

    `variance` is the variance of each observation up to the dispersion, `alpha` that of the negative binomial,
    `rho` the correlation of neighbouring errors where Prais and Winsten's transformation estimated it.
    """

    fit: Fit
    covariance: np.ndarray
    design: np.ndarray
    unchanged: np.ndarray
    fitted: np.ndarray
    counterfactual: np.ndarray
    residuals: np.ndarray
    dispersion: float
    df: float | None
    alpha: float | None = None
    rho: float | None = None


def fit_series(series: Series, options: InterruptedOptions) -> Model:
    """Level and slope before, their change at the start, recording breaks and season, by the family asked for."""
    names, design, unchanged = columns(series, options)
    outcome = series.observed.T.reshape(-1)
    offset = np.log(series.exposure.T.reshape(-1))
    if len(outcome) <= len(names):
        raise EstimationError(
            f"{len(outcome)} values cannot support a model of {len(names)} terms", where="interrupted",
            do="Set `season: none`, or use `harmonic` with `harmonics: 1`",
        )  # fmt: skip
    alpha = rho = None
    if options.family == "gaussian":
        fit = least_squares(outcome, design, names)
    elif options.family == "negative_binomial":
        fit, alpha = _negative_binomial(outcome, design, names, offset)
    else:
        fit = glm(outcome, design, names, family="poisson", offset=offset)
    kept = [names.index(each) for each in fit.names]
    design, unchanged = design[:, kept], unchanged[:, kept]
    if options.autocorrelation == "prais_winsten":
        fit, rho = _prais_winsten(outcome, design, fit.names, series.series)
    return _model(series, options, fit, design, unchanged, offset, alpha, rho)


def columns(series: Series, options: InterruptedOptions) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the terms, their values, and their values had the programme not begun."""
    time = np.arange(series.periods, dtype=float)
    after = (time >= series.start).astype(float)
    since = after * (time - series.start)
    parts = {"constant": np.ones_like(time), "trend": time - series.start}
    change = {LEVEL: after, SLOPE: since}
    steps = {f"break_{each}": (time >= each).astype(float) for each in series.breaks}
    season = _season(series, options)
    if series.series == 1:
        whole = parts | change | steps | season
        names, design = list(whole), np.column_stack(list(whole.values()))
    else:
        shared = parts | {"common_level": after, "common_slope": since} | steps | season
        own = {f"treated_{name}": values for name, values in (parts | steps).items()} | change
        names = [*shared, *own]
        left = np.column_stack(list(shared.values()))
        right = np.column_stack(list(own.values()))
        design = np.vstack([np.hstack([left, right]), np.hstack([left, np.zeros_like(right)])])
    unchanged = design.copy()
    unchanged[:, [names.index(LEVEL), names.index(SLOPE)]] = 0.0
    return names, design, unchanged


def _season(series: Series, options: InterruptedOptions) -> dict[str, np.ndarray]:
    if series.phase is None:
        return {}
    if options.season != "harmonic":
        return {
            f"season_{k}": (series.phase == k).astype(float) for k in range(1, int(series.phase.max()) + 1)
        }
    length = season_length(series.calendar, options)
    angle = 2 * np.pi * series.phase / length
    waves = {}
    for k in range(1, min(options.harmonics, length // 2) + 1):
        waves |= {f"sine_{k}": np.sin(k * angle), f"cosine_{k}": np.cos(k * angle)}
    return waves


def _model(
    series: Series, options: InterruptedOptions, fit: Fit, design: np.ndarray, unchanged: np.ndarray,
    offset: np.ndarray, alpha: float | None, rho: float | None,
) -> Model:  # fmt: skip
    outcome = series.observed.T.reshape(-1)
    free = len(outcome) - len(fit.coefficients)
    mean, without = design @ fit.coefficients, unchanged @ fit.coefficients
    if options.counts:
        mean, without = np.exp(mean + offset), np.exp(without + offset)
    variance = {"gaussian": np.ones_like(mean), "negative_binomial": mean + (alpha or 0) * mean**2}.get(
        options.family, mean
    )
    residuals = fit.residuals if rho is not None else (outcome - mean) / np.sqrt(variance)
    dispersion = float(residuals @ residuals / free)
    covariance = _covariance(series, options, fit, dispersion)
    by_t = options.family in ("gaussian", "quasi_poisson") or options.autocorrelation == "newey_west"
    return Model(
        fit=fit, covariance=covariance, design=design, unchanged=unchanged, fitted=mean,
        counterfactual=without, residuals=residuals, dispersion=dispersion, df=float(free) if by_t else None,
        alpha=alpha, rho=rho,
    )  # fmt: skip


def _covariance(series: Series, options: InterruptedOptions, fit: Fit, dispersion: float) -> np.ndarray:
    if options.autocorrelation == "newey_west":
        return newey_west(fit, series.series, bandwidth(series.periods, options))
    if options.family == "gaussian":
        return classical_covariance(fit)
    return fit.bread * (dispersion if options.family == "quasi_poisson" else 1.0)


def bandwidth(periods: int, options: InterruptedOptions) -> int:
    """Lags of the Newey-West covariance: as asked, or the whole part of 4 (n / 100) to the power 2/9."""
    return int(4 * (periods / 100) ** (2 / 9)) if options.lags is None else options.lags


def newey_west(fit: Fit, series: int, lags: int) -> np.ndarray:
    """Bartlett-weighted covariance of the scores, times n / (n - k).

    Scores of two series are first added within a period, so that what both share counts (Driscoll and Kraay 1998).
    """
    scores = (fit.design * fit.residuals[:, None]).reshape(series, -1, len(fit.coefficients)).sum(axis=0)
    middle = scores.T @ scores
    for lag in range(1, min(lags, len(scores) - 1) + 1):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (cross + cross.T)
    return fit.n / (fit.n - len(fit.coefficients)) * fit.bread @ middle @ fit.bread


def _prais_winsten(
    outcome: np.ndarray, design: np.ndarray, names: tuple[str, ...], series: int
) -> tuple[Fit, float]:
    """Least squares on values less rho times the one before, the first times sqrt(1 - rho²), iterated."""
    rho = 0.0
    for _ in range(MOST_STEPS):
        fit = least_squares(whitened(outcome, rho, series), whitened(design, rho, series), names)
        errors = (outcome - design @ fit.coefficients).reshape(series, -1)
        new = float((errors[:, 1:] * errors[:, :-1]).sum() / (errors[:, :-1] ** 2).sum())
        # A correlation of one leaves no level to estimate.
        new = float(np.clip(new, -0.99, 0.99))
        if abs(new - rho) < SETTLED:
            return fit, rho
        rho = new
    raise EstimationError(
        "the Prais-Winsten iterations did not settle",
        where="interrupted",
        do="Use `autocorrelation: newey_west`",
    )


def whitened(values: np.ndarray, rho: float, series: int) -> np.ndarray:
    """The transformed values, series by series."""
    blocks = values.reshape(series, len(values) // series, -1)
    out = blocks.copy()
    out[:, 1:] -= rho * blocks[:, :-1]
    out[:, 0] *= np.sqrt(1 - rho**2)
    return out.reshape(values.shape)


def _negative_binomial(
    outcome: np.ndarray, design: np.ndarray, names: list[str], offset: np.ndarray
) -> tuple[Fit, float]:
    """Maximum likelihood with variance mean + alpha mean²; errors are conditional on alpha.

    Where counts vary no more than a Poisson variable alpha is at its edge, and the fit is the Poisson one.
    """
    from scipy.optimize import minimize_scalar

    start = glm(outcome, design, names, family="poisson", offset=offset)
    excess = ((outcome - start.fitted) ** 2 - outcome).sum() / (start.fitted**2).sum()
    if excess <= 0:
        return start, 0.0
    alpha, fit = float(excess), start
    for _ in range(MOST_STEPS):
        fit = _given_alpha(outcome, design, names, offset, alpha, fit.fitted)
        found = minimize_scalar(
            lambda log, mean=fit.fitted: -_likelihood(outcome, mean, np.exp(log)),
            bounds=(np.log(1e-8), np.log(1e3)), method="bounded", options={"xatol": 1e-10},
        )  # fmt: skip
        before, alpha = alpha, float(np.exp(found.x))
        if abs(np.log(alpha / before)) < 1e-9:
            break
    return (start, 0.0) if alpha < 1e-7 else (fit, alpha)


def _given_alpha(
    outcome: np.ndarray,
    design: np.ndarray,
    names: list[str],
    offset: np.ndarray,
    alpha: float,
    mean: np.ndarray,
) -> Fit:
    for _ in range(MOST_STEPS):
        weights = mean / (1 + alpha * mean)
        working = np.log(mean) - offset + (outcome - mean) / mean
        fit = least_squares(working, design, names, weights=weights)
        new = np.exp(fit.fitted + offset)
        moved = np.abs(np.log(new / mean)).max()
        mean = new
        if moved < SETTLED:
            break
    return Fit(
        names=fit.names, coefficients=fit.coefficients, bread=fit.bread, design=fit.design,
        residuals=(outcome - mean) / (1 + alpha * mean), n=fit.n, weights=fit.weights, dropped=fit.dropped,
        fitted=mean,
    )  # fmt: skip


def _likelihood(outcome: np.ndarray, mean: np.ndarray, alpha: float) -> float:
    size = 1 / alpha
    return float(
        np.sum(
            gammaln(outcome + size) - gammaln(size) - gammaln(outcome + 1)
            - size * np.log1p(alpha * mean) + outcome * np.log(mean * alpha / (1 + alpha * mean))
        )
    )  # fmt: skip
