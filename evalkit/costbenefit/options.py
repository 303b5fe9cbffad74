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
    """How an account is valued.

    Parameters
    ----------
    horizon : int, optional
        Years 0 to horizon − 1 count; by default, to the last year that a line names.
    price_year : str, optional
        The prices of every result (`2019/20` or `2019`); by default the one that all amounts share.
    deflator : str, optional
        The series that moves amounts to `price_year`, such as `gdp_financial_2026`; by default the first that holds all
        the account's years (a user's own series first, then the edition that the unit cost database itself uses).
    discounting : str
        Edition of the discount rates; its sensitivity table is `green_book_2026_sensitivity`.
    perspective : {"fiscal", "public_value"}
        What `benefit_cost_ratio` and the break-even values count. Every other term is given for both.
    draws : int
        Monte Carlo draws; 0 for none.
    kind : {"evaluation", "appraisal"}
        Before the event (ranges and switching values) or after it. It changes pages, not numbers.
    parameters : str or mapping, optional
        A user's own parameter file, which wins over the shipped values.
    impacts : mapping
        Analysis name to `Impact`; the pipeline fills it from earlier results.
    baselines : mapping
        Analysis name to the rate without the programme, for analyses that give a ratio.
    not_valued, risks : tuple of str
        What matters and has no price, and what could go wrong, in words: rows of the appraisal summary table.
    published_ratio, people, cost_bases, unit_costs, deadweights
        A published ratio, and the values over which to show what would have to be true for it.
    """

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
