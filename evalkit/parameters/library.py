"""The dated parameter files, and a user's own, read into one library in which the user's entries win."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import StudyError

HERE = Path(__file__).parent
PERSPECTIVES = ("fiscal", "economic", "social")
VALUE_NAMES = (*PERSPECTIVES, "total", "value")
SECTIONS = ("costs", "deflators", "discounting", "optimism")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One value that evalkit did not compute.

    `values` holds money by perspective (`fiscal`, `economic`, `social`; `total` where the source gives only the
    whole), or one `value`. `event` and `database` say what happened and who priced it, so that one event is not priced
    twice. `counts` is what one unit is: offences, incidents, people or time. `verified` is true only where
    the primary document itself was read.
    """

    code: str
    item: str
    values: Mapping[str, float]
    unit: str
    source: str
    verified: bool
    edition: str
    price_year: str | None = None
    agency: str | None = None
    event: str | None = None
    database: str | None = None
    counts: str | None = None
    average: bool = False
    part_of: str | None = None
    quality: str | None = None
    note: str = ""
    origin: str = "evalkit"

    @property
    def value(self) -> float:
        """The first value that the source gives: fiscal, else economic, social, the whole, or the number."""
        return next(self.values[name] for name in VALUE_NAMES if name in self.values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """Every entry by code, and the tables of rates, deflators and corrections by name."""

    entries: Mapping[str, Parameter]
    discounting: Mapping[str, Mapping[str, Any]]
    deflators: Mapping[str, Mapping[str, Any]]
    optimism: Mapping[str, Mapping[str, Any]]
    user: str | None = None


def library(user: str | Path | Mapping[str, Any] | None = None) -> Library:
    """The shipped parameters, with a user's own file (or mapping) laid over them."""
    shipped = _shipped()
    if user is None:
        return shipped
    content, name = _user_content(user)
    unknown = [key for key in content if key not in SECTIONS]
    if unknown:
        raise StudyError(
            f"a parameter file holds the sections {', '.join(SECTIONS)}",
            where=name,
            found=", ".join(map(str, unknown)),
        )
    entries = {each.code: each for each in _entries(content.get("costs", {}), {}, origin=name)}
    for section in SECTIONS[1:]:
        for table, body in content.get(section, {}).items():
            _require(body, ("unit", "source", "verified"), f"{name}, `{table}`")
    own = content.get("deflators", {})
    return Library(
        entries={**shipped.entries, **entries},
        discounting={**shipped.discounting, **content.get("discounting", {})},
        deflators={**own, **{key: table for key, table in shipped.deflators.items() if key not in own}},
        optimism={**shipped.optimism, **content.get("optimism", {})},
        user=name,
    )


@cache
def _shipped() -> Library:
    entries: dict[str, Parameter] = {}
    for file in ("unit_costs.yaml", "crime_costs.yaml"):
        content = _read(HERE / file)
        entries |= {
            each.code: each for each in _entries(content["costs"], content["edition"], origin="evalkit")
        }
    entries |= {each.code: each for each in _entries(_read(HERE / "values.yaml"), {}, origin="evalkit")}
    return Library(
        entries=entries,
        discounting=_read(HERE / "discounting.yaml"),
        deflators=_read(HERE / "deflators.yaml"),
        optimism=_read(HERE / "optimism.yaml"),
    )


def _entries(costs: Mapping[str, Any], edition: Mapping[str, Any], *, origin: str) -> Iterator[Parameter]:
    for code, body in costs.items():
        where = f"{origin}, `{code}`"
        shared = {
            key: edition[key]
            for key in ("source", "verified", "database", "price_year", "counts", "unit")
            if key in edition
        }
        body = {**shared, **body}
        body.setdefault("edition", str(edition.get("date", "")))
        _require(body, ("unit", "source", "verified"), where)
        whole = _parameter(str(code), body, origin)
        _check_money(whole, where)
        yield whole
        for part in body.get("agencies", ()):
            item = f"{whole.item}, the share of {part['agency']}"
            yield _parameter(
                part["code"], {**body, **_part(body, part), "item": item, "part_of": whole.code}, origin
            )


def _part(body: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    without = {name: None for name in VALUE_NAMES if name in body}
    return {**without, **part}


def _parameter(code: str, body: Mapping[str, Any], origin: str) -> Parameter:
    values = {name: float(body[name]) for name in VALUE_NAMES if body.get(name) is not None}
    known = ("agency", "event", "database", "counts", "part_of", "quality", "note")
    year = body.get("price_year")
    return Parameter(
        code=code,
        item=str(body.get("item", code)),
        values=values,
        unit=str(body["unit"]),
        source=" ".join(str(body["source"]).split()),
        verified=bool(body["verified"]),
        edition=str(body.get("edition", "")),
        price_year=None if year is None else str(year),
        average=bool(body.get("average", False)),
        origin=origin,
        **{name: body[name] for name in known if body.get(name) is not None},
    )


def _check_money(entry: Parameter, where: str) -> None:
    if not entry.values:
        raise StudyError(f"a parameter needs one of {', '.join(VALUE_NAMES)}", where=where)
    if "value" not in entry.values and entry.price_year is None:
        raise StudyError("a sum of money needs its `price_year`", where=where)


def _require(body: Any, names: tuple[str, ...], where: str) -> None:
    missing = [name for name in names if not isinstance(body, Mapping) or body.get(name) is None]
    if missing:
        raise StudyError(f"a parameter needs {', '.join(f'`{name}`' for name in missing)}", where=where)


def _user_content(user: str | Path | Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    if isinstance(user, Mapping):
        return user, "own parameters"
    path = Path(user)
    if not path.is_file():
        raise StudyError("there is no such parameter file", where="parameters", found=path.name)
    content = _read(path)
    if not isinstance(content, Mapping):
        raise StudyError(f"a parameter file holds the sections {', '.join(SECTIONS)}", where=path.name)
    return content, path.name


class _Strict(yaml.SafeLoader):
    """YAML in which a repeated key is an error, since the later one would win in silence."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
    if repeated:
        raise yaml.constructor.ConstructorError(
            problem=f"repeated: {', '.join(repeated)}", problem_mark=node.start_mark
        )
    return dict(
        zip(keys, (loader.construct_object(value, deep=True) for _, value in node.value), strict=True)
    )


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)  # noqa: S506 - a safe loader made stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise StudyError(
            f"the file cannot be read as YAML: {getattr(error, 'problem', error)}", where=f"{path.name}{line}"
        ) from None
