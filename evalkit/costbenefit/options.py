"""The options of `cost_benefit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.costbenefit.impacts import Impact, as_impact
from evalkit.errors import StudyError, nearest
from evalkit.options import one_of
from evalkit.parameters import Library, library, price_year

PERSPECTIVES = ("fiscal", "public_value")
KINDS = ("evaluation", "appraisal")
MOST_DRAWS = 10_000_000
LONGEST_HORIZON = 1000


@dataclass(frozen=True, kw_only=True)
class CostBenefitOptions:
    """How an account is valued. See `cost_benefit`."""

    horizon: int | None = None
    price_year: str | int | None = None
    deflator: str | None = None
    discounting: str = "green_book_2026"
    perspective: str = "fiscal"
    draws: int = 100_000
    kind: str = "evaluation"
    level: float = 0.95
    seed: int = 0
    parameters: str | dict | None = None
    impacts: dict = field(default_factory=dict)
    baselines: dict = field(default_factory=dict)
    not_valued: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    published_ratio: float | None = None
    people: float | None = None
    cost_bases: tuple[float, ...] = ()
    unit_costs: tuple[Any, ...] = ()
    deadweights: tuple[float, ...] = (0.0, 0.2, 0.4)

    def __post_init__(self) -> None:
        one_of("perspective", self.perspective, PERSPECTIVES, where="cost_benefit")
        one_of("kind", self.kind, KINDS, where="cost_benefit")
        if not 0 < self.level < 1:
            raise StudyError("`level` lies between 0 and 1", where="cost_benefit", found=str(self.level))
        _whole("draws", self.draws, 0, MOST_DRAWS)
        if self.horizon is not None:
            _whole("horizon", self.horizon, 1, LONGEST_HORIZON)
        if self.price_year is not None:
            object.__setattr__(
                self, "price_year", price_year(self.price_year, where="cost_benefit, `price_year`")
            )
        schedules(self.discounting, self.library)
        if self.deflator is not None:
            one_of("deflator", self.deflator, tuple(self.library.deflators), where="cost_benefit")
        if self.published_ratio is not None and self.published_ratio <= 0:
            raise StudyError(
                "a ratio is above nought", where="published_ratio", found=str(self.published_ratio)
            )

    @property
    def library(self) -> Library:
        """The parameters of this account, the user's own laid over the shipped ones."""
        return library(self.parameters)

    @property
    def known_impacts(self) -> Mapping[str, Impact]:
        """The impacts by the name of their analysis."""
        return {name: as_impact(name, value) for name, value in self.impacts.items()}


def schedules(discounting: str, lib: Library) -> tuple[str, str, str]:
    """Edition, and the names of its schedules for standard and for health lines."""
    edition, sensitivity = discounting.removesuffix("_sensitivity"), discounting.endswith("_sensitivity")
    known = list(lib.discounting)
    known += [f"{name}_sensitivity" for name in known if "sensitivity" in lib.discounting[name]["schedules"]]
    if discounting not in known:
        raise StudyError(
            "unknown `discounting`", where="cost_benefit", found=discounting, do=nearest(discounting, known)
        )
    return edition, "sensitivity" if sensitivity else "standard", "health"


def _whole(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise StudyError(f"`{name}` lies between {low} and {high}", where="cost_benefit", found=str(value))
