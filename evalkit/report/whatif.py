"""The what-if page: the numbers of an account and one script, which lets a reader move what was assumed.

It stands in the web page alone and shows itself only where scripts run, so that nothing is missing elsewhere.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from evalkit.report.output import Output, numbers
from evalkit.report.theme import templates_dir
from evalkit.report.worth import NO_RATIO, RATIO_LEVEL
from evalkit.results import Result

TITLE = "What if the assumptions were different?"
INTRODUCTION = (
    "Move a slider, or type a number, and the sentence below says at what impact the benefits would equal the costs. "
    "Everything is worked out on this page; nothing is sent anywhere."
)
FRAMES = ("what_if_lines", "what_if_costs")
MOVED = ("counted", "impact", "deadweight", "net_impact", "unit_cost", "worth")


def what_if(output: Output) -> str:
    """The part for the web page; empty where there is no account, or where one of its numbers is withheld."""
    account = next((r for r in output.results if set(FRAMES) <= set(r.detail)), None)
    data = None if account is None else values(output, account)
    if data is None:
        return ""
    said = INTRODUCTION if data["showRatio"] else f"{INTRODUCTION} {NO_RATIO}"
    # A tag, a shortcode or the end of the script needs a `<`: inside the data there is none.
    packed = json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return (
        '::: {.content-visible when-format="html"}\n```{=html}\n'
        '<section class="what-if" aria-labelledby="what-if-title" hidden>\n'
        f'<h3 id="what-if-title">{TITLE}</h3>\n<p>{html.escape(said)}</p>\n<div id="what-if"></div>\n</section>\n'
        f'<script type="application/json" id="what-if-data">{packed}</script>\n'
        f"<script>{script()}</script>\n```\n:::\n"
    )


def values(output: Output, account: Result) -> dict[str, Any] | None:
    """What the script reads: costs, the lines that count in the ratio, and whether the ratio may be shown."""
    lines = numbers(account.detail["what_if_lines"], MOVED)
    costs = numbers(account.detail["what_if_costs"], ["value"])["value"]
    lines = lines[lines["counted"] != 0]
    if lines.empty or costs.empty or lines[list(MOVED)].isna().any(axis=None) or not costs.iloc[0] > 0:
        return None
    return {
        "costs": float(costs.iloc[0]),
        "lines": [
            {"name": str(row.line), "agency": str(row.agency), "impact": float(row.impact),
             "deadweight": float(row.deadweight), "unitCost": float(row.unit_cost), "worth": float(row.worth),
             "net": bool(row.net_impact)}
            for row in lines.itertuples()
        ],
        "showRatio": output.level(account.analysis) >= RATIO_LEVEL,
        "unit": next((e.unit for e in account.estimates if e.term == "pv_costs"), None) or "pounds",
    }  # fmt: skip


@cache
def script() -> str:
    """The script as it stands in a page, to the byte: a page's policy names its hash."""
    return (templates_dir() / "whatif.js").read_text(encoding="utf-8").strip()


PARTS: Sequence[str] = ("what_if",)
