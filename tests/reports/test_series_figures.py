"""Figures of a series and of a mixture: they draw, and their alternative text tells the same story as the result."""

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.interrupted import interrupted
from evalkit.impact.synthetic import synthetic_control
from evalkit.report.figures import people, series
from evalkit.report.figures.periods import label_step, period_words
from evalkit.report.theme import draw


@pytest.fixture(scope="module")
def fallen():
    months = pd.date_range("2017-01-01", periods=36, freq="MS")
    counts = np.where(np.arange(36) < 24, 40, 20) + np.arange(36) % 3
    frame = pd.DataFrame({"month": months, "thefts": counts})
    return interrupted(frame, outcome="thefts", period="month", starts="2019-01-01", diagnostics=False)


@pytest.fixture(scope="module")
def mixed():
    rows = [
        (unit, year, base + slope * year - 4 * (unit == "A" and year >= 8))
        for unit, base, slope in [("A", 10, 1.0), ("B", 5, 0.5), ("C", 15, 1.5), ("D", 12, 0.7)]
        for year in range(12)
    ]
    frame = pd.DataFrame(rows, columns=["ward", "year", "thefts"])
    return synthetic_control(
        frame, outcome="thefts", unit="ward", period="year", treated_unit="A", starts=8, diagnostics=False
    )


def test_the_counterfactual_plot_draws_and_says_the_ratio(fallen):
    figure = series.interrupted(fallen, label="thefts")
    assert draw(figure, name="series")["svg"].startswith(b"<?xml")
    assert "36 periods, 12 of them after the start" in figure.alt
    assert f"{fallen.headline.estimate:.2f}"[:3] in figure.alt


def test_a_series_without_intervals_still_draws(fallen):
    frame = fallen.detail["series"].assign(conf_low=None, conf_high="[c]")
    from dataclasses import replace

    figure = series.interrupted(replace(fallen, detail={"series": frame}))
    assert draw(figure, name="series")["png"]


def test_path_and_gap_draw_and_say_where_the_place_ends(mixed):
    path, gap = series.synthetic_path(mixed, label="thefts"), series.synthetic_gap(mixed, label="thefts")
    assert draw(path, name="path")["svg"]
    assert draw(gap, name="gap")["svg"]
    assert "8 periods before the start and 4 after" in path.alt
    assert "gap in thefts" in gap.alt


def test_labels_of_months_keep_to_the_calendar_and_read_as_months():
    months = [f"{year}-{month:02d}" for year in (2016, 2017, 2018, 2019) for month in range(1, 13)]
    assert label_step(months, 7) == 12
    assert label_step(months[:10], 7) == 2
    assert label_step([str(year) for year in range(2000, 2015)], 7) == 3
    assert period_words("2016-10") == "Oct 2016"
    assert period_words("2016-10-01") == "Oct 2016"
    assert period_words("2016/17") == "2016/17"
    assert period_words("2016-17") == "2016-17"


def test_groups_that_no_design_moved_have_one_mark_and_no_key():
    same = pd.DataFrame(
        {"covariate": ["sex = male", "age"], "smd_before": [0.2, 0.0], "smd_after": [0.2, 0.0]}
    )
    figure = people.love(same)
    assert list(figure.data["covariate"]) == ["sex: male", "age"]
    assert "1 of them differ by no more than 0.1" in figure.alt
    assert "before" not in figure.alt
    assert draw(figure, name="alike")["svg"]
    assert "against 0.50 before" in people.love(same.assign(smd_before=[0.5, 0.1])).alt
