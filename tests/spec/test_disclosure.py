"""What may leave, line by line: thresholds, noughts, rounding, totals, funnels, sentences, and what passes."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import WITHHELD, policy, release, write_csv
from evalkit.disclosure.columns import kind_of
from evalkit.disclosure.pairs import Pair, choose
from evalkit.errors import StudyError
from evalkit.results import Check, Estimate, Result

NO_FLOW = pd.DataFrame(columns=["step", "arm", "n", "lost", "reason"])


def people(x_treated: int, n_treated: int, x_control: int, n_control: int) -> pd.DataFrame:
    """One row per person of two arms with so many events."""
    arms = [1] * n_treated + [0] * n_control
    events = [1] * x_treated + [0] * (n_treated - x_treated) + [1] * x_control + [0] * (n_control - x_control)
    return pd.DataFrame(
        {"person_id": [f"p{i}" for i in range(len(arms))], "treated": arms, "reoffended": events}
    )


def compared(counts: tuple[int, int, int, int], measure: str = "risk_difference") -> Result:
    return ek.rates(people(*counts), outcome="reoffended", measure=measure).named("main", "primary")


def let_out(*results: Result, preset: str = "public", **more):
    return release(results=results, flow=more.pop("flow", NO_FLOW), policy=policy(preset), **more)


def table(frame: pd.DataFrame, preset: str = "public") -> pd.DataFrame:
    return let_out(preset=preset, other={"table": frame}).other["table"]


@pytest.mark.parametrize(
    ("preset", "count", "seen"),
    [
        ("public", 0, WITHHELD), ("public", 4, WITHHELD), ("public", 9, WITHHELD), ("public", 10, 10),
        ("public", 11, 10), ("public", 13, 15), ("public", 91, WITHHELD), ("public", 90, 90), ("public", 100, WITHHELD),
        ("partner", 0, 0), ("partner", 4, WITHHELD), ("partner", 5, 5), ("partner", 6, 6),
        ("partner", 96, WITHHELD), ("partner", 95, 95), ("partner", 100, 100),
        ("internal", 0, 0), ("internal", 1, 1), ("internal", 4, 4), ("internal", 99, 99),
    ],
)  # fmt: skip
def test_a_count_at_the_threshold(preset, count, seen):
    frame = pd.DataFrame({"group": ["a"], "n": [100], "events": [count]})
    assert table(frame, preset)["events"].tolist() == [seen]


@pytest.mark.parametrize("preset", ["internal", "partner", "public"])
def test_a_preset_is_known_by_name(preset):
    assert policy(preset).name == preset


def test_an_unknown_preset_is_refused():
    with pytest.raises(StudyError):
        policy("everybody")


def test_a_share_comes_from_the_rounded_counts():
    seen = table(pd.DataFrame({"group": ["a"], "n": [203], "events": [56], "share": [56 / 203]}))
    assert seen[["n", "events", "share"]].iloc[0].tolist() == [205, 55, round(55 / 205, 3)]


def test_a_withheld_count_takes_its_share_and_limits_with_it():
    frame = pd.DataFrame(
        {"group": ["a"], "n": [50], "events": [3], "value": [0.06], "conf_low": [0.02], "conf_high": [0.16]}
    )
    assert table(frame)[["events", "value", "conf_low", "conf_high"]].iloc[0].tolist() == [WITHHELD] * 4


def test_a_total_does_not_give_a_withheld_part_away():
    parts = pd.DataFrame(
        {"group": ["north", "south", "west", "all"], "n": [50, 60, 70, 180], "events": [20, 30, 4, 54]}
    )
    seen = table(parts, "partner")
    assert seen["events"].iloc[2] == WITHHELD
    assert (seen["events"] == WITHHELD).sum() >= 2


@pytest.mark.parametrize("counts", [(3, 100, 20, 100), (0, 60, 7, 60), (60, 60, 50, 60), (97, 100, 60, 100)])
def test_a_small_count_hides_the_comparison_that_would_show_it(counts):
    out = let_out(
        *(
            compared(counts, each)
            for each in ("risk_difference", "risk_ratio", "odds_ratio", "mean_difference")
        )
    )
    for result in out.results:
        assert (result.detail["arms"]["value"] == WITHHELD).all()
        assert (
            result.headline.estimate is None
            or abs(result.headline.conf_high - result.headline.conf_low) >= 0.2
        )
        for check in result.checks:
            assert not any(str(x) in check.reading.split() for x in (counts[0], counts[1] - counts[0]))


def test_the_shipped_example_still_says_what_it_says():
    head = let_out(compared((56, 200, 70, 200))).results[0].headline
    assert head.estimate == pytest.approx(-7, abs=0.5)
    assert head.conf_low == pytest.approx(-16, abs=1)
    assert head.conf_high == pytest.approx(2, abs=1)
    assert (head.n_treated, head.n_control) == (200, 200)


@pytest.mark.parametrize(
    ("counts", "reach"),
    [
        ((48, 216, 66, 216), 1.0),
        ((72, 175, 86, 175), 1.0),
        ((20, 45, 28, 45), 2.5),
        ((600, 2000, 700, 2000), 0.1),
    ],
)
def test_an_estimate_is_moved_by_less_than_its_error(counts, reach):
    raw = compared(counts)
    head = let_out(raw).results[0].headline
    assert head.estimate == pytest.approx(raw.headline.estimate, abs=reach)
    assert head.conf_low == pytest.approx(raw.headline.conf_low, abs=2 * reach)


@pytest.mark.parametrize("counts", [(56, 200, 70, 200), (48, 216, 66, 216), (20, 45, 28, 45)])
def test_many_pairs_of_counts_print_alike(counts):
    pair = Pair(x_treated=counts[0], n_treated=counts[1], x_control=counts[2], n_control=counts[3])
    fits = choose(pair, ["risk_difference"], policy("public")).fits(pair)
    assert all(len(np.unique(each)) > policy("public").spread for each in fits)


def test_several_measures_of_the_same_counts_say_no_more_than_one():
    # Other measures are worked out from one pair that stands for all that print alike.
    together = let_out(
        compared((56, 200, 70, 200)), compared((56, 200, 70, 200), "odds_ratio").named("odds", "secondary")
    )
    near = let_out(
        compared((55, 200, 69, 200)), compared((55, 200, 69, 200), "odds_ratio").named("odds", "secondary")
    )
    if together.results[0].headline == near.results[0].headline:
        assert together.results[1].headline == near.results[1].headline


@pytest.mark.parametrize("preset", ["public", "partner"])
def test_reboot_hides_the_last_stages_and_what_would_show_them(preset):
    stages = {"accepted": 617, "stage two": 155, "stage three": 8, "stage four": 4, "stage five": 1}
    out = let_out(
        ek.funnel(stages=stages, counting="cumulative", closed=346).named("pathway", "primary"), preset=preset
    )
    result = out.results[0]
    reached, accounts = (
        result.detail["stages"]["reached"].tolist(),
        result.detail["accounts"].set_index("status")["count"],
    )
    assert reached[-2:] == [WITHHELD] * 2
    assert preset == "partner" or reached[2] == WITHHELD
    assert reached[:2] == ([615, 155] if preset == "public" else [617, 155])
    assert accounts["closed or stopped there"] == (345 if preset == "public" else 346)
    assert accounts.drop(["entered", "closed or stopped there"]).eq(WITHHELD).all()
    assert result.headline.estimate is None
    assert not any("116" in check.reading or "154" in check.reading for check in result.checks)


def test_a_flow_that_lost_few_hides_them_everywhere():
    flow = pd.DataFrame({
        "step": ["submitted", "mature", "compared"], "arm": ["treated"] * 3, "n": [195, 179, 175], "lost": [0, 16, 4],
        "reason": ["", "too recent", "nobody like them"],
    })  # fmt: skip
    used = pd.DataFrame({"arm": ["treated"], "n_before": [179], "n_used": [175]})
    out = let_out(compared((75, 175, 85, 175)), flow=flow, other={"effective_n": used})
    assert out.flow["lost"].tolist() == [0, WITHHELD, WITHHELD]
    assert out.flow["n"].tolist() == [
        195,
        WITHHELD,
        175,
    ]
    assert out.other["effective_n"].iloc[0].tolist() == ["treated", WITHHELD, 175]


def test_internal_leaves_every_double_as_it_is_and_counts_what_is_small():
    raw = compared((3, 100, 20, 100))
    out = let_out(raw, preset="internal")
    assert out.results[0].headline == raw.headline
    pd.testing.assert_frame_equal(out.results[0].detail["arms"], raw.detail["arms"])
    assert out.suppressed == 0
    assert out.log["flagged"] == 1


def test_an_unknown_column_is_withheld_and_counted():
    out = let_out(other={"table": pd.DataFrame({"group": ["a"], "shoe_size": [41.5]})})
    assert out.other["table"]["shoe_size"].tolist() == [WITHHELD]
    assert out.log["unknown_columns"] == 1
    assert any("shoe_size" in note for note in out.notes)


def test_what_a_source_has_printed_passes_and_says_so():
    raw = ek.proportion(successes=21, trials=26).named("source", "primary")
    out = let_out(
        raw, as_printed=frozenset({"source"}), published=pd.DataFrame({"numerator": [3], "denominator": [20]})
    )
    assert out.results[0].headline == raw.headline
    assert out.published["numerator"].tolist() == [3]
    assert any("source" in note for note in out.notes)


def test_data_that_are_public_already_pass_whole():
    raw = compared((3, 100, 20, 100))
    out = let_out(raw, already_public="Rossi (1980)")
    assert out.results[0].headline == raw.headline
    assert any("Rossi" in note for note in out.notes)


def test_our_own_breakdown_of_a_small_group_does_not_pass():
    assert (
        let_out(ek.proportion(successes=17, trials=20).named("own", "primary")).results[0].headline.estimate
        is None
    )


@pytest.mark.parametrize(
    ("reading", "seen"),
    [
        (
            "The smallest of the four cells holds 3 people.",
            "The smallest of the four cells holds fewer than 10 people.",
        ),
        (
            "Left out, treated: 0 without the outcome, of 187.",
            "Left out, treated: fewer than 10 without the outcome, of 185.",
        ),
        ("12 months of follow-up, 1,234 people.", "12 months of follow-up, 1,235 people."),
        ("The share is 0.0223463687.", "The share is 0.022."),
    ],
)
def test_no_small_number_survives_in_a_sentence(reading, seen):
    out = let_out(checks=[Check(name="attrition_of_arms", reading=reading)], texts=[reading])
    assert out.checks[0].reading == seen
    assert out.texts[0] == seen


def test_a_method_about_nobody_passes():
    plan = ek.power(measure="risk_difference", baseline=0.35, n_treated=9, n_control=9).named(
        "plan", "primary"
    )
    assert let_out(plan).results[0].headline == plan.headline


def test_numbers_of_areas_are_not_numbers_of_people():
    effect = Estimate(
        term="att", measure="mean_difference", estimate=-3.217, std_error=1.234, n_treated=1, n_control=8
    )
    areas = Result(
        method="did", estimand="att", outcome="asb", analysis="wards", estimates=(effect,),
        detail={"means": pd.DataFrame({"period": [1], "arm": ["control"], "mean": [31.4], "n": [8]})},
    )  # fmt: skip
    seen = let_out(areas).results[0]
    assert seen.headline.n_control == 8
    assert seen.headline.estimate == -3.2
    assert seen.detail["means"]["n"].tolist() == [8]


def test_the_early_part_of_a_curve_and_single_times_are_withheld():
    frame = people(40, 100, 50, 100)
    frame["days"] = np.where(frame["reoffended"] == 1, frame.index % 97 + 5, 101)
    found = ek.survival(frame, outcome="reoffended", time="days", event="reoffended", horizon=100).named(
        "curve", "primary"
    )
    curves = let_out(found).results[0].detail["curves"]
    assert (curves.loc[curves["time"] > 0, "events"] == WITHHELD).all()
    treated = curves[curves["arm"] == "treated"].reset_index(drop=True)
    assert treated["survival"].iloc[0] == 1.0
    assert treated["survival"].iloc[1] == WITHHELD
    assert set(curves["time"]) <= set(range(0, 101, 10))


def test_a_cell_that_a_spreadsheet_would_run_is_escaped(tmp_path):
    write_csv(
        pd.DataFrame({"label": ["=1+1", "+a", "@b", "-5", "fine"], "value": [-5, 1.5, None, 2, True]}),
        tmp_path / "x.csv",
    )
    assert (tmp_path / "x.csv").read_text().splitlines()[1:] == [
        "'=1+1,-5",
        "'+a,1.5",
        "'@b,",
        "'-5,2",
        "fine,1",
    ]


def test_every_column_of_the_common_frames_has_a_kind():
    frames = [
        *compared((56, 200, 70, 200)).detail.values(), *ek.proportion(successes=21, trials=60).detail.values(),
        *ek.counts(before=882, after=805).detail.values(),
        *ek.funnel(stages={"a": 50, "b": 20}, counting="cumulative").detail.values(),
    ]  # fmt: skip
    assert not [column for frame in frames for column in frame.columns if kind_of(str(column)) is None]


def test_a_rate_of_few_events_is_withheld_wherever_they_happened():
    few = let_out(ek.counts(before=7, after=3).named("before_after", "primary"), people=False)
    assert few.results[0].headline.estimate is None
    many = let_out(ek.counts(before=882, after=805).named("before_after", "primary"), people=False)
    assert many.results[0].headline.estimate == pytest.approx(0.913, abs=0.01)


@pytest.mark.slow
def test_a_release_is_quick():
    results = [compared((56, 200, 70, 200), each) for each in ("risk_difference", "risk_ratio", "odds_ratio")]
    started = time.process_time()
    let_out(*results)
    assert time.process_time() - started < 2


def test_a_band_that_would_place_a_small_count_goes_with_it():
    criteria = [
        {"name": "kept", "successes": 44, "trials": 45, "green": 0.7, "amber": 0.5},
        {"name": "followed", "successes": 37, "trials": 45, "green": 0.85, "amber": 0.7},
    ]
    result = let_out(ek.progression(criteria=criteria).named("pilot", "primary")).results[0]
    assert result.detail["criteria"]["band"].tolist() == ["green", WITHHELD]
    assert result.headline.estimate is None


@pytest.mark.parametrize(("share", "shown"), [(0.95, False), (0.5, True)])
def test_a_total_that_two_people_hold_is_withheld(share, shown):
    result = let_out(compared((56, 200, 70, 200)), largest_share={"main": share}).results[0]
    assert (result.headline.estimate is not None) == shown
    assert ("arms" in result.detail) == shown
