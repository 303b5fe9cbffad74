"""Design: who is compared with whom, decided before any outcome is looked at."""

from evalkit.design.balance import balance_table
from evalkit.design.choices import DesignOptions
from evalkit.design.comparison import build_design, tie_orders
from evalkit.design.power import in_words, power
from evalkit.design.power_options import PowerOptions

__all__ = [
    "DesignOptions",
    "PowerOptions",
    "balance_table",
    "build_design",
    "in_words",
    "power",
    "tie_orders",
]
