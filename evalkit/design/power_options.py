"""The options of `power`, each refused outside its range."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalkit.design.precision import MEASURES, PROPORTIONS, reached_with
from evalkit.errors import StudyError
from evalkit.options import one_of

WHERE = "power"
RATIOS = ("risk_ratio", "odds_ratio", "rate_ratio", "hazard_ratio")


@dataclass(frozen=True, kw_only=True)
class PowerOptions:
    """A planned comparison. `n_treated` and `n_control` count people (or panel units) at the start. See `power`."""

    outcome: str = ""
    measure: str = "risk_difference"
    baseline: float | None = None
    n_treated: int | None = None
    n_control: int | None = None
    effect: float | None = None
    direction: str = "lower"
    power: float = 0.8
    alpha: float = 0.05
    icc: float = 0.0
    cluster_size: float | None = None
    cluster_cv: float = 0.0
    clustered: str = "both"
    attrition: float = 0.0
    sd: float = 1.0
    dispersion: float = 1.0
    follow_up: float = 1.0
    r_squared: float = 0.0
    periods_before: int = 0
    periods_after: int = 0
    autocorrelation: float = 0.0
    allocation: float = 1.0
    who: str = "people"
    treated: str = "treated"

    def __post_init__(self) -> None:
        one_of("measure", self.measure, MEASURES, where=WHERE)
        one_of("direction", self.direction, ("lower", "higher"), where=WHERE)
        one_of("clustered", self.clustered, ("both", "treated"), where=WHERE)
        self._refuse_baseline()
        self._refuse_ranges()
        if self.icc and self.cluster_size is None:
            raise StudyError(
                "`icc` needs `cluster_size`", where=WHERE, do="Give the mean number of people per cluster"
            )
        if bool(self.periods_before) != bool(self.periods_after):
            raise StudyError("a panel needs both `periods_before` and `periods_after`", where=WHERE)
        if self.periods_before and self.measure != "mean_difference":
            raise StudyError(
                "a panel is planned with measure `mean_difference`", where=WHERE, found=self.measure
            )

    def _refuse_baseline(self) -> None:
        if self.measure == "mean_difference":
            return
        if self.baseline is None:
            raise StudyError(f"`baseline` is required with measure `{self.measure}`", where=WHERE)
        proportion = self.measure in (*PROPORTIONS, "hazard_ratio")
        if not 0 < self.baseline < (1 if proportion else math.inf):
            raise StudyError(
                "`baseline` must lie between 0 and 1" if proportion else "`baseline` must be above 0",
                where=WHERE,
                found=self.baseline,
                do="Write 40% as 0.40" if proportion else "",
            )

    def _refuse_ranges(self) -> None:
        ranges = {
            "power": (0, 1, True), "alpha": (0, 1, True), "icc": (0, 1, False), "attrition": (0, 1, False),
            "r_squared": (0, 1, False), "autocorrelation": (-1, 1, True), "sd": (0, math.inf, True),
            "dispersion": (0, math.inf, True), "follow_up": (0, math.inf, True), "cluster_cv": (0, math.inf, False),
            "allocation": (0, math.inf, True), "n_treated": (0, math.inf, True), "n_control": (0, math.inf, True),
            "cluster_size": (1, math.inf, False), "periods_before": (0, math.inf, False),
            "periods_after": (0, math.inf, False),
        }  # fmt: skip
        for name, (low, high, strict) in ranges.items():
            value = getattr(self, name)
            if value is not None and not (low < value < high or (not strict and value == low)):
                words = f"lie between {low} and {high}" if high < math.inf else f"be above {low}"
                words = words if strict or high < math.inf else f"be at least {low}"
                raise StudyError(f"`{name}` must {words}", where=WHERE, found=value)
        if self.effect is not None and not (self.effect > 0 if self.measure in RATIOS else self.effect != 0):
            raise StudyError("`effect` must be a difference other than 0, or a ratio above 0", where=WHERE)
        if self.effect == 1 and self.measure in RATIOS:
            raise StudyError("`effect` must be a ratio other than 1, which is no effect", where=WHERE)
        if self.effect is not None and self.measure in PROPORTIONS:
            reached = reached_with(self.effect, self.measure, self.baseline)
            if not 0 <= reached <= 1:
                raise StudyError(
                    "`effect` must leave a share between 0 and 1", where=WHERE, found=f"{reached:.2f}"
                )
