"""The generated parts of the commissioner's report: what was found, how sure, for whom, at what cost, what next.

Every sentence comes from results.json. Where something is missing, the part says so and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.report.front import box
from evalkit.report.output import Output
from evalkit.report.scores import accuracy_table, group_part
from evalkit.report.tables import (
    VERDICT,
    Column,
    arms_table,
    criteria_table,
    estimates_table,
    flow_table,
    headline_only,
    table,
)  # fmt: skip
from evalkit.report.words import check_words, count, day, escape, plain_words, sentence, unticked
from evalkit.results import Check, Result

LEVELS = {
    0: "Activity or plan only",
    1: "One group, with nothing to compare it with",
    2: "One group or area, before and after",
    3: "A comparison, but a weak one",
    4: "A matched or adjusted comparison that passed its checks",
    5: "A randomised comparison",
}
MOST_CHECKS = 6
ASSIGNED = {
    "randomised": "Chance: people were randomised",
    "threshold": "A threshold on a score",
    "choice": "Staff, or the people themselves",
    "area": "Where people live",
    "none": "Nobody: there is one group",
}
TOLD_ELSEWHERE = ("name", "start", "population")
PROMINENT = ("later_evidence", "measure_note")
OF_PEOPLE = ("rates", "proportion", "survival")
INTERVAL_NOTE = (
    "Ranges are 95% intervals. If the study were repeated many times, intervals made this way would hold the true "
    "value 19 times in 20, provided that the method's assumptions hold. They do not cover problems with the design of "
    "the study."
)


def evidence(output: Output) -> str:
    """The evidence level in words, certainty apart from size, and the reasons for both."""
    found = output.get("evidence") or {}
    level = found.get("level")
    name = found.get("name") or LEVELS.get(level, "not rated")
    would = "A design like this one would earn level" if output.hypothetical else "Evidence level"
    level_words = (
        f"{would} {count(level)} of 5: {name}" if isinstance(level, int) else "Evidence level: not rated"
    )
    main = output.statement(output.primary.analysis) if output.primary else {}
    lines = [
        f"**{escape(level_words)}.**\n",
        f"- Certainty: **{escape(found.get('certainty') or 'not rated')}**",
        f"- Size of the difference: **{escape(main.get('size_word') or 'not rated')}**",
        *(f"- {escape(sentence(reason))}" for reason in found.get("reasons") or ()),
    ]
    if found.get("obligatory") and not output.hypothetical:  # invented data say so among the reasons
        lines.append(f"- {escape(sentence(found['obligatory']))}")
    if found.get("scale"):
        lines.append(f"\nScale used: {escape(found['scale'])}.")
    return box("evidence", "\n".join(lines), style="Evidence")


def notes(output: Output) -> str:
    """What the study itself says about its measure and about later evidence, beside the evidence level."""
    told = _own_words(output)
    return "\n".join(
        box("callout-note", f"## {escape(heading)}\n\n{escape(sentence(text))}")
        for key, (heading, text) in told.items()
        if key in PROMINENT
    )


def statements(output: Output) -> str:
    """What can be said beside what cannot, for every analysis that has a statement."""
    rows = output.rows("statements")
    if not rows:
        return _none("No statements: the results hold none, so nothing is claimed here.")
    by_name = {result.analysis: result for result in output.results}
    limits = _told_once([sentence(row.get("cannot_say") or "Not recorded.") for row in rows])
    return "\n".join(
        _pair(row, by_name.get(str(row.get("analysis"))), output, limit)
        for row, limit in zip(rows, limits, strict=True)
    )


def _told_once(limits: Sequence[str]) -> list[str]:
    """What cannot be said, in full the first time; after that its first sentence."""
    return [
        text if text not in limits[:i] else sentence(text.split(". ")[0]) for i, text in enumerate(limits)
    ]


def delivered(output: Output) -> str:
    """Who was reached, step by step."""
    rows = output.rows("flow")
    if not rows:
        return _none(_no_flow(output))
    return flow_table(rows, output.arms, caption="How many people there were at each step, and who was lost",
                      name="flow", gated=not output.internal)  # fmt: skip


def _no_flow(output: Output) -> str:
    """Why there is no flow of people."""
    if any(each.method == "risk_score" for each in output.results):
        return (
            "No steps are shown: every case with a score and an outcome was counted, as the tables above say."
        )
    return "No steps are shown: this study works with totals, not with records of people."


def findings(output: Output) -> str:
    """One table of every measure that is not exploratory, then each measure's groups."""
    shown = _shown_in_findings(output)
    if not shown:
        return _none("No results to set side by side: see the sections below.")
    plain = [r for r in shown if r.method != "risk_score"]  # whose shares need their own words
    pieces = [
        *([estimates_table(output, plain, name="findings",
                           caption="Each measure, its best single estimate and its range")] if plain else []),
        *(_arms(output, r) for r in shown if "arms" in r.detail),
        *(criteria_table(r, name=f"criteria-{r.analysis}", caption="Each criterion, set before the results were seen")
          for r in shown if "criteria" in r.detail),
        *(accuracy_table(r, label=output.label(r)) for r in shown if r.method == "risk_score"),
        escape(INTERVAL_NOTE),
    ]  # fmt: skip
    return "\n".join(pieces) + "\n"


def definitions(output: Output) -> str:
    """What each outcome counts, in words."""
    outcomes = output.get("outcomes") or {}
    lines = [
        f"{escape(str(each.get('label') or plain_words(name)).capitalize())}\n:   "
        f"{escape(sentence(each.get('definition') or 'No definition was recorded'))} {_better(each)}\n"
        for name, each in outcomes.items()
        if isinstance(each, Mapping)
    ]
    none = "Each measure is what its table or its source calls it; no other definition was given."
    return "\n".join(lines) or _none(none)


def quality(output: Output) -> str:
    """The checks of the main analysis in words, those that it did not pass first; the annex has them all."""
    checks = output.primary.checks if output.primary else ()
    if not checks:
        return _none("No checks were made on the main analysis.")
    ordered = sorted(checks, key=lambda each: (False, True, None).index(each.passed))
    rows = [[check_words(c.name), VERDICT[c.passed],
             unticked(f"{c.reading} {_said_plainly(c)}".strip()) or "[x]"] for c in ordered[:MOST_CHECKS]]  # fmt: skip
    shown = table([Column(heading="Check"), Column(heading="Result"), Column(heading="Reading")], rows,
                  caption="How the main result stands up to its checks", name="quality")  # fmt: skip
    more = len(ordered) - len(rows)
    return shown + (f"\nThe technical annex has {count(more)} more.\n" if more > 0 else "")


def _said_plainly(check: Check) -> str:
    """A next step, unless it names an option: that one speaks to the analyst, who reads the annex."""
    return "" if "`" in check.next_step else check.next_step


def groups(output: Output) -> str:
    """Groups of people, where they were analysed."""
    shown = [r for r in output.results if r.method in OF_PEOPLE and any(e.group for e in r.estimates)]
    scored = group_part(output)
    if not shown:
        return scored or _none(
            "No groups are compared: none was planned, or there were too few people in each."
        )
    note = "These are descriptions of groups. A difference between two groups is not itself tested here."
    return (
        estimates_table(output, shown, name="groups", caption="The measure in each group")
        + f"\n{escape(note)}\n"
    )


def about(output: Output) -> str:
    """What the study is, whose it is and how to read its status."""
    told = output.get("about") or {}
    intervention, window = told.get("intervention") or {}, told.get("window") or {}
    named = intervention if isinstance(intervention, Mapping) else {"name": intervention}
    rows = [
        ("Question", told.get("question")),
        ("Commissioner", told.get("commissioner")),
        ("Programme", named.get("name")),
        ("Start of the programme", day(named.get("start"))),
        ("People", named.get("population")),
        ("Dates", f"{day(window['from'])} to {day(window['to'])}" if {"from", "to"} <= window.keys() else None),
        ("Who chose the people", _assignment(told.get("assignment") or {})),
        ("Data", output.status),
        *(own for key, own in _own_words(output).items() if key not in PROMINENT),
        ("Disclosure", f"Preset {output.get('disclosure', 'preset') or 'not recorded'}; "
         f"{withheld(output)}"),
    ]  # fmt: skip
    return "::: {.fields}\n" + "\n".join(
        f"{escape(name)}\n:   {escape(given) if given else 'Not recorded'}\n" for name, given in rows
    ) + ":::\n"  # fmt: skip


def withheld(output: Output) -> str:
    """How many cells of the tables are withheld, in words."""
    n = output.get("disclosure", "suppressed") or 0
    return f"{count(n) if n else 'no'} {'cell is' if n == 1 else 'cells are'} withheld"


def _own_words(output: Output) -> dict[str, tuple[str, str]]:
    """Free text that the study keeps about its programme: key to its heading and its words."""
    told = output.get("about", "intervention")
    found = told.items() if isinstance(told, Mapping) else ()
    return {
        str(key): (plain_words(key).capitalize(), "; ".join(map(str, text)) if isinstance(text, list) else str(text))
        for key, text in found
        if key not in TOLD_ELSEWHERE and text not in (None, "", [], {})
    }  # fmt: skip


def _none(text: str) -> str:
    return f"{escape(text)}\n"


def _pair(row: Mapping[str, object], result: Result | None, output: Output, cannot: str) -> str:
    label = output.label(result) if result else plain_words(row.get("label") or row.get("analysis", "result"))
    words = [f"{result.role.capitalize()} measure." if result and result.role else "",
             f"Size: {row['size_word']}." if row.get("size_word") else "",
             f"Certainty: {row['certainty_word']}." if row.get("certainty_word") else ""]  # fmt: skip
    rated = " ".join(word for word in words if word)
    can = escape(sentence(row.get("can_say") or "Nothing: no sentence is allowed at this level of evidence."))
    return (
        f"### {escape(label[:1].upper() + label[1:])} {{.unnumbered}}\n\n"
        + (f"::: {{.meta-line}}\n{escape(rated)}\n:::\n\n" if rated else "")
        + ":::: {.say-pair}\n"
        + box("can-say", f"**You can say**\n\n{can}", style="Can Say")
        + "\n"
        + box("cannot-say", f"**You cannot say**\n\n{escape(cannot)}", style="Cannot Say")
        + "::::\n"
    )


def _arms(output: Output, result: Result) -> str:
    label = output.label(result)
    return arms_table(
        result, output.arms, name=f"arms-{result.analysis}",
                      caption=f"Each group: {label}")  # fmt: skip


def _shown_in_findings(output: Output) -> list[Result]:
    """Accounts have a section of their own; exploratory analyses stay in the annex."""
    kept = [r for r in output.results if r.role != "exploratory" and r.method != "cost_benefit"]
    return [headline_only(r) for r in kept]


def _assignment(assignment: Mapping[str, object]) -> str:
    by = ASSIGNED.get(str(assignment.get("by")), "")
    return f"{by}; chosen when the measure was high" if by and assignment.get("chosen_when_high") else by


def _better(outcome: Mapping[str, object]) -> str:
    return {"lower": "Lower is better.", "higher": "Higher is better."}.get(str(outcome.get("better")), "")


PARTS: Sequence[str] = ("evidence", "notes", "statements", "delivered", "findings",
                        "definitions", "quality", "groups", "about")  # fmt: skip
