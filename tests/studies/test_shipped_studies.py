"""Every shipped study runs, says what it is made of, and claims no more than it may."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from places import ROOT, STUDIES

from evalkit.claims import lint

REAL = {"baltimore-life"}


@pytest.mark.parametrize("study", STUDIES)
def test_results_hold_to_the_contract(results, study):
    values = results(study)
    assert values["schema"] == 1
    assert values["study"] == study
    assert {
        "about",
        "outcomes",
        "flow",
        "design",
        "evidence",
        "results",
        "statements",
        "published",
        "warnings",
    } <= set(values)
    assert [each["role"] for each in values["results"]].count("primary") == 1
    assert 0 <= values["evidence"]["level"] <= 5
    for result in values["results"]:
        head = result["estimates"][0]
        assert {
            "term",
            "measure",
            "estimate",
            "std_error",
            "conf_low",
            "conf_high",
            "interval",
            "level",
            "unit",
        } <= set(head)


@pytest.mark.parametrize("study", STUDIES)
def test_every_detail_path_is_a_file(site, results, study):
    values = results(study)
    paths = [path for result in values["results"] for path in result["detail"].values()]
    paths += [value for value in (values["design"] or {}).values() if str(value).startswith("detail/")]
    assert paths or study == "none"
    for path in paths:
        assert (site / study / path).is_file()


@pytest.mark.parametrize("study", STUDIES)
def test_no_sentence_claims_more_than_its_level(results, study):
    values = results(study)
    programme = values["about"]["intervention"]["name"]
    for each in values["statements"]:
        for text in (each["can_say"], each["cannot_say"], each["headline"]):
            assert lint(text, each["level"], programme) == []


@pytest.mark.parametrize("study", STUDIES)
def test_invented_data_are_called_invented(site, results, study):
    if results(study)["data_status"] != "simulated":
        return
    readme = (ROOT / "studies" / study / "README.md").read_text(encoding="utf-8")
    assert "simulated" in readme
    for name in ("commissioner", "summary"):
        page = (site / study / "report" / f"{name}.html").read_text(encoding="utf-8")
        assert "nvented data" in page


@pytest.mark.parametrize(
    "study", [name for name in STUDIES if (ROOT / "studies" / name / "simulate.py").is_file()]
)
def test_the_script_makes_the_rows_that_are_kept(study, tmp_path):
    folder = ROOT / "studies" / study
    (tmp_path / "data").mkdir()
    (tmp_path / "simulate.py").write_text(
        (folder / "simulate.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    subprocess.run([sys.executable, str(tmp_path / "simulate.py")], check=True)
    made = list((tmp_path / "data").glob("*.csv"))
    assert made
    for path in made:
        assert path.read_bytes() == (folder / "data" / path.name).read_bytes(), path.name


def test_three_formats_and_an_index(site):
    index = (site / "index.html").read_text(encoding="utf-8")
    for study in STUDIES:
        for ending in ("html", "pdf", "docx"):
            assert (site / study / "report" / f"commissioner.{ending}").stat().st_size > 5000
            assert f"{study}/report/commissioner.{ending}" in index
        assert json.loads((site / study / "report" / "summary.json").read_text(encoding="utf-8"))


def test_youth_work_plus_stands_on_the_published_count(results):
    values = results("youth-work-plus")
    head = values["results"][0]["estimates"][0]
    assert (head["term"], head["estimate"]) == ("proportion", 0.85)
    assert head["conf_low"] == pytest.approx(0.640, abs=5e-4)
    assert head["conf_high"] == pytest.approx(0.948, abs=5e-4)
    wards = values["results"][1]
    assert wards["estimates"][0]["conf_low"] is None
    floor = next(check for check in wards["checks"] if check["name"] == "randomisation_floor")
    assert floor["threshold"] is not None
    assert any(
        check["name"] == "few_treated_clusters" and check["passed"] is False for check in wards["checks"]
    )


def test_spark2life_reports_an_honest_null(results):
    values = results("spark2life")
    said = {each["analysis"]: each for each in values["statements"]}
    assert "21 of 26" in said["in_programme"]["headline"]
    twelve = said["twelve_months"]
    assert "invented" in twelve["can_say"]
    assert not re.search(r"no effect|did not work|significant", twelve["can_say"])


def test_baltimore_does_not_crow(results):
    values = results("baltimore-life")
    head = values["results"][0]["estimates"][0]
    assert head["estimate"] == pytest.approx(-8.3333, abs=1e-3)
    assert head["conf_high"] == pytest.approx(-0.0151, abs=1e-3)
    disagree = next(check for check in values["results"][0]["checks"] if check["name"] == "tests_disagree")
    assert disagree["passed"] is False
    assert values["evidence"]["level"] == 5
    assert values["evidence"]["certainty"] != "high"


def test_greater_manchester_gives_a_surface_and_never_one_number(site, results):
    values = results("greater-manchester")
    detail = values["results"][0]["detail"]
    surface = (site / "greater-manchester" / detail["must_be_true"]).read_text(encoding="utf-8").splitlines()
    assert len(surface) == 1 + 3 * 3 * 3
    text = (site / "greater-manchester" / "report" / "commissioner.html").read_text(encoding="utf-8")
    assert "5.48" in text
    assert "48,000" in text or "48000" in text


def test_fft_faf_has_no_effect_as_its_headline(results):
    values = results("fft-faf")
    assert values["results"][0]["estimates"][0]["term"] == "met"
    assert values["results"][0]["estimates"][0]["p_value"] is None
