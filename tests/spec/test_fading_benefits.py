"""Benefits that fade: the drop-off at which an account breaks even, and a drop-off known only within a range."""

import numpy as np
import pytest

from evalkit.costbenefit import cost_benefit
from evalkit.errors import StudyError
from tests.costs import account, benefit, cost
from tests.tolerances import EXACT, SIMULATION

LASTING = {"first_year": 0, "last_year": 2, "drop_off": 0.2, "confidence": 1}


def run(costs, benefits, **options):
    return cost_benefit(account(costs, benefits), **{"draws": 0, **options})


def fiscal(result):
    return result.estimate("pv_benefits_fiscal").estimate


def test_the_drop_off_at_which_benefits_equal_costs():
    """
    1,000 a year for three years against 2,000: 1 + k / 1.035 + k^2 / 1.035^2 = 2, so k / 1.035 = (5^0.5 - 1) / 2
    = 0.618034, k = 0.639665 and the drop-off 0.360335.
    """
    result = run([cost(amount=2000)], [benefit(**LASTING)])
    found = result.estimate("break_even_drop_off")
    assert found.estimate == pytest.approx(1 - 1.035 * (5**0.5 - 1) / 2, abs=EXACT)
    assert found.unit == "proportion"
    at_it = run([cost(amount=2000)], [benefit(**{**LASTING, "drop_off": found.estimate})])
    assert at_it.headline.estimate == pytest.approx(1, abs=1e-9)


def test_one_lines_own_drop_off_beside_lines_that_do_not_last():
    rows = [benefit(**LASTING), benefit(line="once")]
    frame = run([cost(amount=3000)], rows).detail["break_even"].query("input == 'drop_off'")
    assert list(frame["line"]) == ["all lines", "saving"]
    assert frame["break_even"].nunique() == 1
    assert list(frame["entered"]) == [0.2, 0.2]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (900, None),  # the first year alone is enough, whatever is lost after it
        (9000, "impossible"),  # only growth would do
    ],
)
def test_no_drop_off_breaks_even(amount, expected):
    result = run([cost(amount=amount)], [benefit(**LASTING)])
    found = result.estimate("break_even_drop_off").estimate
    assert found is None if expected is None else found < 0
    once = run([cost(amount=500)], [benefit()])
    assert once.estimate("break_even_drop_off").estimate is None


def test_a_range_moves_the_expected_value_by_the_powers_of_what_is_kept():
    """
    A beta of mean 0.2 and standard deviation (0.4 - 0.05) / 3.92 has E[k] = 0.8 and E[k^2] = 0.64 + SD^2: the expected
    account is worth more than one that fades by 0.2 for certain.
    """
    sd = 0.35 / (2 * 1.959963984540054)
    row = benefit(**LASTING, drop_off_low=0.05, drop_off_high=0.4)
    by_hand = 1000 * (1 + 0.8 / 1.035 + (0.64 + sd**2) / 1.035**2)
    assert fiscal(run([cost()], [row])) == pytest.approx(by_hand, rel=1e-9)
    triangular = {**row, "drop_off_low": 0.0, "drop_off_high": 0.4, "drop_off_distribution": "triangular"}
    second = 0.64 + 0.4**2 / 24  # the variance of a symmetric triangle
    by_hand = 1000 * (1 + 0.8 / 1.035 + second / 1.035**2)
    assert fiscal(run([cost()], [triangular])) == pytest.approx(by_hand, rel=1e-6)


def test_draws_carry_the_range_and_keep_the_exact_mean():
    row = benefit(**LASTING, drop_off_low=0.05, drop_off_high=0.4)
    result = run([cost()], [row], draws=20_000)
    assert result.check("monte_carlo_error").statistic < SIMULATION
    assert result.headline.conf_low < result.headline.estimate < result.headline.conf_high
    bar = result.detail["tornado"].query("input == 'drop_off'").iloc[0]
    assert bar["low"] > 0.2 > bar["high"]  # the end at which the line is worth least is the larger drop-off
    assert bar["ratio_low"] < result.headline.estimate < bar["ratio_high"]


def test_a_range_without_width_changes_nothing():
    row = benefit(**LASTING, drop_off_low=0.2, drop_off_high=0.2)
    assert fiscal(run([cost()], [row])) == pytest.approx(fiscal(run([cost()], [benefit(**LASTING)])))
    assert np.ptp(run([cost()], [row], draws=100).detail["draws"].query("term == 'pv_costs'")["value"]) == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"drop_off_distribution": "gamma"}, "a drop-off is a share"),
        ({"drop_off_low": 0.3}, "outside its own range"),
        ({"drop_off_high": 5.0}, "a beta needs a value between 0 and 1"),
    ],
)
def test_a_range_that_no_share_has_is_refused(changed, message):
    row = benefit(**{**LASTING, "drop_off_low": 0.1, "drop_off_high": 0.4, **changed})
    with pytest.raises(StudyError, match=message):
        run([cost()], [row])
