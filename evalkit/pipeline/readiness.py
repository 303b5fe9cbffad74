"""What `check` says of a study that has no problems: who is there, who will be lost, and what could be detected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.pipeline.compose import Cohort
from evalkit.pipeline.gather import Gathered
from evalkit.study import Study

# A share of the comparison group for planning only: `check` looks at nobody's outcome.
PLANNING_BASELINES = (0.3, 0.5)
FEWEST = 30


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """`flow`: one line for each step and arm. `detectable`: share in the comparison group to smallest difference."""

    study: str
    analyses: int
    flow: list[dict[str, Any]] = field(default_factory=list)
    rows: Mapping[str, int] = field(default_factory=dict)
    detectable: Mapping[float, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        detectable = [{"baseline": base, "points": points} for base, points in self.detectable.items()]
        return {
            "study": self.study, "ready": True, "analyses": self.analyses, "rows": dict(self.rows), "flow": self.flow,
            "minimum_detectable_effect": detectable, "notes": list(self.notes),
        }  # fmt: skip

    def summary(self) -> str:
        planned = "1 analysis" if self.analyses == 1 else f"{self.analyses} analyses"
        lines = [f"{self.study} is ready: {planned} planned, nothing estimated."]
        lines += [f"  {name}: {count} rows" for name, count in self.rows.items()]
        if self.flow:
            lines += ["", f"  {'step':12}{'arm':10}{'people':>8}{'lost':>8}  reason"]
            lines += [
                f"  {r['step']:12}{r['arm']:10}{r['n']:>8}{r['lost']:>8}  {r['reason']}".rstrip()
                for r in self.flow
            ]
        lines += [
            f"  If {base:.0%} of the comparison group have the outcome, differences under about {points:.0f} points "
            "would usually be missed (80% power, 5% level)."
            for base, points in self.detectable.items()
        ]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def readiness(study: Study, gathered: Gathered, cohort: Cohort) -> Readiness:
    """Counts of rows, the flow of people, and the minimum detectable effect at planning baselines."""
    rows = {name: len(frame) for name, frame in gathered.frames.items()}
    if gathered.people is not None:
        rows = {"people": len(gathered.people), **rows}
    return Readiness(
        study=study.study, analyses=len(study.analyses), flow=cohort.flow, rows=rows,
        detectable=_detectable(cohort), notes=(*gathered.notes, *_small_arms(cohort)),
    )  # fmt: skip


def _last(cohort: Cohort) -> dict[str, int]:
    return {row["arm"]: row["n"] for row in cohort.flow}


def _detectable(cohort: Cohort) -> dict[float, float]:
    arms = _last(cohort)
    if min(arms.get("treated", 0), arms.get("control", 0)) < 2:
        return {}
    from evalkit.design.power import power

    found = {}
    for base in PLANNING_BASELINES:
        result = power(
            None,
            measure="risk_difference",
            baseline=base,
            n_treated=arms["treated"],
            n_control=arms["control"],
        )
        if result.headline.estimate is not None:
            found[base] = abs(result.headline.estimate)
    return found


def _small_arms(cohort: Cohort) -> list[str]:
    return [
        f"fewer than {FEWEST} people in the {arm} arm: most further measures will be withheld"
        for arm, n in _last(cohort).items()
        if n < FEWEST
    ]
