"""One place over time: a series beside what was expected of it, and a place beside its mixture of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotnine import (
    aes,
    geom_hline,
    geom_line,
    geom_point,
    geom_ribbon,
    ggplot,
    labs,
    scale_color_manual,
    scale_linetype_manual,
    scale_shape_manual,
    scale_y_continuous,
)

from evalkit.report.figures.estimates import tick
from evalkit.report.figures.periods import _start, _start_line, _time_axis, _times
from evalkit.report.output import numbers
from evalkit.report.theme import DARK_BLUE, FOCUS_GREY, INK, ORANGE, Figure, plain_theme
from evalkit.report.words import is_number, number, spread
from evalkit.results import Result

EXPECTED = "expected without the programme"
LEGEND = {"actual": "the place", "synthetic": "mixture of other places"}


def interrupted(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The counts, the fitted course, and the course expected without the programme with its interval."""
    frame = result.detail["series"]
    frame = frame[frame["group"] == "treated"] if "group" in frame else frame
    data = numbers(
        frame, ["observed", "fitted", "counterfactual", "conf_low", "conf_high", "post"]
    ).reset_index(drop=True)
    data["time"], ticks = _times(data["period"])
    after = data[data["post"] == 1]
    lines = _lines(data, after)
    plot = ggplot(data, aes("time"))
    banded = after.dropna(subset=["conf_low", "conf_high"])
    if len(banded) > 1:
        plot = plot + geom_ribbon(
            aes(ymin="conf_low", ymax="conf_high"), data=banded, fill=ORANGE, alpha=0.18
        )
    plot = (
        plot
        + geom_point(aes(y="observed"), data=data.dropna(subset=["observed"]), color=INK, size=1.6)
        + geom_line(aes(y="height", color="line", linetype="line", group="piece"), data=lines, size=1.1)
        + scale_color_manual(values=[DARK_BLUE, ORANGE])
        + scale_linetype_manual(values=["solid", "dashed"])
        + _time_axis(ticks)
        + labs(x="dots: what was recorded in each period", y="")
        + plain_theme(grid="y")
    )
    start = _start(data)
    if start is not None:
        plot = plot + _start_line(start, float(data[["observed", "fitted", "counterfactual"]].max().max()))
    return Figure(plot=plot, alt=_interrupted_alt(result, data, after, label), data=data, height=3.8)


def _lines(data: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The fitted course throughout, and the expected one from the start on.

    No line joins the last period before to the first after: the step is the estimate, not a course.
    """
    lines = pd.concat(
        [
            data.assign(line="fitted", height=data["fitted"]),
            after.assign(line=EXPECTED, height=after["counterfactual"]),
        ]
    ).dropna(subset=["height"])
    lines["piece"] = [f"{line} {post:.0f}" for line, post in zip(lines["line"], lines["post"], strict=True)]
    lines["line"] = pd.Categorical(lines["line"], categories=["fitted", EXPECTED], ordered=True)
    return lines


def synthetic_path(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The place and its mixture, period by period, the start drawn as a line."""
    data, ticks = _path(result)
    long = pd.concat([data.assign(line=words, height=data[name]) for name, words in LEGEND.items()])
    long["line"] = pd.Categorical(long["line"], categories=list(LEGEND.values()), ordered=True)
    plot = (
        ggplot(
            long.dropna(subset=["height"]), aes("time", "height", color="line", linetype="line", shape="line")
        )
        + geom_line(size=1.1)
        + geom_point(size=2)
        + scale_color_manual(values=[DARK_BLUE, ORANGE])
        + scale_linetype_manual(values=["solid", "dashed"])
        + scale_shape_manual(values=["o", "^"])
        + _time_axis(ticks)
        + labs(x="", y="")
        + plain_theme(grid="y")
    )
    start = _start(data)
    if start is not None:
        plot = plot + _start_line(start, float(long["height"].max()))
    return Figure(plot=plot, alt=_path_alt(result, data, label), data=data, height=3.6)


def synthetic_gap(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The place less its mixture, period by period, against none."""
    data, ticks = _path(result)
    plot = (
        ggplot(data.dropna(subset=["gap"]), aes("time", "gap"))
        + geom_hline(yintercept=0, color=FOCUS_GREY, size=0.9)
        + geom_line(size=1.1, color=DARK_BLUE)
        + geom_point(size=2, color=DARK_BLUE)
        + _time_axis(ticks)
        + scale_y_continuous(labels=lambda each: [tick(value) for value in each])
        + labs(x="", y="")
        + plain_theme(grid="y")
    )
    start = _start(data)
    if start is not None:
        plot = plot + _start_line(start, float(data["gap"].max()))
    before, after = data[data["post"] != 1]["gap"], data[data["post"] == 1]["gap"]
    alt = (
        f"Line chart of the gap in {label or 'the outcome'} between the place and its mixture of other places. Before "
        f"the start it runs from {_size(before.min())} to {_size(before.max())}; after, from {_size(after.min())} "
        f"to {_size(after.max())}."
    )
    return Figure(plot=plot, alt=alt, data=data, height=3.4)


def _path(result: Result) -> tuple[pd.DataFrame, dict[int, str]]:
    data = numbers(result.detail["path"], ["actual", "synthetic", "gap", "post"]).reset_index(drop=True)
    data["time"], ticks = _times(data["period"])
    return data, ticks


def _interrupted_alt(result: Result, data: pd.DataFrame, after: pd.DataFrame, label: str) -> str:
    last, head = after.iloc[-1], result.headline
    said = (
        f"Chart of {label or 'the outcome'} over {len(data)} periods, {len(after)} of them after the start."
    )
    ended = (
        f" In the last period the fitted course stands at {_size(last['fitted'])}, against "
        f"{_size(last['counterfactual'])} expected without the programme."
    )
    if head.estimate is None:
        return said + ended
    ratio = head.measure.endswith("ratio") or head.measure.startswith("ratio")
    kind = "Ratio of levels at the start" if ratio else "Change in level at the start"
    places = 2 if ratio else 1
    interval = (
        f" (range {spread(head.conf_low, head.conf_high, places)})" if head.conf_low is not None else ""
    )
    return f"{said}{ended} {kind}: {number(head.estimate, places)}{interval}."


def _size(value: Any) -> str:
    """A count or a rate: whole from a hundred up."""
    return number(value, 0 if is_number(value) and abs(value) >= 100 else 1)


def _path_alt(result: Result, data: pd.DataFrame, label: str) -> str:
    before, after = data[data["post"] != 1], data[data["post"] == 1]
    last: Any = after.iloc[-1]
    mean = result.headline.estimate
    gap = f" On average after the start the place is {_size(mean)} apart from it." if mean is not None else ""
    return (
        f"Line chart of {label or 'the outcome'} in the place and in a mixture of other places, over {len(before)} "
        f"periods before the start and {len(after)} after. In the last period the place stands at "
        f"{_size(last['actual'])} and the mixture at {_size(last['synthetic'])}.{gap}"
    )
