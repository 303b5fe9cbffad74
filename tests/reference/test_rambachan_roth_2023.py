"""Fixed-length intervals under smoothness, against diff-diff 3.13.0's port of HonestDiD (data/did_oracle.py)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evalkit.impact.did.found import EventPath
from evalkit.impact.did.honest import breakdown, drift, relative_magnitudes, smoothness
from evalkit.inference import critical_value
from tests.tolerances import SIMULATION

BOUNDS = json.loads((Path(__file__).parent / "data" / "did_oracle.json").read_text())["bounds"]
# Both sides stop a numerical search for the shortest interval: about 1e-5 of its length.
SEARCH = 5e-6


@pytest.fixture
def path() -> EventPath:
    return EventPath(
        times=np.array([-4, -3, -2, 0, 1, 2, 3]), estimates=np.array(BOUNDS["path"]),
        covariance=np.array(BOUNDS["covariance"]), reference=-1, n_clusters=500,
    )  # fmt: skip


@pytest.mark.parametrize(("mix", "m", "low", "high"), BOUNDS["flci"])
def test_smoothness(path, mix, m, low, high):
    weights = np.array([1.0, 0, 0, 0]) if mix == "first" else np.full(4, 0.25)
    assert smoothness(drift(path, weights), m, 0.95) == pytest.approx((low, high), abs=SEARCH)


def test_no_violation_is_the_plain_interval(path):
    weights = np.concatenate([np.zeros(3), np.full(4, 0.25)])
    half = critical_value(0.95) * np.sqrt(weights @ path.covariance @ weights)
    middle = weights @ path.estimates
    assert relative_magnitudes(drift(path), 0.0, 0.95) == pytest.approx((middle - half, middle + half))


def test_breakdown_is_where_the_interval_reaches_zero(path):
    found = drift(path)
    value = breakdown(lambda m: relative_magnitudes(found, m, 0.95), 20.0)
    assert relative_magnitudes(found, value, 0.95)[1] == pytest.approx(0, abs=1e-5)


def test_intervals_grow_with_the_violation(path):
    found = drift(path)
    for bound in (relative_magnitudes, smoothness):
        lengths = [np.diff(bound(found, m, 0.95))[0] for m in (0.0, 0.5, 1.0, 2.0)]
        assert lengths == sorted(lengths)


def test_relative_magnitudes_cover_at_the_edge_of_what_they_allow(path):
    """Drift after treatment of exactly m_bar times the largest before: the interval must still hold the truth (0)."""
    generator = np.random.default_rng(7)
    before = np.array([0.06, 0.03, -0.02])
    largest = np.abs(np.diff(np.append(before, 0.0))).max()
    drift_after = largest * np.arange(1, 5)
    drawn = generator.multivariate_normal(np.concatenate([before, drift_after]), path.covariance, 600)
    held = 0
    for estimates in drawn:
        low, high = relative_magnitudes(drift(replace(path, estimates=estimates)), 1.0, 0.95)
        held += low <= 0 <= high
    assert held / 600 >= 0.95 - SIMULATION * np.sqrt(0.05 * 0.95 / 600)


def test_no_bounds_without_a_reference_or_leads(path):
    assert drift(replace(path, reference=None)) is None
    assert drift(replace(path, times=np.array([0, 1, 2, 3, 4, 5, 6]))) is None
    assert drift(replace(path, universal=False)) is None
