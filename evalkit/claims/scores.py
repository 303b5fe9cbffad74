"""What may be said of a risk score: how often it was right, and for whom; never what its use would change."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from evalkit.claims.amounts import LEAST_FOR_PERCENT, count_of, percent, whole
from evalkit.claims.labels import Words, capital
from evalkit.results import Estimate, Result

Said = tuple[str, str, str]
FEW_GROUPS = 4
CLEAR = 0.05
_BY = re.compile(r",? by [\w ]+\Z")
ASPECTS = {
    "sensitivity": "in the share flagged beforehand",
    "positive_predictive_value": "in how often a flag was right",
    "specificity": "in the share rightly left unflagged",
    "flagged_share": "in the share flagged at all",
}
CANNOT = (
    "That any harm was avoided because somebody was flagged, what the score means for one person, or how often it "
    "would be right at another threshold, later, or elsewhere."
)


def risk_score(result: Result, w: Words) -> Said:
    """The label is what people did, such as `came to harm within six months`; `, by area` after it is not repeated."""
    w = replace(w, label=_BY.sub("", w.label))
    head, precision = result.headline, _of(result, "positive_predictive_value", None)
    if head.estimate is None or not head.n_treated:
        none = f"How many of those who {w.did} had been flagged cannot be given."
        return w.say(none, _over_groups(result)), CANNOT, "not assessed"
    found = f"{_threshold(result)} the score had flagged {_count(head)} who {w.did}{_by_group(result)}."
    spread = ""
    if head.n_treated >= LEAST_FOR_PERCENT and head.conf_low is not None:
        spread = f"Allowing for chance, the underlying share could lie between {_ends(head)}."
    right = ""
    if precision is not None and precision.estimate is not None and precision.n_treated:
        right = f"Of those it flagged, {_count(precision)} {w.done}."
    return w.say(found, spread, right, _over_groups(result), _calibration(result)), CANNOT, "not assessed"


def _threshold(result: Result) -> str:
    frame = result.detail.get("groups")
    if frame is None or "threshold" not in frame.columns:
        return "At its threshold"
    return f"At a threshold of {float(frame['threshold'].iloc[0]):g},"


def _of(result: Result, term: str, group: str | None) -> Estimate | None:
    return next((each for each in result.estimates if (each.term, each.group) == (term, group)), None)


def _count(each: Estimate) -> str:
    return count_of(each.estimate * each.n_treated, each.n_treated)


def _ends(each: Estimate) -> str:
    return f"{percent(each.conf_low)} and {percent(each.conf_high)}"


def _by_group(result: Result) -> str:
    """`: 59% in town and 36% in village`, or from the lowest to the highest of many; empty where one is withheld."""
    rows = [each for each in result.estimates if each.term == "sensitivity" and each.group is not None]
    if not rows or any(each.estimate is None or (each.n_treated or 0) < LEAST_FOR_PERCENT for each in rows):
        return ""
    if len(rows) > FEW_GROUPS:
        low, high = (pick(rows, key=lambda each: each.estimate) for pick in (min, max))
        return f", from {percent(low.estimate)} ({low.group}) to {percent(high.estimate)} ({high.group})"
    said = [f"{percent(each.estimate)} ({each.group})" for each in rows]
    return f": {', '.join(said[:-1])} and {said[-1]}"


def _over_groups(result: Result) -> str:
    """Which differences between groups are clear, allowing for how many were looked at."""
    frame = result.detail.get("differences")
    if frame is None:
        return ""
    known = [row for row in frame.to_dict("records") if _number(row["p_adjusted"])]
    if len(known) < len(frame):
        return "Some groups have too few people to be set beside the others."
    clear = [row for row in known if row["p_adjusted"] < CLEAR]
    looked = f"Allowing for the {len(known)} differences between groups that were looked at"
    if not clear:
        return f"{looked}, none is clear; that does not show that the groups are treated alike."
    named = "; ".join(_difference(row) for row in clear[:FEW_GROUPS])
    more = f"; and {len(clear) - FEW_GROUPS} more in the table" if len(clear) > FEW_GROUPS else ""
    verb = "this one is clear" if len(clear) == 1 else f"{len(clear)} are clear"
    return f"{looked}, {verb}: {named}{more}."


def _difference(row: dict[str, Any]) -> str:
    low, high = sorted(abs(row[name]) for name in ("conf_low", "conf_high"))
    word = "fewer" if row["difference"] < 0 else "more"
    aspect = ASPECTS.get(row["measure"], str(row["measure"]).replace("_", " "))
    size, than = whole(abs(row["difference"])), f"for {row['group']} than for {row['reference']}"
    return f"{aspect}, {size} in every 100 {word} {than} (range {whole(low)} to {whole(high)})"


def _calibration(result: Result) -> str:
    """Where the score is clearly too low or too high as a chance, by the printed ranges."""
    off = [
        (each.group, "low" if each.estimate > 1 else "high")
        for each in result.estimates
        if each.term == "observed_over_expected"
        and None not in (each.estimate, each.conf_low, each.conf_high)
        and not each.conf_low <= 1 <= each.conf_high
    ]
    groups = [(name, word) for name, word in off if name is not None]
    if not groups:
        return f"Read as a chance, the score is too {off[0][1]} over everybody." if off else ""
    said = [f"too {word} for {name}" for name, word in groups]
    return capital(f"read as a chance, the score is {', '.join(said)}.")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
