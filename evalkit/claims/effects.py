"""Sentences about a difference: one frame for each level, filled with a range in words.

Below level 5 the programme is never the subject. A range that includes no difference is "not precise enough to tell".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalkit.claims.amounts import Amount
from evalkit.claims.labels import Words, capital

NOT_NIL = "A result like this is not evidence that nothing changed."
ALMOST_NONE = "the range stops close to no difference"
DISAGREED = "reasonable tests of the same thing disagree"
UNTOLD = "The study is not precise enough to tell."
VERBS = {
    "fewer": ("reduced", "increased"), "lower": ("reduced", "increased"), "shorter": ("shortened", "lengthened"),
    "more": ("increased", "reduced"), "higher": ("increased", "reduced"), "longer": ("lengthened", "shortened"),
}  # fmt: skip
_FIGURES = {
    "risk_ratio": "the share who {done}",
    "log_risk_ratio": "the share who {done}",
    "odds_ratio": "the odds of having {done}",
    "log_odds_ratio": "the odds of having {done}",
    "mean_difference": "the average for {counted}",
    "rmst_difference": "the average for {counted}",
    "smd": "the average for {counted}",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What the frames need.

    `status` is unknown, similar, uncertain, borderline or clear. `setting` says what differs: people, places or
    studies. `beside` holds the absolute figures that a relative one may not stand without, `rank` the place of
    this change among those of other places taken in its stead.
    """

    amount: Amount
    words: Words
    measure: str
    status: str
    setting: str = "people"
    beside: str = ""
    rank: str = ""
    disagree: bool = False
    margin: float | None = None

    @property
    def figure(self) -> str:
        """What is compared, as a noun that takes `was`."""
        w = self.words
        if self.amount.kind == "points":
            return f"the number who {w.done}"
        if self.measure in ("hazard_ratio", "log_hazard_ratio"):
            return _rate(w)
        if self.amount.less == "shorter":
            return _time(w)
        frame = _FIGURES.get(self.measure, "the figure for {counted}")
        return frame.format(label=w.label, done=w.done, counted=w.counted)

    @property
    def defined(self) -> str:
        """The figure with its definition; closed by a comma where commas are in it, since more words follow."""
        text = self.figure + self.words.definition
        return text + "," if "," in self.figure else text

    @property
    def was(self) -> str:
        return "were" if self.figure.startswith("the odds") else "was"

    @property
    def untold(self) -> str:
        return UNTOLD.replace("The study is", "The studies are") if self.setting == "studies" else UNTOLD

    def best(self) -> str:
        return f"Our best single estimate is {self.amount.best()}."

    def spread(self, span: str) -> str:
        if self.amount.kind == "points":
            comma = "," if "," in self.words.done else ""
            return f"Out of every 100 people, the difference in how many {self.words.did}{comma} could be {span}."
        if self.setting == "places":
            against = f"Set against the change in the comparison{self.words.comparison}"
            return f"{against}, {self.defined} could be {span}."
        if self.setting == "studies":
            return (
                f"On average over the pooled studies, {self.defined} could be {span} in the programme groups."
            )
        return f"The difference in {self.defined} could be {span}."

    def contrast(self, span: str) -> str:
        """The programme's side set against the other side, without a word on why."""
        w = self.words
        if self.setting == "places":
            return (
                f"Set against the change in the comparison{w.comparison}, {self.defined} {self.was} {span}."
            )
        if self.setting == "studies":
            return f"On average over the pooled studies, {self.defined} {self.was} {span} in the programme groups."
        if self.amount.kind == "points":
            return f"In the programme group, {span} in every 100 {w.did} than in the comparison group{w.comparison}."
        return f"In the programme group, {self.defined} {self.was} {span} than in the comparison group{w.comparison}."


def _rate(w: Words) -> str:
    """How often the event comes, among those to whom it has not come yet."""
    when = "" if "at any moment" in w.label else ", at any moment,"
    if "without" in w.label:
        return f"the rate{when} of the event that ends “{w.label}”"
    if w.is_verb:
        return f"the rate{when} at which people {w.done}"
    event = re.sub(
        r"^(?:time|days|weeks|months|years) (?:to|until|before) ", "", w.label, flags=re.IGNORECASE
    )
    return f"the rate{when} of {event}"


def _time(w: Words) -> str:
    """An average length of time, named as the label names it where the label starts with its unit."""
    if re.match(r"(?:days|weeks|months|years)\b", w.label, re.IGNORECASE):
        return f"the average number of {w.label[0].lower()}{w.label[1:]}"
    return f"the average time before {w.counted}"


def status(amount: Amount, margin: float | None, disagree: bool) -> str:
    """How the range lies: unknown, similar, uncertain, borderline or clear."""
    if not amount.has_range:
        return "unknown"
    if margin is not None and abs(amount.far) < margin:
        return "similar"
    if amount.straddles:
        return "uncertain"
    return "borderline" if amount.touches or disagree else "clear"


def can_say(difference: Difference, level: int) -> str:
    """The finding in words that the level allows, without its obligatory sentence."""
    d, say = difference, difference.words.say
    if d.status == "unknown":
        unranged = "No range can be given for this figure, so it should not be relied on."
        return say(d.contrast(d.amount.best()), unranged, d.rank, d.beside)
    if d.status == "similar":
        return say(_similar(d), d.beside)
    if d.status == "uncertain":
        return say("The result is uncertain.", _uncertain(d, level), d.untold, d.best(), d.beside)
    if d.status == "borderline":
        return say("The result is not clear-cut.", *_borderline(d), d.best(), d.beside)
    if d.setting == "studies" or level < 4:
        return say(d.contrast(d.amount.between()), d.best(), d.beside)
    return say(_reduced(d) if level == 5 else _probably(d), d.best(), d.beside)


def _reduced(d: Difference) -> str:
    verb, like = VERBS[d.amount.word][0], "places" if d.setting == "places" else "people"
    among = f"For every 100 {like}" if d.amount.kind == "points" else f"For {like}"
    by = d.amount.plain(d.amount.span())
    return f"{among} like those in the study, {d.words.programme} {verb} {d.defined} by {by}."


def _probably(d: Difference) -> str:
    a, w = d.amount, d.words
    if a.kind == "points" and d.setting == "people":
        group = "For every 100 people like those in the programme group"
        return f"{group}, probably {a.between()} {w.did} than would have without {w.programme}."
    return (
        f"{capital(d.defined)} {d.was} probably {a.between()} than it would have been without {w.programme}."
    )


def _uncertain(d: Difference, level: int) -> str:
    if level < 5 or d.setting == "studies":
        return d.spread(d.amount.either())
    a, like = d.amount, "places" if d.setting == "places" else "people"
    down, up = ("shortened", "lengthened") if a.less == "shorter" else ("lowered", "raised")
    among = f"Out of every 100 {like}" if a.kind == "points" else f"For {like}"
    low, high = (f"up to {a.plain(a.number(each))}".replace("up to less", "less") for each in (a.low, a.high))
    return (
        f"{among} like those in the study, {d.words.programme} may have {down} {d.defined} by {low}, or {up} it "
        f"by {high}: the difference could be {a.either()}."
    )


def _borderline(d: Difference) -> tuple[str, str]:
    a = d.amount
    near = "hardly any difference" if a.touches else a.one(a.near)
    why = [ALMOST_NONE] * a.touches + [DISAGREED] * d.disagree
    reason = capital(" and ".join(why))
    return d.spread(f"anything from {near} to {a.one(a.far)}"), f"{reason}, so it should not be relied on."


def _similar(d: Difference) -> str:
    bound = d.amount.plain(d.amount.number(d.margin)) + (" in every 100" if d.amount.kind == "points" else "")
    what = f"how many {d.words.did}" if d.amount.kind == "points" else d.defined
    return (
        f"The two groups were similar: any difference in {what} is likely to be smaller than {bound}, which the plan "
        f"said would not matter."
    )


def cannot_say(difference: Difference, level: int, assumption: str) -> str:
    """What this result does not show; the programme is the subject of a verb at level 5 alone."""
    d, w = difference, difference.words
    if level >= 4 and d.setting != "studies":
        return _cannot_at_five(d) if level == 5 else _cannot_at_four(d, assumption)
    if d.status in ("uncertain", "borderline", "unknown"):
        return f"Whether the two really differed, or how much of any difference comes from {w.programme}. {NOT_NIL}"
    if d.status == "similar":
        return f"That there was no difference at all, or what would have happened without {w.programme}."
    start = "Other things may have differed from the start."
    return f"How much of the difference, if any, comes from {w.programme}. {start}"


def _cannot_at_five(d: Difference) -> str:
    programme, figure = d.words.programme, d.figure
    elsewhere = "Nor whether the same would be seen in other people or places."
    if d.status == "clear":
        return (
            f"That {programme} {VERBS[d.amount.word][1]} {figure}, or made no difference to it. {elsewhere}"
        )
    if d.status == "similar":
        return f"That {programme} made no difference at all to {figure}: a small one cannot be ruled out. {elsewhere}"
    return (
        f"That {programme} lowers, raises or makes no difference to {figure}. {NOT_NIL} More people would be needed to "
        f"settle it."
    )


def _cannot_at_four(d: Difference, assumption: str) -> str:
    w = d.words
    if d.status == "clear":
        return (
            f"That the difference comes from {w.programme} and from nothing else: no data can show in full that "
            f"{assumption}. Nor that there was no difference."
        )
    if d.status == "similar":
        return f"That there was no difference at all: a small one cannot be ruled out, with or without {w.programme}."
    better = "things went better, worse or the same"
    return f"Whether {better} compared with how they would have gone without {w.programme}. {NOT_NIL}"
