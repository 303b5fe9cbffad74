"""Somerset: a check of a score, group by group, on invented young people; the study awaits its data."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

from evalkit.monitor.risk_score import risk_score

FOLDER = ROOT / "studies" / "somerset-vru"


@pytest.fixture(scope="module")
def criteria(site, results):
    pilot = results("somerset-vru")["results"][0]
    assert (pilot["role"], pilot["method"]) == ("primary", "progression")
    frame = pd.read_csv(site / "somerset-vru" / pilot["detail"]["criteria"])
    frame.index = frame["name"].str.partition(" (")[0]
    return frame


def test_the_score_is_worse_in_villages_and_the_check_finds_it(criteria):
    bands = criteria["band"]
    assert bands["Flagged in time, towns"] == "green"
    assert bands["Flagged in time, villages"] == "red"
    assert bands["Rightly flagged, villages"] == "green"


def test_the_criteria_are_the_rates_of_the_score_check():
    people = pd.read_csv(FOLDER / "data" / "checked.csv")
    found = risk_score(people, score="score", outcome="harmed", threshold=0.2, group="area")
    rates = {(each.term, each.group): each.estimate for each in found.estimates}
    for area in ("town", "village"):
        assert people[f"in_time_{area}s"].mean() == pytest.approx(rates["sensitivity", area])
        assert people[f"rightly_{area}s"].mean() == pytest.approx(rates["positive_predictive_value", area])
    gap = next(each for each in found.estimates if each.term == "sensitivity_difference")
    assert gap.conf_high < 0


def test_no_sentence_is_about_the_real_score(results):
    values = results("somerset-vru")
    said = next(each for each in values["statements"] if each["analysis"] == "by_group")
    assert "invented" in said["can_say"]
    assert values["evidence"]["level"] == 0
