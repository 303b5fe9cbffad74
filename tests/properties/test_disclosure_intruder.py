"""A motivated intruder who has everything under output/ and goes around the tables: through accounts, panels of
people, sizes of groups, checks and sentences. Each test is the attack itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import evalkit as ek
from evalkit.contract import SCORE_CELLS
from evalkit.disclosure import WITHHELD, policy, release
from evalkit.disclosure.columns import kind_of
from evalkit.pipeline import run

NO_FLOW = pd.DataFrame(columns=["step", "arm", "n", "lost", "reason"])
COLUMNS = {
    "person_id": {"type": "id"}, "index_date": {"type": "date"}, "age": {"type": "integer"},
    "area": {"type": "category", "values": ["North", "South", "East"]}, "reoffended": {"type": "flag"},
    "violent": {"type": "flag"}, "offences": {"type": "integer"}, "days": {"type": "integer"},
}  # fmt: skip
OUTCOMES = {
    name: {"measure": "column", "column": name, "label": name, "better": "lower"}
    for name in ("reoffended", "violent", "offences")
} | {
    "gone": {
        "measure": "duration",
        "time": "days",
        "event": "reoffended",
        "label": "a time",
        "better": "higher",
    }
}
MAIN = {"role": "primary", "method": "rates", "outcome": "reoffended", "measure": "risk_difference"}
ACCOUNT = {
    "role": "secondary", "method": "cost_benefit", "kind": "evaluation", "perspective": "fiscal", "horizon": 2,
    "price_year": "2019/20", "draws": 200,
}  # fmt: skip
COSTS = pd.DataFrame(
    [{"line": "grant", "agency": "council", "kind": "revenue", "year": 0, "amount": 50000.0,
      "price_year": "2019/20", "confidence": 1}]
)  # fmt: skip
BENEFITS = pd.DataFrame(
    [{"line": "custody", "agency": "prisons", "perspective": "fiscal", "transfer": 0, "cashable": 1,
      "population": 80, "affected": 1.0, "engaged": 1.0, "retained": 1.0, "impact": "main", "deadweight": 0.0,
      "units": 1.0, "unit_cost": 10000.0, "price_year": "2019/20", "first_year": 0, "last_year": 0,
      "drop_off": 0.0, "schedule": "standard", "confidence": 1}]
)  # fmt: skip


def people(treated: int, control: int, sizes: tuple[int, int] = (80, 180)) -> pd.DataFrame:
    """Two arms with so many who reoffended, spread over ages and areas."""
    x = [*np.repeat([1, 0], [treated, sizes[0] - treated]), *np.repeat([1, 0], [control, sizes[1] - control])]
    place = np.arange(sum(sizes))
    return pd.DataFrame({
        "person_id": [f"p{each}" for each in place], "index_date": "2022-05-01", "age": 10 + place * 7 % 8,
        "treated": np.repeat([1, 0], sizes), "area": np.array(["North", "South"])[place % 2], "reoffended": x,
        "violent": 0, "offences": x, "days": np.where(np.array(x) == 1, place * 37 % 350 + 1, 360),
    })  # fmt: skip


def outputs(folder: Path, analyses: dict, frames: dict[str, pd.DataFrame], **more) -> tuple[dict, str]:
    """results.json of a study of these frames, and everything under output/ as one text."""
    (folder / "data").mkdir(parents=True)
    for name, frame in frames.items():
        frame.to_csv(folder / "data" / f"{name}.csv", index=False)
    study = {
        "schema": 1, "study": folder.name, "title": "A study", "question": "Did it work?", "commissioner": "A council",
        "intervention": {"name": "P", "start": "2022-01"}, "data_status": "real", "estimand": "ate", "seed": 1,
        "assignment": {"by": "randomised", "unit": "person", "chosen_when_high": False, "registered": None},
        "window": {"from": "2022-01-01", "to": "2022-12-31"}, "extract": {"observed_until": "2024-08-31"},
        "data": {name: {"file": f"data/{name}.csv"} for name in frames}, "columns": COLUMNS, "outcomes": OUTCOMES,
        "analyses": analyses, "disclosure": {"preset": "public"}, "report": {"templates": []},
    } | more  # fmt: skip
    (folder / "study.yml").write_text(yaml.safe_dump(study, sort_keys=False))
    run(folder)
    texts = [path.read_text() for path in sorted((folder / "output").rglob("*")) if path.is_file()]
    return json.loads((folder / "output" / "results.json").read_text()), "\n".join(texts)


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_an_account_does_not_give_back_a_withheld_estimate(tmp_path, preset):
    """What a line saves, over its unit cost and its people, is the impact: 4 of 80 less 30 of 180."""
    found, text = outputs(
        tmp_path / "closed", {"main": MAIN, "value": ACCOUNT}, disclosure={"preset": preset},
        frames={"people": people(4, 30), "costs": COSTS, "benefits": BENEFITS},
    )  # fmt: skip
    main, account = found["results"]
    assert main["estimates"][0]["estimate"] is None
    assert all(each["estimate"] is None for each in account["estimates"])
    assert "0.1166" not in text
    assert "`value` was withheld" in text
    assert "it values a result that is withheld" in found["statements"][1]["headline"]
    for path in account["detail"].values():
        frame = pd.read_csv(tmp_path / "closed" / "output" / path)
        told = [name for name in frame if kind_of(name) in ("amount", "model", "share")]
        assert path.endswith("parameters.csv") or (frame[told] == WITHHELD).all(axis=None)


def test_an_account_values_the_printed_estimate_and_nothing_finer(tmp_path):
    found, _ = outputs(
        tmp_path / "open", {"main": MAIN, "value": ACCOUNT},
        frames={"people": people(21, 67), "costs": COSTS, "benefits": BENEFITS},
    )  # fmt: skip
    printed = found["results"][0]["estimates"][0]["estimate"]
    entered = pd.read_csv(tmp_path / "open" / "output" / "detail" / "value_break_even.csv")["entered"].iloc[0]
    assert printed is not None
    assert printed != 100 * (21 / 80 - 67 / 180)
    assert entered == pytest.approx(-printed / 100, abs=1e-12)


def panel(late: int, treated: int = 25, control: int = 35) -> pd.DataFrame:
    """Persons by month; from the fourth month on only `late` of the treated have the outcome in each."""
    rows = []
    for person in range(treated + control):
        of_programme = person < treated
        for month in range(1, 7):
            after = of_programme and month > 3
            y = int(person < late) if after else int((person + month) % 2)
            rows.append((f"SECRET{person:03d}", month, y, 4 if of_programme else 0))
    return pd.DataFrame(rows, columns=["person", "month", "reoffended", "start"])


PANEL_COLUMNS = {
    "person": {"type": "id"}, "month": {"type": "integer"}, "reoffended": {"type": "flag"},
    "start": {"type": "integer"},
}  # fmt: skip
DID = {
    "role": "primary", "method": "did", "data": "panel", "outcome": "reoffended", "unit": "person", "period": "month",
    "first_treated": "start", "estimator": "twfe",
}  # fmt: skip


@pytest.mark.parametrize("preset", ["public", "partner"])
@pytest.mark.parametrize("late", [0, 3, 13, 24])
def test_a_panel_of_people_names_nobody_and_gives_no_small_count(tmp_path, preset, late):
    """The mean of a month, times the people in it, is a count: 3 of 25 are 0.12."""
    found, text = outputs(
        tmp_path / "panel", {"main": DID}, frames={"panel": panel(late)}, columns=PANEL_COLUMNS, outcomes={},
        disclosure={"preset": preset},
    )  # fmt: skip
    assert "SECRET" not in text
    assert "leave_one_out" not in found["results"][0]["detail"]
    closed = late in (0, 3, 24) if preset == "public" else late in (3, 24)
    assert ("means" not in found["results"][0]["detail"]) == closed
    if late in (3, 24):
        assert found["results"][0]["estimates"][0]["estimate"] is None or preset == "partner"


@pytest.mark.parametrize("preset", ["public", "partner"])
@pytest.mark.parametrize("how", ["adjusted", "weighted"])
def test_a_mean_of_noughts_and_ones_is_no_way_round_their_count(tmp_path, preset, how):
    """Adjusted or weighted, the mean of an arm times its people is its count to within a person: 0.05 x 80 = 4."""
    mean = MAIN | {"measure": "mean_difference"} | ({"adjust": ["age"]} if how == "adjusted" else {})
    design = {"method": "none" if how == "adjusted" else "inverse_probability", "covariates": ["age"]}
    found, _ = outputs(
        tmp_path / "means", {"main": mean}, frames={"people": people(4, 30)}, design=design,
        disclosure={"preset": preset},
    )  # fmt: skip
    arms = pd.read_csv(tmp_path / "means" / "output" / found["results"][0]["detail"]["arms"])
    assert (arms.loc[arms["arm"] == "treated", ["value", "conf_low", "conf_high"]] == WITHHELD).all(axis=None)
    assert found["results"][0]["estimates"][0]["estimate"] is None


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_sizes_of_groups_do_not_add_up_to_a_small_one(tmp_path, preset):
    """Everybody less the printed groups is the group whose size is withheld."""
    frame = people(40, 90)
    frame.loc[[0, 1, 60], "area"] = "East"
    frame.loc[range(100, 107), "area"] = "East"
    found, _ = outputs(
        tmp_path / "groups", {"main": MAIN | {"subgroup": "area"}}, frames={"people": frame},
        disclosure={"preset": preset},
    )  # fmt: skip
    estimates = found["results"][0]["estimates"]
    whole = next(each for each in estimates if each["group"] is None)
    groups = [each for each in estimates if each["group"] is not None]
    half = policy(preset).rounding // 2
    for arm in ("n_treated", "n_control"):
        hidden = [each for each in groups if each[arm] is None]
        slack = half * (len(groups) - len(hidden))
        shown = sum(each[arm] or 0 for each in groups)
        left = whole[arm] - shown
        assert len(hidden) != 1 or slack >= policy(preset).protection or left >= policy(preset).threshold


def test_the_test_between_groups_goes_with_a_withheld_group(tmp_path):
    """Two groups and their chi-square: from one group's estimate and the test follows the other's."""
    frame = people(40, 90)
    frame["reoffended"] = frame["reoffended"].where(frame["area"] == "North", 0)
    frame.loc[[1, 3, 101, 103, 105], "reoffended"] = 1
    found, _ = outputs(
        tmp_path / "between", {"main": MAIN | {"subgroup": "area"}}, frames={"people": frame},
        disclosure={"preset": "partner"},
    )  # fmt: skip
    closed = any(each["estimate"] is None for each in found["results"][0]["estimates"] if each["group"])
    test = next(each for each in found["results"][0]["checks"] if each["name"] == "subgroup_interaction")
    assert closed
    assert test["statistic"] is None
    assert not any(digit.isdigit() for digit in test["reading"])


def test_how_many_were_withheld_does_not_tell_nought_from_a_few(tmp_path):
    """A ratio of nought does not exist: it must count as withheld all the same."""
    ratio = {
        "main": MAIN | {"measure": "risk_ratio"},
        "odds": MAIN | {"role": "secondary", "measure": "odds_ratio"},
    }
    counted = [
        outputs(tmp_path / f"of{x}", ratio, frames={"people": people(x, 30)})[0]["disclosure"]["suppressed"]
        for x in (0, 4)
    ]
    assert counted[0] == counted[1]


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_of_two_outcomes_one_within_the_other_the_few_between_do_not_show(tmp_path, preset):
    """33 reoffended and 30 of them with violence: 3 without."""
    frame = people(33, 70)
    frame["violent"] = frame["reoffended"]
    frame.loc[[0, 1, 2, *range(80, 110)], "violent"] = 0
    analyses = {"main": MAIN, "violent": MAIN | {"role": "secondary", "outcome": "violent"}}
    found, _ = outputs(tmp_path / "within", analyses, frames={"people": frame}, disclosure={"preset": preset})
    tables = [
        pd.read_csv(tmp_path / "within" / "output" / each["detail"]["arms"]) for each in found["results"]
    ]
    outer, inner = (str(table["events"].iloc[0]) for table in tables)
    half = policy(preset).rounding // 2
    assert WITHHELD in (outer, inner) or 4 * half >= policy(preset).protection


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_two_people_who_hold_an_arms_total_are_not_printed(tmp_path, preset):
    """95 of the 101 offences of an arm are one person's, of 400 in the study: the mean of the arm is about that one."""
    frame = people(33, 70)
    frame["offences"] = 0
    frame.loc[[0, 1, 2, 3], "offences"] = [95, 3, 2, 1]
    frame.loc[80:179, "offences"] = 3
    often = MAIN | {"outcome": "offences", "measure": "mean_difference"}
    found, _ = outputs(
        tmp_path / "few", {"main": often}, frames={"people": frame}, disclosure={"preset": preset}
    )
    assert found["results"][0]["estimates"][0]["estimate"] is None
    assert not found["results"][0]["detail"]


def test_a_curve_under_agreement_does_not_count_one_person_at_a_time(tmp_path):
    """At risk 113 and, a month later, 112: one person reoffended between."""
    spell = {"role": "primary", "method": "survival", "outcome": "gone"}
    found, _ = outputs(
        tmp_path / "curve",
        {"main": spell},
        frames={"people": people(33, 70)},
        disclosure={"preset": "partner"},
    )
    curves = pd.read_csv(tmp_path / "curve" / "output" / found["results"][0]["detail"]["curves"])
    for _, curve in curves.groupby("arm"):
        shown = curve.loc[curve["at_risk"] != WITHHELD, "at_risk"].astype(int)
        assert len(shown) > 3
        assert not shown.diff().dropna().abs().between(1, 4).any()


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_the_check_of_balance_does_not_print_a_withheld_row(tmp_path, preset):
    """The largest difference is that of an area with a handful of people in each arm: 3 of 100 beside 9 of 100."""
    frame = people(40, 50, (100, 100))
    frame.loc[[0, 1, 60, *range(100, 109)], "area"] = "East"
    found, text = outputs(
        tmp_path / "balance", {"main": MAIN}, frames={"people": frame}, disclosure={"preset": preset},
        design={"method": "none", "covariates": ["area"]},
    )  # fmt: skip
    assert "area = East,[c]" in text
    for checks in (found["design"]["checks"], found["results"][0]["checks"]):
        (check,) = (each for each in checks if each["name"] == "balance")
        assert check["statistic"] is None
        assert "East" not in check["reading"]


@pytest.mark.parametrize("seed", range(6))
def test_everybody_whom_a_score_looked_at_are_as_many_as_the_rest_of_the_study_says(seed):
    """The cells of the groups add up to that number, and every cell but the largest is its own rounding."""
    draw, rule = np.random.default_rng(seed), policy("public")
    places = ("here", "there", "beyond")[: 2 + seed % 2]
    cells = {name: draw.integers(12, 300, 4) for name in places}
    rows = [(name, 1 * (k in (0, 1)), 1.0 * (k in (0, 2))) for name, x in cells.items() for k in range(4)
            for _ in range(x[k])]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["place", "harmed", "score"])
    result = ek.risk_score(
        frame, outcome="harmed", score="score", threshold=0.5, group="place", scale="points"
    )
    printed = release(results=[result.named("main", "primary")], flow=NO_FLOW, policy=rule).results[0]
    groups = printed.detail["groups"].set_index("group")
    shown = groups.loc[list(places), list(SCORE_CELLS)].astype(int)
    assert groups.loc["all", "n"] == rule.rounded(len(frame)) == shown.to_numpy().sum()
    moved = [shown.loc[name].to_list() != list(rule.rounded(cells[name])) for name in places]
    assert sum(moved) <= 1
    assert (groups.loc[list(places), "n"].astype(int) == shown.sum(axis=1)).all()


@pytest.mark.parametrize("preset", ["public", "partner"])
@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio", "rate_ratio"])
def test_an_arm_without_events_is_not_told_by_a_failure(preset, measure):
    """An adjusted ratio of nought has no logarithm: that the gate stopped there would say that there were none."""
    frame = people(0, 30)
    ratio = ek.rates(
        frame, outcome="reoffended", measure=measure, adjust=[] if measure == "rate_ratio" else ["age"]
    )
    release(
        results=[ratio.named("main", "primary")], flow=NO_FLOW, policy=policy(preset), greatest={"main": 1.0}
    )
