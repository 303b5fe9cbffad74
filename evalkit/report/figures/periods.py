"""What happened over time: group means, event studies, survival curves."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotnine import (
    aes,
    annotate,
    geom_hline,
    geom_line,
    geom_linerange,
    geom_point,
    geom_ribbon,
    geom_step,
    geom_text,
    geom_vline,
    ggplot,
    labs,
    scale_color_manual,
    scale_fill_manual,
    scale_linetype_manual,
    scale_shape_manual,
    scale_x_continuous,
    scale_y_continuous,
)

from evalkit.report.output import numbers
from evalkit.report.theme import DARK_BLUE, DUO, INK, TEXT, Figure, plain_theme
from evalkit.report.words import MONTHS, number, spread
from evalkit.results import Result

AT_RISK = (0.0, 0.5, 0.75, 1.0)  # of the time followed
LONGEST_NAME = 26
MOST_LABELS = 7  # along an axis of time
CALENDAR = (1, 2, 3, 6, 12, 24, 36, 60, 120)  # months
ARMS = {"treated": "programme", "control": "comparison", "1": "programme", "0": "comparison"}


def means(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Each group's mean in each period, from the frame `means`, the start drawn as a line where it is known."""
    data, value = _means_data(result, arms)
    groups = list(dict.fromkeys(data["group"]))
    data["group"] = pd.Categorical(data["group"], categories=groups, ordered=True)
    data["time"], ticks = _times(data["period"])
    scale = _rate_scale(result, float(data[value].abs().max()))
    data["value"] = data[value] * scale
    per = f"per {scale:,}" if scale > 1 else ""
    colours, shapes = _series(groups)
    plot = (
        ggplot(
            data.dropna(subset=["value"]),
            aes("time", "value", color="group", shape="group", linetype="group"),
        )
        + geom_line(size=1.1)
        + geom_point(size=2.6)
        + scale_color_manual(values=colours)
        + scale_shape_manual(values=shapes)
        + scale_linetype_manual(values=["solid", "dashed", "dotted", "dashdot"][: len(groups)])
        + _time_axis(ticks)
        + labs(x="", y=per.replace(" ", "\n"))
        + plain_theme(grid="y")
    )
    start = _start(data)
    start = _start_of(result, data) if start is None else start
    if start is not None:
        plot = plot + _start_line(start, float(data["value"].max()))
    return Figure(
        plot=plot,
        alt=_means_alt(data, groups, f"{label or 'the outcome'}{' (' + per + ')' if per else ''}", start),
        data=data,
        height=3.6,
    )


def _rate_scale(result: Result, largest: float) -> int:
    """Rates of rare events are read per 1,000 or per 100,000; any other mean as it stands."""
    if not any(each.measure == "rate_ratio" for each in result.estimates[:1]) or not 0 < largest < 0.1:
        return 1
    return 1_000 if largest * 1_000 >= 0.1 else 100_000


def _start_of(result: Result, data: pd.DataFrame) -> float | None:
    """Halfway before the first start, from the cohorts of `group_time` or the reach of `event_study`; else None."""
    groups = result.detail.get("group_time")
    if groups is not None and "cohort" in groups:
        places = dict(zip(data["period"].astype(str), data["time"], strict=True))
        known = [places[str(each)] for each in groups["cohort"] if str(each) in places]
        return min(known) - 0.5 if known else None
    path = result.detail.get("event_study")
    if path is None or "event_time" not in path:
        return None
    times = numbers(path, ["event_time"])["event_time"].dropna()
    last = float(data["time"].max())
    # With one start, and no leads or lags gathered, the path spans the panel: both ends must agree on where it lies.
    if times.empty or last - times.max() != -times.min() or not 0 < -times.min() <= last:
        return None
    return -float(times.min()) - 0.5


def _means_data(result: Result, arms: Mapping[str, str] | None) -> tuple[pd.DataFrame, str]:
    """The frame `means` with each row's group by name, and the column that holds the values."""
    frame = result.detail["means"]
    group = next((c for c in ("group", "arm", "treated", "cohort") if c in frame), str(frame.columns[0]))
    value = next((c for c in ("value", "mean", "estimate") if c in frame), str(frame.columns[-1]))
    data = numbers(frame, [value])
    names = ARMS | dict(arms or {})
    data["group"] = [names.get(str(each), str(each)) for each in data[group]]
    return data, value


def event_study(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Estimates by time since the start with pointwise intervals, and the simultaneous band as a paler ribbon."""
    data = numbers(result.detail["event_study"],
                   ["event_time", "estimate", "conf_low", "conf_high", "band_low", "band_high"])  # fmt: skip
    data = data.dropna(subset=["event_time", "estimate"]).sort_values("event_time").reset_index(drop=True)
    plot = ggplot(data, aes("event_time"))
    if data["band_low"].notna().sum() > 1:
        banded = data.assign(band_low=data["band_low"].fillna(data["estimate"]),
                             band_high=data["band_high"].fillna(data["estimate"]))  # fmt: skip
        plot = plot + geom_ribbon(aes(ymin="band_low", ymax="band_high"), data=banded, fill="#DCE6EF")
    plot = (
        plot
        + geom_hline(yintercept=0, color=INK, size=0.7)
        + geom_vline(xintercept=-0.5, linetype="dashed", color=INK, size=0.6)
        + geom_linerange(aes(ymin="conf_low", ymax="conf_high"), data=data.dropna(subset=["conf_low"]),
                         color=DARK_BLUE, size=1.3)
        + geom_point(aes(y="estimate"), color=DARK_BLUE, size=3)
        + scale_x_continuous(breaks=whole_steps(data["event_time"]), labels=lambda ticks: [number(t, 0) for t in ticks])
        + labs(x="periods since the start (dashed line: the start)", y="")
        + plain_theme(grid="y")
    )  # fmt: skip
    return Figure(plot=plot, alt=_event_alt(data, label), data=data, height=3.6)


def curves(
    result: Result, *, label: str = "", arms: Mapping[str, str] | None = None, unit: str = ""
) -> Figure:
    """Survival (or cumulative incidence) by group with its band, and how many are still at risk beneath.

    `unit` is that of time, such as weeks.
    """
    data = _curves_data(result, arms)
    groups = list(dict.fromkeys(data["group"]))
    data["group"] = pd.Categorical(data["group"], categories=groups, ordered=True)
    colours, _ = _series(groups)
    counts = _at_risk(data, groups)
    first, later = counts[counts["time"] == 0], counts[counts["time"] > 0]
    words = aes(x="time", y="y", label="text")
    plot = (
        ggplot(data, aes("time", "share", color="group", linetype="group"))
        + geom_ribbon(aes(ymin="conf_low", ymax="conf_high", fill="group"), alpha=0.15, color="none")
        + geom_step(size=1.1)
        + geom_text(later, words, size=TEXT - 1, color=INK)
        + geom_text(first, words, size=TEXT - 1, color=INK, ha="left")
        + scale_color_manual(values=colours)
        + scale_fill_manual(values=colours)
        + scale_linetype_manual(values=["solid", "dashed", "dotted", "dashdot"][: len(groups)])
        + scale_y_continuous(limits=(-0.09 * len(groups) - 0.03, 1.02), breaks=[0, 0.25, 0.5, 0.75, 1],
                             labels=["0%", "25%", "50%", "75%", "100%"])
        + labs(x=f"{unit or 'time'} (above: how many people are still followed)", y="")
        + plain_theme(grid="y")
    )  # fmt: skip
    return Figure(plot=plot, alt=_curves_alt(data, groups, label, unit), data=data, height=4.2)


def _curves_data(result: Result, arms: Mapping[str, str] | None) -> pd.DataFrame:
    """The frame `curves` as group, time, share, at_risk and limits, whatever its method calls them."""
    frame = result.detail["curves"]
    value = next(
        (c for c in ("survival", "value", "estimate", "cumulative_incidence") if c in frame), "value"
    )
    risk = next((c for c in ("at_risk", "n_at_risk", "n") if c in frame), "at_risk")
    data = numbers(frame, ["time", value, "conf_low", "conf_high", risk])
    names = ARMS | dict(arms or {})
    group = next((c for c in ("group", "arm", "treated") if c in frame), None)
    data["group"] = [names.get(str(g), str(g)) for g in data[group]] if group else "everybody"
    data["share"] = data[value]
    data["at_risk"] = data[risk]
    return data


def _at_risk(data: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    longest = float(data["time"].max())
    rows = []
    for depth, group in enumerate(groups):
        mine = data[data["group"] == group].sort_values("time")
        for share in AT_RISK:
            time = longest * share
            later = mine[mine["time"] >= time]["at_risk"]
            value = later.iloc[0] if len(later) else float("nan")
            text = number(value, 0) if pd.notna(value) else "[c]"
            named = (
                f"{textwrap.shorten(group, LONGEST_NAME, placeholder='…')}: {text}" if share == 0 else text
            )
            rows.append({"time": time, "y": -0.07 - 0.09 * depth, "group": group, "text": named})
    made = pd.DataFrame(rows)
    made["group"] = pd.Categorical(made["group"], categories=groups, ordered=True)
    return made


def _times(periods: pd.Series) -> tuple[pd.Series, dict[int, str]]:
    """Periods as positions in order, and the few that get a label."""
    texts = [str(each) for each in periods]
    try:
        ordered = sorted(set(texts), key=float)
    except ValueError:
        ordered = sorted(set(texts))
    position = {text: i for i, text in enumerate(ordered)}
    step = label_step(ordered, MOST_LABELS)
    ticks = {i: period_words(text) for text, i in position.items() if i % step == 0}
    return pd.Series([position[text] for text in texts], index=periods.index), ticks


def label_step(periods: list[str], most: int) -> int:
    """How many periods apart labels stand: of months, a number that keeps to the calendar."""
    least = max(1, -(-len(periods) // most))
    monthly = len(periods) > 1 and all(re.fullmatch(r"\d{4}-\d{2}(-01)?", each[:10]) for each in periods)
    return next((step for step in CALENDAR if monthly and step >= least), least)


def period_words(text: str) -> str:
    """A month or a day as `Oct 2016`; anything else as it stands."""
    found = re.match(r"(\d{4})-(0[1-9]|1[0-2])(?!\d)", text)
    return f"{MONTHS.split()[int(found[2]) - 1][:3]} {found[1]}" if found else text


def _time_axis(ticks: dict[int, str]) -> Any:
    return scale_x_continuous(breaks=list(ticks), labels=list(ticks.values()))


def _start(data: pd.DataFrame) -> float | None:
    """Halfway before the first period marked as after the start (`after` or `post`), if the frame marks it."""
    marker = next((c for c in ("after", "post") if c in data), None)
    if marker is None:
        return None
    later = data[pd.to_numeric(data[marker], errors="coerce") == 1]["time"]
    return float(later.min()) - 0.5 if len(later) else None


def _start_line(start: float, top: float) -> list[Any]:
    return [
        geom_vline(xintercept=start, linetype="dashed", color=INK, size=0.6),
        annotate("text", x=start, y=top, label=" counted as after", ha="left", size=TEXT - 1, color=INK),
    ]


def _series(groups: list[str]) -> tuple[list[str], list[str]]:
    colours = [*DUO, "#801650", "#28A197", "#3D3D3D"]
    return colours[: len(groups)], ["o", "^", "s", "D", "v"][: len(groups)]


def whole_steps(times: pd.Series) -> list[float]:
    values = sorted(set(times))
    step = max(1, len(values) // 9)
    return [v for v in values if v % step == 0]


def _means_alt(data: pd.DataFrame, groups: list[str], label: str, start: float | None) -> str:
    parts = []
    for group in groups[:3]:
        mine = data[data["group"] == group].sort_values("time")
        parts.append(f"{group} from {number(mine['value'].iloc[0])} to {number(mine['value'].iloc[-1])}")
    marked = " A dashed line marks where the periods counted as after begin." if start is not None else ""
    return (
        f"Line chart of {label} by period, a line for each group. First to last: {'; '.join(parts)}.{marked}"
    )


def _event_alt(data: pd.DataFrame, label: str) -> str:
    after = data[data["event_time"] >= 0]
    before = data[(data["event_time"] < -1) & data["conf_low"].notna()]
    quiet = int(((before["conf_low"] <= 0) & (before["conf_high"] >= 0)).sum())
    last = after.iloc[-1] if len(after) else data.iloc[-1]
    interval = f" (range {spread(last['conf_low'], last['conf_high'])})" if pd.notna(last["conf_low"]) else ""
    return (
        f"Event study of {label or 'the outcome'} by period since the start. Before it, {quiet} of {len(before)} "
        f"intervals include no difference. In the last period the estimate is {number(last['estimate'])}{interval}."
    )


def _curves_alt(data: pd.DataFrame, groups: list[str], label: str, unit: str) -> str:
    parts = []
    for group in groups:
        mine = data[data["group"] == group].sort_values("time")
        parts.append(f"{group} {number(100 * mine['share'].iloc[-1], 0)}%")
    last = number(float(data["time"].max()), 0)
    what = label or "the share without the event"
    end = f"{last} {unit}" if unit else f"time {last}"
    return f"Curves by group for {what}, to {end}. At the end: {'; '.join(parts)}."
