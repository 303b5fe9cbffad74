"""Percentages of those who answered, and what is refused where nobody says how many that was."""

import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.intervals import wilson
from evalkit.monitor.survey import possible_counts, smallest_possible_n, survey
from tests.tolerances import EXACT

# Local Government Association (2020), REBOOT: four percentages of an unknown number of young people
REBOOT = [59, 56, 53, 51]


def test_smallest_number_of_whom_the_four_percentages_are_possible():
    assert smallest_possible_n(REBOOT) == 59
    assert smallest_possible_n([50]) == 2
    assert smallest_possible_n([33.3], places=1) == 3


def test_percentages_of_a_known_number_stand_for_whole_people():
    assert [possible_counts(each, 165) for each in REBOOT] == [[97, 98], [92, 93], [87, 88], [84]]
    result = survey(percentages=REBOOT, answered=165)
    low_high = [(round(100 * each.conf_low), round(100 * each.conf_high)) for each in result.estimates]
    assert low_high == [(51, 67), (48, 64), (45, 61), (43, 58)]
    assert result.check("response_rate").passed is False
    assert result.headline.n_treated == 165


def test_response_and_the_bounds_of_those_who_did_not_answer():
    result = survey(invited=200, answered=120, agreed=66)
    head = result.headline
    assert (head.term, head.n_treated, head.estimate) == ("proportion_of_answered", 120, 0.55)
    assert (head.conf_low, head.conf_high) == pytest.approx(wilson(66, 120), abs=EXACT)
    assert result.estimate("proportion_if_none").estimate == 66 / 200
    assert result.estimate("proportion_if_all").estimate == 146 / 200
    assert result.check("response_rate").statistic == 0.6
    assert result.detail["answers"].loc[0, ["invited", "answered", "agreed"]].tolist() == [200, 120, 66]


def test_one_row_per_question():
    frame = pd.DataFrame({"question": ["safer", "calmer"], "asked": [80, 80], "n": [60, 55], "yes": [45, 20]})
    result = survey(frame, invited="asked", answered="n", agreed="yes")
    assert [(each.group, each.estimate) for each in result.estimates[:2]] == [
        ("safer", 0.75),
        ("calmer", 20 / 55),
    ]


def test_a_design_effect_widens_the_interval():
    plain, wide = (survey(answered=400, agreed=200, design_effect=effect).headline for effect in (1.0, 2.0))
    assert (wide.conf_low, wide.conf_high) == pytest.approx(wilson(100, 200), abs=EXACT)
    assert wide.std_error == pytest.approx(plain.std_error * 2**0.5)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"percentages": REBOOT}, StudyError, "no number of people who answered cannot be read.*At least 59"),
        ({"agreed": 5}, StudyError, "no number of people who answered"),
        ({"answered": 5}, StudyError, "either `agreed` or `percentages`"),
        ({"answered": 20, "percentages": [59]}, DataError, "not possible of so many"),
        ({"answered": 20, "agreed": 21}, DataError, "more people are counted under `agreed`"),
        ({"answered": 20, "agreed": 2, "invited": 19}, DataError, "under `answered` than under `invited`"),
        ({"answered": 0, "agreed": 0}, DataError, "nobody answered"),
        ({"answered": 20, "agreed": -1}, DataError, "whole number"),
        ({"answered": 20, "agreed": 2, "design_effect": 0.5}, StudyError, "1 or more"),
        ({"answered": "n", "agreed": 2}, DataError, "no row to read"),
    ],
)
def test_what_is_wrong_is_said(options, error, words):
    with pytest.raises(error, match=words):
        survey(None, **options)


def test_a_blank_number_of_answers_is_refused():
    frame = pd.DataFrame({"n": [60, None], "yes": [45, 20]})
    with pytest.raises(DataError, match="`answered` is missing for 1 of 2 questions"):
        survey(frame, answered="n", agreed="yes")


def test_a_row_may_be_a_person():
    people = pd.DataFrame(
        {"asked": [1] * 120, "answered": [1] * 74 + [0] * 46, "agreed": [1] * 44 + [0] * 30 + [None] * 46}
    )
    found = survey(people, invited="asked", answered="answered", agreed="agreed")
    assert found.headline == survey(invited=120, answered=74, agreed=44).headline
