"""History and outcomes of many people from many offences: ours beside a merge in pandas and a lazy frame in polars.

Run `python benchmarks/outcomes.py [people] [offences per person]`. Everyone starts from the same Parquet and ends with
the same frame of counts; the answers are compared before any time is printed. polars is left out where it is not
installed. The time to read and check the same offences from a CSV is printed beside, since nobody else checks them.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.contract import History, Outcome
from evalkit.engine import connect, tables
from evalkit.frames import read_offences
from evalkit.outcomes import measure_history, measure_outcomes

UNTIL = date(2022, 12, 31)
OUTCOMES = [
    Outcome(name="reoffended", measure="binary", follow_up=12, waiting=6),
    Outcome(name="reoffences", measure="frequency", follow_up=12, waiting=6),
]
HISTORIES = [History(name="prior", look_back=36)]
ANSWER = ["prior", "reoffended", "reoffences"]


def invent(people: int, each: int, folder: Path) -> None:
    """People and offences, seeded; index dates before the 29th, so that every library adds months alike."""
    rng, first = np.random.default_rng(20200701), np.datetime64("2018-01-01")
    months = np.datetime64("2019-01") + rng.integers(0, 36, people).astype("timedelta64[M]")
    index = months.astype("datetime64[D]") + rng.integers(0, 28, people)
    who = rng.integers(0, people, people * each)
    offence = first + rng.integers(0, 1826, len(who))
    convicted = offence + rng.integers(0, 400, len(who))
    name = np.char.add("P", np.char.zfill(np.arange(people).astype(str), 8))
    frame = pd.DataFrame({"person_id": name, "index_date": index})
    events = pd.DataFrame({"person_id": name[who], "offence_date": offence, "conviction_date": convicted})
    con = connect(folders=[folder])
    for table, rows in (("people", frame), ("offences", events)):
        con.register("made", rows)
        dates = ", ".join(f"CAST({c} AS DATE) AS {c}" for c in rows.columns[1:])
        con.execute(f"COPY (SELECT person_id, {dates} FROM made) TO '{folder / table}.parquet'")
    con.execute(f"COPY (SELECT * FROM '{folder}/offences.parquet') TO '{folder}/offences.csv'")


def ours(folder: Path) -> pd.DataFrame:
    con = connect(folders=[folder])
    con.execute(f"CREATE VIEW offences AS SELECT * FROM read_parquet('{folder}/offences.parquet')")
    people = pd.read_parquet(folder / "people.parquet")
    offences = tables(con).table("offences")
    return measure_outcomes(measure_history(people, offences, HISTORIES), offences, OUTCOMES, UNTIL)


def by_pandas(folder: Path) -> pd.DataFrame:
    people = pd.read_parquet(folder / "people.parquet").astype({"index_date": "datetime64[s]"})
    offences = pd.read_parquet(folder / "offences.parquet")
    offences = offences.astype({"offence_date": "datetime64[s]", "conviction_date": "datetime64[s]"})
    for name, months in (("until", 12), ("settled", 18), ("start", -36)):
        people[name] = people["index_date"] + pd.DateOffset(months=months)
    both = people.merge(offences, on="person_id")
    offended, convicted, index = both["offence_date"], both["conviction_date"], both["index_date"]
    both["reoffences"] = (offended > index) & (offended <= both["until"]) & (convicted <= both["settled"])
    both["prior"] = (convicted < index) & (convicted >= both["start"])
    counts = both.groupby(["person_id", "index_date"])[["prior", "reoffences"]].sum().reset_index()
    found = people.merge(counts, how="left", on=["person_id", "index_date"]).fillna(
        {"prior": 0, "reoffences": 0}
    )
    found["reoffended"] = (found["reoffences"] > 0).astype(float)
    found.loc[found["settled"] > pd.Timestamp(UNTIL), ["reoffended", "reoffences"]] = np.nan
    return found


def by_polars(folder: Path) -> pd.DataFrame:
    import polars as pl

    index, offended, convicted = pl.col("index_date"), pl.col("offence_date"), pl.col("conviction_date")
    settled = index.dt.offset_by("18mo")
    counts = (offended > index) & (offended <= index.dt.offset_by("12mo")) & (convicted <= settled)
    prior = (convicted < index) & (convicted >= index.dt.offset_by("-36mo"))
    people = pl.scan_parquet(folder / "people.parquet")
    mature = settled <= pl.lit(UNTIL)
    found = (
        people.join(pl.scan_parquet(folder / "offences.parquet"), on="person_id", how="left")
        .with_columns(counts.alias("counts"), prior.alias("earlier"))
        .group_by("person_id", "index_date")
        .agg(pl.col("earlier").sum().alias("prior"), pl.col("counts").sum().alias("n"))
        .with_columns(pl.when(mature).then(pl.col("n")).alias("reoffences"))
        .with_columns((pl.col("reoffences") > 0).cast(pl.Float64).alias("reoffended"))
    )
    return (
        people.join(found, on=["person_id", "index_date"], how="left").collect(engine="streaming").to_pandas()
    )


def checked_csv(folder: Path) -> int:
    con = connect(folders=[folder])
    return read_offences(folder / "offences.csv", con, observed_until=UNTIL).checked().kept


def timed(label: str, function: Callable, folder: Path, base: float | None = None) -> tuple[float, object]:
    """Seconds on the clock (and of processor, which a busy machine moves less), printed beside the first."""
    start, processor = time.perf_counter(), time.process_time()
    found = function(folder)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(f"{label:<32}{seconds:8.2f} s{processor:8.2f} s of processor{seconds / (base or seconds):8.2f}")
    return seconds, found


def agree(one: pd.DataFrame, other: pd.DataFrame) -> None:
    sort = ["person_id", "index_date"]
    left, right = (each.sort_values(sort)[ANSWER].astype("float64").to_numpy() for each in (one, other))
    np.testing.assert_array_equal(left, right)


def main(people: int = 1_000_000, each: int = 10) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        invent(people, each, folder)
        import ibis  # noqa: F401  (half a second that every first call would bear alike)

        seconds, found = timed("evalkit", ours, folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{people:,} people, {people * each:,} offences; most memory so far, inventing included: {peak:.1f} GB"
        )
        for label, peer in (
            ("polars, lazy and streaming", by_polars),
            ("pandas, merge and group", by_pandas),
        ):
            try:
                _, answer = timed(label, peer, folder, seconds)
            except ImportError:
                print(f"{label:<32}not installed")
                continue
            agree(found, answer)
        timed("evalkit, CSV read and checked", checked_csv, folder, seconds)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
