"""The standard summary: the same fields in the same order for every study, so that fifty of them stack.

No field is blank: it holds a value, or a code with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.report.front import NOT_GIVEN
from evalkit.report.output import Output, numbers
from evalkit.report.parts import LEVELS, OF_PEOPLE
from evalkit.report.tables import estimate_text, interval_text
from evalkit.report.words import count, day, escape, is_number, money, sentence, step_words, unit_words

WORDS = {"programme": 40, "people": 40, "approach": 60, "outcome": 60, "result": 60, "size": 6, "certainty": 26,
         "evidence_level": 20, "cost_per_person": 30, "value": 40, "implementation": 30, "harms": 30, "equity": 30,
         "key_limit": 45, "next_step": 40, "links": 30}  # fmt: skip
HEADINGS = {
    "programme": "Programme and place", "people": "People", "approach": "Approach", "outcome": "Outcome",
    "result": "Result", "size": "Size", "certainty": "Certainty", "evidence_level": "Evidence level",
    "cost_per_person": "Cost per person", "value": "Value", "implementation": "Implementation", "harms": "Harms",
    "equity": "Equity", "key_limit": "Key limit", "next_step": "Next step", "links": "Links",
}  # fmt: skip
NEEDS_COMPARISON = "not assessed: needs a comparison group"


def fields(output: Output) -> dict[str, Any]:
    """Every field of the summary in its fixed order: text within its length, or `{"code", "reason"}`."""
    found = {
        "programme": _programme(output),
        "people": _people(output),
        "approach": _approach(output),
        "outcome": _outcome(output),
        "result": _result(output),
        "size": _main(output, "size_word") or _coded("z", "not rated: no size is given"),
        "certainty": _certainty(output),
        "evidence_level": _level(output),
        "cost_per_person": _cost(output),
        "value": _value(output),
        "implementation": _implementation(output),
        "harms": output.get("about", "harms") or _coded("x", "not recorded by this study"),
        "equity": _equity(output),
        "key_limit": _main(output, "cannot_say") or _coded("x", NOT_GIVEN["how_sure"]),
        "next_step": _next(output),
        "links": "Full report: commissioner.html. Numbers: results.json.",
    }
    return {name: _clipped(value, WORDS[name]) for name, value in found.items()}


def as_json(output: Output) -> dict[str, Any]:
    """summary.json: who and what first, then the fields, then the main estimate as numbers."""
    primary = output.primary
    head = primary.estimates[0] if primary and primary.estimates else None
    return {
        "schema": 1,
        "study": output.values["study"],
        "title": output.values["title"],
        "data_status": output.values["data_status"],
        "evidence": dict(output.get("evidence") or {}) or _coded("x", "not rated"),
        "fields": fields(output),
        "main": head.to_dict() if head else _coded("x", "no analysis has been run"),
    }


def part(output: Output) -> str:
    """The fields as a definition list."""
    lines = [f"{HEADINGS[name]}\n:   {escape(_words(value))}\n" for name, value in fields(output).items()]
    return "::: {.fields}\n" + "\n".join(lines) + ":::\n"


def _coded(code: str, reason: str) -> dict[str, str]:
    return {"code": f"[{code}]", "reason": reason}


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['reason'][:1].upper()}{value['reason'][1:]} {value['code']}"
    text = f"{str(value)[:1].upper()}{str(value)[1:]}"
    return sentence(text) if len(text.split()) > 5 else text


def _clipped(value: Any, most: int) -> Any:
    if isinstance(value, Mapping):
        return value
    words = str(value).split()
    if len(words) <= most:
        return " ".join(words)
    whole = [i for i, word in enumerate(words[:most], 1) if word.endswith((".", "!", "?"))]
    return " ".join(words[: whole[-1]]) if whole else " ".join(words[:most]).rstrip(",;:.") + "…"


def _main(output: Output, key: str) -> str:
    return str(output.statement(output.primary.analysis).get(key) or "") if output.primary else ""


def _answer(output: Output, key: str) -> str:
    return str((output.get("answers") or {}).get(key) or "")


def _programme(output: Output) -> Any:
    name = output.get("about", "intervention", "name") or output.values["title"]
    whose = output.get("about", "commissioner")
    window = output.get("about", "window") or {}
    dates = f", {day(window['from'])} to {day(window['to'])}" if {"from", "to"} <= window.keys() else ""
    return f"{name}{', ' + whose if whose else ''}{dates}. {output.status}"


def _people(output: Output) -> Any:
    """Who the main result is about: its own count first, and how many there were at the start where that fits."""
    who = output.get("about", "intervention", "population") or "people"
    head = output.primary.estimates[0] if output.primary and output.primary.estimates else None
    rows = [row for row in output.rows("flow") if row.get("arm") in ("treated", None, "")]
    n = head.n_treated if head else None
    if head and output.primary.method == "risk_score":
        n = next(iter(numbers(output.primary.detail["groups"], ["n"])["n"].dropna()), None)
    if rows and n in (None, rows[-1].get("n")):
        start, end = rows[0], rows[-1]
        group = (
            f" in the group “{output.arms['treated']}”" if "treated" in output.arms and end.get("arm") else ""
        )
        return f"{count(start.get('n'))} {step_words(start.get('step'))}, {count(end.get('n'))} analysed{group}: {who}"
    return (
        f"{count(n)} counted: {who}"
        if n is not None
        else _coded("z", f"totals only, no count of people ({who})")
    )


def _approach(output: Output) -> Any:
    theory = output.get("about", "intervention", "theory")
    return (
        "; ".join(map(str, theory))
        if isinstance(theory, list) and theory
        else _coded("x", "no theory of change given")
    )


def _outcome(output: Output) -> Any:
    if output.primary is None:
        return _coded("x", "no primary analysis")
    told = output.get("outcomes", output.primary.outcome) or {}
    label = output.label(output.primary)
    return f"{label[:1].upper()}{label[1:]}. {told.get('definition') or ''}"


def _result(output: Output) -> Any:
    if output.get("headline"):
        return output.get("headline")
    head = output.primary.estimates[0] if output.primary and output.primary.estimates else None
    if head is None or not is_number(head.estimate):
        return _coded("x", "no estimate exists")
    unit = unit_words(head.measure, head.unit)
    inside = interval_text(head)
    spread = f" (range {inside})" if not inside.startswith("[") else " (no range can be given)"
    return f"{estimate_text(head)}{'' if unit in {'%', 'ratio'} else ' ' + unit}{spread}"


def _certainty(output: Output) -> Any:
    found = output.get("evidence") or {}
    if not found.get("certainty"):
        return _coded("x", "not rated")
    reasons = found.get("reasons") or []
    return f"{str(found['certainty']).capitalize()}. {reasons[0] if reasons else ''}"


def _level(output: Output) -> Any:
    level = output.get("evidence", "level")
    if not isinstance(level, int):
        return _coded("x", "not rated")
    name = output.get("evidence", "name") or LEVELS.get(level, "")
    return f"{'Such a design would earn level ' if output.hypothetical else ''}{level} of 5: {name}"


def _cost(output: Output) -> Any:
    """What the study says it cost; an account works with totals and divides them by nobody."""
    account = next((r for r in output.results if r.method == "cost_benefit"), None)
    if account is None:
        return _answer(output, "at_what_cost") or _coded("x", "no costs were given")
    total = next((e.estimate for e in account.estimates if e.term == "pv_costs"), None)
    whole = f"; all costs together, in present value, are {money(total)}" if is_number(total) else ""
    return _coded("x", f"not worked out for each person{whole}")


def _value(output: Output) -> Any:
    account = next((r for r in output.results if r.method == "cost_benefit"), None)
    if account is None:
        level = output.get("evidence", "level")
        return _coded(
            "z",
            "no costs or benefits were given" if isinstance(level, int) and level >= 4 else NEEDS_COMPARISON,
        )
    said = output.statement(account.analysis).get("can_say")
    return str(said) if said else _coded("z", "the results hold no statement on value")


def _implementation(output: Output) -> Any:
    criteria = next((r for r in output.results if r.method == "progression" and "criteria" in r.detail), None)
    if criteria is None:
        return _coded("x", "no progression criteria were set")
    bands = criteria.detail["criteria"]["band"].astype(str)
    words = (("green", "met"), ("amber", "partly met"), ("red", "not met"))
    return "; ".join(
        f"{count(int((bands == band).sum()))} {word}" for band, word in words if (bands == band).any()
    )


def _equity(output: Output) -> Any:
    of_people = [r for r in output.results if r.method in (*OF_PEOPLE, "risk_score")]
    grouped = len({(r.analysis, e.group) for r in of_people for e in r.estimates if e.group})
    return (
        f"{count(grouped)} groups described in the full report"
        if grouped
        else _coded("z", "no groups were compared")
    )


def _next(output: Output) -> Any:
    steps = [c.next_step for r in output.results for c in r.checks if c.next_step and c.passed is False]
    return _answer(output, "what_next") or (
        steps[0] if steps else _coded("x", "the results suggest no next step")
    )
