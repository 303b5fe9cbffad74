"""Somerset: a check of a score, group by group, on invented young people; the study awaits its data."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

from evalkit.monitor import risk_score

FOLDER = ROOT / "studies" / "somerset-vru"


@pytest.fixture(scope="module")
def checked(results):
    first = results("somerset-vru")["results"][0]
    assert (first["analysis"], first["role"], first["method"]) == ("by_area", "primary", "risk_score")
    return first


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(FOLDER / "data" / "checked.csv")


def rate(rows: pd.DataFrame, among: pd.Series, which: pd.Series, area: str) -> float:
    mine = rows["area"] == area
    return (among & which & mine).sum() / (among & mine).sum()


def test_the_score_finds_fewer_in_villages_and_the_check_says_so(checked):
    gap = next(each for each in checked["estimates"] if each["term"] == "sensitivity_difference")
    assert gap["group"] == "villages"
    assert gap["conf_high"] < 0
    assert gap["p_adjusted"] < 0.05
    verdicts = {each["name"]: each["passed"] for each in checked["checks"]}
    assert verdicts["group_differences"] is False
    assert verdicts["calibration"] is False
    assert verdicts["preset_limits"] is False
    assert verdicts["few_events"] is True


def test_the_rates_are_those_of_counting_the_rows(people):
    flagged, harmed = people["score"] >= 0.2, people["harmed"] == 1
    found = risk_score(people, score="score", outcome="harmed", threshold=0.2, group="area")
    rates = {(each.term, each.group): each.estimate for each in found.estimates}
    for area in ("towns", "villages"):
        assert rates["sensitivity", area] == pytest.approx(rate(people, harmed, flagged, area))
        assert rates["positive_predictive_value", area] == pytest.approx(rate(people, flagged, harmed, area))


def test_what_is_printed_is_near_what_was_counted(checked, people):
    found = risk_score(people, score="score", outcome="harmed", threshold=0.2, group="area")
    exact = {(each.term, each.group): each.estimate for each in found.estimates}
    for each in checked["estimates"]:
        if each["term"] in ("sensitivity", "positive_predictive_value", "specificity"):
            assert each["estimate"] == pytest.approx(exact[each["term"], each["group"]], abs=0.02)


def test_girls_and_boys_are_found_about_equally(results):
    by_sex = next(each for each in results("somerset-vru")["results"] if each["analysis"] == "by_sex")
    gaps = [each for each in by_sex["estimates"] if each["term"].endswith("_difference")]
    assert len(gaps) == 4
    assert all(each["p_adjusted"] > 0.05 for each in gaps)


def test_no_sentence_is_about_the_real_score(results):
    values = results("somerset-vru")
    said = next(each for each in values["statements"] if each["analysis"] == "by_area")
    assert "invented" in said["can_say"]
    assert values["evidence"]["level"] == 1
    assert values["evidence"]["hypothetical"] is True
