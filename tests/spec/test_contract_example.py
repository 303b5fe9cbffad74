"""The study that the design document prints, run to the letter on invented rows: names, terms and frames of the contract."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from evalkit.__main__ import main
from evalkit.contract import Column
from evalkit.simulate import invent_offences, invent_panel, invent_people

HERE = Path(__file__).parent
PEOPLE = {
    "age": Column(type="integer", min=10, max=17),
    "sex": Column(type="category", values=("female", "male")),
}
COSTS = """line,agency,kind,year,amount,price_year,confidence
Delivery,Council,revenue,0,50000,2018/19,1
"""
BENEFITS = """line,agency,perspective,transfer,cashable,population,affected,engaged,retained,impact,deadweight,units,unit_cost,price_year,first_year,last_year,drop_off,schedule,confidence
Reoffences avoided,Police,fiscal,0,0,200,1,1,1,often,0,1,663,2015/16,0,0,0,standard,3
"""  # noqa: E501
VALUE_TERMS = {
    "benefit_cost_ratio", "pv_costs", "pv_costs_fiscal", "pv_benefits_fiscal", "pv_benefits_economic", "pv_benefits_social",
    "net_present_budget_impact", "financial_return_on_investment", "payback_year", "net_present_public_value",
    "probability_benefits_exceed_costs", "cashable_share",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("contract") / "youth-work-plus"
    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copy(HERE / "data" / "contract_example.yml", folder / "study.yml")
    window = {"start": date(2018, 9, 1), "end": date(2018, 12, 31)}
    people = invent_people(PEOPLE, people=600, seed=3, share_treated=0.25, **window)
    for name, arm in (("cohort", 1), ("control", 0)):
        rows = people[people["treated"] == arm].drop(columns="treated")
        rows.to_csv(data / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    offences = invent_offences(people, seed=3, observed_until=date(2020, 12, 31))
    offences.to_csv(data / "offences.csv", index=False, date_format="%Y-%m-%d")
    names = {"unit": "ward", "period": "month", "count": "asb"}
    panel = invent_panel(units=9, periods=pd.period_range("2018-01", "2019-12", freq="M"), seed=3, starts=12)
    panel.rename(columns=names).to_csv(data / "asb_by_month.csv", index=False)
    (data / "costs.csv").write_text(COSTS, encoding="utf-8")
    (data / "benefits.csv").write_text(BENEFITS, encoding="utf-8")
    assert main(["run", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def values(folder) -> dict:
    return json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))


def test_the_keys_of_results_json(values):
    names = ("schema", "evalkit", "study", "title", "data_status", "about", "outcomes", "flow", "design", "evidence",
             "results", "statements", "published", "warnings", "disclosure")  # fmt: skip
    assert list(values)[: len(names)] == list(names)
    assert [each["analysis"] for each in values["results"]] == ["main", "often", "area", "value"]
    assert values["design"]["balance"] == "detail/balance.csv"
    assert values["disclosure"]["preset"] == "public"


@pytest.mark.parametrize(
    ("analysis", "term", "measure"),
    [("main", "treated_vs_control", "risk_difference"), ("often", "treated_vs_control", "rate_ratio"),
     ("area", "att", "rate_ratio"), ("value", "benefit_cost_ratio", None)],
)  # fmt: skip
def test_the_headline_of_each_method(values, analysis, term, measure):
    head = next(each for each in values["results"] if each["analysis"] == analysis)["estimates"][0]
    assert head["term"] == term
    if measure:
        assert head["measure"] == measure


def test_every_term_of_value_is_there(values):
    terms = {each["term"] for each in values["results"][3]["estimates"]}
    assert terms >= VALUE_TERMS
    assert any(term.startswith("break_even_") for term in terms)


def test_the_frames_of_the_contract(folder, values):
    frames = {each["analysis"]: each["detail"] for each in values["results"]}
    arms = pd.read_csv(folder / "output" / frames["main"]["arms"])
    assert list(arms.columns[:6]) == ["arm", "n", "events", "value", "conf_low", "conf_high"]
    assert {"means", "placebo"} <= set(frames["area"])
    assert {"cashflow", "by_agency", "tornado", "draws"} <= set(frames["value"])
    cashflow = pd.read_csv(folder / "output" / frames["value"]["cashflow"])
    assert {"line", "agency", "year", "nominal", "real", "discounted"} <= set(cashflow.columns)


def test_one_treated_area_has_an_estimate_and_no_error(values):
    area = values["results"][2]
    head = area["estimates"][0]
    assert head["estimate"] is not None
    assert head["std_error"] is head["conf_low"] is head["conf_high"] is None
    check = next(each for each in area["checks"] if each["name"] == "few_treated_clusters")
    assert check["passed"] is False


def test_the_flow_has_one_line_for_each_step_and_arm(values):
    assert set(values["flow"][0]) == {"step", "arm", "n", "lost", "reason"}
    assert [row["step"] for row in values["flow"]][:2] == ["submitted", "submitted"]
