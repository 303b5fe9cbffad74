"""From a Result and its Evidence to what may be said: one door for every method, a refusal for any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evalkit.claims import descriptions, effects, rows, scores
from evalkit.claims.amounts import Amount, amount, percent, size_word, whole
from evalkit.claims.certainty import DISAGREE
from evalkit.claims.descriptions import cell
from evalkit.claims.evidence import as_told
from evalkit.claims.labels import Words, capital, of_event, tidy, words
from evalkit.claims.money import cost_benefit
from evalkit.claims.shapes import Evidence, Facts, Statement
from evalkit.errors import Refused, nearest
from evalkit.results import Result

DESCRIBED: Mapping[str, Callable[[Result, Words], descriptions.Said]] = {
    "proportion": descriptions.proportion,
    "power": descriptions.power,
    "funnel": descriptions.funnel,
    "survey": descriptions.survey,
    "run_chart": descriptions.run_chart,
    "risk_score": scores.risk_score,
}
COMPARED = ("rates", "survival", "did", "synthetic_control", "counts", "interrupted", "meta")
KNOWN = (*DESCRIBED, *COMPARED, "progression", "cost_benefit")
SETTINGS = {"rates": "people", "survival": "people", "meta": "studies"}
OF_EVENTS = ("survival_difference", "risk_difference")
DOWN, UP = ("fewer", "lower", "shorter"), ("more", "higher", "longer")
NEXT_BY_BASIS = {
    "progression": "Decide on a full trial by the criteria that were met and missed, not by how the groups differ.",
    "risk_score": "Decide on use by limits that were written down beforehand, group by group, and check again on new "
    "cases; whether its use does any good is a question for another study.",
    "power": "Settle before the start whether a study of this size could find a difference that matters.",
    "cost_benefit": "Ask which assumption the answer turns on most, and measure that one before money rests on it.",
}
UNTESTED = (
    "Use these figures as background to ask what lies behind a change: no programme was tested here, so there is none "
    "to extend or to end."
)
INVENTED = (
    "Anything about the real programme. The data were invented to show what a report looks like; they hold nothing "
    "about {programme} or the people in it."
)
PARTLY_INVENTED = (
    "Anything about the real programme. Some inputs were invented to show what such an account looks like, so the "
    "figures are not what {programme} cost or was worth."
)
WEAK = (
    "Judge delivery by this record, and plan now how results will be measured and who will be compared with whom.",
    "Do not extend or end funding on this figure alone: find a like-for-like comparison before the next decision.",
)
SHARES = ("risk_ratio", "odds_ratio")
MOST_PLACES = 100
COARSENED = 0.1  # two figures that count move a share by up to 5%, and a rounded one in its turn
INVENTED_LEVEL = 3  # above it a sentence speaks of an effect, and invented data have none


def statement(
    result: Result,
    facts: Facts,
    evidence: Evidence,
    outcome_label: str = "",
    outcome_definition: str = "",
    better: str | None = None,
) -> Statement:
    """What may be said of one result, and what may not.

    Parameters
    ----------
    result
        As it will be printed: after the disclosure gate, so that no sentence holds a hidden number.
    facts, evidence
        What is known of the study, and the evidence of that same result.
    outcome_label, outcome_definition
        The outcome in words, and how it was measured (default: its name, and nothing).
    better
        `lower` or `higher`: which direction of the figure itself is good, of a hazard or of the time before an event.

    Returns
    -------
    Statement
        `headline`, `can_say`, `cannot_say`, a word for size and one for certainty, direction and sense.

    Raises
    ------
    Refused : a method that has no wording, or a survey without the number who answered.
    """
    if result.method not in KNOWN:
        raise Refused(f"there is no wording for method `{result.method}`", do=nearest(result.method, KNOWN))
    facts = as_told(facts, result)
    illustrative = result.method == "cost_benefit" and facts.cost_kind == "appraisal"
    w = words(facts, outcome_label or result.outcome, outcome_definition, illustrative=illustrative)
    if result.method == "survival" and result.headline.measure in OF_EVENTS:
        w = of_event(w, result.headline.measure)
    can, cannot, direction, size = _said(result, facts, evidence, w)
    brief, *_ = _said(result, facts, evidence, w.brief())
    if facts.simulated:
        cannot = (PARTLY_INVENTED if illustrative else INVENTED).format(programme=w.real)
    sense = "" if facts.simulated else _sense(direction, better)
    leans = f"For this outcome that is the {sense} direction." if sense and evidence.level >= 3 else ""
    owed = "" if evidence.obligatory in can else evidence.obligatory
    return Statement(
        analysis=result.analysis,
        can_say=" ".join(each for each in (can, leans, owed) if each),
        cannot_say=tidy(cannot),
        headline=_first(brief),
        size_word=size,
        certainty_word=evidence.certainty,
        direction=direction,
        sense=sense,
    )


def _said(result: Result, facts: Facts, evidence: Evidence, w: Words) -> tuple[str, str, str, str]:
    if result.method in DESCRIBED:
        return *DESCRIBED[result.method](result, w), "not rated"
    if result.method == "progression":
        return *descriptions.progression(result, w, facts.pilot), "not rated"
    if result.method == "cost_benefit":
        return *cost_benefit(result, facts, w, evidence.level), "not rated"
    if result.method == "counts" and not result.headline.term.startswith("ratio_of"):
        return *descriptions.before_after(result, w), "not rated"
    if result.method == "interrupted" and evidence.level <= 2:
        return *descriptions.trend(result, w), "not rated"
    return _over_rows(result, w, _difference(result, facts, evidence, w))


def _over_rows(result: Result, w: Words, said: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    """What is true of every row first, and the sentence on the first row as an example."""
    several = rows.peers(result)
    if not several:
        return said
    can, cannot, _, _ = said
    tally = w.say(rows.differences(several, w.thing), f"The first, for example, is {result.headline.group}.")
    return f"{tally} {capital(can.removeprefix(w.opening))}", cannot, rows.lean(several), "not rated"


def _difference(result: Result, facts: Facts, evidence: Evidence, w: Words) -> tuple[str, str, str, str]:
    head = result.headline
    lay = amount(head)
    level = min(evidence.level, INVENTED_LEVEL) if facts.simulated else evidence.level
    if lay is None:
        none = w.say(f"No figure can be given here for {w.counted}.")
        return none, "Anything about a difference.", "cannot tell", "not rated"
    margin, disagree = _margin(facts, lay), DISAGREE in evidence.reasons
    difference = effects.Difference(
        amount=lay,
        words=w,
        measure=head.measure,
        status=effects.status(lay, margin, disagree),
        disagree=disagree,
        setting=SETTINGS.get(result.method, "places"),
        beside=_beside(result, lay),
        rank=_rank(result),
        margin=margin,
    )
    can = effects.can_say(difference, level)
    cannot = effects.cannot_say(difference, level, evidence.assumption)
    direction = {"clear": lay.word, "similar": "similar"}.get(difference.status, "cannot tell")
    if direction == "cannot tell":
        return can, cannot, direction, direction
    return can, cannot, direction, size_word(_points(result, lay))


def _margin(facts: Facts, lay: Amount) -> float | None:
    """The margin on the lay scale: for a ratio, 1.1 or 0.9 is ten per cent."""
    if facts.margin is None or lay.kind != "percent":
        return facts.margin
    return 100 * abs(facts.margin - 1)


def _points(result: Result, lay: Amount) -> float | None:
    """The difference in people of 100, where it is known: for a ratio of shares, from the shares themselves."""
    if lay.kind == "points":
        return lay.value
    arms = _arms(result)
    return 100 * (arms[0] - arms[1]) if arms and result.headline.measure in SHARES else None


def _arms(result: Result) -> tuple[float, float] | None:
    """What the treated and the control group had, from the frame of that name."""
    table = result.detail.get("arms")
    if table is None or "arm" not in table.columns:
        return None
    values = {str(arm): cell(result, "arms", "value", row) for row, arm in enumerate(table["arm"])}
    treated, control = values.get("treated"), values.get("control")
    return None if treated is None or control is None else (treated, control)


def _beside(result: Result, lay: Amount) -> str:
    """The absolute figures that a relative one may not stand without."""
    arms = _arms(result)
    if lay.kind != "percent" or arms is None:
        if result.method != "counts":
            return ""
        return " ".join(each for each in (_counts_beside(result), descriptions.widened(result)) if each)
    if result.method == "survival":
        one, other = (percent(each) for each in arms)
        return (
            f"To the end of the follow-up, {one} in the programme group and {other} in the comparison group went "
            f"without it."
        )
    shares = result.headline.measure in SHARES
    one, other = (percent(each) if shares else f"{whole(100 * each)} for every 100 people" for each in arms)
    return f"It was {one} in the programme group and {other} in the comparison group."


def _rank(result: Result) -> str:
    """How many of the places, taken in turn as the treated one, show a change as large."""
    total, p = _choices(result), result.headline.p_value
    if not total or p is None or total > MOST_PLACES:
        return ""
    one = result.headline.n_treated == 1
    tried = f"{total} places is taken in turn as the one where it happened" if one else (
        f"{total} possible choices of where it happened is tried in turn"
    )  # fmt: skip
    as_large, beside = max(1, round(p * total)), ""
    if result.method == "synthetic_control":
        beside = " beside how far off it was before the start"
    if as_large == 1:
        return (
            f"When each of the {tried}, none but the true one shows a change as large{beside} (1 of {total})."
        )
    return (
        f"When each of the {tried}, {as_large} of {total} show a change at least as large{beside}, the true one "
        f"included."
    )


def _choices(result: Result) -> int:
    """How many choices were tried: the rows of the placebo frame, since the floor beside them may be coarsened."""
    floor, table = result.check("randomisation_floor"), result.detail.get("placebo")
    total = round(1 / floor.statistic) if floor is not None and floor.statistic else 0
    tried = 0 if table is None else len(table)
    alike = tried and (not total or abs(tried - total) <= max(1, COARSENED * tried))
    return tried if alike else total


def _counts_beside(result: Result) -> str:
    names = ("before", "after", "comparison_before", "comparison_after")
    numbers = [cell(result, "counts", name) for name in names]
    if None in numbers:
        return ""
    before, after, other_before, other_after = (f"{each:,.0f}" for each in numbers)
    return f"The counts went from {before} to {after}, and in the comparison from {other_before} to {other_after}."


def _sense(direction: str, better: str | None) -> str:
    if better is None or direction not in DOWN + UP:
        return ""
    return "better" if (direction in DOWN) == (better == "lower") else "worse"


def _first(text: str) -> str:
    """The first sentence that carries a figure, with what makes it uncertain or leaves it without a range."""
    sentences = text.rstrip(".").split(". ")
    bare = sentences[0].endswith(("is uncertain", "is not clear-cut"))
    unranged = len(sentences) > 1 and sentences[1].startswith("No range can be given")
    return ". ".join(sentences[: 2 if bare or unranged else 1]) + "."


def decision(
    evidence: Evidence, stated: Statement, better: str | None = None, facts: Facts | None = None
) -> str:
    """What a commissioner might do next: one honest sentence; `facts` say whether there is a programme at all."""
    if evidence.hypothetical:
        return "Decide nothing from these invented data: use them to see which data a real evaluation would need."
    if facts is not None and not facts.tested:
        return UNTESTED
    if evidence.basis == "progression" and facts is not None and not facts.pilot:
        return "Decide on use by the criteria that were met and missed, and check again on new cases."
    if evidence.basis in NEXT_BY_BASIS and evidence.level < 4:
        return NEXT_BY_BASIS[evidence.basis]
    if evidence.level <= 2:
        return WEAK[min(evidence.level, 1)]
    if stated.direction == "cannot tell" and SETTINGS.get(evidence.basis, "places") == "places":
        return "The question is not settled: decide nothing on it before more places or a longer series are compared."
    if stated.direction == "cannot tell":
        return "The question is not settled: go on only with a larger or longer study that could settle it."
    if stated.direction == "similar":
        return "A difference that matters is unlikely on this measure: weigh the cost against other gains."
    if evidence.level == 3:
        return "Take this as a reason to test further with a stronger comparison, not as a reason to expand or to stop."
    if stated.direction == "not assessed":
        return "Weigh the value shown here against other uses of the same money."
    sense = stated.sense or _sense(stated.direction, better)
    if not sense:
        return "The difference is clear: settle which direction is the good one before anything rests on it."
    if sense == "worse":
        return "Pause and look for the reason: the difference is in the worse direction."
    if evidence.certainty in ("high", "moderate"):
        return "There is a case for going on; keep the same measure, so that the next decision rests on more people."
    return (
        "There is a case for going on while a further study checks the finding, because certainty is limited."
    )
