"""Who is compared with whom: history and maturity first, then the design, and only after it the outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit.contract import Outcome
from evalkit.options import read_options
from evalkit.pipeline.gather import Gathered, event_outcomes, used_outcomes
from evalkit.pipeline.harm import weights_of
from evalkit.pipeline.methods import METHODS
from evalkit.results import Design
from evalkit.study import Study

ARMS = {1: "treated", 0: "control"}


@dataclass(kw_only=True)
class Cohort:
    """The people of a study on their way: `flow` counts who is left and who was lost at each step, by arm.

    `candidates` are the people as the design met them, before it left anyone out; `measured` those it uses, with their
    outcomes.
    """

    people: pd.DataFrame | None = None
    measured: pd.DataFrame | None = None
    candidates: pd.DataFrame | None = None
    design: Design | None = None
    flow: list[dict[str, Any]] = field(default_factory=list)

    def step(self, name: str, kept: pd.Series | None = None, reason: str | Mapping[int, str] = "") -> None:
        """Keep the rows where `kept` is true and write one line of the flow for each arm, with why some were lost."""
        before = self.people["treated"].value_counts()
        if kept is not None:
            self.people = self.people[kept.to_numpy()]
        after = self.people["treated"].value_counts()
        for arm, label in ARMS.items():
            if arm in before.index or 0 < len(before) < 2 and arm == 1:
                n, lost = int(after.get(arm, 0)), int(before.get(arm, 0) - after.get(arm, 0))
                why = reason if isinstance(reason, str) else reason[arm]
                self.flow.append(
                    {"step": name, "arm": label, "n": n, "lost": lost, "reason": why if lost else ""}
                )


def compose(study: Study, gathered: Gathered) -> Cohort:
    """Submitted people to the mature, to those whom the design uses; no outcome column exists yet."""
    cohort = Cohort()
    if gathered.people is None:
        return cohort
    cohort.people = _with_history(study, gathered)
    cohort.step("submitted")
    outcome = maturing_outcome(study)
    if outcome is not None:
        from evalkit.outcomes import measure_maturity

        mature = measure_maturity(cohort.people, outcome, study.observed_until)
        seen = f"the {outcome.follow_up} + {outcome.waiting} months were not over by {study.observed_until}"
        cohort.step("mature", mature, seen)
    if study.design is not None and not _one_group(study, cohort.people):
        _design(study, cohort)
    return cohort


def _one_group(study: Study, people: pd.DataFrame) -> bool:
    """True where there is one arm, and neither the design nor an analysis asks for another."""
    used = [METHODS[each.method] for each in study.analyses.values()]
    compared = any(row.compares and row.reads == "people" for row in used)
    return people["treated"].nunique() == 1 and study.design.method == "none" and not compared


def maturing_outcome(study: Study) -> Outcome | None:
    """The outcome whose maturity decides who is in: the primary one, else the first that is measured from events."""
    primary = study.outcomes.get(study.primary.outcome or "")
    candidates = [primary, *event_outcomes(study)]
    return next((each for each in candidates if each is not None and each.from_events), None)


def with_outcomes(study: Study, cohort: Cohort, gathered: Gathered) -> pd.DataFrame | None:
    """The people whom the design uses, with their outcomes: the first moment that outcomes are seen."""
    if cohort.people is None:
        return None
    from evalkit.outcomes import measure_outcomes

    used = cohort.people
    if "weight" in used:
        used = used[used["weight"] > 0]
    return measure_outcomes(
        used,
        gathered.offences,
        used_outcomes(study),
        study.observed_until,
        weights_of(study, gathered.frames),
    )


def design_values(study: Study) -> dict[str, Any]:
    """The options of the design block, with the study's estimand and seed."""
    spec = study.design
    estimand = "att" if study.estimand == "descriptive" and spec.method != "none" else study.estimand
    return {
        "method": spec.method, "covariates": spec.covariates, "exact": spec.exact, "estimand": estimand,
        "seed": study.seed, **spec.options,
    }  # fmt: skip


def _with_history(study: Study, gathered: Gathered) -> pd.DataFrame:
    people = gathered.people.reset_index(drop=True)
    if not study.history or gathered.offences is None:
        return people
    from evalkit.outcomes import measure_history

    return measure_history(people, gathered.offences, list(study.history.values()))


def _design(study: Study, cohort: Cohort) -> None:
    from evalkit.design import DesignOptions, build_design

    options = read_options(DesignOptions, design_values(study), where="study.yml, design")
    cohort.people = cohort.candidates = cohort.people.reset_index(drop=True)
    design = build_design(cohort.people, options)
    cohort.design = design
    cohort.people = cohort.people.assign(weight=design.weights)
    if design.subclass is not None:
        cohort.people["subclass"] = design.subclass
    _discard(cohort, design)


def _discard(cohort: Cohort, design: Design) -> None:
    """Two steps of the flow: rows that were not complete, then rows that the comparison does not use."""
    if design.discarded is None or design.discarded.empty:
        cohort.step("compared")
        return
    reason_of = design.discarded.drop_duplicates("person").set_index("person")["reason"]
    incomplete = reason_of.str.startswith("missing")
    for name, chosen in (("complete", reason_of[incomplete]), ("compared", reason_of[~incomplete])):
        if len(chosen) or name == "compared":
            kept = pd.Series(~cohort.people.index.isin(chosen.index), index=cohort.people.index)
            arm_of = cohort.people.loc[chosen.index, "treated"]
            cohort.step(name, kept, {arm: "; ".join(dict.fromkeys(chosen[arm_of == arm])) for arm in ARMS})
