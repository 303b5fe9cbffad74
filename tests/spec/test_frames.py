"""What a file may hold, what is refused and in which words: each hostile input, and the rules of each type."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.contract import Column
from evalkit.engine import connect
from evalkit.errors import DataError, StudyError
from evalkit.frames import Table, read_offences, read_people, read_table
from tests.spec.tables import rows

COLUMNS = {
    "person_id": Column(type="id"),
    "index_date": Column(type="date"),
    "age": Column(type="integer", min=10, max=17, unit="years"),
    "sex": Column(type="category", values=("female", "male")),
    "score": Column(type="number", nullable=True),
}
HEADER = "person_id,index_date,age,sex,score\n"
SOUND = "00123,2018-09-01,12,female,1.5\n123,2018-09-02,13,male,\n"


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return connect(folders=[tmp_path_factory.getbasetemp()])


@pytest.fixture
def read(tmp_path, con):
    """Write bytes or text as data/people.csv and read it back."""

    def reader(content: str | bytes, columns=COLUMNS, name: str = "people.csv", **options) -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, columns, shown=f"data/{name}", con=con, **options)

    return reader


def said(table: Table) -> str:
    return "\n".join(map(str, table.problems))


def test_a_sound_file_becomes_a_typed_frame(read):
    table = read(HEADER + SOUND).checked()
    assert table.rows == 2
    assert table.notes == ()
    assert table.frame["person_id"].tolist() == ["00123", "123"]
    assert table.frame["index_date"].dt.strftime("%Y-%m-%d").tolist() == ["2018-09-01", "2018-09-02"]
    assert {name: table.frame[name].dtype.kind for name in ("index_date", "age", "score")} == {
        "index_date": "M", "age": "i", "score": "f",
    }  # fmt: skip
    assert np.isnan(table.frame["score"].iloc[1])


SAME = {
    "a byte order mark": ("\ufeff" + HEADER + SOUND).encode(),
    "Windows line ends": (HEADER + SOUND).replace("\n", "\r\n").encode(),
    "old Mac line ends": (HEADER + SOUND).replace("\n", "\r").encode(),
    "no line end at the end": (HEADER + SOUND).rstrip("\n").encode(),
    "blank lines at the end": (HEADER + SOUND + "\n\n\n").encode(),
    "a blank line between rows": (HEADER + SOUND.replace("\n", "\n\n")).encode(),
    "UTF-16": (HEADER + SOUND).encode("utf-16"),
    "semicolons": (HEADER + SOUND).replace(",", ";").encode(),
    "tabs": (HEADER + SOUND).replace(",", "\t").encode(),
    "spaces around names": (HEADER.replace(",", " , ") + SOUND).encode(),
    "spaces around values": (HEADER + SOUND.replace(",", " , ")).encode(),
    "quotation marks everywhere": (HEADER + SOUND)
    .replace(",", '","')
    .replace("\n", '"\n"')
    .rstrip('"')
    .encode(),
    "another column": "\n".join(line + ",x" for line in (HEADER + SOUND).split()).encode(),
}


@pytest.mark.parametrize("way", SAME)
def test_the_same_rows_however_they_were_saved(read, way):
    content = SAME[way]
    if way == "quotation marks everywhere":
        content = b'"' + content
    pd.testing.assert_frame_equal(read(content).checked().frame, read(HEADER + SOUND).frame)


NOTES = {
    "UTF-16": "read as UTF-16",
    "semicolons": "semicolon",
    "spaces around names": "spaces around column names",
    "another column": "1 other column ignored",
    "a blank line between rows": "blank lines passed over: 2",
}


@pytest.mark.parametrize("way", NOTES)
def test_what_the_reader_assumed_is_noted(read, way):
    assert NOTES[way] in " ".join(read(SAME[way]).notes)


def test_windows_encoding_is_read_and_said(read):
    table = read("person_id,place\n1,José\n".encode("cp1252"), {"place": Column(type="text")})
    assert table.frame["place"].tolist() == ["José"]
    assert "cp1252" in table.notes[0]


REFUSED = {
    "empty": (b"", "the file is empty"),
    "only blank lines": (b"\n\n", "no header"),
    "a workbook": (b"PK\x03\x04rest of it", "Excel workbook"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
    "compressed": (b"\x1f\x8b\x08\x00", "compressed"),
    "a NUL byte": ((HEADER + SOUND + "1,2\0").encode(), "NUL"),
    "neither encoding": (HEADER.encode() + b"\x81\x8d,2018-09-01,12,male,1\n", "neither UTF-8"),
    "a repeated name": (b"person_id,age,age\n1,2,3\n", "`age` is repeated"),
    "a nameless column": (b"person_id,,age\n1,2,3\n", "column 2 has no name"),
    "a short row": ((HEADER + SOUND + "9,2018-09-01,12\n").encode(), "row 4 has 3"),
    "a long row": ((HEADER + SOUND + "9,2018-09-01,12,male,1,2\n").encode(), "row 4 has 6"),
    "a comma at the end of a row": ((HEADER + SOUND + "9,2018-09-01,12,male,1,\n").encode(), "row 4 has 6"),
    "a short row beside a long one": (
        (HEADER + "1,2\n" + "9,2018-09-01,12,male,1,2,3,4\n").encode(),
        "row 2 has 2",
    ),
    "ragged after a quoted line break": (
        (HEADER + '"a\nb",2018-09-01,12,male,1\n1,2\n').encode(),
        "row 3 has 2",
    ),
    "an open quotation mark": ((HEADER + SOUND + '9,2018-09-01,12,"male,1\n').encode(), "quotation mark"),
    "a mark inside a value": ((HEADER + SOUND + '"x" y,2018-09-01,12,male,1\n').encode(), "quotation mark"),
    "a line without end": (HEADER.encode() + b"x" * 6_000_000, "longer than 5 MB"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_broken_file_is_one_clear_problem(read, why):
    content, message = REFUSED[why]
    table = read(content)
    assert message in said(table)
    assert said(table).startswith("data/people.csv")
    assert len(table.frame) == 0
    with pytest.raises(DataError):
        table.checked()


def test_ragged_rows_show_five_and_count_the_rest(read):
    assert "row 6 has 1 and 37 more" in said(read(HEADER + "x\n" * 42))


BAD_VALUES = """
column     | value            | message
index_date | 03/04/2020       | ambiguous
index_date | 25/06/2020       | looks like day/month/year
index_date | 06/25/2020       | looks like month/day/year
index_date | 01/02/34         | two digits
index_date | 43891            | the first is perhaps 2020-03-01
index_date | 2020-02-30       | no such day
index_date | 2019-02-29       | no such day
index_date | 9999-12-31       | not between 1900 and 2100
index_date | 1066-10-14       | not between 1900 and 2100
index_date | 2020-01-01 09:30 | time of day
index_date | 2018-09          | date_format: '%Y-%m'
index_date | soon             | not a date written as YYYY-MM-DD
index_date |                  | the value is missing
age        | 9                | below the least allowed, 10 years
age        | 18               | above the most allowed, 17 years
age        | 12.5             | not a whole number
age        | twelve           | not a whole number
age        | NA               | not a whole number
age        |                  | the value is missing
sex        | Female           | Found: Female. Known: `female`, `male`
sex        | NULL             | Found: NULL
score      | nan              | not a number
score      | inf              | not a number
score      | 1e999999         | not a number
score      | 1e999            | not a number
person_id  |                  | the value is missing
"""


@pytest.mark.parametrize("case", rows(BAD_VALUES), ids=lambda case: f"{case['column']}={case['value']}")
def test_a_bad_value_is_named_with_row_and_column(read, case):
    good = dict(zip(COLUMNS, ["7", "2018-09-01", "12", "female", "1"], strict=True))
    bad = {**good, case["column"]: case["value"]}
    table = read(HEADER + SOUND + ",".join(bad.values()) + "\n")
    assert len(table.problems) == 1
    assert f"data/people.csv, row 4, column `{case['column']}`" in said(table)
    assert case["message"] in said(table)


def test_thousands_and_decimal_commas_have_words_of_their_own(read):
    score = {"score": Column(type="number")}
    assert "decimal comma" in said(read('score\n"1,5"\n', score))
    assert "thousands" in said(read('score\n"1,500.25"\n', score))


def test_all_problems_come_at_once_with_five_rows_and_a_count(read):
    table = read(HEADER + "1,2018-09-01,12,x,1\n" * 42 + "2,2018-09-01,99,male,1\n")
    assert len(table.problems) == 2
    assert "rows 2, 3, 4, 5, 6 and 37 more, column `sex`" in said(table)
    assert "row 44, column `age`" in said(table)


def test_no_message_holds_an_id_a_name_or_a_number(read):
    table = read(
        HEADER + "SECRET-1,Jane Roe,Jane Roe,female,Jane Roe\n", {**COLUMNS, "person_id": Column(type="flag")}
    )
    text = said(read(HEADER + "SECRET-1,Jane Roe,777,female,Jane Roe\nSECRET-2,x\n")) + said(table)
    assert "Jane" not in text
    assert "777" not in text
    assert "SECRET-2" not in text


def test_ids_are_text_and_only_an_empty_cell_is_missing(read):
    names = {"person_id": Column(type="id"), "name": Column(type="text", nullable=True)}
    table = read("person_id,name\n00123,Null\n123,NA\n1E5,\n12345678901234567890123,nan\n", names).checked()
    assert table.frame["person_id"].tolist() == ["00123", "123", "1E5", "12345678901234567890123"]
    assert table.frame["name"].isna().tolist() == [False, False, True, False]


def test_missing_whole_numbers_stay_whole(read):
    table = read(
        "n,yes\n1,1\n,0\n3.0,\n",
        {"n": Column(type="integer", nullable=True), "yes": Column(type="flag", nullable=True)},
    )
    assert table.frame["n"].astype(object).tolist() == [1, pd.NA, 3]
    assert str(table.frame["yes"].dtype) == "Int64"


DATE_FORMATS = (
    ("%d/%m/%Y", "03/04/2020", "2020-04-03"),
    ("%m/%d/%Y", "03/04/2020", "2020-03-04"),
    ("%Y-%m", "2018-09", "2018-09-01"),
    ("%d %b %Y", "3 Apr 2020", "2020-04-03"),
    (None, "2020-04-03 00:00:00", "2020-04-03"),
)


@pytest.mark.parametrize(("date_format", "value", "day"), DATE_FORMATS)
def test_one_date_format_for_every_row(read, date_format, value, day):
    column = {"day": Column(type="date", date_format=date_format)}
    assert read(f"day\n{value}\n", column).checked().frame["day"].dt.strftime("%Y-%m-%d").tolist() == [day]
    if date_format:
        assert f"not a date written as `{date_format}`" in said(read(f"day\n{value}\nx\n", column))
        assert "two digits" in said(read("day\n01/02/34\n", column))


@pytest.mark.parametrize("date_format", ["%d/%m/%y", "DD/MM/YYYY", "%d/%m", "%Q %Y"])
def test_a_date_format_that_cannot_be_sure_is_refused(read, date_format):
    with pytest.raises(StudyError, match="date_format"):
        read("day\n01/02/2034\n", {"day": Column(type="date", date_format=date_format)})


def test_limits_on_dates(read):
    column = {"day": Column(type="date", min="2018-01-01", max="2018-12-31")}
    text = said(read("day\n2017-12-31\n2018-01-01\n2018-12-31\n2019-01-01\n", column))
    assert "row 2, column `day`: the value is below the least allowed, 2018-01-01" in text
    assert "row 5, column `day`: the value is above the most allowed, 2018-12-31" in text
    assert "row 3" not in text


def test_a_missing_column_is_named_with_the_nearest(read):
    assert "there is no column `age`. Did you mean `Age`?" in said(read(HEADER.replace("age", "Age") + SOUND))
    assert read(HEADER.replace("age", "Age") + SOUND, required=["person_id"]).checked().frame.columns.tolist() == [
        "person_id", "index_date", "sex", "score",
    ]  # fmt: skip
    assert "`Age` is not known here" in said(
        read(HEADER.replace("age", "Age") + SOUND, required=[], ignore_others=False)
    )


def test_files_that_are_not_there_or_not_of_a_known_kind(tmp_path, con):
    assert "not there" in said(read_table(tmp_path / "none.csv", COLUMNS, con=con))
    (tmp_path / "people.xlsx").write_bytes(b"PK\x03\x04")
    assert "only .csv and .parquet" in said(read_table(tmp_path / "people.xlsx", COLUMNS, con=con))
    (tmp_path / "peo*.csv").write_text(HEADER + SOUND)
    assert "Rename the file" in said(read_table(tmp_path / "peo*.csv", COLUMNS, con=con))


def test_the_engine_reads_no_file_outside_its_folders(tmp_path):
    import duckdb

    con = connect(folders=[tmp_path / "study"])
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.PermissionException):
        con.execute(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')")
    with pytest.raises(duckdb.Error):
        con.execute("SET enable_external_access = true")


def parquet(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(path)
    return path


def test_parquet_gives_what_csv_gives(tmp_path, con, read):
    frame = read(HEADER + SOUND).frame
    table = read_table(parquet(tmp_path / "people.parquet", frame), COLUMNS, con=con).checked()
    pd.testing.assert_frame_equal(table.frame, frame)
    flags = pd.DataFrame({"yes": [True, False], "day": pd.to_datetime(["2020-01-01", "2020-01-02"])})
    columns = {"yes": Column(type="flag"), "day": Column(type="date", date_format="%d/%m/%Y")}
    table = read_table(parquet(tmp_path / "flags.parquet", flags), columns, con=con).checked()
    assert table.frame["yes"].tolist() == [1, 0]


def test_parquet_is_held_against_the_same_rules(tmp_path, con):
    path = parquet(tmp_path / "p.parquet", pd.DataFrame({"person_id": [1.0, 2.0], "sex": ["male", "x"]}))
    assert "ids are stored as decimal numbers" in said(read_table(path, COLUMNS, required=[], con=con))
    path = parquet(tmp_path / "p.parquet", pd.DataFrame({"person_id": [1, 2], "sex": ["male", "x"]}))
    assert "row 3, column `sex`" in said(read_table(path, COLUMNS, required=[], con=con))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing else")
    assert "cannot be read as Parquet" in said(read_table(tmp_path / "bad.parquet", COLUMNS, con=con))


@pytest.fixture
def people(tmp_path, con):
    def reader(columns=COLUMNS, window=(None, None), **files: str) -> Table:
        paths = {}
        for name, text in files.items():
            paths[name] = tmp_path / f"{name}.csv"
            paths[name].write_text(text, encoding="utf-8")
        return read_people(
            paths, columns, window=window, shown={name: f"data/{name}.csv" for name in files}, con=con
        )

    return reader


def test_two_arms_or_one_file_give_the_same_people(people):
    arms = people(
        cohort=HEADER + "1,2018-09-01,12,male,1\n", control=HEADER + "2,2018-09-01,13,male,2\n"
    ).checked()
    one = people(
        people=HEADER.replace("\n", ",treated\n") + "1,2018-09-01,12,male,1,1\n2,2018-09-01,13,male,2,0\n"
    ).checked()
    assert arms.frame["treated"].tolist() == [1, 0]
    pd.testing.assert_frame_equal(arms.frame, one.frame)


def test_people_are_not_repeated_within_or_across_arms(people):
    twice = "1,2018-09-01,12,male,1\n"
    assert "data/cohort.csv, row 3: the same person and index date" in said(people(cohort=HEADER + twice * 2))
    text = said(people(cohort=HEADER + twice, control=HEADER + "9,2018-09-01,12,male,1\n" + twice))
    assert "data/cohort.csv, row 2; data/control.csv, row 3: duplicated people across arms" in text
    two_dates = people(cohort=HEADER + twice, control=HEADER + twice.replace("09-01", "09-02")).checked()
    assert len(two_dates.frame) == 2
    no_dates = {"person_id": Column(type="id")}
    assert "the same person stands" in said(people(no_dates, cohort="person_id\n1\n1\n"))


def test_index_dates_are_inside_the_window(people):
    window = (date(2018, 9, 1), date(2018, 12, 31))
    dates = ("2018-08-31", "2018-09-01", "2018-12-31", "2019-01-01")
    text = said(people(window=window, cohort=HEADER + "".join(f"{d},{d},12,male,1\n" for d in dates)))
    assert "rows 2 and 5, column `index_date`: the index date is outside the window" in text
    assert "Found: 2018-08-31, 2019-01-01" in text


def test_an_arm_needs_people_and_a_known_treatment(people):
    assert "no rows" in said(people(cohort=HEADER))
    assert "there is no column `treated`" in said(people(people=HEADER + "1,2018-09-01,12,male,1\n"))
    assert "a flag is 0 or 1. Found: yes" in said(
        people(people=HEADER.replace("\n", ",treated\n") + "1,2018-09-01,12,male,1,yes\n")
    )
    with pytest.raises(StudyError, match="cohort"):
        people(cohort=HEADER, people=HEADER)


OFFENCES = "person_id,offence_date,conviction_date,offence_id,harm_days\n"


@pytest.fixture
def offences(tmp_path, con):
    def reader(text: str, **options):
        path = tmp_path / "offences.csv"
        path.write_text(text, encoding="utf-8")
        return read_offences(path, con, shown="data/offences.csv", **options)

    return reader


def test_offences_stay_in_the_engine_and_what_is_left_out_is_counted(offences):
    read = offences(
        OFFENCES
        + "A,2018-10-01,2018-12-01,1,5\nA,2018-10-01,2018-12-01,1,5\n"
        + "A,2018-10-01,2018-12-01,,5\nA,2018-10-01,2018-12-01,,5\n"
        + "B,2018-10-01,,,\nSTRANGER,2018-10-01,2018-12-01,,\nA,2021-01-01,2021-02-01,,\n",
        people=pd.DataFrame({"person_id": ["A", "B"]}),
        observed_until=date(2020, 12, 31),
    ).checked()
    counts = (read.rows, read.kept, read.unknown, read.late, read.repeated, read.equal, read.unproven)
    assert counts == (7, 4, 1, 1, 1, 1, 1)
    assert sorted(read.table.execute()["person_id"]) == ["A", "A", "A", "B"]
    assert "data/offences.csv: offences of people outside the study, ignored (1)" in read.notes


def test_offences_that_cannot_be_true_are_problems(offences):
    read = offences(
        OFFENCES + "A,2018-10-01,2018-09-30,1,5\nA,2018-10-01,2018-12-01,2,5\nA,2018-10-02,2018-12-01,2,5\n"
    )
    text = "\n".join(map(str, read.problems))
    assert "data/offences.csv, row 2: the conviction is before the offence" in text
    assert "data/offences.csv, rows 3 and 4: the `offence_id` stands in another row" in text
    assert read.table is None
    assert "no column `days_lost`" in str(offences(OFFENCES, weights=["days_lost"]).problems[0])
    assert "row 2, column `harm_days`" in str(offences(OFFENCES + "A,2018-10-01,,,-1\n").problems[0])


def test_two_people_may_share_an_offence_id(offences):
    read = offences(OFFENCES + "A,2018-10-01,2018-12-01,1,5\nB,2018-10-01,2018-12-01,1,5\n").checked()
    assert read.kept == 2


def test_a_cell_that_slipped_into_another_column_is_never_shown(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(
        "person_id,sex,seen,agreed\nA1,Mandy Smith,Mandy Smith,A1\nA2,Femal,2020-02-30,Yes\n",
        encoding="utf-8",
    )
    columns = {
        "person_id": Column(type="id"), "sex": Column(type="category", values=("female", "male")),
        "seen": Column(type="date"), "agreed": Column(type="flag"),
    }  # fmt: skip
    shown = "\n".join(str(problem) for problem in read_table(path, columns).problems)
    assert "Mandy" not in shown
    assert "A1" not in shown
    assert all(value in shown for value in ("Femal", "2020-02-30", "Yes"))
