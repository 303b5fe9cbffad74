"""Events to history, maturity and outcomes."""

from evalkit.outcomes.by_hand import check_by_hand
from evalkit.outcomes.expressions import compiled_sql, maturity, with_history, with_outcomes
from evalkit.outcomes.measuring import left_out, measure_history, measure_maturity, measure_outcomes

__all__ = [
    "check_by_hand",
    "compiled_sql",
    "left_out",
    "maturity",
    "measure_history",
    "measure_maturity",
    "measure_outcomes",
    "with_history",
    "with_outcomes",
]
