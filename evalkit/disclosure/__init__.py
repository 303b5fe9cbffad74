"""The disclosure gate: nothing reaches output/ but through `release`.

The rule, in words a data officer can check. Counts of people below the threshold are withheld, and so are those that
leave fewer than the threshold out of their total, noughts and full cells included where the preset says so. Other
counts are rounded. Percentages are worked out again from the rounded counts. Where a total would let a withheld cell
be worked out, a second cell is withheld. The estimate, error, interval, statistic and p-value of a comparison are
coarsened together, by the finest rule under which enough pairs of whole numbers print exactly alike. A column that
the gate does not know is withheld. If a small count could still be worked out, nothing is written at all.
"""

from evalkit.disclosure.accounts import as_valued
from evalkit.disclosure.columns import COLUMN_KINDS
from evalkit.disclosure.gate import Released, release
from evalkit.disclosure.policy import WITHHELD, Policy, policy
from evalkit.disclosure.writer import escape_cell, write_csv

__all__ = [
    "COLUMN_KINDS", "WITHHELD", "Policy", "Released", "as_valued", "escape_cell", "policy", "release", "write_csv",
]  # fmt: skip
