"""Small accounts worked by hand, with the arithmetic beside them, and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from evalkit.costbenefit import Impact, cost_benefit, required, surface
from tests.costs import account, benefit, cost
from tests.tolerances import COEFFICIENT, EXACT, POUND, SIMULATION


def value(result, term):
    return result.estimate(term).estimate


def test_two_lines_over_three_years():
    """
    Costs:    100,000 revenue in year 0, 20,000 revenue in year 1, 15,000 in kind in year 0.
              PV fiscal = 100,000 + 20,000 / 1.035 = 119,323.671498; PV all = 134,323.671498
    Police:   200 people x 0.5 affected x 0.8 engaged x 0.9 retained x 0.25 impact x (1 - 0.2) x 2 units x 1,000
              = 200 x 0.5 = 100; x 0.8 = 80; x 0.9 = 72; x 0.25 = 18; x 0.8 = 14.4; x 2 = 28.8; x 1,000 = 28,800 a year,
              years 1 and 2, drop-off 0.1: 28,800 / 1.035 + 25,920 / 1.035^2
              = 27,826.086957 + 24,196.597354 = 52,022.684310
    Victims:  the same 28.8 events at 3,000 social, year 1 only: 86,400 / 1.035 = 83,478.260870
    Tax:      10,000 in year 1, fiscal, a transfer: 10,000 / 1.035 = 9,661.835749
    """
    same = {"affected": 0.5, "engaged": 0.8, "retained": 0.9, "impact": 0.25, "deadweight": 0.2, "units": 2}
    frames = account(
        [
            cost(amount=100_000),
            cost(amount=20_000, year=1),
            cost("rooms", "charity", kind="in_kind", amount=15_000),
        ],
        [
            benefit(
                "visits",
                "police",
                population=200,
                unit_cost=1000,
                first_year=1,
                last_year=2,
                drop_off=0.1,
                cashable=1,
                **same,
            ),
            benefit(
                "harm", "victims", "social", population=200, unit_cost=3000, first_year=1, last_year=1, **same
            ),
            benefit("tax", "treasury", population=1, unit_cost=10_000, first_year=1, last_year=1, transfer=1),
        ],
    )
    fiscal = cost_benefit(frames, horizon=3, draws=0)
    public = cost_benefit(frames, horizon=3, draws=0, perspective="public_value")
    expected = {
        "pv_costs": 134_323.671498,
        "pv_costs_fiscal": 119_323.671498,
        "pv_benefits_fiscal": 52_022.684310 + 9_661.835749,
        "pv_benefits_economic": 0.0,
        "pv_benefits_social": 83_478.260870,
        "net_present_budget_impact": 119_323.671498 - 61_684.520059,
        "financial_return_on_investment": 61_684.520059 / 119_323.671498,
        "net_present_public_value": 52_022.684310 + 83_478.260870 - 134_323.671498,
        "cashable_share": 52_022.684310 / 61_684.520059,
        "payback_year": None,
        "probability_benefits_exceed_costs": None,
    }
    for result in (fiscal, public):
        for term, number in expected.items():
            assert value(result, term) == (None if number is None else pytest.approx(number, rel=1e-9)), term
    assert value(fiscal, "benefit_cost_ratio") == pytest.approx(61_684.520059 / 119_323.671498, rel=1e-9)
    assert value(public, "benefit_cost_ratio") == pytest.approx(135_500.945180 / 134_323.671498, rel=1e-9)


def test_cash_flow_nominal_real_discounted():
    """
    500 a year in 2002/03 prices, year 1 only, account in 2015/16 prices, confidence grade 3 (benefits cut by a tenth).
    nominal 500; real 500 x 195.9697 / 145.5441 x 0.9 = 605.907; discounted / 1.035 = 585.417
    Cost of 1,000 in 2010/11 prices, grade 2 (raised by a twentieth): 1,000 x 195.9697 / 179.9069 x 1.05 = 1,143.747
    """
    frames = account(
        [cost(amount=1000, price_year="2010/11", confidence=2)],
        [benefit(population=1, unit_cost=500, price_year="2002/03", first_year=1, last_year=1, confidence=3)],
    )
    flow = cost_benefit(frames, price_year="2015/16", draws=0).detail["cashflow"].set_index("flow")
    real = 500 * 195.9697 / 145.5441 * 0.9
    assert tuple(flow.loc["benefit", ["nominal", "real", "discounted"]]) == pytest.approx(
        (500, real, real / 1.035)
    )
    raised = 1000 * 195.9697 / 179.9069 * 1.05
    assert tuple(flow.loc["cost", ["nominal", "real", "discounted"]]) == pytest.approx((1000, raised, raised))


def test_payback_is_the_first_year_that_reaches():
    """
    Cost 1,000 in year 0; 400 a year from year 0, undistinguished by discounting but for its size:
    400; 400 + 386.47 = 786.47; + 373.40 = 1,159.88 >= 1,000: year 2. At 300 a year: 1,140.5 only in year 3 + ...:
    300 + 289.86 + 280.05 + 270.58 = 1,140.49: year 3.
    """
    for yearly, year in ((400, 2), (300, 3), (1000, 0), (200, None)):
        frames = account([cost(amount=1000)], [benefit(population=1, unit_cost=yearly, last_year=4)])
        assert value(cost_benefit(frames, draws=0), "payback_year") == year


def test_a_level_flow_is_an_annuity():
    frames = account([cost(amount=1)], [benefit(population=1, unit_cost=10_272, last_year=4)])
    annuity = (1 - 1.035**-5) / (1 - 1 / 1.035)
    assert value(cost_benefit(frames, draws=0), "pv_benefits_fiscal") == pytest.approx(
        10_272 * annuity, rel=EXACT
    )
    assert 10_272 * annuity == pytest.approx(48_000, abs=5)


def test_a_fading_flow_is_a_geometric_sum():
    # sum over t = 0..9 of ((1 - 0.2) / 1.035)^t = (1 - q^10) / (1 - q), q = 0.8 / 1.035
    frames = account([cost(amount=1)], [benefit(population=1, unit_cost=100, last_year=9, drop_off=0.2)])
    q = 0.8 / 1.035
    assert value(cost_benefit(frames, draws=0), "pv_benefits_fiscal") == pytest.approx(
        100 * (1 - q**10) / (1 - q), rel=1e-11
    )


def test_health_lines_use_the_health_schedule():
    frames = account(
        [cost(amount=1)],
        [benefit(population=1, unit_cost=100, first_year=31, last_year=31, schedule="health")],
    )
    result = cost_benefit(frames, draws=0)
    assert value(result, "pv_benefits_fiscal") == pytest.approx(100 / (1.015**30 * 1.0129), rel=1e-12)


def test_the_sensitivity_schedule_replaces_the_standard_one():
    frames = account([cost(amount=1)], [benefit(population=1, unit_cost=100, first_year=1, last_year=1)])
    result = cost_benefit(frames, draws=0, discounting="green_book_2026_sensitivity")
    assert value(result, "pv_benefits_fiscal") == pytest.approx(100 / 1.03, rel=EXACT)


def test_break_even_by_hand():
    """
    One line: 100 people x 0.2 impact x (1 - 0.25) x 1,000 = 15,000; cost 10,000; ratio 1.5.
    impact 0.2 / 1.5 = 0.133333; unit cost 666.67; people 66.67; deadweight 1 - 10,000 / 20,000 = 0.5; costs 15,000.
    """
    frames = account(
        [cost(amount=10_000)], [benefit(population=100, impact=0.2, deadweight=0.25, unit_cost=1000)]
    )
    result = cost_benefit(frames, draws=0)
    expected = {
        "impact": 2 / 15,
        "unit_cost": 2000 / 3,
        "population": 200 / 3,
        "deadweight": 0.5,
        "engaged": 2 / 3,
        "costs": 15_000,
    }
    for name, number in expected.items():
        assert value(result, f"break_even_{name}") == pytest.approx(number, rel=1e-12), name


def test_break_even_of_one_line_among_two():
    """Lines worth 6,000 and 9,000 against 10,000: the first must be 1,000, a sixth of what it is; the second 4,000."""
    frames = account(
        [cost(amount=10_000)],
        [benefit("a", population=6, unit_cost=1000), benefit("b", population=9, unit_cost=1000)],
    )
    table = cost_benefit(frames, draws=0).detail["break_even"].set_index(["input", "line"])
    assert table.loc[("impact", "a"), "break_even"] == pytest.approx(1 / 6)
    assert table.loc[("population", "b"), "break_even"] == pytest.approx(4)
    assert table.loc[("population", "all lines"), "multiple"] == pytest.approx(2 / 3)
    assert table.loc[("unit_cost", "all lines"), "break_even"] == pytest.approx(2000 / 3)


def test_what_must_be_true_for_a_published_ratio():
    """
    5.48 x 956,000 = 5,238,880; / 25 people = 209,555 each; / 3,089 a week (a children's home, 2015/16 prices) = 67.84
    weeks, or 1.30 years of 52.18 weeks.
    """
    known = {"cost_base": 956_000, "people": 25, "unit_cost": 3089}
    weeks = required(5.48, known, "units")
    assert weeks == pytest.approx(5.48 * 956_000 / 25 / 3089, rel=EXACT)
    assert weeks / 52.18 == pytest.approx(1.30, abs=0.005)
    for unknown, answer in (
        ("cost_base", 956_000),
        ("people", 25),
        ("unit_cost", 3089),
        ("deadweight", 0.0),
        ("impact", 1.0),
    ):
        rest = {name: number for name, number in known.items() if name != unknown}
        assert required(5.48, {**rest, "units": weeks}, unknown) == pytest.approx(answer, abs=1e-6)
    frame = surface(5.48, 25, [478_000, 956_000], ["SS3.0", 4000.0], [0, 0.4], price_year="2015/16")
    assert len(frame) == 8
    assert frame.loc[frame["code"] == "SS3.0", "unit_cost"].iloc[0] == pytest.approx(3089, abs=POUND)
    row = frame[(frame["cost_base"] == 956_000) & (frame["unit_cost"] == 4000) & (frame["deadweight"] == 0.4)]
    assert row["required_units"].item() == pytest.approx(5.48 * 956_000 / (25 * 4000 * 0.6))


def ranged(name, number, low, high, family=""):
    return {name: number, f"{name}_low": low, f"{name}_high": high, f"{name}_distribution": family}


def simulated():
    """Every family at once."""
    return account(
        [cost(**ranged("amount", 50_000, 40_000, 62_000)), cost("rent", amount=5_000, confidence=4)],
        [
            benefit(
                "a",
                population=100,
                **ranged("impact", 0.2, 0.1, 0.3),
                **ranged("unit_cost", 2000, 1500, 2600),
            ),
            benefit(
                "b",
                population=80,
                unit_cost=300,
                **ranged("deadweight", 0.3, 0.1, 0.5),
                **ranged("units", 1.5, 1, 2),
            ),
            benefit("c", population=60, impact="main", unit_cost=900, confidence=3, last_year=3),
            benefit("d", population=60, impact=0.4, **ranged("engaged", 0.5, 0.3, 0.8, "triangular")),
        ],
    )


def test_the_mean_of_the_draws_is_the_exact_mean():
    impacts = {"main": Impact(value=0.3, std_error=0.1)}
    result = cost_benefit(simulated(), draws=40_000, seed=11, impacts=impacts)
    assert result.check("monte_carlo_error").statistic < SIMULATION
    halved = cost_benefit(simulated(), draws=0, impacts=impacts)
    for term in ("pv_costs", "pv_benefits_fiscal", "benefit_cost_ratio"):
        assert value(result, term) == value(halved, term)


@pytest.mark.parametrize(
    "impact",
    [
        Impact(value=0.15, baseline=-0.5, ratio=0.7, log_std_error=0.25, scale="count"),
        Impact(value=0.15, draws=np.linspace(-0.2, 0.6, 400)),
        Impact(value=0.15, std_error=0.08),
    ],
)
def test_each_sampling_distribution_has_the_estimate_as_its_mean(impact):
    frames = account([cost(amount=1000)], [benefit(population=100, impact="main", unit_cost=100)])
    result = cost_benefit(frames, draws=50_000, seed=5, impacts={"main": impact})
    assert result.check("monte_carlo_error").passed
    assert value(result, "benefit_cost_ratio") == pytest.approx(1.5)


def test_the_interval_of_a_ratio_is_that_of_fieller():
    """
    Benefits normal, mean 15,000, SE 2,500 (impact 0.15, SE 0.025, times 100,000); costs normal, mean 10,000, SE 800.
    Fieller (1954): the limits solve (b - r c)^2 = z^2 (sb^2 + r^2 sc^2).
    """
    z, b, c, sb, sc = norm.ppf(0.975), 15_000, 10_000, 2_500, 800
    roots = np.roots([c**2 - z**2 * sc**2, -2 * b * c, b**2 - z**2 * sb**2])
    half = norm.ppf(0.975) * sc
    frames = account(
        [cost(amount=c, amount_low=c - half, amount_high=c + half, amount_distribution="normal")],
        [benefit(population=100, impact="main", unit_cost=1000)],
    )
    found = cost_benefit(
        frames, draws=400_000, seed=3, impacts={"main": Impact(value=0.15, std_error=0.025)}
    ).headline
    # a quantile of 400,000 draws has a standard error of about 0.001 here
    assert (found.conf_low, found.conf_high) == pytest.approx(tuple(sorted(roots)), abs=0.006)
    assert found.estimate == pytest.approx(1.5, abs=COEFFICIENT)


def test_a_probability_in_closed_form():
    # P(benefits > costs) for benefits normal with mean 15,000, SE 5,000 and a certain cost of 10,000: Phi(1) = 0.841345
    frames = account([cost(amount=10_000)], [benefit(population=100, impact="main", unit_cost=1000)])
    result = cost_benefit(frames, draws=100_000, seed=2, impacts={"main": Impact(value=0.15, std_error=0.05)})
    found = value(result, "probability_benefits_exceed_costs")
    assert found == pytest.approx(norm.cdf(1), abs=SIMULATION * np.sqrt(0.84 * 0.16 / 100_000))
    assert result.check("chance_of_benefit").reading.startswith(
        "The chance that benefits exceed costs is over 75 per cent"
    )


def test_agencies_and_years_add_up_to_the_account():
    result = cost_benefit(simulated(), draws=0, impacts={"main": Impact(value=0.3)})
    agencies, years = result.detail["by_agency"], result.detail["by_year"]
    assert agencies["pv_benefits_fiscal"].sum() == pytest.approx(
        value(result, "pv_benefits_fiscal"), rel=1e-12
    )
    assert agencies["net_budget_impact"].sum() == pytest.approx(
        value(result, "net_present_budget_impact"), rel=1e-12
    )
    assert years["costs"].sum() == pytest.approx(value(result, "pv_costs"), rel=1e-12)
    assert years["cumulative_budget_impact"].iloc[-1] == pytest.approx(
        value(result, "net_present_budget_impact"), rel=1e-12
    )
    assert isinstance(result.detail["summary_table"], pd.DataFrame)
