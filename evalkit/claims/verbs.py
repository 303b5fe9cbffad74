"""Which verbs each level allows, the sentence each level owes, and a lint that finds claims which go too far."""

from __future__ import annotations

import re

ALLOWED = {
    0: ("delivered", "reached", "trained", "plans to"),
    1: ("had", "reported", "were recorded", "described"),
    2: ("changed from", "fell", "rose", "was lower after"),
    3: ("was lower than", "was higher than", "differed from"),
    4: ("is estimated to have", "is likely to have", "probably"),
    5: ("reduced", "increased", "had little effect"),
}
REFUSED = {
    0: ("reduced", "improved", "led to", "had an impact", "had an outcome"),
    1: ("reduced", "prevented", "improved by", "worked", "success rate", "because of"),
    2: ("caused", "led to", "thanks to", "reduced"),
    3: ("caused", "reduced", "due to"),
    4: ("proved", "demonstrates", "definitely"),
    5: ("proved", "guaranteed", "would work anywhere"),
}
OBLIGATORY = {
    0: "This is a record of activity. It says nothing yet about results.",
    1: "There was no comparison group, so we do not know what would have happened anyway.",
    2: "Other things changed too. Falls are expected when a place or person is chosen at a high point.",
    3: "The groups differed in ways that could explain this.",
    4: "This rests on the assumption that {assumption}; the checks we made are in the annex.",
    5: "This applies to people and settings like those studied.",
}
OTHERWISE = {
    "places": "The places differed in ways that could explain this.",
    "not_chosen": "Other things changed too.",
    "plan": "This is a plan. It says nothing yet about results.",
    "illustrative": "Some of the inputs are invented, so this is a plan. It says nothing yet about results.",
    "invented": "The data are invented, so this is only what such a design would earn.",
    "unmatched": "The groups were not chosen to be alike, so they may have differed in ways that explain this.",
    "score": "This describes a score. It says nothing about what its use would change.",
    "described": "The groups were described and not set up to be compared, so a difference may mean little.",
}

# Every form that could follow the programme's name.
_CAUSAL = "|".join(
    [
        r"(?:reduc|improv|caus|sav|increas|decreas|halv|doubl|chang|tackl|eliminat|ensur|demonstrat)(?:es?|ed|ing)",
        r"(?:prevent|lower|help|transform|divert|protect|avoid|avert|shorten|lengthen)(?:s|ed|ing)?",
        r"rais(?:es?|ed|ing)|stop(?:s|ped|ping)?|deter(?:s|red|ring)?|cut(?:s|ting)?|prov(?:es?|ed|en|ing)",
        r"le(?:ads?|d|ading) to|br(?:ings?|ought) (?:about|down)|dr(?:ives?|ove) down|turn(?:s|ed)? around",
        r"ma(?:kes?|de|king) (?:a|no|any|the|little) (?:\w+ )?difference|pa(?:ys|id) for itself",
        r"ha(?:s|d|ve|ving) (?:an?|no|any|little|some) (?:\w+ )?(?:impact|effect|outcome)",
        r"(?:is|was|are|were|be|been) (?:\w+ly )?(?:effective|successful)|succeed(?:s|ed)?|fail(?:s|ed)?",
        r"work(?:s|ed)?(?! (?:with|in|alongside|closely|at|for|on|from|across|through)\b)",
    ]
)
_GAP = r"(?:[\s,]+(?!(?:without|who|than)\b)[\w'’-]+){0,5}?[\s,]+"
_BEFORE_AN_OBJECT = ("without", "than", "from", "on", "in", "of", "with", "before", "after")
_NOT_SUBJECT = "".join(f"(?<!{word} )" for word in _BEFORE_AN_OBJECT)
_PRONOUNS = r"the (?:programme|project|scheme|intervention|service|initiative|pilot)"
_BY_CAUSE = re.compile(
    r"\b(due to|because of|thanks to|as a result of|caused by|led to|attributable to)\b", re.I
)
_ANYWHERE = {
    "is a superlative that no figure supports": [
        r"huge|massive|dramatic(?:ally)?|game[- ]chang\w+|ground-?breaking|definitely|undoubtedly|guarantee[sd]?",
    ],
    "calls an outcome a success; say what happened to how many": ["success rate"],
    "claims proof": [
        r"(?:is|was|are|been|has|have) (?:\w+ )?prov(?:ed|en)|conclusively",
        r"prov(?:ed|en|es) (?:to|that|programme|approach|success|record|impact|model|method|way|results?)",
    ],
    "dresses up an uncertain result": [
        r"trend(?:s|ed|ing)? towards?|approach(?:es|ed|ing) (?:statistical )?significance",
        r"(?:not quite|nearly|almost|marginally|borderline) (?:statistically )?significant",
    ],
    "reads an uncertain result as a nil one": [
        r"(?:no|any) (?:significant |real |measurable )?(?:effect|impact)|ineffective",
        r"(?:did|does|do) not work|(?:did|does)n['’]t work",
    ],
    "calls an interval chance": [
        r"chance alone|(?:by|due to|down to|just|pure|mere|only) chance|chance (?:could|can|would|might)",
        r"\d+(?:\.\d+)?% (?:chance|probability|likelihood)",
    ],
    "blames the size; say it is not precise enough to tell": [
        r"too small to (?:tell|say|show|detect|see|be)"
    ],
    "ranks without limits of what usually varies": [
        r"(?:best|worst|most|highest|lowest) in (?:the country|london|england|the uk|britain|the region)",
        r"(?:first|second|third|fourth|fifth|\d+th) (?:best|worst)",
    ],
}
_PATTERNS = [
    (re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.I), why) for why, each in _ANYWHERE.items()
]
_SIGNIFICANT = re.compile(r"\b(?:in)?significan(?:t|tly|ce)\b", re.I)
_INTERVAL = re.compile(r"\d[\d.,]*%? (?:to|and) [-\N{MINUS SIGN}+]?\d")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


def allowed_verbs(level: int) -> tuple[str, ...]:
    """The verbs that a sentence at this level may use."""
    return ALLOWED[level]


def refused_verbs(level: int) -> tuple[str, ...]:
    """The verbs that a sentence at this level may not use; below 5, not with the programme as their subject."""
    return REFUSED[level]


def obligatory_sentence(level: int, assumption: str = "", *, kind: str = "") -> str:
    """The sentence that must stand beside every finding of this level.

    `kind` is `unmatched` or `described` for a comparison that was not set up as one, `plan` where there is nothing
    to report yet, and `invented` for simulated data.
    """
    if kind:
        return OTHERWISE[kind]
    return OBLIGATORY[level].format(assumption=assumption or "nothing else explains the difference")


def lint(text: str, level: int, programme: str) -> list[str]:
    """What a text says that evidence of this level cannot carry: one plain sentence for each finding, in order."""
    found = []
    subject = _subject(programme)
    for sentence in (each.strip() for each in _SENTENCES.split(text)):
        if not sentence:
            continue
        found += [f"“{said}” {why}." for said, why in _everywhere(sentence)]
        if level < 5:
            found += [f"“{said}” makes the programme the cause; level {level} does not allow it."
                      for said in _causal(sentence, subject, level)]  # fmt: skip
        if level < 4:
            found += [f"“{each[1]}” names a cause; level {level} does not allow it."
                      for each in _BY_CAUSE.finditer(sentence)]  # fmt: skip
    return list(dict.fromkeys(found))


def _subject(programme: str) -> re.Pattern[str]:
    name = "|".join([*([re.escape(programme)] if programme.strip() else []), _PRONOUNS])
    return re.compile(
        rf"{_NOT_SUBJECT}(?<![\w-])(?:{name})(?![\w-]){_GAP}(?<![\w-])(?:{_CAUSAL})(?![\w-])", re.IGNORECASE
    )


def _causal(sentence: str, subject: re.Pattern[str], level: int) -> list[str]:
    hits = [" ".join(each[0].split()) for each in subject.finditer(sentence)]
    if level == 4:
        hits = [each for each in hits if "probably" not in each.lower()]
    return hits


def _everywhere(sentence: str) -> list[tuple[str, str]]:
    found = [(each[0], why) for pattern, why in _PATTERNS for each in pattern.finditer(sentence)]
    for each in _SIGNIFICANT.finditer(sentence):
        if not (_INTERVAL.search(sentence) and "statistical" in sentence.lower()):
            found.append((each[0], "stands alone; give the range, and say clear or not clear"))
    return found
