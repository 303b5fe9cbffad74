"""What it is worth: lines → cash flow → present values, ratios, break-even and uncertainty."""

from evalkit.costbenefit.grants import carried_by, register_problems, remainders, shared_grants
from evalkit.costbenefit.impacts import Impact, impact_from
from evalkit.costbenefit.inputs import optional_columns
from evalkit.costbenefit.method import cost_benefit
from evalkit.costbenefit.must_be_true import Claim, older_than_current, refuse_to_add, required, surface
from evalkit.costbenefit.options import CostBenefitOptions
from evalkit.costbenefit.problems import account_problems
from evalkit.costbenefit.what_if import what_if, what_if_ratio

__all__ = [
    "Claim",
    "CostBenefitOptions",
    "Impact",
    "account_problems",
    "carried_by",
    "cost_benefit",
    "impact_from",
    "older_than_current",
    "optional_columns",
    "refuse_to_add",
    "register_problems",
    "remainders",
    "required",
    "shared_grants",
    "surface",
    "what_if",
    "what_if_ratio",
]
