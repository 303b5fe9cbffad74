"""Synthetic difference-in-differences on the 2007 cohort of mpdta, beside diff-diff 3.13.0 (data/did_oracle.py).

Both minimise the same objective; peers stop a Frank-Wolfe search early and drop small weights (objective 0.0012647),
ours is the exact minimum (0.0012601). So the optimum is tested exactly and the peer's estimate within that gap.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.did import did
from evalkit.impact.did.synthetic import simplex_weights

DATA = Path(__file__).parent / "data"
PEER = json.loads((DATA / "did_oracle.json").read_text())["synthetic"]["jackknife"]
EARLY_STOP = 1e-3


def test_beside_the_peer():
    d = pd.read_csv(DATA / "mpdta.csv")
    names = {"outcome": "lemp", "unit": "countyreal", "period": "year", "first_treated": "first.treat"}
    found = did(
        d[d["first.treat"].isin([0, 2007])], estimator="synthetic", diagnostics=False, **names
    ).headline
    assert found.estimate == pytest.approx(PEER[0], abs=EARLY_STOP)
    assert found.std_error == pytest.approx(PEER[1], abs=EARLY_STOP)


@pytest.mark.parametrize("zeta", [0.0, 0.3, 2.0])
def test_weights_meet_the_optimality_conditions(zeta):
    generator = np.random.default_rng(5)
    columns, target = generator.normal(size=(12, 30)), generator.normal(size=12)
    w = simplex_weights(columns, target, zeta)
    a, b = columns - columns.mean(axis=0), target - target.mean()
    gradient = a.T @ (a @ w - b) / len(a) + zeta**2 * w
    assert w.sum() == pytest.approx(1)
    assert w.min() >= 0
    lowest = gradient.min()
    assert np.abs(gradient[w > 1e-8] - lowest).max() < 1e-7


def test_a_parallel_unit_gets_the_weight():
    generator = np.random.default_rng(6)
    columns = generator.normal(size=(20, 8))
    w = simplex_weights(columns, columns[:, 3] + 5.0, 0.0)
    assert w[3] == pytest.approx(1, abs=1e-6)
