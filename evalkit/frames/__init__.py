"""Files and tables to validated frames."""

from evalkit.frames.offences import Offences, read_offences
from evalkit.frames.people import read_people
from evalkit.frames.rules import FIRST_ROW
from evalkit.frames.tables import Table, read_frame, read_table
from evalkit.frames.weights import read_weights, types_after

__all__ = [
    "FIRST_ROW", "Offences", "Table", "read_frame", "read_offences", "read_people", "read_table", "read_weights",
    "types_after",
]  # fmt: skip
