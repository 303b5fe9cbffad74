"""Certainty in a word: a ceiling for each level, one step down for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evalkit.claims.shapes import Facts
from evalkit.results import Check, Estimate, Result

WORDS = ("very low", "low", "moderate", "high")
CEILINGS = {1: 0, 2: 0, 3: 1, 4: 2, 5: 3}
RATIO_HARM, RATIO_BENEFIT = 1.25, 0.8
RATIOS = (
    "risk_ratio",
    "odds_ratio",
    "rate_ratio",
    "hazard_ratio",
    "ratio_of_rate_ratios",
    "incidence_rate_ratio",
)
LOG_RATIOS = ("log_odds_ratio", "log_risk_ratio", "log_rate_ratio", "log_hazard_ratio")
ATTRITION = 0.20
DISAGREE = "Reasonable tests of the same thing disagree."
_ASSUMPTIONS = {
    "pre_trends": "the groups were already changing differently before the start",
    "overlap": "some people have nobody like them in the other group",
    "extreme_weights": "a few people carry much of the weight",
    "proportional_hazards": "the ratio of the two rates changes over time",
    "series_break": "the way of recording changed",
    "unequal_bases": "the two sides start from very different counts",
    "heavy_tail": "a few people with very large values decide the difference",
    "few_treated_clusters": "too few places took part",
    "few_clusters": "there are too few places or groups",
    "regression_to_the_mean": "the place or the people were chosen at a high point, after which a fall is usual",
    "immortal_time": "time before the start was counted on one side only",
    "court_delay": "the courts took longer on one side or in one period",
    "start_inside_window": "the programme began inside the period that was counted",
    "overdispersion": "the counts vary more than the method assumes",
    "pre_fit": "the mixture of other places did not follow the place closely before the start",
    "placebo_start": "starts that never happened show changes as well",
    "response_rate": "too few of those asked answered",
    "containment": "the comparison area contains the area itself",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """A level and what it stands on. `spent`: checks that have lowered the level already, not counted twice."""

    level: int
    reasons: tuple[str, ...] = ()
    assumption: str = ""
    unmatched: bool = False
    described: bool = False
    spent: frozenset[str] = frozenset()

    def lowered(self, level: int, reason: str) -> Grounds:
        return replace(self, level=level, reasons=(*self.reasons, reason))


def certainty(
    facts: Facts,
    result: Result,
    others: Sequence[Result],
    design_checks: Sequence[Check],
    grounds: Grounds,
) -> tuple[str, tuple[str, ...]]:
    """The word for how sure one can be, and the sentences that lowered it."""
    if grounds.level == 0:
        return "not rated", ()
    checks = (*design_checks, *result.checks)
    steps = [
        _attrition(checks),
        _registered(facts),
        _wide(facts, result),
        "The outcome is what people said of themselves." if facts.self_reported else "",
        _assumptions(checks, grounds),
        _disagreement(result, others),
    ]
    said = tuple(step for step in steps if step)
    return WORDS[max(0, CEILINGS[grounds.level] - len(said))], said


def _attrition(checks: Sequence[Check]) -> str:
    for check in checks:
        lost = check.passed is False or (check.passed is None and (check.statistic or 0) > ATTRITION)
        if check.name == "attrition" and lost:
            return (
                "Many people were lost before the outcome was known, or more on one side than on the other."
            )
    return ""


def _registered(facts: Facts) -> str:
    if facts.assignment_registered:
        return ""
    return "The main measure was not registered before the data were seen."


def _wide(facts: Facts, result: Result) -> str:
    if result.method in ("proportion", "survey", "run_chart", "risk_score"):
        return ""
    head = result.headline
    if head.estimate is not None and (head.conf_low is None or head.conf_high is None):
        return "No interval can be given, so its precision is not known."
    if head.conf_low is not None and _both_ways(facts, head):
        return "The range runs from an important benefit to an important harm."
    return ""


def _both_ways(facts: Facts, head: Estimate) -> bool:
    low, high = head.conf_low, head.conf_high
    if head.measure in RATIOS:
        return low < RATIO_BENEFIT and high > RATIO_HARM
    if head.measure == "risk_difference":
        return low < -facts.important and high > facts.important
    return False


def _assumptions(checks: Sequence[Check], grounds: Grounds) -> str:
    failed = [
        words
        for name, words in _ASSUMPTIONS.items()
        if name not in grounds.spent and any(check.name == name and check.passed is False for check in checks)
    ]
    if not failed:
        return ""
    return "An assumption failed its check: " + "; ".join(failed) + "."


def _disagreement(result: Result, others: Sequence[Result]) -> str:
    check = result.check("tests_disagree")
    said = check is not None and check.passed is False
    mine = excludes_null(result.headline)
    answers = {
        excludes_null(each.headline) for each in others if each.role == "sensitivity" and each is not result
    }
    if said or (mine is not None and (not mine) in answers):
        return DISAGREE
    return ""


def excludes_null(head: Estimate) -> bool | None:
    """Whether the interval leaves out "no difference"; None where there is no interval or nothing to compare."""
    compared = (
        head.measure in RATIOS + LOG_RATIOS
        or "difference" in head.measure
        or head.measure == "smd"
        or head.term == "att"
    )
    if not compared or head.conf_low is None or head.conf_high is None:
        return None
    null = 1.0 if head.measure in RATIOS else 0.0
    return head.conf_low > null or head.conf_high < null
