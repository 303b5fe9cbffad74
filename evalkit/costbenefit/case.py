"""What the checks of an account look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evalkit.costbenefit.account import Account
from evalkit.costbenefit.cells import rows_of
from evalkit.costbenefit.inputs import Inputs
from evalkit.costbenefit.options import CostBenefitOptions
from evalkit.costbenefit.sensitivity import BreakEven
from evalkit.parameters import Library


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """An account with everything behind it."""

    inputs: Inputs
    account: Account
    options: CostBenefitOptions
    lib: Library
    draws: Mapping[str, np.ndarray]
    chance: float | None
    break_evens: list[BreakEven]

    @cached_property
    def coded_rows(self) -> list:
        """The benefit lines whose unit cost is a code."""
        benefits = self.inputs.benefits
        return rows_of(benefits[benefits["code"] != ""])
