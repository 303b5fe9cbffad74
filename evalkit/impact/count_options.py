"""The options of `counts`, and what is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import pandas as pd

from evalkit.errors import StudyError
from evalkit.impact.count_series import Past
from evalkit.impact.count_windows import read_windows
from evalkit.impact.proportion import check_level
from evalkit.impact.seasons import check_season
from evalkit.inference import check_margin
from evalkit.options import one_of

COUNTS = ("before", "after", "comparison_before", "comparison_after")
EXPOSURES = ("exposure_before", "exposure_after", "comparison_exposure_before", "comparison_exposure_after")


@dataclass(frozen=True, kw_only=True)
class CountsOptions:
    """Counts and exposures as numbers, or as the names of columns with one row per category. See `counts`."""

    before: float | str
    after: float | str
    exposure_before: float | str | None = None
    exposure_after: float | str | None = None
    comparison_before: float | str | None = None
    comparison_after: float | str | None = None
    comparison_exposure_before: float | str | None = None
    comparison_exposure_after: float | str | None = None
    contains: bool | None = None
    category: str | None = None
    dispersion: float | None = None
    series: pd.DataFrame | str | None = None
    period: str | None = None
    count: str | None = None
    unit: str | None = None
    trend: bool = False
    season: str | int = "none"
    below_one: bool = False
    starts: int | str | date | None = None
    window_ends: tuple[int | str | date, ...] | None = None
    window_starts: tuple[int | str | date, ...] | None = None
    chosen_when_high: bool | None = None
    p_adjust: str = "holm"
    margin: float | None = None
    better: str | None = None
    outcome: str = ""
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {
        "subgroup": "give a row for each group, named by `category`",
        "missing": "a blank count is missing, and its row has no ratio",
    }

    def __post_init__(self) -> None:
        check_level(self.level)
        one_of("p_adjust", self.p_adjust, ("holm", "bh"), where="counts")
        check_season(self.season, where="counts")
        check_margin(self.margin, self.better, ratio=True, where="counts")
        for words in self._refused():
            raise StudyError(words, where="counts")
        if self.window_ends is not None:
            read_windows(self.starts, self.window_ends, self.window_starts)

    def _refused(self) -> list[str]:
        """What cannot be asked for, in words."""
        past = self.unit is not None or self.trend or self.season != "none" or self.below_one
        cannot = {
            "`comparison_before` and `comparison_after` go together": (self.comparison_before is None)
            != (self.comparison_after is None),
            "`contains` is about a comparison area, and there is none": self.contains is not None
            and self.comparison_before is None,
            "`exposure_before` and `exposure_after` go together": (self.exposure_before is None)
            != (self.exposure_after is None),
            "`dispersion` (variance over mean) is 1 or more": self.dispersion is not None
            and self.dispersion < 1,
            "give either `dispersion` or the `series` that it is estimated from": self.dispersion is not None
            and self.series is not None,
            "`series` needs `period` and `count`, its columns": self.series is not None
            and None in (self.period, self.count),
            "`period`, `count`, `unit`, `trend`, `season` and `below_one` are about a `series`, and there is none": (
                self.series is None and (past or self.period is not None or self.count is not None)
            ),
            "`season: harmonic` is for method `interrupted`": self.season == "harmonic",
            "`window_ends` needs `starts`, the programme's first day": self.window_ends is not None
            and self.starts is None,
            "`window_starts` needs `window_ends`": self.window_starts is not None
            and self.window_ends is None,
            "`starts` is for a `series` or `window_ends`, and there is neither": self.starts is not None
            and self.series is None
            and self.window_ends is None,
        }
        return [words for words, wrong in cannot.items() if wrong]

    @property
    def past(self) -> Past | None:
        """How the series is read; None where there is none."""
        if self.series is None:
            return None
        return Past(
            period=self.period, count=self.count, unit=self.unit, starts=self.starts, trend=self.trend,
            season=self.season, below_one=self.below_one,
        )  # fmt: skip
