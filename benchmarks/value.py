"""100,000 draws of an account of 12 lines over 10 years: the method against plain vectorised numpy, and its memory.

Run as `python benchmarks/value.py`. The reference draws the same distributions (one lognormal factor per line) and
works out the same terms with arrays of draws × lines × years, as one would by hand.
"""

from __future__ import annotations

import resource
import time

import numpy as np
import pandas as pd

from evalkit.costbenefit import CostBenefitOptions, cost_benefit
from evalkit.costbenefit.account import build_account
from evalkit.costbenefit.inputs import read_inputs
from evalkit.costbenefit.uncertainty import draw, uncertainty
from evalkit.parameters import discount_factors

DRAWS, LINES, YEARS, COSTS = 100_000, 12, 10, 4
SPREAD = {2: 0.05, 3: 0.10, 4: 0.15, 5: 0.25, 6: 0.40}


def frames() -> dict[str, pd.DataFrame]:
    kinds = ["fiscal", "economic", "social"]
    benefits = [
        {
            "line": f"line {n}", "agency": f"agency {n % 5}", "perspective": kinds[n % 3], "transfer": 0,
            "cashable": n % 2, "population": 100 + n, "affected": 0.5, "engaged": 0.8, "retained": 0.9,
            "impact": 0.1, "deadweight": 0.2, "units": 1.5, "unit_cost": 1000 + 100 * n, "price_year": "2015/16",
            "first_year": n % 3, "last_year": 9, "drop_off": 0.1, "schedule": "standard", "confidence": 2 + n % 5,
        }
        for n in range(LINES)
    ]  # fmt: skip
    costs = [
        {"line": f"cost {n}", "agency": "council", "kind": "revenue", "year": n, "amount": 20_000,
         "price_year": "2015/16", "confidence": 2 + n}
        for n in range(COSTS)
    ]  # fmt: skip
    return {"costs": pd.DataFrame(costs), "benefits": pd.DataFrame(benefits)}


def reference(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, np.ndarray]:
    """The same account in plain arrays: draws × lines × years, one perspective after another."""
    rng = np.random.default_rng(seed)
    b, c = tables["benefits"], tables["costs"]
    factors = discount_factors(n_years=YEARS)
    log_sd = np.sqrt(np.log1p(b["confidence"].map(SPREAD).to_numpy() ** 2))
    product = (
        b["population"] * b["affected"] * b["engaged"] * b["retained"] * b["impact"] * (1 - b["deadweight"])
        * b["units"] * b["unit_cost"] * (1 - b["confidence"].map(SPREAD))
    ).to_numpy()  # fmt: skip
    years = np.arange(YEARS)
    since = years - b["first_year"].to_numpy()[:, None]
    flow = np.where(since >= 0, 0.9 ** np.maximum(since, 0), 0) * factors
    values = product * np.exp(rng.standard_normal((DRAWS, LINES)) * log_sd - log_sd**2 / 2)
    cost_sd = np.sqrt(np.log1p(c["confidence"].map(SPREAD).to_numpy() ** 2))
    spent = c["amount"].to_numpy() * (1 + c["confidence"].map(SPREAD).to_numpy()) * factors[c["year"]]
    costs = spent * np.exp(rng.standard_normal((DRAWS, COSTS)) * cost_sd - cost_sd**2 / 2)
    fiscal = (b["perspective"] == "fiscal").to_numpy()
    by_year = np.einsum("dl,ly->dly", values, flow)
    pv = by_year.sum(axis=2)
    kinds = {
        kind: pv[:, (b["perspective"] == kind).to_numpy()].sum(axis=1)
        for kind in ("fiscal", "economic", "social")
    }
    total = costs.sum(axis=1)
    saved = by_year[:, fiscal].sum(axis=1).cumsum(axis=1)
    paid = np.zeros((DRAWS, YEARS))
    paid[:, c["year"]] = costs
    reached = saved >= paid.cumsum(axis=1)
    return {
        "ratio": kinds["fiscal"] / total,
        "net": sum(kinds.values()) - total,
        "payback": np.where(reached.any(axis=1), reached.argmax(axis=1), np.nan),
        "cashable": pv[:, fiscal & (b["cashable"] == 1).to_numpy()].sum(axis=1) / kinds["fiscal"],
    }


def best(function, times: int = 5) -> float:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return min(spent)


def main() -> None:
    tables = frames()
    options = CostBenefitOptions(horizon=YEARS, price_year="2015/16", draws=DRAWS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = cost_benefit(tables, options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    inputs = read_inputs(tables, options.library, {})
    account = build_account(inputs, options, options.library)
    uncertain = uncertainty(account, {}, options.library)
    draws_only = best(lambda: draw(account, uncertain, DRAWS, 1))
    whole = best(lambda: cost_benefit(tables, options))
    numpy_time = best(lambda: reference(tables, 1))
    by_hand = reference(tables, 1)["ratio"]
    print(f"{DRAWS} draws, {LINES} lines, {YEARS} years")
    print(f"draws of every term   {draws_only:.3f} s   {draws_only / numpy_time:.2f} of numpy")
    print(f"the whole method      {whole:.3f} s   {whole / numpy_time:.2f} of numpy")
    print(f"numpy by hand         {numpy_time:.3f} s")
    print(f"peak memory {peak:.0f} MB, of which {peak - before:.0f} MB for the account")
    print(f"mean ratio {by_hand.mean():.4f} by hand, {result.headline.estimate:.4f} exact")


if __name__ == "__main__":
    main()
