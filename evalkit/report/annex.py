"""The generated parts of the technical annex: methods, every estimate, every check, and how to do it again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

import pandas as pd

from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, checks_table, estimates_table, frame_table, table
from evalkit.report.theme import templates_dir
from evalkit.report.words import count, escape, is_number, money, number, plain_words, sentence
from evalkit.results import Result

LONGEST_TABLE = 40
SHOWN_ELSEWHERE = (
    "parameters", "by_agency", "by_agency_year", "must_be_true", "criteria", "what_if_lines", "what_if_costs",
    "per_recipient", "summary_table",
)  # fmt: skip
POUNDS = (
    "nominal", "real", "discounted", "costs", "costs_fiscal", "benefits_fiscal", "benefits_economic", "benefits_social",
    "cumulative_budget_impact", "net_present_public_value", "net_present_budget_impact",
)  # fmt: skip
ESTIMANDS = {
    "itt": "the effect of being offered the programme, whoever took it up",
    "ate": "the average effect over everybody in the study",
    "att": "the average effect on those who took part",
    "ato": "the average effect on those who could have been in either group",
    "descriptive": "a description of what happened, not an effect",
}


def methods(output: Output) -> str:
    """One paragraph for each analysis: its method, estimand, outcome and interval."""
    lines = []
    for result in output.results:
        head = result.estimates[0] if result.estimates else None
        interval = f" Intervals by {plain_words(head.interval)}." if head and head.interval else ""
        target = ESTIMANDS.get(result.estimand, plain_words(result.estimand) or "not recorded")
        text = (
            f"Method {plain_words(result.method)}, for {output.label(result)}. Estimated: {target}.{interval}"
            f"{_together(output, result)}"
        )
        name = f"{plain_words(result.analysis).capitalize()} ({result.role or 'no role'})"
        lines.append(f"{escape(name)}\n:   {escape(text)}\n")
    return "\n".join(lines) or "No analysis has been run.\n"


def _together(output: Output, result: Result) -> str:
    """The p-value adjusted for the other tests of its family, with the rule; nothing where it stands alone."""
    said = output.statement(result.analysis).get("p_adjusted")
    value = result.estimates[0].p_adjusted if result.estimates else None
    if not said or value is None:
        return ""
    shown = "under 0.001" if value < 0.001 else f"= {number(value, 3)}"
    return f" The p-value is {said}: p {shown}."


def design(output: Output) -> str:
    """Who is compared with whom, and by which method."""
    told = output.get("design") or {}
    method = plain_words(told.get("method") or "none")
    said = told.get("sentence") or told.get("summary")
    covariates = ", ".join(plain_words(each) for each in told.get("covariates") or ()) or "none"
    target = ESTIMANDS.get(str(told.get("estimand")), "not recorded")
    text = f"Design: {method}. What is estimated: {target}. Characteristics used: {covariates}."
    return f"{escape(sentence(said))} {escape(text)}\n" if said else f"{escape(text)}\n"


def estimates(output: Output) -> str:
    """Every estimate of every analysis, whichever way it came out."""
    if not output.results:
        return "No analysis has been run.\n"
    n = sum(1 for r in output.results if r.role == "primary")
    tested = sum(1 for r in output.results for e in r.estimates if e.p_value is not None)
    note = (f"{count(len(output.results))} analyses, {count(n)} of them primary; {count(tested)} tests were made, "
            "and all are listed.\n\n")  # fmt: skip
    return note + "\n".join(
        estimates_table(output, [result], full=True, name=f"estimates-{result.analysis}",
                        caption=f"Analysis “{plain_words(result.analysis)}”: {output.label(result)}")
        for result in output.results
    )  # fmt: skip


def checks(output: Output) -> str:
    """Every check: what it supposes, what it found beside its threshold, and what to do next."""
    pieces = [
        checks_table(result.checks, name=f"checks-{result.analysis}",
                     caption=f"Checks of the analysis “{plain_words(result.analysis)}”")
        for result in output.results if result.checks
    ]  # fmt: skip
    return "\n".join(pieces) or "No checks were made.\n"


def detail(output: Output) -> str:
    """The detail frames that are short enough to print, and where the others are."""
    pieces, longer = [], []
    for result in output.results:
        for name, frame in result.detail.items():
            label = f"{plain_words(result.analysis)}: {plain_words(name)}"
            if frame.empty or name in SHOWN_ELSEWHERE:
                continue
            if len(frame) > LONGEST_TABLE or len(frame.columns) > 10:
                longer.append(f"- {escape(label.capitalize())}: {count(len(frame))} rows in the file "
                              f"`detail/{result.analysis}_{name}.csv`")  # fmt: skip
                continue
            shown = _in_pounds(frame) if result.method == "cost_benefit" else frame
            pieces.append(
                frame_table(shown, name=f"detail-{result.analysis}-{name}", caption=label.capitalize())
            )
    text = "\n".join(pieces) + ("\nToo long to print here:\n\n" + "\n".join(longer) + "\n" if longer else "")
    return text.strip() + "\n" if text.strip() else "The analyses gave no detail tables.\n"


def _in_pounds(frame: pd.DataFrame) -> pd.DataFrame:
    """Money to two figures, as everywhere in a report; the files beside it have every digit."""
    held = [name for name in POUNDS if name in frame]
    known = numbers(frame, held)
    said = {
        name: [
            money(each) if is_number(each) else raw
            for each, raw in zip(known[name], frame[name], strict=True)
        ]
        for name in held
    }
    return frame.assign(**said)


def disclosure(output: Output) -> str:
    """What the gate did to the figures before they came here."""
    told = output.get("disclosure") or {}
    lines = [f"Preset: {escape(told.get('preset') or 'not recorded')}. Cells withheld: "
             f"{count(told.get('suppressed') or 0)}.\n"]  # fmt: skip
    lines += [f"- {escape(sentence(note))}" for note in told.get("notes") or ()]
    return "\n".join(lines) + "\n"


def warnings(output: Output) -> str:
    """What evalkit warned of while it ran."""
    found = output.get("warnings") or []
    return (
        "\n".join(f"- {escape(sentence(_plain(each)))}" for each in found) + "\n"
        if found
        else "No warnings.\n"
    )


def reproducibility(output: Output) -> str:
    """Versions, seed and the hashes of what was read."""
    run = output.run
    if not run:
        return "No record: run.json is not there, so this run cannot be repeated to the digit.\n"
    flat = [
        (plain_words(k).capitalize(), _plain(v)) for k, v in run.items() if not isinstance(v, Mapping | list)
    ]
    flat += [(f"{plain_words(k)}: {name}", _short_hash(_plain(each))) for k, v in run.items()
             if isinstance(v, Mapping) for name, each in v.items()]  # fmt: skip
    columns = [Column(heading="Item"), Column(heading="Value")]
    note = "Of each hash the first 16 digits are shown; run.json has them all."
    return (
        table(columns, flat, name="run", caption="The record of this run") + f"\n{escape(sentence(note))}\n"
    )


def references(output: Output) -> str:
    """The works that the methods used rest on, each once."""
    keys = sorted({key for result in output.results for key in result.references})
    entries = bibliography()
    lines = [
        f"- {escape(cited(entries[key]) if key in entries else f'{key} (no entry in references.bib)')}"
        for key in keys
    ]
    return "\n".join(lines) + "\n" if lines else "No references: the methods used are plain counts.\n"


@cache
def bibliography() -> dict[str, dict[str, str]]:
    """references.bib as a mapping from key to fields: braced values, one field per line."""
    text = (templates_dir() / "references.bib").read_text(encoding="utf-8")
    entries = {}
    for found in re.finditer(r"@\w+\{([\w-]+),\n(.*?)\n\}", text, flags=re.DOTALL):
        entries[found[1]] = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", found[2], flags=re.MULTILINE))
    return entries


def cited(entry: Mapping[str, str]) -> str:
    """Author (year). Title. Where. DOI: as text, since a report loads and links to nothing outside itself."""
    where = (
        entry.get("journal")
        or entry.get("booktitle")
        or entry.get("publisher")
        or entry.get("institution")
        or ""
    )
    volume = f" {entry['volume']}" if "volume" in entry else ""
    pages = f", {entry['pages'].replace('--', ' to ')}" if "pages" in entry else ""
    names = entry.get("author", "No author").replace(" and ", ", ")
    parts = [f"{names} ({entry.get('year', 'no date')})", entry.get("title", ""), f"{where}{volume}{pages}",
             f"DOI {entry['doi']}" if "doi" in entry else ""]  # fmt: skip
    return ". ".join(part.replace("{", "").replace("}", "").strip() for part in parts if part.strip()) + "."


def _short_hash(text: str) -> str:
    return f"{text[:16]}…" if re.fullmatch(r"[0-9a-f]{64}", text) else text


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{plain_words(k)} {v}" for k, v in value.items())
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return str(int(value)) if isinstance(value, float) else str(value)


PARTS: Sequence[str] = ("methods", "design", "estimates", "checks", "detail", "disclosure",
                        "warnings", "reproducibility", "references")  # fmt: skip
