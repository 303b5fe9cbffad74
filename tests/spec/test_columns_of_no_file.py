"""A column that study.yml describes and no file has is named: in the notes of `check` and the warnings of `run`."""

from __future__ import annotations

import json

import pytest

from evalkit.__main__ import main

WORDS = "in no file, and nothing uses"


def described(folder, *lines: str) -> None:
    path = folder / "study.yml"
    text = path.read_text(encoding="utf-8").replace("templates: [commissioner, summary]", "templates: []")
    added = "".join(f"  {line}\n" for line in lines)
    path.write_text(text.replace("columns:\n", f"columns:\n{added}"), encoding="utf-8")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("shoe_size: {type: integer}",), "column `shoe_size` is in no file, and nothing uses it"),
        (
            ("shoe_size: {type: integer}", "hat: {type: text}"),
            "columns `shoe_size`, `hat` are in no file, and nothing uses them",
        ),
    ],
)
def test_check_and_run_name_it_and_go_on(make_study, capsys, lines, said):
    folder = make_study()
    described(folder, *lines)
    assert main(["check", str(folder)]) == 0
    assert f"note: study.yml, columns: {said}" in capsys.readouterr().out
    assert main(["run", str(folder), "--quiet"]) == 0
    values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
    assert f"study.yml, columns: {said}" in values["warnings"]


def test_columns_of_the_files_and_of_the_contract_are_not_named(make_study, capsys):
    folder = make_study()
    described(folder, "offence_date: {type: date}", "treated: {type: flag}")
    assert main(["check", str(folder)]) == 0
    assert WORDS not in capsys.readouterr().out


def test_a_column_that_is_used_and_not_there_is_still_refused(make_study, capsys):
    folder = make_study()
    described(folder, "shoe_size: {type: integer}")
    path = folder / "study.yml"
    text = path.read_text(encoding="utf-8").replace("covariates: [age, ", "covariates: [shoe_size, age, ")
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(folder)]) == 11
    shown = capsys.readouterr()
    assert "shoe_size" in shown.err
    assert WORDS not in shown.out + shown.err
