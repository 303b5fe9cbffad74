"""costs and benefits as they came, checked row by row and resolved: unit costs from codes, impacts from analyses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract import BENEFITS, COSTS, Column
from evalkit.costbenefit.cells import OPTIONAL, clean
from evalkit.costbenefit.distributions import FAMILIES
from evalkit.costbenefit.impacts import Impact
from evalkit.costbenefit.meanings import impacts_meant, price_years, unit_costs
from evalkit.errors import DataError, Problem, StudyError
from evalkit.parameters import Library, Parameter

COST_DEFAULTS: Mapping[str, Any] = {"share": 1.0, "grant": ""}
BENEFIT_DEFAULTS: Mapping[str, Any] = {
    "transfer": 0, "cashable": 0, "affected": 1.0, "engaged": 1.0, "retained": 1.0, "units": 1.0, "drop_off": 0.0,
    "schedule": "standard", "multiplier": 1.0, "current_spend": np.nan, "recipient": "",
}  # fmt: skip
RANGED_COSTS = ("amount",)
RANGED_BENEFITS = (
    "population",
    "affected",
    "engaged",
    "retained",
    "impact",
    "deadweight",
    "units",
    "unit_cost",
    "drop_off",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Clean lines, sorted by a stable key. `entries` and `impacts` are what codes and names resolved to.

    `benefits` gains `code` ("" for a number), `analysis` ("" for a number) and `unit_year` (the unit cost's price
    year).
    """

    costs: pd.DataFrame
    benefits: pd.DataFrame
    entries: Mapping[str, Parameter] = field(default_factory=dict)
    impacts: Mapping[str, Impact] = field(default_factory=dict)


def optional_columns(name: str) -> dict[str, Column]:
    """What `costs` or `benefits` may hold beyond the contract, for a reader of files to keep."""
    defaults, ranged = (
        (COST_DEFAULTS, RANGED_COSTS) if name == "costs" else (BENEFIT_DEFAULTS, RANGED_BENEFITS)
    )
    found = {key: replace(OPTIONAL[key], nullable=True) for key in defaults if key in OPTIONAL}
    for column in ranged:
        found |= {f"{column}_{end}": Column(type="number", nullable=True) for end in ("low", "high")}
        found[f"{column}_distribution"] = Column(type="category", values=FAMILIES, nullable=True)
    return {**found, "currency": Column(type="text", nullable=True)}


def read_inputs(frames: Any, lib: Library, impacts: Mapping[str, Impact]) -> Inputs:
    """Check both frames; every problem is reported at once.

    Raises
    ------
    StudyError
        Where `frames` does not hold `costs` and `benefits`.
    DataError
        For missing columns and wrong values, each with its row.
    """
    inputs, problems = collect_inputs(frames, lib, impacts)
    if inputs is None or problems:
        raise DataError(problems)
    return inputs


def collect_inputs(
    frames: Any, lib: Library, impacts: Mapping[str, Impact]
) -> tuple[Inputs | None, list[Problem]]:
    """The inputs and everything wrong with them; no inputs where a frame lacks a column.

    A cell that is wrong as it stands is not judged again for what it stands for.
    """
    if not isinstance(frames, Mapping) or not {"costs", "benefits"} <= set(frames):
        raise StudyError("an account needs two frames, `costs` and `benefits`", where="cost_benefit")
    problems: list[Problem] = []
    costs = clean(frames["costs"], "costs", COSTS, COST_DEFAULTS, RANGED_COSTS, problems)
    benefits = clean(frames["benefits"], "benefits", BENEFITS, BENEFIT_DEFAULTS, RANGED_BENEFITS, problems)
    if costs is None or benefits is None:
        return None, problems
    meant: list[Problem] = []
    entries = unit_costs(benefits, lib, meant)
    used = impacts_meant(benefits, impacts, meant)
    price_years(costs, benefits, entries, meant)
    places = {each.where for each in problems}
    problems += [each for each in meant if each.where not in places]
    inputs = Inputs(
        costs=costs.sort_values(["line", "agency", "kind", "year", "amount", "row"], ignore_index=True),
        benefits=benefits.sort_values(
            ["line", "agency", "perspective", "first_year", "row"], ignore_index=True
        ),
        entries=entries,
        impacts=used,
    )
    return inputs, problems
