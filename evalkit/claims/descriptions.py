"""Sentences about what happened, where nobody was compared: one group, an area before and after, delivery, a plan.

Each function gives what can be said (without the level's obligatory sentence), what cannot, and how it leans.
"""

from __future__ import annotations

import math

from evalkit.claims.amounts import LEAST_FOR_PERCENT, count_of, percent, short, whole
from evalkit.claims.labels import Words, capital
from evalkit.errors import Refused
from evalkit.results import Estimate, Result

Said = tuple[str, str, str]
NO_RESULTS = "Anything about results for those who took part: this was not set up to show any."


def cell(result: Result, frame: str, column: str, row: int = 0) -> float | None:
    """A number of a detail frame; None where it is not there, was withheld or is not a number."""
    table = result.detail.get(frame)
    if table is None or column not in table.columns or not -len(table) <= row < len(table):
        return None
    try:
        value = float(table[column].iloc[row])
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def proportion(result: Result, w: Words) -> Said:
    head = result.headline
    unknown = (
        f"What would have happened without {w.programme}: some would have done the same anyway, and nobody knows how "
        f"many. Nor can the figure be set beside one with another period, definition or group."
    )
    if head.estimate is None:
        return w.say(f"How many {w.did} cannot be given."), unknown, "not assessed"
    if not head.n_treated:
        return w.say(f"{percent(head.estimate)} {w.did}."), unknown, "not assessed"
    what = f"{count_of(head.estimate * head.n_treated, head.n_treated)} {w.did}."
    if head.n_treated < LEAST_FOR_PERCENT:
        spread = "With so few people, no percentage means much."
    else:
        spread = _underlying(head.conf_low, head.conf_high)
    return (
        w.say(what, spread),
        unknown,
        "not assessed",
    )


def _underlying(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    span = f"{percent(low)} to {percent(high)}"
    return f"In a group this size, the underlying figure could lie anywhere in the range {span}."


def before_after(result: Result, w: Words) -> Said:
    head = result.headline
    before, after = cell(result, "counts", "before"), cell(result, "counts", "after")
    unknown = f"That the change comes from {w.programme}. It might have happened anyway."
    place = f"{capital(str(head.group))}: " if head.group not in (None, "", "all") else ""
    if before is None or after is None or head.estimate is None:
        text = f"The counts of {w.thing} before and after are not both shown, so no change is given."
        return w.say(text), unknown, "cannot tell"
    went = capital(f"{place}{w.thing} went from {whole(before):,} to {whole(after):,}")
    if before < LEAST_FOR_PERCENT:
        return (
            w.say(f"{went}. With so few to start from, no percentage change is given."),
            unknown,
            "cannot tell",
        )
    rate = "" if abs(after / before - head.estimate) < 0.005 else " as a rate"
    ends = [None if each is None else fall(each) for each in (head.conf_low, head.conf_high)]
    unsettled = f"We cannot tell how much of this has to do with {w.programme}."
    return w.say(f"{went}, {fall(head.estimate)}{rate}{_change(ends)}", unsettled), unknown, _lean(head, 1.0)


def fall(ratio: float) -> str:
    """`a fall of 9%`, `a rise of less than 1%`, `no change`."""
    change = 100 * (ratio - 1)
    if abs(change) < 0.05:
        return "no change"
    size = f"{whole(abs(change))}%" if abs(change) >= 0.95 else "less than 1%"
    return f"a {'fall' if change < 0 else 'rise'} of {size}"


def _change(ends: list[str | None]) -> str:
    """The end of a sentence about a change: what the underlying one could be."""
    if None in ends:
        return "; no range can be given for the change."
    return f"; allowing for chance, the underlying change could lie between {ends[0]} and {ends[1]}."


def _lean(head: Estimate, null: float) -> str:
    if head.conf_low is None or head.conf_high is None or head.conf_low <= null <= head.conf_high:
        return "cannot tell"
    return "lower" if head.estimate < null else "higher"


def trend(result: Result, w: Words) -> Said:
    """A level or slope change of one series, with nothing to compare it with."""
    head = result.headline
    unknown = f"How much of any change has to do with {w.programme}. Other things may have happened at the same time."
    if head.estimate is None:
        return w.say(f"No change in {w.thing} could be worked out."), unknown, "cannot tell"
    ratio = "ratio" in head.measure
    three = (head.estimate, head.conf_low, head.conf_high)
    said, *ends = (None if v is None else fall(v) if ratio else _step(v, head.unit) for v in three)
    text = f"Compared with the trend before, {w.thing} showed {said}{_change(ends)}"
    return w.say(text), unknown, _lean(head, 1.0 if ratio else 0.0)


def _step(value: float, unit: str | None) -> str:
    return f"a {'fall' if value < 0 else 'rise'} of {short(abs(value))} {unit or ''}".rstrip()


def progression(result: Result, w: Words) -> Said:
    head = result.headline
    total = (head.unit or "").removeprefix("of ").removesuffix(" criteria")
    of = f" of {total}" if total.isdigit() else ""
    met = (
        "The number of criteria that were met cannot be given."
        if head.estimate is None
        else (f"{whole(head.estimate)}{of} criteria reached the target that was set before the pilot.")
    )
    return w.say(met), NO_RESULTS, "not assessed"


def power(result: Result, w: Words) -> Said:
    head = result.headline
    groups = (
        f"With {head.n_treated:,} and {head.n_control:,} people in the two groups"
        if head.n_treated and head.n_control
        else "With the numbers planned"
    )
    if head.estimate is None:
        return w.say(f"{groups}, no difference could be found."), NO_RESULTS, "not assessed"
    points = head.measure == "risk_difference" or head.unit == "percentage points"
    size = (
        f"{whole(abs(head.estimate))} or more in every 100"
        if points
        else f"{short(abs(head.estimate))} {head.unit or ''}".rstrip() + " or more"
    )
    text = f"{groups}, a difference of {size} would usually be found if it were there."
    cannot = "Anything about results: this is a plan, and nothing has been measured yet."
    return w.say(text, "A smaller one would probably be missed."), cannot, "not assessed"


def funnel(result: Result, w: Words) -> Said:
    head = result.headline
    if head.estimate is None:
        return w.say("How many people reached the last stage cannot be given."), NO_RESULTS, "not assessed"
    share = head.measure in ("proportion", "share")
    if share and head.n_treated:
        text = f"{count_of(head.estimate * head.n_treated, head.n_treated)} reached the last stage."
    else:
        text = f"{percent(head.estimate) if share else f'{whole(head.estimate):,}'} reached the last stage."
    return w.say(f"{capital(w.label)}: {text}" if w.label else text), NO_RESULTS, "not assessed"


def survey(result: Result, w: Words) -> Said:
    head = result.headline
    invited = next((n for name in result.detail for n in [cell(result, name, "invited")] if n), None)
    if head.estimate is None or not head.n_treated:
        raise Refused(
            "a survey result cannot be worded without the number who answered", do="Give `answered`"
        )
    asked = (
        f", {percent(head.n_treated / invited)} of those asked"
        if invited
        else ", out of an unknown number asked"
    )
    share = count_of(head.estimate * head.n_treated, head.n_treated)
    text = f"Of those who answered, {share} {w.did} ({whole(head.n_treated):,} answered{asked})."
    spread = "" if head.n_treated < LEAST_FOR_PERCENT else _underlying(head.conf_low, head.conf_high)
    return (
        w.say(text, spread),
        "What those who did not answer would have said, or what lies behind the answers.",
        "not assessed",
    )


def run_chart(result: Result, w: Words) -> Said:
    head = result.headline
    if head.estimate is None:
        return w.say(f"The latest figure for {w.thing} cannot be given."), NO_RESULTS, "not assessed"
    text = f"The latest figure for {w.thing} was {short(head.estimate)}"
    if head.conf_low is None or head.conf_high is None:
        return w.say(f"{text}."), "Why it went up or down.", "not assessed"
    usual = f"{short(head.conf_low)} to {short(head.conf_high)}"
    inside = head.conf_low <= head.estimate <= head.conf_high
    where = "inside" if inside else "outside"
    return w.say(f"{text}, {where} the usual range of {usual}."), "Why it went up or down.", "not assessed"
