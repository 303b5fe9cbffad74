"""Many studies, stages, answers and points: forest and funnel of a pooled effect, a pathway, a survey, a run chart."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    element_blank,
    geom_col,
    geom_line,
    geom_point,
    geom_segment,
    geom_step,
    geom_text,
    geom_vline,
    ggplot,
    labs,
    scale_color_manual,
    scale_shape_manual,
    scale_size_manual,
    scale_x_continuous,
    scale_x_discrete,
    scale_y_continuous,
    scale_y_discrete,
    scale_y_reverse,
    theme,
)

from evalkit.report.figures.estimates import ratio_ticks
from evalkit.report.figures.periods import label_step, period_words
from evalkit.report.output import numbers
from evalkit.report.theme import DARK_BLUE, FOCUS_GREY, INK, ORANGE, TEXT, Figure, plain_theme
from evalkit.report.words import count, is_number, number, percent, spread
from evalkit.results import Result

ROW, MARGIN = 0.42, 1.1
LIMITS = ["estimate", "conf_low", "conf_high"]
SHAPES = {"usual": "o", "high": "^", "low": "v"}
COLOURS = {"usual": DARK_BLUE, "high": ORANGE, "low": "#801650"}
MOST_LABELS = 7


def studies(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Forest plot of a pooled effect: each study in the order given, its mean, and where a new study would lie."""
    data = _study_rows(result)
    data["row"] = [f"{place:03d}" for place in range(len(data), 0, -1)]
    names = dict(zip(data["row"], (textwrap.fill(str(each), 30) for each in data["study"]), strict=True))
    kinds = ["study", "average", "new study"]
    data["kind"] = pd.Categorical(data["kind"], categories=kinds)
    seen = data.dropna(subset=["conf_low", "conf_high"])
    right = max([0.0, *seen["conf_high"]])
    data["edge"] = right + 0.04 * (right - min([0.0, *seen["conf_low"]]) or 1.0)
    plot = (
        ggplot(data, aes(y="row"))
        + geom_vline(xintercept=0, color=INK, size=0.7)
        + geom_segment(
            aes(x="conf_low", xend="conf_high", yend="row", size="kind"), data=seen, color=DARK_BLUE
        )
        + geom_point(
            aes(x="estimate", shape="kind"), data=data[data["kind"] != "new study"], size=4, color=DARK_BLUE
        )
        + geom_text(aes(x="edge", label="text"), ha="left", size=TEXT - 2, color=INK)
        + scale_size_manual(values=[1.1, 2.4, 0.6], limits=kinds, guide=None)
        + scale_shape_manual(values=["s", "D"], limits=kinds[:2], guide=None)
        + scale_y_discrete(labels=lambda keys: [names[key] for key in keys], expand=(0, 0.6))
        + _room(result, seen, right)
        + labs(x=_scale(result), y="")
        + plain_theme()
    )
    return Figure(
        plot=plot, alt=_studies_alt(result, data, label), data=data, height=MARGIN + ROW * len(data)
    )


def small_studies(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Funnel plot: effects against their standard errors, large studies on top, and the lines for one effect in all."""
    data = numbers(result.detail["studies"], [*LIMITS, "std_error"]).dropna(subset=["estimate", "std_error"])
    centre, widest = _known(result.headline.estimate), float(data["std_error"].max())
    lines = pd.DataFrame({
        "x": [centre - 1.96 * widest, centre, centre + 1.96 * widest], "y": [widest, 0.0, widest],
    })  # fmt: skip
    plot = (
        ggplot(data, aes("estimate", "std_error"))
        + geom_line(aes("x", "y"), data=lines, linetype="dashed", color=INK, size=0.6)
        + geom_vline(xintercept=centre, color=INK, size=0.6)
        + geom_point(size=3.4, color=DARK_BLUE)
        + scale_y_reverse()
        + labs(x=_scale(result), y="standard\nerror" if _shown(result) is float else "error of\nits log")
        + plain_theme(grid="none")
    )
    if _shown(result) is math.exp:
        ticks = ratio_ticks(
            min(data["estimate"].min(), lines["x"].min()), max(data["estimate"].max(), lines["x"].max())
        )
        plot = plot + scale_x_continuous(
            breaks=[math.log(each) for each in ticks], labels=[f"{each:g}" for each in ticks]
        )
    outside = int(((data["estimate"] - centre).abs() > 1.96 * data["std_error"]).sum())
    check = result.check("small_study")
    alt = (
        f"Funnel plot of {len(data)} studies: effects against their standard errors, the most precise on top. "
        f"{outside} lie outside the lines that would hold 95% if all shared one effect. "
        f"{check.reading if check else ''}"
    )
    return Figure(plot=plot, alt=alt.strip(), data=data, height=4.0)


def reached(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The stages of a pathway: how many reached each, as bars, with their share of those who entered."""
    data = numbers(result.detail["stages"], ["reached", "share_of_first"])
    data["row"] = [f"{place:03d}" for place in range(len(data), 0, -1)]
    names = dict(zip(data["row"], (textwrap.fill(str(each), 28) for each in data["stage"]), strict=True))
    data["text"] = [
        f"{count(n)} ({percent(share, 1)})" if is_number(n) and is_number(share) else "withheld"
        for n, share in zip(data["reached"], data["share_of_first"], strict=True)
    ]
    data["reached"] = data["reached"].fillna(0)
    plot = (
        ggplot(data, aes("row", "reached"))
        + geom_col(fill=DARK_BLUE, width=0.62)
        + geom_text(
            aes(label="text"),
            ha="left",
            nudge_y=float(data["reached"].max()) * 0.015,
            size=TEXT - 1,
            color=INK,
        )
        + scale_x_discrete(labels=lambda keys: [names[key] for key in keys])
        + scale_y_continuous(expand=(0, 0, 0.28, 0))
        + coord_flip()
        + labs(x="", y="")
        + plain_theme(grid="none")
        + theme(axis_text_x=element_blank())
    )
    parts = "; ".join(f"{row.stage}: {row.text}" for row in data.itertuples())
    alt = f"Bars of {label or 'people'} who reached each of {len(data)} stages, with their share of the first. {parts}."
    return Figure(plot=plot, alt=alt, data=data, height=MARGIN + 0.5 * len(data))


def answers(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The share of those who answered that agreed, question by question, with its interval, from 0% to 100%."""
    data = numbers(result.detail["answers"], ["answered", "value", "conf_low", "conf_high"])
    for column in ("value", "conf_low", "conf_high"):
        data[column] = 100 * data[column]
    given = [each if isinstance(each, str) and each else label or "agreed" for each in data["group"]]
    data["question"] = given
    data["text"] = [f"{number(each, 0)}%" if is_number(each) else "" for each in data["value"]]
    data["row"] = [f"{place:03d}" for place in range(len(data), 0, -1)]
    names = {
        row.row: textwrap.fill(f"{row.question} ({count(row.answered)} answered)", 34)
        for row in data.itertuples()
    }
    plot = (
        ggplot(data, aes(y="row"))
        + geom_segment(aes(x="conf_low", xend="conf_high", yend="row"), size=1.5, color=DARK_BLUE)
        + geom_point(aes(x="value"), size=4, color=DARK_BLUE)
        + geom_text(aes(x="value", label="text"), nudge_y=0.34, size=TEXT - 2, color=INK)
        + scale_x_continuous(limits=(0, 100))
        + scale_y_discrete(labels=lambda keys: [names[key] for key in keys], expand=(0, 0.6))
        + labs(x="% of those who answered", y="")
        + plain_theme()
    )
    parts = [
        f"{row.question}: {number(row.value, 0)}% (range {spread(row.conf_low, row.conf_high, 0, '%')})"
        for row in data.itertuples()
    ]
    check = result.check("response_rate")
    alt = f"Share of those who answered that agreed. {'; '.join(parts)}. {check.reading if check else ''}".strip()
    return Figure(plot=plot, alt=alt, data=data, height=MARGIN + 0.5 * len(data))


def points(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """A run chart: the series with its centre and limits, signals marked by shape as well as colour."""
    data = numbers(result.detail["points"], ["value", "centre", "lower", "upper"])
    data = _with_printed_limits(data, result)
    data["at"] = range(len(data))
    data["mark"] = [str(each) if str(each) in ("high", "low") else "usual" for each in data["signal"]]
    shown = [each for each in SHAPES if each in set(data["mark"])]
    data["mark"] = pd.Categorical(data["mark"], categories=shown)
    step = label_step([str(each) for each in data["period"]], MOST_LABELS)
    ticks = list(range(0, len(data), step))
    texts = [period_words(str(each)) for each in data["period"].iloc[ticks]]
    segments = {"group": "segment"} if "segment" in data else {}
    plot = (
        ggplot(data, aes("at", "value"))
        + geom_step(aes(y="lower", **segments), color=INK, linetype="dashed", size=0.6)
        + geom_step(aes(y="upper", **segments), color=INK, linetype="dashed", size=0.6)
        + geom_step(aes(y="centre", **segments), color=INK, size=0.6)
        + geom_line(color=FOCUS_GREY, size=0.9)
        + geom_point(aes(color="mark", shape="mark"), size=3)
        + geom_text(
            aes("at", "height", label="text"), data=_named_lines(data), ha="left", size=TEXT - 2, color=INK
        )
        + scale_color_manual(values=[COLOURS[each] for each in shown], limits=shown)
        + scale_shape_manual(values=[SHAPES[each] for each in shown], limits=shown)
        + scale_x_continuous(breaks=ticks, labels=texts, limits=(0, 1.22 * max(len(data) - 1, 1)))
        + labs(x="", y="")
        + plain_theme(grid="none")
    )
    if shown == ["usual"]:
        plot = plot + theme(legend_position="none")
    return Figure(plot=plot, alt=_points_alt(result, data, label), data=data, height=3.8)


def _with_printed_limits(data: pd.DataFrame, result: Result) -> pd.DataFrame:
    """The last limits as the table beside the figure prints them, where the gate rounded the two to unlike lengths."""
    ends = {"lower": result.headline.conf_low, "upper": result.headline.conf_high}
    same = data[list(ends)].eq(data[list(ends)].iloc[-1])
    for name, end in ends.items():
        if end is not None:
            data.loc[same[name], name] = float(end)
    return data


def _named_lines(data: pd.DataFrame) -> pd.DataFrame:
    """The last centre and limits, each named beside the end of its line."""
    last = data.iloc[-1]
    words = {"upper": "usual most", "centre": "average", "lower": "usual least"}
    places = _places(last["upper"] - last["lower"])
    rows = [
        (len(data) - 0.4, last[name], f"{said} {number(last[name], places)}") for name, said in words.items()
    ]
    return pd.DataFrame(rows, columns=["at", "height", "text"]).dropna()


def _places(size: float) -> int:
    """Decimal places for numbers about so large."""
    return 0 if abs(size) >= 10 else 1 if abs(size) >= 1 else 2


def _study_rows(result: Result) -> pd.DataFrame:
    """Studies as given, then the average, then the range of a new study."""
    data = numbers(result.detail["studies"], LIMITS)[["study", *LIMITS]].assign(kind="study")
    rows = [
        {"study": "average", "kind": "average", **{name: getattr(result.headline, name) for name in LIMITS}}
    ]
    ahead = result.estimate("prediction")
    if ahead is not None and is_number(ahead.conf_low):
        limits = {name: getattr(ahead, name) for name in LIMITS}
        rows.append({"study": "range for a new study", "kind": "new study", **limits})
    data = pd.concat([data, numbers(pd.DataFrame(rows), LIMITS)], ignore_index=True)
    shown = _shown(result)
    data["text"] = [
        f"{number(shown(row.estimate), 2)} ({spread(shown(row.conf_low), shown(row.conf_high), 2)})"
        if row.kind != "new study"
        else f"({spread(shown(row.conf_low), shown(row.conf_high), 2)})"
        for row in data.itertuples()
    ]
    return data


def _shown(result: Result) -> Callable[[float], float]:
    """What a reader is told of a number on the axis: of a logarithm, the ratio."""
    return math.exp if result.headline.measure.startswith("log_") else float


def _room(result: Result, seen: pd.DataFrame, right: float) -> Any:
    left = min([0.0, *seen["conf_low"]])
    limits = (left, right + 0.55 * (right - left or 1.0))
    if _shown(result) is float:
        return scale_x_continuous(limits=limits)
    ticks = ratio_ticks(left, right)
    return scale_x_continuous(
        limits=limits, breaks=[math.log(each) for each in ticks], labels=[f"{each:g}" for each in ticks]
    )


def _scale(result: Result) -> str:
    measure = result.headline.measure
    if measure.startswith("log_"):
        return f"{measure.removeprefix('log_').replace('_', ' ')} (1: no difference)"
    return f"{result.headline.unit or measure.replace('_', ' ')} (0: no difference)"


def _known(value: float | None) -> float:
    return 0.0 if value is None else value


def _studies_alt(result: Result, data: pd.DataFrame, label: str) -> str:
    each = data[data["kind"] == "study"]
    crossing = int(((each["conf_low"] <= 0) & (each["conf_high"] >= 0)).sum())
    average = data[data["kind"] == "average"].iloc[0]
    ahead = data[data["kind"] == "new study"]
    about = f" of {label}" if label else ""
    text = (
        f"Forest plot{about}, {len(each)} studies in the order given; the intervals of {crossing} cross the line of no "
        f"difference. Average, {_scale(result)}: {average['text']}."
    )
    return (
        text
        if ahead.empty
        else f"{text} A new study would lie in the range {ahead.iloc[0]['text'].strip('()')}."
    )


def _points_alt(result: Result, data: pd.DataFrame, label: str) -> str:
    last = data.iloc[-1]
    check, places = result.check("special_cause"), _places(last["upper"] - last["lower"])
    return (
        f"Run chart of {label or 'the series'}, {len(data)} periods. The latest, {last['period']}, is "
        f"{number(last['value'], places)}; the usual range is {spread(last['lower'], last['upper'], places)}. "
        f"{check.reading if check else ''}"
    ).strip()
