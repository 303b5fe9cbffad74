"""A risk score, group by group: how many were found, how often a flag was right, and whether the score comes true."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pandas as pd
from plotnine import (
    aes,
    facet_wrap,
    geom_abline,
    geom_point,
    geom_segment,
    geom_text,
    ggplot,
    labs,
    scale_x_continuous,
    scale_y_continuous,
    scale_y_discrete,
)

from evalkit.report.output import numbers
from evalkit.report.theme import DARK_BLUE, INK, TEXT, Figure, plain_theme
from evalkit.report.words import is_number, number, spread
from evalkit.results import Result

ROW, PANEL, MARGIN = 0.42, 0.45, 0.7
MEASURES = {
    "sensitivity": "Of those with the outcome, flagged beforehand",
    "positive_predictive_value": "Of those flagged, with the outcome",
}
EVERYBODY = "all"
MOST_PANELS = 6
LIMITS = ["value", "conf_low", "conf_high"]


def score_accuracy(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Sensitivity and positive predictive value of everybody and of each group, each number beside its point."""
    data = _accuracy_data(result)
    groups = list(dict.fromkeys(data["group"]))
    data["row"] = [f"{len(groups) - groups.index(each):03d}" for each in data["group"]]
    names = {row.row: textwrap.fill(_name(row.group), 26) for row in data.itertuples()}
    data["panel"] = pd.Categorical(
        [MEASURES[each] for each in data["measure"]], categories=list(MEASURES.values())
    )
    plot = (
        ggplot(data, aes(y="row"))
        + geom_segment(
            aes(x="conf_low", xend="conf_high", yend="row"),
            data=data.dropna(subset=LIMITS),
            size=1.5,
            color=DARK_BLUE,
        )
        + geom_point(aes(x="value"), data=data.dropna(subset=LIMITS), size=4, color=DARK_BLUE)
        + geom_text(aes(label="text"), x=103, ha="left", size=TEXT - 1, color=INK)
        + facet_wrap("panel", ncol=1)
        + scale_x_continuous(limits=(0, 132), breaks=[0, 25, 50, 75, 100])
        + scale_y_discrete(labels=lambda keys: [names[key] for key in keys], expand=(0, 0.6))
        + labs(x="%", y="")
        + plain_theme()
    )
    height = MARGIN + len(MEASURES) * (PANEL + ROW * len(groups))
    return Figure(plot=plot, alt=_accuracy_alt(data, label), data=data, height=height)


def score_calibration(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """In bands of the score, what it said on average and what happened, one panel per group, beside the line of a score
    that comes true."""
    data = numbers(result.detail["calibration"], [*LIMITS, "mean_score"])
    groups = list(dict.fromkeys(data["group"]))[:MOST_PANELS]
    seen = _calibration_data(data, groups)
    most = min(100.0, 5.0 * -(-max([10.0, *seen["conf_high"], *seen["mean_score"]]) // 5))
    plot = (
        ggplot(seen, aes(x="mean_score"))
        + geom_abline(slope=1, intercept=0, linetype="dashed", color=INK, size=0.6)
        + geom_segment(aes(xend="mean_score", y="conf_low", yend="conf_high"), size=1.3, color=DARK_BLUE)
        + geom_point(aes(y="value"), size=3.6, color=DARK_BLUE)
        + geom_text(aes(y="value", label="text"), ha="left", nudge_x=most / 28, size=TEXT - 1, color=INK)
        + facet_wrap("panel", ncol=2)
        + scale_x_continuous(limits=(0, most))
        + scale_y_continuous(limits=(0, most))
        + labs(x="what the score said, mean % (dashed: where it comes true)", y="what\nhappened,\n%")
        + plain_theme(grid="none")
    )
    rows = -(-len(groups) // 2)
    return Figure(
        plot=plot,
        alt=_calibration_alt(seen, groups, label, len(data) - len(seen)),
        data=seen,
        height=0.9 + 2.9 * rows,
    )


def _calibration_data(data: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """The bands that are shown, in per cent, with the panel of each and a label on the highest of each group."""
    seen = data[data["group"].isin(groups)].dropna(subset=[*LIMITS, "mean_score"]).copy()
    for column in (*LIMITS, "mean_score"):
        seen[column] = 100 * seen[column]
    seen["panel"] = pd.Categorical(
        [_name(each) for each in seen["group"]], categories=[_name(each) for each in groups]
    )
    last = ~seen["group"].duplicated(
        keep="last"
    )  # where low bands crowd, their labels would lie on one another
    seen["text"] = [
        f"{number(each, 0)}%" if end else "" for each, end in zip(seen["value"], last, strict=True)
    ]
    return seen


def _accuracy_data(result: Result) -> pd.DataFrame:
    data = numbers(result.detail["accuracy"], LIMITS)
    data = data[data["measure"].isin(MEASURES)].reset_index(drop=True)
    for column in LIMITS:
        data[column] = 100 * data[column]
    data["text"] = [
        f"{number(row.value, 0)}% ({spread(row.conf_low, row.conf_high, 0)})"
        if is_number(row.value)
        else "withheld"
        for row in data.itertuples()
    ]
    return data


def _accuracy_alt(data: pd.DataFrame, label: str) -> str:
    said = []
    for measure, words in MEASURES.items():
        rows = data[data["measure"] == measure].itertuples()
        said.append(f"{words}: {'; '.join(f'{_name(row.group)}, {_spoken(row)}' for row in rows)}.")
    about = f"Accuracy of a score{', outcome: ' + label if label else ''}. "
    return about + " ".join(said)


def _spoken(row: object) -> str:
    if not is_number(row.value):
        return "withheld"
    return f"{number(row.value, 0)}% (range {spread(row.conf_low, row.conf_high, 0, '%')})"


def _calibration_alt(seen: pd.DataFrame, groups: list[str], label: str, missing: int) -> str:
    parts = []
    for group in groups:
        rows = seen[seen["group"] == group]
        above = int((rows["conf_low"] > rows["mean_score"]).sum())
        below = int((rows["conf_high"] < rows["mean_score"]).sum())
        top = rows.iloc[-1] if len(rows) else None
        highest = "" if top is None else (
            f"; in the highest the score said {number(top['mean_score'], 0)}% and {number(top['value'], 0)}% happened"
        )  # fmt: skip
        parts.append(
            f"{_name(group)}: of {len(rows)} bands, {above or 'none'} with clearly more than the score said and "
            f"{below or 'none'} with clearly fewer{highest}"
        )
    more = f" {missing} bands are withheld." if missing else ""
    return f"What a score said beside what happened{': ' + label if label else ''}. {'. '.join(parts)}.{more}"


def _name(group: object) -> str:
    words = "everybody" if group == EVERYBODY else str(group)
    return words[:1].upper() + words[1:]
