"""Harm by a table that the user brings: which weight an offence has, what is refused, what is said, what is withheld."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.__main__ import main
from evalkit.contract import Outcome
from evalkit.disclosure import policy, release
from evalkit.engine import connect
from evalkit.errors import DataError, StudyError
from evalkit.frames import read_weights
from evalkit.outcomes import check_by_hand, compiled_sql, measure_outcomes
from evalkit.scaffold import new_study
from evalkit.study import read_study
from tests.spec.tables import frame, rows

GOLDEN = Path(__file__).parent / "golden"
UNTIL = date(2024, 12, 31)
WINDOW = {"follow_up": 12, "waiting": 6}
# One row of theft, two of robbery, three of violence: the middle one, the mean of the middle two, and far apart means.
CODES = """
    offence_type | harm_days
    theft        | 2
    robbery      | 100
    robbery      | 365
    violence     | 1
    violence     | 10
    violence     | 1000
"""
CLASSES = """
    offence_type | harm_days
    theft        | 2
    robbery      | 365
    violence     | 10
"""
PEOPLE = """
    person_id | index_date
    theft     | 2018-09-01
    robbery   | 2018-09-01
    violence  | 2018-09-01
    all       | 2018-09-01
    none      | 2018-09-01
    unlisted  | 2018-09-01
    untyped   | 2018-09-01
"""
OFFENCES = """
    person_id | offence_date | conviction_date | offence_type
    theft     | 2018-10-01   | 2018-12-01      | theft
    robbery   | 2018-10-01   | 2018-12-01      | robbery
    violence  | 2018-10-01   | 2018-12-01      | violence
    all       | 2018-10-01   | 2018-12-01      | theft
    all       | 2018-11-01   | 2018-12-01      | theft
    all       | 2018-12-01   | 2018-12-02      | robbery
    all       | 2019-01-01   | 2019-02-01      | violence
    all       | 2020-01-01   | 2020-02-01      | robbery
    unlisted  | 2018-10-01   | 2018-12-01      | treason
    unlisted  | 2018-10-02   | 2018-12-01      | theft
    untyped   | 2018-10-01   | 2018-12-01      |
"""


def harm(name: str = "harm", **options) -> Outcome:
    return Outcome(name=name, measure="severity", weights="table", **WINDOW, **options)


def measured(*outcomes: Outcome, table: str = CODES) -> pd.DataFrame:
    people = frame(PEOPLE, dates=("index_date",))
    offences = frame(OFFENCES, dates=("offence_date", "conviction_date"))
    weights = frame(table, numbers=("harm_days",))
    return measure_outcomes(people, offences, outcomes, UNTIL, {"table": weights}).set_index("person_id")


def same(found: pd.Series, expected: str, column: str) -> None:
    for row in rows(expected):
        value = found[row["person_id"]]
        assert (value == pytest.approx(float(row[column]))) if row[column] else pd.isna(value), row[
            "person_id"
        ]


def test_how_several_weights_of_a_type_become_one():
    expected = """
        person_id | median | mean
        theft     | 2      | 2
        robbery   | 232.5  | 232.5
        violence  | 10     | 337
        all       | 246.5  | 573.5
        none      | 0      | 0
        unlisted  |        |
        untyped   |        |
    """
    found = measured(harm("median", aggregation="median"), harm("mean", aggregation="mean"))
    same(found["median"], expected, "median")
    same(found["mean"], expected, "mean")


def test_a_persons_score_is_the_sum_or_the_most_serious_offence():
    expected = """
        person_id | sum | largest | most
        theft     | 2   | 2       | 2
        robbery   | 365 | 365     | 365
        all       | 379 | 365     | 365
        none      | 0   | 0       | 0
        unlisted  |     |         |
    """
    found = measured(harm("sum"), harm("most", score="most_serious"), table=CLASSES)
    same(found["sum"], expected, "sum")
    same(found["sum_largest"], expected, "largest")
    same(found["most"], expected, "most")
    assert "most_largest" not in found


def test_only_some_types_count_or_some_are_left_out():
    expected = """
        person_id | thefts | first | others | harm | any
        theft     | 1      | 30    | 0      | 0    | 1
        robbery   | 0      |       | 1      | 365  | 1
        all       | 2      | 30    | 2      | 375  | 1
        none      | 0      |       | 0      | 0    | 0
        unlisted  | 1      | 31    | 1      |      | 1
        untyped   | 0      |       | 1      |      | 1
    """
    found = measured(
        Outcome(name="thefts", measure="frequency", types=("theft",), **WINDOW),
        Outcome(name="first", measure="time_to_first", types=("theft",), **WINDOW),
        Outcome(name="others", measure="frequency", leave_out=("theft",), **WINDOW),
        harm(leave_out=("theft",)),
        Outcome(name="any", measure="binary", **WINDOW),
        table=CLASSES,
    )
    for name in ("thefts", "first", "others", "harm", "any"):
        same(found[name], expected, name)


def test_a_type_that_is_left_out_needs_no_weight():
    found = measured(harm(leave_out=("treason",)), table=CLASSES)
    assert found.loc["unlisted", "harm"] == 2


def test_two_tables_side_by_side():
    people = frame(PEOPLE, dates=("index_date",))
    offences = frame(OFFENCES, dates=("offence_date", "conviction_date"))
    weights = frame(CLASSES, numbers=("harm_days",)).assign(score=[1.0, 3.0, 7.0])
    other = Outcome(name="score", measure="severity", weights="table", weight="score", **WINDOW)
    found = measure_outcomes(people, offences, [harm(), other], UNTIL, {"table": weights})
    all_types = found.set_index("person_id").loc["all"]
    assert (all_types["harm"], all_types["score"]) == (379, 12)


@pytest.mark.parametrize("dialect", ["duckdb", "athena"])
def test_the_statement_with_a_table_of_weights_is_the_one_that_was_reviewed(dialect):
    outcomes = (
        harm(aggregation="median", leave_out=("drug possession",)),
        Outcome(name="thefts", measure="frequency", types=("theft",), **WINDOW),
    )
    statement = compiled_sql(outcomes, observed_until=UNTIL, dialect=dialect)
    assert statement + "\n" == (GOLDEN / f"outcomes_weights_{dialect}.sql").read_text(encoding="utf-8")


def test_the_printed_statement_gives_the_same_rows():
    outcomes = (harm("median", aggregation="median"), harm("mean", aggregation="mean"))
    con = connect()
    con.register("given_people", frame(PEOPLE, dates=("index_date",)))
    con.register("given_offences", frame(OFFENCES, dates=("offence_date", "conviction_date")))
    con.register("given_weights", frame(CODES, numbers=("harm_days",)))
    con.execute("CREATE TABLE people AS SELECT person_id, index_date::DATE index_date FROM given_people")
    con.execute(
        "CREATE TABLE offences AS SELECT person_id, offence_date::DATE offence_date, "
        "conviction_date::DATE conviction_date, offence_type FROM given_offences"
    )
    con.execute('CREATE TABLE "table" AS SELECT * FROM given_weights')
    ran = con.execute(compiled_sql(outcomes, observed_until=UNTIL)).df().set_index("person_id")
    expected = measured(*outcomes)
    pd.testing.assert_frame_equal(ran[["median", "mean"]].loc[expected.index], expected[["median", "mean"]])


def test_people_worked_by_hand_are_held_against_the_table(tmp_path):
    path = tmp_path / "people_by_hand.csv"
    path.write_text(
        "person_id,index_date,offence_date,conviction_date,offence_type,harm\n"
        "A,2018-09-01,2018-10-01,2018-12-01,robbery,365\n"
        "B,2018-09-01,2018-10-01,2018-12-01,violence,11\n"
        "C,2018-09-01,,,,0\n"
    )
    table = frame(CLASSES, numbers=("harm_days",))
    problems = check_by_hand(path, [harm()], (), UNTIL, weights={"table": table})
    assert [problem.where for problem in problems] == ["people_by_hand.csv, row 3"]
    assert "by hand is 11, and by the definition in study.yml 10" in problems[0].wrong


# ---- the file of weights


@pytest.mark.parametrize(
    ("text", "where", "wrong"),
    [
        ("offence_type,harm_days\ntheft,-1\n", "w.csv, row 2, column `harm_days`", "below the least allowed, 0"),
        ("offence_type,harm_days\ntheft,2\nrobbery,\n", "w.csv, row 3, column `harm_days`", "missing"),
        ("offence_type,harm_days\ntheft,two\n", "w.csv, row 2, column `harm_days`", "number"),
        ("offence_type,harm_days\n,2\n", "w.csv, row 2, column `offence_type`", "missing"),
        ("offence_type,days\ntheft,2\n", "w.csv, row 1", "no column `harm_days`"),
        ("offence_type,harm_days\n", "w.csv", "no rows"),
        ("offence_type,harm_days\ntheft,2\nrape,9\ntheft,3\n", "w.csv, rows 2 and 4, column `offence_type`", "2 weights"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_its_row_and_column(tmp_path, text, where, wrong):
    (tmp_path / "w.csv").write_text(text)
    table = read_weights(tmp_path / "w.csv", ["harm_days"], once=True)
    assert [problem.where for problem in table.problems] == [where]
    assert wrong in table.problems[0].wrong
    assert "nullable" not in table.problems[0].do
    assert "study.yml" not in table.problems[0].do


def test_repeated_types_are_sound_where_a_rule_is_named(tmp_path):
    (tmp_path / "w.csv").write_text("offence_type,harm_days\ntheft,2\ntheft,3\n")
    assert not read_weights(tmp_path / "w.csv", ["harm_days"]).problems


# ---- a study


@pytest.fixture
def study(base, tmp_path) -> Path:
    return shutil.copytree(base, tmp_path / base.name)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """The matched study that `new` makes, with harm by a table of weights and without reports."""
    folder = new_study(tmp_path_factory.mktemp("harm") / "my-study", design="matched", seed=1)
    text = (folder / "study.yml").read_text().replace("data/invented_", "data/")
    text = text.replace(
        "  cohort: {file", "  harm_weights: {file: data/harm_weights.csv}\n  cohort: {file", 1
    )
    text = text.replace("outcomes:\n", f"outcomes:\n  by_table: {{{OUTCOME}}}\n", 1)
    text = text.replace("  often: {role", f"  by_table: {{{ANALYSIS}}}\n  often: {{role", 1)
    # Weighting has no ties to break twenty times, which would be most of a run.
    text = re.sub(r"design: .*", "design: {method: entropy, covariates: [age, prior_offences]}", text)
    (folder / "study.yml").write_text(text[: text.index("report:")] + "report: {templates: []}\n")
    for path in folder.glob("data/invented_*.csv"):
        path.rename(path.with_name(path.name.removeprefix("invented_")))
    (folder / "data" / "harm_weights.csv").write_text(TABLE)
    return folder


OUTCOME = "measure: severity, follow_up: 12 months, waiting: 6 months, weights: harm_weights, better: lower"
ANALYSIS = "role: secondary, method: rates, outcome: by_table, measure: mean_difference"
TABLE = (
    "offence_type,harm_days,source,version,verified\n"
    "theft,2,invented for a test,2026,0\n"
    "criminal damage,2,invented for a test,2026,0\n"
    "violence,10,invented for a test,2026,0\n"
    "possession of a weapon,180,invented for a test,2026,0\n"
)


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text, name
    (folder / name).write_text(text.replace(old, new))


def outcome(folder: Path, added: str) -> None:
    change(folder, "study.yml", "weights: harm_weights, ", f"weights: harm_weights, {added}, ")


def results(folder: Path) -> dict:
    assert main(["run", str(folder), "--quiet"]) == 0
    return json.loads((folder / "output" / "results.json").read_text())


def test_offences_without_a_weight_are_named_once_with_their_count(study, capsys):
    change(study, "data/harm_weights.csv", "violence,10,invented for a test,2026,0\n", "")
    change(study, "data/harm_weights.csv", "theft,2,", "thefts,2,")
    assert main(["check", str(study)]) == 11
    said = capsys.readouterr().err
    assert said.count("of type `violence`") == said.count("of type `theft`") == 1
    assert "which has no weight in data/harm_weights.csv" in said
    assert "Did you mean `thefts`?" in said
    assert "outcomes.by_table.leave_out" in said
    counted = int(said.split(" proven offences of type `violence`")[0].split()[-1])
    assert counted == _after_index(study, "violence")


def _after_index(folder: Path, kind: str) -> int:
    files = [
        pd.read_csv(path) for path in folder.glob("data/*.csv") if "index_date" in path.read_text()[:200]
    ]
    people = pd.concat(files)[["person_id", "index_date"]]
    offences = pd.read_csv(folder / "data" / "offences.csv").merge(people, on="person_id")
    until = str(read_study(folder).observed_until)
    kept = (offences["offence_date"] > offences["index_date"]) & (offences["offence_date"] <= until)
    return int((kept & offences["conviction_date"].notna() & (offences["offence_type"] == kind)).sum())


def test_a_type_may_be_left_out_by_name(study):
    change(study, "data/harm_weights.csv", "violence,10,invented for a test,2026,0\n", "")
    outcome(study, "leave_out: [violence]")
    assert main(["check", str(study), "--quiet"]) == 0


def test_a_name_that_no_offence_bears_is_pointed_out(study, capsys):
    outcome(study, "leave_out: [violense]")
    assert main(["check", str(study)]) == 0
    assert (
        "no offence after an index date is of type `violense`. Did you mean `violence`?"
        in capsys.readouterr().out
    )


def test_repeated_types_need_a_rule(study, capsys):
    with (study / "data" / "harm_weights.csv").open("a") as file:
        file.write("violence,1000,invented for a test,2026,0\nviolence,90,invented for a test,2026,0\n")
    assert main(["check", str(study)]) == 11
    assert (
        "the type `violence` has 3 weights, and nothing says how they become one" in capsys.readouterr().err
    )
    outcome(study, "aggregation: median")
    definition = results(study)["outcomes"]["by_table"]["definition"]
    # Mean (10 + 1000 + 90) / 3 = 366.7 over the median 90: 4.1 times.
    assert definition.endswith(
        "Weights are those of data/harm_weights.csv (invented for a test; version 2026; not checked "
        "against the primary document), the median of the rows of each type of offence; the mean of a type is up to "
        "4.1 times its median."
    )


def test_the_definition_names_what_is_left_out(study):
    outcome(study, "leave_out: [violence], score: most_serious")
    found = results(study)
    said = "largest harm weight among offences other than violence within 12 months"
    assert said in found["outcomes"]["by_table"]["definition"]
    statement = next(each for each in found["statements"] if each["analysis"] == "by_table")
    assert said in statement["can_say"]
    assert "harm_weights.csv" not in statement["can_say"]


def test_what_one_event_does_is_not_printed_in_public(study):
    result = _harm_of(results(study))
    hidden = {each["term"]: each["estimate"] for each in result["estimates"]}
    assert hidden["treated_vs_control"] is not None
    assert hidden["bootstrap"] is not None
    assert hidden["without_largest_event"] is None
    assert hidden["capped_top_1_percent"] is None
    check = next(each for each in result["checks"] if each["name"] == "heavy_tail")
    assert check["statistic"] is None
    assert not any(letter.isdigit() for letter in check["reading"])
    top = pd.read_csv(study / "output" / result["detail"]["concentration"]).set_index("group")
    assert top.loc["top 1%", "share_of_total"] == "[c]"
    assert float(top.loc["everybody", "share_of_total"]) == 1


def test_inside_the_house_it_is(study):
    text = (study / "study.yml").read_text().replace("preset: public", "preset: internal")
    (study / "study.yml").write_text(text)
    result = _harm_of(results(study))
    found = {each["term"]: each["estimate"] for each in result["estimates"]}
    assert None not in found.values()
    assert found["without_largest_event"] != found["treated_vs_control"]


def _harm_of(values: dict) -> dict:
    return next(each for each in values["results"] if each["analysis"] == "by_table")


def test_invented_offences_bear_the_types_of_the_table(study):
    (study / "data" / "harm_weights.csv").write_text("offence_type,harm_days\n17,3\n18,5\n")
    assert main(["simulate", str(study), "--people", "30", "--quiet"]) == 0
    kinds = pd.read_csv(study / "data" / "invented_offences.csv", dtype=str)["offence_type"]
    assert set(kinds) == {"17", "18"}


def test_a_table_that_is_yet_to_come_is_invented(study):
    (study / "data" / "harm_weights.csv").unlink()
    assert main(["simulate", str(study), "--people", "30", "--quiet"]) == 0
    table = pd.read_csv(study / "data" / "invented_harm_weights.csv")
    kinds = pd.read_csv(study / "data" / "invented_offences.csv")["offence_type"]
    assert set(kinds) <= set(table["offence_type"])
    assert set(table["source"]) == {"invented"}


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("weights: harm_weights", "weights: harm_weighs", "is not a name under `data`"),
        ("weights: harm_weights", "weights: offences", "is not a table of weights"),
        ("weights: harm_weights", "aggregation: median", "is of a table of weights"),
        ("weights: harm_weights", "better2: 1", "is required"),
        ("weights: harm_weights", "weights: harm_weights, aggregation: middle", "has no such value"),
        ("weights: harm_weights", "weights: harm_weights, score: largest", "has no such value"),
        (
            "weights: harm_weights",
            "weights: harm_weights, types: [a], leave_out: [b]",
            "no meaning beside `types`",
        ),
        ("measure: severity", "measure: frequency", "no meaning for a frequency outcome"),
        ("measure: severity", "measure: binary, score: sum", "no meaning for a binary outcome"),
    ],
)
def test_keys_that_do_not_fit_are_refused(study, old, new, wrong):
    change(study, "study.yml", f"{{{OUTCOME}}}", f"{{{OUTCOME}}}".replace(old, new))
    with pytest.raises(StudyError) as caught:
        read_study(study)
    assert any(wrong in problem.wrong for problem in caught.value.problems)


def test_types_need_their_column(study, capsys):
    offences = pd.read_csv(study / "data" / "offences.csv", dtype=str).drop(columns="offence_type")
    offences.to_csv(study / "data" / "offences.csv", index=False)
    assert main(["check", str(study)]) == 11
    assert "there is no column `offence_type`" in capsys.readouterr().err


def test_a_table_that_nobody_gave_is_named():
    people = frame(PEOPLE, dates=("index_date",))
    offences = frame(OFFENCES, dates=("offence_date", "conviction_date"))
    with pytest.raises(DataError, match="needs the table of weights `table`"):
        measure_outcomes(people, offences, [harm()], UNTIL)


# ---- the gate


def let_out(harm_days: np.ndarray, *, preset: str = "public", **given):
    """A result on harm of invented people, half of them treated, as the gate lets it out."""
    number = len(harm_days)
    people = pd.DataFrame({"treated": np.arange(number) % 2, "harm": harm_days, "harm_largest": harm_days})
    result = ek.rates(
        people, outcome="harm", measure="mean_difference", heavy_tailed=True, largest_event="harm_largest"
    )
    flow = pd.DataFrame(columns=["step", "arm", "n", "lost", "reason"])
    released = release(results=[result.named("main", "primary")], flow=flow, policy=policy(preset), **given)
    return result, released.results[0]


def few_with_most(number: int) -> np.ndarray:
    return np.random.default_rng(8).choice(
        [0.0, 2.0, 10.0, 365.0, 5475.0], number, p=[0.6, 0.2, 0.15, 0.04, 0.01]
    )


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_the_top_is_printed_only_where_it_holds_enough_people(preset):
    small, large = (let_out(few_with_most(n), preset=preset)[1].detail["concentration"] for n in (300, 2000))
    assert small["share_of_total"].tolist()[0] == "[c]"
    raw = let_out(few_with_most(2000))[0].detail["concentration"]
    assert raw["n"].tolist() == [20, 200, 2000]
    for printed, exact in zip(large["share_of_total"], raw["share_of_total"], strict=True):
        assert printed == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_nothing_that_is_printed_moves_with_the_largest_event_alone(preset):
    days = np.tile([0.0, 2.0, 10.0, 365.0], 200)
    most = days.copy()
    most[3] = 366.0
    seen = [let_out(each, preset=preset)[1] for each in (days, most)]
    texts = [[(c.reading, c.passed) for c in each.checks if c.name == "heavy_tail"] for each in seen]
    assert texts[0] == texts[1]
    for each in seen:
        hidden = {
            one.term: one
            for one in each.estimates
            if one.term in ("capped_top_1_percent", "without_largest_event")
        }
        assert len(hidden) == 2
        numbers = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
        assert all(getattr(one, name) is None for one in hidden.values() for name in numbers)


def test_where_two_people_hold_most_not_even_the_verdict_is_printed():
    _, printed = let_out(few_with_most(400), largest_share={"main": 0.95})
    check = printed.check("heavy_tail")
    assert (check.passed, check.statistic) == (None, None)
    assert "Not printed" in check.reading
    assert not printed.detail
    assert all(each.estimate is None for each in printed.estimates)
