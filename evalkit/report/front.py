"""The first page: what stands above every page, the finding in one line, five answers, and what cannot be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from evalkit.report.output import Output, numbers
from evalkit.report.words import count, escape, is_number, money, sentence

SIMULATED = (
    "Invented data. These figures were made up to show the method. They say nothing about any real programme."
)
MIXED = (
    "Partly invented data. Figures marked as published are as their source printed them; everything else was made up "
    "to show the method and says nothing about the real programme."
)
PARTLY = "Some of these figures are invented, to show the method. They are marked, and say nothing about the programme."
INTERNAL = "Not for release: internal figures, not checked for disclosure."
MOST_PAYERS = 4
QUESTIONS = (
    ("did_it_work", "Did it work?"),
    ("how_sure", "How sure can we be?"),
    ("for_whom", "For whom?"),
    ("at_what_cost", "At what cost?"),
    ("what_next", "What next?"),
)
NOT_GIVEN = {
    "did_it_work": "Not answered: the results hold no statement on this.",
    "how_sure": "Not rated: the results hold no evidence level.",
    "for_whom": "Not recorded: the study does not say who was included.",
    "at_what_cost": "Not assessed: no costs were given to this study.",
    "what_next": "Not decided: the results suggest no next step.",
}


def banner_text(output: Output) -> str:
    """What stands at the top of every page: invented data, figures not for release, or nothing."""
    invented = SIMULATED if output.simulated else ""
    if output.mixed:
        invented = MIXED if output.simulated else PARTLY
    marks = [invented, INTERNAL if output.internal else ""]
    return " ".join(mark for mark in marks if mark)


def banner(output: Output) -> str:
    text = banner_text(output)
    return box("banner", f"**{escape(text)}**") if text else ""


def lead(output: Output) -> str:
    """The finding in one sentence, unless one of the five answers is that sentence."""
    text = _headline(output)
    if not text or text in _given(output).values():
        return ""
    return box("lead", escape(text), style="Lead")


def answers(output: Output) -> str:
    """The five questions of the first page, each with one answer; what the line above says is not said again."""
    given, headline = _given(output), _headline(output)
    lines = []
    for key, question in QUESTIONS:
        text = given[key]
        if headline and text != headline:
            text = text.replace(headline, "").strip() or text
        points = [*_payers(output), *_age(output)] if key == "at_what_cost" else []
        listed = "".join(f"    - {escape(point)}\n" for point in points)
        lines.append(f"{question}\n:   {escape(sentence(text))}\n" + (f"\n{listed}" if listed else ""))
    return "::: {.answers}\n" + "\n".join(lines) + ":::\n"


def limits(output: Output) -> str:
    """What cannot be said about the main question, for the first page."""
    main = output.statement(output.primary.analysis) if output.primary else {}
    text = main.get("cannot_say") or "Not recorded: the results hold no statement on this."
    return box("cannot-say", f"**What cannot be said.** {escape(sentence(text))}", style="Cannot Say")


def box(name: str, body: str, *, style: str = "") -> str:
    """A fenced div of one of the report's own classes, with its style in Word."""
    style = style or name.replace("-", " ").title()
    return f'::: {{.{name} custom-style="{style}"}}\n{body}\n:::\n'


def answer(output: Output, key: str) -> str:
    """An answer as given, else from the statements or the evidence; empty where there is nothing to go by."""
    given = (output.get("answers") or {}).get(key)
    if given:
        return str(given)
    main = output.statement(output.primary.analysis) if output.primary else {}
    found = output.get("evidence") or {}
    if key == "did_it_work":
        return str(main.get("headline") or main.get("can_say") or "")
    if key == "how_sure" and found.get("certainty"):
        return f"Certainty: {found['certainty']}. {' '.join(found.get('reasons') or ())}"
    if key == "for_whom":
        return str(output.get("about", "intervention", "population") or "")
    return ""


def _given(output: Output) -> Mapping[str, str]:
    return {key: sentence(answer(output, key) or NOT_GIVEN[key]) for key, _ in QUESTIONS}


def _headline(output: Output) -> str:
    return sentence(output.get("headline") or "")


def _age(output: Output) -> Sequence[str]:
    """How old the oldest unit cost is, and whether all were checked; the part on cost and value names each."""
    accounts = [r for r in output.results if r.method == "cost_benefit"]
    if not accounts:
        return []
    rows, said = output.rows("parameters"), []
    dated = [row["age_years"] for row in rows if is_number(row.get("age_years"))]
    if dated and max(dated) >= 1:
        years = f"{count(max(dated))} {'year' if max(dated) == 1 else 'years'}"
        said.append(f"The oldest unit cost is in prices {years} older than those of the account.")
    checks = [r.check("unverified_parameters") for r in accounts]
    if any(c is not None and c.passed is False for c in checks) or not all(r.get("verified") for r in rows):
        said.append("Some of the values used were not checked at their source: see “Cost and value”.")
    return said


def _payers(output: Output) -> Sequence[str]:
    """Who pays, who would save and when, of the first account: one sentence each."""
    account = next(
        (r for r in output.results if r.method == "cost_benefit" and "by_agency" in r.detail), None
    )
    if account is None:
        return []
    frame = numbers(account.detail["by_agency"], ["net_budget_impact", "pv_costs_in_kind"]).set_index(
        "agency"
    )
    net, given = frame["net_budget_impact"].dropna(), frame["pv_costs_in_kind"]
    pay, save = net[net > 0].sort_values(ascending=False), -net[net < 0].sort_values()
    said = []
    if len(pay):
        said.append(f"Paying more than it would save: {_listed(pay)}.")
    if len(save):
        said.append(f"Saving more than it would pay: {_listed(save)}.")
    if (given > 0).any():
        said.append(
            f"Giving time or things in kind: {_listed(given[given > 0].sort_values(ascending=False))}."
        )
    back = next((e for e in account.estimates if e.term == "payback_year"), None)
    if back is not None and len(net):
        years = len(account.detail.get("by_year", ()))
        when = (
            f"would not repay its costs within the {count(years)} years counted"
            if back.estimate is None
            else f"would have repaid its costs by the end of year {count(back.estimate)} (year 0 is the first)"
        )
        said.append(f"All public budgets together: it {when}.")
    return said


def _listed(amounts: pd.Series) -> str:
    """Names with their pounds, the largest first; beyond a few, how many more."""
    first = [f"{name} ({money(each)})" for name, each in amounts.head(MOST_PAYERS).items()]
    more = len(amounts) - len(first)
    return ", ".join([*first, *([f"and {count(more)} more"] if more else [])])


PARTS: Sequence[str] = ("banner", "lead", "answers", "limits")
