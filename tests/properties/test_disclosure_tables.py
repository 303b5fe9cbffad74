"""Totals, nested samples and whole lattices: what an outsider can work out from printed tables alone."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.disclosure import Released, policy, release
from evalkit.errors import Refused
from evalkit.intervals import newcombe, score_test, wilson
from evalkit.results import Estimate, Result

FLOW = pd.DataFrame(columns=["step", "arm", "n", "lost", "reason"])
PRESETS = ("public", "partner")


def comparison(x1: int, n1: int, x0: int, n0: int, *, analysis: str = "main") -> Result:
    """Two arms compared by their risk difference, as `rates` gives it."""
    p1, p0 = x1 / n1, x0 / n0
    low, high = newcombe(x1, n1, x0, n0)
    chi_square, p_value = score_test(x1, n1, x0, n0)
    estimate = Estimate(
        term="treated_vs_control", measure="risk_difference", estimate=100 * (p1 - p0),
        std_error=100 * math.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0),
        statistic=math.copysign(math.sqrt(chi_square), p1 - p0), p_value=p_value, conf_low=100 * low,
        conf_high=100 * high, interval="newcombe", n_treated=n1, n_control=n0, unit="percentage points",
    )  # fmt: skip
    rows = [(arm, n, x, x / n, *wilson(x, n)) for arm, n, x in (("treated", n1, x1), ("control", n0, x0))]
    arms = pd.DataFrame(rows, columns=["arm", "n", "events", "value", "conf_low", "conf_high"])
    return Result(
        analysis=analysis, role="primary", method="rates", estimand="itt", outcome="reoffended",
        estimates=(estimate,), detail={"arms": arms},
    )  # fmt: skip


def through(results: list[Result], preset: str) -> Released:
    """What the gate lets out of a study with two arms and nobody lost."""
    return release(results=results, flow=FLOW, policy=policy(preset))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("n", [10, pytest.param(24, marks=pytest.mark.slow)])
def test_of_all_pairs_that_print_alike_a_small_count_has_company(n, preset):
    chosen, alike = policy(preset), defaultdict(list)
    for x1 in range(n + 1):
        for x0 in range(n + 1):
            printed = through([comparison(x1, n, x0, n)], preset).results[0]
            alike[printed.estimates, printed.detail["arms"].to_csv()].append((x1, x0))
    for pairs in alike.values():
        for arm in (0, 1):
            counts = {pair[arm] for pair in pairs}
            if any(chosen.small(x, n) for x in counts):
                assert len(counts) > chosen.protection


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    ("x", "gone", "events"), [(10, 1, 0), (11, 2, 2), (56, 3, 1), (40, 4, 4), (100, 4, 0)]
)
def test_two_nested_samples_do_not_print_their_difference(x, gone, events, preset):
    whole, part = (
        comparison(x + events, 200 + gone, 70, 200),
        comparison(x, 200, 70, 200, analysis="complete"),
    )
    released = through([whole, part], preset)
    printed = [result.detail["arms"]["events"].iloc[0] for result in released.results]
    if all(isinstance(each, int) for each in printed):
        half = policy(preset).rounding // 2
        low = max(0, (printed[0] - half) - (printed[1] + half))
        high = min(gone, (printed[0] + half) - (printed[1] - half))
        assert high > low


@pytest.mark.parametrize("preset", PRESETS)
@given(parts=st.lists(st.integers(0, 60), min_size=2, max_size=5).filter(lambda parts: sum(parts) >= 20))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_total_does_not_give_a_hidden_part_away(parts, preset):
    chosen, values = policy(preset), [sum(parts), *parts]
    frame = pd.DataFrame({"group": ["all", *(f"g{i}" for i in range(len(parts)))], "count": values})
    printed = release(results=[], flow=FLOW, policy=chosen, other={"kinds": frame}).other["kinds"]["count"]
    half = chosen.rounding // 2
    known = [(max(0, each - half), each + half) if isinstance(each, int) else (0, 10_000) for each in printed]
    for place, (value, shown) in enumerate(zip(values, printed, strict=True)):
        if isinstance(shown, int):
            assert not chosen.small(value)
        elif chosen.small(value):
            low, high = outsider(known, place)
            assert high - low >= chosen.protection
            assert low <= max(0 if chosen.hide_zeros else 1, value - chosen.protection)
            assert high >= value + chosen.protection


def outsider(known: list[tuple[int, int]], place: int) -> tuple[int, int]:
    """The range of one cell of a column whose first cell is the sum of the others, from the ranges of the others."""
    low, high = np.array(known).T
    others = [each for each in range(1, len(known)) if each != place]
    if place == 0:
        return max(low[0], low[1:].sum()), min(high[0], high[1:].sum())
    return max(low[place], low[0] - high[others].sum()), min(high[place], high[0] - low[others].sum())


def test_a_refusal_says_which_table_and_what_to_change():
    """Two analyses print how many people there were before and after a loss of three: no cell is left to withhold."""
    flow = pd.DataFrame(
        [("submitted", "treated", 100, 0, ""), ("mature", "treated", 97, 3, "too late")], columns=FLOW.columns
    )
    known = [comparison(50, 100, 70, 200), comparison(48, 97, 70, 200, analysis="complete")]
    with pytest.raises(Refused) as refused:
        release(results=known, flow=flow, policy=policy("partner"))
    (problem,) = refused.value.problems
    assert "table `flow`" in problem.where
    assert "Merge" in problem.do


def test_a_refusal_inside_a_result_names_the_analysis():
    wide = pd.DataFrame({"category": [f"c{i}" for i in range(500)], "count": [3] * 499 + [1497]})
    result = replace(comparison(50, 100, 70, 200), detail={"kinds": wide})
    with pytest.raises(Refused, match=r"analyses\.main, table `kinds`.*Name fewer groups"):
        through([result], "public")
