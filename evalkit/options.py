"""How the options of an estimator are named once, called from a notebook and read from study.yml.

Each estimator keeps a frozen dataclass of its options beside it and is wrapped by `takes`, so that
`did(panel, outcome="asb", unit="ward", …)` and a block of study.yml go through the same door.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any

import pandas as pd

from evalkit.errors import DataError, Problem, StudyError, nearest
from evalkit.results import Result

# What a method that does not take one of the common options says of it, unless its options class has a reason of its
# own under `REFUSED`.
COMMON: Mapping[str, str] = {
    "role": "it belongs to an analysis of study.yml",
    "label": "it belongs to an analysis of study.yml",
    "level": "it gives no interval",
    "subgroup": "it has one answer for the whole frame, so give each group an analysis of its own",
    "margin": "it compares no two groups, so there is no difference to set against a margin",
    "better": "nothing in it depends on which way is better",
    "p_adjust": "one call has one p-value; study.yml adjusts over the analyses that ask for it together",
    "missing": "rows with missing values are left out and counted",
    "compliance": "the effect on those who take part needs people and their take-up: use `rates`",
}


def takes(options_class: type) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Let `function(frame, options)` be called as `function(frame, name=value, …)` with the fields of its class."""

    def wrap(function: Callable[..., Result]) -> Callable[..., Result]:
        @wraps(function)
        def called(frame: Any = None, options: Any = None, /, **values: Any) -> Result:
            if frame is not None and not isinstance(frame, pd.DataFrame | Mapping):
                raise DataError(
                    "the first argument must be a frame",
                    where=f"{function.__name__}()",
                    do="Give a pandas DataFrame",
                )
            if options is None:
                options = read_options(options_class, values, where=f"{function.__name__}()")
            elif values:
                raise StudyError(
                    "give either an options object or named options, not both", where=function.__name__
                )
            return function(frame, options)

        called.options = options_class  # type: ignore[attr-defined]
        called.__signature__ = _signature(options_class)  # type: ignore[attr-defined]
        return called

    return wrap


def read_options(options_class: type, values: Mapping[str, Any], *, where: str) -> Any:
    """Build the options, refusing unknown names, missing required ones and values of the wrong type, all at once."""
    known = {each.name: each for each in fields(options_class)}
    hints = typing.get_type_hints(options_class)
    if "missing" not in known and values.get("missing") == "complete":
        # Complete cases are what every method does.
        values = {name: value for name, value in values.items() if name != "missing"}
    problems = [_refused(options_class, name, known, where) for name in values if name not in known]
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    problems += [
        Problem(where=where, wrong=f"`{name}` is required", do=f"Add `{name}:`")
        for name in required
        if name not in values
    ]
    taken = {}
    for name in known.keys() & values.keys():
        value = tuple(values[name]) if isinstance(values[name], list) else values[name]
        if not _fits(value, hints[name]):
            problems.append(
                Problem(where=where, wrong=f"`{name}` must be {_words(hints[name])}", found=str(values[name]))
            )
        taken[name] = value
    if problems:
        raise StudyError(problems)
    return options_class(**taken)


def _refused(options_class: type, name: str, known: Iterable[str], where: str) -> Problem:
    reasons = {**COMMON, **getattr(options_class, "REFUSED", {})}
    if name in reasons:
        return Problem(where=where, wrong=f"`{name}` is not supported here: {reasons[name]}")
    return Problem(where=where, wrong=f"`{name}` is not an option here", do=nearest(name, known))


def one_of(name: str, value: str, allowed: Iterable[str], *, where: str = "") -> None:
    """Refuse a value outside the list, naming the list."""
    allowed = tuple(allowed)
    if value not in allowed:
        listed = ", ".join(f"`{each}`" for each in allowed)
        raise StudyError(f"`{name}` must be one of {listed}", where=where, found=str(value))


def require_columns(frame: pd.DataFrame, names: Iterable[str | None], *, where: str) -> None:
    """Refuse a frame that lacks a column that the options name."""
    names = [name for name in dict.fromkeys(names) if name is not None]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise DataError(
            Problem(
                where=where, wrong=f"there is no column `{name}`", do=nearest(name, map(str, frame.columns))
            )
            for name in missing
        )


def _signature(options_class: type) -> inspect.Signature:
    frame = inspect.Parameter("frame", inspect.Parameter.POSITIONAL_ONLY, default=None)
    named = inspect.signature(options_class).parameters.values()
    return inspect.Signature([frame, *named])


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, each) for each in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(each, arguments[0]) for each in value)
    if origin is not None:
        return isinstance(value, origin)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    names = {
        str: "text", float: "a number", int: "a whole number", bool: "true or false", type(None): "left out",
        tuple: "a list", dict: "a mapping",
    }  # fmt: skip
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_words(each) for each in arguments if each is not type(None))
    if origin is typing.Literal:
        return "one of " + ", ".join(f"`{each}`" for each in arguments)
    return names.get(origin or hint, getattr(hint, "__name__", str(hint)))
