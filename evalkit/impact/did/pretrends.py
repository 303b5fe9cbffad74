"""Were the arms on one path before, and would this test have noticed if not (Roth 2022)?"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, chdtri, chndtr, fdtrc

from evalkit.impact.did.found import EventPath
from evalkit.results import Check

ALPHA = 0.05
ENOUGH_POWER = 0.8


def pre_trend_checks(
    path: EventPath | None, long_path: EventPath | None, effect: float, *, exact: bool = True
) -> tuple[Check, ...]:
    """`pre_trends` (joint Wald test of the leads) and `pre_trend_power` (power against a trend worth the effect).

    `path` holds the leads that are tested, `long_path` the same from one reference, on which a trend is a line.
    `exact` uses F(k, G-1), otherwise chi-square; both need the leads' full covariance.
    """
    leads = None if path is None else _leads(path)
    if leads is None:
        return (
            Check(
                name="pre_trends",
                null="before treatment, both arms moved alike",
                passed=None,
                reading="Cannot be tested: there are too few periods before treatment, or too few clusters.",
                next_step="Add earlier periods",
            ),
        )
    times, estimates, covariance = leads
    wald = float(estimates @ np.linalg.solve(covariance, estimates))
    k = len(times)
    p = float(fdtrc(k, path.n_clusters - 1, wald / k)) if exact else float(chdtrc(k, wald))
    test = Check(
        name="pre_trends",
        null="before treatment, both arms moved alike (all leads are zero)",
        statistic=p,
        threshold=ALPHA,
        passed=p >= ALPHA,
        reading=f"Joint test of {k} leads: Wald {wald:.2f}, p = {p:.3f}."
        + ("" if p < ALPHA else " Not rejecting is not proof: see pre_trend_power."),
        next_step=""
        if p >= ALPHA
        else "Find a comparison that moved like the treated units, or report bounds",
    )
    line = None if long_path is None else _leads(long_path)
    return (test,) if line is None else (test, _power(long_path, line, effect))


def _leads(path: EventPath) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Leads with a covariance that can be inverted; fewer leads than clusters."""
    before = path.times < (0 if path.reference is None else path.reference)
    size = int(before.sum())
    if not size or size >= path.n_clusters - 1:
        return None
    covariance = path.covariance[np.ix_(before, before)]
    if not np.isfinite(covariance).all() or np.linalg.cond(covariance) > 1e12:
        return None
    return path.times[before], path.estimates[before], covariance


def _power(path: EventPath, leads: tuple[np.ndarray, np.ndarray, np.ndarray], effect: float) -> Check:
    """The chance that the joint test rejects when a straight trend alone would have made the estimated effect."""
    times, _, covariance = leads
    reference = -1 if path.reference is None else path.reference
    after = path.times[path.times >= 0]
    reach = float((after - reference).mean()) if len(after) else 1.0
    slope = abs(effect) / reach
    shape = (times - reference).astype(float)
    size = float(shape @ np.linalg.solve(covariance, shape))
    power = power_of(slope**2 * size, len(times))
    found = detectable(len(times)) / np.sqrt(size)
    return Check(
        name="pre_trend_power",
        null="a trend large enough to explain the whole effect would have been noticed",
        statistic=power,
        threshold=ENOUGH_POWER,
        passed=power >= ENOUGH_POWER,
        reading=f"A straight trend of {slope:.4g} a period would make the whole effect; the test of the leads would "
        f"notice it {power:.0%} of the time. It notices {found:.4g} a period 80% of the time.",
        next_step=""
        if power >= ENOUGH_POWER
        else "Passing the test of the leads earns nothing here: read the bounds",
    )


def power_of(noncentrality: float, k: int) -> float:
    """Power of the joint Wald test of k leads at 5%."""
    return float(1 - chndtr(chdtri(k, ALPHA), k, noncentrality)) if noncentrality > 0 else ALPHA


def detectable(k: int) -> float:
    """The square root of the noncentrality at which the test has 80% power."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if power_of(middle**2, k) < ENOUGH_POWER else (low, middle)
    return high
