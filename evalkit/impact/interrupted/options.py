"""The options of `interrupted`, and what is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from evalkit.errors import StudyError
from evalkit.impact.seasons import check_season
from evalkit.inference import check_margin
from evalkit.options import one_of

FAMILIES = ("poisson", "negative_binomial", "quasi_poisson", "gaussian")
AUTOCORRELATIONS = ("none", "newey_west", "prais_winsten")
Moment = int | str | date


@dataclass(frozen=True, kw_only=True)
class InterruptedOptions:
    """Options of `interrupted`; see there for what each means."""

    outcome: str
    period: str
    starts: int | str | date
    family: str = "quasi_poisson"
    autocorrelation: str = "none"
    season: str | int = "none"
    season_length: int | None = None
    harmonics: int = 2
    exposure: str | None = None
    unit: str | None = None
    comparison: str | int | tuple[str, ...] | None = None
    breaks: tuple[int | str | date, ...] = ()
    chosen_when_high: bool | None = None
    lags: int | None = None
    margin: float | None = None
    better: str | None = None
    diagnostics: bool = True
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {
        "subgroup": "each series is an analysis of its own, or the `comparison` of another",
        "missing": "a period without a figure is refused, since a gap is not nought",
    }

    def __post_init__(self) -> None:
        one_of("family", self.family, FAMILIES, where="interrupted")
        one_of("autocorrelation", self.autocorrelation, AUTOCORRELATIONS, where="interrupted")
        check_season(self.season, where="interrupted")
        check_margin(self.margin, self.better, ratio=self.counts, where="interrupted")
        refused = {
            "`level` must lie between 0 and 1": not 0 < self.level < 1,
            "`autocorrelation: prais_winsten` is for `family: gaussian`; counts take `newey_west`": (
                self.autocorrelation == "prais_winsten" and self.counts
            ),
            "`exposure` is for counts, not for `family: gaussian`": self.exposure is not None
            and not self.counts,
            "`comparison` needs `unit`, the column that names each series": (
                self.comparison is not None and self.unit is None
            ),
            "`lags` is for `autocorrelation: newey_west`": self.lags is not None
            and self.autocorrelation != "newey_west",
            "`lags` must be 0 or more": (self.lags or 0) < 0,
            "`season_length` must be 2 or more": self.season_length is not None and self.season_length < 2,
            "`season` and `season_length` give two lengths of one cycle": isinstance(self.season, int)
            and self.season_length not in (None, self.season),
            "`harmonics` must be 1 or more": self.harmonics < 1,
        }
        for words, wrong in refused.items():
            if wrong:
                raise StudyError(words, where="interrupted")

    @property
    def counts(self) -> bool:
        """Whether the outcome is a count, modelled on the log scale."""
        return self.family != "gaussian"

    @property
    def compared(self) -> tuple[str, ...]:
        """The names of the comparison series."""
        named = self.comparison if isinstance(self.comparison, tuple) else (self.comparison,)
        return tuple(str(each) for each in named if each is not None)
