"""Forest, funnel, pathway, survey and run chart: what is drawn, and the same story in words."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.monitor import funnel, run_chart, survey
from evalkit.pooling import meta
from evalkit.report import figures
from evalkit.report.theme import draw


def pooled(number=10):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "study": [f"place {letter}" for letter in "jihgfedcba"[:number]], "estimate": rng.normal(-0.3, 0.2, number),
        "std_error": rng.uniform(0.1, 0.4, number),
    })  # fmt: skip
    return meta(frame, measure="log_rate_ratio")


def test_forest_keeps_the_order_given_and_ends_with_the_range_for_a_new_study():
    result = pooled(4)
    figure = figures.studies(result, label="reoffences")
    given = ["place j", "place i", "place h", "place g"]
    assert figure.data["study"].tolist() == [*given, "average", "range for a new study"]
    assert "4 studies in the order given" in figure.alt
    assert "A new study would lie in the range" in figure.alt
    assert draw(figure, name="forest")["svg"].startswith(b"<?xml")


def test_forest_without_a_prediction_has_none():
    frame = pooled(4).detail["studies"]
    figure = figures.studies(meta(frame, measure="log_rate_ratio", estimator="fixed"))
    assert figure.data["study"].iloc[-1] == "average"
    assert "new study" not in figure.alt


def test_funnel_plot_says_how_many_lie_outside_chance():
    figure = figures.small_studies(pooled())
    assert figure.alt.startswith("Funnel plot of 10 studies")
    assert "Egger's test" in figure.alt


def test_pathway_names_every_stage_with_its_share_and_hides_what_is_withheld():
    result = funnel(stages={"accepted": 617, "stage two": 155, "stage three": 8}, counting="cumulative")
    assert "stage two: 155 (25.1%)" in figures.reached(result).alt
    hidden = result.detail["stages"].astype(object)
    hidden.loc[2, ["reached", "share_of_first"]] = "[c]"
    withheld = figures.reached(replace(result, detail={"stages": hidden}))
    assert "stage three: withheld" in withheld.alt


def test_survey_gives_each_question_with_the_number_who_answered():
    figure = figures.answers(survey(invited=200, answered=120, agreed=66), label="felt safer")
    assert "felt safer: 55% (range 46% to 64%)" in figure.alt
    assert "120 of the 200 people asked answered (60%)" in figure.alt


def test_run_chart_says_where_the_latest_lies():
    values = [10, 12, 11, 13, 10, 12, 11, 13, 10, 12, 30]
    frame = pd.DataFrame(
        {"month": pd.period_range("2023-01", periods=11, freq="M").astype(str), "calls": values}
    )
    result = run_chart(frame, period="month", outcome="calls", baseline=10)
    figure = figures.points(result, label="calls")
    assert figure.alt.startswith("Run chart of calls, 11 periods. The latest, 2023-11, is 30;")
    assert "the latest is high (beyond a limit)" in figure.alt
    assert (
        draw(figure, name="points")["svg"]
        == draw(figures.points(result, label="calls"), name="points")["svg"]
    )


def test_a_pooled_logarithm_is_read_as_the_ratio_in_the_forest():
    frame = pd.DataFrame(
        {"study": ["a", "b"], "estimate": [np.log(2.0), np.log(2.0)], "std_error": [0.1, 0.2]}
    )
    figure = figures.studies(meta(frame, measure="log_risk_ratio", estimator="fixed"))
    assert figure.data["text"].iloc[0].startswith("2.00 (1.64 to 2.43)")
    assert "risk ratio (1: no difference): 2.00" in figure.alt
    plain = figures.studies(meta(frame, measure="smd", estimator="fixed"))
    assert plain.data["text"].iloc[0].startswith("0.69")


def test_a_pooled_logarithm_is_read_as_the_ratio_in_the_table():
    from evalkit.report.tables import as_ratio
    from evalkit.report.words import unit_words

    head = meta(
        pd.DataFrame({"study": ["a", "b"], "estimate": [0.0, 0.0], "std_error": [0.1, 0.2]}),
        measure="log_risk_ratio", estimator="fixed",
    ).headline  # fmt: skip
    told = as_ratio(head)
    assert (told.estimate, told.measure) == (1.0, "risk_ratio")
    assert told.conf_low < 1 < told.conf_high
    assert unit_words("log_risk_ratio", None) == "log of a ratio"
