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
# Standard error, per standard deviation of a covariate, that no finite log hazard ratio has.
FLAT = 50.0
TRANSFORMS = ("km", "rank", "identity", "log")


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskSets:
    """Rows sorted by time, and the distinct times at which somebody has the event.

    `x` has one row per covariate, centred and scaled. `left`: for each person, how many event times are at
    or before their own. `first` and `past`: for each event time, the first person still at risk and the
    first after it. `deaths`: those who have the event, in order of time, `tied` of them at each, from
    `starts`. The likelihood has one term per death under Efron and one per time under Breslow: `terms` at
    each time, from `begins`, each with weight `size` and with `share` = l/d (l = 0 … d−1) of those dying
    taken out of its risk set.
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
    x_deaths: np.ndarray
    score: np.ndarray
    starts: np.ndarray
    tied: np.ndarray
    terms: np.ndarray
    begins: np.ndarray
    share: np.ndarray
    size: np.ndarray
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
    """Everybody's risk; at each time the first moments of those at risk and of those dying; each term's
    total."""

    risk: np.ndarray
    moment: np.ndarray
    dying: np.ndarray
    total: np.ndarray


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
    beta = np.zeros(len(sets.x))
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
            if _flat(information):
                break
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


def _flat(information: np.ndarray) -> bool:
    """Whether the likelihood has no top: it can rise so slowly towards an infinite ratio that steps look converged."""
    variances = np.diag(np.linalg.pinv(information))
    return not ((variances > 0) & (variances < FLAT**2)).all()


def risk_sets(
    time: np.ndarray, event: np.ndarray, x: np.ndarray, *, ties: str, weights: np.ndarray | None
) -> RiskSets:
    """Sort, centre and scale; number the event times."""
    grid, place = distinct(time)
    narrow = place.astype(np.uint16) if len(grid) < 65536 else place
    order = np.argsort(narrow, kind="stable")
    place, event = place[order], event[order] > 0
    deaths = np.flatnonzero(event)
    if not len(deaths):
        raise EstimationError("nobody has the event", where="survival")
    weight = np.ones(len(place)) if weights is None else weights[order].astype(float)
    counts = np.bincount(place[deaths], minlength=len(grid))
    with_events = np.flatnonzero(counts)
    tied = counts[with_events]
    terms = tied if ties == "efron" else np.ones_like(tied)
    starts, begins = _starts(tied), _starts(terms)
    within = np.arange(terms.sum()) - np.repeat(begins, terms)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x = np.ascontiguousarray(((x - centre) / scale)[order].T)
    x_deaths = np.ascontiguousarray(x[:, deaths])
    return RiskSets(
        x=x, x_deaths=x_deaths, score=x_deaths @ weight[deaths], event=event, weights=weight, order=order,
        times=grid[with_events], left=np.searchsorted(with_events, np.arange(len(grid)), side="right")[place],
        first=np.searchsorted(place, with_events), past=np.searchsorted(place, with_events, side="right"),
        deaths=deaths, starts=starts, tied=tied, terms=terms, begins=begins, share=within / np.repeat(terms, terms),
        size=np.repeat(np.add.reduceat(weight[deaths], starts) / terms, terms), scale=scale,
    )  # fmt: skip


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], sizes.cumsum()[:-1]]).astype(np.intp)


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
    mean, part, x = _means(sets, sums), sets.size / sums.total, sets.x.T
    hazard = _running(sets, part)[sets.left]
    mean_hazard = _running(sets, part[:, None] * mean)[sets.left]
    out = -sums.risk[:, None] * (x * hazard[:, None] - mean_hazard)
    dying, back = sets.deaths, part * sets.share
    # Under Efron a dying row counts in its own risk set by 1 − l/d only, and dies at the average of the d means.
    own, own_mean = _per_death(sets, back), _per_death(sets, back[:, None] * mean)
    out[dying] += sums.risk[dying][:, None] * (x[dying] * own[:, None] - own_mean)
    out[dying] += sets.weights[dying][:, None] * (x[dying] - _average(sets, mean))
    return out * sets.scale


def proportional_hazards_test(fit: CoxFit, *, transform: str = "km") -> tuple[np.ndarray, np.ndarray]:
    """The score test that coefficients do not change with a function of time: chi-squares and p-values.

    One per covariate and, last, all together (degrees of freedom: their number). The test of R's survival 3
    (Therneau): score and information of the model with time interactions, at no interaction.
    """
    sets = fit.sets
    g = _transformed(sets, transform)
    g = g - np.average(g, weights=sets.tied)
    sums = _sums(sets, fit.coefficients * sets.scale)
    residuals = sets.x_deaths.T - _average(sets, _means(sets, sums))
    score = (np.repeat(g, sets.tied) * sets.weights[sets.deaths]) @ residuals
    plain, cross, square = (_information(sets, sums, weight) for weight in (np.ones(len(g)), g, g**2))
    left = square - cross @ np.linalg.solve(plain, cross)
    chi = np.append(score**2 / np.diag(left), score @ np.linalg.solve(left, score))
    df = np.append(np.ones(len(score)), len(score))
    return chi, np.array([chi_square_p(value, free) for value, free in zip(chi, df, strict=True)])


def _derivatives(sets: RiskSets, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    sums = _sums(sets, beta)
    value = float(sets.score @ beta - sets.size @ np.log(sums.total))
    part = sets.size / sums.total
    expected = sums.moment @ np.add.reduceat(part, sets.begins)
    expected -= sums.dying @ np.add.reduceat(part * sets.share, sets.begins)
    return value, sets.score - expected, _information(sets, sums, np.ones(len(sets.times)))


def _sums(sets: RiskSets, beta: np.ndarray) -> _Sums:
    risk = sets.weights * np.exp(np.clip(beta @ sets.x, -500, 500))
    at_risk = _from_the_end(risk, sets.first)
    moment = np.stack([_from_the_end(risk * column, sets.first) for column in sets.x])
    dying = risk[sets.deaths]
    moved = np.stack([np.add.reduceat(dying * column, sets.starts) for column in sets.x_deaths])
    taken = np.repeat(np.add.reduceat(dying, sets.starts), sets.terms)
    total = np.repeat(at_risk, sets.terms) - sets.share * taken
    return _Sums(risk=risk, moment=moment, dying=moved, total=total)


def _information(sets: RiskSets, sums: _Sums, g: np.ndarray) -> np.ndarray:
    """Sum over terms of g (of their time) times the variance of the covariates in the risk set."""
    part = np.repeat(g, sets.terms) * sets.size / sums.total
    each = sums.risk * _running(sets, part)[sets.left]
    each[sets.deaths] -= sums.risk[sets.deaths] * _per_death(sets, part * sets.share)
    second = (sets.x * each) @ sets.x.T
    squares = part / sums.total
    c0, c1, c2 = (np.add.reduceat(squares * sets.share**power, sets.begins) for power in (0, 1, 2))
    cross = (sums.moment * c1) @ sums.dying.T
    return second - (sums.moment * c0) @ sums.moment.T + cross + cross.T - (sums.dying * c2) @ sums.dying.T


def _means(sets: RiskSets, sums: _Sums) -> np.ndarray:
    """Mean covariates of each term's risk set: one row per term."""
    moment = np.repeat(sums.moment, sets.terms, axis=1) - sets.share * np.repeat(
        sums.dying, sets.terms, axis=1
    )
    return (moment / sums.total).T


def _running(sets: RiskSets, values: np.ndarray) -> np.ndarray:
    """Totals over event times up to the first, second, … with nought before all of them."""
    totals = np.add.reduceat(values, sets.begins).cumsum(axis=0)
    return np.concatenate([np.zeros((1, *totals.shape[1:])), totals])


def _from_the_end(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums from each of `first` to the last row."""
    return np.add.reduceat(values, first)[::-1].cumsum()[::-1]


def _per_death(sets: RiskSets, values: np.ndarray) -> np.ndarray:
    """Each time's total of the terms' values, for each who dies then."""
    return np.repeat(np.add.reduceat(values, sets.begins), sets.tied, axis=0)


def _average(sets: RiskSets, mean: np.ndarray) -> np.ndarray:
    """The average of the terms' means at each time, for each who dies then."""
    return np.repeat(np.add.reduceat(mean, sets.begins) / sets.terms[:, None], sets.tied, axis=0)


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
