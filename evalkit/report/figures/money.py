"""Costs and benefits: who pays and who gains, when, and which input moves the answer most."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    element_blank,
    geom_col,
    geom_point,
    geom_segment,
    geom_text,
    geom_vline,
    ggplot,
    labs,
    position_dodge,
    scale_fill_manual,
    scale_y_continuous,
    scale_y_discrete,
    theme,
)

from evalkit.report.output import numbers
from evalkit.report.theme import DUO, INK, TEXT, Figure, plain_theme
from evalkit.report.words import money, number, plain_words
from evalkit.results import Result

KINDS = ("costs", "benefits")
MOST_INPUTS = 8
CLOSE = 0.16  # of the widest reach


def by_agency(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Discounted costs and benefits of each agency, side by side."""
    frame = result.detail["by_agency"]
    amounts = [str(c) for c in frame.columns if c != "agency"]
    wide = numbers(frame, amounts)
    gains = [c for c in amounts if "benefit" in c and "cashable" not in c]
    wide["costs"] = wide[[c for c in amounts if "cost" in c]].abs().sum(axis=1)
    wide["benefits"] = wide[gains].sum(axis=1)
    data = wide.melt(id_vars="agency", value_vars=list(KINDS), var_name="kind", value_name="amount")
    plot = _bars(data, "agency")
    parts = [
        f"{r.agency} pays {money(r.costs)} and gains {money(r.benefits)}" for r in wide.head(4).itertuples()
    ]
    alt = f"Bars of discounted costs and benefits by agency. {'; '.join(parts)}."
    return Figure(plot=plot, alt=alt, data=data, height=1.4 + 0.72 * wide["agency"].nunique())


def cashflow(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """Discounted costs and benefits in each year."""
    data = numbers(result.detail["cashflow"], ["year", "discounted"])
    cost = data["flow"].eq("cost") if "flow" in data else data["discounted"] < 0
    data["side"] = ["costs" if each else "benefits" for each in cost]
    totals = (
        data.assign(amount=data["discounted"].abs()).groupby(["year", "side"], as_index=False)["amount"].sum()
    )
    full = pd.MultiIndex.from_product([sorted(data["year"].dropna().unique()), KINDS], names=["year", "side"])
    totals = totals.set_index(["year", "side"]).reindex(full, fill_value=0.0).reset_index()
    totals["year"] = [f"year {number(y, 0)}" for y in totals["year"]]
    totals = totals.rename(columns={"side": "kind"})
    sums = totals.groupby("kind")["amount"].sum()
    alt = (f"Bars of discounted costs and benefits by year. Over all years costs are {money(sums['costs'])} and "
           f"benefits {money(sums['benefits'])}.")  # fmt: skip
    return Figure(
        plot=_bars(totals, "year"), alt=alt, data=totals, height=1.4 + 0.62 * totals["year"].nunique()
    )


def tornado(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """The headline ratio at the low and the high end of each input, widest first."""
    data = _input_rows(result.detail["tornado"])
    apart, close = _labels_apart(data)
    plot = (
        ggplot(data, aes(y="input"))
        + geom_vline(xintercept=1, color=INK, size=0.6, linetype="dashed")
        + geom_segment(aes(x="low", xend="high", yend="input"), size=2, color=DUO[0])
        + geom_point(aes(x="low"), size=3.4, color=DUO[0])
        + geom_point(aes(x="high"), size=3.4, color=DUO[1], shape="^")
        + geom_text(aes(x="low", label="low_text"), data=apart, nudge_y=0.32, size=TEXT - 1)
        + geom_text(aes(x="high", label="high_text"), data=apart, nudge_y=0.32, size=TEXT - 1)
        + geom_text(aes(x="at", label="text"), data=close, ha="left", size=TEXT - 1)
        + scale_y_discrete(expand=(0, 0.65))
        + labs(x="ratio (circle: input low; triangle: input high)", y="")
        + plain_theme()
    )
    alt = "No input was varied."
    if len(data):
        widest = data.iloc[-1]
        alt = (
            f"How far the ratio moves as each of {len(data)} inputs goes from low to high. The widest is "
            f"{str(widest['input'])}, from {widest['low_text']} to {widest['high_text']}."
        )
    return Figure(plot=plot, alt=alt.replace("\n", " "), data=data, height=1.1 + 0.6 * max(len(data), 1))


def _input_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The inputs that move the ratio most, the widest last, each named with its line and with both ends as text."""
    data = numbers(frame, ["ratio_low", "ratio_high"])
    data["low"], data["high"] = data["ratio_low"], data["ratio_high"]
    data["spread"] = (data["high"] - data["low"]).abs()
    data = data.dropna(subset=["low", "high"]).sort_values("spread", kind="stable")
    data = data.tail(MOST_INPUTS).reset_index(drop=True)
    names = [
        textwrap.fill(f"{plain_words(each)}{', ' + str(line) if str(line) else ''}", 30)
        for each, line in zip(data["input"], data["line"], strict=True)
    ]
    data["input"] = pd.Categorical(names, categories=list(dict.fromkeys(names)), ordered=True)
    for end in ("low", "high"):
        data[f"{end}_text"] = [number(v, 2) for v in data[end]]
    return data


def _labels_apart(data: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with a label at each end; and those where the two would stand on one another, with one label for both."""
    ends = data[["low", "high"]]
    reach = float(ends.max().max()) - float(ends.min().min()) if len(data) else 0.0
    near = data["spread"] < CLOSE * reach
    both = [
        f"    {low} to {high}" if low != high else f"    {low}"
        for low, high in zip(data["low_text"], data["high_text"], strict=True)
    ]
    return data[~near], data.assign(at=ends.max(axis=1), text=both)[near]


def _bars(data: pd.DataFrame, name: str) -> Any:
    order = list(dict.fromkeys(str(each) for each in data[name]))
    drawn = data.assign(
        label=pd.Categorical([textwrap.fill(str(each), 24) for each in data[name]],
                             categories=[textwrap.fill(each, 24) for each in order][::-1], ordered=True),
        kind=pd.Categorical(data["kind"], categories=list(KINDS)[::-1], ordered=True),
        text=[f" {money(each)}" for each in data["amount"]],
    )  # fmt: skip
    beside = position_dodge(width=0.76)
    return (
        ggplot(drawn, aes("label", "amount", fill="kind"))
        + geom_col(position=beside, width=0.7)
        + geom_text(aes(label="text"), position=beside, ha="left", size=TEXT - 1, color=INK)
        + scale_fill_manual(values=list(DUO)[::-1], breaks=list(KINDS))
        + scale_y_continuous(expand=(0, 0, 0.2, 0))
        + coord_flip()
        + labs(x="", y="")
        + plain_theme(grid="none")
        + theme(axis_text_x=element_blank())
    )  # fmt: skip
