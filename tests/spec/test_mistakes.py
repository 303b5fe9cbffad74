"""Mistakes and odd files that users make, each with the answer that they get."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.__main__ import main
from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.scaffold import new_study
from tests.small import small_study

EFFECTS = pd.DataFrame({"study": ["a", "b", "c"], "estimate": [0.1, 0.3, 0.2], "std_error": [0.1, 0.2, 0.1]})
STAGES = pd.DataFrame({"stage": ["asked", "came"], "reached": [100, 40]})
PEOPLE = pd.DataFrame(
    {
        "person_id": [f"p{number}" for number in range(40)], "treated": [0, 1] * 20, "days": range(1, 41),
        "back": [0, 1, 1, 0] * 10,
    }
)  # fmt: skip
OF_PEOPLE = """data: {people: {file: data/rows.csv}}
columns: {person_id: {type: id}, treated: {type: flag}, days: {type: integer}, back: {type: flag}}
outcomes: {back: {measure: column, column: back}, stayed: {measure: duration, time: days, event: back}}
"""


def study(folder: Path, analysis: str, rows: pd.DataFrame | None = None, data: str = "") -> Path:
    frames = {} if rows is None else {"rows": rows}
    return small_study(folder, f"{data}analyses:\n  main: {{role: primary, {analysis}}}\n", **frames)


@pytest.mark.parametrize(
    ("analysis", "rows", "term"),
    [
        ("method: meta, data: found, measure: smd", EFFECTS, "pooled"),
        ("method: funnel, data: found, stages: stage, counting: cumulative", STAGES, "reached"),
    ],
)
def test_names_of_the_contract_need_no_entry_under_columns(tmp_path, analysis, rows, term):
    folder = study(tmp_path, analysis, rows, "data: {found: {file: data/rows.csv}}\n")
    assert main(["run", str(folder), "--quiet"]) == 0
    result = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))["results"][0]
    assert result["estimates"][0]["term"] == term


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        ("method: counts, before: -1, after: 80", "whole number"),
        ("method: proportion, successes: 21, trials: 20", "between 0 and `trials`"),
        ("method: survey, invited: 10, answered: 40, agreed: 30", "more people"),
    ],
)
def test_numbers_of_study_yml_are_judged_by_check(tmp_path, capsys, analysis, words):
    assert main(["check", str(study(tmp_path, analysis)), "--quiet"]) == 10
    said = capsys.readouterr().err
    assert words in said
    assert re.search(r"study\.yml, line \d+, analyses\.main", said)


def test_every_mistake_of_the_plan_is_told_at_once_with_its_line(tmp_path, capsys):
    folder = study(tmp_path, "method: rates, outcome: stayed, mesure: odds_ratio", PEOPLE, OF_PEOPLE)
    path = folder / "study.yml"
    text = path.read_text(encoding="utf-8").replace("title:", "titel:")
    text = text.replace("templates: []", "templates: [comissioner]") + "notes:\n  first: 1\n"
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(folder), "--quiet"]) == 10
    said = capsys.readouterr().err
    lines = text.splitlines()
    for word, wrong in {
        "titel": "is not a key", "mesure": "is not an option here", "comissioner": "Did you mean `commissioner`",
        "notes": "is not a key",
    }.items():  # fmt: skip
        number = 1 + next(at for at, line in enumerate(lines) if word in line)
        assert re.search(rf"study\.yml, line {number}\b.*{wrong}", said), said


@pytest.mark.parametrize("analysis", ["method: survival, outcome: back", "method: rates, outcome: stayed"])
def test_an_outcome_of_the_wrong_kind_is_refused_by_check(tmp_path, capsys, analysis):
    assert main(["check", str(study(tmp_path, analysis, PEOPLE, OF_PEOPLE)), "--quiet"]) == 10
    assert "survival" in capsys.readouterr().err


def test_ties_without_any_estimate_do_not_stop_a_run(tmp_path):
    folder = new_study(tmp_path / "quiet", design="matched", seed=1)
    plan = (folder / "study.yml").read_text(encoding="utf-8")
    (folder / "study.yml").write_text(
        plan[: plan.index("report:")] + "report: {templates: []}\n", encoding="utf-8"
    )
    offences = folder / "data" / "invented_offences.csv"
    offences.write_text(offences.read_text(encoding="utf-8").partition("\n")[0] + "\n", encoding="utf-8")
    assert main(["run", str(folder), "--quiet"]) in (0, 12, 15)


def test_an_account_without_costs_has_no_ratio():
    folder = Path(ek.__file__).parent / "scaffold"
    costs, benefits = (pd.read_csv(folder / f"cba_{name}.csv") for name in ("costs", "benefits"))
    result = ek.cost_benefit(
        {"costs": costs.head(0), "benefits": benefits}, price_year="2015/16", horizon=5, draws=100
    )
    assert result.headline.term == "benefit_cost_ratio"
    assert result.headline.estimate is None


def test_a_baseline_that_is_no_number_is_refused():
    with pytest.raises(StudyError, match="baseline"):
        ek.power(None, measure="risk_difference", baseline=float("nan"), n_treated=45, n_control=45)


def test_a_percentage_of_two_counts_is_a_change(tmp_path, capsys):
    table = tmp_path / "figures.csv"
    table.write_text(
        "measure,before,after,published_value,unit\nKnife crime,882,805,-8.7%,percent\n", encoding="utf-8"
    )
    assert main(["audit", str(table), "--json"]) == 0
    figure = json.loads(capsys.readouterr().out)["figures"][0]
    assert (figure["consistent"], figure["recomputed"]) == ("yes", -8.73)


@pytest.mark.parametrize("seed", range(6))
def test_a_hazard_ratio_without_events_in_one_arm_does_not_exist(seed):
    days = np.random.default_rng(seed).integers(1, 400, 200)
    arms = [0] * 100 + [1] * 100
    people = pd.DataFrame({"treated": arms, "back": arms, "days": days})
    with pytest.raises(EstimationError, match="survival"):
        ek.survival(people, time="days", event="back", outcome="back", estimator="cox")


def test_a_count_without_end_is_refused():
    with pytest.raises(DataError, match="whole number"):
        ek.counts(before=float("inf"), after=1)
