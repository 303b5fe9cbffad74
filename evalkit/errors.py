"""What a user did wrong, by kind, each kind with its own exit code.

A problem says where it is, what is wrong, what was found and what to do. It never holds a person's data:
a row number and a coded value are enough to find the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_FOUND = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake: `where` (file, row, column), what is `wrong`, what was `found`, what to `do`."""

    wrong: str
    where: str = ""
    found: str = ""
    do: str = ""

    def __str__(self) -> str:
        found = self.found if len(self.found) <= LONGEST_FOUND else self.found[: LONGEST_FOUND - 1] + "…"
        parts = [
            f"{self.where}: {self.wrong}" if self.where else self.wrong,
            f"Found: {found}" if found else "",
            self.do,
        ]
        return " ".join(
            part.rstrip(". ") + ("" if part.endswith(("?", "!")) else ".") for part in parts if part
        )


class EvalkitError(Exception):
    """A mistake that a user can mend. Shown without a traceback; the exit code says its kind."""

    exit_code = 1
    kind = "problem"

    def __init__(
        self,
        wrong: str | Iterable[Problem],
        *,
        where: str = "",
        found: object = "",
        do: str = "",
    ) -> None:
        if isinstance(wrong, str):
            found = "" if found is None else str(found)
            self.problems = (Problem(wrong=wrong, where=where, found=found, do=do),)
        else:
            self.problems = tuple(wrong)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(EvalkitError):
    """The command line was not understood."""

    exit_code = 2
    kind = "usage"


class StudyError(EvalkitError):
    """study.yml, or an option of a method, is not as it must be."""

    exit_code = 10
    kind = "study"


class DataError(EvalkitError):
    """A file or a frame is not as study.yml or the method says it must be."""

    exit_code = 11
    kind = "data"


class DesignError(EvalkitError):
    """The comparison that was asked for cannot be built from these people."""

    exit_code = 12
    kind = "design"


class EstimationError(EvalkitError):
    """The quantity that was asked for does not exist in these data."""

    exit_code = 13
    kind = "estimation"


class ReportError(EvalkitError):
    """A report could not be staged or rendered."""

    exit_code = 14
    kind = "report"


class Refused(EvalkitError):
    """Disclosure control or the rules on claims do not allow it."""

    exit_code = 15
    kind = "refused"


class EvalkitWarning(UserWarning):
    """Something that the reader of a result should know; collected into results.json."""


def nearest(name: object, known: Iterable[str]) -> str:
    """A sentence that offers the known name closest to a mistyped one, or lists them all."""
    known = sorted(known)
    close = get_close_matches(str(name), known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    return "Known: " + ", ".join(f"`{each}`" for each in known)
