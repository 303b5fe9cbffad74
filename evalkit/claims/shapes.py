"""What claims are made from and what they become: Facts in, Evidence and Statement out. Frozen, no frames, no Study."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of a study before any number is read.

    `history_names` are the columns that hold prior offending; `adjusted_for` what a
    model allowed for; `important` is the difference, in points of 100,
    that would matter either way; `margin` the one that the plan called too little to matter, on the scale of the
    measure. `pooled_levels` are the evidence levels of the studies behind a meta-analysis; `cost_level` is that of
    the weakest result which a cost-benefit account takes its impact from, `cost_unmatched` whether that compared
    groups that were not made alike. `tested` is False where no programme is being run or
    tried, as in a table of recorded crime; `pilot` is False where criteria of progression judge something else.
    """

    programme: str
    treated: str = ""
    comparison: str = ""
    assignment_by: str = "unknown"
    assignment_registered: bool = False
    chosen_when_high: bool | None = None
    data_status: str = "real"
    estimand: str = "descriptive"
    design_method: str = "none"
    design_covariates: tuple[str, ...] = ()
    adjusted_for: tuple[str, ...] = ()
    history_names: tuple[str, ...] = ()
    has_comparison: bool = False
    national_comparison: bool = False
    n_treated_areas: int | None = None
    self_reported: bool = False
    margin: float | None = None
    important: float = 3.0
    pooled_levels: tuple[int, ...] = ()
    cost_kind: str = "appraisal"
    cost_perspective: str = "fiscal"
    cost_level: int = 0
    cost_unmatched: bool = False
    tested: bool = True
    pilot: bool = True

    @property
    def simulated(self) -> bool:
        return self.data_status == "simulated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """How much a result can carry.

    `level` is 0 to 5, `scale` names it and its place on the Maryland scale, `certainty` is a word. `reasons` says in
    plain sentences why. `assumption` completes "this rests on the assumption that …" and is empty where there is
    none to name. `hypothetical` is True for invented data: the level is what such a design would earn.
    `obligatory` is the sentence that every statement at this level ends with, `basis` the method that it came from.
    """

    level: int
    scale: str
    certainty: str
    reasons: tuple[str, ...] = ()
    assumption: str = ""
    hypothetical: bool = False
    obligatory: str = ""
    basis: str = ""

    def to_dict(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"reasons": list(self.reasons)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What may and what may not be said of one analysis.

    `headline` is one sentence, with a definition in its shortest form. `size_word` and `certainty_word` are always
    shown as two things. `direction` is fewer, more, lower, higher, shorter, longer, similar, cannot tell or not
    assessed; `sense` is better, worse, or empty where it is not known which way is good.
    """

    analysis: str
    can_say: str
    cannot_say: str
    headline: str
    size_word: str
    certainty_word: str
    direction: str = "not assessed"
    sense: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}
