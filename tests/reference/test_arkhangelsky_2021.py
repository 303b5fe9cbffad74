"""Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), American Economic Review 111:4088-4118.

California's Proposition 99 (their section II): estimates and weights as printed by the authors' R package synthdid 0.0.9,
in its vignettes "synthdid introduction" and "paper results" (tables 1, 7 and 8). The package minimises the same
objective by a Frank-Wolfe search that drops small weights after 100 steps and stops at a decrease of (1e-5 sd)²; ours is
the exact minimum. That this, and nothing else, is the difference is tested by searching as they do.

The 2007 cohort of mpdta, beside diff-diff 3.13.0 (data/did_oracle.py), which stops early as well: objective 0.0012647,
ours 0.0012601.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.did import did
from evalkit.impact.did.synthetic import simplex_weights
from evalkit.impact.synthetic.weights import simplex
from tests.tolerances import PRINTED

DATA = Path(__file__).parent / "data"
PEER = json.loads((DATA / "did_oracle.json").read_text())["synthetic"]["jackknife"]
EARLY_STOP = 1e-3
DIGITS = 5e-6  # five decimals are printed

WIDE = pd.read_csv(DATA / "california_prop99.csv").drop(columns=["income", "price", "young", "beer"])
STATES = WIDE.melt("state", var_name="year", value_name="packs").astype({"year": int})
PACKS = WIDE.drop(columns="state").to_numpy(float)  # California is the last row; 19 years before
CONTROLS, BEFORE = 38, 19
NOISE = float(np.std(np.diff(PACKS[:CONTROLS, :BEFORE], axis=1), ddof=1))
UNIT_WEIGHTS = {
    "Nevada": 0.124, "New Hampshire": 0.105, "Connecticut": 0.078, "Delaware": 0.070, "Colorado": 0.058,
    "Illinois": 0.053, "Nebraska": 0.048, "Montana": 0.045, "Utah": 0.042, "New Mexico": 0.041, "Minnesota": 0.039,
    "Wisconsin": 0.037, "West Virginia": 0.034, "North Carolina": 0.033, "Idaho": 0.031, "Ohio": 0.031,
    "Maine": 0.028, "Iowa": 0.026,
}  # fmt: skip
TIME_WEIGHTS = {1986: 0.366, 1987: 0.206, 1988: 0.427}


def smoking(treated="California", states=STATES, **options):
    first = np.where(states["state"] == treated, 1989, 0)
    names = {"outcome": "packs", "unit": "state", "period": "year", "first_treated": "first"}
    return did(states.assign(first=first), diagnostics=False, **names, **options)


def effect(units, times):
    change = PACKS[:, BEFORE:].mean(axis=1) - PACKS[:, :BEFORE] @ times
    return change[-1] - units @ change[:-1]


def frank_wolfe(columns, target, zeta, weights, steps):
    """Their search: towards the best corner, by the best step, until the objective falls by less than (1e-5 sd)²."""
    eta, last = len(columns) * zeta**2, np.inf
    for _ in range(steps):
        half = (columns @ weights - target) @ columns + eta * weights
        way = -weights.copy()
        way[half.argmin()] += 1
        change = columns @ way
        step = -(half @ way) / (change @ change + eta * (way @ way))
        weights = weights + np.clip(step, 0, 1) * way
        now = ((columns @ weights - target) ** 2).mean() + zeta**2 * (weights @ weights)
        if last - now <= (1e-5 * NOISE) ** 2:
            break
        last = now
    return weights


def their_weights(columns, target, zeta, *, intercept=True):
    if intercept:
        columns, target = columns - columns.mean(axis=0), target - target.mean()
    found = frank_wolfe(columns, target, zeta, np.full(columns.shape[1], 1 / columns.shape[1]), 100)
    found = np.where(found <= found.max() / 4, 0, found)
    return frank_wolfe(columns, target, zeta, found / found.sum(), 10000)


def objective(columns, target, zeta, weights):
    miss = (columns - columns.mean(axis=0)) @ weights - (target - target.mean())
    return (miss**2).mean() + zeta**2 * (weights @ weights)


def test_the_printed_estimates_come_out_of_their_search():
    before, own = PACKS[:CONTROLS, :BEFORE], PACKS[-1, :BEFORE]
    times = their_weights(before, PACKS[:CONTROLS, BEFORE:].mean(axis=1), 1e-6 * NOISE)
    units = their_weights(before.T, own, 12**0.25 * NOISE)
    assert effect(units, times) == pytest.approx(-15.60383, abs=DIGITS)
    plain = their_weights(before.T, own, 1e-6 * NOISE, intercept=False)
    assert effect(plain, np.zeros(BEFORE)) == pytest.approx(-19.61966, abs=DIGITS)


def test_the_exact_minimum_is_lower_and_within_half_a_percent():
    before, own = PACKS[:CONTROLS, :BEFORE].T, PACKS[-1, :BEFORE]
    zeta = 12**0.25 * NOISE
    ours, theirs = simplex_weights(before, own, zeta), their_weights(before, own, zeta)
    assert objective(before, own, zeta, ours) < objective(before, own, zeta, theirs)
    assert smoking(estimator="synthetic").headline.estimate == pytest.approx(-15.60383, abs=2e-3)
    plain, loose = simplex(before, own), their_weights(before, own, 1e-6 * NOISE, intercept=False)
    assert ((before @ plain - own) ** 2).mean() < ((before @ loose - own) ** 2).mean()
    assert effect(plain, np.zeros(BEFORE)) == pytest.approx(-19.61966, rel=6e-3)


def test_difference_in_differences_to_every_printed_digit():
    found = smoking(estimator="two_by_two").headline.estimate
    assert found == pytest.approx(-27.34911, abs=DIGITS)


def test_unit_and_time_weights_beside_the_printed_ones():
    found = smoking(estimator="synthetic").detail
    units = found["unit_weights"].set_index("unit")["weight"]
    assert dict(units[list(UNIT_WEIGHTS)]) == pytest.approx(UNIT_WEIGHTS, abs=2 * PRINTED)
    assert units.drop(list(UNIT_WEIGHTS)).max() < 0.026
    times = found["time_weights"].set_index("period")["weight"]
    assert dict(times[list(TIME_WEIGHTS)]) == pytest.approx(TIME_WEIGHTS, abs=PRINTED)
    assert times.drop(list(TIME_WEIGHTS)).max() == 0


def test_the_printed_placebo_error_is_that_of_all_placebos():
    # Table 1 prints 8.4 from 200 states drawn at random with return; here each of the 38 is taken once.
    others = STATES[STATES["state"] != "California"]
    effects = np.array(
        [smoking(each, others, estimator="synthetic").headline.estimate for each in WIDE["state"][:-1]]
    )
    spread, fourth = effects.std(), ((effects - effects.mean()) ** 4).mean()
    monte_carlo = np.sqrt((fourth - spread**4) / 200) / (2 * spread)
    assert spread == pytest.approx(8.4, abs=2 * monte_carlo)


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
