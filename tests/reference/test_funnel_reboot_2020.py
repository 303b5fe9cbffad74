"""REBOOT, Sussex. Local Government Association (2020), Taking a public health approach to tackling serious violence.

Published: 617 accepted; 346 closed at stage one; 155, 8, 4 and 1 at stages two to five; 165 accepted for coaching.
The source does not say whether a count is the highest stage reached or every stage ever reached.
"""

import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.monitor.funnel import funnel

PRINTED_PERCENT = 0.05  # percentages worked by hand to one decimal place


def cumulative(**options):
    frame = pd.DataFrame({
        "stage": ["accepted", "stage two", "stage three", "stage four", "stage five"],
        "reached": [617, 155, 8, 4, 1],
        "closed": [346, None, None, None, None],
    })  # fmt: skip
    return funnel(frame, stages="stage", counting="cumulative", **options)


def exclusive():
    frame = pd.DataFrame({
        "stage": ["stage one", "stage two", "stage three", "stage four", "stage five"], "reached": [346, 155, 8, 4, 1],
    })  # fmt: skip
    return funnel(frame, stages="stage", counting="exclusive", entered=617)


def test_shares_of_those_accepted_and_their_wilson_intervals():
    stages = cumulative().detail["stages"].set_index("stage")
    expected = {
        "stage two": (25.1, 21.9, 28.7), "stage three": (1.3, 0.7, 2.5), "stage four": (0.6, 0.3, 1.7),
        "stage five": (0.2, 0.0, 0.9),
    }  # fmt: skip
    for stage, (share, low, high) in expected.items():
        row = 100 * stages.loc[stage, ["share_of_first", "conf_low", "conf_high"]].astype(float)
        assert row.tolist() == pytest.approx([share, low, high], abs=PRINTED_PERCENT)
    assert 100 * stages.loc["stage three", "share_of_previous"] == pytest.approx(5.2, abs=PRINTED_PERCENT)


def test_less_than_two_per_cent_past_stage_two_is_true_or_false_by_the_reading():
    past_two = exclusive().detail["stages"].set_index("stage").loc["stage three"]
    assert past_two["reached"] == 13
    assert 100 * past_two["share_of_first"] == pytest.approx(2.107, abs=5e-4)
    assert 100 * past_two["conf_low"] == pytest.approx(1.24, abs=5e-3)
    assert 100 * past_two["conf_high"] == pytest.approx(3.57, abs=5e-3)
    assert cumulative().detail["stages"]["share_of_first"].iloc[2] == pytest.approx(8 / 617)


@pytest.mark.parametrize(
    ("result", "missing", "percent"),
    [
        (cumulative(closed="closed"), 116, "18.8%"),
        (cumulative(closed=346), 116, "18.8%"),
        (exclusive(), 103, "16.7%"),
    ],
)
def test_people_of_whom_nothing_is_said(result, missing, percent):
    accounts = result.detail["accounts"].set_index("status")["count"]
    assert accounts["not accounted for"] == missing
    assert accounts["entered"] == accounts.drop("entered").sum() == 617
    check = result.check("unaccounted")
    assert check.passed is False
    assert f"{missing} of the 617 who entered ({percent})" in check.reading


def test_coaching_above_stage_two_is_named():
    result = funnel(stages={"accepted": 617, "stage two": 155, "coaching": 165}, counting="cumulative")
    check = result.check("conservation")
    assert check.passed is False
    assert check.reading == "`coaching` (165) is larger than `stage two` before it (155)."
    assert result.headline.estimate == pytest.approx(165 / 617)


def test_headline_is_the_share_that_reached_the_last_stage():
    head = cumulative().headline
    assert (head.term, head.measure, head.n_treated) == ("reached", "proportion", 617)
    assert head.estimate == pytest.approx(1 / 617)


def test_every_way_to_hand_in_the_stages_gives_the_same():
    names, counts = ["accepted", "started", "finished"], [40, 30, 12]
    mapping = funnel(stages=dict(zip(names, counts, strict=True)), counting="cumulative")
    listed = funnel(
        stages=[{"name": name, "n": n} for name, n in zip(names, counts, strict=True)], counting="cumulative"
    )
    people = pd.DataFrame({name: [1] * n + [0] * (40 - n) for name, n in zip(names, counts, strict=True)})
    by_person = funnel(people, stages=names, counting="cumulative")
    left = funnel(stages={"accepted": 10, "started": 18, "finished": 12}, counting="exclusive")
    for other in (listed, by_person, left):
        pd.testing.assert_frame_equal(other.detail["stages"], mapping.detail["stages"])


def test_days_in_stage_and_open_cases_are_shown():
    frame = pd.DataFrame({
        "stage": ["referred", "started", "finished"], "n": [50, 30, 20], "still": [5, 4, 0], "gone": [15, 6, 0],
        "mean": [12.5, 80, 3],
    })  # fmt: skip
    result = funnel(
        frame,
        stages="stage",
        counting="cumulative",
        closed="gone",
        open="still",
        days="mean",
        entered="referred",
    )
    assert result.detail["stages"]["mean_days"].tolist() == [12.5, 80, 3]
    assert result.check("unaccounted").passed is True
    assert result.detail["accounts"]["count"].tolist() == [50, 20, 21, 9, 0, 0]


def test_more_leaving_than_there_were_fails():
    result = funnel(stages={"referred": 50, "started": 30}, counting="cumulative", closed=25)
    words = "55 people moved on, were closed or are open at `referred`, which 50 reached"
    assert words in result.check("conservation").reading


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"stages": "stage"}, StudyError, "`counting` is required"),
        ({"stages": "stage", "counting": "both"}, StudyError, "`cumulative`, `exclusive`"),
        ({"stages": "stag", "counting": "cumulative"}, DataError, "Did you mean `stage`"),
        ({"stages": {"a": 0, "b": 0}, "counting": "cumulative"}, DataError, "nobody entered"),
        ({"stages": {"a": 5, "b": 2.5}, "counting": "cumulative"}, DataError, "whole number"),
        ({"stages": {"a": 5, "b": None}, "counting": "cumulative"}, DataError, "missing is not nought"),
        ({"stages": ({"label": "a"},), "counting": "cumulative"}, StudyError, "`name` and `n`"),
        ({"stages": "stage", "counting": "cumulative", "entered": "begun"}, StudyError, "no stage `begun`"),
    ],
)
def test_what_is_wrong_is_said(options, error, words):
    frame = pd.DataFrame({"stage": ["a", "b"], "reached": [3, 2]})
    with pytest.raises(error, match=words):
        funnel(frame, **options)


def test_a_last_stage_above_the_first_has_no_share():
    result = funnel(stages={"a": 5, "b": 9}, counting="cumulative")
    assert result.headline.estimate is None
    assert result.check("conservation").passed is False


def test_the_stages_may_be_listed_in_order_where_one_column_names_them():
    rows = pd.DataFrame({"stage": ["started", "referred", "accepted"], "people": [155, 617, 346]})
    order = ["referred", "accepted", "started"]
    found = funnel(rows, stages=order, counting="cumulative")
    assert found.detail["stages"]["stage"].tolist() == order
    assert found.headline.estimate == pytest.approx(155 / 617)
    people = pd.DataFrame({"stage": ["started"] * 155 + ["accepted"] * 191 + ["referred"] * 271})
    each = funnel(people, stages=order, counting="exclusive")
    assert each.detail["stages"]["reached"].tolist() == [617, 346, 155]
    with pytest.raises(DataError, match="does not list"):
        funnel(
            rows.assign(stage=["started", "referred", "left"]),
            stages=["referred", "started"],
            counting="cumulative",
        )
