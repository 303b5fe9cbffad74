"""What a difference-in-differences rests on: its parts, the bounds under weaker assumptions, each cohort's path."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from plotnine import (
    aes,
    facet_wrap,
    geom_hline,
    geom_line,
    geom_linerange,
    geom_point,
    geom_vline,
    ggplot,
    labs,
    position_dodge,
    scale_color_manual,
    scale_linetype_manual,
    scale_shape_manual,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from evalkit.report.figures.periods import whole_steps
from evalkit.report.output import numbers
from evalkit.report.theme import DARK_BLUE, INK, ORANGE, PALETTE, Figure, plain_theme
from evalkit.report.words import number, percent, spread
from evalkit.results import Result

KINDS = {
    "treated_vs_never": "with never treated",
    "earlier_vs_later": "with later starters",
    "later_vs_earlier": "with earlier starters",
}
SHAPES = ["o", "^", "X"]
COHORT_SHAPES = ["o", "^", "s", "D", "v", "P"]
RESTRICTIONS = {
    "relative_magnitudes": "times the largest departure before the start",
    "smoothness": "change of slope from one period to the next",
}
PATH = ["estimate", "conf_low", "conf_high"]


def bacon(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Each two-by-two comparison behind a two-way estimate: its weight and its estimate, its kind by shape."""
    data = numbers(result.detail["bacon"], ["weight", "estimate"]).dropna(subset=["weight", "estimate"])
    shown = [each for each in KINDS if each in set(data["kind"])]
    places = [list(KINDS).index(each) for each in shown]
    data["comparison"] = pd.Categorical(
        [KINDS.get(str(each), str(each)) for each in data["kind"]], categories=[KINDS[each] for each in shown]
    )
    plot = (
        ggplot(data, aes("weight", "estimate", color="comparison", shape="comparison"))
        + geom_hline(yintercept=0, color=INK, size=0.6)
        + geom_point(size=4)
        + scale_color_manual(values=[PALETTE[place] for place in places])
        + scale_shape_manual(values=[SHAPES[place] for place in places])
        + scale_x_continuous(limits=(0, None), labels=lambda ticks: [percent(each) for each in ticks])
        + labs(x="weight in the two-way estimate", y="estimate")
        + plain_theme(grid="y")
    )
    sums = data.groupby("kind")["weight"].sum()
    parts = "; ".join(f"{KINDS[kind]} {percent(sums[kind])}" for kind in shown)
    alt = f"Scatter of {len(data)} two-by-two comparisons by weight and estimate. Weight by kind: {parts}."
    return Figure(plot=plot, alt=alt, data=data, height=3.8)


def sensitivity(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The interval as parallel trends is allowed to fail by more and more, from the frame `sensitivity`."""
    data = numbers(result.detail["sensitivity"], ["m_bar", "conf_low", "conf_high"]).dropna(
        subset=["m_bar", "conf_low", "conf_high"]
    )
    none = 1.0 if result.headline.measure == "rate_ratio" else 0.0
    shown = [each for each in RESTRICTIONS if each in set(data["restriction"])]
    names = {each: RESTRICTIONS[each] for each in shown}
    data["panel"] = pd.Categorical(
        [names.get(str(each), str(each)) for each in data["restriction"]], categories=list(names.values())
    )
    plot = (
        ggplot(data, aes("m_bar", ymin="conf_low", ymax="conf_high"))
        + geom_hline(yintercept=none, color=INK, size=0.7)
        + geom_linerange(color=DARK_BLUE, size=2)
        + scale_x_continuous(labels=lambda ticks: [number(each, 2) for each in ticks])
        + facet_wrap("panel", scales="free_x", ncol=1)
        + labs(x="how far parallel trends may fail", y="")
        + plain_theme(grid="y")
        + theme(panel_spacing_y=0.06)
    )
    return Figure(plot=plot, alt=_sensitivity_alt(data, none), data=data, height=1.4 + 2.3 * len(shown))


def group_time(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The effect on each cohort by time since its start, with pointwise intervals, cohorts apart by shape."""
    data = numbers(result.detail["group_time"], ["event_time", *PATH]).dropna(
        subset=["event_time", "estimate"]
    )
    cohorts = sorted(set(data["cohort"].astype(str)))
    data["start"] = pd.Categorical([f"start {each}" for each in data["cohort"]],
                                   categories=[f"start {each}" for each in cohorts])  # fmt: skip
    beside = position_dodge(width=0.5)
    colours = [PALETTE[i % len(PALETTE)] for i in range(len(cohorts))]
    shapes = [COHORT_SHAPES[i % len(COHORT_SHAPES)] for i in range(len(cohorts))]
    plot = (
        ggplot(data, aes("event_time", "estimate", color="start", shape="start"))
        + geom_hline(yintercept=0, color=INK, size=0.7)
        + geom_vline(xintercept=-0.5, linetype="dashed", color=INK, size=0.6)
        + geom_linerange(aes(ymin="conf_low", ymax="conf_high"), data=data.dropna(subset=PATH), position=beside,
                         size=1.1)
        + geom_point(position=beside, size=2.8)
        + scale_color_manual(values=colours)
        + scale_shape_manual(values=shapes)
        + scale_x_continuous(breaks=whole_steps(data["event_time"]), labels=lambda ticks: [number(t, 0) for t in ticks])
        + labs(x="periods since the start (dashed line: the start)", y="")
        + plain_theme(grid="y")
    )  # fmt: skip
    last = data[data["event_time"] >= 0].groupby("start", observed=True)["estimate"].mean()
    parts = "; ".join(f"{start} {number(value, 3)}" for start, value in last.items())
    alt = f"Effects on {len(cohorts)} cohorts by periods since their start. Mean after it: {parts or 'none'}."
    return Figure(plot=plot, alt=alt, data=data, height=3.8)


def overlap(table: pd.DataFrame, *, arms: Mapping[str, str] | None = None) -> Figure:
    """The share of each group at each score of taking part, from the design's table `overlap`."""
    names = {"treated": "programme", "control": "comparison group"} | dict(arms or {})
    wide = numbers(table, ["score_low", "score_high", "share_treated", "share_control"])
    wide["score"] = (wide["score_low"] + wide["score_high"]) / 2
    long = pd.concat([
        wide[["score"]].assign(group=names[arm], share=100 * wide[f"share_{arm}"]) for arm in ("treated", "control")
    ])  # fmt: skip
    groups = [names["treated"], names["control"]]
    long["group"] = pd.Categorical(long["group"], categories=groups)
    data = long.dropna(subset=["score", "share"])
    plot = (
        ggplot(data, aes("score", "share", color="group", shape="group", linetype="group"))
        + geom_line(size=1.1)
        + geom_point(size=3)
        + scale_color_manual(values=[DARK_BLUE, ORANGE])
        + scale_shape_manual(values=["o", "^"])
        + scale_linetype_manual(values=["solid", "dashed"])
        + scale_y_continuous(limits=(0, None))
        + labs(x="score: the chance of taking part, given what was known before", y="% of\ngroup")
        + plain_theme(grid="y")
    )
    return Figure(plot=plot, alt=_overlap_alt(wide, data, groups), data=long, height=3.4)


def _overlap_alt(wide: pd.DataFrame, data: pd.DataFrame, groups: list[str]) -> str:
    both = wide.dropna(subset=["share_treated", "share_control"])
    shared = both[(both["share_treated"] > 0) & (both["share_control"] > 0)]
    parts = [
        f"{name}, most at a score of {_peak(data, name)}" for name in groups if (data["group"] == name).any()
    ]
    hidden = len(wide) - len(both)
    return (
        f"Lines of how each group is spread over the score: {'; '.join(parts)}. "
        f"{len(shared)} of {len(both)} bands of the score hold people of both groups"
        f"{f'; {hidden} more are withheld' if hidden else ''}."
    )


def _peak(data: pd.DataFrame, name: str) -> str:
    mine = data[data["group"] == name]
    return number(float(mine.loc[mine["share"].to_numpy() == mine["share"].max(), "score"].iloc[0]), 2)


def _sensitivity_alt(data: pd.DataFrame, none: float) -> str:
    """The first interval, and the largest failure that still leaves the line of no difference outside."""
    own = data[data["restriction"] == "relative_magnitudes"]
    own = own if len(own) else data
    first = next(own.sort_values("m_bar").itertuples(), None)
    if first is None:
        return "No bound could be drawn."
    clear = own[(own["conf_low"] > none) | (own["conf_high"] < none)]["m_bar"]
    until = (
        f"The interval leaves out no difference up to {number(float(clear.max()), 2)}."
        if len(clear)
        else "Every interval includes no difference."
    )
    return (
        f"Intervals of the effect as parallel trends is allowed to fail by more and more. At {number(first.m_bar, 2)} "
        f"{RESTRICTIONS.get(str(first.restriction), '')} the range is "
        f"{spread(first.conf_low, first.conf_high, 2)}. {until}"
    )
