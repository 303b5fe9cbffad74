"""The frozen shapes that study.yml becomes; nothing after them sees YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from evalkit.contract import Column, History, Outcome

FORMATS = ("html", "pdf", "docx")


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """How people came to be treated. `registered` names the protocol, or is None."""

    by: str = "unknown"
    unit: str | None = None
    chosen_when_high: bool | None = None
    registered: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """First and last index date, both inside."""

    start: date
    end: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a frame comes from: a `file` inside the study folder, or a `table` of the engine."""

    name: str
    file: str | None = None
    table: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Who is to be compared with whom: `options` holds what the design method takes beside its covariates."""

    method: str = "none"
    covariates: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """One planned analysis. `options` holds every key but role, method and label."""

    name: str
    role: str
    method: str
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str | None:
        return self.options.get("outcome")

    @property
    def data(self) -> str | None:
        return self.options.get("data")


@dataclass(frozen=True, kw_only=True, slots=True)
class Disclosure:
    """The preset of the gate, and the source that has already printed the figures, if one has."""

    preset: str = "public"
    already_public: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Which templates are rendered, and to what."""

    templates: tuple[str, ...] = ("commissioner", "summary")
    formats: tuple[str, ...] = FORMATS


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """What an evaluation says about itself.

    `observed_until`: the last day that the offence extract sees. `lines`: the line of each key of study.yml.
    """

    folder: Path
    study: str
    title: str
    question: str
    data_status: str
    estimand: str
    seed: int
    analyses: Mapping[str, Analysis]
    schema: int = 1
    commissioner: str | None = None
    intervention: Mapping[str, Any] = field(default_factory=dict)
    assignment: Assignment = Assignment()
    window: Window | None = None
    observed_until: date | None = None
    arms: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Source] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    history: Mapping[str, History] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    design: Comparison | None = None
    disclosure: Disclosure = Disclosure()
    report: Report = Report()
    spark: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def primary(self) -> Analysis:
        """The analysis that the study stands or falls by."""
        return next(each for each in self.analyses.values() if each.role == "primary")

    @property
    def has_people(self) -> bool:
        """True where the study promises person-level rows."""
        return "people" in self.data or "cohort" in self.data

    def path(self, name: str) -> Path:
        """The file behind a frame; KeyError where the study has no such file."""
        source = self.data[name]
        if source.file is None:
            raise KeyError(name)
        return self.folder / source.file
