"""How alike the two groups of a comparison are: a few lines for the commissioner, every covariate in the annex."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, frame_table, table
from evalkit.report.words import count, escape, number, plain_words, sentence

ALIKE = 0.1  # standard deviations
MOST_SHOWN = 5
NONE = "No balance table: nobody was matched, weighted or otherwise set side by side."
NOTE = "Standardised differences: a difference of 0.1 or less is usually taken as alike."
SMD = ("smd_before", "smd_after")
READ = ("overlap", "extreme_weights", "effective_sample_size")


def balance(output: Output) -> str:
    """Every covariate, for the annex, with what the checks of the design say."""
    frame = output.balance
    if frame is None or frame.empty:
        return f"{NONE}\n"
    shown = frame.loc[:, [bool(frame[c].astype(str).str.strip().ne("").any()) for c in frame]]
    told = "\n".join(f"- {escape(sentence(each))}" for each in _readings(output))
    return (
        frame_table(shown, name="balance", caption="How alike the groups are")
        + f"\n{escape(NOTE)}\n\n{told}\n"
    )


def alike(output: Output) -> str:
    """The short version: how many characteristics are alike, and those that differ most."""
    frame = output.balance
    if frame is None or frame.empty or not {"smd_after"} <= set(frame.columns):
        return "No two groups were set side by side person by person.\n"
    measured = numbers(frame, SMD)
    known = measured[measured["smd_after"].notna()]
    if known.empty:
        return "How alike the groups are is withheld, so that nobody can be recognised.\n"
    inside = int((known["smd_after"].abs() <= ALIKE).sum())
    text = (
        f"On {count(inside)} of {count(len(known))} characteristics the two groups are alike: they differ by no more "
        f"than {number(ALIKE)} standard deviations. Groups that are alike in what was recorded can still differ in "
        "what was not."
    )
    more = [each for each in _readings(output) if each.lower().startswith("overlap")]
    return f"{escape(' '.join([text, *map(sentence, more)]))}\n\n{_most_unlike(known)}"


def _most_unlike(known: pd.DataFrame) -> str:
    """The characteristics that differ most after the design, largest first."""
    order = known.assign(size=known["smd_after"].abs()).sort_values("size", ascending=False, kind="stable")
    name = str(known.columns[0])
    before = known["smd_before"].notna().any() and not known["smd_before"].equals(known["smd_after"])
    columns = [Column(heading="Characteristic")]
    columns += [Column(heading="Difference before", numeric=True)] if before else []
    columns += [
        Column(heading="Difference now" if before else "Difference", numeric=True),
        Column(heading="Reading"),
    ]
    rows = [
        [plain_words(row[name]).replace(" = ", ": "), *([number(row["smd_before"], 2)] if before else []),
         number(row["smd_after"], 2), "alike" if abs(row["smd_after"]) <= ALIKE else "not alike"]
        for _, row in order.head(MOST_SHOWN).iterrows()
    ]  # fmt: skip
    caption = "Where the two groups differ most (in standard deviations)"
    return table(columns, rows, caption=caption, name="alike")


def _readings(output: Output) -> list[str]:
    """What the design's own checks found, those of a result where the design has none."""
    checks = output.get("design", "checks") or ()
    found = {
        str(each.get("name")): str(each.get("reading") or "") for each in checks if isinstance(each, dict)
    }
    return [f"{plain_words(name).capitalize()}: {found[name]}" for name in READ if found.get(name)]


PARTS: Sequence[str] = ("balance", "alike")
