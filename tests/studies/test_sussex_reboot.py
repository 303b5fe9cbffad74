"""REBOOT, Sussex (Local Government Association 2020): both readings of the pathway, and a survey that can be read."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

from evalkit.audit import audit
from evalkit.monitor import smallest_possible_n

PERCENT = 0.051  # percentages worked by hand to one decimal place


@pytest.fixture(scope="module")
def found(results):
    return {each["analysis"]: each for each in results("sussex-reboot")["results"]}


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        ("closed_at_stage_one", (56.1, 52.1, 59.9)),
        ("stage_two", (25.1, 21.9, 28.7)),
        ("if_ever_reached", (1.3, 0.7, 2.5)),
        ("if_highest_stage", (2.1, 1.2, 3.6)),
    ],
)
def test_shares_of_those_accepted(found, analysis, expected):
    head = found[analysis]["estimates"][0]
    assert [100 * head[name] for name in ("estimate", "conf_low", "conf_high")] == pytest.approx(
        expected, abs=PERCENT
    )


@pytest.mark.parametrize(("analysis", "missing"), [("if_ever_reached", 116), ("if_highest_stage", 103)])
def test_people_of_whom_nothing_is_said(found, analysis, missing):
    check = next(each for each in found[analysis]["checks"] if each["name"] == "unaccounted")
    assert check["passed"] is False
    assert f"{missing} of the 617 who entered" in check["reading"]


def test_our_own_tables_hold_no_stage_of_four_or_one(site):
    for path in (site / "sussex-reboot" / "detail").glob("*_stages.csv"):
        assert not pd.read_csv(path)["reached"].isin([1, 4]).any()


def test_the_published_percentages_have_no_analysis(found):
    surveys = [name for name, each in found.items() if each["method"] == "survey"]
    assert surveys == ["survey_as_it_could_be"]
    assert smallest_possible_n([59, 56, 53, 51]) == 59


def test_the_audit_asks_about_coaching_and_about_the_stages():
    printed = pd.read_csv(
        ROOT / "studies" / "sussex-reboot" / "data" / "published.csv", dtype={"published_value": str}
    )
    verdict = {each["measure"]: each["consistent"] for each in audit(printed)}
    assert verdict["accepted for coaching"] == "no"
    assert verdict["move past stage two (less than)"] == "ambiguous"
    assert verdict["closed at stage one"] == verdict["moved on to stage two"] == "yes"
