"""The method table: what each method of study.yml is called, where it lives, what it reads and what it draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from evalkit.errors import EvalkitError, Problem, StudyError, nearest
from evalkit.options import read_options
from evalkit.results import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One row of the table.

    `home` is module:function. `reads`: people (one row per person, after the design), frame (a frame of the study
    named by `data`), numbers (nothing, or `data` where given), account (costs and benefits) or studies (other
    folders). `compares` is False where the method describes one group and can never claim a difference. `look` is
    module:function that reads a frame as the method would and refuses what it cannot use, without estimating; blank
    where reading is all the method's work, so that it may be called itself.
    """

    name: str
    home: str
    reads: str
    compares: bool = True
    look: str = ""

    @property
    def looks(self) -> Callable[..., object] | None:
        """What reads this method's frame for `check`; None where it reads people, accounts or other studies."""
        if self.reads not in ("frame", "numbers", "studies"):
            return None
        return _named(self.look or self.home)

    @property
    def function(self) -> Callable[..., Result]:
        return _named(self.home)

    @property
    def options(self) -> type:
        return self.function.options  # type: ignore[attr-defined]

    @property
    def option_names(self) -> frozenset[str]:
        return frozenset(each.name for each in fields(self.options))


def _named(place: str) -> Callable[..., Any]:
    module, name = place.split(":")
    return getattr(import_module(module), name)


METHODS: Mapping[str, Method] = {
    each.name: each
    for each in (
        Method(
            name="proportion", home="evalkit.impact.proportion:proportion", reads="people", compares=False
        ),
        Method(name="counts", home="evalkit.impact.counts:counts", reads="numbers"),
        Method(name="rates", home="evalkit.impact.rates:rates", reads="people"),
        Method(
            name="did",
            home="evalkit.impact.did:did",
            reads="frame",
            look="evalkit.impact.did.panel:read_panel",
        ),
        Method(
            name="interrupted",
            home="evalkit.impact.interrupted:interrupted",
            reads="frame",
            look="evalkit.impact.interrupted:readable",
        ),
        Method(
            name="synthetic_control",
            home="evalkit.impact.synthetic:synthetic_control",
            reads="frame",
            look="evalkit.impact.synthetic.panel:read_places",
        ),
        Method(name="survival", home="evalkit.impact.survival:survival", reads="people"),
        Method(name="cost_benefit", home="evalkit.costbenefit:cost_benefit", reads="account", compares=False),
        Method(name="power", home="evalkit.design.power:power", reads="numbers", compares=False),
        Method(name="funnel", home="evalkit.monitor:funnel", reads="frame", compares=False),
        Method(name="run_chart", home="evalkit.monitor:run_chart", reads="frame", compares=False),
        Method(name="meta", home="evalkit.pooling:meta", reads="studies"),
        Method(name="survey", home="evalkit.monitor:survey", reads="numbers", compares=False),
        Method(name="risk_score", home="evalkit.monitor:risk_score", reads="people", compares=False),
        Method(name="progression", home="evalkit.pilot:progression", reads="people", compares=False),
    )
}

# Named in the design and not yet built: refused by name rather than as a misspelling.
PLANNED: tuple[str, ...] = ()


def method(name: str, *, where: str) -> Method:
    """The row of that name; StudyError with the list of those that exist."""
    if name in METHODS:
        return METHODS[name]
    known = "The methods are " + ", ".join(f"`{each}`" for each in METHODS)
    if name in PLANNED:
        raise StudyError(f"this version has no method `{name}` yet", where=where, do=known)
    raise StudyError(f"there is no method `{name}`", where=where, do=f"{nearest(name, METHODS)} {known}")


def option_problems(name: str, values: Mapping[str, Any], *, where: str) -> list[Problem]:
    """What is wrong with the options that an analysis gives to its method, all at once."""
    try:
        read_options(method(name, where=where).options, values, where=where)
    except EvalkitError as error:
        return [
            problem if problem.where.startswith("study.yml") else _at(problem, where)
            for problem in error.problems
        ]
    return []


def _at(problem: Problem, where: str) -> Problem:
    inner = f"{where}, {problem.where}" if problem.where and problem.where not in where else where
    return Problem(where=inner, wrong=problem.wrong, found=problem.found, do=problem.do)
