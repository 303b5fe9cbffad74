"""People: how many were reached and kept, what was met, and how alike two groups are."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd
from plotnine import (
    aes,
    coord_fixed,
    coord_flip,
    element_blank,
    facet_wrap,
    geom_col,
    geom_point,
    geom_segment,
    geom_text,
    geom_vline,
    ggplot,
    labs,
    scale_color_manual,
    scale_shape_manual,
    scale_x_continuous,
    scale_y_continuous,
    scale_y_discrete,
    theme,
)

from evalkit.report.output import numbers, share_criteria
from evalkit.report.theme import DARK_BLUE, DUO, FOCUS_GREY, INK, LILAC, ORANGE, TEXT, Figure, plain_theme
from evalkit.report.words import count, is_number, number, percent, plain_words, spread, step_words
from evalkit.results import Result

ROW, MARGIN = 0.5, 0.9
ALIKE = 0.1  # standard deviations: within this the groups count as alike
BANDS = {"green": ("met", "circle"), "amber": ("partly met", "triangle"), "red": ("not met", "square")}
BAND_COLOURS = {"met": DARK_BLUE, "partly met": ORANGE, "not met": "#801650", "not known": "#3D3D3D"}


def flow(rows: Sequence[Mapping[str, object]], *, arms: Mapping[str, str] | None = None) -> Figure:
    """How many people there were at each step, one panel of bars per group."""
    arms = {"treated": "programme", "control": "comparison group"} | dict(arms or {})
    data = pd.DataFrame(rows)
    data = numbers(data, ["n"])
    data["step"] = [textwrap.fill(step_words(step), 26) for step in data["step"]]
    data["group"] = (
        [textwrap.fill(arms.get(str(a), str(a)), 26) for a in data["arm"]] if "arm" in data else "all"
    )
    steps = list(dict.fromkeys(data["step"]))[::-1]
    data["step"] = pd.Categorical(data["step"], categories=steps, ordered=True)
    data["text"] = [count(n) if is_number(n) else "withheld" for n in data["n"]]
    data["n"] = data["n"].fillna(0)
    groups = list(dict.fromkeys(data["group"]))
    data["group"] = pd.Categorical(data["group"], categories=groups, ordered=True)
    plot = (
        ggplot(data, aes("step", "n"))
        + geom_col(fill=DARK_BLUE, width=0.66)
        + geom_text(
            aes(label="text"), ha="left", nudge_y=float(data["n"].max()) * 0.015, size=TEXT - 1, color=INK
        )
        + scale_y_continuous(expand=(0, 0, 0.16, 0))
        + coord_flip()
        + labs(x="", y="people")
        + plain_theme(grid="none")
        + theme(axis_text_x=element_blank(), axis_title_x=element_blank())
    )
    if len(groups) > 1:
        plot = plot + facet_wrap("group", ncol=2)
    return Figure(plot=plot, alt=_flow_alt(data, groups), data=data, height=MARGIN + ROW * len(steps))


def stages(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The stages of a funnel, from the frame `stages`."""
    frame = result.detail["stages"]
    name = next((c for c in ("stage", "step", "name") if c in frame), str(frame.columns[0]))
    size = next((c for c in ("reached", "n", "value") if c in frame), str(frame.columns[1]))
    return flow(
        [{"step": row[name], "arm": label or "people", "n": row[size]} for _, row in frame.iterrows()]
    )


def criteria(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Progression criteria: what was reached with its interval beside the two bands, in words and shapes."""
    data = _criteria_data(result)
    names = dict(zip(data["row"], (textwrap.fill(str(n), 26) for n in data["name"]), strict=True))
    known = data["value"].notna().to_numpy()
    shown = [v for v in ("met", "partly met", "not met", "not known") if v in set(data.loc[known, "verdict"])]
    shapes = {"met": "o", "partly met": "^", "not met": "s", "not known": "x"}
    data["verdict"] = pd.Categorical(data["verdict"], categories=shown)
    plot = (
        ggplot(data, aes(y="row"))
        + geom_segment(aes(x="amber", xend="green", yend="row"), size=9, color="#E6E8EA")
        + geom_segment(
            aes(x="conf_low", xend="conf_high", yend="row", color="verdict"),
            data=data.dropna(subset=["value", "conf_low", "conf_high"]),
            size=1.5,
        )
        + geom_point(aes(x="value", color="verdict", shape="verdict"), data=data[known], size=4.5)
        + geom_text(aes(x="value", label="text"), data=data[known], nudge_y=0.36, size=TEXT - 1, color=INK)
        + geom_text(aes(label="text"), data=data[~known], x=1, ha="left", size=TEXT - 1, color=INK)
        + scale_color_manual(values=[BAND_COLOURS[v] for v in shown], limits=shown)
        + scale_shape_manual(values=[shapes[v] for v in shown], limits=shown)
        + scale_x_continuous(limits=(0, 104), breaks=[0, 25, 50, 75, 100])
        + scale_y_discrete(labels=lambda keys: [names[k] for k in keys], expand=(0, 0.6))
        + labs(x="% (pale band: partly met)", y="")
        + plain_theme()
    )
    return Figure(plot=plot, alt=_criteria_alt(data), data=data, height=MARGIN + 0.3 + 0.66 * len(data))


def _criteria_alt(data: pd.DataFrame) -> str:
    parts = [
        f"{r['name']}: {r['text']}"
        + (f" (range {spread(r['conf_low'], r['conf_high'], 0, '%')})" if is_number(r["conf_low"]) else "")
        for _, r in data.iterrows()
    ]
    return f"{len(data)} progression criteria, each with its interval and its two bands. {'; '.join(parts)}."


def _criteria_data(result: Result) -> pd.DataFrame:
    """The criteria that are shares, in per cent, with each band as words."""
    frame = result.detail["criteria"]
    data = numbers(frame[share_criteria(frame)], ["value", "conf_low", "conf_high", "green", "amber"])
    data["verdict"] = [BANDS.get(str(b), ("not known", "x"))[0] for b in data["band"]]
    data["row"] = [f"{i:03d}" for i in range(len(data), 0, -1)]
    data["at"] = range(len(data), 0, -1)
    for column in ("value", "conf_low", "conf_high", "green", "amber"):
        data[column] = data[column] * 100
    data["text"] = [
        f"{number(v, 0)}%: {w}" if is_number(v) else f"figures withheld: {w}"
        for v, w in zip(data["value"], data["verdict"], strict=True)
    ]
    return data


def love(balance: pd.DataFrame) -> Figure:
    """Standardised differences before and after the design, with the lines within which groups count as alike."""
    before, after = _named(balance, "before"), _named(balance, "after")
    wide = numbers(balance, [before, after])
    wide = wide[wide[after].notna() | wide[before].notna()]
    moved = not wide[before].equals(wide[after])
    data = _difference_rows(wide, {"before": before, "after": after} if moved else {"after": after})
    times = {"before": (ORANGE, "^"), "after": (DARK_BLUE, "o")}
    shown = list(data["when"].cat.categories)
    plot = (
        ggplot(data.dropna(), aes("smd", "covariate", color="when", shape="when"))
        + geom_vline(xintercept=[-ALIKE, ALIKE], linetype="dashed", color=FOCUS_GREY, size=0.8)
        + geom_vline(xintercept=0, color=INK, size=0.6)
        + geom_point(size=4)
        + scale_color_manual(values=[times[each][0] for each in shown])
        + scale_shape_manual(values=[times[each][1] for each in shown])
        + scale_x_continuous(labels=lambda ticks: [number(each, 2) for each in ticks])
        + scale_y_discrete(expand=(0, 0.7))
        + labs(x="standardised difference between the groups", y="")
        + plain_theme()
    )
    if not moved:
        plot = plot + theme(legend_position="none")
    inside, n = int((wide[after].abs() <= ALIKE).sum()), int(wide[after].notna().sum())
    alike = f"After the design {inside} of {n}" if moved else f"{inside} of them"
    earlier = f" against {number(wide[before].abs().max(), 2)} before" if moved else ""
    alt = (f"How alike the two groups are on {n} characteristics. {alike} differ by no more than {number(ALIKE)} "
           f"standard deviations; the largest is {number(wide[after].abs().max(), 2)}{earlier}.")  # fmt: skip
    return Figure(plot=plot, alt=alt, data=data, height=1.3 + 0.42 * len(wide))


def _difference_rows(wide: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """One row per characteristic and time: its name as it is printed, its difference, and when."""
    names = [textwrap.fill(plain_words(each).replace(" = ", ": "), 28) for each in wide[str(wide.columns[0])]]
    parts = [
        pd.DataFrame({"covariate": names, "smd": wide[column], "when": when})
        for when, column in columns.items()
    ]
    data = pd.concat(parts)
    data["covariate"] = pd.Categorical(
        data["covariate"], categories=list(dict.fromkeys(names))[::-1], ordered=True
    )
    data["when"] = pd.Categorical(
        data["when"], categories=[each for each in columns if each in set(data["when"])], ordered=True
    )
    return data


def icon_array(panels: Mapping[str, float], *, low: Mapping[str, float] | None = None,
               high: Mapping[str, float] | None = None) -> Figure:  # fmt: skip
    """A hundred figures per panel, the share filled from the bottom left; the interval's zone hatched by shape.

    `panels` gives each panel's share (0 to 1). One panel tells what happened; two are for evidence that allows a
    comparison, which the caller has to know.
    """
    data = _icon_rows(panels, low or {}, high or {})
    data["panel"] = pd.Categorical(data["panel"], categories=list(panels), ordered=True)
    states = [s for s in ("happened", "could be either", "did not happen") if s in set(data["state"])]
    colours = dict(
        zip(("happened", "could be either", "did not happen"), (DUO[0], LILAC, "#767B7F"), strict=True)
    )
    shapes = {"happened": "o", "could be either": "D", "did not happen": "."}
    data["state"] = pd.Categorical(data["state"], categories=states, ordered=True)
    plot = (
        ggplot(data, aes("x", "y", color="state", shape="state"))
        + geom_point(size=4.4)
        + scale_color_manual(values=[colours[s] for s in states])
        + scale_shape_manual(values=[shapes[s] for s in states])
        + coord_fixed()
        + labs(x="", y="")
        + plain_theme(grid="none")
        + theme(axis_text=element_blank())
    )
    if len(panels) > 1:
        plot = plot + facet_wrap("panel") + theme(panel_spacing_x=0.08)
    parts = [f"{panel}: {percent(share)} of 100" for panel, share in panels.items()]
    alt = f"{len(panels) * 100} figures, ten by ten. {'; '.join(parts)}.".replace("% of 100", " in every 100")
    return Figure(plot=plot, alt=alt, data=data, width=7.2, height=4.0)


def _icon_rows(
    panels: Mapping[str, float], low: Mapping[str, float], high: Mapping[str, float]
) -> pd.DataFrame:
    """One row per icon: panel, place, and whether it happened, could be either, or did not happen."""
    rows = []
    for panel, share in panels.items():
        first, last = round(100 * low.get(panel, share)), round(100 * high.get(panel, share))
        for i in range(100):
            state = "happened" if i < first else "could be either" if i < last else "did not happen"
            rows.append({"panel": panel, "x": i % 10, "y": i // 10, "state": state})
    return pd.DataFrame(rows)


def _named(balance: pd.DataFrame, when: str) -> str:
    """The column of standardised differences before or after the design."""
    wanted = [
        str(c) for c in balance.columns if when in str(c) and ("smd" in str(c) or "difference" in str(c))
    ]
    return wanted[0] if wanted else f"smd_{when}"


def _flow_alt(data: pd.DataFrame, groups: Sequence[str]) -> str:
    parts = []
    for group in groups:
        mine = data[data["group"] == group]
        parts.append(f"{group}: {'; '.join(f'{r.step} {r.text}' for r in mine.itertuples())}")
    return f"How many people there were at each step. {'. '.join(parts)}.".replace("\n", " ")
