"""Every estimate says what it is counted in, and an outcome without a label is called something that reads."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import evalkit as ek
from evalkit.__main__ import main
from evalkit.contract import Outcome
from evalkit.pipeline.tell import called
from tests.small import small_study

STUDY = """data: {{people: {{file: data/people.csv}}, offences: {{file: data/offences.csv}}}}
extract: {{observed_until: 2022-12-31}}
window: {{from: 2020-01-01, to: 2020-12-31}}
outcomes: {{days: {{measure: {measure}, follow_up: 12 months, waiting: 6 months, better: lower{more}}}}}
columns:
  person_id: {{type: id}}
  index_date: {{type: date}}
analyses: {{main: {{role: primary, method: rates, outcome: days, measure: mean_difference}}}}
"""


def outcome(name: str, measure: str, **more) -> Outcome:
    return Outcome(name=name, measure=measure, follow_up=12, waiting=6, **more)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (outcome("days", "time_to_first"), "days to the first proven reoffence"),
        (outcome("days_to_reoffence", "time_to_first"), "days_to_reoffence"),
        (outcome("days", "time_to_first", label="days at liberty"), "days at liberty"),
        (outcome("often", "frequency"), "proven reoffences"),
        (outcome("often", "frequency", types=("theft",)), "proven reoffences of type theft"),
        (outcome("thefts", "frequency", types=("theft",)), "thefts"),
        (outcome("harm", "severity", weight="harm_days"), "harm of proven reoffences"),
        (outcome("harm_of_theft", "severity", weight="harm_days"), "harm_of_theft"),
        (outcome("reoffended", "binary"), "reoffended"),
    ],
)
def test_a_bare_name_is_replaced_where_it_would_not_read(measured, words):
    assert called(measured) == words


@pytest.mark.parametrize(
    ("measure", "more", "unit"),
    [
        ("severity", ", weight: harm_days", "harm days"),
        ("severity", ", weight: harm_days, unit: Cambridge days", "Cambridge days"),
        ("frequency", "", "offences per person"),
        ("time_to_first", "", "days"),
    ],
)
def test_a_difference_of_means_says_its_unit(tmp_path, measure, more, unit):
    people = pd.DataFrame(
        {"person_id": [f"p{k}" for k in range(12)], "index_date": "2020-03-01", "treated": [1, 0] * 6}
    )
    offences = pd.DataFrame(
        {
            "person_id": [f"p{k}" for k in range(8)], "harm_days": range(1, 9),
            "offence_date": [f"2020-0{4 + k % 4}-0{1 + k}" for k in range(8)], "conviction_date": "2020-10-01",
        }
    )  # fmt: skip
    folder = small_study(tmp_path, STUDY.format(measure=measure, more=more), people=people, offences=offences)
    assert main(["run", str(folder), "--quiet"]) == 0
    values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
    assert values["results"][0]["estimates"][0]["unit"] == unit
    if measure == "time_to_first":
        assert values["outcomes"]["days"]["label"] == "days to the first proven reoffence"
        said = values["statements"][0]["can_say"]
        assert "the average number of days to the first proven reoffence" in said


def test_a_change_of_a_series_says_its_unit():
    months = pd.DataFrame({"month": range(24), "young_people": [20, 22, 19, 21] * 3 + [10, 11, 9, 10] * 3})
    names = {"outcome": "young_people", "period": "month", "starts": 12, "diagnostics": False}
    counted = {each.term: each.unit for each in ek.interrupted(months, **names).estimates}
    assert counted == {
        "level_change": "ratio", "slope_change": "ratio per period", "average_change": "ratio",
        "total_difference": "events",
    }  # fmt: skip
    measured = {each.term: each.unit for each in ek.interrupted(months, **names, family="gaussian").estimates}
    assert measured == {
        "level_change": "young people", "slope_change": "young people per period", "average_change": "young people",
    }  # fmt: skip


def test_the_effect_on_a_place_says_its_unit():
    rows = [(u, t, k + t - 2 * (u == "A" and t > 7)) for k, u in enumerate("ABCDEFG") for t in range(12)]
    places = pd.DataFrame(rows, columns=["ward", "year", "crime_rate"])
    names = {"outcome": "crime_rate", "unit": "ward", "period": "year"}
    found = ek.synthetic_control(places, **names, treated_unit="A", starts=8, diagnostics=False)
    assert found.headline.unit == "crime rate"
    places["first"] = places["ward"].map({"A": 8, "B": 8, "C": 8}).fillna(0)
    for family, unit in (("gaussian", "crime rate"), ("poisson", "ratio")):
        frame = places.assign(crime_rate=places["crime_rate"] + 20)
        effect = ek.did(
            frame, **names, first_treated="first", estimator="twfe", family=family, diagnostics=False
        )
        assert effect.headline.unit == unit
