"""Criteria of progression: any scale, either direction, and what is refused."""

from __future__ import annotations

import pytest

import evalkit as ek
from evalkit.errors import StudyError
from evalkit.report import figures
from evalkit.report.tables import criteria_table

CRITERIA = (
    {"name": "families recruited", "value": 48, "green": 40, "amber": 30},
    {"name": "left early", "successes": 6, "trials": 45, "green": 0.1, "amber": 0.2},
    {"name": "days waited", "value": 20, "green": 10, "amber": 15},
    {"name": "kept", "value": 0.8, "green": 0.7, "amber": 0.5},
)


def test_a_criterion_may_be_a_number_of_its_own_and_lower_may_be_better():
    result = ek.progression(criteria=CRITERIA)
    assert result.headline.term == "met"
    assert result.headline.estimate == 2
    assert result.detail["criteria"]["band"].tolist() == ["green", "amber", "red", "green"]


def test_a_report_prints_each_criterion_on_its_own_scale():
    result = ek.progression(criteria=CRITERIA).named("pilot", "primary")
    table = criteria_table(result, caption="Criteria", name="criteria")
    assert "| families recruited | 48 |" in table
    assert "| left early | 13% | 6% to 26% | 10% | 20% |" in table
    alt = figures.criteria(result).alt
    assert "families recruited" not in alt
    assert "[x]" not in alt


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"value": "most", "green": 1, "amber": 0}, "`value` is a number"),
        ({"value": True, "green": 1, "amber": 0}, "`value` is a number"),
        ({"successes": 5, "trials": 4, "green": 0.5, "amber": 0.1}, "`successes` lie between 0 and `trials`"),
        ({"successes": 3, "trials": 4, "green": 50, "amber": 10}, "`green` is a share from 0 to 1"),
    ],
)
def test_a_wrong_criterion_is_refused_by_name(wrong, words):
    with pytest.raises(StudyError, match=words):
        ek.progression(criteria=({"name": "a", **wrong},))
