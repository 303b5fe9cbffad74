"""Roth (2022): the power of a test of pre-trends, here the joint Wald test, against a straight trend.

Power of a chi-square test is tabled for noncentrality: with 1 degree of freedom, 7.849 gives 80% and 10.507 gives 90%
at 5% (Cohen 1988, table 12.3 and any noncentral chi-square table); with 3 degrees of freedom 10.903 gives 80%.
"""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.impact.did.found import EventPath
from evalkit.impact.did.pretrends import detectable, power_of, pre_trend_checks
from tests.tolerances import PRINTED, SIMULATION


@pytest.mark.parametrize(
    ("k", "noncentrality", "power"), [(1, 7.849, 0.8), (1, 10.507, 0.9), (3, 10.903, 0.8)]
)
def test_tabled_power(k, noncentrality, power):
    assert power_of(noncentrality, k) == pytest.approx(power, abs=PRINTED)


def test_detectable_inverts_power():
    assert power_of(detectable(4) ** 2, 4) == pytest.approx(0.8, abs=1e-9)


def test_power_is_the_rate_at_which_a_trend_worth_the_effect_is_noticed():
    times = np.array([-4, -3, -2, 0, 1, 2])
    root = np.random.default_rng(0).normal(size=(6, 6))
    covariance = (root @ root.T + 3 * np.eye(6)) * 0.02
    path = EventPath(
        times=times, estimates=np.zeros(6), covariance=covariance, reference=-1, n_clusters=10_000
    )
    effect = 0.8
    power = pre_trend_checks(path, path, effect, exact=False)[1].statistic
    slope = effect / np.mean(times[3:] + 1)
    drawn = np.random.default_rng(1).multivariate_normal(slope * (times[:3] + 1), covariance[:3, :3], 4000)
    wald = np.einsum("ij,jk,ik->i", drawn, np.linalg.inv(covariance[:3, :3]), drawn)
    assert (wald > 7.8147).mean() == pytest.approx(
        power, abs=SIMULATION * np.sqrt(power * (1 - power) / 4000)
    )
