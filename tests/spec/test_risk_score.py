"""A risk score checked group by group: counts by hand, what is refused, what may be said and what may be printed."""

import numpy as np
import pandas as pd
import pytest

from evalkit.claims import Facts, evidence, statement
from evalkit.claims.verbs import lint
from evalkit.contract import SCORE_CELLS
from evalkit.disclosure import policy, release
from evalkit.errors import DataError, EvalkitError, StudyError
from evalkit.intervals import newcombe, wilson
from evalkit.monitor import risk_score
from tests.tolerances import EXACT

OPTIONS = {"score": "score", "outcome": "returned", "threshold": 0.5}
BY_GROUP = OPTIONS | {"group": "group"}
FLOW = pd.DataFrame(columns=["step", "arm", "n", "lost", "reason"])
ROWS = [
    # group, score, outcome, how many
    ("a", 0.8, 1, 30), ("a", 0.8, 0, 20), ("a", 0.2, 1, 10), ("a", 0.2, 0, 40),
    ("b", 0.8, 1, 12), ("b", 0.8, 0, 18), ("b", 0.2, 1, 12), ("b", 0.2, 0, 18),
]  # fmt: skip


def scored(rows=ROWS):
    return pd.DataFrame(
        [(g, s, y) for g, s, y, n in rows for _ in range(n)], columns=["group", "score", "returned"]
    )


def found(result, term, group=None):
    return next(each for each in result.estimates if (each.term, each.group) == (term, group))


def printed(result, preset="public"):
    named = result.named("check", "primary")
    return release(results=[named], flow=FLOW, policy=policy(preset), people=False).results[0]


def test_accuracy_by_group_is_what_counting_gives():
    result = risk_score(scored(), **BY_GROUP)
    rows = result.detail["accuracy"].set_index(["group", "measure"])
    assert rows.loc[("all", "sensitivity"), ["events", "n"]].tolist() == [42, 64]
    assert rows.loc[("a", "sensitivity"), "value"] == 30 / 40
    assert rows.loc[("b", "specificity"), "value"] == 18 / 36
    assert rows.loc[("b", "false_positive_rate"), "value"] == 18 / 36
    assert rows.loc[("b", "positive_predictive_value"), "value"] == 12 / 30
    assert rows.loc[("a", "flagged_share"), "value"] == 0.5
    cells = result.detail["groups"].set_index("group")[list(SCORE_CELLS)]
    assert cells.loc["a"].tolist() == [30, 10, 20, 40]
    assert cells.loc["all"].tolist() == [42, 22, 38, 58]
    head = result.headline
    assert (head.term, head.estimate) == ("sensitivity", 42 / 64)
    assert (head.conf_low, head.conf_high) == pytest.approx(wilson(42, 64), abs=EXACT)


def test_differences_are_to_the_largest_group_and_adjusted_over_all():
    result = risk_score(scored(), **BY_GROUP)
    gap = found(result, "sensitivity_difference", "b")
    assert gap.estimate == pytest.approx(-25)
    assert (gap.conf_low, gap.conf_high) == pytest.approx(
        [100 * each for each in newcombe(12, 24, 30, 40)], abs=1e-9
    )
    frame = result.detail["differences"]
    assert set(frame["reference"]) == {"a"}
    assert set(frame["rule"]) == {"holm"}
    smallest = frame["p_value"].idxmin()
    assert frame["p_adjusted"][smallest] == pytest.approx(min(1, len(frame) * frame["p_value"][smallest]))
    by_bh = risk_score(scored(), **BY_GROUP, p_adjust="bh").detail["differences"]
    assert (by_bh["p_adjusted"] <= frame["p_adjusted"] + EXACT).all()


def test_area_under_the_curve_counts_ties_half():
    # 42 of 64 with the outcome and 38 of 96 without it have the high score
    pairs = 42 * 58 + 0.5 * (42 * 38 + 22 * 58)
    assert found(risk_score(scored(), **OPTIONS), "area_under_curve").estimate == pytest.approx(
        pairs / (64 * 96), abs=EXACT
    )


def test_calibration_sets_what_happened_beside_the_score():
    result = risk_score(scored(), **BY_GROUP, bands=2)
    assert found(result, "observed_over_expected", "a").estimate == pytest.approx(40 / (50 * 0.8 + 50 * 0.2))
    assert found(result, "observed_over_expected", "b").estimate == pytest.approx(24 / (30 * 0.8 + 30 * 0.2))
    bands = result.detail["calibration"]
    assert bands["n"].tolist() == [50, 50, 30, 30]
    assert bands["side"].tolist() == ["not flagged", "flagged"] * 2
    # two scores and an intercept fit exactly: the slope is the difference of two log odds over that of the scores
    odds = np.log(42 / 38) - np.log(22 / 58)
    assert found(result, "calibration_slope").estimate == pytest.approx(odds / (2 * np.log(4)), abs=1e-9)
    assert result.check("few_events").passed is True


def test_a_score_in_points_is_ranked_and_cut_but_not_calibrated():
    rows = scored().assign(score=lambda frame: 100 * frame["score"])
    with pytest.raises(DataError, match="scale: points"):
        risk_score(rows, score="score", outcome="returned", threshold=50)
    result = risk_score(rows, score="score", outcome="returned", threshold=50, scale="points")
    assert result.headline.estimate == 42 / 64
    assert not any("calibration" in each.term or "expected" in each.term for each in result.estimates)
    assert "mean_score" not in result.detail["calibration"]
    assert result.check("calibration").passed is None


def test_row_order_and_names_of_groups_change_nothing():
    frame = scored()
    other = frame.sample(frac=1, random_state=np.random.RandomState(4)).replace(
        {"group": {"a": "x", "b": "y"}}
    )
    one, two = (risk_score(each, **BY_GROUP).to_frame().drop(columns="group") for each in (frame, other))
    pd.testing.assert_frame_equal(one, two)


def test_who_lacks_something_is_left_out_and_counted():
    frame = scored().astype({"score": float, "returned": float, "group": object})
    frame.loc[0, "score"] = None
    frame.loc[1, "returned"] = None
    frame.loc[2, "group"] = None
    result = risk_score(frame, **BY_GROUP)
    assert result.detail["groups"].loc[0, "true_positives"] == 39
    check = result.check("left_out")
    assert check.statistic == pytest.approx(3 / 160)
    assert check.passed
    assert "no score, no outcome, no group" in check.reading


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(score=f["score"].where(f.index > 0, 1.2)), "lies from 0 to 1.*1 rows outside"),
        (lambda f: f.assign(score=f["score"].where(f.index > 0, np.inf)), "finite number"),
        (lambda f: f.assign(score=f["score"].astype(str).where(f.index > 0, "high")), "finite number"),
        (lambda f: f.assign(returned=f["returned"].where(f.index > 0, 2)), "0, 1 or missing"),
        (lambda f: f.assign(returned=1), "everybody has the outcome"),
        (lambda f: f.assign(returned=0), "nobody has the outcome"),
        (lambda f: f.assign(group="a"), "one group only"),
        (lambda f: f.assign(group=pd.Categorical(f["group"], ["a", "b", "c"])), "nobody .* is in `c`"),
        (lambda f: f.assign(group=[f"g{i % 13}" for i in f.index]), "at most 12 groups"),
        (lambda f: f.replace({"group": {"a": "all"}}), "cannot be called `all`"),
        (lambda f: f.assign(score=np.nan), "nobody has both"),
        (lambda f: f[:0], "no rows"),
        (lambda f: f.drop(columns="group"), "no column `group`"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_checked_are_refused(change, words):
    with pytest.raises(DataError, match=words):
        risk_score(change(scored()), **BY_GROUP)


@pytest.mark.parametrize(("threshold", "words"), [(0.9, "nobody is flagged"), (0.1, "everybody is flagged")])
def test_a_threshold_outside_the_scores_is_refused(threshold, words):
    with pytest.raises(DataError, match=words):
        risk_score(scored(), **OPTIONS | {"threshold": threshold})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threshold": (0.2, 0.5)}, "an analysis of its own"),
        ({"threshold": True}, "one number"),
        ({"threshold": float("nan")}, "one number"),
        ({"bands": 1}, "2 or more"),
        ({"scale": "percent"}, "`scale` must be one of"),
        ({"interval": "normal"}, "`interval` must be one of"),
        ({"p_adjust": "romano_wolf"}, "`p_adjust` must be one of"),
        ({"missing": "mice"}, "`missing` must be one of"),
        ({"least": {"precision": 0.4}}, "`precision` is none"),
        ({"least": {"sensitivity": 40}}, "from 0 to 1"),
        ({"level": 95}, "between 0 and 1"),
        ({"subgroup": "group"}, "`subgroup` is not supported here: .*under `group`"),
    ],
)
def test_options_that_are_not_supported_are_refused_by_name(options, words):
    with pytest.raises(StudyError, match=words):
        risk_score(scored(), **OPTIONS | options)


def test_a_group_in_which_nobody_has_the_outcome_has_no_sensitivity():
    rows = [*ROWS[:4], ("b", 0.8, 0, 18), ("b", 0.2, 0, 18)]
    result = risk_score(scored(rows), **BY_GROUP)
    assert found(result, "sensitivity", "b").estimate is None
    assert found(result, "area_under_curve", "b").estimate is None
    assert not any(each.term == "sensitivity_difference" for each in result.estimates)
    assert result.check("few_events").passed is False


def test_limits_set_beforehand_are_held_against_every_group():
    check = risk_score(scored(), **BY_GROUP, least={"sensitivity": 0.6}).check("preset_limits")
    assert (check.passed, check.statistic) == (False, 1)
    assert check.reading == "Sensitivity in b is under 60%."
    assert risk_score(scored(), **BY_GROUP, least={"sensitivity": 0.5}).check("preset_limits").passed


@pytest.mark.parametrize(("acted", "passed", "words"), [
    (True, False, "understated"), (False, True, "Nobody acted"), (None, None, "not said"),
])  # fmt: skip
def test_whether_the_score_was_used_is_asked(acted, passed, words):
    check = risk_score(scored(), **OPTIONS, acted_on=acted).check("acted_on")
    assert check.passed is passed
    assert words in check.reading


def test_a_perfect_score_and_certain_scores_have_no_slope():
    rows = pd.DataFrame({"score": [0.0, 1.0] * 20, "returned": [0, 1] * 20})
    result = risk_score(rows, **OPTIONS)
    assert found(result, "area_under_curve").estimate == 1
    assert found(result, "area_under_curve").conf_low is None
    assert found(result, "calibration_slope").estimate is None
    assert found(result, "observed_over_expected").estimate == 1


# What may be said


def said(result, status="real"):
    facts = Facts(programme="the risk score", data_status=status)
    grounds = evidence(facts, result)
    return grounds, statement(result, facts, grounds, "came to harm within 6 months, by area")


def test_what_is_said_is_a_description_and_no_cause():
    rows = [("a", 0.8, 1, 300), ("a", 0.2, 1, 100), ("a", 0.2, 0, 500), ("a", 0.8, 0, 100),
            ("b", 0.8, 1, 30), ("b", 0.2, 1, 90), ("b", 0.2, 0, 200), ("b", 0.8, 0, 20)]  # fmt: skip
    grounds, words = said(risk_score(scored(rows), **BY_GROUP))
    assert (grounds.level, grounds.basis) == (1, "risk_score")
    assert words.headline == (
        "At a threshold of 0.5, the score had flagged 330 of 520 (64%) who came to harm within 6 months: 75% (a) and "
        "25% (b)."
    )
    assert "50 in every 100 fewer for b than for a" in words.can_say
    assert "nothing about what its use would change" in words.can_say
    for text in (words.can_say, words.cannot_say):
        assert lint(text, grounds.level, "the risk score") == []
    assert words.direction == "not assessed"


def test_invented_data_are_called_invented():
    _, words = said(risk_score(scored(), **BY_GROUP), "simulated")
    assert words.can_say.startswith("In these invented data, at a threshold of 0.5,")
    assert "nothing about the risk score" in words.cannot_say


def test_differences_that_are_not_clear_are_not_called_equal():
    rows = [("a", 0.8, 1, 30), ("a", 0.2, 1, 30), ("a", 0.2, 0, 90), ("a", 0.8, 0, 30),
            ("b", 0.8, 1, 20), ("b", 0.2, 1, 20), ("b", 0.2, 0, 60), ("b", 0.8, 0, 20)]  # fmt: skip
    _, words = said(risk_score(scored(rows), **BY_GROUP))
    assert "none is clear; that does not show that the groups are treated alike" in words.can_say


# What may be printed


def test_everything_printed_is_worked_out_of_the_printed_cells():
    result = printed(risk_score(scored(), **BY_GROUP))
    cells = result.detail["groups"].set_index("group")
    assert cells.loc["b", list(SCORE_CELLS)].tolist() == [10, 10, 20, 20]
    assert cells.loc["all", "true_positives"] == cells.loc["a", "true_positives"] + 10
    assert found(result, "sensitivity", "b").estimate == 0.5
    gap = found(result, "sensitivity_difference", "b")
    low, high = newcombe(10, 20, 30, 40)
    assert (gap.estimate, gap.conf_low, gap.conf_high) == (-25, round(100 * low), round(100 * high))
    assert (gap.n_treated, gap.n_control) == (20, 40)


def test_a_group_with_a_small_cell_is_withheld_with_whichever_would_give_it_away():
    rows = [("a", 0.8, 1, 90), ("a", 0.2, 1, 60), ("a", 0.2, 0, 200), ("a", 0.8, 0, 80),
            ("b", 0.8, 1, 40), ("b", 0.2, 1, 30), ("b", 0.2, 0, 100), ("b", 0.8, 0, 40),
            ("c", 0.8, 1, 4), ("c", 0.2, 1, 12), ("c", 0.2, 0, 30), ("c", 0.8, 0, 15)]  # fmt: skip
    raw = risk_score(scored(rows), **BY_GROUP, bands=2)
    exact = printed(raw, "partner").detail["groups"].set_index("group")["true_positives"]
    assert exact.to_dict() == {"all": 134, "a": 90, "b": "[c]", "c": "[c]"}
    # rounded, everybody less the other two leaves 0 to 11 for the smallest group
    result = printed(raw)
    cells = result.detail["groups"].set_index("group")["true_positives"]
    assert cells.to_dict() == {"all": 135, "a": 90, "b": 40, "c": "[c]"}
    for term in ("sensitivity", "area_under_curve", "calibration_slope", "observed_over_expected"):
        hidden = found(result, term, "c")
        assert (hidden.estimate, hidden.conf_low, hidden.std_error, hidden.n_treated) == (None,) * 4
    assert result.check("few_events").statistic is None
    assert set(result.detail["calibration"].query("group == 'c'")["events"]) == {"[c]"}
    _, words = said(result)
    assert "Some groups have too few people" in words.can_say
    assert "(c)" not in words.headline


def test_with_nothing_to_print_nothing_is_printed():
    result = printed(risk_score(scored([(g, s, y, min(n, 3)) for g, s, y, n in ROWS]), **BY_GROUP))
    assert all(each.estimate is None for each in result.estimates)
    numbers = result.detail["groups"].drop(columns=["group", "threshold"])
    assert (numbers == "[c]").all(axis=None)
    _, words = said(result)
    assert "cannot be given" in words.headline


@pytest.mark.parametrize("preset", ["partner", "public"])
def test_random_tables_pass_the_gate(preset):
    rng = np.random.default_rng(8)
    for _ in range(4):
        rows = [(g, s, y, int(rng.integers(1, 60))) for g in "abc" for s in (0.2, 0.8) for y in (0, 1)]
        result = risk_score(scored(rows), **BY_GROUP, bands=2)
        seen = printed(result, preset).detail["groups"].set_index("group")
        for name in "abc":
            small = (
                result.detail["groups"].set_index("group").loc[name, list(SCORE_CELLS)]
                < policy(preset).threshold
            ).any()
            assert not small or (seen.loc[name, list(SCORE_CELLS)] == "[c]").all()


def test_an_error_names_no_score():
    frame = scored()
    frame.loc[0, "score"] = 7.123
    with pytest.raises(EvalkitError) as error:
        risk_score(frame, **OPTIONS)
    assert "7.123" not in str(error.value)
