"""Coverage of intervals and size of tests for interrupted series and synthetic control, by simulation.

`python -m tests.simulation.test_series_coverage` writes `results/series_coverage.csv`. Where errors are as a method
assumes, coverage must be 95% within the Monte Carlo error; where they are not, the frozen file says what is lost.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.interrupted import interrupted
from evalkit.impact.synthetic import synthetic_control
from tests.tolerances import SIMULATION

RESULTS = Path(__file__).parent / "results" / "series_coverage.csv"
PERIODS, START, EFFECT = 60, 36, -0.2
DRAWS, SEED = 300, 20200701
PLACES, YEARS, TREATED_FROM, SYNTHETIC_DRAWS = 20, 20, 15, 100

# name: (errors, options, whether the method's assumptions hold)
SERIES = {
    "independent counts, quasi_poisson": ("poisson", {}, True),
    "independent counts, poisson": ("poisson", {"family": "poisson"}, True),
    "overdispersed counts, quasi_poisson": ("gamma", {}, True),
    "overdispersed counts, negative_binomial": ("gamma", {"family": "negative_binomial"}, True),
    "overdispersed counts, poisson": ("gamma", {"family": "poisson"}, False),
    "autocorrelated counts, quasi_poisson": ("ar", {}, False),
    "autocorrelated counts, newey_west": ("ar", {"autocorrelation": "newey_west"}, False),
    "autocorrelated numbers, none": ("ar_gaussian", {"family": "gaussian"}, False),
    "autocorrelated numbers, newey_west": (
        "ar_gaussian", {"family": "gaussian", "autocorrelation": "newey_west"}, False,
    ),
    "autocorrelated numbers, prais_winsten": (
        "ar_gaussian", {"family": "gaussian", "autocorrelation": "prais_winsten"}, False,
    ),
    "shared shocks, comparison, quasi_poisson": ("shared", {"unit": "place", "comparison": "there"}, False),
    "shared shocks, comparison, newey_west": (
        "shared", {"unit": "place", "comparison": "there", "autocorrelation": "newey_west"}, False,
    ),
}  # fmt: skip


def autoregressive(rng: np.random.Generator, size: float, rho: float = 0.4) -> np.ndarray:
    shocks = rng.normal(size=PERIODS) * size
    out = np.empty(PERIODS)
    out[0] = shocks[0] / np.sqrt(1 - rho**2)
    for t in range(1, PERIODS):
        out[t] = rho * out[t - 1] + shocks[t]
    return out


def draw(errors: str, effect: float, rng: np.random.Generator) -> pd.DataFrame:
    """Sixty months, the change in level after thirty-six, errors of the kind that is named."""
    time = np.arange(PERIODS)
    line = 4 + 0.003 * (time - START)
    change = effect * (time >= START)
    if errors == "ar_gaussian":
        return pd.DataFrame({"t": time, "y": line + change + autoregressive(rng, 0.15)})
    if errors == "shared":
        shock = autoregressive(rng, 0.15)
        here, there = (rng.poisson(np.exp(line + part + shock)) for part in (change, 0.0))
        frames = [
            pd.DataFrame({"t": time, "y": y, "place": p}) for y, p in ((here, "here"), (there, "there"))
        ]
        return pd.concat(frames, ignore_index=True)
    extra = {"poisson": 0.0, "gamma": np.log(rng.gamma(20, 1 / 20, PERIODS)), "ar": None}[errors]
    shock = autoregressive(rng, 0.15) if extra is None else extra
    return pd.DataFrame({"t": time, "y": rng.poisson(np.exp(line + change + shock))})


def one_scenario(name: str) -> dict[str, object]:
    errors, options, holds = SERIES[name]
    covered = rejected = 0
    estimates = []
    for number in range(DRAWS):
        rng = np.random.default_rng([SEED, list(SERIES).index(name), number])
        for effect in (EFFECT, 0.0):
            frame = draw(errors, effect, rng)
            head = interrupted(
                frame, outcome="y", period="t", starts=START, diagnostics=False, **options
            ).headline
            truth = effect if options.get("family") == "gaussian" else np.exp(effect)
            if effect:
                covered += head.conf_low <= truth <= head.conf_high
                estimates.append(
                    head.estimate - effect if truth == effect else np.log(head.estimate) - effect
                )
            else:
                rejected += head.p_value < 0.05
    return {
        "scenario": name, "draws": DRAWS, "coverage": covered / DRAWS, "size": rejected / DRAWS,
        "bias": float(np.mean(estimates)), "spread": float(np.std(estimates, ddof=1)), "assumptions_hold": holds,
    }  # fmt: skip


def one_placebo_size() -> dict[str, object]:
    """Places that share two factors and no effect: the share of draws in which the rank test finds one at 5%."""
    rejected, effects = 0, []
    for number in range(SYNTHETIC_DRAWS):
        rng = np.random.default_rng([SEED, 99, number])
        factors = np.cumsum(rng.normal(size=(2, YEARS)), axis=1)
        table = 20 + rng.uniform(0, 1, (PLACES, 2)) @ factors + rng.normal(size=(PLACES, YEARS))
        frame = (
            pd.DataFrame(table)
            .rename_axis("place")
            .reset_index()
            .melt("place", var_name="year", value_name="y")
        )
        head = synthetic_control(
            frame.astype({"year": int}), outcome="y", unit="place", period="year", treated_unit=0,
            starts=TREATED_FROM,
        ).headline  # fmt: skip
        rejected += head.p_value <= 0.05
        effects.append(head.estimate)
    return {
        "scenario": "no effect, twenty places, synthetic_control placebo", "draws": SYNTHETIC_DRAWS,
        "coverage": None, "size": rejected / SYNTHETIC_DRAWS, "bias": float(np.mean(effects)),
        "spread": float(np.std(effects, ddof=1)), "assumptions_hold": True,
    }  # fmt: skip


def near(share: float, wanted: float, draws: int) -> bool:
    return abs(share - wanted) <= SIMULATION * np.sqrt(wanted * (1 - wanted) / draws)


@pytest.mark.slow
@pytest.mark.parametrize("name", SERIES)
def test_intervals_cover_and_tests_keep_their_size(name):
    found = one_scenario(name)
    frozen = pd.read_csv(RESULTS).set_index("scenario").loc[name]
    assert abs(found["bias"]) <= SIMULATION * found["spread"] / np.sqrt(DRAWS)
    assert found["coverage"] == pytest.approx(frozen["coverage"], abs=0.01)
    assert found["size"] == pytest.approx(frozen["size"], abs=0.01)
    if found["assumptions_hold"]:
        assert near(found["coverage"], 0.95, DRAWS)
        assert near(found["size"], 0.05, DRAWS)


@pytest.mark.slow
def test_the_placebo_test_keeps_its_size():
    found = one_placebo_size()
    assert near(found["size"], 0.05, SYNTHETIC_DRAWS)


if __name__ == "__main__":
    rows = [*(one_scenario(name) for name in SERIES), one_placebo_size()]
    pd.DataFrame(rows).round(4).to_csv(RESULTS, index=False)
