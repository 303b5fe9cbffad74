"""The evidence level of a result, 0 to 5, and its certainty: computed from assignment, data and checks, never declared.

A comparison of unmatched groups, or with a national figure, is level 2: without adjustment it is no better than a
before-and-after on the reading of the Maryland scale by What Works Growth. Level 3 is a comparison with a design
behind it that did not earn level 4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from evalkit.claims.certainty import Grounds, certainty
from evalkit.claims.shapes import Evidence, Facts
from evalkit.claims.verbs import obligatory_sentence
from evalkit.results import Check, Result

COMPARES_PEOPLE = ("rates", "survival")
ACTIVITY = {"funnel": "activity", "progression": "whether a trial can be run", "power": "a plan"}
DESCRIBES = {"proportion": "one group", "survey": "those who answered", "run_chart": "one series"}
SEVERAL = (
    3  # comparison places: with one or two, what happened to them cannot be told from what usually happens
)
_PRIOR = re.compile(
    r"(prior|previous|past|history|pre).*(offen|convict|arrest|crim|caution)"
    r"|(offen|convict|arrest|crim|caution).*(prior|previous|past|history|before)|\Aprio(rs?)?\Z",
    re.IGNORECASE,
)
SCALES = {
    0: "Level 0 of 5: a record of activity or a plan; below the Maryland scale",
    1: "Level 1 of 5: one group, described; 1 on the Maryland scale",
    2: "Level 2 of 5: before and after without a comparison; 1 on the Maryland scale as What Works Growth reads it "
    "(2 in its original form)",
    3: "Level 3 of 5: a comparison with a weakness that could explain the result; about 2 on the Maryland scale as "
    "What Works Growth reads it",
    4: "Level 4 of 5: a comparison whose checks were passed; about 3 on the Maryland scale as What Works Growth "
    "reads it",
    5: "Level 5 of 5: chosen by lot; 5 on the Maryland scale",
}
UNMATCHED = (
    "Level 2 of 5: a comparison that was not matched or adjusted; at most 2 on the Maryland scale as What Works "
    "Growth reads it"
)


def evidence(
    facts: Facts,
    primary: Result,
    others: Sequence[Result] = (),
    design_checks: Sequence[Check] = (),
) -> Evidence:
    """The level and certainty of `primary`, and why.

    Parameters
    ----------
    facts
        What is known of the study before any number is read.
    primary
        Any analysis: call this for each, since a share of one group and a matched comparison in the same study do
        not carry the same weight.
    others
        The other results, looked at for tests that disagree.
    design_checks
        Checks of the design that the comparison stands on.

    Returns
    -------
    Evidence
        `level` 0 to 5, `certainty` in a word, `reasons` in sentences, and the `assumption` it rests on.

    Notes
    -----
    Level 1: one group; 2: before and after, or groups that were not made alike; 3: a comparison with a weakness; 4: one
    whose checks were passed; 5: chosen by lot. It is computed from assignment, data and checks, never declared.
    """
    facts = as_told(facts, primary)
    grounds = _capped(facts, primary, _level(facts, primary, design_checks))
    word, steps = certainty(facts, primary, others, design_checks, grounds)
    return Evidence(
        level=grounds.level,
        scale=UNMATCHED if grounds.level == 2 and grounds.unmatched else SCALES[grounds.level],
        certainty=word,
        reasons=(*_invented(facts, primary), *grounds.reasons, *steps),
        assumption=grounds.assumption,
        hypothetical=facts.simulated,
        obligatory=obligatory_sentence(
            grounds.level, grounds.assumption, kind=_kind(facts, primary, grounds)
        ),
        basis=primary.method,
    )


def _invented(facts: Facts, result: Result) -> tuple[str, ...]:
    if not facts.simulated:
        return ()
    if result.method == "cost_benefit" and facts.cost_kind == "appraisal":
        return ("Some of the inputs are invented, so nothing here is a finding about the real programme.",)
    return ("The data are invented: this is only what such a design would earn.",)


def as_told(facts: Facts, result: Result) -> Facts:
    """A power calculation rests on no data, so that invented data beside it change nothing."""
    return replace(facts, data_status="published") if result.method == "power" else facts


def _kind(facts: Facts, result: Result, grounds: Grounds) -> str:
    if facts.simulated and result.method == "cost_benefit" and facts.cost_kind == "appraisal":
        return "illustrative"
    if facts.simulated:
        return "invented"
    if grounds.level == 0 and result.method in ("power", "cost_benefit"):
        return "plan"
    if grounds.unmatched:
        return "unmatched"
    if grounds.level == 3 and result.method in ("counts", "did", "interrupted", "synthetic_control"):
        return "places"
    if grounds.level == 2 and (facts.chosen_when_high is False or not facts.tested):
        return "not_chosen"
    if result.method == "risk_score":
        return "score"
    return "described" if grounds.described else ""


def _level(facts: Facts, result: Result, design_checks: Sequence[Check]) -> Grounds:
    method = result.method
    if method == "progression" and not facts.pilot:
        return Grounds(
            level=0,
            reasons=("This analysis checks criteria that were set beforehand; it is not about results.",),
        )
    if method in ACTIVITY:
        return Grounds(level=0, reasons=(f"This analysis is about {ACTIVITY[method]}, not about results.",))
    if method in DESCRIBES:
        return Grounds(level=1, reasons=(f"It describes {DESCRIBES[method]}; nobody was compared.",))
    if method == "risk_score":
        reason = "It describes how often a score was right; what its use would change was not looked at."
        return Grounds(level=1, reasons=(reason,))
    if method == "cost_benefit":
        return _account(facts)
    if method == "meta":
        return _pooled(facts)
    if method in COMPARES_PEOPLE:
        return _people(facts, result, design_checks)
    return _places(facts, result)


def _account(facts: Facts) -> Grounds:
    if facts.cost_kind == "appraisal":
        return Grounds(
            level=0, reasons=("The account is an appraisal: a plan of what might be, not a finding.",)
        )
    reason = f"The account is as strong as the result it takes its impact from: level {facts.cost_level}."
    return Grounds(
        level=facts.cost_level,
        reasons=(reason,),
        assumption="the costs and unit values are as entered",
        unmatched=facts.cost_unmatched,
    )


def _pooled(facts: Facts) -> Grounds:
    level = min(facts.pooled_levels, default=3)
    if not facts.pooled_levels:
        reason = "The levels of the pooled studies are not known, so the average is taken as level 3."
    else:
        reason = f"An average is as strong as the weakest of the studies in it: level {level}."
    return Grounds(level=level, reasons=(reason,), assumption="the pooled studies ask the same question")


def _people(facts: Facts, result: Result, design_checks: Sequence[Check]) -> Grounds:
    if not facts.has_comparison:
        return Grounds(level=1, reasons=("There was one group and nobody to compare it with.",))
    if result.estimand == "descriptive":
        reason = "The two groups are described side by side; the study was not set up to compare them."
        return Grounds(level=1, reasons=(reason,), described=True)
    if facts.assignment_by == "randomised":
        return Grounds(level=5, reasons=("People were put in one group or the other by lot.",))
    if facts.national_comparison:
        return Grounds(level=2, reasons=("The comparison is a national figure.",), unmatched=True)
    if facts.design_method == "none" and (facts.adjusted_for or facts.design_covariates):
        reason = "Differences between the groups were adjusted for, and it was not shown that the groups were alike."
        return Grounds(level=3, reasons=(reason,), assumption="nothing else that matters differed")
    if facts.design_method == "none":
        reason = "The two groups were not matched or weighted to be alike."
        return Grounds(level=2, reasons=(reason,), unmatched=True)
    return _matched(facts, (*design_checks, *result.checks))


def _matched(facts: Facts, checks: Sequence[Check]) -> Grounds:
    reasons = ["People were compared with others chosen or weighted to be alike."]
    faults = []
    if not prior_offending(facts):
        faults.append("Earlier offending was not among the things they were matched on.")
    for name, words in (
        ("balance", "alike after matching"),
        ("overlap", "alike enough to be compared at all"),
    ):
        passed = [check.passed for check in checks if check.name == name]
        if not passed or None in passed:
            faults.append(f"It was not shown that the groups were {words}.")
        elif False in passed:
            faults.append(f"The check that the groups were {words} was not passed.")
    if any(check.name == "extreme_weights" and check.passed is False for check in checks):
        faults.append("A few people carry much of the weight.")
    return Grounds(
        level=3 if faults else 4,
        reasons=(*reasons, *faults),
        assumption="the two groups differed in nothing that matters but the things they were matched on",
        spent=frozenset({"balance", "overlap", "extreme_weights"}),
    )


def prior_offending(facts: Facts) -> bool:
    """Whether the comparison was built on earlier offending."""
    return any(name in facts.history_names or _PRIOR.search(name) for name in facts.design_covariates)


def _places(facts: Facts, result: Result) -> Grounds:
    method, term = result.method, result.headline.term
    compared = method in ("did", "synthetic_control") or term.startswith("ratio_of")
    if method == "interrupted" and facts.has_comparison:
        compared = True
    if not compared:
        return Grounds(level=2, reasons=("It compares before with after, and nothing else.",))
    if facts.assignment_by == "randomised" and method == "did":
        return Grounds(level=5, reasons=("Which places or people came first was decided by lot.",))
    reasons = ("The change is compared with the change elsewhere.",)
    assumption = "the two would have changed alike without the programme"
    if method == "did":
        faults, spent = _did_faults(result)
        return Grounds(
            level=3 if faults else 4,
            reasons=(*reasons, *faults),
            assumption=assumption,
            spent=frozenset(spent),
        )
    fault = {
        "counts": "Two counts in each place cannot show whether the places were changing alike before.",
        "synthetic_control": "One place is compared with a mixture of others.",
    }.get(method, "The comparison is one series, even where several places are added up in it.")
    return Grounds(level=3, reasons=(*reasons, fault), assumption=assumption)


def _did_faults(result: Result) -> tuple[list[str], set[str]]:
    faults, spent = [], set()
    units = result.check("comparison_units")
    if units is None or not (units.passed if units.passed is not None else (units.statistic or 0) >= SEVERAL):
        faults.append("There are not several places or groups to compare with.")
        spent.add("comparison_units")
    trends, power, bound = (result.check(name) for name in ("pre_trends", "pre_trend_power", "breakdown"))
    robust = bound is not None and (bound.statistic or 0) >= 1
    powered = trends is not None and trends.passed is True and power is not None and power.passed is True
    if trends is not None and trends.passed is False:
        faults.append("The two were already changing differently before the start.")
        spent.add("pre_trends")
    elif not (powered or robust):
        faults.append(
            "It was not shown, with enough data to tell, that the two were changing alike before the start."
        )
        spent |= {"pre_trend_power", "breakdown"}
    for name in ("few_treated_clusters", "few_clusters"):
        check = result.check(name)
        if check is not None and check.passed is False:
            faults.append("Too few places took part to tell a change from the usual ups and downs.")
            spent |= {"few_treated_clusters", "few_clusters"}
            break
    return faults, spent


def _capped(facts: Facts, result: Result, grounds: Grounds) -> Grounds:
    check = result.check("regression_to_the_mean")
    said_already = check is not None and check.passed is False
    high = facts.chosen_when_high and facts.assignment_by != "randomised" and 1 < grounds.level < 5
    if high and not said_already:
        grounds = grounds.lowered(
            grounds.level, "The people or places were chosen at a high point, after which a fall is usual."
        )
    if facts.n_treated_areas == 1 and grounds.level > 3:
        return grounds.lowered(3, "Only one area had the programme.")
    return grounds
