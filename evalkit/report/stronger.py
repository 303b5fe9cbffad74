"""What would make the evidence stronger, in a commissioner's words.

A check's own next step speaks to the analyst, and names options; the annex has it. Here each check that was failed, or
that only informs, is turned into something that somebody could go and collect, record or ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.report.output import Output
from evalkit.report.words import escape, sentence
from evalkit.results import Check, Result

MORE_PEOPLE = (
    "Include more people: to halve the width of a range takes about four times as many. Every person counts for "
    "much while there are few."
)
MORE_COUNTS = (
    "Count over a longer time, or over more places: to halve the width of a range takes about four times as many "
    "events."
)
OF_COUNTS = ("counts", "interrupted", "did", "synthetic_control", "run_chart")
MORE_MONTHS = "Collect figures for more months, above all from before the start."
MORE_PLACES = "Add comparison places, so that what happened to one of them cannot decide the answer."
CLOSER = "Record more about each person beforehand, in both groups, so that like is compared with like."
UNRECORDED = "Record what else could explain a difference, such as motivation or housing, for both groups."
ALIKE = "Find a comparison group that holds more people like those on the programme."
FOLLOW = "Follow up those who were lost, and say who could not be followed and why."
PRICES = "Replace the unit costs and rates that are old or unverified with those of a current edition."
ONE_RULE = "Use figures that were recorded under one rule throughout."
COUNTS = "Ask the source for the counts behind its figures."
OFTEN = "Collect the figures month by month: they show how far a count moves by itself."
STAGES = "Account for every person at every stage: going on, finished, left, or not known."

BY_LEVEL = {
    1: "Record the same things, in the same way, for similar people who do not take part.",
    2: "Compare with places or people where nothing was started, over the same months.",
    3: "Record what both groups were like beforehand, above all earlier offending, or use several comparison places "
    "with a longer run of figures before the start.",
    4: "Where more people want a place than there are places, let chance decide who gets one.",
    5: "Repeat it with other people and in other places.",
}
BY_CHECK = {
    "small_counts": MORE_PEOPLE, "enough_reoffenders": MORE_PEOPLE, "few_events": MORE_PEOPLE, "power": MORE_PEOPLE,
    "normal_approximation": MORE_PEOPLE,
    "balance": ALIKE, "overlap": ALIKE, "extreme_weights": ALIKE, "court_delay":
    "Compare people whose cases took courts about as long, or wait until the slower cases are heard.",
    "heavy_tail": MORE_PEOPLE, "attrition": FOLLOW, "missing": FOLLOW, "imputation": FOLLOW,
    "e_value": UNRECORDED, "hidden_bias": UNRECORDED, "ties": CLOSER, "tie_orders": CLOSER,
    "pre_trends": "Look for comparison places that were changing in the same way before the start.",
    "pre_trend_power": MORE_MONTHS, "breakdown": MORE_MONTHS, "few_points_before": MORE_MONTHS,
    "few_points_after": MORE_MONTHS, "few_points": MORE_MONTHS, "pre_fit": MORE_MONTHS,
    "few_treated_clusters": MORE_PLACES, "few_clusters": MORE_PLACES, "comparison_units": MORE_PLACES,
    "randomisation_floor": MORE_PLACES, "jackknife": MORE_PLACES, "cluster": MORE_PLACES,
    "regression_to_the_mean":
    "Collect several years of figures from before the start: they show how high the place usually is.",
    "start_inside_window": "Count again over whole periods before and after the start.",
    "containment": "Take the programme's own area out of the figures for the area that it is compared with.",
    "overdispersion": OFTEN,
    "special_cause": "Ask what happened at the points that stand out, before anything is changed.",
    "series_break": ONE_RULE, "recording": ONE_RULE, "detection":
    "Use an outcome that the programme's own attention does not help to record.",
    "conservation": STAGES, "unaccounted": STAGES,
    "response_rate": "Ask those who did not answer, and say who they are.",
    "possible_percentages": COUNTS, "missing_counts": COUNTS,
    "unverified_parameters": PRICES, "unit_cost_age": PRICES, "forecast_deflator": PRICES,
    "cashable_average_costs": "Ask the finance officers of each payer which savings would set money free.",
    "tests_disagree": "Collect more: reasonable tests of these figures disagree.",
    "few_studies": "Look for studies with dull results: they are the least likely to have been published.",
    "preset_limits": "Mend the score, or do without it, until it keeps within the limits that were set beforehand.",
    "heterogeneity": "Ask what differed between the studies, before anything rests on their average.",
}  # fmt: skip


def next_steps(output: Output) -> str:
    """What to collect, record or ask for, in the order of the question, the design and the checks."""
    steps = list(dict.fromkeys([*_design(output), *_checks(output)]))
    if not steps:
        return "Nothing that the checks of this study could name.\n"
    return "\n".join(f"- {escape(sentence(step))}" for step in steps) + "\n"


def _design(output: Output) -> list[str]:
    main = output.statement(output.primary.analysis) if output.primary else {}
    assignment = output.get("about", "assignment") or {}
    steps = [MORE_PEOPLE] if main.get("size_word") == "cannot tell" and _of_people(output) else []
    if output.primary and output.level(output.primary.analysis) in BY_LEVEL:
        steps.append(BY_LEVEL[output.level(output.primary.analysis)])
    if output.primary and not assignment.get("registered"):
        steps.append(
            "Publish the question, the main measure and the plan before anybody sees the next figures."
        )
    return steps


def _of_people(output: Output) -> bool:
    return output.primary is not None and output.primary.method in ("rates", "proportion", "survival")


def _checks(output: Output) -> list[str]:
    """The main analysis first; of the others only what they failed."""
    results = sorted(output.results, key=lambda each: each.role != "primary")
    found = [_step(c, r, main=r.role == "primary") for r in results for c in r.checks]
    return [step for step in found if step]


def _step(check: Check, result: Result, *, main: bool) -> str:
    if check.passed is True or not check.next_step or (check.passed is None and not main):
        return ""
    # A step with an option's name in it speaks to the analyst, who reads the annex.
    plain = check.next_step if check.passed is False and "`" not in check.next_step else ""
    step = BY_CHECK.get(check.name, plain)
    return MORE_COUNTS if step == MORE_PEOPLE and result.method in OF_COUNTS else step


PARTS: Sequence[str] = ("next_steps",)
