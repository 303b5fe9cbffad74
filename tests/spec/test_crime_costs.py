"""Reoffences by type times their unit cost: priced once, with and without those that the police never hear of."""

from __future__ import annotations

import json

import pytest

from evalkit.__main__ import main
from evalkit.costbenefit import Impact, cost_benefit
from tests.costs import account, benefit, cost

THEFTS = {"thefts": Impact(value=0.4, std_error=0.1, scale="count", types=("theft",))}
ROBBERIES = {"robberies": Impact(value=0.05, std_error=0.02, scale="count", types=("robbery",))}
ALL = {"often": Impact(value=0.4, std_error=0.1, scale="count", types=())}


def crime(impact, code, **values) -> dict:
    line = {
        "line": f"{impact} by {code}",
        "perspective": "social",
        "population": 100,
        "price_year": "",
        **values,
    }
    return benefit(impact=impact, unit_cost=code, **line)


def run(*lines, impacts):
    return cost_benefit(
        account([cost(amount=10_000, price_year="2015/16")], list(lines)), impacts=impacts, draws=0,
        price_year="2015/16", perspective="public_value",
    )  # fmt: skip


def test_each_type_by_its_unit_cost_worked_by_hand():
    lines = (crime("thefts", "HO.theft_from_person"), crime("robberies", "HO.robbery"))
    result = run(*lines, impacts=THEFTS | ROBBERIES)
    frame = result.detail["crime"].set_index("event")
    # 100 people x 0.4 thefts x 1,380 pounds = 55,200; 100 x 0.05 robberies x 11,320 = 56,600 (2015/16 prices)
    assert frame.loc["theft", ["net_offences", "unit_cost", "pv_benefits"]].tolist() == pytest.approx(
        [40, 1380, 55_200]
    )
    assert frame.loc["robbery", ["net_offences", "unit_cost", "pv_benefits"]].tolist() == pytest.approx(
        [5, 11_320, 56_600]
    )
    assert result.headline.estimate == pytest.approx((55_200 + 56_600) / 10_000)
    check = result.check("crime_by_type")
    assert check.passed is True
    assert "robberies: robbery; thefts: theft" in check.reading


def test_with_and_without_the_multiplier():
    lines = (
        crime("thefts", "HO.theft_from_person", multiplier=4.0), crime("robberies", "HO.robbery", multiplier=2.5)
    )  # fmt: skip
    result = run(*lines, impacts=THEFTS | ROBBERIES)
    frame = result.detail["crime"].set_index("event")
    assert frame["pv_benefits"].to_dict() == pytest.approx({"theft": 4 * 55_200, "robbery": 2.5 * 56_600})
    assert frame["pv_without_multiplier"].to_dict() == pytest.approx({"theft": 55_200, "robbery": 56_600})
    assert frame["net_offences"].to_dict() == pytest.approx({"theft": 40, "robbery": 5})
    assert result.headline.estimate == pytest.approx((4 * 55_200 + 2.5 * 56_600) / 10_000)
    check = result.check("recorded_to_actual")
    assert check.statistic == pytest.approx(11.18)
    assert "Without that the ratio is 11." in check.reading


def test_a_frequency_of_every_type_is_not_one_type():
    check = run(crime("often", "HO.robbery"), impacts=ALL).check("crime_by_type")
    assert check.passed is False
    assert "often counts offences of every type." in check.reading
    assert "`types`" in check.next_step


def test_one_frequency_is_not_priced_as_two_types_at_once():
    lines = (crime("often", "HO.robbery"), crime("often", "HO.arson"))
    check = run(*lines, impacts={"often": Impact(value=0.4, scale="count")}).check("crime_by_type")
    assert check.passed is False
    assert "Each reoffence of often is priced as arson and as robbery." in check.reading


def test_one_frequency_may_be_shared_between_types():
    lines = (crime("often", "HO.robbery", affected=0.1), crime("often", "HO.arson", affected=0.02))
    check = run(*lines, impacts={"often": Impact(value=0.4, scale="count")}).check("crime_by_type")
    assert check.passed is None


def test_homicide_is_apart_and_no_crime_no_frame():
    lines = (crime("thefts", "HO.theft_from_person"), crime("killed", "HO.homicide"))
    result = run(*lines, impacts=THEFTS | {"killed": Impact(value=0.001, scale="count", types=("murder",))})
    assert result.check("homicide_apart").statistic == pytest.approx(5.52)
    plain = cost_benefit(account([cost()], [benefit()]), draws=0)
    assert "crime" not in plain.detail
    assert plain.check("crime_by_type") is None


COSTS = "line,agency,kind,year,amount,price_year,confidence\nStaff,council,revenue,0,10000,2015/16,1\n"
BENEFITS = (
    "line,agency,perspective,transfer,cashable,population,affected,engaged,retained,impact,deadweight,units,unit_cost,"
    "price_year,first_year,last_year,drop_off,schedule,confidence\n"
    "Thefts,victims,social,0,0,100,1,1,1,{impact},0,1,HO.theft_from_person,,0,0,0,standard,1\n"
)
WEIGHTED = "design: {method: entropy, covariates: [age, prior_offences]}"  # no ties to break twenty times
ADDED = {
    "data:": "  costs: {file: data/costs.csv}\n  benefits: {file: data/benefits.csv}",
    "outcomes:": "  thefts: {measure: frequency, follow_up: 12 months, waiting: 6 months, types: [theft], better: lower}",
    "analyses:": "  thefts: {role: secondary, method: rates, outcome: thefts, measure: mean_difference}\n"
    "  worth: {role: exploratory, method: cost_benefit, price_year: 2015/16, draws: 100}",
}


@pytest.mark.parametrize(("impact", "passed"), [("thefts", True), ("often", False)])
def test_the_types_of_a_studys_outcome_reach_its_account(make_study, impact, passed):
    folder = make_study("matched")
    lines = []
    for line in (folder / "study.yml").read_text().splitlines():
        if line.startswith("report:"):
            line = "report: {templates: []}"
        if line.startswith("design:"):
            line = WEIGHTED
        lines += [line, *(added for key, added in ADDED.items() if line.startswith(key))]
    (folder / "study.yml").write_text("\n".join(lines) + "\n")
    (folder / "data" / "costs.csv").write_text(COSTS)
    (folder / "data" / "benefits.csv").write_text(BENEFITS.format(impact=impact))
    assert main(["run", str(folder), "--quiet"]) == 0
    results = json.loads((folder / "output" / "results.json").read_text())["results"]
    account = next(each for each in results if each["method"] == "cost_benefit")
    check = next(each for each in account["checks"] if each["name"] == "crime_by_type")
    assert check["passed"] is passed
    assert "crime" in account["detail"]
