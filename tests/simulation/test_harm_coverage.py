"""Coverage of the two intervals for a difference of mean harm, where a few people carry most of it.

    python -m pytest tests/simulation/test_harm_coverage.py -m slow        writes results/harm.csv

Harm per person: nought for most, otherwise lognormal (median e³, standard deviation of the logarithm 1 or 1.5: then the
top 1% of a million people hold 21% or 38% of all harm). 25% of the treated and 30% of the comparison have any; the truth
is exact.
"""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.heavy_tail import heavy_tail
from evalkit.impact.rates import RatesOptions, one_estimate, read_rates_sample
from tests.tolerances import SIMULATION

SEED, DRAWS = 20261122, 600
RESULTS = Path(__file__).parent / "results" / "harm.csv"
SHARES, MIDDLE = (0.25, 0.30), 3.0
CASES = [(100, 1.0), (400, 1.0), (100, 1.5), (400, 1.5)]


def people(generator: np.random.Generator, size: int, spread: float) -> pd.DataFrame:
    treated = np.repeat([1, 0], size)
    some = generator.random(2 * size) < np.where(treated == 1, *SHARES)
    harm = np.where(some, generator.lognormal(MIDDLE, spread, 2 * size), 0.0)
    return pd.DataFrame({"treated": treated, "harm": harm})


def truth(spread: float) -> float:
    return (SHARES[0] - SHARES[1]) * math.exp(MIDDLE + spread**2 / 2)


def covered(size: int, spread: float, draws: int, seed: int) -> pd.DataFrame:
    """One row per draw and interval: the estimate, whether the interval holds the truth, and which side it missed."""
    generator, rows = np.random.default_rng(seed), []
    for draw in range(draws):
        options = RatesOptions(outcome="harm", measure="mean_difference", heavy_tailed=True, seed=draw)
        sample = read_rates_sample(people(generator, size, spread), options)
        head = one_estimate(sample, options)[0]
        found = heavy_tail(sample, head, options, lambda _, head=head: head)
        for name, each in (("welch", head), ("percentile bootstrap", found.estimates[0])):
            rows.append((name, each.estimate, each.conf_low <= truth(spread) <= each.conf_high))
    return pd.DataFrame(rows, columns=["interval", "estimate", "held"])


def summary(size: int, spread: float, draws: int, seed: int) -> list[dict]:
    found = covered(size, spread, draws, seed)
    return [
        {
            "interval": name, "people_per_arm": size, "spread_of_log": spread, "truth": round(truth(spread), 4),
            "bias": round(rows["estimate"].mean() - truth(spread), 4),
            "bias_error": round(rows["estimate"].std() / math.sqrt(draws), 4),
            "coverage": round(float(rows["held"].mean()), 4), "draws": draws, "seed": seed,
        }
        for name, rows in found.groupby("interval", sort=False)
    ]  # fmt: skip


def test_twenty_draws_have_no_bias_and_both_intervals():
    found = covered(100, 1.0, 20, SEED)
    assert list(found["interval"].unique()) == ["welch", "percentile bootstrap"]
    first = found[found["interval"] == "welch"]["estimate"]
    assert abs(first.mean() - truth(1.0)) < SIMULATION * first.std() / math.sqrt(20)
    # The bootstrap is another interval round the same estimate.
    assert (found["estimate"].to_numpy()[::2] == found["estimate"].to_numpy()[1::2]).all()


@pytest.mark.slow
def test_coverage_is_what_the_table_says():
    """Welch's interval holds; the percentile bootstrap is liberal, the more so the fewer the people and the heavier
    the tail. Its least allowed is four Monte Carlo errors below the least that was seen (89.7% of 600)."""
    with ProcessPoolExecutor(2) as pool:
        found = pool.map(summary, *zip(*CASES, strict=True), [DRAWS] * len(CASES), [SEED] * len(CASES))
        table = pd.DataFrame([row for rows in found for row in rows])
    table.to_csv(RESULTS, index=False)
    assert (table["bias"].abs() < SIMULATION * table["bias_error"]).all()
    welch, bootstrap = (table[table["interval"] == name] for name in ("welch", "percentile bootstrap"))
    assert welch["coverage"].between(0.93, 0.97).all()
    assert bootstrap["coverage"].between(0.847, 0.96).all()
    assert (bootstrap["coverage"].to_numpy() < welch["coverage"].to_numpy()).all()
