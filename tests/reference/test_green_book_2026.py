"""Discounting as the Green Book of February 2026 sets it out.

Source: HM Treasury, The Green Book, February 2026: the table of declining long-term rates, standard, health, and the
sensitivity schedule that leaves out pure time preference, as reproduced in the Department for Transport's TAG notice of
16 April 2026. Rates chain: a year's factor is that of the year before, divided by one plus the year's rate.
"""

import numpy as np
import pytest

from evalkit.costbenefit import cost_benefit
from evalkit.errors import StudyError
from evalkit.parameters import discount_factors, parameter
from tests.costs import account, benefit, cost
from tests.tolerances import EXACT

SIX_PLACES = 5e-7

# Each factor in closed form: powers of the rates of the bands that it has passed through.
BANDS = {
    "standard": (1.035, 1.03, 1.025),
    "health": (1.015, 1.0129, 1.0107),
    "sensitivity": (1.03, 1.0257, 1.0214),
}
YEARS = {1: (1, 0, 0), 30: (30, 0, 0), 31: (30, 1, 0), 75: (30, 45, 0), 76: (30, 45, 1), 125: (30, 45, 50)}


@pytest.mark.parametrize("schedule", BANDS)
@pytest.mark.parametrize("year", YEARS)
def test_factors_to_six_places(schedule, year):
    first, second, third = BANDS[schedule]
    spent = YEARS[year]
    expected = first ** -spent[0] * second ** -spent[1] * third ** -spent[2]
    assert discount_factors(schedule, 126)[year] == pytest.approx(expected, abs=SIX_PLACES)


@pytest.mark.parametrize(
    ("schedule", "year", "printed"),
    [
        # four-place factors as the Green Book family of tables prints them
        ("standard", 0, 1.0), ("standard", 1, 0.9662), ("standard", 2, 0.9335), ("standard", 3, 0.9019),
        ("standard", 4, 0.8714), ("standard", 5, 0.8420), ("standard", 10, 0.7089), ("standard", 30, 0.3563),
        ("standard", 31, 0.3459), ("standard", 75, 0.0942), ("standard", 76, 0.0919),
        ("health", 1, 0.9852), ("health", 5, 0.9283), ("health", 10, 0.8617),
    ],
)  # fmt: skip
def test_printed_factors(schedule, year, printed):
    assert round(discount_factors(schedule, 80)[year], 4) == printed


def test_chaining_is_not_restarting():
    # A rate applied from year 0 would give 1.03^-31 = 0.399987 in year 31; the chained factor is 0.345901.
    assert discount_factors("standard", 32)[31] == pytest.approx(0.345901, abs=SIX_PLACES)


def test_the_last_band_has_no_end():
    factors = discount_factors("standard", 402)
    assert factors[400] / factors[401] == pytest.approx(1.01, abs=EXACT)


def test_an_annuity_in_closed_form():
    # 1 a year in years 0 to 4 at 3.5 per cent: (1 - 1.035^-5) / (1 - 1.035^-1) = 4.673079
    annuity = (1 - 1.035**-5) / (1 - 1.035**-1)
    assert discount_factors("standard", 5).sum() == pytest.approx(annuity, abs=EXACT)
    assert annuity == pytest.approx(4.67308, abs=5e-6)
    assert 48_000 / annuity == pytest.approx(10_272, abs=0.5)


@pytest.mark.parametrize(("capital", "yearly", "printed"), [(10.0, 2.5, -0.82), (5.0, 1.5, 0.51)])
def test_the_worked_example_of_two_projects(capital, yearly, printed):
    # HM Treasury, The Green Book, 2003 edition, annex 6 (as recalled): projects A and B, capital in year 0 and
    # benefits in years 1 to 4, in £ million at 3.5 per cent.
    # A: 2.5 x 3.673079 - 10 = -0.82; B: 1.5 x 3.673079 - 5 = 0.51.
    frames = account(
        [cost(kind="capital", amount=capital)],
        [benefit(population=1, unit_cost=yearly, first_year=1, last_year=4)],
    )
    result = cost_benefit(frames, draws=0, perspective="public_value")
    assert round(result.estimate("net_present_public_value").estimate, 2) == printed


def test_editions_are_kept_apart():
    new, old = (
        discount_factors(vintage="green_book_2026", n_years=50),
        discount_factors(vintage="green_book_2022", n_years=50),
    )
    assert np.array_equal(new, old)
    assert parameter("green_book_2026.standard.0-30").verified
    assert not parameter("green_book_2022.standard.0-30").verified


def test_unknown_edition_and_schedule_are_refused_by_name():
    with pytest.raises(StudyError, match="Did you mean `green_book_2026`"):
        discount_factors(vintage="green_book_2062")
    with pytest.raises(StudyError, match="no schedule"):
        discount_factors("gold")
