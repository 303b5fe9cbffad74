"""What must not change an account, and what must move it in a known way."""

import numpy as np
import pandas as pd
import pytest

from evalkit.costbenefit import CostBenefitOptions, Impact, cost_benefit
from evalkit.costbenefit.account import build_account, central
from evalkit.costbenefit.inputs import read_inputs
from evalkit.costbenefit.sensitivity import break_evens
from evalkit.parameters import library
from tests.costs import account, benefit, cost

LIBRARY = library()
IMPACTS = {"main": Impact(value=0.1, std_error=0.05)}


def rich():
    return account(
        [
            cost(amount=9000, confidence=2),
            cost("rooms", "charity", kind="in_kind", amount=500),
            cost(year=1, amount=700),
        ],
        [
            benefit("a", "police", confidence=3, last_year=3, drop_off=0.2, population=40),
            benefit("b", "victims", "social", impact="main", unit_cost=20_000),
            benefit("c", "council", impact="main", unit_cost=9000, transfer=1),
            benefit("d", "council", "economic", deadweight=0.4, units=3, units_low=2, units_high=4.5),
        ],
    )


def test_the_order_of_rows_and_columns_changes_nothing():
    frames = rich()
    turned = {name: frame.iloc[::-1, ::-1] for name, frame in frames.items()}
    one, other = (cost_benefit(each, draws=2000, seed=4, impacts=IMPACTS) for each in (frames, turned))
    assert one.to_dict()["estimates"] == other.to_dict()["estimates"]
    pd.testing.assert_frame_equal(one.detail["cashflow"], other.detail["cashflow"])


def test_the_same_seed_gives_the_same_bytes_and_text_columns_the_same_numbers():
    frames = rich()
    text = {name: frame.astype(str).replace("nan", "") for name, frame in frames.items()}
    one, other, third = (
        cost_benefit(each, draws=2000, seed=4, impacts=IMPACTS) for each in (frames, frames, text)
    )
    assert one.to_dict() == other.to_dict() == third.to_dict()


def test_a_new_line_does_not_change_the_draws_of_the_others():
    frames = rich()
    more = {
        **frames,
        "benefits": pd.concat([frames["benefits"], pd.DataFrame([benefit("z", "x", "social")])]),
    }
    one, other = (cost_benefit(each, draws=2000, seed=4, impacts=IMPACTS) for each in (frames, more))
    for term in ("pv_costs", "pv_benefits_fiscal", "pv_benefits_economic"):
        assert one.estimate(term).conf_low == pytest.approx(other.estimate(term).conf_low, rel=1e-9)


def test_a_line_split_in_two_halves_is_the_line():
    whole = account([cost()], [benefit(population=10)])
    halves = account([cost(amount=400), cost(amount=600)], [benefit(population=5), benefit(population=5)])
    one, other = cost_benefit(whole, draws=0), cost_benefit(halves, draws=0)
    for term in ("benefit_cost_ratio", "net_present_public_value", "break_even_impact", "payback_year"):
        assert one.estimate(term).estimate == pytest.approx(other.estimate(term).estimate)


@pytest.mark.parametrize("seed", range(8))
def test_break_even_values_make_the_ratio_one(seed):
    rng = np.random.default_rng(seed)
    size, last = 10 ** rng.uniform(-2, 2), int(rng.integers(0, 13))
    impact, deadweight, drop_off = rng.uniform(0.01, 1), rng.uniform(0, 0.95), rng.uniform(0, 0.9)
    row = benefit(
        population=50 * size, impact=impact, deadweight=deadweight, drop_off=drop_off, last_year=last
    )
    options = CostBenefitOptions()

    def built(rows):
        return build_account(read_inputs(account([cost(amount=2000)], rows), LIBRARY, {}), options, LIBRARY)

    found = {each.name: each.value for each in break_evens(built([row])) if each.line == "all lines"}
    again = central(built([{**row, "impact": found["impact"]}]))["benefit_cost_ratio"]
    assert again == pytest.approx(1.0, rel=1e-9)
    ratio = central(built([row]))["benefit_cost_ratio"]
    assert 1 - found["deadweight"] == pytest.approx((1 - deadweight) / ratio, rel=1e-9)


@pytest.mark.parametrize(
    "name", ["unit_cost", "population", "units", "affected", "engaged", "retained", "deadweight"]
)
def test_each_break_even_value_makes_the_ratio_one(name):
    row = benefit(
        population=50, impact=0.5, deadweight=0.2, engaged=0.9, affected=0.8, retained=0.9, last_year=2
    )
    result = cost_benefit(account([cost(amount=2000)], [row]), draws=0)
    moved = {**row, name: result.estimate(f"break_even_{name}").estimate}
    again = cost_benefit(account([cost(amount=2000)], [moved]), draws=0)
    assert again.headline.estimate == pytest.approx(1.0, rel=1e-9)


def test_prices_scale_everything_alike():
    frames = rich()
    one = cost_benefit(frames, draws=0, impacts=IMPACTS, price_year="2015/16")
    other = cost_benefit(frames, draws=0, impacts=IMPACTS, price_year="2010/11")
    ratio = 179.9069 / 195.9697
    assert other.estimate("pv_costs").estimate == pytest.approx(one.estimate("pv_costs").estimate * ratio)
    assert other.headline.estimate == pytest.approx(one.headline.estimate)
