"""Figures that a source has already printed, as it printed them: nothing here is computed, and none is ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from evalkit.report.output import Output
from evalkit.report.tables import Column, table
from evalkit.report.words import MINUS, count, escape, is_number, number, plain_words

MOST_ROWS = 15
AS_PRINTED = (
    "These figures are as their source printed them. They are not ours: nothing here was computed or checked against "
    "records."
)
OVERLAP = "Some of these counts overlap: one person can be in several of them, so they are not added up."
NONE = "No published figures were used."
UNITS: Mapping[str, Callable[[str], str]] = {
    "count": lambda v: v,
    "count_change": lambda v: _signed(v),
    "count_estimate": lambda v: f"about {v}",
    "count_per_year": lambda v: f"{v} a year",
    "percent": lambda v: f"{v}%",
    "percent_change": lambda v: f"{_signed(v)}%",
    "percent_max": lambda v: f"under {v}%",
    "percent_min": lambda v: f"over {v}%",
    "percent_more": lambda v: f"{v}% more",
    "GBP": lambda v: f"£{v}",
    "GBP_per_GBP": lambda v: f"£{v} per £1",
    "USD": lambda v: f"${v}",
    "rate_per_1000": lambda v: f"{v} per 1,000",
    "ratio": lambda v: v,
    "text": lambda v: v,
}


def printed(output: Output) -> str:
    """The printed figures for the commissioner: the first of them, what they are, and what may not be done."""
    return _part(output, most=MOST_ROWS, name="printed")


def published(output: Output) -> str:
    """Every printed figure, for the annex."""
    return _part(output, most=None, name="published")


def as_printed(row: Mapping[str, object]) -> str:
    """A printed value with its unit as a reader expects it: 17 of 20; £5.48 per £1; −41%."""
    raw = row.get("published_value")
    if raw in (None, ""):
        return "[x]"
    unit = str(row.get("unit") or "")
    value = _grouped(str(raw).strip())
    whole, of = row.get("numerator"), row.get("denominator")
    if unit == "count" and is_number(of) and is_number(whole) and value == count(whole):
        return f"{value} of {count(of)}" if whole <= of else f"{value} (beside {count(of)})"
    written = UNITS.get(unit, lambda v: f"{v} {plain_words(unit)}".strip())(value)
    return f"{written}{_counts(row)}"


def _part(output: Output, *, most: int | None, name: str) -> str:
    rows = _joined(output.rows("published"))
    if not rows:
        return f"{NONE}\n"
    shown = rows[:most]
    notes = [escape(AS_PRINTED)]
    more = len(rows) - len(shown)
    if more:
        notes.append(f"The technical annex has {count(more)} more.")
    notes += [escape(each) for each in (_overlap(rows), *_perspectives(rows)) if each]
    return _table(shown, name=name) + "\n" + "\n\n".join(notes) + "\n"


def _joined(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """One row per measure, place, period and counts: a change as a number and in per cent stands in one cell."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for place, row in enumerate(rows):
        counts = _counts(row)
        key = (*(row.get(each) for each in ("place", "measure", "period", "note")), counts or place)
        if key in found:
            value = as_printed(row).removesuffix(counts)
            found[key]["as_printed"] = f"{value}; {found[key]['as_printed']}"
        else:
            found[key] = {**row, "as_printed": as_printed(row)}
    return list(found.values())


def _table(rows: Sequence[Mapping[str, object]], *, name: str) -> str:
    names = [each for each in ("place", "measure", "period") if len({row.get(each) for row in rows}) > 1
             or each == "measure"]  # fmt: skip
    columns = [*(Column(heading=each.capitalize()) for each in sorted(names, key="measure place period".find)),
               Column(heading="As printed", numeric=True), Column(heading="Source and note")]  # fmt: skip
    order = sorted(names, key="measure place period".find)
    cells = [
        [*(_cell(row.get(each)) for each in order), row["as_printed"], _cell(row.get("note"))] for row in rows
    ]
    return table(columns, cells, name=name, caption=_caption(rows, names))


def _caption(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> str:
    """What the columns that would repeat one value in every row say, once."""
    once = [str(rows[0].get(each)) for each in ("place", "period") if each not in names and rows[0].get(each)]
    return f"Figures as their source printed them{': ' if once else ''}{', '.join(once)}"


def _cell(value: object) -> str:
    text = "[x]" if value in (None, "") else str(value)
    return text[:1].upper() + text[1:]


def _counts(row: Mapping[str, object]) -> str:
    """The counts behind a printed share or change, where the source gave them."""
    if is_number(row.get("numerator")) and is_number(row.get("denominator")):
        return f" ({count(row['numerator'])} of {count(row['denominator'])})"
    if is_number(row.get("before")) and is_number(row.get("after")):
        return f" ({count(row['before'])} to {count(row['after'])})"
    return ""


def _grouped(text: str) -> str:
    """Thousands separated and a true minus, every printed digit kept; anything but a number as it stands."""
    if not re.fullmatch(r"[-+]?\d+(\.\d+)?", text):
        return text
    places = len(text.partition(".")[2])
    return number(float(text), places)


def _signed(value: str) -> str:
    return value if value[:1] in {MINUS, "+", "0"} or not value[:1].isdigit() else f"+{value}"


def _overlap(rows: Sequence[Mapping[str, object]]) -> str:
    return OVERLAP if any("overlap" in str(row.get("note") or "").lower() for row in rows) else ""


def _perspectives(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Why claims whose notes name different perspectives stay apart."""
    found = [
        (row["as_printed"], match[1].strip())
        for row in rows
        if (match := re.search(r"perspective:\s*([^;]+)", str(row.get("note") or "")))
    ]
    if len({perspective for _, perspective in found}) < 2:
        return []
    claims = " and ".join(f"{value} ({perspective})" for value, perspective in found)
    return [f"{claims} are claims on different perspectives: they are not added, here or anywhere else."]


PARTS: Sequence[str] = ("printed", "published")
