"""evalkit: from a study folder to an honest report. Public names in walking order, imported when first used."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "read_study": "evalkit.study",
    "measure_history": "evalkit.outcomes",
    "measure_maturity": "evalkit.outcomes",
    "measure_outcomes": "evalkit.outcomes",
    "build_design": "evalkit.design",
    "balance_table": "evalkit.design",
    "tie_orders": "evalkit.design",
    "power": "evalkit.design.power",
    "proportion": "evalkit.impact.proportion",
    "counts": "evalkit.impact.counts",
    "rates": "evalkit.impact.rates",
    "did": "evalkit.impact.did",
    "survival": "evalkit.impact.survival",
    "interrupted": "evalkit.impact.interrupted",
    "synthetic_control": "evalkit.impact.synthetic",
    "abadie_imbens": "evalkit.impact.replacement",
    "e_value": "evalkit.impact.sensitivity",
    "lee_bounds": "evalkit.impact.attrition",
    "tipping_point": "evalkit.impact.attrition",
    "percentages_possible": "evalkit.impact.consistency",
    "base_range": "evalkit.impact.count_checks",
    "unknown_base": "evalkit.impact.count_checks",
    "possible_counts": "evalkit.impact.consistency",
    "weighted_displacement_difference": "evalkit.impact.count_checks",
    "progression": "evalkit.pilot",
    "cost_benefit": "evalkit.costbenefit",
    "impact_from": "evalkit.costbenefit",
    "refuse_to_add": "evalkit.costbenefit",
    "required": "evalkit.costbenefit",
    "shared_grants": "evalkit.costbenefit",
    "what_if": "evalkit.costbenefit",
    "meta": "evalkit.pooling",
    "funnel": "evalkit.monitor",
    "survey": "evalkit.monitor",
    "run_chart": "evalkit.monitor",
    "caseload": "evalkit.monitor",
    "cost_per_participant": "evalkit.monitor",
    "risk_score": "evalkit.monitor",
    "evidence": "evalkit.claims",
    "statement": "evalkit.claims",
    "Estimate": "evalkit.results",
    "Check": "evalkit.results",
    "Result": "evalkit.results",
    "Design": "evalkit.results",
}
_MODULES = {"audit": "evalkit.audit", "figures": "evalkit.report.figures"}

__all__ = [*_HOME, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(_MODULES[name])
    raise AttributeError(f"module 'evalkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
