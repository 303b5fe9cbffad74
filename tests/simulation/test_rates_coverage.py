"""Bias, spread and coverage of the two-group estimators where the truth is known.

    python -m pytest tests/simulation/test_rates_coverage.py -m slow        writes results/rates.csv (1,000
    draws)

Trials: arms of 200 or 20, risks 0.30 and 0.40; counts negative binomial with means 0.9 and 1.2; days
exponential, followed for 365. Confounded: 600 people whose chance of treatment and of the outcome both
rise with two covariates, with good overlap (slope 0.5) or poor overlap (slope 2). The truth of each case
is exact or a mean over ten million people. Matched rows take the comparison from `build_design` and its
errors from the matched sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from evalkit.design import build_design
from evalkit.design.choices import DesignOptions
from evalkit.impact.rates import rates
from evalkit.impact.survival import survival
from tests.tolerances import SIMULATION

SEED, DRAWS = 20261122, 500
RESULTS = Path(__file__).parent / "results" / "rates.csv"
DAYS, HAZARD, RATIO = 365.0, 0.002, 0.75
Make = Callable[[np.random.Generator], pd.DataFrame]


def trial(generator: np.random.Generator, size: int, risks: tuple[float, float] = (0.3, 0.4)) -> pd.DataFrame:
    treated = np.repeat([1, 0], size)
    mean = np.where(treated == 1, 0.9, 1.2)
    days = generator.exponential(1 / (HAZARD * np.where(treated == 1, RATIO, 1.0)))
    return pd.DataFrame({
        "treated": treated,
        "back": (generator.random(2 * size) < np.where(treated == 1, *risks)).astype(int),
        "often": generator.poisson(mean * generator.gamma(2.0, 0.5, 2 * size)),
        "points": generator.normal(np.where(treated == 1, 9.0, 10.0), np.where(treated == 1, 2.0, 4.0)),
        "days": np.minimum(days, DAYS),
        "event": (days <= DAYS).astype(int),
    })  # fmt: skip


def clustered(generator: np.random.Generator, each: int, clusters: int) -> pd.DataFrame:
    """Whole clusters in one arm or the other, with a shared effect of standard deviation 0.5 on the
    logit's scale."""
    block = np.repeat(np.arange(clusters), each)
    shared = generator.normal(0, 0.5, clusters)[block]
    back = (generator.random(len(block)) < expit(shared - 0.5)).astype(int)
    return pd.DataFrame({"treated": (block % 2), "block": block, "back": back})


def therapists(generator: np.random.Generator, each: int, clusters: int) -> pd.DataFrame:
    """Treated people share therapists; control people share nobody. The true difference is nought."""
    people = clustered(generator, each, clusters)
    control = (generator.random(each * clusters) < MEAN_RISK).astype(int)
    free = pd.DataFrame({"treated": 0, "block": np.nan, "back": control})
    return pd.concat([people.assign(treated=1), free], ignore_index=True)


MEAN_RISK = float(
    (
        expit(0.5 * np.polynomial.hermite_e.hermegauss(60)[0] - 0.5)
        * np.polynomial.hermite_e.hermegauss(60)[1]
    ).sum()
    / np.sqrt(2 * np.pi)
)


def confounded(generator: np.random.Generator, slope: float, size: int = 600) -> pd.DataFrame:
    x, z = generator.normal(size=size), generator.integers(0, 2, size)
    treated = (generator.random(size) < expit(slope * x + 0.5 * z - 1.2)).astype(int)
    risk = expit(-0.8 + 0.7 * x + 0.4 * z - 0.6 * treated)
    back = (generator.random(size) < risk).astype(int)
    return pd.DataFrame({"treated": treated, "x": x, "z": z, "back": back})


@cache
def truth(slope: float, estimand: str) -> float:
    """Percentage points, over ten million people."""
    generator = np.random.default_rng(1)
    people = confounded(generator, slope, 10_000_000)
    gap = expit(-1.4 + 0.7 * people["x"] + 0.4 * people["z"]) - expit(
        -0.8 + 0.7 * people["x"] + 0.4 * people["z"]
    )
    return float(100 * (gap[people["treated"] == 1] if estimand == "att" else gap).mean())


def matched(people: pd.DataFrame, method: str, **options: object) -> pd.DataFrame:
    design = build_design(people, DesignOptions(method=method, covariates=("x", "z"), **options))
    return people.assign(
        weight=design.weights, set=design.subclass if design.subclass is not None else np.nan
    )


def row(what: str, data: str, size: int, make: Make, target: object, **options: object) -> tuple:
    """One case; `survival` where the options speak of a horizon or an estimator, on the log scale where of
    a ratio."""
    estimator = survival if {"horizon", "estimator"} & options.keys() else rates
    logs = str(options.get("measure", "")).endswith("ratio") or options.get("estimator") == "cox"
    return what, data, size, make, estimator, options, target, logs


def cases() -> list[tuple]:
    """(what, data, people per arm or in all, maker of frames, estimator, options, truth, on the log
    scale)."""
    rows = [each for size in (200, 20) for each in trials(size)]
    rare = partial(trial, size=50, risks=(0.02, 0.02))
    rows.append(row("risk_difference, risks 0.02", "trial", 50, rare, 0.0, outcome="back"))
    for many in (10, 20, 60):
        make = partial(clustered, each=10, clusters=many)
        rows.append(
            row(f"{many} clusters", "clusters of 10", 5 * many, make, 0.0, outcome="back", cluster="block")
        )
    for many in (3, 6, 12):
        make = partial(therapists, each=15, clusters=many)
        rows.append(
            row(
                f"{many} therapists",
                "one arm in clusters",
                15 * many,
                make,
                0.0,
                outcome="back",
                cluster="block",
            )
        )
    return [*rows, *observational("good overlap", 0.5), *observational("poor overlap", 2.0)]


def trials(size: int) -> list[tuple]:
    log, make = math.log, partial(trial, size=size)
    rest = [math.exp(-HAZARD * RATIO * DAYS), math.exp(-HAZARD * DAYS)]
    rmst = (1 - rest[0]) / (HAZARD * RATIO) - (1 - rest[1]) / HAZARD
    each = partial(row, data="trial", size=size, make=make)
    return [
        each("risk_difference", target=-10.0, outcome="back"),
        each("risk_ratio", target=log(0.75), outcome="back", measure="risk_ratio"),
        each("odds_ratio", target=log(9 / 14), outcome="back", measure="odds_ratio"),
        each("mean_difference", target=-1.0, outcome="points", measure="mean_difference"),
        each("rate_ratio", target=log(0.75), outcome="often", measure="rate_ratio"),
        each("kaplan_meier", target=100 * (rest[0] - rest[1]), horizon=DAYS),
        each("rmst", target=rmst, estimator="rmst", horizon=DAYS),
        each("cox", target=log(RATIO), estimator="cox"),
    ]


def observational(overlap: str, slope: float) -> list[tuple]:
    make = partial(confounded, slope=slope)
    each = partial(row, data=overlap, size=600, target=(slope, "att"), outcome="back")
    adjusted = {"make": make, "adjust": ("x", "z")}
    sets = {"weights": "weight", "subclass": "set"}
    return [
        each("unadjusted", make=make),
        each("g_computation", **adjusted),
        each("aipw att", **adjusted, model="aipw"),
        each("aipw ate", **adjusted | {"target": (slope, "ate")}, model="aipw", estimand="ate"),
        each("nearest, caliper 0.2", make=_designed(make, "nearest", caliper=0.2), **sets),
        each("nearest, no caliper", make=_designed(make, "nearest"), **sets),
        each("inverse probability", make=_designed(make, "inverse_probability"), weights="weight"),
        each("entropy balancing", make=_designed(make, "entropy"), weights="weight"),
    ]


def _designed(make: Make, method: str, **options: object) -> Make:
    return partial(_then_design, make, method, options)


def _then_design(make: Make, method: str, options: dict, generator: np.random.Generator) -> pd.DataFrame:
    return matched(make(generator), method, **options)


def simulate(draws: int, seed: int = SEED, workers: int = 1) -> pd.DataFrame:
    """One row per case: bias, its Monte Carlo error, spread and coverage of the 95% interval."""
    numbers = range(len(cases()))
    if workers == 1:
        return pd.DataFrame([_case(number, draws, seed) for number in numbers])
    with ProcessPoolExecutor(workers) as pool:
        return pd.DataFrame(pool.map(_case, numbers, [draws] * len(numbers), [seed] * len(numbers)))


def _case(number: int, draws: int, seed: int) -> dict:
    what, data, size, make, estimator, options, target, logs = cases()[number]
    target = truth(*target) if isinstance(target, tuple) else target
    generator = np.random.default_rng([seed, number])
    values = np.array([_one(estimator, make(generator), options, logs) for _ in range(draws)])
    known = values[~np.isnan(values).any(axis=1)]
    error = known[:, 0] - target
    covered = (known[:, 1] <= target) & (target <= known[:, 2])
    return {
        "estimator": what, "data": data, "people": size, "truth": target, "bias": error.mean(),
        "bias_error": error.std(ddof=1) / math.sqrt(len(known)), "spread": error.std(ddof=1),
        "coverage": covered.mean(), "without_interval": draws - len(known), "draws": draws, "seed": seed,
    }  # fmt: skip


def _one(estimator: Callable, frame: pd.DataFrame, options: dict, logs: bool) -> tuple[float, ...]:
    columns = {"time": "days", "event": "event"} if estimator is survival else {}
    head = estimator(frame, **columns, **options).headline
    found = (head.estimate, head.conf_low, head.conf_high)
    if any(value is None or (logs and value <= 0) for value in found):
        return (math.nan,) * 3
    return tuple(math.log(value) for value in found) if logs else found


def test_three_draws_of_the_trials_run():
    table = pd.DataFrame([_case(number, 3, SEED) for number in range(0, 17, 4)])
    assert table["coverage"].between(0, 1).all()


@pytest.mark.slow
def test_bias_and_coverage():
    table = simulate(DRAWS, workers=2)
    table.round(5).to_csv(RESULTS, index=False)
    honest = table[(table["data"] == "trial") & (table["people"] == 200)]
    assert (honest["bias"].abs() <= SIMULATION * honest["bias_error"] + 0.02).all()
    assert honest["coverage"].between(0.915, 0.98).all()
    raw = table[table["estimator"] == "unadjusted"]
    assert (raw["coverage"] < 0.6).all()
