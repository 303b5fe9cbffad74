"""Markdown tables that become proper tables in every format: header cells, units in headers, numbers to the right."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from evalkit.report.output import Output, numbers, share_criteria
from evalkit.report.words import (
    SHORTHAND,
    check_words,
    count,
    escape,
    is_number,
    number,
    percent,
    places,
    plain_words,
    quantity,
    slug,
    spread,
    step_words,
    term_words,
    unit_words,
)  # fmt: skip
from evalkit.results import Check, Estimate, Result

LINE = 96  # characters across the page in a table
WIDEST = 110  # characters of a cell that count towards its column's share of the page
WHOLE = 22  # characters of a number, or a range, that stay on one line
NAMES = {
    "n": "People", "events": "With the outcome", "conf_low": "Range, low", "conf_high": "Range, high",
    "value": "Value", "std_error": "Standard error", "p_value": "p", "smd_before": "Before matching",
    "smd_after": "After matching", "m_bar": "M", "arm": "Group",
}  # fmt: skip
BANDS = {"green": "Met", "amber": "Partly met", "red": "Not met"}
RATIO_NOTE = "A ratio of 1 means no difference."
VERDICT = {True: "Passed", False: "Not passed", None: "For information"}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading (with its unit) and whether the cells are numbers."""

    heading: str
    numeric: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, caption: str, name: str) -> str:
    """A pipe table with a caption and the label `@tbl-name`; cells are escaped here and nowhere else."""
    cells = [[escape(cell) or escape("[z]") for cell in row] for row in rows]
    widths = _widths(columns, rows)
    lines = [
        _line(escape(column.heading) for column in columns),
        _line(
            "-" * (w - 1) + ":" if c.numeric else ":" + "-" * (w - 1)
            for c, w in zip(columns, widths, strict=True)
        ),
        *(_line(row) for row in cells),
    ]
    used = [f"{escape(mark)}: {words}" for mark, words in SHORTHAND.items() if _uses(rows, mark)]
    notes = [f"{'; '.join(used)}.", ""] if used else []
    return "\n".join([*lines, "", f": {escape(caption)} {{#tbl-{slug(name)}}}", "", *notes])


def frame_table(frame: pd.DataFrame, *, caption: str, name: str) -> str:
    """A detail frame as it was published, numbers to a sensible length, headings in words."""
    numeric = {column: _is_numeric(frame[column]) for column in frame}
    columns = [Column(heading=_heading(str(c)), numeric=numeric[c]) for c in frame]
    rows = [
        [_cell(value, numeric[column]) for column, value in zip(frame, row, strict=True)]
        for row in frame.itertuples(index=False, name=None)
    ]
    return table(columns, rows, caption=caption, name=name)


def estimates_table(
    output: Output, results: Sequence[Result], *, caption: str, name: str, full: bool = False
) -> str:
    """One row per estimate: what, how big, its range; with `full` also error, p and the interval's method."""
    columns = [Column(heading="Measure"), Column(heading="Estimate", numeric=True),
               Column(heading="Range (95% interval)", numeric=True), Column(heading="Counted in")]  # fmt: skip
    if full:
        columns += [Column(heading="Standard error", numeric=True), Column(heading="p", numeric=True),
                    Column(heading="Interval by"), Column(heading="People", numeric=True)]  # fmt: skip
    rows = []
    for result in results:
        for each in result.estimates if full else map(as_ratio, result.estimates):
            what = _measure_words(output, result, each) if not full else _term_words(each)
            row = [what, estimate_text(each), interval_text(each),
                   unit_words(each.measure, each.unit)]  # fmt: skip
            rows.append(row + (_full_cells(each) if full else []))
    note = f"\n{RATIO_NOTE}\n" if not full and any(row[3] == "ratio" for row in rows) else ""
    return table(columns, rows, caption=caption, name=name) + note


def as_ratio(each: Estimate) -> Estimate:
    """The logarithm of a ratio as the ratio, for readers who think in neither."""
    if not each.measure.startswith("log_"):
        return each
    ends = {name: getattr(each, name) for name in ("estimate", "conf_low", "conf_high")}
    ratios = {name: None if value is None else math.exp(value) for name, value in ends.items()}
    return replace(each, measure=each.measure.removeprefix("log_"), unit="ratio", **ratios)


def checks_table(checks: Sequence[Check], *, caption: str, name: str) -> str:
    """What each check supposes, what it found beside its threshold, how to read it and what to do next."""
    columns = [Column(heading="Check"), Column(heading="What it supposes"), Column(heading="Found", numeric=True),
               Column(heading="Threshold", numeric=True), Column(heading="Result"),
               Column(heading="Reading and next step")]  # fmt: skip
    rows = [
        [check_words(c.name), c.null or "[z]", _short(c.statistic), _short(c.threshold),
         VERDICT[c.passed], f"{c.reading} {c.next_step}".strip() or "[x]"]
        for c in checks
    ]  # fmt: skip
    return table(columns, rows, caption=caption, name=name)


def arms_table(result: Result, arms: Mapping[str, str], *, caption: str, name: str) -> str:
    """Each group's people, those with the outcome, and its value with the range around it, from a frame `arms`."""
    frame = result.detail["arms"]
    measured = numbers(frame, ["value", "conf_low", "conf_high"])
    shares = is_share(result)
    counted = "With the outcome" if shares else "Events"
    value_heading = "Of every 100" if shares else "Mean per person"
    if result.method == "survival":
        value_heading = "Of every 100, without the event" if shares else "Mean time without the event"
    columns = [Column(heading="Group"), Column(heading="People", numeric=True), Column(heading=counted, numeric=True),
               Column(heading=value_heading, numeric=True),
               Column(heading="Range (95% interval)", numeric=True)]  # fmt: skip
    scale = 100 if shares else 1
    ends = measured[["value", "conf_low", "conf_high"]].itertuples(index=False)
    decimals = 1 if shares else max((places(*each) for each in ends), default=2)
    rows = []
    for (_, row), (_, raw) in zip(measured.iterrows(), frame.iterrows(), strict=True):
        value = (
            number(row["value"] * scale, decimals) if is_number(row["value"]) else count_cell(raw, "value")
        )
        rows.append([arms.get(str(row["arm"]), str(row["arm"])), count_cell(raw, "n"), count_cell(raw, "events"),
                     value, spread(row["conf_low"] * scale, row["conf_high"] * scale, decimals)])  # fmt: skip
    return table(columns, rows, caption=caption, name=name)


def headline_only(result: Result) -> Result:
    """The result with its headline's term alone, in all or in groups; a model's other terms are for the annex."""
    return replace(result, estimates=tuple(e for e in result.estimates if e.term == result.estimates[0].term))


def is_share(result: Result) -> bool:
    """Whether the values of the groups are shares of people, to be read out of every 100."""
    if result.method == "survival":
        return result.headline.term != "rmst_difference"
    return result.headline.measure in {"risk_difference", "risk_ratio", "odds_ratio", "proportion"}


def flow_table(
    rows: Sequence[Mapping[str, object]], arms: Mapping[str, str], *, caption: str, name: str, gated: bool = True
) -> str:  # fmt: skip
    """How many people there were at each step, how many were lost, and why; `gated`: a blank count was withheld."""
    blank = "[c]" if gated else "[x]"
    columns = [Column(heading="Step"), Column(heading="Group"), Column(heading="People", numeric=True),
               Column(heading="Lost", numeric=True), Column(heading="Why")]  # fmt: skip
    cells = [
        [step_words(row.get("step", "")).capitalize(), arms.get(str(row.get("arm")), str(row.get("arm") or "all")),
         *(blank if row.get(each) is None else count(row[each]) for each in ("n", "lost")), row.get("reason") or "[z]"]
        for row in rows
    ]  # fmt: skip
    return table(columns, cells, caption=caption, name=name)


def criteria_table(result: Result, *, caption: str, name: str) -> str:
    """Each progression criterion: what was reached, with its range, the two marks set before, and the verdict."""
    frame = result.detail["criteria"]
    known = numbers(frame, ["value", "conf_low", "conf_high", "green", "amber"])
    columns = [Column(heading="Criterion"), Column(heading="Reached", numeric=True),
               Column(heading="Range (95% interval)", numeric=True), Column(heading="Met at", numeric=True),
               Column(heading="Partly met at", numeric=True), Column(heading="Verdict")]  # fmt: skip
    rows = []
    shares = share_criteria(frame)
    for (_, row), (_, raw), share in zip(known.iterrows(), frame.iterrows(), shares, strict=True):
        show = percent if share else _plain
        reached = show(row["value"]) if is_number(row["value"]) else count_cell(raw, "value")
        inside = (
            spread(100 * row["conf_low"], 100 * row["conf_high"], 0, "%")
            if is_number(row["conf_low"])
            else "[z]"
        )
        rows.append([str(raw["name"]), reached, reached if reached[:1] == "[" else inside, show(row["green"]),
                     show(row["amber"]), BANDS.get(str(raw["band"]), str(raw["band"]))])  # fmt: skip
    return table(columns, rows, caption=caption, name=name)


def _plain(value: float) -> str:
    return count(value) if float(value).is_integer() else number(value)


def estimate_text(each: Estimate) -> str:
    if each.estimate is None:
        return "never" if each.term == "payback_year" else "[x]"
    return quantity(each.estimate, each.measure, each.unit, _decimals(each))


def interval_text(each: Estimate) -> str:
    """`LO to HI` in the measure's own form, or the shorthand that says why there is none; a run chart's limits are
    called what they are."""
    if each.conf_low is None or each.conf_high is None:
        return "[z]" if each.std_error is None and each.interval is None else "[x]"
    low, high = (
        quantity(end, each.measure, each.unit, _decimals(each)) for end in (each.conf_low, each.conf_high)
    )
    ends = f"{low} to {high}"
    return f"{ends} (usual range, not an interval)" if (each.interval or "").endswith("_limits") else ends


def _decimals(each: Estimate) -> int:
    return places(each.estimate, each.conf_low, each.conf_high)


def count_cell(row: pd.Series, name: str) -> str:
    """A count as the gate left it: a number, or its shorthand."""
    value = str(row.get(name, "")).strip()
    if re.fullmatch(r"-?\d+(\.0+)?", value):
        return count(float(value))
    return number(float(value)) if re.fullmatch(r"-?\d+\.\d+", value) else (value or "[z]")


def _full_cells(each: Estimate) -> list[str]:
    people = [n for n in (each.n_treated, each.n_control) if n is not None]
    p = each.p_value
    p_text = "[z]" if p is None else "under 0.001" if p < 0.001 else number(p, 3)
    return [number(each.std_error, 3) if each.std_error is not None else "[z]", p_text,
            plain_words(each.interval or "[z]"), " and ".join(count(n) for n in people) or "[z]"]  # fmt: skip


def _term_words(each: Estimate) -> str:
    return f"{term_words(each.term)}{', ' + each.group if each.group else ''}"


def _measure_words(output: Output, result: Result, each: Estimate) -> str:
    term = plain_words(each.term)
    group = f", {each.group}" if each.group else ""
    head = output.label(result) if each.term == result.headline.term else term
    return f"{head[:1].upper()}{head[1:]}{group}"


def _cell(value: object, numeric: bool) -> str:
    text = "" if value is None else str(value).strip()
    if text in {"", "nan", "None", "<NA>"}:
        return "[z]"
    if not numeric or text in SHORTHAND:
        return text
    parsed = float(text)
    return count(parsed) if parsed.is_integer() and "e" not in text.lower() else _short(parsed)


def _short(value: float | None) -> str:
    if value is None:
        return "[z]"
    if float(value).is_integer():
        return count(value)
    return number(value, 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3)


def _is_numeric(values: pd.Series) -> bool:
    texts = [str(v).strip() for v in values if str(v).strip() not in {"", "nan", "None", *SHORTHAND}]
    return bool(texts) and all(re.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?", text) for text in texts)


def _heading(column: str) -> str:
    words = NAMES.get(column, plain_words(column))
    return words[:1].upper() + words[1:]


def _uses(rows: Sequence[Sequence[object]], mark: str) -> bool:
    return any(str(cell) == mark for row in rows for cell in row) or (
        mark == "[z]" and any(not str(cell) for row in rows for cell in row)
    )


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> list[int]:
    """Each column's share of a line: numbers and the longest word whole, the rest by how much there is to say."""
    least, wanted = [], []
    for i, column in enumerate(columns):
        cells = [str(row[i]) for row in rows]
        words = [word for text in (column.heading, *cells) for word in text.split()] or [""]
        whole = max(map(len, cells), default=0) if column.numeric else 0
        room = 3 if column.numeric else 2  # digits and bold headings are wider than letters
        least.append(max(4, *map(len, words), min(whole, WHOLE)) + room)
        wanted.append(max(least[-1], *(min(len(text), WIDEST) for text in (column.heading, *cells))))
    spare = max(0, LINE - sum(least))
    asked = sum(wanted) - sum(least) or 1
    return [low + round(spare * (high - low) / asked) for low, high in zip(least, wanted, strict=True)]


def _line(cells) -> str:
    return "| " + " | ".join(cells) + " |"
