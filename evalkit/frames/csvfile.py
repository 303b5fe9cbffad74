"""A CSV file made safe to read: one encoding, one line ending, a sound header, and every row as wide as the header.

Automatic readers drop ragged rows and guess encodings. Here the bytes are checked first, the rows and fields are
counted without a parser, and DuckDB then reads text; when the two disagree the file is walked slowly to say where.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalkit.errors import DataError, Problem

CHUNK = 1 << 20
QUOTE, NEWLINE = 34, 10
LONGEST_LINE = 5_000_000
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
SHOWN_ROWS = 5

_FOREIGN = {
    b"PK\x03\x04": "this is an Excel workbook or a zip file under another name",
    b"PK\x05\x06": "this is an empty zip file under another name",
    b"\xd0\xcf\x11\xe0": "this is an old Excel workbook under another name",
    b"\x1f\x8b": "this is a compressed file",
    b"PAR1": "this is a Parquet file under another name",
    b"%PDF": "this is a PDF under another name",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What was learned about a CSV before any row was read. `rows` and `fields` are counts made on the bytes."""

    path: Path
    header: tuple[str, ...]
    delimiter: str
    rows: int
    fields: int
    paired: bool
    notes: tuple[str, ...] = ()


def survey(path: Path, shown: str, scratch: Path) -> Layout:
    """Check the bytes and the header of a CSV, copying it to `scratch` in UTF-8 where it is not so already.

    Raises DataError for what cannot be read as a CSV: not text, no header, a name missing or repeated, a line that
    is too long.
    """
    _refuse_foreign(path, shown)
    clean, notes = _as_utf8(path, shown, scratch)
    header, delimiter, trimmed = _header(clean, shown)
    if trimmed:
        notes += ("spaces around column names were removed",)
    if delimiter != ",":
        notes += (f"read with {DELIMITERS[delimiter]} between columns",)
    records, delimiters, blank, paired = _count(clean, delimiter)
    if blank:
        notes += (f"blank lines passed over: {blank}; row numbers do not count them",)
    return Layout(
        path=clean,
        header=header,
        delimiter=delimiter,
        rows=records - 1,
        fields=delimiters + records,
        paired=paired,
        notes=notes,
    )


def uneven_rows(layout: Layout, shown: str) -> list[Problem]:
    """Walk the file record by record and say which rows are not as wide as the header. Slow; for broken files."""
    width, wrong, count = len(layout.header), [], 0
    with open(layout.path, encoding="utf-8-sig", newline="") as file, _long_fields():
        reader = csv.reader(file, delimiter=layout.delimiter, strict=True)
        row = 0
        try:
            for record in reader:
                if not record:
                    continue
                row += 1
                if len(record) != width:
                    count += 1
                    wrong += [(row, len(record))] if len(wrong) < SHOWN_ROWS else []
        except csv.Error:
            return [_stray_quote(shown, row + 1)]
    if not count:
        return [_stray_quote(shown, None)]
    examples = "; ".join(f"row {row} has {found}" for row, found in wrong)
    more = f" and {count - len(wrong)} more" if count > len(wrong) else ""
    return [
        Problem(
            where=f"{shown}, row {wrong[0][0]}",
            wrong=f"every row must have {width} fields, as the header has, but {examples}{more}",
            do="Look for a missing field, or for a comma in a value that is not inside quotation marks",
        )
    ]


def _stray_quote(shown: str, row: int | None) -> Problem:
    return Problem(
        where=f"{shown}, row {row}" if row else shown,
        wrong="a quotation mark opens and does not close, or stands in the middle of a value",
        do="Put quotation marks around the whole value and double those inside it",
    )


def _refuse_foreign(path: Path, shown: str) -> None:
    with open(path, "rb") as file:
        head = file.read(8)
    if not head:
        raise DataError(
            "the file is empty: there is no header", where=shown, do="Put the column names in the first row"
        )
    for mark, words in _FOREIGN.items():
        if head.startswith(mark):
            raise DataError(
                words, where=shown, do="Open it and save it as CSV (UTF-8), or as Parquet named .parquet"
            )


def _as_utf8(path: Path, shown: str, scratch: Path) -> tuple[Path, tuple[str, ...]]:
    with open(path, "rb") as file:
        head = file.read(2)
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding, notes = "utf-16", ("read as UTF-16",)
    else:
        utf8, returns = _scan(path, shown)
        if utf8 and not returns:
            return path, ()
        encoding = "utf-8" if utf8 else "cp1252"
        notes = () if utf8 else ("not UTF-8: read as cp1252 (Windows), so check accented names",)
    handle, name = tempfile.mkstemp(suffix=".csv", dir=scratch)
    os.close(handle)
    target = Path(name)
    try:
        with (
            open(path, encoding=encoding, newline=None) as source,
            open(target, "w", encoding="utf-8", newline="\n") as copy,
        ):
            while text := source.read(CHUNK):
                copy.write(text)
    except UnicodeError:
        raise DataError(
            "the text is neither UTF-8, UTF-16 nor Windows-1252",
            where=shown,
            do="Save the file as CSV (UTF-8)",
        ) from None
    if encoding == "utf-16":
        _scan(target, shown)
    return target, notes


def _scan(path: Path, shown: str) -> tuple[bool, bool]:
    """Whether the bytes are UTF-8 and whether they hold carriage returns; refuses NUL and endless lines."""
    decoder, utf8, returns, since = codecs.getincrementaldecoder("utf-8")(), True, False, 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            if b"\0" in chunk:
                raise DataError(
                    "the file holds NUL bytes, so it is not text", where=shown, do="Export it again as CSV"
                )
            returns = returns or b"\r" in chunk
            ends = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            since = since + len(chunk) if ends < 0 else len(chunk) - ends
            if since > LONGEST_LINE:
                raise DataError(
                    "a line is longer than 5 MB", where=shown, do="Check the quotation marks and line ends"
                )
            if utf8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    utf8 = False
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    return utf8, returns


def _header(path: Path, shown: str) -> tuple[tuple[str, ...], str, bool]:
    with open(path, encoding="utf-8-sig", newline="") as file, _long_fields():
        lines = iter(lambda: file.readline(LONGEST_LINE), "")
        place, line = next(((at, each) for at, each in enumerate(lines) if each.strip()), (0, ""))
    if place:
        # The engine takes the first line as the header, so a blank one would make the header a row.
        raise DataError(
            "the first line is blank", where=f"{shown}, row 1", do="Put the column names in the first row"
        )
    outside = "".join(line.split('"')[::2])
    delimiter = max(DELIMITERS, key=outside.count) if outside else ","
    try:
        names = next(csv.reader(io.StringIO(line), delimiter=delimiter, strict=True), [])
    except csv.Error:
        raise DataError([_stray_quote(shown, 1)]) from None
    header = tuple(name.strip() for name in names)
    problems = _header_problems(header, shown)
    if problems:
        raise DataError(problems)
    return header, delimiter, list(header) != names


def _header_problems(header: tuple[str, ...], shown: str) -> list[Problem]:
    where = f"{shown}, row 1"
    if not any(header):
        return [Problem(where=where, wrong="there is no header", do="Put the column names in the first row")]
    problems = [
        Problem(where=where, wrong=f"column {place} has no name", do="Name it, or delete the column")
        for place, name in enumerate(header, start=1)
        if not name
    ]
    repeated = dict.fromkeys(name for name in header if name and header.count(name) > 1)
    return problems + [
        Problem(
            where=where,
            wrong=f"the column name `{name}` is repeated",
            do="Give each column a name of its own",
        )
        for name in repeated
    ]


def _count(path: Path, delimiter: str) -> tuple[int, int, int, bool]:
    """Records and delimiters outside quotation marks, blank lines, and whether the marks pair up."""
    newlines = delimiters = blank = quotes = 0
    last = NEWLINE
    for chunk in _chunks(path):
        if not chunk:
            continue
        codes = np.frombuffer(chunk, dtype=np.uint8)
        ends, marks = codes == NEWLINE, codes == ord(delimiter)
        if quotes % 2 or b'"' in chunk:
            outside = (np.cumsum(codes == QUOTE) + quotes) % 2 == 0
            ends, marks = ends & outside, marks & outside
            quotes += chunk.count(b'"')
        newlines += int(np.count_nonzero(ends))
        delimiters += int(np.count_nonzero(marks))
        blank += int(ends[0] and last == NEWLINE) + int(np.count_nonzero(ends[1:] & ends[:-1]))
        last = QUOTE if quotes % 2 else int(codes[-1])
    unfinished = int(last != NEWLINE)
    return newlines + unfinished - blank, delimiters, blank, quotes % 2 == 0


def _chunks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        first = file.read(CHUNK)
        yield first.removeprefix(codecs.BOM_UTF8)
        while chunk := file.read(CHUNK):
            yield chunk


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(before)
