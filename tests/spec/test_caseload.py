"""Places and money per participant, on numbers small enough to work by hand."""

import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.monitor import caseload, cost_per_participant
from tests.tolerances import EXACT


def test_capacity_of_the_redbridge_team():
    # Local Government Association (2020): three workers, about 15 families each, three to five months
    plan = caseload(staff=3, cases_each=15, months_per_case=(3, 5), months=12)
    assert (plan.at_once, plan.least, plan.most, plan.used_least) == (45, 108, 180, None)


def test_coaches_of_reboot_against_nine_months_of_their_plan():
    # nine coaches at 30 to 35 a year; 165 were coached in nine months
    least, most = 9 * 30 * 9 / 12, 9 * 35 * 9 / 12
    assert (round(least, 1), round(most, 1)) == (202.5, 236.2)
    plan = caseload(staff=9, cases_each=1, months_per_case=(12 / 35, 12 / 30), months=9, seen=165)
    assert (plan.used_least, plan.used_most) == pytest.approx((165 / most, 165 / least), abs=EXACT)


@pytest.mark.parametrize("options", [{"staff": 0}, {"months_per_case": (5, 3)}, {"seen": -1}])
def test_impossible_caseloads_are_refused(options):
    with pytest.raises(DataError):
        caseload(**({"staff": 3, "cases_each": 15, "months_per_case": (3, 5), "months": 12} | options))


def grants(*rows):
    return pd.DataFrame(rows, columns=["grant", "programme", "amount", "share", "months"])


def people(*rows):
    return pd.DataFrame(rows, columns=["programme", "participants", "months"])


def test_a_joint_grant_is_split_once():
    # £500,000 shared by two boroughs
    out = cost_per_participant(
        grants(
            ("joint", "east", 500_000, 0.6, 12), ("joint", "west", 500_000, 0.4, 12), ("own", "west", 10_000, None, 12)
        ),
        people(("east", 100, 12), ("west", 70, 12)),
    ).set_index("programme")  # fmt: skip
    assert out["cost"].tolist() == pytest.approx([300_000, 210_000])
    assert out["unit_cost"].tolist() == pytest.approx([3_000, 3_000])
    assert out["note"].tolist() == ["", ""]


def test_money_for_a_year_and_people_of_nine_months_is_crude():
    # REBOOT: over £890,000 for a year at first, 617 people in nine months
    out = cost_per_participant(grants(("reboot", "reboot", 890_000, None, 12)), people(("reboot", 617, 9)))
    assert out["unit_cost"].iloc[0] == pytest.approx(890_000 * 0.75 / 617)
    assert out["note"].iloc[0].startswith("crude")


@pytest.mark.parametrize(
    ("money", "who", "words"),
    [
        ([("a", "x", 10, 0.5, 12), ("a", "y", 10, 0.6, 12)], [("x", 1, 12), ("y", 1, 12)], "add up to 1"),
        ([("a", "x", 10, None, 12), ("a", "y", 10, 0.6, 12)], [("x", 1, 12), ("y", 1, 12)], "must be given"),
        ([("a", "x", 10, 0.5, 12), ("a", "y", 20, 0.5, 12)], [("x", 1, 12), ("y", 1, 12)], "one amount"),
        ([("a", "x", 10, 1, 12)], [("y", 1, 12)], "in one of grants"),
        ([("a", "x", 10, 1, 12)], [("x", 0, 12)], "needs participants"),
    ],
)
def test_money_that_would_count_twice_is_refused(money, who, words):
    with pytest.raises(DataError, match=words):
        cost_per_participant(grants(*money), people(*who))
