"""A risk score in study.yml: what `evalkit check` finds in its rows, and a run with a score of the study's own people."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from evalkit.__main__ import main
from tests.small import HEAD as INVENTED
from tests.small import small_study

HEAD = INVENTED.replace("data_status: simulated", "data_status: real")
CHECKED = """data: {checked: {file: data/rows.csv}}
columns:
  person_id: {type: id}
  score: {type: number, nullable: true}
  harmed: {type: flag, nullable: true}
  area: {type: category, values: [hill, town, coast]}
analyses:
  main: {role: primary, method: risk_score, label: came to harm, data: checked, score: score, outcome: harmed, OPTIONS}
"""
OF_PEOPLE = """data: {cohort: {file: data/rows.csv}}
columns:
  person_id: {type: id}
  score: {type: number}
  harmed: {type: flag}
  area: {type: category, values: [hill, town, coast]}
outcomes: {came_to_harm: {measure: column, column: harmed, label: came to harm, better: lower}}
analyses:
  main: {role: primary, method: risk_score, outcome: came_to_harm, score: score, OPTIONS}
"""
WORKS = "threshold: 0.3, group: area"


def rows():
    rng = np.random.default_rng(5)
    score = rng.uniform(0.05, 0.6, 900)
    return pd.DataFrame({
        "person_id": [f"p{number}" for number in range(900)], "score": score.round(3),
        "harmed": (rng.random(900) < score).astype(int), "area": rng.choice(["hill", "town", "coast"], 900),
    })  # fmt: skip


@pytest.fixture
def study(tmp_path):
    def make(options: str = WORKS, frame: pd.DataFrame | None = None, kind: str = CHECKED):
        frame = rows() if frame is None else frame
        return small_study(tmp_path, kind.replace("OPTIONS", options), HEAD, rows=frame)

    return make


@pytest.mark.parametrize(
    ("change", "options", "code", "words"),
    [
        (lambda f: f.assign(score=f["score"] * 100), WORKS, 11, "say `scale: points`"),
        (lambda f: f.assign(harmed=0), WORKS, 11, "nobody has the outcome"),
        (lambda f: f.assign(score=None), WORKS, 11, "nobody has both a score and an outcome"),
        (lambda f: f[f["area"] != "coast"], WORKS, 11, "nobody with a score and an outcome is in `coast`"),
        (lambda f: f, "threshold: 0.9, group: area", 11, "above every score, so that nobody is flagged"),
        (lambda f: f, "threshold: 0.01, group: area", 11, "below every score, so that everybody is flagged"),
        (lambda f: f, "threshold: [0.2, 0.3]", 10, "Give each further threshold an analysis of its own"),
        (lambda f: f, "threshold: high", 10, "`threshold` is one number"),
        (lambda f: f, "threshold: 0.3, groups: area", 10, "Did you mean `group`"),
        (lambda f: f.drop(columns="score"), WORKS, 11, "there is no column `score`"),
    ],
)
def test_check_finds_what_the_rows_show(study, capsys, change, options, code, words):
    assert main(["check", str(study(options, change(rows())))]) == code
    assert words in capsys.readouterr().err


def test_check_passes_sound_rows_and_a_score_of_points(study, capsys):
    frame = rows().assign(score=lambda f: f["score"] * 100)
    assert main(["check", str(study("threshold: 30, group: area, scale: points", frame))]) == 0
    assert "ready" in capsys.readouterr().out


def test_it_runs_on_a_frame_of_the_study(study):
    folder = study()
    assert main(["run", str(folder), "--quiet"]) == 0
    values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
    (result,) = values["results"]
    assert result["estimates"][0]["term"] == "sensitivity"
    assert set(result["detail"]) == {"groups", "accuracy", "calibration", "differences"}
    assert values["evidence"]["level"] == 1
    frame, flagged = rows(), rows()["score"] >= 0.3
    harmed = frame["harmed"] == 1
    assert result["estimates"][0]["estimate"] == pytest.approx((flagged & harmed).sum() / harmed.sum())
    assert "who came to harm" in values["statements"][0]["can_say"]


def test_it_runs_on_the_people_and_an_outcome_of_the_study(study):
    folder = study(kind=OF_PEOPLE)
    assert main(["run", str(folder), "--quiet"]) == 0
    values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
    (result,) = values["results"]
    assert result["outcome"] == "came_to_harm"
    assert "who came to harm" in values["statements"][0]["can_say"]


def test_the_public_preset_prints_rounded_counts_only(study):
    folder = study()
    path = folder / "study.yml"
    path.write_text(path.read_text().replace("preset: internal", "preset: public"), encoding="utf-8")
    assert main(["run", str(folder), "--quiet"]) == 0
    for name in ("groups", "calibration"):
        frame = pd.read_csv(folder / "output" / "detail" / f"main_{name}.csv")
        counts = pd.to_numeric(frame["events"].astype(str).replace("[c]", np.nan)).dropna()
        assert (counts % 5 == 0).all()
        assert (counts >= 10).all()


def test_a_score_of_points_is_reported_without_a_calibration_figure(study):
    frame = rows().assign(score=lambda f: f["score"] * 100)
    folder = study("threshold: 30, group: area, scale: points, interval: clopper_pearson", frame)
    path = folder / "study.yml"
    text = path.read_text().replace("preset: internal", "preset: public")
    path.write_text(
        text.replace("templates: []", "templates: [commissioner], formats: [html]"), encoding="utf-8"
    )
    assert main(["run", str(folder), "--quiet"]) == 0
    drawn = {each.name for each in (folder / "output" / "report" / "figures").glob("*.svg")}
    assert "main-score-accuracy.svg" in drawn
    assert not any("calibration" in each for each in drawn)
    page = (folder / "output" / "report" / "commissioner.html").read_text(encoding="utf-8")
    assert "A difference is called clear where" in page
