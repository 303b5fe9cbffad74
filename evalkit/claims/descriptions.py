"""Sentences about what happened, where nobody was compared: one group, an area before and after, delivery, a plan.

Each function gives what can be said (without the level's obligatory sentence), what cannot, and how it leans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.claims import rows
from evalkit.claims.amounts import LEAST_FOR_PERCENT, count_of, percent, short, whole
from evalkit.claims.labels import Words, capital
from evalkit.errors import Refused
from evalkit.results import Estimate, Result

Said = tuple[str, str, str]
_WHEN = {
    "level_change": " at the start", "average_change": " on average since the start",
    "slope_change": " in its slope, period by period",
}  # fmt: skip
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
    """One change, or what is true of all the rows and the first of them as an example."""
    several = rows.peers(result)
    can, cannot, direction = _one_change(result, w, example=bool(several))
    if not several:
        return w.say(can), cannot, direction
    cannot = f"{cannot} Rows may overlap, so they cannot be added together."
    return w.say(rows.changes(several, w.thing), "The table has each.", can), cannot, rows.lean(several)


def _one_change(result: Result, w: Words, *, example: bool) -> Said:
    head = result.headline
    thing = w.counted if example else w.thing
    before, after = cell(result, "counts", "before"), cell(result, "counts", "after")
    unknown = f"That the change comes from {w.programme}. It might have happened anyway."
    for_example = ", for example" if example else ""
    place = "" if head.group in (None, "", "all") else f"{head.group}{for_example}: "
    if not example and str(head.group).lower() in thing.lower():
        place = ""  # the only row, which the label has named already
    if before is None or after is None or head.estimate is None:
        text = f"{place}the counts of {thing} before and after are not both shown, so no change is given."
        return capital(text), unknown, "cannot tell"
    went = f"{place}{thing} went from {whole(before):,} to {whole(after):,}"
    went = went if w.opening and not example else capital(went)
    if before < LEAST_FOR_PERCENT:
        return (
            f"{went}. With so few to start from, no percentage change is given.",
            unknown,
            "cannot tell",
        )
    rate = "" if abs(after / before - head.estimate) < 0.005 else " as a rate"
    ends = [None if each is None else fall(each) for each in (head.conf_low, head.conf_high)]
    unsettled = f"We cannot tell how much of this has to do with {w.programme}."
    said = f"{went}, {fall(head.estimate)}{rate}{_change(ends)}"
    caveats = [each for each in (widened(result), _straddled(result), unsettled) if each]
    return " ".join([said, *caveats]), unknown, _lean(head, 1.0)


def widened(result: Result) -> str:
    """That the range allows for counts that vary more than chance, and by how much."""
    check = result.check("overdispersion")
    if result.headline.interval != "quasi_poisson" or check is None or check.statistic is None:
        return ""
    return (
        f"That range is widened, because past counts went up and down {short(check.statistic)} times as much as "
        "counts of independent events do."
    )


def _straddled(result: Result) -> str:
    check = result.check("start_inside_window")
    if check is None or check.passed is not False:
        return ""
    return (
        "The start lies inside the time that was counted, so the two counts do not stand before and after it."
    )


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
    when = _WHEN.get(head.term, "")
    text = f"Set against where its earlier trend was heading, {w.thing} showed {said}{when}{_change(ends)}"
    return w.say(text), unknown, _lean(head, 1.0 if ratio else 0.0)


def _step(value: float, unit: str | None) -> str:
    return f"a {'fall' if value < 0 else 'rise'} of {short(abs(value))} {unit or ''}".rstrip()


def progression(result: Result, w: Words, pilot: bool = True) -> Said:
    """How many criteria were met; of a pilot, or of whatever the label says that they judge."""
    head = result.headline
    total = (head.unit or "").removeprefix("of ").removesuffix(" criteria")
    of = f" of {total}" if total.isdigit() else ""
    if head.estimate is None:
        met = "The number of criteria that were met cannot be given."
    elif pilot:
        met = f"{whole(head.estimate)}{of} criteria reached the target that was set before the pilot."
    else:
        met = f"{whole(head.estimate)}{of} {_criteria(w.label)} were met."
    return w.say(met, _bands(result)), NO_RESULTS, "not assessed"


def _criteria(label: str) -> str:
    """The criteria by their label, where it names them."""
    if not label.lower().startswith("criteria "):
        return "criteria"
    return f"{label[0].lower()}{label[1:]}" + ("," if "," in label else "")


def _bands(result: Result) -> str:
    """How the criteria that were not met stand, where the band of every one is shown."""
    table = result.detail.get("criteria")
    if (
        table is None
        or "band" not in table.columns
        or not table["band"].isin(["green", "amber", "red"]).all()
    ):
        return ""
    amber, red = (int((table["band"] == band).sum()) for band in ("amber", "red"))
    if not amber + red:
        return ""
    return f"Of the rest, {amber or 'none'} came between the two limits and {red or 'none'} missed both."


_PLANNED = {"risk_ratio": "a share", "odds_ratio": "odds of the outcome"}


def _detectable(result: Result) -> str:
    """The smallest difference that a plan could see, or how much lower or higher where it is a ratio."""
    head = result.headline
    if head.measure == "risk_difference" or head.unit == "percentage points":
        return f"a difference of {whole(abs(head.estimate))} or more in every 100"
    if head.unit != "ratio":
        return f"a difference of {short(abs(head.estimate))} {head.unit or ''}".rstrip() + " or more"
    others = (result.estimate(f"minimum_detectable_{way}") for way in ("increase", "reduction"))
    ratios = [head.estimate, *(each.estimate for each in others if each and each.estimate)]
    ways = [f"{whole(abs(100 * (r - 1)))}% {'lower' if r < 1 else 'higher'}" for r in ratios]
    return f"{_PLANNED.get(head.measure, 'a rate')} at least {' or '.join(ways)}"


def power(result: Result, w: Words) -> Said:
    head = result.headline
    groups = "With the numbers planned"
    if head.n_treated and head.n_control:
        groups = f"With {head.n_treated:,} and {head.n_control:,} people in the two groups"
        if head.n_treated == head.n_control:
            groups = f"With {head.n_treated:,} people in each group"
    if head.estimate is None:
        return w.say(f"{groups}, no difference could be found."), NO_RESULTS, "not assessed"
    text = f"{groups}, {_detectable(result)} would usually be found if it were there."
    if not w.is_verb:
        text = f"{w.label if w.opening else capital(w.label)}: {text[0].lower()}{text[1:]}"
    cannot = "Anything about results: this is a plan, and nothing has been measured yet."
    smaller = "one" if "a difference of" in text else "difference"
    return w.say(text, f"A smaller {smaller} would probably be missed."), cannot, "not assessed"


def funnel(result: Result, w: Words) -> Said:
    head = result.headline
    if head.estimate is None:
        return w.say("How many people reached the last stage cannot be given."), NO_RESULTS, "not assessed"
    share = head.measure in ("proportion", "share")
    if share and head.n_treated:
        text = f"{count_of(head.estimate * head.n_treated, head.n_treated)} reached the last stage."
    else:
        text = f"{percent(head.estimate) if share else f'{whole(head.estimate):,}'} reached the last stage."
    label = w.label if w.opening else capital(w.label)
    return w.say(f"{label}: {text}" if w.label else text), NO_RESULTS, "not assessed"


def survey(result: Result, w: Words) -> Said:
    head, several = result.headline, rows.peers(result)
    if head.estimate is None or not head.n_treated:
        raise Refused(
            "a survey result cannot be worded without the number who answered", do="Give `answered`"
        )
    share = count_of(head.estimate * head.n_treated, head.n_treated)
    spread = "" if head.n_treated < LEAST_FOR_PERCENT else _underlying(head.conf_low, head.conf_high)
    if several:
        text = _over_questions(result, several, w)
        spread = f"The table has each; for the first, “{head.group}”, it was {share}. {spread}".rstrip()
    else:
        asked = _asked(result, [head.n_treated])
        text = f"Of those who answered, {share} {w.did} ({whole(head.n_treated):,} answered, {asked})."
    return (
        w.say(text, spread),
        "What those who did not answer would have said, or what lies behind the answers.",
        "not assessed",
    )


def _over_questions(result: Result, several: Sequence[Estimate], w: Words) -> str:
    answered = sorted({each.n_treated for each in several if each.n_treated})
    people = " to ".join(f"{n:,}" for n in dict.fromkeys((answered[0], answered[-1])))
    over = f"over {len(several)} questions or groups"
    who = f"Of those who answered ({people} people, {_asked(result, answered)}, {over})"
    found = rows.shares(several)
    return f"{who}, {found} {w.did}." if found else f"{who}, how many {w.did} differs from one to the next."


def _asked(result: Result, answered: Sequence[int]) -> str:
    """`47% of those asked`, or the range over questions."""
    invited = next((n for name in result.detail for n in [cell(result, name, "invited")] if n), None)
    if not invited:
        return "out of an unknown number asked"
    ends = dict.fromkeys(percent(n / invited) for n in (answered[0], answered[-1]))
    return f"{' to '.join(ends)} of those asked"


def run_chart(result: Result, w: Words) -> Said:
    head = result.headline
    unknown = "Why it went up or down."
    if head.estimate is None:
        return w.say(f"The latest figure for {w.thing} cannot be given."), NO_RESULTS, "not assessed"
    text = f"The latest figure for {w.thing} was {short(head.estimate)}"
    if head.conf_low is None or head.conf_high is None:
        return w.say(f"{text}.", _signals(result)), unknown, "not assessed"
    usual = f"{short(head.conf_low)} to {short(head.conf_high)}"
    inside = head.conf_low <= head.estimate <= head.conf_high
    where = "inside" if inside else "outside"
    text = f"{text}, {where} the range of {usual} that its own ups and downs make usual."
    return w.say(text, _signals(result)), unknown, "not assessed"


def _signals(result: Result) -> str:
    check = result.check("special_cause")
    if check is None or check.statistic is None:
        return ""
    if check.statistic == 0:
        return "No point of the series stands out as a sign of change."
    return "Some points of the series stand out as a sign of change: ask what happened then."
