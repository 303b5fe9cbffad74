"""Places, money per participant and the accuracy of a score, on numbers small enough to work by hand."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.intervals import newcombe, wilson
from evalkit.monitor import caseload, cost_per_participant, risk_score
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


def scored():
    rows = [
        # group, score, outcome, how many
        ("a", 0.8, 1, 30), ("a", 0.8, 0, 20), ("a", 0.2, 1, 10), ("a", 0.2, 0, 40),
        ("b", 0.8, 1, 12), ("b", 0.8, 0, 18), ("b", 0.2, 1, 12), ("b", 0.2, 0, 18),
    ]  # fmt: skip
    return pd.DataFrame(
        [(g, s, y) for g, s, y, n in rows for _ in range(n)], columns=["group", "score", "returned"]
    )


def test_accuracy_by_group_is_what_counting_gives():
    result = risk_score(scored(), score="score", outcome="returned", threshold=0.5, group="group")
    rows = result.detail["accuracy"].set_index(["group", "measure"])
    assert rows.loc[("all", "sensitivity"), ["events", "n"]].tolist() == [42, 64]
    assert rows.loc[("a", "sensitivity"), "value"] == 30 / 40
    assert rows.loc[("b", "specificity"), "value"] == 18 / 36
    assert rows.loc[("b", "positive_predictive_value"), "value"] == 12 / 30
    assert rows.loc[("a", "flagged_share"), "value"] == 0.5
    head = result.headline
    assert (head.term, head.estimate) == ("sensitivity", 42 / 64)
    assert (head.conf_low, head.conf_high) == pytest.approx(wilson(42, 64), abs=EXACT)
    gap = next(each for each in result.estimates if each.term == "sensitivity_difference")
    assert (gap.group, gap.estimate) == ("b", pytest.approx(-25))
    assert (gap.conf_low, gap.conf_high) == pytest.approx(
        [100 * each for each in newcombe(12, 24, 30, 40)], abs=1e-9
    )


def test_calibration_sets_what_happened_beside_the_score():
    result = risk_score(scored(), score="score", outcome="returned", threshold=0.5, group="group", bands=2)
    ratio = {each.group: each.estimate for each in result.estimates if each.term == "observed_over_expected"}
    assert ratio["a"] == pytest.approx(40 / (50 * 0.8 + 50 * 0.2))
    assert ratio["b"] == pytest.approx(24 / (30 * 0.8 + 30 * 0.2))
    assert result.detail["calibration"].query("group == 'all'")["n"].tolist() == [80, 80]
    assert result.check("few_events").passed is True


def test_row_order_changes_nothing_at_a_threshold():
    frame = scored()
    other = frame.sample(frac=1, random_state=np.random.RandomState(4))
    options = {"score": "score", "outcome": "returned", "threshold": 0.5, "group": "group"}
    pd.testing.assert_frame_equal(
        risk_score(frame, **options).to_frame(), risk_score(other, **options).to_frame()
    )


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [("score", 1.2, DataError), ("score", None, DataError), ("returned", 2, DataError)],
)
def test_scores_and_outcomes_outside_their_range_are_refused(column, value, error):
    frame = scored().astype({"score": float, "returned": float})
    frame.loc[0, column] = value
    with pytest.raises(error):
        risk_score(frame, score="score", outcome="returned", threshold=0.5)
    with pytest.raises(StudyError, match="2 or more"):
        risk_score(scored(), score="score", outcome="returned", threshold=0.5, bands=1)
