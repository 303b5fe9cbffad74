"""Estimates with their intervals: one measure, two groups, or many side by side."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from plotnine import (
    aes,
    geom_point,
    geom_segment,
    geom_text,
    geom_vline,
    ggplot,
    labs,
    scale_x_continuous,
    scale_y_discrete,
)

from evalkit.report.output import numbers
from evalkit.report.tables import estimate_text, interval_text, is_share
from evalkit.report.theme import DARK_BLUE, DUO, INK, TEXT, Figure, plain_theme
from evalkit.report.words import RATIOS, is_number, number, percent, places, plain_words, spread
from evalkit.results import Estimate, Result

ARMS = {"treated": "programme", "control": "comparison group"}
ROW, MARGIN, LINE = 0.5, 0.95, 0.19  # inches
LABEL, AXIS = 32, 48  # characters
TICKS = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 50.0, 100.0)
FINE_TICKS = (0.8, 1.25, 1.5, 0.9, 1.1)
TICK_ROOM = 0.28  # of the width that the intervals take


def forest(results: Sequence[Result], *, labels: Mapping[str, str] | None = None) -> Figure:
    """Every estimate of one scale with its interval and the line of no difference.

    `labels` names the analyses. Estimates without an interval are listed in the alternative text, not drawn.
    """
    labels = labels or {}
    ratio = results[0].headline.measure in RATIOS
    named: set[str] = set()
    rows = []
    for result in results:
        for each in result.estimates:
            if (each.measure in RATIOS) == ratio and _whole_interval(each, ratio):
                name = labels.get(result.analysis, plain_words(result.outcome or result.analysis))
                again = name in named or len(results) == 1
                label = name if not each.group else each.group if again else f"{name}, {each.group}"
                named.add(name)
                rows.append({
                    "label": label, "estimate": each.estimate,
                    "conf_low": each.conf_low, "conf_high": each.conf_high,
                    "text": f"{estimate_text(each)} ({interval_text(each)})",
                })  # fmt: skip
    data = pd.DataFrame(rows, columns=["label", "estimate", "conf_low", "conf_high", "text"])
    none = 1.0 if ratio else 0.0
    unit = "ratio, where 1 is no difference" if ratio else results[0].headline.unit or "difference"
    plot = _beside(data, none=none, axis=unit, ratio=ratio)
    return Figure(plot=plot, alt=_forest_alt(data, none), data=data, height=_height(data))


def arms(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Each group's value with its interval, from a frame `arms`; shares are drawn per 100 people."""
    names = ARMS | dict(arms or {})
    data = numbers(result.detail["arms"], ["n", "value", "conf_low", "conf_high"])
    shares = is_share(result)
    scale = 100 if shares else 1
    for column in ("value", "conf_low", "conf_high"):
        data[column] = data[column] * scale
    data["label"] = [f"{names.get(str(arm), str(arm))}" for arm in data["arm"]]
    ends = data[["value", "conf_low", "conf_high"]].itertuples(index=False)
    decimals = 0 if shares else max((places(*each) for each in ends), default=2)
    data["text"] = [f"{number(v, decimals)}" if is_number(v) else "withheld" for v in data["value"]]
    data = data.rename(columns={"value": "estimate"})
    plot = _rows(
        data, none=0.0, axis="of every 100 people" if shares else label or "mean", from_zero=True, two=True
    )
    parts = [f"{row.label} {row.text} (range {spread(row.conf_low, row.conf_high, decimals)})"
             for row in data.itertuples()]  # fmt: skip
    unit = " of every 100 people" if shares else ""
    alt = f"Two groups compared{': ' + label if label else ''}. {'; '.join(parts)}{unit}."
    return Figure(plot=plot, alt=alt, data=data, height=_height(data))


def proportion(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """One share, and its bounds where people were lost, each with its interval, from 0% to 100%."""
    words = {"proportion": label or "share", "proportion_if_none": "if none of those lost had it",
             "proportion_if_all": "if all of those lost had it"}  # fmt: skip
    rows = [
        {"label": each.group or words.get(each.term, plain_words(each.term)), "estimate": 100 * each.estimate,
         "conf_low": 100 * each.conf_low, "conf_high": 100 * each.conf_high, "n": each.n_treated,
         "text": f"{percent(each.estimate)}"}
        for each in result.estimates
        if is_number(each.estimate) and is_number(each.conf_low) and is_number(each.conf_high)
    ]  # fmt: skip
    data = pd.DataFrame(rows, columns=["label", "estimate", "conf_low", "conf_high", "n", "text"])
    plot = _rows(data, none=0.0, axis="% of people", limits=(0, 100))
    first = next(data.itertuples(), None)
    alt = "No share could be drawn." if first is None else (
        f"What happened to one group: {first.label}. {first.text}, where a group this size could reflect "
        f"{spread(first.conf_low, first.conf_high, 0, '%')}."
    )  # fmt: skip
    others = [f"{row.label}, {row.text}" for row in list(data.itertuples())[1:4]]
    return Figure(plot=plot, alt=f"{alt} {_capital('; '.join(others))}.".replace(" .", "") if others else alt,
                  data=data, height=_height(data))  # fmt: skip


def _beside(
    data: pd.DataFrame,
    *,
    none: float,
    axis: str,
    ratio: bool,
    tick_words: Callable[[float], str] | None = None,
) -> Any:
    """One row per estimate, its numbers in a column on the right; ratios on a scale where half and double are alike."""
    at = {
        name: [_place(value, ratio) for value in data[name]] for name in ("estimate", "conf_low", "conf_high")
    }
    drawn = data.assign(row=[f"{i:03d}" for i in range(len(data), 0, -1)], **at)
    names = {row.row: _wrapped(row.label) for row in drawn.itertuples()}
    line = _place(none, ratio)
    least, most = min([line, *drawn["conf_low"]]), max([line, *drawn["conf_high"]])
    wide = (most - least) or 1.0
    drawn["edge"] = most + 0.05 * wide
    ticks = ratio_ticks(least, most) if ratio else _steps(least, most)
    breaks = [_place(each, ratio) for each in ticks]
    return (
        ggplot(drawn, aes(y="row"))
        + geom_vline(xintercept=line, color=INK, size=0.7)
        + geom_segment(aes(x="conf_low", xend="conf_high", yend="row"), size=1.6, color=DARK_BLUE)
        + geom_point(aes(x="estimate"), size=4, color=DARK_BLUE)
        + geom_text(aes(x="edge", label="text"), ha="left", size=TEXT - 1, color=INK)
        + scale_x_continuous(
            limits=(least, most + 0.75 * wide), breaks=breaks, labels=[(tick_words or tick)(t) for t in ticks]
        )
        + scale_y_discrete(labels=lambda keys: [names[key] for key in keys], expand=(0, 0.55))
        + labs(x=textwrap.fill(axis, AXIS), y="")
        + plain_theme()
    )


def ratio_ticks(least: float, most: float) -> list[float]:
    """No difference first, then halves and doubles, then finer ones, each with room for its label; ends are logs."""
    kept: list[float] = []
    for ratio in (1.0, *TICKS, *FINE_TICKS):
        place = math.log(ratio)
        room = all(abs(place - math.log(other)) >= TICK_ROOM * (most - least) for other in kept)
        if least <= place <= most and room:
            kept.append(ratio)
    return sorted(kept)


def _steps(least: float, most: float) -> list[float]:
    """At most six round numbers between two ends."""
    wide = (most - least) or 1.0
    power = 10.0 ** math.floor(math.log10(wide))
    step = next(s * power for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if wide / (s * power) <= 5)
    return [place * step for place in range(math.ceil(least / step), math.floor(most / step) + 1)]


def _whole_interval(each: Estimate, ratio: bool) -> bool:
    ends = (each.estimate, each.conf_low, each.conf_high)
    return all(is_number(end) for end in ends) and (not ratio or min(ends) > 0)


def _place(value: float, ratio: bool) -> float:
    return math.log(value) if ratio else value


def _wrapped(label: object) -> str:
    """A label over several lines, with two counts kept on one."""
    return textwrap.fill(re.sub(r"(?<=\d) to (?=\d)", "\u00a0to\u00a0", str(label)), LABEL)


def _height(data: pd.DataFrame) -> float:
    """Inches for rows as tall as the longest label needs."""
    lines = max((len(textwrap.wrap(str(each), LABEL)) for each in data["label"]), default=1)
    return MARGIN + max(ROW, LINE * lines + 0.14) * max(len(data), 1)


def _rows(
    data: pd.DataFrame, *, none: float, axis: str, from_zero: bool = False, two: bool = False,
    limits: tuple[float, float] | None = None,
) -> Any:  # fmt: skip
    """One row per estimate: its name on the left, the interval as a bar, the number written above the point."""
    drawn = data.assign(row=[f"{i:03d}" for i in range(len(data), 0, -1)])
    names = {row.row: _wrapped(row.label) for row in drawn.itertuples()}
    colours = [DUO[i % 2] if two else DARK_BLUE for i in range(len(drawn))]
    least = min([none, *drawn["conf_low"].dropna(), *drawn["estimate"].dropna()])
    most = max([none, *drawn["conf_high"].dropna(), *drawn["estimate"].dropna()])
    room = (most - least or 1) * 0.06
    limits = limits or (least if from_zero else least - room, most + room)
    seen_rows = (drawn["conf_low"].notna() & drawn["conf_high"].notna()).tolist()
    seen = drawn[seen_rows]
    known = drawn["estimate"].notna().tolist()
    return (
        ggplot(drawn, aes(y="row"))
        + geom_vline(xintercept=none, color=INK, size=0.7)
        + geom_segment(aes(x="conf_low", xend="conf_high", yend="row"), data=seen, size=1.6,
                       color=[colours[i] for i in range(len(drawn)) if seen_rows[i]])
        + geom_point(aes(x="estimate"), data=drawn[known], size=4.2,
                     color=[colours[i] for i in range(len(drawn)) if known[i]])
        + geom_text(aes(x="estimate", label="text"), data=drawn[known], nudge_y=0.32, size=TEXT - 1, color=INK)
        + geom_text(aes(label="text"), data=drawn[[not each for each in known]], x=least, ha="left",
                    size=TEXT - 1, color=INK)
        + scale_x_continuous(limits=limits, labels=lambda ticks: [tick(each) for each in ticks])
        + scale_y_discrete(labels=lambda keys: [names[key] for key in keys], expand=(0, 0.55))
        + labs(x=textwrap.fill(axis, AXIS), y="")
        + plain_theme()
    )  # fmt: skip


def tick(value: float) -> str:
    return (
        number(value, 0)
        if float(value).is_integer()
        else number(value, 1 if abs(value * 10 % 1) < 1e-6 else 2)
    )


def _forest_alt(data: pd.DataFrame, none: float) -> str:
    if data.empty:
        return "No estimate with an interval could be drawn."
    crossing = int(((data["conf_low"] <= none) & (data["conf_high"] >= none)).sum())
    first = data.iloc[0]
    measures = "One measure" if len(data) == 1 else f"{len(data)} measures"
    crosses = (
        "its interval crosses"
        if len(data) == 1 and crossing
        else ("its interval does not cross" if len(data) == 1 else f"{crossing} of the intervals cross")
    )
    return f"Forest plot. {measures}: {crosses} the line of no difference. {_capital(first['label'])}: {first['text']}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
