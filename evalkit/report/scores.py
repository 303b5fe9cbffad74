"""Tables of a risk score for a commissioner: its accuracy group by group, and the differences between groups."""

from __future__ import annotations

from evalkit.inference import RULE_WORDS
from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, count_cell, table
from evalkit.report.words import escape, is_number, number, percent, plain_words, spread
from evalkit.results import Result

SHOWN = ("sensitivity", "positive_predictive_value", "specificity", "flagged_share", "outcome_share")
IN_WORDS = {
    "sensitivity": "Of those with the outcome, flagged",
    "positive_predictive_value": "Of those flagged, with the outcome",
    "specificity": "Of those without the outcome, not flagged",
    "flagged_share": "Of everybody, flagged",
    "outcome_share": "Of everybody, with the outcome",
}
CLEAR = 0.05


def accuracy_table(result: Result, *, label: str) -> str:
    """Every rate of every group with its range: one row each, in words."""
    frame = result.detail["accuracy"]
    frame = frame[frame["measure"].isin(SHOWN)]
    known = numbers(frame, ["value", "conf_low", "conf_high"])
    columns = [Column(heading="Of whom, how many"), Column(heading="Group"), Column(heading="Counted", numeric=True),
               Column(heading="Out of", numeric=True), Column(heading="Share (%)", numeric=True),
               Column(heading="Range (95% interval)", numeric=True)]  # fmt: skip
    rows = []
    for measure in SHOWN:
        for place in frame.index[frame["measure"] == measure]:
            raw, row = frame.loc[place], known.loc[place]
            value = percent(row["value"], 1) if is_number(row["value"]) else count_cell(raw, "value")
            inside = spread(100 * row["conf_low"], 100 * row["conf_high"], 0, "%")
            rows.append([IN_WORDS[measure], _who(raw["group"]), count_cell(raw, "events"), count_cell(raw, "n"), value,
                         inside if is_number(row["value"]) else value])  # fmt: skip
    return table(
        columns, rows, name=f"accuracy-{result.analysis}", caption=f"How often the score was right: {label}"
    )


def differences_table(result: Result, *, label: str) -> str:
    """Each group less the largest, whether it is clear, and the rule by which that is said."""
    frame = result.detail["differences"]
    known = numbers(frame, ["difference", "conf_low", "conf_high", "p_adjusted"])
    columns = [Column(heading="Of whom, how many"), Column(heading="Groups"),
               Column(heading="Difference (percentage points)", numeric=True),
               Column(heading="Range (95% interval)", numeric=True), Column(heading="Clear?")]  # fmt: skip
    rows = []
    for (_, row), (_, raw) in zip(known.iterrows(), frame.iterrows(), strict=True):
        there = is_number(row["difference"])
        value = number(row["difference"], 0) if there else count_cell(raw, "difference")
        inside = spread(row["conf_low"], row["conf_high"], 0) if there else value
        clear = ("Yes" if row["p_adjusted"] < CLEAR else "No") if is_number(row["p_adjusted"]) else value
        rows.append([IN_WORDS.get(raw["measure"], plain_words(raw["measure"])),
                     f"{raw['group']} less {raw['reference']}", value, inside, clear])  # fmt: skip
    rule = RULE_WORDS.get(str(frame["rule"].iloc[0]), str(frame["rule"].iloc[0]))
    note = (
        f"A difference is called clear where its p-value lies below 0.05 after {rule} over all {len(frame)} of them. "
        "Each range is for its difference alone. One that is not clear does not show that the groups are alike."
    )
    return table(
        columns, rows, name=f"differences-{result.analysis}", caption=f"Differences between groups: {label}"
    ) + (f"\n{escape(note)}\n")


def group_part(output: Output) -> str:
    """The differences between groups of every score that was checked; empty where none was."""
    scores = [each for each in output.results if each.method == "risk_score"]
    pieces = [
        differences_table(each, label=output.label(each))
        for each in scores
        if "differences" in each.detail and len(each.detail["differences"])
    ]
    first = scores[0] if scores else None
    found = [first.check(name) for name in ("base_rates", "acted_on", "recording")] if first else []
    notes = [f"{check.reading} {check.next_step}".strip() for check in found if check is not None]
    return "\n".join([*pieces, *(f"- {escape(note)}" for note in notes), ""]) if pieces else ""


def _who(group: object) -> str:
    return "everybody" if group == "all" else str(group)
