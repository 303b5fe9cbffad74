"""What must not change an outcome, and which way it may move: invented people and offences, shuffled and shifted."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.contract import History, Outcome
from evalkit.engine import connect
from evalkit.outcomes import compiled_sql

UNTIL = date(2022, 6, 30)
HISTORIES = (History(name="prior", look_back=24),)
NAMES = ["prior", "reoffended", "reoffences", "days", "harm", "days_time", "days_event"]
quick = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def outcomes(follow_up: int = 12, waiting: int = 6) -> tuple[Outcome, ...]:
    measures = {
        "reoffended": "binary",
        "reoffences": "frequency",
        "days": "time_to_first",
        "harm": "severity",
    }
    return tuple(
        Outcome(name=n, measure=m, follow_up=follow_up, waiting=waiting) for n, m in measures.items()
    )


@cache
def engine():
    return connect(threads=1)


@cache
def statement(follow_up: int, waiting: int, until: date) -> str:
    return compiled_sql(outcomes(follow_up, waiting), HISTORIES, observed_until=until)


def measure(
    people: pd.DataFrame, offences: pd.DataFrame, follow_up: int = 12, waiting: int = 6, until: date = UNTIL
) -> pd.DataFrame:
    """The printed statement, run as an analyst would run it; rows in the order of `people`."""
    con = engine()
    con.register("rows_of_people", people.assign(place=range(len(people))))
    con.register("rows_of_offences", offences)
    con.execute(
        "CREATE OR REPLACE TABLE people AS SELECT person_id, index_date::DATE index_date FROM rows_of_people"
    )
    con.execute(
        "CREATE OR REPLACE TABLE offences AS SELECT person_id::VARCHAR person_id, offence_date::DATE offence_date, "
        "conviction_date::DATE conviction_date, harm_days::DOUBLE harm_days FROM rows_of_offences"
    )
    measured = con.execute(
        f"SELECT m.* EXCLUDE (person_id, index_date) FROM ({statement(follow_up, waiting, until)}) m "
        "JOIN rows_of_people p ON m.person_id = p.person_id AND m.index_date = p.index_date::DATE ORDER BY place"
    ).df()
    return measured.astype("float64").set_index(people.index)


days = st.dates(date(2018, 1, 1), date(2022, 6, 30))
persons = st.sampled_from(["A", "B", "C", "D", "E", "F"])


@st.composite
def studies(draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A few people, some with two index dates, and offences by them and by others, some without a conviction."""
    keys = draw(st.lists(st.tuples(persons, days), min_size=1, max_size=12, unique=True))
    events = draw(
        st.lists(st.tuples(persons | st.just("Z"), days, st.none() | st.integers(0, 600)), max_size=40)
    )
    people = pd.DataFrame(keys, columns=["person_id", "index_date"])
    offences = pd.DataFrame(
        [
            (who, day, None if wait is None else day + timedelta(wait), 0.1 * len(who))
            for who, day, wait in events
        ],
        columns=["person_id", "offence_date", "conviction_date", "harm_days"],
    ).astype({"harm_days": "float64"})
    return people, offences


def by_the_letter(people: pd.DataFrame, offences: pd.DataFrame, follow_up: int, waiting: int) -> pd.DataFrame:
    """The definition, person by person, with no engine."""
    rows = []
    for who, index in people.itertuples(index=False):
        until, settled = (
            index + relativedelta(months=follow_up),
            index + relativedelta(months=follow_up + waiting),
        )
        own = [
            each
            for each in offences.itertuples(index=False)
            if each.person_id == who and each.conviction_date
        ]
        own = [each for each in own if not pd.isna(each.conviction_date)]
        counted = [e for e in own if index < e.offence_date <= until and e.conviction_date <= settled]
        start = index - relativedelta(months=24)
        prior = sum(start <= each.conviction_date < index for each in own)
        mature = settled <= UNTIL
        first = min((each.offence_date for each in counted), default=None)
        rows.append((
            prior,
            float(bool(counted)) if mature else None,
            float(len(counted)) if mature else None,
            float((first - index).days) if mature and first else None,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=NAMES[:4]).astype("float64")


@quick
@given(studies(), st.sampled_from([(12, 6), (1, 0), (18, 9), (6, 3)]))
def test_the_expression_is_the_definition(study, months):
    pd.testing.assert_frame_equal(measure(*study, *months)[NAMES[:4]], by_the_letter(*study, *months))


@quick
@given(studies(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(study, random):
    people, offences = study
    order = random.sample(range(len(people)), len(people))
    shuffled = measure(people.iloc[order], offences.iloc[random.sample(range(len(offences)), len(offences))])
    pd.testing.assert_frame_equal(shuffled.sort_index(), measure(people, offences), check_exact=True)


@quick
@given(studies())
def test_names_do_not_matter(study):
    people, offences = study
    renamed = measure(
        people.assign(person_id="00" + people["person_id"]),
        offences.assign(person_id="00" + offences["person_id"]),
    )
    pd.testing.assert_frame_equal(renamed[NAMES], measure(people, offences)[NAMES], check_exact=True)


STRANGE = [
    ("another person", "Z", date(2019, 6, 1), date(2019, 7, 1)),
    ("no conviction", "A", date(2019, 6, 1), None),
    ("before any window", "A", date(2001, 6, 1), date(2001, 7, 1)),
    ("after the extract", "A", date(2022, 7, 1), date(2022, 7, 2)),
]


@pytest.mark.parametrize(("why", "who", "offence", "convicted"), STRANGE)
@settings(quick, max_examples=3)
@given(study=studies())
def test_an_offence_outside_every_window_changes_nothing(why, who, offence, convicted, study):
    people, offences = study
    extra = {
        "person_id": [who],
        "offence_date": [offence],
        "conviction_date": [convicted],
        "harm_days": [7.0],
    }
    more = (
        pd.concat([offences, pd.DataFrame(extra)], ignore_index=True)
        if len(offences)
        else pd.DataFrame(extra)
    )
    pd.testing.assert_frame_equal(measure(people, more), measure(people, offences), check_exact=True)


@quick
@given(studies(), st.sampled_from([1, 6, 12]))
def test_a_longer_follow_up_never_lowers_reoffending(study, months):
    short, long = measure(*study, 6), measure(*study, 6 + months)
    both = long["reoffences"].notna()
    assert (long.loc[both, "reoffences"] >= short.loc[both, "reoffences"]).all()
    assert not (long["reoffences"].notna() & short["reoffences"].isna()).any()


@quick
@given(studies())
def test_four_years_later_the_calendar_is_the_same(study):
    # 48 months shift every date and window alike in 2018 to 2026: each fourth year is a leap year.
    people, offences = study
    later = offences.assign(
        **{name: four_years_on(offences[name]) for name in ("offence_date", "conviction_date")}
    )
    moved = people.assign(index_date=four_years_on(people["index_date"]))
    now, then = measure(people, offences), measure(moved, later, until=UNTIL + relativedelta(years=4))
    columns = [name for name in NAMES if name != "prior"]
    pd.testing.assert_frame_equal(then[columns], now[columns])


def four_years_on(dates: pd.Series) -> list[date | None]:
    return [None if pd.isna(day) else day + relativedelta(years=4) for day in dates]


@quick
@given(studies())
def test_rows_out_are_rows_in_and_immature_is_never_nought(study):
    people, offences = study
    measured = measure(people, offences)
    assert len(measured) == len(people)
    mature = [index + relativedelta(months=18) <= UNTIL for index in people["index_date"]]
    assert measured["reoffended"].notna().tolist() == mature
