"""What may be said: levels from facts and checks, sentences from results, and a lint that no sentence of ours fails."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest

from evalkit.claims import (
    Facts,
    allowed_verbs,
    decision,
    evidence,
    lint,
    obligatory_sentence,
    refused_verbs,
    size_word,
    statement,
)  # fmt: skip
from evalkit.contract import Outcome
from evalkit.errors import Refused
from evalkit.pipeline.tell import Told, _lead, better_of
from evalkit.results import Check, Estimate, Result

PROGRAMME = "Youth Work Plus"
LABEL, DEFINITION = "reoffended", "an offence within 12 months, proven within 18"
BALANCED = (Check(name="balance", passed=True), Check(name="overlap", passed=True))
UNBALANCED = (Check(name="balance", passed=False), Check(name="overlap", passed=True))

CHOICE = Facts(
    programme=PROGRAMME,
    comparison="similar young people",
    assignment_by="choice",
    has_comparison=True,
    estimand="att",
)
LOT = replace(CHOICE, assignment_by="randomised", assignment_registered=True, estimand="itt")
MATCHED = replace(
    CHOICE, design_method="nearest", design_covariates=("age", "priors_3y"), history_names=("priors_3y",),
    assignment_registered=True,
)  # fmt: skip
BLIND = replace(MATCHED, design_covariates=("age", "sex"))
ALONE = Facts(programme=PROGRAMME)
BY_LEVEL = {5: LOT, 4: MATCHED, 3: BLIND, 2: CHOICE}


def estimate(value=-7.0, low=-15.9, high=2.1, measure="risk_difference", **fields):
    unit = {"risk_difference": "percentage points", "mean_difference": "points"}.get(measure, "ratio")
    given = {"term": "treated_vs_control", "n_treated": 200, "n_control": 200, "unit": unit} | fields
    return Estimate(measure=measure, estimate=value, conf_low=low, conf_high=high, **given)


def result(head=None, method="rates", *, checks=(), estimand="att", **fields):
    given = {"analysis": "main", "role": "primary", "outcome": "reoffended"} | fields
    return Result(method=method, estimand=estimand, estimates=(head or estimate(),), checks=checks, **given)


def share(successes, trials, low, high):
    head = estimate(
        successes / trials, low, high, "proportion", term="proportion", n_treated=trials, n_control=None
    )
    return result(head, "proportion", estimand="descriptive")


def counts(before, after, low, high, term="rate_ratio", **columns):
    table = pd.DataFrame({"group": ["all"], "before": [before], "after": [after]} | columns)
    return result(
        estimate(after / before, low, high, "rate_ratio", term=term), "counts", detail={"counts": table}
    )


def did(*checks, head=None):
    return result(
        head or estimate(0.7, 0.5, 0.9, "rate_ratio", term="att"), "did", checks=checks, outcome="asb"
    )


UNITS = Check(name="comparison_units", statistic=20, passed=True)
TRENDS = Check(name="pre_trends", passed=True)
POWER = Check(name="pre_trend_power", passed=True)
FEW = Check(name="few_treated_clusters", passed=False)

LEVELS = [
    ("by lot", LOT, result(), (), 5, "high"),
    ("by lot, not registered", replace(LOT, assignment_registered=False), result(), (), 5, "moderate"),
    ("by lot, one area", replace(LOT, n_treated_areas=1), result(), (), 3, "low"),
    ("matched on prior offending, checks passed", MATCHED, result(), BALANCED, 4, "moderate"),
    ("matched on a column of earlier convictions",
     replace(MATCHED, history_names=(), design_covariates=("previous_convictions",)),
     result(), BALANCED, 4, "moderate"),
    ("matched without prior offending", BLIND, result(), BALANCED, 3, "low"),
    ("matched, balance failed", MATCHED, result(), UNBALANCED, 3, "low"),
    ("matched, balance not shown", MATCHED, result(), (), 3, "low"),
    ("matched, not registered", replace(MATCHED, assignment_registered=False), result(), BALANCED, 4, "low"),
    ("unmatched", replace(CHOICE, assignment_registered=True), result(), (), 2, "very low"),
    ("adjusted only", replace(CHOICE, adjusted_for=("age",), assignment_registered=True), result(), (), 3, "low"),
    ("a national rate", replace(MATCHED, national_comparison=True), result(), BALANCED, 2, "very low"),
    ("two groups, described", MATCHED, result(estimand="descriptive"), BALANCED, 1, "very low"),
    ("one group", ALONE, share(21, 26, 0.62, 0.92), (), 1, "very low"),
    ("one group in a trial", LOT, share(21, 26, 0.62, 0.92), (), 1, "very low"),
    ("before and after", LOT, counts(882, 805, 0.83, 1.01), (), 2, "very low"),
    ("before and after with another area", ALONE, counts(40, 30, 0.5, 1.1, "ratio_of_rate_ratios"), (), 3, "very low"),
    ("places, trends alike with power", MATCHED, did(UNITS, TRENDS, POWER), (), 4, "moderate"),
    ("places, breakdown of one", MATCHED, did(UNITS, Check(name="breakdown", statistic=1.0)), (), 4, "moderate"),
    ("places, breakdown below one", MATCHED, did(UNITS, Check(name="breakdown", statistic=0.9)), (), 3, "low"),
    ("places, trends without power", MATCHED, did(UNITS, TRENDS), (), 3, "low"),
    ("places, trends unlike", MATCHED,
     did(UNITS, Check(name="pre_trends", passed=False), Check(name="breakdown", statistic=2)), (), 3, "low"),
    ("two comparison places", MATCHED,
     did(Check(name="comparison_units", statistic=2), TRENDS, POWER), (), 3, "low"),
    ("one treated place", replace(MATCHED, n_treated_areas=1), did(UNITS, TRENDS, POWER), (), 3, "low"),
    ("few treated places", MATCHED, did(UNITS, TRENDS, POWER, FEW), (), 3, "low"),
    ("one series", MATCHED, result(estimate(0.8, 0.7, 0.9, "rate_ratio", term="level_change"), "interrupted",
                                   ), (), 3, "low"),
    ("one series, no comparison", replace(MATCHED, has_comparison=False),
     result(estimate(0.8, 0.7, 0.9, "rate_ratio", term="level_change"), "interrupted"), (), 2, "very low"),
    ("a synthetic comparison", MATCHED, result(method="synthetic_control"), (), 3, "low"),
    ("criteria of a pilot", LOT, result(method="progression"), (), 0, "not rated"),
    ("an appraisal", LOT, result(method="cost_benefit"), (), 0, "not rated"),
    ("an account of a result", replace(LOT, cost_kind="evaluation", cost_level=4), result(method="cost_benefit"),
     (), 4, "moderate"),
    ("pooled", replace(LOT, pooled_levels=(5, 4, 5)), result(method="meta"), (), 4, "moderate"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "facts", "found", "checks", "level", "certainty"), LEVELS)
def test_level_and_certainty(name, facts, found, checks, level, certainty):
    earned = evidence(facts, found, (), checks)
    assert (earned.level, earned.certainty) == (level, certainty), earned.reasons
    assert str(level) in earned.scale
    assert earned.reasons
    assert all(reason.endswith(".") and len(reason.split()) <= 25 for reason in earned.reasons)


@pytest.mark.parametrize("by", ["threshold", "choice", "area", "none", "unknown"])
def test_nothing_but_a_lot_earns_level_five(by):
    for found in (result(), did(UNITS, TRENDS, POWER)):
        assert evidence(replace(MATCHED, assignment_by=by), found, (), BALANCED).level <= 4


STEPS = [
    (LOT, result(checks=(Check(name="tests_disagree", passed=False),)), (), "disagree"),
    (LOT, result(checks=(Check(name="attrition", passed=False),)), (), "lost"),
    (LOT, result(checks=(Check(name="attrition", statistic=0.3),)), (), "lost"),
    (LOT, result(estimate(0.0, -12, 12)), (), "important harm"),
    (LOT, result(estimate(1.0, 0.7, 1.4, "risk_ratio")), (), "important harm"),
    (LOT, result(estimate(-7.0, None, None)), (), "No interval"),
    (LOT, result(checks=(Check(name="court_delay", passed=False), Check(name="series_break", passed=False))), (),
     "assumption failed"),
    (LOT, result(checks=(Check(name="pre_fit", passed=False),)), (), "did not follow"),
    (replace(LOT, self_reported=True), result(), (), "said of themselves"),
    (LOT, result(estimate(-7, -13, -1)), (result(estimate(-5, -11, 1), role="sensitivity"),), "disagree"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "found", "others", "why"), STEPS)
def test_each_reason_takes_certainty_one_step_down(facts, found, others, why):
    earned = evidence(facts, found, others)
    assert (earned.level, earned.certainty) == (5, "moderate")
    assert any(why in reason for reason in earned.reasons)


def test_a_failed_check_is_not_counted_twice():
    assert evidence(MATCHED, result(), (), UNBALANCED).certainty == "low"


def test_invented_data_earn_a_hypothetical_level():
    earned = evidence(replace(MATCHED, data_status="simulated"), result(), (), BALANCED)
    assert (earned.level, earned.hypothetical) == (4, True)
    assert "only what such a design would earn" in earned.reasons[0]
    assert "such a design" in earned.obligatory


def said(found, facts, *, label=LABEL, definition="", better="lower", checks=BALANCED, others=()):
    earned = evidence(facts, found, others, checks)
    return earned, statement(found, facts, earned, label, definition, better)


SENTENCES = [
    ("the Justice Data Lab example, level 5", result(), LOT, "16 fewer to 2 more"),
    ("the same, level 4", result(), MATCHED, "anything from 16 fewer to 2 more. The study is not precise"),
    ("the same, level 3", result(), BLIND, "Our best single estimate is 7 fewer."),
    ("clear, level 5", result(estimate(-9, -15.9, -2.4)), LOT,
     "Youth Work Plus reduced the number who reoffended by between 2 and 16."),
    ("harm, level 5", result(estimate(9, 2.4, 15.9)), LOT,
     "Youth Work Plus increased the number who reoffended by between 2 and 16."),
    ("clear, level 4", result(estimate(-9, -15.9, -2.4)), MATCHED,
     "probably between 2 and 16 fewer reoffended than would have without Youth Work Plus."),
    ("clear, level 3", result(estimate(-9, -15.9, -2.4)), BLIND,
     "between 2 and 16 fewer in every 100 reoffended than in the comparison group (similar young people)."),
    ("a limit that rounds to nought", result(estimate(-8.3, -16.6, -0.02)), LOT,
     "The result is not clear-cut. Out of every 100 people, the difference in how many reoffended could be anything "
     "from hardly any difference to 17 fewer."),
    ("inside the margin", result(estimate(0.2, -1.5, 1.9)), replace(LOT, margin=3.0),
     "is likely to be smaller than 3 in every 100, which the plan said would not matter."),
    ("one group", share(21, 26, 0.62125, 0.91494), ALONE, "21 of 26 (81%) reoffended. In a group this size, the "
     "underlying figure could lie anywhere in the range 62% to 92%."),
    ("a group under twenty", share(6, 8, 0.41, 0.93), ALONE, "6 of 8 reoffended. With so few people, no percentage"),
    ("an area", counts(882, 805, 0.829, 1.005), ALONE, "a fall of 9%; allowing for chance, the underlying "
     "change could lie between a fall of 17% and a rise of less than 1%."),
    ("a small base", counts(6, 14, 0.8, 7.0), ALONE, "from 6 to 14. With so few to start from, no percentage change"),
    ("two areas", counts(40, 30, 0.4, 0.9, "ratio_of_rate_ratios", comparison_before=[50], comparison_after=[50]),
     ALONE, "The counts went from 40 to 30, and in the comparison from 50 to 50."),
    ("a rate ratio has its rates beside it",
     result(estimate(0.8, 0.65, 0.97, "rate_ratio"),
            detail={"arms": pd.DataFrame({"arm": ["control", "treated"], "value": [1.0, 0.8]})}), MATCHED,
     "It was 80 for every 100 people in the programme group and 100 for every 100 people in the comparison group."),
    ("no interval", did(UNITS, FEW, head=estimate(0.7, None, None, "rate_ratio", term="att")), CHOICE,
     "30% lower. No range can be given for this figure, so it should not be relied on."),
    ("longer", result(estimate(2.4, 0.31, 4.4, "rmst_difference", unit="weeks"), "survival"), LOT,
     "lengthened the average time before the outcome “reoffended” by between 0.3 and 4.4 weeks."),
    ("a pilot", result(Estimate(term="met", measure="count", estimate=4, unit="of 6 criteria"), "progression"), ALONE,
     "4 of 6 criteria reached the target"),
    ("a plan", result(estimate(28.3, None, None, n_treated=45, n_control=45), "power"), ALONE,
     "With 45 people in each group, a difference of 28 or more in every 100 would usually be found"),
    ("pooled", result(estimate(-0.2, -0.35, -0.05, "log_risk_ratio"), "meta"), replace(ALONE, pooled_levels=(5, 5)),
     "the share who reoffended was between 5% and 30% lower in the programme groups."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "found", "facts", "fragment"), SENTENCES)
def test_sentences(name, found, facts, fragment):
    earned, stated = said(found, facts)
    assert fragment in stated.can_say
    assert earned.obligatory in stated.can_say


def test_one_group_says_what_is_not_known():
    _, stated = said(share(21, 26, 0.621, 0.915), ALONE)
    assert "what would have happened anyway" in stated.can_say
    assert "without Youth Work Plus" in stated.cannot_say


def test_the_definition_stands_in_the_sentence_with_the_figure():
    _, stated = said(result(), MATCHED, definition="At least one offence within 12 months.")
    assert "reoffended (at least one offence within 12 months) could be" in stated.can_say
    assert "reoffended (within 12 months) could be" in stated.headline


def test_what_makes_a_result_less_than_clear_is_said():
    disagree = (Check(name="tests_disagree", passed=False),)
    _, both = said(result(estimate(-8.3, -16.6, -0.02), checks=disagree), LOT)
    assert (
        "The range stops close to no difference and reasonable tests of the same thing disagree"
        in both.can_say
    )
    _, one = said(result(estimate(-8.3, -15.6, -1.2), checks=disagree), LOT)
    assert (
        "could be anything from 1 fewer to 16 fewer. Reasonable tests of the same thing disagree"
        in one.can_say
    )


def test_a_definition_in_brackets_stands_in_brackets_once():
    _, stated = said(result(), MATCHED, definition="As recorded (column arrest).")
    assert "reoffended (as recorded, column arrest) could be" in stated.can_say


def test_level_five_says_what_cannot_be_said_in_both_directions():
    _, clear = said(result(estimate(-9, -15.9, -2.4)), LOT)
    assert clear.cannot_say.startswith(
        "That Youth Work Plus increased the number who reoffended, or made no difference"
    )
    assert (clear.size_word, clear.certainty_word, clear.sense) == ("moderate", "high", "better")
    _, unclear = said(result(), LOT)
    assert "lowers, raises or makes no difference" in unclear.cannot_say
    assert "is not evidence that nothing changed" in unclear.cannot_say
    assert unclear.size_word == "cannot tell"


def test_a_ratio_of_costs_is_a_finding_from_level_four_on():
    head = Estimate(term="benefit_cost_ratio", measure="ratio", estimate=1.48, conf_low=0.6, conf_high=2.8)
    even = Estimate(term="break_even_impact", measure="switching_value", estimate=0.031, unit="per person")
    account = Result(method="cost_benefit", estimand="value", outcome="", estimates=(head, even))
    for level, shown in ((4, True), (3, False), (1, False)):
        _, stated = said(account, replace(ALONE, cost_kind="evaluation", cost_level=level))
        assert ("£1.50" in stated.can_say) is shown
        assert (
            "break-even" in stated.can_say
            and "the impact would have to be at least 0.031 per person" in stated.can_say
        ) is not shown
    _, appraisal = said(account, ALONE)
    assert "£0.60 to £2.80" in appraisal.can_say
    assert "£1.50" not in appraisal.can_say


@pytest.mark.parametrize(
    ("label", "without", "had"),
    [
        (
            "days to first reoffence",
            "had gone without “first reoffence”",
            "had the outcome “first reoffence”",
        ),
        ("reoffended", "had not reoffended", "reoffended"),
        ("were arrested", "had not been arrested", "were arrested"),
        ("were still without arrest", "were still without arrest", "were still without arrest"),
    ],
)
def test_a_share_who_went_without_an_event_is_not_told_as_one_who_had_it(label, without, had):
    for measure, words in (("survival_difference", without), ("risk_difference", had)):
        found = result(estimate(12, 3, 20, measure, unit="percentage points"), "survival")
        stated = statement(found, LOT, evidence(LOT, found), label)
        assert f"{PROGRAMME} increased the number who {words} by between 3 and 20" in stated.can_say


def test_an_account_that_lost_money_says_so():
    head = Estimate(term="benefit_cost_ratio", measure="ratio", estimate=-0.52, conf_low=-1.1, conf_high=0.2)
    account = Result(method="cost_benefit", estimand="value", outcome="", estimates=(head,))
    _, stated = said(account, replace(ALONE, cost_kind="evaluation", cost_level=5))
    assert "matched by about £0.52 of loss to public budgets (range −£1.10 to £0.20)" in stated.can_say


def test_a_rank_among_places_stands_where_no_range_can_be_given():
    floor = Check(name="randomisation_floor", statistic=1 / 9, passed=False)
    head = estimate(0.55, None, None, "rate_ratio", term="att", p_value=1 / 9)
    _, stated = said(did(UNITS, FEW, floor, head=head), replace(CHOICE, n_treated_areas=1))
    assert "each of the 9 possible choices of where it happened" in stated.can_say
    assert "none but the true one shows a change as large (1 of 9)" in stated.can_say
    assert stated.headline.endswith("No range can be given for this figure, so it should not be relied on.")


@pytest.mark.parametrize(("listed", "said_of"), [(51, "12 of 51"), (None, "12 of 50"), (5, "12 of 50")])
def test_the_places_are_counted_in_their_frame_where_it_holds_them_all(listed, said_of):
    """The floor beside them may have been coarsened on its way out: 1/51 is printed as 0.02."""
    floor = Check(name="randomisation_floor", statistic=0.02, passed=True)
    head = estimate(-3, None, None, "mean_difference", term="att", n_treated=1, p_value=12 / 51)
    frame = (
        {} if listed is None else {"placebo": pd.DataFrame({"unit": range(listed), "rank": range(listed)})}
    )
    _, stated = said(result(head, "synthetic_control", checks=(floor,), detail=frame), CHOICE)
    assert f"{said_of} show a change at least as large" in stated.can_say


def row(group, value, low, high, p_adjusted, term="rate_ratio"):
    return estimate(value, low, high, "rate_ratio", term=term, group=group, p_adjusted=p_adjusted)


TABLE = (
    row("All crime", 1.2, 1.15, 1.25, 0.001), row("Robbery", 1.3, 1.01, 1.7, 0.2),
    row("Theft", 0.8, 0.7, 0.9, 0.01), row("Arson", None, None, None, None),
)  # fmt: skip


def table(rows, **columns):
    names = [each.group for each in rows]
    frame = pd.DataFrame({"group": names, "before": 1000, "after": 1200} | columns)
    return replace(result(rows[0], "counts", detail={"counts": frame}), estimates=tuple(rows))


def test_a_table_of_counts_is_told_by_what_is_true_of_every_row():
    _, stated = said(table(TABLE), ALONE, label="crimes", definition=DEFINITION)
    assert stated.headline == (
        "Of the 4 rows for crimes (within 12 months, proven within 18), 1 rose, 1 fell and 1 cannot be told apart "
        "from no change, allowing for the number of rows; for 1 a count is missing, so nothing can be said."
    )
    assert "The table has each. All crime, for example: crimes went from 1,000 to 1,200" in stated.can_say
    assert stated.can_say.count(DEFINITION) == 1
    assert stated.direction == "not assessed"
    _, none = said(table(TABLE[1:2] * 2), ALONE)
    assert none.headline.startswith("None of the 2 rows")
    assert none.direction == "cannot tell"
    _, up = said(table(TABLE[:1] * 2), ALONE)
    assert up.direction == "higher"
    _, raw = said(table([replace(each, p_adjusted=None) for each in TABLE[:2]]), ALONE)
    assert "2 rose, none fell" in raw.headline
    assert "each row taken by itself" in raw.headline


def test_rows_set_against_a_comparison_are_told_together():
    found = table([replace(each, term="ratio_of_rate_ratios") for each in TABLE[:3]])
    _, stated = said(found, ALONE, label="crimes")
    assert stated.headline.startswith(
        "Of the 3 rows for crimes, 1 came out higher, 1 came out lower and 1 cannot"
    )
    assert "The first, for example, is All crime." in stated.can_say


def test_a_survey_of_several_questions_gives_the_range_of_shares_and_who_answered():
    rows = [
        estimate(value, value - 0.1, value + 0.1, "proportion", term="answered", group=name, n_treated=n)
        for name, value, n in (("goals", 0.57, 77), ("hope", 0.41, 81))
    ]
    answers = pd.DataFrame({"group": ["goals", "hope"], "invited": [165, 165]})
    found = replace(result(rows[0], "survey", detail={"answers": answers}), estimates=tuple(rows))
    _, stated = said(found, ALONE, label="said that it helped")
    assert stated.headline == (
        "Of those who answered (77 to 81 people, 47% to 49% of those asked, over 2 questions or groups), between 41% "
        "and 57% said that it helped."
    )
    assert "for the first, “goals”, it was 44 of 77 (57%)" in stated.can_say


def test_the_groups_of_a_result_on_everybody_do_not_take_its_place():
    both = (replace(TABLE[0], group="all"), *TABLE[1:])
    assert "rows for" not in said(table(both), ALONE)[1].can_say


def test_an_account_with_invented_inputs_is_illustrative_and_no_more():
    head = Estimate(term="benefit_cost_ratio", measure="ratio", estimate=0.4, conf_low=0.14, conf_high=1.0)
    account = Result(method="cost_benefit", estimand="value", outcome="", estimates=(head,))
    earned, stated = said(account, replace(ALONE, data_status="simulated"))
    assert stated.can_say.startswith("With illustrative inputs, each £1 of cost would go with benefits")
    assert "In these invented data" not in stated.can_say
    assert "Some of the inputs are invented" in stated.can_say
    assert stated.cannot_say.startswith("Anything about the real programme.")
    assert earned.hypothetical
    assert PROGRAMME not in stated.can_say
    assert decision(earned, stated).startswith("Decide nothing from these invented data")


def test_criteria_of_something_that_is_no_pilot_are_named_by_their_label():
    found = result(Estimate(term="met", measure="count", estimate=5, unit="of 8 criteria"), "progression")
    facts = replace(ALONE, pilot=False)
    earned, stated = said(found, facts, label="Criteria for using the score, set beforehand")
    assert stated.headline == "5 of 8 criteria for using the score, set beforehand, were met."
    assert "pilot" not in stated.can_say + decision(earned, stated, None, facts)
    assert "trial" not in " ".join(earned.reasons)
    assert "5 of 8 criteria were met." in said(found, facts)[1].can_say


def test_what_was_not_met_is_told_where_every_band_is_shown():
    met = Estimate(term="met", measure="count", estimate=1, unit="of 3 criteria")
    for bands, shown in ((["green", "amber", "red"], True), (["green", "amber", "[c]"], False)):
        _, stated = said(
            result(met, "progression", detail={"criteria": pd.DataFrame({"band": bands})}), ALONE
        )
        assert ("1 came between the two limits and 1 missed both" in stated.can_say) is shown


@pytest.mark.parametrize(
    "found", [result(estimate(-9, -15, -3)), counts(40, 30, 0.4, 0.9), share(21, 26, 0.6, 0.9)]
)
def test_where_no_programme_is_run_nothing_is_to_go_on(found):
    facts = replace(MATCHED, tested=False)
    text = decision(*said(found, facts), "lower", facts)
    assert "no programme was tested" in text
    assert "going on" not in text
    assert "go on" not in text


def test_places_are_not_asked_for_a_larger_study():
    text = decision(*said(counts(40, 30, 0.4, 1.9, "ratio_of_rate_ratios"), ALONE))
    assert "more places or a longer series" in text
    assert "go on" not in text


def test_a_clear_difference_of_unknown_sense_is_no_case_for_going_on():
    earned, stated = said(result(estimate(-9, -15.9, -2.4)), LOT, better=None)
    assert "which direction is the good one" in decision(earned, stated)


HAZARDS = [
    ("first arrest, at any moment of the year", "the rate of first arrest, at any moment of the year,"),
    ("reoffended", "the rate, at any moment, at which people reoffended,"),
    ("days_to_reoffence", "the rate, at any moment, of reoffence,"),
    ("weeks without arrest", "the rate, at any moment, of the event that ends “weeks without arrest”,"),
]


@pytest.mark.parametrize(("label", "figure"), HAZARDS)
def test_a_hazard_is_a_rate_at_any_moment(label, figure):
    arms = pd.DataFrame({"arm": ["treated", "control"], "value": [0.78, 0.69]})
    found = result(estimate(0.7, 0.5, 0.9, "hazard_ratio"), "survival", detail={"arms": arms})
    _, stated = said(found, LOT, label=label)
    assert f"reduced {figure} by between 10% and 50%" in stated.can_say
    assert "78% in the programme group and 69% in the comparison group went without it" in stated.can_say
    assert stated.sense == "better"


def test_odds_are_plural_and_so_are_pooled_studies():
    pooled = replace(ALONE, pooled_levels=(5, 5))
    _, clear = said(result(estimate(-0.3, -0.5, -0.1, "log_odds_ratio"), "meta"), pooled)
    assert "the odds of having reoffended were between 10% and 39% lower" in clear.can_say
    _, unclear = said(result(estimate(0, -0.2, 0.3, "log_odds_ratio"), "meta"), pooled)
    assert (
        "could be anything from 18% lower to 35% higher in the programme groups. The studies are not precise"
        in (unclear.can_say)
    )


def test_an_average_of_weeks_is_named_as_the_label_names_it():
    found = result(estimate(2.0, -0.3, 4.4, "mean_difference", unit="weeks"), "survival")
    _, stated = said(found, LOT, label="weeks without arrest, of 52")
    assert "the average number of weeks without arrest, of 52, by up to 0.3 weeks" in stated.can_say
    assert ",." not in stated.cannot_say


def test_a_point_of_a_series_stands_with_what_the_series_shows():
    for signals, words in (
        (0, "No point of the series stands out"),
        (2, "Some points of the series stand out"),
    ):
        check = Check(name="special_cause", statistic=signals)
        _, stated = said(result(estimate(12, 4, 20, "value"), "run_chart", checks=(check,)), ALONE)
        assert words in stated.can_say


def test_a_percentage_does_not_stand_without_its_counts():
    hidden = counts(882, 805, 0.829, 1.005)
    hidden.detail["counts"]["before"] = "[c]"
    _, stated = said(hidden, ALONE)
    assert "%" not in stated.can_say
    assert "no change is given" in stated.can_say


def test_a_ratio_of_shares_is_sized_by_the_shares():
    arms = pd.DataFrame({"arm": ["treated", "control"], "value": [0.30, 0.40]})
    _, stated = said(result(estimate(0.75, 0.6, 0.9, "risk_ratio"), detail={"arms": arms}), MATCHED)
    assert "It was 30% in the programme group and 40% in the comparison group." in stated.can_say
    assert stated.size_word == "moderate"


def test_a_margin_on_a_ratio():
    _, stated = said(result(estimate(1.0, 0.93, 1.07, "risk_ratio")), replace(LOT, margin=1.1))
    assert "is likely to be smaller than 10%, which the plan said would not matter" in stated.can_say


@pytest.mark.parametrize(
    ("method", "fragment"), [("progression", "criteria"), ("power", "a study of this size")]
)
def test_what_next_for_a_pilot_or_a_plan(method, fragment):
    assert fragment in decision(*said(result(method=method), ALONE))


def test_what_is_not_known_is_refused():
    with pytest.raises(Refused, match="no wording"):
        said(result(method="tarot"), ALONE)
    with pytest.raises(Refused, match="number who answered"):
        said(result(estimate(0.59, 0.5, 0.7, "proportion", n_treated=None), "survey"), ALONE)


MEASURES = {
    ("rates", "risk_difference"): [
        (-9, -15, -3),
        (9, 3, 15),
        (1, -8, 10),
        (-4, None, None),
        (0.1, 0.02, 0.2),
    ],
    ("rates", "mean_difference"): [(-2, -4, -0.5), (2, 0.5, 4), (0, -2, 2), (-3, None, None)],
    ("rates", "risk_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5), (0.9, None, None)],
    ("rates", "odds_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5)],
    ("rates", "rate_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5)],
    ("survival", "hazard_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5)],
    ("survival", "rmst_difference"): [(12, 3, 20), (-12, -20, -3), (0, -5, 6)],
    ("did", "rate_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5), (0.7, None, None)],
    ("did", "att"): [(-3, -5, -1), (3, 1, 5), (0, -2, 2)],
    ("counts", "rate_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5)],
    ("interrupted", "rate_ratio"): [(0.7, 0.5, 0.9), (1.4, 1.1, 1.8), (1, 0.6, 1.5)],
    ("interrupted", "mean_difference"): [(-3, -5, -1), (3, 1, 5), (0, -2, 2)],
    ("synthetic_control", "mean_difference"): [(-3, None, None), (3, 1, 5)],
    ("meta", "log_odds_ratio"): [(-0.3, -0.5, -0.1), (0.3, 0.1, 0.5), (0, -0.2, 0.3)],
    ("meta", "smd"): [(-0.3, -0.5, -0.1), (0, -0.2, 0.3)],
    ("proportion", "proportion"): [(0.8, 0.6, 0.9), (0.1, 0.0, 0.3)],
    ("survey", "proportion"): [(0.8, 0.6, 0.9)],
    ("funnel", "proportion"): [(0.8, 0.6, 0.9)],
    ("run_chart", "value"): [(12, 4, 20), (40, 4, 20)],
    ("progression", "count"): [(4, None, None)],
    ("power", "risk_difference"): [(20, None, None)],
    ("cost_benefit", "ratio"): [(1.5, 0.5, 3.0), (0.5, None, None)],
}
LABELS = ("reoffended", "proven reoffences", "were arrested within 52 weeks of release", "days_to_reoffence")
REFUSED = (
    r"(?:reduc|prevent|improv|caus|led to|work|sav|increas|decreas|lower|rais|help|cut|stop|change|prov|"
    r"lengthen|shorten)"
)


@cache
def every_statement():
    return list(_statements())


def _statements():
    for (method, measure), triples in MEASURES.items():
        for (value, low, high), label in itertools.product(triples, LABELS):
            term = (
                "att" if method == "did" else "ratio_of_rate_ratios" if label == LABELS[0] else "rate_ratio"
            )
            head = estimate(value, low, high, measure, term=term, n_treated=30)
            checks = (UNITS, TRENDS, POWER) if method == "did" else ()
            found = result(head, method, checks=checks)
            for facts, status in itertools.product(
                (*BY_LEVEL.values(), ALONE), ("real", "published", "simulated")
            ):
                facts = replace(
                    facts, data_status=status, cost_kind="evaluation", cost_level=5, pooled_levels=(5,)
                )
                earned, stated = said(found, facts, label=label, definition=DEFINITION)
                yield facts, earned, stated


def test_no_sentence_of_ours_says_more_than_its_level_allows():
    """Every method, measure, sign, label and level: the lint is silent, and below 5 the programme does nothing."""
    acts = re.compile(rf"{PROGRAMME}[\w\s,]*\b{REFUSED}", re.IGNORECASE)
    texts = {
        (text, earned.level, earned.level < 5 or facts.simulated)
        for facts, earned, stated in every_statement()
        for text in (
            stated.can_say,
            stated.cannot_say,
            stated.headline,
            decision(earned, stated),
            *earned.reasons,
        )
    }
    assert len(texts) > 1000
    assert not any(
        re.search(r"\d", re.sub(r"level \d", "", each)) for _, e, _ in every_statement() for each in e.reasons
    )
    for text, level, quiet in texts:
        assert lint(text, level, PROGRAMME) == [], text
        assert not re.search(
            r"no effect|not work|too small|signific|chance alone|by chance|trend toward", text
        ), text
        assert not re.search(r"  |\.\.|,[,.]|\bNone\b(?! of the)|\bnan\b", text), text
        if quiet:
            assert not acts.search(text), text


def test_the_definition_stands_once_and_in_its_shortest_form_in_the_headline():
    long = "an offence within 12 months, proven by a conviction or caution within 18 months of it"
    for label, short in (
        ("reoffended", "within 12 months, proven within 18"),
        ("were fined within 12 months", ""),
    ):
        for head in (estimate(-9, -15, -3), estimate(1, -8, 10)):
            _, stated = said(result(head), MATCHED, label=label, definition=long)
            assert stated.can_say.count(long) == 1
            assert long not in stated.headline
            assert short in stated.headline
            assert short or "(proven within 18 months)" in stated.headline


def test_invented_data_never_speak_of_the_real_programme():
    for facts, earned, stated in every_statement():
        if facts.simulated:
            about_data = earned.basis != "power"
            assert stated.can_say.startswith("In these invented data, ") is about_data
            assert PROGRAMME not in stated.can_say + stated.headline
            assert "probably" not in stated.can_say or not about_data
            assert stated.cannot_say.startswith("Anything about the real programme.") is about_data


def several_and_special():
    """What the grid leaves out: several rows, accounts that are plans, criteria of no pilot, no programme."""
    accounts = [result(estimate(1.5, 0.5, 3.0, "ratio"), "cost_benefit")]
    criteria = [
        result(Estimate(term="met", measure="count", estimate=5, unit="of 8 criteria"), "progression")
    ]
    tables = [table(TABLE), table([replace(each, term="ratio_of_rate_ratios") for each in TABLE])]
    grouped = [replace(each, estimates=each.estimates * 2) for each in (share(21, 26, 0.6, 0.9), result())]
    for found, status, label in itertools.product(
        (*accounts, *criteria, *tables, *grouped), ("real", "published", "simulated"), LABELS[:2]
    ):
        for facts in (*BY_LEVEL.values(), ALONE):
            facts = replace(facts, data_status=status, pilot=False, tested=False)
            earned, stated = said(found, facts, label=label, definition=DEFINITION)
            yield facts, earned, stated


def test_several_rows_and_special_cases_keep_every_rule():
    acts = re.compile(rf"{PROGRAMME}[\w\s,]*\b{REFUSED}", re.IGNORECASE)
    for facts, earned, stated in several_and_special():
        texts = (stated.can_say, stated.cannot_say, stated.headline, decision(earned, stated, None, facts))
        for text in (*texts, *earned.reasons):
            assert lint(text, earned.level, PROGRAMME) == [], text
            assert not re.search(r"  |\.\.|,[,.]|\bnan\b|signific|chance alone|too small", text), text
            assert earned.level == 5 or not acts.search(text), text
        assert decision(earned, stated, None, facts).count(".") == 1
        if facts.simulated:
            assert stated.can_say.startswith(("In these invented data, ", "With illustrative inputs, "))
            assert PROGRAMME not in stated.can_say + stated.headline


LINT = [
    ("Youth Work Plus reduced anti-social behaviour.", 4, "makes the programme the cause"),
    ("Youth Work Plus probably reduced anti-social behaviour.", 4, None),
    ("Youth Work Plus reduced anti-social behaviour.", 5, None),
    ("Youth Work Plus probably reduced anti-social behaviour.", 3, "makes the programme the cause"),
    ("The programme did not improve attendance.", 3, "makes the programme the cause"),
    ("The programme has clearly been effective.", 2, "makes the programme the cause"),
    ("Youth Work Plus had a big impact.", 2, "makes the programme the cause"),
    ("Youth Work Plus worked with 20 young people.", 0, None),
    ("Youth Work Plus works.", 1, "makes the programme the cause"),
    ("Fewer came to notice than without Youth Work Plus.", 3, None),
    ("Incidents fell after the start of Youth Work Plus.", 2, None),
    ("The fall is due to better policing.", 3, "names a cause"),
    ("This is a proven programme.", 5, "claims proof"),
    ("It has been proven to help.", 5, "claims proof"),
    ("They had a first proven reoffence later.", 1, None),
    ("There was a huge fall.", 5, "superlative"),
    ("The success rate was 80%.", 5, "success"),
    ("The difference was significant.", 5, "stands alone"),
    ("The difference was statistically clear (2% to 16%).", 5, None),
    ("There was a trend towards lower rates.", 5, "dresses up"),
    ("The result was not quite significant.", 5, "dresses up"),
    ("There was no effect on reoffending.", 5, "nil"),
    ("The change is down to chance alone.", 5, "chance"),
    ("There is a 95% chance that it lies there.", 5, "chance"),
    ("Allowing for chance, the underlying change could lie between a fall of 3% and a rise of 2%.", 1, None),
    ("The study was too small to tell.", 5, "precise enough"),
    ("It had the fifth worst rate.", 5, "ranks"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "level", "finding"), LINT)
def test_lint(text, level, finding):
    found = lint(text, level, PROGRAMME)
    if finding is None:
        assert found == []
    else:
        assert any(finding in each for each in found)


def test_lint_finds_nothing_in_the_names_of_programmes():
    assert lint("Reduce (and more) delivered 12 sessions. It ran from May.", 0, "Reduce (and more)") == []
    assert lint("", 0, "") == []


def test_each_level_has_its_verbs_and_its_sentence():
    for level in range(6):
        assert allowed_verbs(level)
        assert refused_verbs(level)
        assert obligatory_sentence(level, "all else was equal").endswith(".")
    assert "that all else was equal;" in obligatory_sentence(4, "all else was equal")


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (-15, "large"),
        (14.9, "moderate"),
        (8, "moderate"),
        (-3, "small"),
        (2.9, "little or none"),
        (None, "not rated"),
    ],
)
def test_size(points, word):
    assert size_word(points) == word


def test_what_next_is_one_sentence():
    seen = set()
    for _, earned, stated in every_statement():
        text = decision(earned, stated)
        assert text.count(".") == 1
        seen.add(text)
    assert len(seen) >= 6


def test_records_are_ready_for_json():
    earned, stated = said(result(), MATCHED)
    assert earned.to_dict()["reasons"] == list(earned.reasons)
    assert stated.to_dict()["can_say"] == stated.can_say


def told(found, facts, **fields):
    earned, stated = said(found, facts, **fields)
    return Told(analysis="main", facts=facts, evidence=earned, statement=stated)


LEADS = [
    (share(21, 26, 0.6, 0.9), ALONE, "That cannot be told from one group. "),
    (counts(40, 30, 0.4, 0.9), ALONE, "That cannot be told from a change over time with nothing to compare it with. "),
    (counts(40, 30, 0.4, 0.9), replace(ALONE, tested=False), "No programme was tested here. "),
    (result(), CHOICE, "That cannot be told from groups that were not set up to be compared. "),
    (result(estimate(-9, -15, -3)), BLIND, "That is not settled, because the comparison has a weakness that could "),
    (result(estimate(-9, -15, -3)), LOT, ""),
    (result(), BLIND, ""),
    (result(estimate(12, 4, 20, "value"), "run_chart"), ALONE, "That cannot be told from one series. "),
    (result(method="progression"), ALONE, "This study was not made to answer that. "),
]  # fmt: skip


@pytest.mark.parametrize(("found", "facts", "start"), LEADS)
def test_a_design_that_cannot_tell_says_so_before_its_finding(found, facts, start):
    lead = _lead(found.method, told(found, facts))
    assert lead.startswith(start)
    assert bool(lead) is bool(start)
    assert lint(lead, told(found, facts).evidence.level, PROGRAMME) == []


@pytest.mark.parametrize(
    ("measure", "better", "headline", "good"),
    [
        ("binary", "lower", "hazard_ratio", "lower"),
        ("binary", "lower", "survival_difference", "higher"),
        ("binary", "lower", "risk_difference", "lower"),
        ("time_to_first", "higher", "risk_difference", "lower"),
        ("binary", "lower", "mean_difference", "higher"),
        ("duration", "higher", "hazard_ratio", "lower"),
        ("time_to_first", "higher", "mean_difference", "higher"),
        ("binary", "higher", "hazard_ratio", "higher"),
        ("binary", None, "hazard_ratio", None),
    ],
)
def test_a_longer_time_before_an_offence_is_better_and_a_higher_rate_is_worse(
    measure, better, headline, good
):
    outcome = Outcome(name="reoffended", measure=measure, better=better)
    found = result(estimate(0.8, 0.7, 0.9, headline), "survival")
    assert better_of(outcome, found) == good
    assert better_of(outcome, result()) == better


def test_one_day_is_a_day():
    found = result(estimate(15, -1.2, 30, "rmst_difference", unit="days"), "survival")
    stated = statement(found, LOT, evidence(LOT, found), "days to first reoffence")
    assert "by up to 1 day," in stated.can_say
    assert "from 1 day shorter to 30 days longer" in stated.can_say
