"""What the files of an account show to be wrong: all of it, with file, row and column, from `check` as from `run`."""

from __future__ import annotations

import csv

import pytest

from evalkit.__main__ import main

STUDY, DATA = 10, 11


@pytest.fixture
def folder(tmp_path):
    target = tmp_path / "account"
    assert main(["new", str(target), "--design", "cba", "--quiet"]) == 0
    return target


def edit(folder, name, row, **cells):
    """Change cells of one row of a file, counting the header as row 1."""
    path = folder / "data" / f"invented_{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row - 2] |= {key: str(value) for key, value in cells.items()}
    columns = list(dict.fromkeys(key for each in rows for key in each))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def both(folder, capsys):
    """Exit code and message, which must be those of both verbs."""
    code = main(["check", str(folder), "--quiet"])
    said = capsys.readouterr().err
    assert main(["run", str(folder), "--quiet"]) == code
    assert set(said.splitlines()) <= set(capsys.readouterr().err.splitlines())
    assert not (folder / "output").exists()
    return code, said


WRONG = [
    ("costs", 2, {"price_year": "19/20"}, "row 2, column `price_year`: a price year is"),
    ("costs", 2, {"price_year": "2031/32"}, "row 2, column `price_year`: no deflator holds 2031/32"),
    ("costs", 3, {"price_year": "2015"}, "row 3, column `price_year`: a financial year and a calendar year"),
    ("costs", 2, {"currency": "EUR"}, "row 2, column `currency`: another currency"),
    ("benefits", 2, {"unit_cost": "CR7.00"}, "row 2, column `unit_cost`: there is no unit cost `CR7.00`. Did you mean"),
    ("benefits", 2, {"unit_cost": "$500"}, "row 2, column `unit_cost`: a unit cost in another currency"),
    ("benefits", 2, {"unit_cost": "-5"}, "row 2, column `unit_cost`: a unit cost cannot be negative"),
    ("benefits", 3, {"impact": "mian"}, "row 3, column `impact`: there is no analysis `mian`"),
    ("benefits", 3, {"impact": "-0.2"}, "row 3, column `impact`: an effect of the wrong sign"),
    ("benefits", 3, {"first_year": 2, "last_year": 1}, "row 3, column `last_year`: the last year comes before"),
    ("benefits", 2, {"last_year": 2019}, "row 2, column `last_year`: years count from 0"),
    ("benefits", 2, {"perspective": "social", "unit_cost": "HO.fraud", "transfer": 1}, "row 2, column `transfer`"),
    ("benefits", 2, {"perspective": "social"}, "row 2, column `unit_cost`: `CR7.0` has no social value"),
    ("benefits", 2, {"drop_off_low": 0.5, "drop_off_high": 0.6}, "row 2, column `drop_off`: the value lies outside"),
    ("benefits", 2, {"units_low": 5}, "row 2: `units_low` and `units_high` are given together"),
    ("costs", 3, {"grant": "One grant", "share": 0.6, "amount": 1}, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "cells", "message"), WRONG)
def test_each_mistake_is_found_before_anything_is_estimated(folder, capsys, name, row, cells, message):
    edit(folder, name, row, **cells)
    if message is None:
        assert main(["check", str(folder), "--quiet"]) == 0
        return
    code, said = both(folder, capsys)
    assert code == DATA
    assert f"data/invented_{name}.csv, {message}" in said


def test_a_cell_that_cannot_be_read_hides_no_other_mistake(folder, capsys):
    edit(folder, "costs", 2, amount="many", price_year="19/20")
    edit(folder, "benefits", 2, affected=1.2, unit_cost="CR7.00")
    edit(folder, "benefits", 3, impact="mian")
    code, said = both(folder, capsys)
    assert code == DATA
    assert said.count("row 2, column `amount`") == said.count("row 2, column `affected`") == 1
    for words in ("column `price_year`", "there is no unit cost `CR7.00`", "there is no analysis `mian`"):
        assert words in said
    assert "5 problems (data)" in said


def test_two_mistakes_of_one_event_are_both_named(folder, capsys):
    edit(folder, "benefits", 2, unit_cost="CR8.6", price_year="", affected=1.2)
    edit(folder, "benefits", 3, unit_cost="HO.robbery", price_year="", perspective="social", cashable=0)
    said = both(folder, capsys)[1]
    assert "row 2, column `affected`" in said
    assert "row 3, column `unit_cost`: the same event is valued twice" in said


def test_the_shares_of_one_grant_in_one_account(folder, capsys):
    edit(folder, "costs", 2, grant="One grant", share=0.7)
    edit(folder, "costs", 3, grant="One grant", share=0.4, amount=120000)
    said = both(folder, capsys)[1]
    assert "row 3, column `share`: the shares of one grant add up to more than the whole of it" in said


def test_what_study_yml_must_settle_is_a_problem_of_study_yml(folder, capsys):
    path = folder / "study.yml"
    path.write_text(path.read_text(encoding="utf-8").replace(" price_year: 2015/16,", ""), encoding="utf-8")
    edit(folder, "costs", 2, price_year="2018/19")
    code, said = both(folder, capsys)
    assert code == STUDY
    assert (
        "study.yml, analyses.main: the amounts are in several price years. Found: 2015/16, 2018/19." in said
    )


def test_an_analysis_that_describes_is_no_impact(folder, capsys):
    edit(folder, "benefits", 2, impact="main", deadweight=0.2)
    code, said = both(folder, capsys)
    assert code == STUDY
    assert "study.yml, analyses.main, `impact: main`: a description is not a net impact" in said
    assert "row 2, column `deadweight`: the impact of the analysis `main` is already net" in said
