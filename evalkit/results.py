"""The shapes that pass between rooms: Design, Estimate, Check and Result. Frozen, keyword-only, no hierarchy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """A JSON-ready value: numpy scalars become Python's own; NaN, NaT and infinities become None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """One estimated quantity.

    `term` names it, `group` the part of the data it is of (None: all). `estimate` is on the scale of `measure`, in
    `unit`: risk differences in percentage points, frequencies in offences per person. For a ratio `estimate` is the
    ratio itself, `std_error` that of its logarithm and `statistic` their log over SE. `p_value` is two-sided, by t with
    `df` degrees of freedom where there are any; `p_adjusted` allows for the other tests of its family. `interval` names
    the method behind `conf_low` and `conf_high`, `level` how often such an interval holds the truth. `n_treated`,
    `n_control` and `n_clusters` say what it rests on. What cannot be trusted is None, never a number with a footnote.
    """

    term: str
    measure: str
    estimate: float | None
    std_error: float | None = None
    statistic: float | None = None
    df: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    level: float = 0.95
    interval: str | None = None
    n_treated: int | None = None
    n_control: int | None = None
    n_clusters: int | None = None
    group: str | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, plain(getattr(self, each.name)))

    def to_dict(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A diagnostic: its null hypothesis in words, the statistic beside its threshold, how to read it, what next.

    `name` is the same wherever the same thing is looked at. `null` says what would be true if all were well,
    `statistic` and `threshold` where the data stand and where the line is, `reading` what that means here, `next_step`
    what to do. `passed` is True, False, or None when the check informs and cannot fail.
    """

    name: str
    null: str = ""
    statistic: float | None = None
    threshold: float | None = None
    passed: bool | None = None
    reading: str = ""
    next_step: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, plain(getattr(self, each.name)))

    def to_dict(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Result:
    """What one analysis found.

    `method`, `estimand` and `outcome` say what was asked, `analysis` and `role` the name and place that a study gives
    it. `estimates` begin with the headline; `checks` are diagnostics. `detail` holds named frames, one row per thing
    that the frame's name says; each method's own page lists its frames and their columns. `references` are keys of
    the bibliography. `influence` (of each independent unit on the headline, for combining results) and `units` (the
    label of each: a person, a matched set, a cluster; its name says which) live in memory only, and go together.
    """

    method: str
    estimand: str
    outcome: str
    estimates: tuple[Estimate, ...]
    analysis: str = ""
    role: str = ""
    checks: tuple[Check, ...] = ()
    detail: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    influence: np.ndarray | None = None
    units: pd.Index | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # The labels may be people's own: without the values they are for, they are not kept either.
        if self.influence is None:
            object.__setattr__(self, "units", None)

    @property
    def headline(self) -> Estimate:
        """The estimate that the analysis is about: the first."""
        return self.estimates[0]

    def check(self, name: str) -> Check | None:
        """The check of that name, or None where the analysis did not make it."""
        return next((check for check in self.checks if check.name == name), None)

    def estimate(self, term: str) -> Estimate | None:
        """The first estimate of that term, or None."""
        return next((each for each in self.estimates if each.term == term), None)

    def to_frame(self) -> pd.DataFrame:
        """One row per estimate, one column per field of `Estimate`."""
        return pd.DataFrame([each.to_dict() for each in self.estimates])

    def summary(self) -> str:
        """Plain text: the methods sentence first, then each estimate and check on a line of its own."""
        lines = [self._methods_sentence(), ""]
        lines += [_estimate_line(each) for each in self.estimates]
        if self.checks:
            lines.append("")
            lines += [_check_line(check) for check in self.checks]
        return "\n".join(lines)

    def _methods_sentence(self) -> str:
        head = self.headline
        interval = f", {head.level:.0%} interval by {head.interval}" if head.interval else ""
        return (
            f"Method `{self.method}` for {self.outcome or 'no outcome'}: {head.measure.replace('_', ' ')}, "
            f"estimand {self.estimand}{interval}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but `influence` and `units`, ready for JSON; frames as lists of records under their names."""
        return {
            "analysis": self.analysis,
            "role": self.role,
            "method": self.method,
            "estimand": self.estimand,
            "outcome": self.outcome,
            "estimates": [each.to_dict() for each in self.estimates],
            "checks": [check.to_dict() for check in self.checks],
            "detail": {name: _frame_to_dict(frame) for name, frame in self.detail.items()},
            "references": list(self.references),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Result:
        """The inverse of `to_dict`."""
        detail = {
            name: pd.DataFrame(frame["rows"], columns=frame["columns"])
            for name, frame in values.get("detail", {}).items()
            if isinstance(frame, Mapping)
        }
        return cls(
            **{name: values.get(name, "") for name in ("analysis", "role", "method", "estimand", "outcome")},
            estimates=tuple(Estimate(**each) for each in values["estimates"]),
            checks=tuple(Check(**check) for check in values.get("checks", ())),
            detail=detail,
            references=tuple(values.get("references", ())),
        )

    def named(self, analysis: str, role: str) -> Result:
        """The same result under the name and role that a study gives it."""
        return replace(self, analysis=analysis, role=role)

    def _repr_html_(self) -> str:
        return self.to_frame().dropna(axis=1, how="all").to_html(index=False, escape=True)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Design:
    """Who is compared with whom, decided without seeing an outcome.

    `method`, `covariates`: how people were compared, and on what. `estimand`: whom the comparison stands for.
    `weights`: one non-negative number per row of the people frame, on its index (0: not used).
    `subclass`: the matched set or stratum of each row, None where there is none.
    `pairs`: frame with columns treated, control (index labels of people), round, distance; None unless matched.
    `discarded`: frame with columns person (index label), reason.
    `distance`: the score that people were matched on (logit of the propensity score), or None.
    `checks`, `detail`: diagnostics, and the frames `balance`, `overlap` and `effective_n`.
    """

    method: str
    estimand: str
    weights: pd.Series
    subclass: pd.Series | None = None
    pairs: pd.DataFrame | None = None
    discarded: pd.DataFrame | None = None
    covariates: tuple[str, ...] = ()
    distance: pd.Series | None = None
    checks: tuple[Check, ...] = ()
    detail: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def summary(self) -> str:
        """The methods sentence of the comparison."""
        used = int((self.weights > 0).sum())
        lost = 0 if self.discarded is None else len(self.discarded)
        on = ", ".join(self.covariates) or "no covariates"
        return f"Comparison by `{self.method}` on {on}; estimand {self.estimand}; {used} people used, {lost} left out."


def _estimate_line(each: Estimate) -> str:
    if each.estimate is None:
        return f"{each.term}: not available"
    line = f"{each.term}: {each.estimate:.4g}"
    if each.conf_low is not None and each.conf_high is not None:
        line += f" ({each.conf_low:.4g} to {each.conf_high:.4g})"
    elif each.std_error is None:
        line += " (no interval can be given)"
    return line + (f" {each.unit}" if each.unit else "")


def _check_line(check: Check) -> str:
    word = {True: "passed", False: "NOT PASSED", None: "for information"}[check.passed]
    return f"{check.name} [{word}] {check.reading} {check.next_step}".rstrip()


def _frame_to_dict(frame: pd.DataFrame) -> dict[str, Any]:
    rows = [[plain(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return {"columns": [str(name) for name in frame.columns], "rows": rows}
