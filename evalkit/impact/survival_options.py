"""The options of `survival`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evalkit.errors import StudyError
from evalkit.impact.cox import TRANSFORMS
from evalkit.impact.proportion import check_level
from evalkit.inference import check_margin
from evalkit.options import one_of

ESTIMATORS = ("kaplan_meier", "cox", "rmst", "aalen_johansen")


@dataclass(frozen=True, kw_only=True)
class SurvivalOptions:
    """Columns of a time and an event, and how to compare the arms. See `survival`."""

    outcome: str = ""
    time: str | None = None
    event: str | None = None
    treated: str = "treated"
    estimator: str = "kaplan_meier"
    covariates: tuple[str, ...] = ()
    ties: str = "efron"
    transform: str = "km"
    horizon: float | None = None
    weights: str | None = None
    subclass: str | None = None
    cluster: str | None = None
    subgroup: str | None = None
    p_adjust: str | None = None
    margin: float | None = None
    better: str | None = None
    estimand: str = "att"
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {
        "compliance": "dividing by the difference in take-up has no meaning for a hazard or a curve; use `rates` on "
        "the yes/no outcome",
    }

    def __post_init__(self) -> None:
        one_of("estimator", self.estimator, ESTIMATORS, where="survival")
        one_of("ties", self.ties, ("efron", "breslow"), where="survival")
        one_of("transform", self.transform, TRANSFORMS, where="survival")
        check_level(self.level)
        check_margin(self.margin, self.better, ratio=self.estimator == "cox", where="survival")
        if self.p_adjust is not None:
            one_of("p_adjust", self.p_adjust, ("holm", "bh"), where="survival, over subgroups")
            if self.subgroup is None:
                raise StudyError(
                    "`p_adjust` is over the groups of `subgroup`, and there is none", where="survival"
                )
        if (self.time is None) != (self.event is None):
            raise StudyError("`time` and `event` go together", where="survival")
        if self.time is None and not self.outcome:
            raise StudyError("give an `outcome`, or the columns `time` and `event`", where="survival")
        if self.covariates and self.estimator != "cox":
            raise StudyError(
                "`covariates` belong to `estimator: cox`", where="survival", found=self.estimator
            )
        if self.horizon is not None and self.horizon <= 0:
            raise StudyError("`horizon` is a time above 0", where="survival", found=str(self.horizon))

    @property
    def better_headline(self) -> str | None:
        """Which way of the headline is good: `better` speaks of the time, a hazard or an incidence of the event."""
        if self.better is None or self.estimator in ("kaplan_meier", "rmst"):
            return self.better
        return "lower" if self.better == "higher" else "higher"

    @property
    def columns(self) -> tuple[str, str]:
        """The columns of the time and of the event."""
        return self.time or f"{self.outcome}_time", self.event or f"{self.outcome}_event"
