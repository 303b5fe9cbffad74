"""Pages about a difference-in-differences and a matched comparison: the eleven points, and figures with their words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.did import did
from evalkit.report import alike, checklist, drawing, figures
from evalkit.report.theme import draw
from tests.reports.test_words_of_pages import study


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(3)
    rows = [
        (f"u{unit}", period, start, unit / 9 + period + 2.0 * (start > 0 and period >= start) + rng.normal(0, 0.3))
        for unit in range(30)
        for start in [(0, 4, 6)[unit % 3]]
        for period in range(1, 9)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["ward", "year", "start", "thefts"])


@pytest.fixture(scope="module")
def staggered(panel):
    found = did(panel, outcome="thefts", unit="ward", period="year", first_treated="start",
                estimator="callaway_santanna", draws=99)  # fmt: skip
    return found.named("main", "primary")


@pytest.fixture(scope="module")
def two_way(panel):
    found = did(panel, outcome="thefts", unit="ward", period="year", first_treated="start", estimator="twfe")
    return found.named("plain", "sensitivity")


def test_every_point_is_answered_or_says_why_not(staggered, two_way):
    made = study(results=[staggered, two_way],
                 statements=[{"analysis": "main", "level": 3, "certainty_word": "low"}])  # fmt: skip
    answers = checklist.points(made, staggered)
    assert len(answers) == len(checklist.POINTS) == 11
    assert all(answers)
    assert "Starts: 4, 6." in answers[0]
    assert "with simultaneous bands" in answers[2]
    assert "30 clusters" in answers[3]
    assert "plain gives" in answers[4]
    assert "Pre trend power:" in answers[5]
    assert "Breakdown:" in answers[5]
    assert answers[9].endswith("Not available: no plan was registered before the data were seen.")
    assert answers[10].startswith("Level 3 of 5; certainty low.")
    assert "Evidence level, with its reason" in checklist.checklist(made)


def test_a_missing_answer_gives_its_reason(two_way):
    answers = checklist.points(study(results=[two_way]), replace(two_way, checks=(), detail={}))
    assert sum("Not available:" in each for each in answers) >= 7
    assert "does not apply" in checklist.checklist(study())


@pytest.mark.parametrize("name", ["group_time", "sensitivity", "event_study", "means"])
def test_figures_of_staggered_starts_tell_their_story(staggered, name):
    figure = getattr(figures, name)(staggered, label="thefts")
    assert len(figure.alt) > 60
    assert draw(figure, name=name)["svg"].startswith(b"<?xml")


def test_the_start_is_marked_where_the_first_cohort_starts(staggered, two_way):
    marked = "counted as after begin"
    assert marked in figures.means(staggered).alt
    assert marked in figures.means(two_way).alt
    bare = two_way.detail["means"].drop(columns="post")
    assert marked not in figures.means(replace(two_way, detail={"means": bare})).alt


def test_bacon_scatter_gives_the_weight_of_each_kind(two_way):
    figure = figures.bacon(two_way)
    assert "with never treated" in figure.alt
    assert "with earlier starters" in figure.alt
    assert draw(figure, name="bacon")["svg"].startswith(b"<?xml")


def test_a_figure_of_withheld_values_is_not_drawn(staggered):
    blank = staggered.detail["means"].assign(mean="[c]")
    hidden = replace(staggered, detail=dict(staggered.detail) | {"means": blank})
    planned = {each.name: each for each in drawing.plan(study(results=[hidden]))}
    assert planned["main-means"].withheld
    assert not planned["main-event-study"].withheld


def test_groups_that_are_alike_and_those_that_are_not_are_named_in_few_words():
    balance = pd.DataFrame({"covariate": ["age", "sex = male"], "smd_before": ["0.4", "0.3"],
                            "smd_after": ["0.05", "-0.2"]})  # fmt: skip
    made = replace(study(), balance=balance)
    said = alike.alike(made)
    assert said.startswith("On 1 of 2 characteristics the two groups are alike")
    assert said.index("sex: male") < said.index("| age")
    assert "Difference before" in said
    assert "withheld" in alike.alike(replace(made, balance=balance.assign(smd_after="[c]")))


def test_overlap_counts_the_bands_that_both_groups_share():
    table = pd.DataFrame({"score_low": ["0.1", "0.2", "0.3"], "score_high": ["0.2", "0.3", "0.4"],
                          "share_treated": ["[c]", "0.5", "0"], "share_control": ["[c]", "0.3", "0.7"]})  # fmt: skip
    figure = figures.overlap(table)
    assert "1 of 2 bands of the score hold people of both groups; 1 more are withheld" in figure.alt
    assert draw(figure, name="overlap")["svg"].startswith(b"<?xml")
