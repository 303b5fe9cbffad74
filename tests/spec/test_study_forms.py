"""Legal ways of writing a study that people use: dates of panels and of offences, one group, an engine by name,
reports without the study that made them, and invented rows where the study promises them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from evalkit.__main__ import main
from tests.small import small_study

PANEL = """data: {panel: {file: data/panel.csv}}
analyses:
  main: {role: primary, method: did, data: panel, outcome: asb, unit: ward, period: month,
         first_treated: first_treated, estimator: two_by_two}
"""
PEOPLE = """data: {people: {file: data/people.csv}, offences: {file: data/offences.csv}}
extract: {observed_until: 2022-12-31}
window: {from: 2020-01-01, to: 2020-12-31}
outcomes: {reoffended: {measure: binary, follow_up: 12 months, waiting: 6 months, better: lower}}
columns:
  person_id: {type: id}
  index_date: {type: date}
"""
RATES = "analyses: {main: {role: primary, method: rates, outcome: reoffended}}\n"
OFFENCE_DATES = "".join(
    f"  {name}: {{type: date, date_format: '%d/%m/%Y'}}\n" for name in ("offence_date", "conviction_date")
)


def headline(folder: Path) -> dict:
    values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
    return values["results"][0]["estimates"][0]


def wards(before: str, after: str, never: str) -> pd.DataFrame:
    """Eight wards in two periods: three start in the second, which takes 4 of 20 away."""
    rows = []
    for ward in range(8):
        for month in (before, after):
            fall = 4 if ward < 3 and month == after else 0
            first = after if ward < 3 else never
            rows.append({"ward": f"w{ward}", "month": month, "asb": 20 + ward - fall, "first_treated": first})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("never", ["", "0"])
@pytest.mark.parametrize(
    "form", [("2018-01", "2018-02"), ("2018-01-01", "2018-02-01"), ("1", "2"), ("1.0", "2.0")]
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_first_period_is_blank_or_0_where_it_never_comes(tmp_path, form, never, declared):
    kind = "date" if "-" in form[0] else "integer"
    columns = f"columns: {{month: {{type: {kind}}}, first_treated: {{type: {kind}}}}}\n" if declared else ""
    folder = small_study(tmp_path, columns + PANEL, panel=wards(*form, never))
    assert main(["run", str(folder), "--quiet"]) == 0
    assert headline(folder)["estimate"] == pytest.approx(-4)


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {"person_id": [f"p{n}" for n in range(8)], "index_date": "2020-01-31", "treated": [1, 0] * 4}
    )


def offences(written: str) -> pd.DataFrame:
    dates = pd.to_datetime(["2020-05-03", "2021-01-31", "2021-02-01"])
    return pd.DataFrame({
        "person_id": ["p0", "p2", "p4"], "offence_date": dates.strftime(written),
        "conviction_date": (dates + pd.Timedelta(days=9)).strftime(written),
    })  # fmt: skip


def test_offence_dates_may_be_written_as_columns_says(tmp_path):
    text = PEOPLE + "  treated: {type: flag}\n" + OFFENCE_DATES + RATES
    folder = small_study(tmp_path, text, people=people(), offences=offences("%d/%m/%Y"))
    assert main(["run", str(folder), "--quiet"]) == 0
    assert headline(folder)["estimate"] == pytest.approx(50)


@pytest.mark.parametrize(("engine", "code"), [("duckdb", 0), ("oracle", 10)])
def test_the_engine_in_process_may_be_named(tmp_path, engine, code):
    text = PEOPLE + RATES + f"engine: {engine}\n"
    folder = small_study(tmp_path, text, people=people(), offences=offences("%Y-%m-%d"))
    assert main(["check", str(folder), "--quiet"]) == code


def test_one_group_may_say_that_it_has_no_design(tmp_path):
    text = (
        PEOPLE.replace("people:", "cohort:", 1)
        + "design: {method: none}\n"
        + RATES.replace("rates", "proportion")
    )
    folder = small_study(
        tmp_path, text, people=people().drop(columns="treated"), offences=offences("%Y-%m-%d")
    )
    assert main(["run", str(folder), "--quiet"]) == 0
    assert headline(folder)["estimate"] == pytest.approx(2 / 8)


def test_a_comparison_needs_both_arms_whatever_the_design(tmp_path):
    text = PEOPLE.replace("people:", "cohort:", 1) + "design: {method: none}\n" + RATES
    folder = small_study(
        tmp_path, text, people=people().drop(columns="treated"), offences=offences("%Y-%m-%d")
    )
    assert main(["run", str(folder), "--quiet"]) == 12


def test_a_report_needs_the_output_and_nothing_else(make_study, tmp_path):
    folder = make_study("single")
    path = folder / "study.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("[commissioner, summary]", "[]"), encoding="utf-8"
    )
    assert main(["report", str(folder), "--quiet"]) == 14
    assert main(["report", str(folder), "--to", "odt"]) == 2
    assert main(["run", str(folder), "--quiet"]) == 0
    shutil.rmtree(folder / "data")
    path.unlink()
    moved = shutil.copytree(folder / "output", tmp_path / "moved")
    for target, made in ((folder, folder / "output"), (moved, moved)):
        assert main(["report", str(target), "--template", "summary", "--to", "html", "--quiet"]) == 0
        assert (made / "report" / "summary.html").is_file()


def test_invented_rows_stand_where_an_invented_study_promises_them(tmp_path):
    folder = small_study(tmp_path, PEOPLE + RATES)
    assert main(["simulate", str(folder), "--quiet"]) == 0
    assert main(["check", str(folder), "--quiet"]) == 0
    assert main(["simulate", str(folder), "--quiet"]) == 0
    assert (folder / "data" / "invented_people.csv").is_file()
    assert main(["simulate", str(folder), "--quiet"]) == 2


def test_invented_rows_never_take_the_place_of_real_ones(tmp_path):
    folder = small_study(tmp_path, PEOPLE + RATES)
    path = folder / "study.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("simulated", "real"), encoding="utf-8")
    assert main(["simulate", str(folder), "--quiet"]) == 0
    assert {each.name for each in (folder / "data").iterdir()} == {
        "invented_people.csv",
        "invented_offences.csv",
    }


@pytest.mark.parametrize(
    "term", ["did", "DiD", "mde", "risk_difference", "odds ratio", "inverse_probability"]
)
def test_a_term_is_explained_by_its_short_name_and_by_its_name_in_study_yml(term, capsys):
    assert main(["explain", term]) == 0
    assert len(capsys.readouterr().out) > 60


TRIAL = pd.DataFrame({"treated": [0, 1] * 30, "failed": [0, 1, 1, 0, 0, 0] * 10, "days": range(1, 61)})


@pytest.mark.parametrize(
    ("analysis", "term"),
    [
        ("method: rates, outcome: failed", "treated_vs_control"),
        ("method: proportion, outcome: failed", "proportion"),
        ("method: survival, time: days, event: failed, estimator: cox", "hazard_ratio"),
    ],
)
def test_a_method_of_people_reads_another_frame_by_name(tmp_path, analysis, term):
    plan = (
        "data: {trial: {file: data/trial.csv}}\nanalyses: {main: {role: primary, data: trial, "
        + analysis
        + "}}\n"
    )
    folder = small_study(tmp_path, plan, trial=TRIAL)
    assert main(["run", str(folder), "--quiet"]) == 0
    assert headline(folder)["term"] == term


def test_people_of_another_frame_are_as_safe_as_any(tmp_path):
    plan = (
        "data: {trial: {file: data/trial.csv}}\nanalyses: {main: {role: primary, data: trial, method: rates, "
    )
    folder = small_study(tmp_path, plan + "outcome: failed}}\n", trial=TRIAL.head(20))
    path = folder / "study.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("internal", "public"), encoding="utf-8")
    assert main(["run", str(folder), "--quiet"]) == 0
    assert headline(folder)["estimate"] is None


def test_a_share_of_a_number_is_refused_by_check(tmp_path, capsys):
    text = PEOPLE.replace("measure: binary", "measure: frequency") + RATES
    folder = small_study(tmp_path, text, people=people(), offences=offences("%Y-%m-%d"))
    assert main(["check", str(folder), "--quiet"]) == 10
    assert "needs an outcome that is yes or no" in capsys.readouterr().err


def test_days_to_an_event_are_in_days(tmp_path):
    text = PEOPLE.replace("measure: binary", "measure: time_to_first")
    text += RATES.replace("outcome: reoffended", "outcome: reoffended, measure: mean_difference")
    rows = pd.concat([offences("%Y-%m-%d"), offences("%Y-%m-%d").assign(person_id=["p1", "p3", "p6"])])
    folder = small_study(tmp_path, text, people=people(), offences=rows)
    assert main(["run", str(folder), "--quiet"]) == 0
    assert headline(folder)["unit"] == "days"
