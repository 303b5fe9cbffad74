"""Why a value is refused, by the type of its column: predicates in SQL over text, with what is wrong and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from evalkit.contract import Column
from evalkit.engine import named, quoted
from evalkit.errors import StudyError

EARLIEST, LATEST = date(1900, 1, 1), date(2100, 12, 31)
FLAG_WORDS = ("0", "1", "yes", "no", "y", "n", "true", "false")
_ISO = r"\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0+)?)?)?"
_DAY_MONTH = r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}"
_WHOLE = r"[+-]?\d{1,18}(\.0+)?"
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?"
_DIRECTIVES = {"%Y", "%m", "%d", "%b", "%B", "%-d", "%-m", "%H", "%M", "%S"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a value is refused: the predicate that picks it out, what is wrong, what to do, whether it may be shown.

    With shifted columns any cell can hold a name or an id. So a code is shown only where it resembles one of `known`,
    and anything else only where it looks like a date or a number.
    """

    when: str
    wrong: str
    do: str
    shows: bool = False
    known: tuple[str, ...] = ()


def reasons_for(name: str, column: Column) -> list[Reason]:
    """The reasons for which a value can be refused, the first that holds being the one given."""
    text = named(name)
    missing = Reason(
        f"{text} IS NULL", "the value is missing", "Fill it in, or let the column be `nullable: true`"
    )
    by_type = {
        "date": _date_reasons,
        "integer": _integer_reasons,
        "number": _number_reasons,
        "flag": _flag_reasons,
        "category": _category_reasons,
    }
    return [
        missing,
        *by_type.get(column.type, _no_reasons)(text, column),
        *_range_reasons(name, column),
    ]


def sound(name: str, column: Column) -> str:
    """The predicate of a value that needs no reason: the right form, within the limits of the column."""
    text = named(name)
    limits = _limits(name, column)
    form = {
        "date": f"{parsed(text, column)} BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}'",
        "integer": _matches(text, _WHOLE),
        "number": _finite(text),
        "flag": f"{text} IN ('0', '1', '0.0', '1.0')",
        "category": _listed(text, column),
    }.get(column.type, "TRUE")
    return " AND ".join([f"({form})", *(f"NOT coalesce({beyond}, FALSE)" for beyond, _ in limits)])


def _date_reasons(text: str, column: Column) -> list[Reason]:
    serial = Reason(
        _matches(text, r"[1-7]\d{4}"),
        "this is a spreadsheet's day number, not a date",
        "Format the column as a date before saving; the first is perhaps {serial}",
        shows=True,
    )
    two_digits = Reason(
        _matches(text, r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}"),
        "a year of two digits does not say its century",
        "Write the year with four digits",
        shows=True,
    )
    beyond = Reason(
        f"{parsed(text, column)} NOT BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}'",
        f"the date is not between {EARLIEST.year} and {LATEST.year}",
        "Correct it, or leave it blank if it is not known and the column is `nullable: true`",
        shows=True,
    )
    form, advice = "YYYY-MM-DD", "Write dates as YYYY-MM-DD, or set `date_format`"
    if column.date_format is not None:
        form, advice = f"`{column.date_format}`", "Write every row as `date_format` says"
    shapes = [] if column.date_format else [*_slash_reasons(text), *_iso_reasons(text, column)]
    unknown = f"{parsed(text, column)} IS NULL"
    # A name typed in a date column must not be printed: only what is made of digits is shown.
    digits = _matches(text, r"[0-9/.: T-]+")
    wrong = f"the value is not a date written as {form}"
    last = [Reason(f"{unknown} AND {digits}", wrong, advice, shows=True), Reason(unknown, wrong, advice)]
    return [serial, two_digits, *shapes, beyond, *last]


def _iso_reasons(text: str, column: Column) -> list[Reason]:
    return [
        Reason(
            f"{_matches(text, _ISO)} AND {parsed(text, column)} IS NULL",
            "there is no such day in the calendar",
            "Correct the date",
            shows=True,
        ),
        Reason(
            f"{_matches(text, r'[0-9-]{10}[ T][0-9:.]+')} AND NOT {_matches(text, _ISO)}",
            "a date with a time of day",
            "Give the day alone, as YYYY-MM-DD",
            shows=True,
        ),
        Reason(
            _matches(text, r"\d{4}-\d{2}"),
            "the day is missing",
            "Set `date_format: '%Y-%m'` if every row is a month",
            shows=True,
        ),
    ]


def _slash_reasons(text: str) -> list[Reason]:
    shape = _matches(text, _DAY_MONTH)
    parts = [
        f"TRY_CAST(regexp_extract({text}, '^(\\d+)[/.-](\\d+)[/.-]', {part}) AS INTEGER)" for part in (1, 2)
    ]
    wrong = "the date is not written as YYYY-MM-DD"
    return [
        Reason(
            f"{shape} AND {parts[0]} > 12",
            f"{wrong}, and looks like day/month/year",
            "Set `date_format: '%d/%m/%Y'` for the column if all rows are day first",
            shows=True,
        ),
        Reason(
            f"{shape} AND {parts[1]} > 12",
            f"{wrong}, and looks like month/day/year",
            "Set `date_format: '%m/%d/%Y'` for the column if all rows are month first",
            shows=True,
        ),
        Reason(
            shape,
            f"{wrong} and is ambiguous: day first or month first",
            "Set `date_format` for the column, such as '%d/%m/%Y'",
            shows=True,
        ),
    ]


def _integer_reasons(text: str, column: Column) -> list[Reason]:
    whole, number = _matches(text, _WHOLE), _matches(text, _NUMBER)
    wrong = "the value is not a whole number"
    return [
        Reason(f"NOT {whole} AND {number}", wrong, "Round it in the file, or let the column be `number`"),
        Reason(f"NOT {whole}", wrong, "Write digits only, with no comma between thousands"),
    ]


def _number_reasons(text: str, column: Column) -> list[Reason]:
    return [
        Reason(_matches(text, r"[+-]?\d+,\d{1,2}"), "a decimal comma", "Write decimals with a point"),
        Reason(
            _matches(text, r"[+-]?[£$€]?\d{1,3}(,\d{3})+(\.\d+)?"), "a comma between thousands", "Write 1000"
        ),
        Reason(
            f"NOT coalesce({_finite(text)}, FALSE)",
            "the value is not a number",
            "Write digits and a decimal point only",
        ),
    ]


def _flag_reasons(text: str, column: Column) -> list[Reason]:
    return [
        Reason(
            f"{text} NOT IN ('0', '1')",
            "a flag is 0 or 1",
            "Write 1 for yes and 0 for no",
            shows=True,
            known=FLAG_WORDS,
        )
    ]


def _category_reasons(text: str, column: Column) -> list[Reason]:
    listed = ", ".join(f"`{value}`" for value in column.values)
    return [
        Reason(
            f"NOT {_listed(text, column)}",
            "the value is not among the `values` of the column",
            f"Known: {listed}",
            shows=True,
            known=column.values,
        )
    ]


def _no_reasons(text: str, column: Column) -> list[Reason]:
    return []


def _range_reasons(name: str, column: Column) -> list[Reason]:
    shows = column.type == "date"
    return [
        Reason(beyond, wrong, "Correct the value, or the limit in study.yml", shows=shows)
        for beyond, wrong in _limits(name, column)
    ]


def _limits(name: str, column: Column) -> list[tuple[str, str]]:
    """Predicates for values beyond `min` and `max`, with words; none for types that have no order."""
    if column.type not in ("date", "integer", "number"):
        return []
    if column.type == "date":
        value, kind = parsed(named(name), column), "DATE"
    else:
        value, kind = f"TRY_CAST({named(name)} AS DOUBLE)", "DOUBLE"
    unit = f" {column.unit}" if column.unit else ""
    limits = ((column.min, "<", "below the least allowed"), (column.max, ">", "above the most allowed"))
    return [
        (f"{value} {sign} CAST({quoted(limit)} AS {kind})", f"the value is {words}, {limit}{unit}")
        for limit, sign, words in limits
        if limit is not None
    ]


def parsed(text: str, column: Column) -> str:
    """The SQL of a day read from text; NULL where there is none."""
    if column.date_format is None:
        return f"CASE WHEN {_matches(text, _ISO)} THEN TRY_CAST(left({text}, 10) AS DATE) END"
    require_date_format(column.date_format)
    return f"CAST(TRY_STRPTIME({text}, {quoted(column.date_format)}) AS DATE)"


def require_date_format(date_format: str) -> None:
    """Refuse a `date_format` that cannot be read, or whose year does not say its century."""
    directives = re.findall(r"%-?.", date_format)
    if "%y" in directives:
        raise StudyError(
            "a year of two digits does not say its century",
            where="date_format",
            found=date_format,
            do="Write years with four digits in the file and `%Y` in `date_format`",
        )
    if "%Y" not in directives or not set(directives) <= _DIRECTIVES:
        raise StudyError(
            "`date_format` is not understood",
            where="date_format",
            found=date_format,
            do="Write it as '%d/%m/%Y' (day, month, year) or '%Y-%m' (months)",
        )


def _finite(text: str) -> str:
    return f"{_matches(text, _NUMBER)} AND abs(TRY_CAST({text} AS DOUBLE)) < 1e300"


def _listed(text: str, column: Column) -> str:
    if not column.values:
        return "TRUE"
    return f"{text} IN ({', '.join(quoted(value) for value in column.values)})"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {quoted(pattern)})"
