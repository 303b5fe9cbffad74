"""The options of `synthetic_control`, and what is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from evalkit.errors import StudyError
from evalkit.options import one_of


@dataclass(frozen=True, kw_only=True)
class SyntheticControlOptions:
    """Options of `synthetic_control`; see there for what each means."""

    outcome: str
    unit: str
    period: str
    treated_unit: str | int
    starts: int | str | date
    predictors: tuple[str, ...] = ()
    inference: str = "placebo"
    augmented: bool = False
    ridge: float | None = None
    diagnostics: bool = True
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {
        "subgroup": "each treated place is an analysis of its own",
        "margin": "a rank among places gives no interval to set against a margin",
        "missing": "every place needs every period, since a gap is not nought",
    }

    def __post_init__(self) -> None:
        one_of("inference", self.inference, ("placebo",), where="synthetic_control")
        if not 0 < self.level < 1:
            raise StudyError("`level` must lie between 0 and 1", found=str(self.level))
        if self.ridge is not None and not self.augmented:
            raise StudyError("`ridge` is for `augmented: true`", where="synthetic_control")
        if self.ridge is not None and not self.ridge > 0:
            raise StudyError("`ridge` must be above 0", where="synthetic_control", found=self.ridge)
        if self.augmented and self.predictors:
            raise StudyError(
                "`augmented: true` works from the outcome before the start alone, without `predictors`",
                where="synthetic_control",
                do="Leave one of the two out",
            )
