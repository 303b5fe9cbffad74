"""Rates, deflators and unit costs as dated files: each value with its unit, source, edition and whether verified.

Every function takes `user`, a path or mapping of a user's own parameters, which win over the shipped ones. A user's
file has the sections `costs`, `deflators`, `discounting` and `optimism`, in the same form as the files of this
package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.errors import StudyError, nearest
from evalkit.parameters import prices
from evalkit.parameters.library import PERSPECTIVES, Library, Parameter, library
from evalkit.parameters.prices import price_year

__all__ = [
    "PERSPECTIVES",
    "Library",
    "Parameter",
    "codes",
    "deflate",
    "describe",
    "describe_all",
    "discount_factors",
    "in_words",
    "library",
    "named",
    "optimism_correction",
    "parameter",
    "price_year",
    "unit_cost",
]

User = str | Path | Mapping[str, Any] | None
NAMES = ("Child", "Green", "Young", "Acceptable")  # first words of names: the Green Book, Child in Need
OPTIMISM, SPREAD = "gmca_2014", "evalkit_spread"


def parameter(code: str, user: User = None) -> Parameter:
    """The value behind a code: a unit cost, a rate, a deflator or a correction.

    Raises
    ------
    StudyError
        Where no entry has that code; the nearest one is offered.
    """
    lib = library(user)
    if code in lib.entries:
        return lib.entries[code]
    table = {each.code: each for each in _table_entries(lib)}
    if code not in table:
        raise StudyError(f"there is no parameter `{code}`", do=_offer(code, lib, table))
    return table[code]


def unit_cost(code: str, user: User = None) -> Parameter:
    """The unit cost behind a code, in the prices of its source year."""
    lib = library(user)
    if code not in lib.entries:
        raise StudyError(f"there is no unit cost `{code}`", do=_offer(code, lib, ()))
    return lib.entries[code]


def codes(user: User = None) -> tuple[str, ...]:
    """Every code that `parameter` knows."""
    lib = library(user)
    return (*lib.entries, *(each.code for each in _table_entries(lib)))


def describe(code: str, on: date | None = None, user: User = None) -> dict[str, Any]:
    """What `evalkit parameters CODE` prints: value, unit, price year, source, age (today), verified or not."""
    each = parameter(code, user)
    lib = library(user)
    return {
        "code": each.code,
        "item": each.item,
        "value": each.value,
        "values": dict(each.values),
        "unit": each.unit if each.price_year is None else f"pounds per {each.unit}",
        "price_year": each.price_year,
        "source": each.source,
        "edition": each.edition or None,
        "age_years": _age(each, on or date.today()),
        "verified": each.verified,
        "agency": each.agency,
        "agencies": {part.agency: part.value for part in lib.entries.values() if part.part_of == each.code},
        "note": each.note,
        "from": each.origin,
    }


def describe_all(on: date | None = None, user: User = None) -> list[dict[str, Any]]:
    """One record per parameter, agency shares under their whole."""
    parts = {code for code, each in library(user).entries.items() if each.part_of}
    return [describe(code, on, user) for code in codes(user) if code not in parts]


def in_words(record: Mapping[str, Any]) -> str:
    """One record of `describe` as a line for people."""
    money = record["price_year"] is not None
    values = ", ".join(_amount(name, value, money) for name, value in record["values"].items())
    unit = str(record["unit"]).removeprefix("pounds ") if money else record["unit"]
    line = f"{record['code']}  {record['item']}: {values} {unit}"
    line += f", {record['price_year']} prices" if money else ""
    line += f", {record['age_years']} years old" if record["age_years"] is not None else ""
    line += ", verified. " if record["verified"] else ", NOT VERIFIED. "
    line += str(record["source"]).rstrip(".") + "."
    if record["agencies"]:
        line += (
            " By agency: "
            + ", ".join(_amount(name, each, True) for name, each in record["agencies"].items())
            + "."
        )
    return line + (f" {record['note']}" if record["note"] else "")


def _amount(name: str, value: float, money: bool) -> str:
    if not money:
        return f"{value:g}"
    label = "" if name == "total" else f"{name} "
    return f"{label}£{value:,.2f}".removesuffix(".00")


def deflate(
    amount: float, from_year: object, to_year: object, series: str | None = None, user: User = None
) -> float:
    """`amount`, in prices of `from_year`, in prices of `to_year`.

    Financial years (`2019/20`) and calendar years (`2019`) use their own series and are never converted into each
    other; a year that no deflator holds is refused.
    """
    return amount * prices.deflator_ratio(library(user), price_year(from_year), price_year(to_year), series)


def discount_factors(
    schedule: str = "standard", n_years: int = 1, vintage: str = "green_book_2026", user: User = None
) -> np.ndarray:
    """Factors of years 0 to n_years − 1; year 0 is undiscounted and rates chain from one band to the next."""
    return prices.factors(library(user), schedule, n_years, vintage)


def named(code: str, lib: Library) -> str:
    """What a code stands for in words, with the code in brackets: a unit cost, or a table of rates."""
    if code in lib.entries:
        return f"{_small(lib.entries[code].item)} ({code})"
    for tables in (lib.optimism, lib.deflators, lib.discounting):
        if code in tables:
            return f"{_small(str(tables[code].get('title', code)))} ({code})"
    return code


def _small(words: str) -> str:
    """A title as it reads inside a sentence: its first letter small, unless it begins with a name or letters."""
    first = words.partition(" ")[0].strip(",")
    keep = not first[1:].islower() or first in NAMES
    return words if keep else words[:1].lower() + words[1:]


def optimism_correction(grade: int, user: User = None) -> float:
    """The share by which a confidence grade raises costs and cuts benefits."""
    table = library(user).optimism[OPTIMISM]["correction"]
    if grade not in table:
        raise StudyError("a confidence grade is a whole number from 1 (best) to 6 (worst)", found=str(grade))
    return float(table[grade])


def _age(each: Parameter, on: date) -> int | None:
    """Whole years since the price year ended, or since the edition where a value is not money."""
    if each.price_year is not None:
        start = int(each.price_year[:4])
        end = date(start + 1, 3, 31) if prices.is_financial(each.price_year) else date(start, 12, 31)
    elif each.edition:
        end = date.fromisoformat(each.edition)
    else:
        return None
    return max(0, on.year - end.year - ((on.month, on.day) < (end.month, end.day)))


def _table_entries(lib: Library) -> Iterator[Parameter]:
    """The tables of rates, deflators and corrections, one entry per number."""
    for name, table in lib.discounting.items():
        for schedule, bands in table["schedules"].items():
            for band in bands:
                years = f"{band['from']}-{band['to']}" if "to" in band else f"{band['from']}+"
                yield _entry(
                    f"{name}.{schedule}.{years}", table, band["rate"], f"discount rate, years {years}"
                )
    for name, table in lib.deflators.items():
        for year, value in table["values"].items():
            yield _entry(f"{name}.{year}", table, value, f"deflator of {year}")
    for name, table in lib.optimism.items():
        kind = "correction" if "correction" in table else "spread"
        for grade, value in table[kind].items():
            yield _entry(f"{name}.grade_{grade}", table, value, f"{kind} of confidence grade {grade}")


def _entry(code: str, table: Mapping[str, Any], value: float, item: str) -> Parameter:
    return Parameter(
        code=code,
        item=f"{table.get('title', code.partition('.')[0])}: {item}",
        values={"value": float(value)},
        unit=str(table["unit"]),
        source=" ".join(str(table["source"]).split()),
        verified=bool(table["verified"]),
        edition=str(table.get("edition", "")),
        note=str(table.get("note", "")),
    )


def _offer(code: str, lib: Library, table: Any) -> str:
    wholes = [name for name, each in lib.entries.items() if each.part_of is None]
    offer = nearest(code, [*lib.entries, *table])
    return offer if offer.startswith("Did") else "Known: " + ", ".join(f"`{name}`" for name in wholes)
