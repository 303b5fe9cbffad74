"""study.yml: a valid text, one change, and the message and line that must come of it."""

from __future__ import annotations

import dataclasses
import os
import random
from datetime import date
from pathlib import Path

import pytest

from evalkit.errors import LONGEST_FOUND, StudyError
from evalkit.study import data_problems, read_study

VALID = """\
schema: 1
study: youth-work-plus
title: Youth Work Plus, Loftus
question: Did fewer participants come to notice again than similar young people?
commissioner: Redcar and Cleveland Council
intervention: {name: Youth Work Plus, start: 2018-09, theory: [a trusted adult]}
data_status: simulated
assignment: {by: choice, unit: person, chosen_when_high: true, registered: null}
estimand: att
window: {from: 2018-09-01, to: 2018-12-31}
extract: {observed_until: 2020-12-31}
seed: 20200701
arms: {treated: Youth Work Plus, control: similar young people}
data:
  cohort:   {file: data/cohort.csv}
  control:  {file: data/control.csv}
  offences: {file: data/offences.csv}
  panel:    {file: data/asb_by_month.csv}
columns:
  person_id:  {type: id}
  index_date: {type: date}
  age:        {type: integer, min: 10, max: 17, unit: years}
  sex:        {type: category, values: [female, male]}
history:
  prior_offences: {look_back: 36 months}
outcomes:
  reoffended: {measure: binary, follow_up: 12 months, waiting: 6 months, label: reoffended, better: lower}
  harm:       {measure: severity, follow_up: 12 months, weight: harm_days}
  points:     {measure: column, column: points, unit: points, better: higher}
  relapse:    {measure: duration, time: days, event: returned}
design: {method: nearest, covariates: [age, sex, prior_offences], exact: [sex], caliper: 0.2, trim: 0.1}
analyses:
  main: {role: primary, method: rates, outcome: reoffended, measure: risk_difference}
  area: {role: sensitivity, method: did, data: panel, outcome: asb, unit: ward, leads: 3, starts: 2018-09-01}
disclosure: {preset: public}
report: {templates: [commissioner, summary, technical], formats: [html, pdf, docx]}
"""

# what stands in the file | what replaces it | a fragment of the message | its line
WRONG = [
    ("seed: 2", "sede: 2", "`sede` is not a key that study.yml knows. Did you mean `seed`?", 12),
    ("seed: 20200701", "", "`seed` is required", 1),
    ("seed: 20200701", "seed: -1", "`seed` must be at least 0", 12),
    ("seed: 20200701", "seed: '7'", "`seed` must be a whole number. Found: 7", 12),
    ("seed: 20200701", "seed: 012", "`seed` must be a whole number. Found: 012", 12),
    ("schema: 1", "schema: 2", "`schema` must be 1. Found: 2", 1),
    ("study: youth-work-plus", "study: other", "`study` must equal the folder's name. Found: other", 2),
    ("study: youth-work-plus", "study: ../x", "must be letters, digits", 2),
    ("title: Youth Work Plus, Loftus", "title: on", "Quote it: YAML reads a bare on as true or false", 3),
    ("title: Youth Work Plus, Loftus", "title: 1984", "`title` must be text", 3),
    ("title: Youth Work Plus, Loftus", "title: [a]", "`title` must be text. Found: a list", 3),
    ("title: Youth Work Plus, Loftus", "title: ''", "`title` is empty", 3),
    ("title: Youth Work Plus, Loftus", "title: Work: more", "this is not YAML", 3),
    ("title: Youth", "\ttitle: Youth", "Indent with spaces, not tabs", 3),
    (
        "commissioner: Redcar",
        "title: again\ncommissioner: Redcar",
        "`title` is repeated. It stands on line 3",
        5,
    ),
    ("commissioner: Redcar", "commissioner: &x Redcar", "anchors are not allowed. Found: &x", 5),
    (
        "commissioner: Redcar and Cleveland Council",
        "commissioner: *x",
        "aliases are not allowed. Found: *x",
        5,
    ),
    ("commissioner: Redcar", "commissioner: !!python/name:os.system Redcar", "tags are not allowed", 5),
    ("commissioner: Redcar", "yes: 1\ncommissioner: Redcar", "a key must be text. Found: yes. Quote it", 5),
    ("commissioner: Redcar", "<<: {a: b}\ncommissioner: Redcar", "a key must be text. Found: <<", 5),
    ("commissioner: Redcar", "? [a]\n: b\ncommissioner: Redcar", "a key must be text", 5),
    ("name: Youth Work Plus,", "name: no,", "Quote it: YAML reads a bare no as true or false", 6),
    ("theory: [a trusted adult]", "voluntary: yes", "`intervention.voluntary` is ambiguous", 6),
    ("start: 2018-09,", "start: 2018-13,", "not a month or day of the calendar. Found: 2018-13", 6),
    ("data_status: simulated", "data_status: simulted", "Did you mean `simulated`?", 7),
    ("by: choice", "by: chance", "`assignment.by` has no such value. Found: chance", 8),
    ("registered: null", "registred: null", "Did you mean `registered`?", 8),
    (
        "chosen_when_high: true",
        "chosen_when_high: 1",
        "`assignment.chosen_when_high` must be true or false",
        8,
    ),
    ("estimand: att", "estimand: late", "`estimand` has no such value. Found: late", 9),
    ("from: 2018-09-01", "from: 31/12/2018", "`window.from` must be a date. Found: 31/12/2018", 10),
    ("from: 2018-09-01", "from: 2018-02-30", "not a day of the calendar. Found: 2018-02-30", 10),
    ("from: 2018-09-01", "from: 2019-09-01", "`window.to` is before `window.from`", 10),
    (", to: 2018-12-31", "", "`window.to` is required", 10),
    ("observed_until: 2020-12-31", "observed_until: 2020-12", "must be a date. Found: 2020-12", 11),
    ("observed_until: 2020-12-31", "observed_until: 2017-12-31", "nothing of the window can be seen", 11),
    ("extract: {observed_until: 2020-12-31}", "", "`outcomes.reoffended` needs `extract.observed_until`", 27),
    ("control: similar", "comparison: similar", "`comparison` is not a key in `arms`", 13),
    ("data/cohort.csv", "/etc/passwd", "`data.cohort.file` must be a plain relative path", 15),
    ("data/cohort.csv", "~/cohort.csv", "must be a plain relative path", 15),
    ("data/cohort.csv", "C:/cohort.csv", "must be a plain relative path", 15),
    ("data/cohort.csv", "data\\cohort.csv", "must be a plain relative path", 15),
    ("data/cohort.csv", "data//cohort.csv", "must be a plain relative path", 15),
    ("data/cohort.csv", "s3://bucket/cohort.csv", "must be a plain relative path", 15),
    ("data/cohort.csv", "data/*.csv", "must be a plain relative path", 15),
    ("data/cohort.csv", '"data/a\\0.csv"', "must be a plain relative path", 15),
    ("data/cohort.csv", "../cohort.csv", "leads out of the study folder", 15),
    ("data/cohort.csv", "data/../../x.csv", "leads out of the study folder", 15),
    ("data/cohort.csv", "away/cohort.csv", "leads out of the study folder", 15),
    ("data/cohort.csv", "output/results.json", "leads into output/", 15),
    ("{file: data/cohort.csv}", "{}", "`data.cohort` must name one file", 15),
    ("{file: data/cohort.csv}", "{table: people}", "a table needs `engine: {spark: …}`", 15),
    ("cohort:   {file", "people:   {file", "give either `people`, or `cohort` and `control`", 15),
    ("  cohort:   {file: data/cohort.csv}\n", "", "`data.control` needs `data.cohort`", 15),
    ("  offences: {file: data/offences.csv}\n", "", "`outcomes.reoffended` needs `data.offences`", 26),
    ("index_date: {type: date}", "index_date: {type: text}", "`index_date` must have `type: date`", 21),
    ("  index_date: {type: date}\n", "", "needs the column `index_date`", 26),
    ("age:        {type: integer", "age:        {type: int", "Did you mean `integer`?", 22),
    ("min: 10, max: 17", "min: 17, max: 10", "`columns.age.max` is below `min`", 22),
    ("min: 10, max: 17", "min: ten, max: 17", "`columns.age.min` must be a number. Found: ten", 22),
    (
        "values: [female, male]",
        "values: [yes, no]",
        "`columns.sex.values` must hold only texts. Found: yes",
        23,
    ),
    ("values: [female, male]", "values: [a, a]", "names the same thing twice. Found: a", 23),
    ("type: category, values", "type: text, values", "has no meaning for a column of type text", 23),
    (
        "look_back: 36 months",
        "look_back: 36 moths",
        "must be a number of calendar months. Found: 36 moths",
        25,
    ),
    ("look_back: 36 months", "look_back: 36", "Write it like `12 months`", 25),
    ("prior_offences: {look", "age: {look", "a history needs a name that no column has", 25),
    ("measure: binary", "measure: yesno", "`outcomes.reoffended.measure` has no such value", 27),
    ("better: lower", "better: down", "`outcomes.reoffended.better` has no such value", 27),
    ("follow_up: 12 months, waiting", "waiting", "`outcomes.reoffended.follow_up` is required", 27),
    (", weight: harm_days", "", "A severity outcome needs `weight:`", 28),
    ("column: points,", "weight: x,", "`outcomes.points.weight` has no meaning", 29),
    ("event: returned", "evnt: returned", "Did you mean `event`?", 30),
    ("method: nearest", "method: nearst", "Did you mean `nearest`?", 31),
    ("caliper: 0.2", "caliper: wide", "`design.caliper` must be a number. Found: wide", 31),
    ("[age, sex, prior_offences]", "[agee]", "is not under `columns` or `history`. Found: agee", 31),
    ("[age, sex, prior_offences]", "[age, reoffended]", "A design never sees outcomes", 31),
    ("[age, sex, prior_offences]", "[points]", "A design never sees outcomes", 31),
    ("role: primary", "role: secondary", "exactly one analysis must have `role: primary`. Found: none", 32),
    ("role: sensitivity", "role: primary", "exactly one analysis must have `role: primary`. Found: main", 34),
    ("role: sensitivity", "role: main", "`analyses.area.role` has no such value", 34),
    ("outcome: reoffended,", "outcome: reofended,", "Did you mean `reoffended`?", 33),
    (
        "outcome: reoffended,",
        "outcome: points,",
        "`outcomes.points.column` is not a name under `columns`",
        29,
    ),
    ("outcome: reoffended,", "outcome: no,", "Quote it: YAML reads a bare no", 33),
    ("data: panel", "data: pannel", "`analyses.area.data` is not a name under `data`", 34),
    ("leads: 3", "leads: 0x10", "`analyses.area.leads` is ambiguous", 34),
    ("starts: 2018-09-01", "starts: 2018-09-31", "not a day of the calendar", 34),
    ("  area: {", "  ../area: {", "a name must be letters", 34),
    ("method: rates, ", "", "`analyses.main.method` is required", 33),
    ("preset: public", "preset: open", "`disclosure.preset` has no such value", 35),
    ("preset: public", "already_public: a report", "simulated data cannot be already public", 35),
    ("html, pdf, docx", "html, odt", "there is no such format. Found: odt", 36),
    ("[commissioner, summary, technical]", "[../x]", "a template is named by one plain word", 36),
]


def folder_with(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "youth-work-plus"
    folder.mkdir(exist_ok=True)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    return folder


def problems_of(folder: Path) -> tuple:
    with pytest.raises(StudyError) as caught:
        read_study(folder)
    return caught.value.problems


@pytest.mark.parametrize(("old", "new", "message", "line"), WRONG)
def test_one_wrong_thing_is_named_with_its_line(tmp_path, old, new, message, line):
    assert old in VALID
    folder = folder_with(tmp_path, VALID.replace(old, new, 1))
    (folder / "away").symlink_to(tmp_path)
    problems = problems_of(folder)
    hits = [each for each in problems if message in str(each)]
    assert hits, "\n".join(map(str, problems))
    assert hits[0].where == f"study.yml, line {line}"
    assert all(len(each.found) <= LONGEST_FOUND for each in problems)
    assert len(problems) <= 3


def test_a_valid_study_is_read(tmp_path):
    study = read_study(folder_with(tmp_path, VALID))
    assert study.window.start == date(2018, 9, 1)
    assert study.observed_until == date(2020, 12, 31)
    assert study.history["prior_offences"].look_back == 36
    assert study.outcomes["reoffended"].waiting == 6
    assert study.intervention == {
        "name": "Youth Work Plus",
        "start": "2018-09",
        "theory": ("a trusted adult",),
    }
    assert study.design.options == {"caliper": 0.2, "trim": 0.1}
    assert study.primary.options == {"outcome": "reoffended", "measure": "risk_difference"}
    assert study.analyses["area"].options["starts"] == "2018-09-01"
    assert study.path("cohort") == study.folder / "data/cohort.csv"
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.title = "another"


def test_defaults(tmp_path):
    text = (
        "study: youth-work-plus\ntitle: A plan\nquestion: Could it be told?\ndata_status: real\n"
        "estimand: itt\nseed: 1\nanalyses: {main: {role: primary, method: power}}\n"
    )
    study = read_study(folder_with(tmp_path, text) / "study.yml")
    assert (study.schema, study.disclosure.preset, study.assignment.by) == (1, "public", "unknown")
    assert study.report.templates == ("commissioner", "summary")
    assert study.report.formats == ("html", "pdf", "docx")
    assert study.window is None
    assert study.design is None


def test_no_templates_render_nothing(tmp_path):
    study = read_study(folder_with(tmp_path, VALID.replace("[commissioner, summary, technical]", "[]")))
    assert study.report.templates == ()


def test_all_mistakes_come_at_once_in_the_order_of_lines(tmp_path):
    text = (
        VALID.replace("seed: 2", "sede: 2")
        .replace("type: integer", "type: int")
        .replace("role: primary", "role: x")
    )
    problems = problems_of(folder_with(tmp_path, text))
    lines = [int(each.where.rpartition(" ")[2]) for each in problems]
    assert {12, 22, 33} <= set(lines)
    assert lines == sorted(lines)


def test_missing_files_are_data_problems(tmp_path):
    folder = folder_with(tmp_path, VALID)
    (folder / "data").mkdir()
    (folder / "data/cohort.csv").write_text("person_id\n")
    os.mkdir(folder / "data/control.csv")
    problems = data_problems(read_study(folder))
    assert [each.where for each in problems] == [
        "data/control.csv",
        "data/offences.csv",
        "data/asb_by_month.csv",
    ]
    assert problems[0].wrong == "is not a file"


def test_tables_come_with_a_named_engine(tmp_path):
    text = VALID.replace("{file: data/cohort.csv}", "{table: mart.people}") + "engine: {spark: national}\n"
    study = read_study(folder_with(tmp_path, text))
    assert study.spark == "national"
    assert study.data["cohort"].table == "mart.people"
    with pytest.raises(KeyError):
        study.path("cohort")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("- a\n", "must be a mapping"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: " + "[" * 5000, "nested deeper"),
        ("a: [" + "x, " * 100_000 + "x]", "larger than 256 kB"),
        ("a: \x07", "not YAML"),
        ("a: {b: c", "not YAML"),
        ("seed: " + "9" * 6000, "`seed` must be a whole number"),
        ("".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 9)), "anchors are not allowed"),
    ],
)
def test_hostile_files_end_in_one_message(tmp_path, text, message):
    problems = problems_of(folder_with(tmp_path, text))
    assert any(message in str(each) for each in problems), "\n".join(map(str, problems))
    assert all(len(each.found) <= LONGEST_FOUND for each in problems)


def test_no_file_and_no_text(tmp_path):
    assert "there is no study.yml" in str(problems_of(tmp_path / "nowhere")[0])
    folder = folder_with(tmp_path, "")
    (folder / "study.yml").write_bytes(b"title: caf\xe9\n")
    assert "not UTF-8" in str(problems_of(folder)[0])


DAMAGE = [
    "[",
    "]",
    "{",
    ":",
    "&a ",
    "*a",
    "!!int ",
    "null",
    "yes",
    "012",
    "\n",
    "  ",
    '"',
    "2018-02-30",
    "<<",
    "|",
    "1e400",
]


@pytest.mark.parametrize("seed", range(3))
def test_random_damage_ends_in_a_study_error_or_in_a_study(tmp_path, seed):
    chance = random.Random(seed)
    found = []
    for _ in range(25):
        place = chance.randrange(len(VALID))
        cut_to = place + chance.choice([0, 0, chance.randrange(20)])
        folder = folder_with(tmp_path, VALID[:place] + chance.choice(DAMAGE) + VALID[cut_to:])
        try:
            read_study(folder)
        except StudyError as error:
            found += error.problems
    assert found
    assert all(each.where.startswith("study.yml") and len(each.found) <= LONGEST_FOUND for each in found)
