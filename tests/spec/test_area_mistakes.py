"""Mistakes in series, panels, pathways and surveys: `check` finds each, with a rule, a message and an exit code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.__main__ import main
from tests.small import HEAD, small_study

MONTHS = [f"{2016 + k // 12}-{k % 12 + 1:02d}" for k in range(36)]
DRAWN = np.random.default_rng(1).poisson(30, (7, 36))
SERIES = pd.DataFrame({"month": MONTHS, "thefts": DRAWN[0]})
PLACES = pd.DataFrame(
    [(place, month, DRAWN[k, t]) for k, place in enumerate("ABCDEFG") for t, month in enumerate(MONTHS)],
    columns=["place", "month", "thefts"],
)
STAGED = PLACES.assign(first=PLACES["place"].map({"A": "2018-03", "B": "2018-03"}).fillna(""))
STAGES = pd.DataFrame({"stage": ["referred", "started", "finished"], "reached": [100, 120, 50]})
INTERRUPTED = "method: interrupted, data: rows, period: month, outcome: thefts, starts: 2018-06"
MIXTURE = (
    "method: synthetic_control, data: rows, unit: place, period: month, outcome: thefts, treated_unit: A, "
    "starts: 2018-06"
)
DID = "method: did, data: rows, unit: place, period: month, outcome: thefts, first_treated: first, estimator: twfe"
COUNTS = (
    "method: counts, before: 300, after: 250, series: rows, period: month, count: thefts, starts: 2018-06"
)
CHART = "method: run_chart, data: rows, period: month, outcome: thefts"
FUNNEL = "method: funnel, data: rows, stages: stage, counting: cumulative"
META = "method: meta, data: rows, measure: log_risk_ratio"
TRIALS = pd.DataFrame(
    {"study": ["a", "b"], "events_treated": [3, 4], "n_treated": [30, 31], "events_control": [4, 3],
     "n_control": [30, 32], "outcome": ["arrest", "school"]}
)  # fmt: skip


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[:2]])


REFUSED = {
    "a gap": (SERIES.drop(index=5), INTERRUPTED, 11, "1 period is missing from `month`, the first 2016-06-01"),
    "a blank": (SERIES.assign(thefts=[None, *DRAWN[0, 1:]]), INTERRUPTED, 11, "not nought"),
    "nought before": (SERIES.assign(thefts=0), INTERRUPTED, 13, "holds nought"),
    "a break outside": (SERIES, f"{INTERRUPTED}, breaks: [2030-01]", 11, "allows for nothing"),
    "a break that is no date": (SERIES, f"{INTERRUPTED}, breaks: [spring]", 10, "must be a date"),
    "a start that is not there": (SERIES, INTERRUPTED.replace("2018-06", "2031-01"), 11, "before it and one after"),
    "a start that is no date": (SERIES, INTERRUPTED.replace("2018-06", "June"), 10, "must be a date"),
    "a series with repeats": (twice(SERIES), INTERRUPTED, 11, "more than one row"),
    "a series of one header": (SERIES.head(0), INTERRUPTED, 11, "no row"),
    "a cycle that is not a year": (SERIES, f"{INTERRUPTED}, season: 4", 10, "a year has 12"),
    "no donor": (PLACES[PLACES["place"] == "A"], MIXTURE, 13, "there is none"),
    "an unknown place": (PLACES, MIXTURE.replace("unit: A", "unit: Atlantis"), 11, "no unit of that name"),
    "a mixture's start": (PLACES, MIXTURE.replace("2018-06", "soon"), 10, "synthetic_control: `starts` must be"),
    "a place with repeats": (twice(PLACES), MIXTURE, 11, "Give one row per unit and period"),
    "a place with a gap": (PLACES.drop(index=40), MIXTURE, 11, "Leave out units with gaps"),
    "places of one header": (PLACES.head(0), MIXTURE, 11, "no row"),
    "a panel with repeats": (twice(STAGED), DID, 11, "2 repeated unit-periods"),
    "a panel of one header": (STAGED.head(0), DID, 11, "the panel is empty"),
    "nobody treated": (STAGED.assign(first=""), DID, 11, "no unit starts treatment"),
    "everybody treated": (STAGED.assign(first="2018-03"), DID, 11, "there is no comparison"),
    "seven past counts": (SERIES.iloc[22:], COUNTS, 11, "8 past counts or more before `starts` (2018-06)"),
    "past counts with a gap": (SERIES.drop(index=5), COUNTS, 11, "1 period is missing"),
    "past counts of one header": (SERIES.head(0), COUNTS, 11, "no row"),
    "past counts of no frame": (SERIES, COUNTS.replace("series: rows", "series: row"), 10, "Did you mean `rows`"),
    "past counts of no column": (SERIES, COUNTS.replace("count: thefts", "count: theft"), 11, "no column `theft`"),
    "a chart with a gap": (SERIES.drop(index=5), CHART, 11, "missing is not nought"),
    "a chart with repeats": (twice(SERIES), CHART, 11, "more than one row"),
    "a chart of one header": (SERIES.head(0), CHART, 11, "no point"),
    "a pathway of one header": (STAGES.head(0), FUNNEL, 11, "no row"),
    "stages not counted whole": (STAGES.assign(reached=[9, 8.5, 2]), FUNNEL, 11, "whole number"),
    "stages with no rule": (STAGES, FUNNEL.replace(", counting: cumulative", ""), 10, "`counting` is required"),
    "percentages with no n": (SERIES, "method: survey, percentages: [59, 41]", 10, "At least 17 people"),
    "studies that differ": (TRIALS, META, 11, "the studies differ in outcome"),
    "studies of one header": (TRIALS.head(0), META, 11, "no"),
}  # fmt: skip


def study(folder: Path, rows: pd.DataFrame, analysis: str) -> Path:
    text = f"data: {{rows: {{file: data/rows.csv}}}}\nanalyses:\n  main: {{role: primary, label: thefts, {analysis}}}\n"
    return small_study(folder, text, HEAD.replace("disclosure: {preset: internal}\n", ""), rows=rows)


@pytest.mark.parametrize("case", REFUSED)
def test_check_refuses_what_no_method_could_read(tmp_path, capsys, case):
    rows, analysis, code, words = REFUSED[case]
    assert main(["check", str(study(tmp_path, rows, analysis)), "--quiet"]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize("case", ["a gap", "no donor", "a panel with repeats", "seven past counts"])
def test_run_says_the_same(tmp_path, capsys, case):
    rows, analysis, code, words = REFUSED[case]
    assert main(["run", str(study(tmp_path, rows, analysis)), "--quiet"]) == code
    assert words in capsys.readouterr().err


SAID = {
    "stages that grow": (STAGES, FUNNEL, "conservation", "`started` (120) is larger than `referred`"),
    "two donors": (PLACES[PLACES["place"].isin(["A", "B", "C"])], MIXTURE, "comparison_units", "no p is given"),
    "few points before": (SERIES.iloc[24:], INTERRUPTED, "few_points_before", "fewer than eight no range"),
    "a break at the start": (SERIES, f"{INTERRUPTED}, breaks: [2018-06]", "series_break", "cannot be told apart"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_can_be_read_with_care_says_so(tmp_path, case):
    import json

    rows, analysis, name, words = SAID[case]
    folder = study(tmp_path, rows, analysis)
    assert main(["run", str(folder), "--quiet"]) == 0
    result = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))["results"][0]
    check = next(each for each in result["checks"] if each["name"] == name)
    assert check["passed"] is False
    assert words in check["reading"]


def test_a_break_that_was_not_named_is_asked_for(tmp_path):
    folder = study(tmp_path, SERIES, INTERRUPTED)
    assert main(["run", str(folder), "--quiet"]) == 0
    assert "No change in recording was named" in (folder / "output" / "results.json").read_text(
        encoding="utf-8"
    )


def test_every_unusable_frame_is_listed_at_once(tmp_path, capsys):
    folder = study(tmp_path, twice(SERIES), INTERRUPTED)
    plan = folder / "study.yml"
    more = f"  chart: {{role: secondary, label: thefts, {CHART}}}\n"
    plan.write_text(plan.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert main(["check", str(folder), "--quiet"]) == 11
    said = capsys.readouterr().err
    assert "analyses.main, interrupted" in said
    assert "analyses.chart, run_chart" in said
