"""Honest bounds, against the authors' R package HonestDiD and two ports of it.

The event study is the authors' own example, `BCdata_EventStudy` (Benzarti and Carloni 2019 on a cut of value added tax
for French restaurants) as distributed with HonestDiD (MIT licence): four leads, four effects and their covariance, to ten
figures. data/benzarti_carloni_2019.json holds them, R HonestDiD's own printed answers for the first effect as two ports of it keep
them for their tests (honestdid for Python, r_test_results.json; HonestDiD.jl, test/reference.jl), and for the mean of the
four effects what moderndid 0.2.0 gives (2,000 grid points, last number the step). `GRID` is the step of R's grid of 1,000
points over ± 20 errors: R prints the first and last point that its test does not reject, so ours lie within a step outside
it. The smoothness path is compared with diff-diff 3.13.0's port (data/did_oracle.py).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evalkit.impact.did.drift import Drift, drift
from evalkit.impact.did.found import EventPath
from evalkit.impact.did.honest import breakdown, sensitivity, smoothness
from evalkit.impact.did.relative_magnitudes import relative_magnitudes
from evalkit.inference import critical_value
from tests.tolerances import SIMULATION

BOUNDS = json.loads((Path(__file__).parent / "data" / "did_oracle.json").read_text())["bounds"]
RESTAURANTS = json.loads((Path(__file__).parent / "data" / "benzarti_carloni_2019.json").read_text())
FIRST, MEAN = np.array([1.0, 0, 0, 0]), np.full(4, 0.25)
GRID = 40 * np.sqrt(RESTAURANTS["covariance"][4][4]) / 999
# R simulates the quantile of |N(bias, 1)| with a million draws: its length is off by about one in a thousand.
SIMULATED_LENGTH = 2e-3
# Both sides stop a numerical search for the shortest interval: about 1e-5 of its length.
SEARCH = 5e-6


@pytest.fixture
def path() -> EventPath:
    return EventPath(
        times=np.array([-4, -3, -2, 0, 1, 2, 3]), estimates=np.array(BOUNDS["path"]),
        covariance=np.array(BOUNDS["covariance"]), reference=-1, n_clusters=500,
    )  # fmt: skip


def restaurants(weights: np.ndarray) -> Drift:
    estimates, covariance = np.array(RESTAURANTS["estimates"]), np.array(RESTAURANTS["covariance"])
    return Drift(pre=estimates[:4], post=estimates[4:], covariance=covariance, ahead=4, weights=weights)


@pytest.mark.parametrize(("m_bar", "low", "high"), RESTAURANTS["relative_magnitudes"])
def test_the_hybrid_interval_is_that_of_the_authors_software(m_bar, low, high):
    """At M̄ = 2 R's grid stops before the upper end, and its least-favourable value is simulated with 1,000 draws."""
    found = relative_magnitudes(restaurants(FIRST), m_bar, 0.95)
    assert low - GRID <= found[0] <= low + GRID / 4
    if high is not None:
        assert high <= found[1] <= high + GRID


def test_the_hybrid_interval_of_the_mean_effect():
    for m_bar, low, high, step in RESTAURANTS["mean_relative_magnitudes"]:
        found = relative_magnitudes(restaurants(MEAN), m_bar, 0.95)
        assert low - step <= found[0] <= low
        assert high <= found[1] <= high + step


def test_without_drift_the_hybrid_interval_is_the_usual_one():
    assert relative_magnitudes(restaurants(FIRST), 0.0, 0.95) == pytest.approx(
        RESTAURANTS["original"], abs=1e-8
    )


@pytest.mark.parametrize(("m", "low", "high"), RESTAURANTS["smoothness"])
def test_smoothness_of_the_authors_example(m, low, high):
    found = smoothness(restaurants(FIRST), m, 0.95)
    assert found[1] - found[0] == pytest.approx(high - low, rel=SIMULATED_LENGTH)


@pytest.mark.parametrize(("mix", "m", "low", "high"), BOUNDS["flci"])
def test_smoothness(path, mix, m, low, high):
    weights = np.array([1.0, 0, 0, 0]) if mix == "first" else np.full(4, 0.25)
    assert smoothness(drift(path, weights), m, 0.95) == pytest.approx((low, high), abs=SEARCH)


def test_no_violation_is_the_plain_interval(path):
    weights = np.concatenate([np.zeros(3), np.full(4, 0.25)])
    half = critical_value(0.95) * np.sqrt(weights @ path.covariance @ weights)
    middle = weights @ path.estimates
    assert relative_magnitudes(drift(path), 0.0, 0.95) == pytest.approx(
        (middle - half, middle + half), abs=1e-8
    )


def test_breakdown_is_where_the_interval_reaches_zero(path):
    found = drift(path)
    value = breakdown(lambda m: relative_magnitudes(found, m, 0.95), 20.0)
    assert relative_magnitudes(found, value, 0.95)[1] == pytest.approx(0, abs=1e-5)


def test_intervals_grow_with_the_violation(path):
    found = drift(path)
    for bound in (relative_magnitudes, smoothness):
        lengths = [np.diff(bound(found, m, 0.95))[0] for m in (0.0, 0.5, 1.0, 2.0)]
        assert lengths == sorted(lengths)


@pytest.mark.parametrize("leads", [1, 2, 5])
@pytest.mark.parametrize("effects", [1, 4])
def test_a_larger_violation_never_gives_a_narrower_interval(leads, effects):
    generator = np.random.default_rng(leads * 10 + effects)
    for strength in (0.0, 0.5, 2.0):
        root = generator.normal(size=(leads + effects, leads + effects + 3)) / 7
        found = Drift(
            pre=generator.normal(size=leads) * 0.4, post=strength + generator.normal(size=effects) * 0.4,
            covariance=root @ root.T, ahead=effects, weights=np.full(effects, 1 / effects),
        )  # fmt: skip
        ends = np.array([relative_magnitudes(found, m_bar, 0.95) for m_bar in (0, 0.1, 0.5, 1, 2, 4)])
        assert (np.diff(ends[:, 0]) <= 1e-8).all()
        assert (np.diff(ends[:, 1]) >= -1e-8).all()


def joined(found: Drift, m_bar: float) -> tuple[float, float]:
    """The lowest and highest one-sided bounds of the end points: simple, and conservative where several compete."""
    k, reach = len(found.pre), float(found.weights @ np.arange(1, found.ahead + 1))
    steps = np.zeros((k, k + found.ahead))
    for j in range(k):
        steps[j, j : j + 2] = (-1.0, 1.0) if j + 1 < k else (-1.0, 0.0)
    effect = np.concatenate([np.zeros(k), found.weights])
    ends = np.vstack([effect + m_bar * reach * steps, effect - m_bar * reach * steps])
    half = critical_value(0.95) * np.sqrt(np.einsum("ij,jk,ik->i", ends, found.covariance, ends))
    return float((ends @ found.both - half).min()), float((ends @ found.both + half).max())


@pytest.mark.parametrize("m_bar", [0.25, 0.5, 1.0, 2.0])
def test_the_hybrid_is_narrower_than_one_sided_bounds_joined(m_bar):
    found = restaurants(MEAN)
    low, high = joined(found, m_bar)
    ours = relative_magnitudes(found, m_bar, 0.95)
    assert low < ours[0]
    assert ours[1] < high


def test_the_frame_and_the_breakdown_value(path):
    frame, check = sensitivity(path, 0.95, ratio=False)
    own = frame[frame.restriction == "relative_magnitudes"]
    assert list(frame.columns) == ["restriction", "m_bar", "conf_low", "conf_high"]
    clear = own[(own.conf_low > 0) | (own.conf_high < 0)].m_bar
    assert clear.max() <= check.statistic < own[~own.m_bar.isin(clear)].m_bar.min()


def test_relative_magnitudes_cover_at_the_edge_of_what_they_allow(path):
    """Drift after treatment of exactly m_bar times the largest before: the interval must still hold the truth (0)."""
    generator = np.random.default_rng(7)
    before = np.array([0.06, 0.03, -0.02])
    largest = np.abs(np.diff(np.append(before, 0.0))).max()
    drift_after = largest * np.arange(1, 5)
    drawn = generator.multivariate_normal(np.concatenate([before, drift_after]), path.covariance, 300)
    held = 0
    for estimates in drawn:
        low, high = relative_magnitudes(drift(replace(path, estimates=estimates)), 1.0, 0.95)
        held += low <= 0 <= high
    assert held / 300 >= 0.95 - SIMULATION * np.sqrt(0.05 * 0.95 / 300)


def test_no_bounds_without_a_reference_or_leads(path):
    assert drift(replace(path, reference=None)) is None
    assert drift(replace(path, times=np.array([0, 1, 2, 3, 4, 5, 6]))) is None
    assert drift(replace(path, universal=False)) is None
