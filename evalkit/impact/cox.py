"""Cox's proportional hazards model: partial likelihood, robust errors and the score test of
proportionality.

Rows are sorted once; every sum over risk sets is a running total over distinct times, and second
derivatives are one weighted cross-product of all rows, so the cost per step is that of a least squares
fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError
from evalkit.impact.kaplan_meier import distinct, kaplan_meier
from evalkit.intervals import chi_square_p

CONVERGED, MOST_STEPS, SEPARATED = 1e-10, 50, 25.0
TRANSFORMS = ("km", "rank", "identity", "log")


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskSets:
    """Rows sorted by time, and the distinct times at which somebody has the event.

    `left`: for each row, how many event times are at or before its own. `first`: for each event time, the
    first row still at risk, and `past` the first row after it. `deaths`: rows that have the event, grouped
    by event time; `tied`: how many at each time; `share`: for each of those rows l/d with l = 0 … d−1
    within its time (nought throughout for Breslow).
    """

    x: np.ndarray
    event: np.ndarray
    weights: np.ndarray
    order: np.ndarray
    times: np.ndarray
    left: np.ndarray
    first: np.ndarray
    past: np.ndarray
    deaths: np.ndarray
    starts: np.ndarray
    tied: np.ndarray
    share: np.ndarray
    centre: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class CoxFit:
    """Coefficients on the scale of the covariates, their model-based covariance and the log partial
    likelihoods."""

    coefficients: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    log_likelihood_null: float
    sets: RiskSets


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """At each event: the risk set's total and mean covariates, as the handling of ties has them."""

    risk: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    size: np.ndarray


def cox(
    time: np.ndarray,
    event: np.ndarray,
    x: np.ndarray,
    *,
    ties: str = "efron",
    weights: np.ndarray | None = None,
) -> CoxFit:
    """Maximum partial likelihood by Newton's method with step halving, from nought."""
    sets = risk_sets(time, event, x, ties=ties, weights=weights)
    beta = np.zeros(sets.x.shape[1])
    value, score, information = _derivatives(sets, beta)
    null = value
    for _ in range(MOST_STEPS):
        step = _solve(information, score)
        ahead = _derivatives(sets, beta + step)
        while ahead[0] < value - 1e-9 * abs(value) and np.abs(step).max() > CONVERGED:
            step = step / 2
            ahead = _derivatives(sets, beta + step)
        beta, gain = beta + step, ahead[0] - value
        value, score, information = ahead
        if np.abs(beta).max() > SEPARATED:
            break
        if abs(gain) <= CONVERGED * (abs(value) + 1) and np.abs(step).max() < 1e-6:
            covariance = np.linalg.inv(information) / np.outer(sets.scale, sets.scale)
            return CoxFit(
                coefficients=beta / sets.scale, covariance=covariance, log_likelihood=value,
                log_likelihood_null=null, sets=sets,
            )  # fmt: skip
    raise EstimationError(
        "the hazard ratio has no finite value in these data",
        where="survival",
        do="Look for an arm or category in which nobody, or everybody, has the event",
    )


def risk_sets(
    time: np.ndarray, event: np.ndarray, x: np.ndarray, *, ties: str, weights: np.ndarray | None
) -> RiskSets:
    """Sort, centre and scale; number the event times."""
    grid, place = distinct(time)
    order = np.argsort(place, kind="stable")
    place, event = place[order], event[order] > 0
    weight = np.ones(len(place)) if weights is None else weights[order]
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    counts = np.bincount(place[event], minlength=len(grid))
    with_events = np.flatnonzero(counts)
    tied = counts[with_events]
    starts = np.concatenate([[0], tied.cumsum()[:-1]]).astype(int)
    if not len(tied):
        raise EstimationError("nobody has the event", where="survival")
    within = np.arange(tied.sum()) - np.repeat(starts, tied)
    return RiskSets(
        x=(x[order] - centre) / scale, event=event, weights=weight, order=order, times=grid[with_events],
        left=np.searchsorted(with_events, place, side="right"), first=np.searchsorted(place, with_events),
        past=np.searchsorted(place, with_events, side="right"),
        deaths=np.flatnonzero(event), starts=starts, tied=tied,
        share=within / np.repeat(tied, tied) if ties == "efron" else np.zeros(tied.sum()),
        centre=centre, scale=scale,
    )  # fmt: skip


def robust_covariance(fit: CoxFit, clusters: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Lin and Wei's covariance from each row's (or cluster's) influence; and those influences, in the
    order given."""
    scores = score_residuals(fit)
    influence = np.empty_like(scores)
    influence[fit.sets.order] = scores @ fit.covariance
    if clusters is None:
        return influence.T @ influence, influence
    size = int(clusters.max()) + 1
    sums = np.column_stack([np.bincount(clusters, weights=column, minlength=size) for column in influence.T])
    return sums.T @ sums, influence


def score_residuals(fit: CoxFit) -> np.ndarray:
    """Each row's part of the score, on the scale of the covariates, rows sorted by time."""
    sets = fit.sets
    sums = _sums(sets, fit.coefficients * sets.scale)
    part = sums.size / sums.total
    hazard = _running(sets, part)
    mean_hazard = _running(sets, part[:, None] * sums.mean)
    at = sets.left
    out = -sums.risk[:, None] * (sets.x * hazard[at][:, None] - mean_hazard[at])
    dying = sets.deaths
    # Under Efron a dying row counts in its own risk set by 1 − l/d only, and dies at the average of the d means.
    back = np.repeat(np.add.reduceat(part * sets.share, sets.starts), sets.tied)
    mean_back = np.repeat(
        np.add.reduceat((part * sets.share)[:, None] * sums.mean, sets.starts), sets.tied, axis=0
    )
    out[dying] += sums.risk[dying][:, None] * (sets.x[dying] * back[:, None] - mean_back)
    average = np.add.reduceat(sums.mean, sets.starts) / sets.tied[:, None]
    out[dying] += sets.weights[dying][:, None] * (sets.x[dying] - np.repeat(average, sets.tied, axis=0))
    return out * sets.scale


def proportional_hazards_test(fit: CoxFit, *, transform: str = "km") -> tuple[np.ndarray, np.ndarray]:
    """The score test that coefficients do not change with a function of time: chi-squares and p-values.

    One per covariate and, last, all together (degrees of freedom: their number). The test of R's survival 3
    (Therneau): score and information of the model with time interactions, at no interaction.
    """
    sets = fit.sets
    g = np.repeat(_transformed(sets, transform), sets.tied)
    g = g - g.mean()
    beta = fit.coefficients * sets.scale
    sums = _sums(sets, beta)
    residuals = sets.weights[sets.deaths][:, None] * (sets.x[sets.deaths] - _tie_average(sets, sums.mean))
    score = (g[:, None] * residuals).sum(axis=0)
    plain = _information(sets, sums, np.ones(len(g)))
    cross, square = _information(sets, sums, g), _information(sets, sums, g**2)
    left = square - cross @ np.linalg.solve(plain, cross)
    chi = np.append(score**2 / np.diag(left), score @ np.linalg.solve(left, score))
    df = np.append(np.ones(len(score)), len(score))
    return chi, np.array([chi_square_p(value, free) for value, free in zip(chi, df, strict=True)])


def concordance(fit: CoxFit) -> float:
    """Harrell's C of the fitted risk: pairs in which the one who fails first has the higher risk; ties
    count half."""
    sets = fit.sets
    risk = np.unique(sets.x @ (fit.coefficients * sets.scale), return_inverse=True)[1]
    size = int(risk.max()) + 1
    tree = np.zeros(size + 1)
    agree = pairs = 0.0
    bounds = np.append(sets.first, len(risk))
    last_time = len(sets.times) - 1
    for k in range(last_time, -1, -1):
        here = np.arange(bounds[k], bounds[k + 1])
        dying = here[sets.event[here] & (sets.left[here] == k + 1)]
        for row in here[~np.isin(here, dying)]:
            _add(tree, risk[row] + 1)
        total = _below(tree, size)
        for row in dying:
            lower = _below(tree, risk[row])
            equal = _below(tree, risk[row] + 1) - lower
            agree += lower + equal / 2
            pairs += total
        for row in dying:
            _add(tree, risk[row] + 1)
    return float(agree / pairs) if pairs else float("nan")


def _derivatives(sets: RiskSets, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    sums = _sums(sets, beta)
    dying = sets.deaths
    value = float((sets.weights * sets.event) @ (sets.x @ beta) - sums.size @ np.log(sums.total))
    score = sets.weights[dying] @ sets.x[dying] - sums.size @ sums.mean
    return value, score, _information(sets, sums, np.ones(len(sums.size)))


def _sums(sets: RiskSets, beta: np.ndarray) -> _Sums:
    risk = sets.weights * np.exp(np.clip(sets.x @ beta, -500, 500))
    dying = sets.deaths
    total = np.repeat(_from_the_end(risk, sets.first), sets.tied)
    moment = np.column_stack([_from_the_end(risk * column, sets.first) for column in sets.x.T])
    moment = np.repeat(moment, sets.tied, axis=0)
    if sets.share.any():
        of_dying = np.repeat(np.add.reduceat(risk[dying], sets.starts), sets.tied)
        moved = np.add.reduceat(risk[dying][:, None] * sets.x[dying], sets.starts)
        total = total - sets.share * of_dying
        moment = moment - sets.share[:, None] * np.repeat(moved, sets.tied, axis=0)
    size = np.repeat(np.add.reduceat(sets.weights[dying], sets.starts) / sets.tied, sets.tied)
    return _Sums(risk=risk, total=total, mean=moment / total[:, None], size=size)


def _information(sets: RiskSets, sums: _Sums, g: np.ndarray) -> np.ndarray:
    """Sum over events of g times the variance of the covariates in the risk set."""
    part = g * sums.size / sums.total
    each = sums.risk * _running(sets, part)[sets.left]
    if sets.share.any():
        back = np.repeat(np.add.reduceat(part * sets.share, sets.starts), sets.tied)
        each[sets.deaths] -= sums.risk[sets.deaths] * back
    second = (sets.x * each[:, None]).T @ sets.x
    return second - (sums.mean * (g * sums.size)[:, None]).T @ sums.mean


def _running(sets: RiskSets, values: np.ndarray) -> np.ndarray:
    """Totals over event times up to the first, second, … with nought before all of them."""
    totals = np.add.reduceat(values, sets.starts).cumsum(axis=0)
    return np.concatenate([np.zeros((1, *totals.shape[1:])), totals])


def _from_the_end(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums from each of `first` to the last row."""
    blocks = np.add.reduceat(values, first)
    return blocks[::-1].cumsum()[::-1]


def _tie_average(sets: RiskSets, mean: np.ndarray) -> np.ndarray:
    return np.repeat(np.add.reduceat(mean, sets.starts) / sets.tied[:, None], sets.tied, axis=0)


def _transformed(sets: RiskSets, transform: str) -> np.ndarray:
    """The function of time at each distinct event time."""
    if transform == "identity":
        return sets.times
    if transform == "log":
        return np.log(sets.times)
    if transform == "rank":
        return (sets.first + 1 + sets.past) / 2
    reached = np.concatenate([[0.0], sets.times])[sets.left]
    curve = kaplan_meier(reached, sets.event.astype(float), sets.weights)
    return 1 - np.concatenate([[1.0], curve.survival[curve.events > 0]])[:-1]


def _solve(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(information, score)
    except np.linalg.LinAlgError:
        raise EstimationError(
            "a covariate is determined by the others, or has one value only", where="survival"
        ) from None


def _add(tree: np.ndarray, place: int) -> None:
    while place < len(tree):
        tree[place] += 1
        place += place & -place


def _below(tree: np.ndarray, place: int) -> float:
    total = 0.0
    while place > 0:
        total += tree[place]
        place -= place & -place
    return total
