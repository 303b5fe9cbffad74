"""The windows of proven reoffending, a table per rule: a row is a person, mostly with one offence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.contract import History, Outcome
from evalkit.engine import connect
from evalkit.errors import DataError, StudyError, UsageError
from evalkit.outcomes import (
    check_by_hand,
    compiled_sql,
    left_out,
    measure_history,
    measure_maturity,
    measure_outcomes,
)
from tests.spec.tables import frame, number, rows

GOLDEN = Path(__file__).parent / "golden"
YEAR = {"follow_up": 12, "waiting": 6}
REOFFENDED = Outcome(name="reoffended", measure="binary", **YEAR)
REOFFENCES = Outcome(name="reoffences", measure="frequency", **YEAR)
DAYS = Outcome(name="days", measure="time_to_first", **YEAR)
HARM = Outcome(name="harm", measure="severity", **YEAR)
ALL = (REOFFENDED, REOFFENCES, DAYS, HARM)
UNTIL = date(2024, 12, 31)


def people(text: str) -> pd.DataFrame:
    return frame(text, dates=("index_date",))


def offences(text: str) -> pd.DataFrame:
    return frame(
        text, dates=("offence_date", "conviction_date"), numbers=("harm_days",) if "harm_days" in text else ()
    )


def one(index: str, offence: str, convicted: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    person = people(f"person_id | index_date\nA | {index}")
    return person, offences(f"person_id | offence_date | conviction_date\nA | {offence} | {convicted}")


def each_their_own(cases: list[dict[str, str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One person and one offence per case, named after it."""
    made = pd.DataFrame(cases).replace("", None)
    who = pd.DataFrame({"person_id": made["why"], "index_date": pd.to_datetime(made["index"])})
    convicted, offence = pd.to_datetime(made["convicted"]), pd.to_datetime(made["offence"])
    return who, pd.DataFrame(
        {"person_id": made["why"], "offence_date": offence, "conviction_date": convicted}
    )


def by_case(cases: list[dict[str, str]], values: Iterable[float]) -> dict[str, float]:
    return {case["why"]: value for case, value in zip(cases, values, strict=True)}


def same(measured: pd.DataFrame, expected: list[dict[str, str]], names: tuple[str, ...]) -> None:
    for name in names:
        np.testing.assert_array_equal(
            measured[name].astype(float), [number(row[name]) for row in expected], err_msg=name
        )


WINDOWS = """
why                                            | index      | offence    | convicted  | reoffended
the index date itself is not after it          | 2018-09-01 | 2018-09-01 | 2018-10-01 | 0
the day after                                  | 2018-09-01 | 2018-09-02 | 2018-10-01 | 1
the last day of follow-up                      | 2018-09-01 | 2019-09-01 | 2019-10-01 | 1
the day after follow-up                        | 2018-09-01 | 2019-09-02 | 2019-10-01 | 0
before the index date                          | 2018-09-01 | 2018-08-31 | 2018-10-01 | 0
convicted on the last day of the summed window | 2018-09-01 | 2018-12-01 | 2020-03-01 | 1
convicted the day after it                     | 2018-09-01 | 2018-12-01 | 2020-03-02 | 0
the waiting is not counted from the offence    | 2018-09-01 | 2018-09-02 | 2020-02-28 | 1
no conviction                                  | 2018-09-01 | 2018-12-01 |            | 0
convicted on the day of the offence            | 2018-09-01 | 2018-12-01 | 2018-12-01 | 1
a year with 29 February has 366 days           | 2019-09-01 | 2020-09-01 | 2020-10-01 | 1
29 February: a year on is 28 February          | 2020-02-29 | 2021-02-28 | 2021-03-01 | 1
29 February: 1 March is too late               | 2020-02-29 | 2021-03-01 | 2021-03-01 | 0
29 February: 18 months on is 29 August         | 2020-02-29 | 2020-03-01 | 2021-08-29 | 1
31 August: 18 months on is 29 February         | 2018-08-31 | 2018-12-01 | 2020-02-29 | 1
31 August: 18 months on is not 1 March         | 2018-08-31 | 2018-12-01 | 2020-03-01 | 0
31 August in another year: 28 February         | 2019-08-31 | 2019-12-01 | 2021-02-28 | 1
summed once: not 12 months and then 6          | 2020-02-29 | 2020-12-01 | 2021-08-29 | 1
"""


def test_a_reoffence_is_in_the_window_and_proven_in_time():
    cases = rows(WINDOWS)
    measured = measure_outcomes(*each_their_own(cases), [REOFFENDED], UNTIL)
    assert by_case(cases, measured["reoffended"]) == by_case(
        cases, [float(case["reoffended"]) for case in cases]
    )


MONTH_ENDS = """
why                              | index      | months | last day   | first day after
31 January and a month           | 2019-01-31 | 1      | 2019-02-28 | 2019-03-01
31 January and a month, leap     | 2020-01-31 | 1      | 2020-02-29 | 2020-03-01
31 March and a month             | 2019-03-31 | 1      | 2019-04-30 | 2019-05-01
30 January and a month           | 2019-01-30 | 1      | 2019-02-28 | 2019-03-01
28 February keeps its number     | 2019-02-28 | 1      | 2019-03-28 | 2019-03-29
over the end of the year         | 2018-12-31 | 2      | 2019-02-28 | 2019-03-01
"""


@pytest.mark.parametrize("case", rows(MONTH_ENDS), ids=lambda case: case["why"])
def test_a_day_that_the_month_lacks_becomes_its_last(case):
    short = Outcome(name="reoffended", measure="binary", follow_up=int(case["months"]), waiting=24)
    for day, value in ((case["last day"], 1.0), (case["first day after"], 0.0)):
        person, offence = one(case["index"], day, day)
        assert measure_outcomes(person, offence, [short], UNTIL)["reoffended"].tolist() == [value]


MATURITY = """
why                                 | index      | mature | reoffended
the window ends on the last day     | 2019-06-30 | True   | 1
the window ends a day later         | 2019-07-01 | False  |
far from over                       | 2020-11-01 | False  |
31 August and a leap year's end     | 2018-08-31 | True   | 0
"""


def test_the_immature_have_no_outcome_whether_they_reoffended_or_not():
    expected = rows(MATURITY)
    person = people(
        "person_id | index_date\n" + "\n".join(f"P{n} | {row['index']}" for n, row in enumerate(expected))
    )
    offence = offences(
        "person_id | offence_date | conviction_date\n"
        "P0 | 2019-07-01 | 2019-08-01\nP1 | 2019-07-02 | 2019-08-01\nP2 | 2020-11-02 | 2020-12-01"
    )
    until = date(2020, 12, 31)
    until_index = date(2020, 12, 30)
    measured = measure_outcomes(person, offence, [REOFFENDED, REOFFENCES], until_index)
    mature = measure_maturity(person, REOFFENDED, until_index)
    assert [str(each) for each in mature] == [row["mature"] for row in expected]
    same(measured, expected, ("reoffended",))
    assert measured["reoffences"].isna().tolist() == (~mature).tolist()
    assert left_out(measured, [REOFFENDED], until_index)["immature"].tolist() == [2]
    assert measure_maturity(person, REOFFENDED, until).tolist() == [True, False, False, True]


def test_every_measure_of_the_same_offences():
    person = people("""
        person_id | index_date
        twice     | 2018-09-01
        never     | 2018-09-01
        unproven  | 2018-09-01
        too late  | 2018-09-01
        no weight | 2018-09-01
    """)
    offence = offences("""
        person_id | offence_date | conviction_date | harm_days
        twice     | 2019-01-01   | 2019-02-01      | 10.5
        twice     | 2018-10-01   | 2019-02-01      | 0.1
        twice     | 2018-10-01   | 2019-02-01      | 0.2
        twice     | 2021-10-01   | 2021-12-01      | 99
        unproven  | 2018-10-01   |                 | 99
        too late  | 2019-09-02   | 2019-10-01      | 99
        no weight | 2018-10-01   | 2019-02-01      |
        no weight | 2018-10-02   | 2019-02-01      | 5
    """)
    expected = rows("""
        person_id | reoffended | reoffences | days | harm
        twice     | 1          | 3          | 30   | 10.8
        never     | 0          | 0          |      | 0
        unproven  | 0          | 0          |      | 0
        too late  | 0          | 0          |      | 0
        no weight | 1          | 2          | 30   |
    """)
    measured = measure_outcomes(person, offence, ALL, UNTIL)
    same(measured, expected, ("reoffended", "reoffences", "days", "harm"))
    assert left_out(measured, ALL, UNTIL)["unweighted"].tolist() == [0, 0, 0, 1]


def test_two_index_dates_of_one_person_have_two_windows():
    person = people("""
        person_id | index_date
        A         | 2018-09-01
        A         | 2019-03-01
        B         | 2018-09-01
    """)
    offence = offences("""
        person_id | offence_date | conviction_date
        A         | 2018-12-01   | 2019-02-01
        A         | 2019-06-01   | 2019-07-01
        A         | 2020-01-01   | 2020-02-01
    """)
    measured = measure_outcomes(
        measure_history(person, offence, [History(name="prior", look_back=12)]), offence, [REOFFENCES], UNTIL
    )
    assert measured["reoffences"].tolist() == [2.0, 2.0, 0.0]
    assert measured["prior"].tolist() == [0, 1, 0]


SURVIVAL = """
who          | index      | days | event | days_time | days_event
reoffended   | 2018-09-01 | 30   | 1     | 30        | 1
did not      | 2018-09-01 |      | 0     | 365       | 0
immature     | 2020-01-31 |      |       | 151       | 0
seen early   | 2020-01-31 |      |       | 31        | 1
seen late    | 2020-01-31 |      |       | 151       | 0
not to prove | 2020-06-30 |      |       |           |
"""


def test_survival_ends_where_offences_could_still_be_seen_and_proven():
    expected = rows(SURVIVAL)
    table = "\n".join(f"{row['who']} | {row['index']}" for row in expected)
    person = people("person_id | index_date\n" + table)
    offence = offences("""
        person_id    | offence_date | conviction_date
        reoffended   | 2018-10-01   | 2018-12-01
        seen early   | 2020-03-02   | 2020-12-30
        seen late    | 2020-07-01   | 2020-08-01
        not to prove | 2020-07-01   | 2020-08-01
    """)
    # 31 December 2020 less 6 months is 30 June 2020, 151 days after 31 January.
    measured = measure_outcomes(person, offence, [DAYS], date(2020, 12, 31))
    same(measured, expected, ("days", "days_time", "days_event"))


HISTORY = """
why                                   | convicted  | counted
the day before                        | 2018-08-30 | 1
the index date itself                 | 2018-08-31 | 0
after it, for an earlier offence      | 2018-09-01 | 0
the first day of the window           | 2018-02-28 | 1
the day before the window             | 2018-02-27 | 0
never                                 |            | 0
"""


def test_history_counts_convictions_before_the_index_date():
    cases = [{**case, "index": "2018-08-31", "offence": "2017-01-01"} for case in rows(HISTORY)]
    measured = measure_history(*each_their_own(cases), [History(name="prior", look_back=6)])
    assert by_case(cases, measured["prior"]) == by_case(cases, [int(case["counted"]) for case in cases])


def test_several_look_backs_and_people_without_offences():
    person = people("person_id | index_date\nA | 2018-09-01\nB | 2018-09-01")
    offence = offences("""
        person_id | offence_date | conviction_date
        A         | 2018-05-01   | 2018-06-01
        A         | 2016-05-01   | 2016-06-01
    """)
    histories = [History(name="year", look_back=12), History(name="three_years", look_back=36)]
    measured = measure_history(person, offence, histories)
    assert measured[["year", "three_years"]].to_numpy().tolist() == [[1, 2], [0, 0]]
    assert measured["year"].dtype == "int64"


def test_frames_keep_their_order_index_and_types_and_are_not_changed():
    person = people("person_id | index_date\nB | 2018-09-01\nA | 2018-09-01").set_index(pd.Index([9, 4]))
    person["points"] = pd.array([1, None], dtype="Int64")
    before = person.copy(deep=True)
    points = Outcome(name="score", measure="column", column="points")
    _, offence = one("2018-09-01", "2018-10-01", "2018-12-01")
    measured = measure_outcomes(person, offence, [points, REOFFENDED], UNTIL)
    pd.testing.assert_frame_equal(person, before)
    assert measured.index.tolist() == [9, 4]
    assert measured["reoffended"].tolist() == [0.0, 1.0]
    assert measured["score"].dtype == "Int64"


def test_durations_and_columns_are_copied_without_an_offence_in_sight():
    person = pd.DataFrame({"person_id": ["A"], "week": [20], "back": [1]})
    relapse = Outcome(name="relapse", measure="duration", time="week", event="back")
    measured = measure_outcomes(person, None, [relapse])
    assert measured[["relapse_time", "relapse_event"]].to_numpy().tolist() == [[20, 1]]


def test_the_threads_do_not_move_a_digit():
    import ibis

    rng = np.random.default_rng(5)
    person = pd.DataFrame(
        {"person_id": [f"P{n}" for n in range(50)], "index_date": pd.Timestamp("2018-09-01")}
    )
    dates = pd.Timestamp("2018-09-02") + pd.to_timedelta(rng.integers(0, 300, 3000), unit="D")
    offence = pd.DataFrame({"person_id": rng.choice(person["person_id"], 3000), "offence_date": dates})
    offence = offence.assign(conviction_date=dates, harm_days=rng.uniform(0, 1, 3000).round(6))
    found = []
    for threads in (1, 2):
        con = connect(threads=threads)
        con.register("rows", offence)
        con.execute("CREATE TABLE offences AS SELECT person_id, offence_date::DATE offence_date, "
                    "conviction_date::DATE conviction_date, harm_days FROM rows")  # fmt: skip
        found.append(
            measure_outcomes(person, ibis.duckdb.from_connection(con).table("offences"), [HARM], UNTIL)
        )
    pd.testing.assert_frame_equal(*found, check_exact=True)


@pytest.mark.parametrize("dialect", ["duckdb", "athena"])
def test_the_compiled_statement_is_the_one_that_was_reviewed(dialect):
    outcomes = (*ALL, Outcome(name="score", measure="column", column="points"))
    histories = [History(name="prior_offences", look_back=36)]
    statement = compiled_sql(outcomes, histories, observed_until=date(2020, 12, 31), dialect=dialect)
    assert statement + "\n" == (GOLDEN / f"outcomes_{dialect}.sql").read_text(encoding="utf-8")


def test_an_engine_or_dialect_that_is_not_there_is_refused_by_name():
    with pytest.raises(StudyError, match="spark"):
        connect({"spark": "local"})
    with pytest.raises(StudyError, match="Did you mean `duckdb`"):
        connect("ducdb")
    with pytest.raises(UsageError, match="klingon"):
        compiled_sql([REOFFENDED], observed_until=UNTIL, dialect="klingon")


def test_spark_has_a_statement_though_not_yet_an_engine():
    assert "`people`" in compiled_sql([REOFFENDED], observed_until=UNTIL, dialect="spark")


def test_what_cannot_be_measured_is_said():
    person, offence = one("2018-09-01", "2018-10-01", "2018-12-01")
    with pytest.raises(StudyError, match="observed_until"):
        measure_outcomes(person, offence, [REOFFENDED], None)
    with pytest.raises(DataError, match="repeated"):
        measure_outcomes(pd.concat([person, person]), offence, [REOFFENDED], UNTIL)
    with pytest.raises(DataError, match="harm_days"):
        measure_outcomes(person, offence, [HARM], UNTIL)
    with pytest.raises(DataError, match="there are none"):
        measure_outcomes(person, None, [REOFFENDED], UNTIL)
    with pytest.raises(StudyError, match="column of that name"):
        measure_outcomes(person.assign(reoffended=1), offence, [REOFFENDED], UNTIL)
    with pytest.raises(DataError, match="`index_date` does not hold dates"):
        measure_outcomes(person.assign(index_date="soon"), offence, [REOFFENDED], UNTIL)
    with pytest.raises(DataError, match="points"):
        measure_outcomes(person, offence, [Outcome(name="score", measure="column", column="points")], UNTIL)


BY_HAND = """person_id,index_date,offence_date,conviction_date,reoffended,reoffences,prior,note
Ann,2018-09-01,2018-09-02,2018-12-01,1,2,0,two offences
Ann,2018-09-01,2019-09-01,2020-03-01,,,,the last day
Ben,2018-09-01,,,0,0,0,none
Cal,2024-01-01,2024-02-01,2024-03-01,,,0,immature
Dot,2018-09-01,2018-05-01,2018-06-01,0,0,1,before
Dot,2019-09-01,2018-05-01,2018-06-01,0,0,0,a second index date
"""


def by_hand(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "people_by_hand.csv"
    path.write_text(text, encoding="utf-8")
    histories = [History(name="prior", look_back=12)]
    return [str(each) for each in check_by_hand(path, [REOFFENDED, REOFFENCES], histories, UNTIL)]


def test_people_by_hand_agree(tmp_path):
    assert by_hand(tmp_path, BY_HAND) == []


WRONG_BY_HAND = """
change                                       | to                                          | message
Ben,2018-09-01,,,0,0,0                       | Ben,2018-09-01,,,1,0,0                      | row 4: `reoffended` by hand is 1, and by the definition in study.yml 0
Cal,2024-01-01,2024-02-01,2024-03-01,,       | Cal,2024-01-01,2024-02-01,2024-03-01,0,     | row 5: `reoffended` by hand is 0, and by the definition in study.yml blank
Ann,2018-09-01,2019-09-01,2020-03-01,,       | Ann,2018-09-01,2019-09-01,2020-03-01,1,7    | row 3: `reoffences` differs from the person's first row
reoffences,prior                             | reofences,prior                             | Did you mean `reoffences`?
2018-09-02                                   | 02/09/2018                                  | row 2, column `offence_date`
"""  # noqa: E501


@pytest.mark.parametrize("case", rows(WRONG_BY_HAND), ids=lambda case: case["message"][:40])
def test_people_by_hand_that_differ_are_named(tmp_path, case):
    found = by_hand(tmp_path, BY_HAND.replace(case["change"], case["to"]))
    assert case["message"] in "\n".join(found)
