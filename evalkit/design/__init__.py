"""Design: who is compared with whom, decided before any outcome is looked at."""

from evalkit.design.balance import balance_table
from evalkit.design.choices import DesignOptions
from evalkit.design.comparison import build_design, tie_orders

__all__ = ["DesignOptions", "balance_table", "build_design", "tie_orders"]
