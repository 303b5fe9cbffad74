"""How an outcome's label fits into a sentence: as what people did, or as a thing that is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from evalkit.claims.shapes import Facts

_VERBS = frozenset(
    ["had", "were", "was", "did", "got", "went", "left", "came", "stayed", "kept", "took", "told", "said"]
)
_PARTICIPLES = {"was": "been", "were": "been", "did": "done", "went": "gone", "came": "come", "took": "taken"}
_TIME_TO = re.compile(
    r"(?:time|days|weeks|months|years) (?:to|until|before|without) (?:the )?", re.IGNORECASE
)
_WITHOUT = re.compile(r"\b(?:without|not|never|no|free of|free from)\b", re.IGNORECASE)
_NOUNS = frozenset(["recorded", "reported", "proven", "alleged", "estimated", "related"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The pieces of a sentence. `programme` is a phrase that never names the real programme where data are invented."""

    programme: str
    real: str
    label: str
    definition: str
    comparison: str
    opening: str

    @property
    def is_verb(self) -> bool:
        first = self.label.split(" ")[0].lower()
        return first in _VERBS or (first.endswith("ed") and first not in _NOUNS)

    @property
    def done(self) -> str:
        """What people did: `reoffended`, or `had the outcome “…”`."""
        return self.label if self.is_verb else f"had the outcome “{self.label}”"

    @property
    def did(self) -> str:
        """The same with its definition, for where it is first said."""
        return self.done + self.definition

    def brief(self) -> Words:
        """The same with its definition in the fewest words: `within 12 months, proven within 18`."""
        return replace(self, definition=_brief(self.label, self.definition))

    @property
    def counted(self) -> str:
        """What is counted or measured: `proven reoffences`, or `the outcome “reoffended”`."""
        return f"the outcome “{self.label}”" if self.is_verb else self.label

    @property
    def thing(self) -> str:
        return self.counted + self.definition

    def say(self, *sentences: str) -> str:
        """The sentences in a row; invented data are called so at the start."""
        text = tidy(" ".join(sentence for sentence in sentences if sentence))
        return self.opening + (text[0].lower() + text[1:] if self.opening and _lowers(text) else text)


def of_event(w: Words, measure: str) -> Words:
    """The words for people who had an event by some time, or went without it, where the label may name that time."""
    event = _TIME_TO.sub("", w.label, count=1) if _TIME_TO.match(w.label) else w.label
    if measure != "survival_difference" or (w.is_verb and _WITHOUT.search(w.label)):
        return replace(w, label=event)  # the label tells of those who went without already
    if not w.is_verb:
        return replace(w, label=f"had gone without “{event}”")
    first, *rest = w.label.split(" ")
    return replace(w, label=" ".join(["had not", _PARTICIPLES.get(first.lower(), first), *rest]))


def tidy(text: str) -> str:
    """Stops and commas that met where pieces were joined, made one."""
    return re.sub(r",(?=[,.;:])", "", text)


def _brief(label: str, definition: str) -> str:
    """The window, and how long proof may take, of a definition; what the label says already is left out."""
    spans = re.findall(r"within (\d+)( months?| weeks?| days?| years?)?", definition)
    if not spans:
        return ""
    (first, unit), proof = spans[0], spans[1][0] if len(spans) > 1 else ""
    if re.search(r"\bwithin \d", label):
        said = f"proven within {proof}{unit}" if proof and "proven" in definition else ""
    else:
        tail = f", proven within {proof}" if proof and "proven" in definition else ""
        said = f"within {first}{unit}{tail}"
    return f" ({said})" if said else ""


def words(facts: Facts, label: str, definition: str, *, illustrative: bool = False) -> Words:
    label = " ".join(label.replace("_", " ").split()).rstrip(".") or "the outcome"
    definition = re.sub(r"\s*\(([^()]*)\)", r", \1", " ".join(definition.split()).rstrip("."))
    if definition[1:2].islower() or definition[1:2] == " ":
        definition = definition[0].lower() + definition[1:]
    comparison = facts.comparison.strip()
    if comparison.lower() in label.lower():
        comparison = ""
    opening = "With illustrative inputs, " if illustrative else "In these invented data, "
    return Words(
        programme="the invented programme" if facts.simulated else facts.programme.strip() or "the programme",
        real=facts.programme.strip() or "the programme",
        label=label,
        definition=f" ({definition})" if definition else "",
        comparison=f" ({comparison})" if comparison else "",
        opening=opening if facts.simulated else "",
    )


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_OPENERS = "The|If|With|In|Out|For|Set|After|Compared|At|Of|This|It|No|Among|Across|People|There|Each|To|On|When|None"


def _lowers(text: str) -> bool:
    return bool(re.match(rf"(?:{_OPENERS})\b", text))
