"""What a user did wrong: one clear message each, all at once, the exit code by kind, and nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.__main__ import main

STUDY, DATA, DESIGN, REFUSED = 10, 11, 12, 15


def change(folder: Path, file: str, before: str, after: str, count: int = 1) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, count), encoding="utf-8")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# what is wrong, the file, its text before and after, the exit code, and words that the message must hold
WRONG = [
    ("an unknown key", "study.yml", "estimand: att", "estimnd: att\nestimand: att", STUDY, ["line", "estimnd", "estimand"]),
    ("a repeated key", "study.yml", "estimand: att", "estimand: att\nestimand: att", STUDY, ["line", "estimand"]),
    ("a bad date", "study.yml", "to: 2022-12-31", "to: 31/12/2022", STUDY, ["line", "31/12/2022"]),
    ("a missing file", "study.yml", "data/invented_cohort.csv", "data/nowhere.csv", DATA, ["data/nowhere.csv"]),
    ("a path that leaves", "study.yml", "data/invented_cohort.csv", "../cohort.csv", STUDY, ["line", "../cohort.csv"]),
    ("an absolute path", "study.yml", "data/invented_cohort.csv", "/etc/passwd", STUDY, ["line", "/etc/passwd"]),
    ("an outcome not defined", "study.yml", "outcome: reoffended", "outcome: reoffendd", STUDY, ["reoffendd", "reoffended"]),
    ("an unknown method", "study.yml", "method: rates, outcome: reoffended", "method: ratios, outcome: reoffended", STUDY, ["ratios", "rates"]),
    ("an unknown option", "study.yml", "measure: risk_difference", "mesure: risk_difference", STUDY, ["mesure", "measure"]),
    ("a bad value", "study.yml", "measure: risk_difference", "measure: risk_diference", STUDY, ["risk_diference"]),
    ("an outcome in the design", "study.yml", "[age, sex, prior_offences]", "[age, sex, reoffended]", STUDY, ["reoffended"]),
    ("ragged rows", "data/invented_cohort.csv", ",17,male", ",17,male,extra", DATA, ["data/invented_cohort.csv", "row"]),
    ("a date that is none", "data/invented_cohort.csv", "2022-05-13", "2022-02-30", DATA, ["data/invented_cohort.csv", "index_date", "2022-02-30"]),
    ("an unknown category", "data/invented_cohort.csv", ",17,male", ",17,Male", DATA, ["data/invented_cohort.csv", "sex", "Male"]),
    ("an age out of range", "data/invented_cohort.csv", ",17,male", ",71,male", DATA, ["data/invented_cohort.csv", "age", "17"]),
    ("a conviction before its offence", "data/invented_offences.csv", "2020-10-09,2020-11-28", "2020-10-09,2020-09-28", DATA, ["data/invented_offences.csv", "row 2", "conviction_date"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
@pytest.mark.parametrize("verb", ["check", "run"])
def test_each_mistake_has_one_clear_message(make_study, capsys, verb, file, before, after, code, words):
    folder = make_study()
    change(folder, file, before, after)
    was = snapshot(folder)
    assert main([verb, str(folder)]) == code
    shown = capsys.readouterr().err
    for word in words:
        assert word in shown
    assert "Traceback" not in shown
    assert snapshot(folder) == was


def test_a_repeated_person_is_named_by_row_and_never_by_id(make_study, capsys):
    folder = make_study()
    path = folder / "data" / "invented_cohort.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    assert main(["run", str(folder)]) == DATA
    shown = capsys.readouterr().err
    assert "row" in shown
    assert lines[1].split(",")[0] not in shown


def test_all_problems_come_at_once(make_study, capsys):
    folder = make_study()
    change(folder, "data/invented_cohort.csv", "2022-05-13", "2022-02-30")
    change(folder, "data/invented_control.csv", "female", "Female")
    change(folder, "study.yml", "measure: rate_ratio", "measure: rate_ratoi")
    assert main(["check", str(folder)]) == STUDY
    shown = capsys.readouterr().err
    for word in ("2022-02-30", "Female", "rate_ratoi", "3 problems"):
        assert word in shown


def test_a_failed_run_leaves_the_previous_output_whole(make_study):
    folder = make_study("before-after")
    assert main(["run", str(folder), "--quiet"]) == 0
    was = snapshot(folder / "output")
    assert was
    change(folder, "study.yml", "method: counts", "method: cuonts")
    assert main(["run", str(folder), "--quiet"]) == STUDY
    assert snapshot(folder / "output") == was


def test_an_output_folder_with_other_files_is_never_replaced(make_study, tmp_path, capsys):
    folder, other = make_study("before-after"), tmp_path / "documents"
    other.mkdir()
    (other / "letter.txt").write_text("keep me", encoding="utf-8")
    assert main(["run", str(folder), "--output", str(other)]) == 2
    assert main(["run", str(folder), "--output", str(folder)]) == 2
    assert (other / "letter.txt").read_text(encoding="utf-8") == "keep me"
    assert (folder / "study.yml").is_file()


def test_new_never_overwrites(make_study, capsys):
    folder = make_study()
    assert main(["new", str(folder)]) == 2
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize("design", ["matched", "rct", "did", "before-after", "single", "funnel", "cba"])
def test_every_design_runs_at_once(make_study, design, capsys):
    folder = make_study(design)
    assert main(["check", str(folder), "--quiet"]) == 0
    change(folder, "study.yml", "disclosure:", "report: {templates: []}\ndisclosure:") if "report:" not in (
        folder / "study.yml"
    ).read_text() else change(folder, "study.yml", "templates: [commissioner, summary]", "templates: []")
    assert main(["run", str(folder), "--quiet"]) == 0
    written = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
    assert written["study"] == "my-study"
    assert written["data_status"] == "simulated"
    assert written["results"][0]["role"] == "primary"


def test_the_same_input_gives_the_same_bytes(make_study):
    folder = make_study()
    change(folder, "study.yml", "templates: [commissioner, summary]", "templates: []")
    made = []
    for threads in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": threads, "OMP_NUM_THREADS": threads}
        subprocess.run(
            [sys.executable, "-m", "evalkit", "run", str(folder), "--quiet"], check=True, env=environment
        )
        made.append((folder / "output" / "results.json").read_bytes())
    assert made[0] == made[1]


def test_usage_errors_exit_with_2(capsys):
    assert main(["run"]) == 2
    assert main(["nonsense"]) == 2
    assert main(["publish", "x"]) == 2


def test_json_gives_one_object(make_study, capsys):
    folder = make_study("before-after")
    assert main(["check", str(folder), "--json", "--quiet"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)
