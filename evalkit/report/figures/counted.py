"""Counts before and after: each change in per cent with its interval, beside the counts that it is made of."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evalkit.report.figures.estimates import _beside, _capital, _height, _whole_interval
from evalkit.report.output import numbers
from evalkit.report.theme import Figure
from evalkit.report.words import count, is_number
from evalkit.results import Estimate, Result

COUNTS = ("before", "after", "comparison_before", "comparison_after")


def changes(result: Result, *, label: str = "", arms: Mapping[str, str] | None = None) -> Figure:
    """One row for each count that has an interval: how many per cent more or fewer, and the two counts by name."""
    head = result.headline
    frame = result.detail["counts"]
    counts = numbers(frame, [each for each in COUNTS if each in frame])
    heads = [each for each in result.estimates if each.term == head.term]
    rows = [
        {
            "label": _name(each, row, label), "estimate": each.estimate, "conf_low": each.conf_low,
            "conf_high": each.conf_high,
            "text": f"{change(each.estimate)} ({change(each.conf_low)} to {change(each.conf_high)})",
        }
        for each, (_, row) in zip(heads, counts.iterrows(), strict=False)
        if _whole_interval(each, True)
    ]  # fmt: skip
    data = pd.DataFrame(rows, columns=["label", "estimate", "conf_low", "conf_high", "text"])
    compared = head.term == "ratio_of_rate_ratios"
    axis = "change, less that of the comparison" if compared else "change from before to after"
    plot = _beside(data, none=1.0, axis=axis, ratio=True, tick_words=change)
    return Figure(plot=plot, alt=_alt(data, len(heads), label, compared), data=data, height=_height(data))


def change(ratio: float) -> str:
    """A ratio as a change: `+24%`, `−9%`, `no change`; with a decimal place below one per cent."""
    size = 100 * (ratio - 1)
    if abs(size) < 0.05:
        return "no change"
    return f"{size:+,.{0 if abs(size) >= 0.95 else 1}f}%".replace("-", "−")


def _name(each: Estimate, row: pd.Series, label: str) -> str:
    """What was counted, and its two counts where they are printed."""
    name = str(each.group or label)
    if not (is_number(row.get("before")) and is_number(row.get("after"))):
        return name
    own = f"{name}: {count(row['before'])} to {count(row['after'])}"
    if not is_number(row.get("comparison_before")) or not is_number(row.get("comparison_after")):
        return own
    return f"{own} (comparison {count(row['comparison_before'])} to {count(row['comparison_after'])})"


def _alt(data: pd.DataFrame, total: int, label: str, compared: bool) -> str:
    of = f" of {label}" if label else ""
    if data.empty:
        return f"No change{of} could be drawn."
    beside = ", set against the change in the comparison" if compared else ""
    untold = int(((data["conf_low"] <= 1) & (data["conf_high"] >= 1)).sum())
    first = f"{_capital(str(data['label'].iloc[0]))}: {data['text'].iloc[0]}."
    if total == 1:
        reach = "reaches" if untold else "does not reach"
        return f"Change from before to after{beside}. {first} Its interval {reach} no change."
    up, down = int((data["conf_low"] > 1).sum()), int((data["conf_high"] < 1).sum())
    return (
        f"Changes{of} from before to after{beside}, {len(data)} drawn of {total}. By their own intervals {up} rose, "
        f"{down} fell and {untold} cannot be told apart from no change. {first}"
    )
