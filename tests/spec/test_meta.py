"""What is pooled, what is refused by name, and that the order of the rows decides nothing."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.pipeline.earlier import earlier_results
from evalkit.pooling import effects_from_counts, meta, pool


def studies(number=5, **columns):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({
        "study": [f"study {letter}" for letter in "gcafbdehij"[:number]],
        "estimate": rng.normal(-0.3, 0.3, number), "std_error": rng.uniform(0.1, 0.3, number),
    })  # fmt: skip
    return frame.assign(**columns)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        (
            "outcome",
            ["arrest", "conviction", "arrest"],
            "differ in outcome.*arrest: study g, study a; conviction: study c",
        ),
        ("window", ["12 months", "12 months", "6 months"], "differ in window"),
        ("estimand", ["itt", "att", "att"], "differ in estimand"),
        ("window", ["12 months", "12 months", None], "not said: study a"),
        (
            "measure",
            ["log_risk_ratio", "log_risk_ratio", "odds_ratio"],
            "not on the scale of `log_risk_ratio`.*study a",
        ),
    ],
)
def test_unlike_studies_are_not_pooled(column, values, words):
    with pytest.raises(DataError, match=words):
        meta(studies(3, **{column: values}), measure="log_risk_ratio")


def test_all_ways_in_which_studies_differ_are_named_at_once():
    frame = studies(2, outcome=["arrest", "conviction"], window=["6 months", "12 months"])
    with pytest.raises(DataError) as caught:
        meta(frame, measure="log_risk_ratio")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        (studies(1), {}, DataError, "one study is not a pooled effect"),
        (studies(3).drop(columns="std_error"), {}, DataError, "without a standard error"),
        (studies(3)[["study"]].assign(percent=50), {}, DataError, "percentages .* with no number of people"),
        (studies(3).drop(columns="study"), {}, DataError, "no column `study`"),
        (studies(3, study="same"), {}, DataError, "appears twice"),
        (studies(3, std_error=[0.1, 0, 0.2]), {}, DataError, "standard error above 0.*study c"),
        (studies(3, estimate=[0.1, None, 0.2]), {}, DataError, "study c"),
        (studies(3), {"estimator": "eb"}, StudyError, "`reml`, `dl`, `pm`, `ml`, `fixed`"),
        (studies(3), {"interval": "t"}, StudyError, "`hartung_knapp`, `normal`"),
        (studies(3), {"estimator": "fixed", "interval": "hartung_knapp"}, StudyError, "studies that differ"),
        (studies(3, size=1), {"estimator": "fixed", "moderators": ["size"]}, StudyError, "between-study variance"),
        (studies(3), {"moderators": ["size"]}, DataError, "no column `size`"),
        (studies(3, size=[1, 2, None]), {"moderators": ["size"]}, DataError, "`size` is missing for a study"),
        (studies(3, a=[1, 2, 3], b=[2, 1, 5]), {"moderators": ["a", "b"]}, EstimationError, "no more studies than"),
        (studies(5, a=1.0), {"moderators": ["a"]}, EstimationError, "cannot be told apart"),
        (studies(3, year=[1, None, 2]), {"order": "year"}, DataError, "`year` is missing"),
        (studies(3), {"measure": "hazard_ratio"}, StudyError, "`log_odds_ratio`"),
        (studies(3), {"level": 95.0}, StudyError, "0 to 1|between 0 and 1"),
        (studies(3, estimate=[-1, 2, 2], measure="risk_ratio"), {}, DataError, "a ratio is above 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(frame, options, error, words):
    with pytest.raises(error, match=words):
        meta(frame, **({"measure": "log_risk_ratio"} | options))


def counts(*rows):
    frame = pd.DataFrame(rows, columns=["events_treated", "n_treated", "events_control", "n_control"])
    return frame.assign(study=[f"study {number}" for number in range(1, len(rows) + 1)])


def test_a_study_with_no_events_at_all_says_nothing_about_a_ratio():
    frame = counts((4, 50, 9, 50), (0, 40, 0, 40), (6, 60, 8, 60), (0, 30, 3, 30))
    result = meta(frame, measure="log_odds_ratio")
    assert result.detail["studies"]["study"].tolist() == ["study 1", "study 3", "study 4"]
    reading = result.check("zero_cells").reading
    assert "In 1 studies" in reading
    assert "study 2" in reading
    assert len(meta(frame, measure="risk_difference").detail["studies"]) == 4


def test_the_other_rules_for_groups_without_events():
    frame = counts((4, 50, 9, 50), (6, 60, 8, 60), (0, 30, 3, 30))
    assert len(meta(frame, measure="log_odds_ratio", zero_cells="leave_out").detail["studies"]) == 2
    with pytest.raises(DataError, match="1 studies have a group with no events"):
        meta(frame, measure="log_odds_ratio", zero_cells="refuse")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((4, 50, None, 50), "a percentage without its numbers"),
        ((51, 50, 9, 50), "more events than people"),
        ((4.5, 50, 9, 50), "whole numbers"),
        ((4, 0, 9, 50), "above 0"),
    ],
)
def test_impossible_counts_are_refused(row, words):
    with pytest.raises(DataError, match=words):
        meta(counts(row, (4, 50, 9, 50)), measure="log_risk_ratio")
    with pytest.raises(StudyError, match="counts do not give `smd`"):
        effects_from_counts(counts((4, 50, 9, 50)), "smd")


def test_order_of_rows_changes_no_number_and_is_kept():
    frame = studies(6, level=[5, 4, 4, 3, 2, 5])
    there, back = meta(frame, measure="smd"), meta(frame[::-1], measure="smd")
    assert there.to_frame().equals(back.to_frame())
    assert there.detail["studies"]["study"].tolist() == frame["study"].tolist()
    assert back.detail["leave_one_out"]["study"].tolist() == frame["study"].tolist()[::-1]


def test_evidence_comes_before_effects():
    result = meta(studies(6, level=[5, 4, 4, 3, 2, 5]), measure="smd")
    assert list(result.detail)[0] == "evidence"
    assert result.detail["evidence"].values.tolist() == [[5, 2], [4, 2], [3, 1], [2, 1]]
    assert result.check("evidence_levels").statistic == 4
    assert meta(studies(3, level=3), measure="smd").check("evidence_levels").passed is False


def test_few_studies_and_an_untested_funnel_are_said():
    result = meta(studies(4), measure="smd")
    assert result.check("few_studies").passed is False
    small = result.check("small_study")
    assert (small.passed, small.statistic) == (None, None)
    assert "needs 10 studies" in small.reading
    assert meta(studies(10), measure="smd").check("small_study").passed is not None


def test_the_choice_of_interval_may_decide():
    frame = pd.DataFrame(
        {"study": list("abc"), "estimate": [-0.5, -0.2, -0.3], "std_error": [0.2, 0.15, 0.2]}
    )
    check = meta(frame, measure="smd").check("tests_disagree")
    assert check.passed is ((meta(frame, measure="smd").headline.p_value < 0.05) == (check.statistic < 0.05))


def test_equal_studies_pool_to_themselves():
    fit = pool(np.full(4, -0.2), np.full(4, 0.04), interval="normal")
    assert (fit.coefficients[0], fit.tau2) == (pytest.approx(-0.2), 0.0)
    assert fit.interval().std_error == pytest.approx(0.1)
    same = pd.DataFrame({"study": list("ab"), "estimate": -0.2, "std_error": 0.1})
    result = meta(same, measure="smd")
    assert result.headline.estimate == pytest.approx(-0.2)
    assert result.headline.conf_low is None or np.isfinite(result.headline.conf_low)


def test_the_input_is_not_changed():
    frame = studies(4)
    before = frame.copy()
    meta(frame, measure="smd")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("named", ["first-study", "../first-study", "../first-study/"])
def test_a_study_beside_this_one_may_be_named_as_a_folder(tmp_path, named):
    here = SimpleNamespace(folder=tmp_path / "pooled")
    with pytest.raises(DataError, match="first-study: this study has no results yet"):
        earlier_results(here, [named])
    with pytest.raises(StudyError, match="folders beside this one"):
        earlier_results(here, [f"../{named}/more"])
