"""What the gate is told of a study beside its numbers, and what it lets an account know of the other analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.pipeline.compose import Cohort
from evalkit.pipeline.family import unsaid_with
from evalkit.pipeline.gather import Gathered
from evalkit.pipeline.methods import method
from evalkit.results import Design, Result
from evalkit.study import Analysis, Study

if TYPE_CHECKING:
    from evalkit.disclosure import Released

FLOW = ["step", "arm", "n", "lost", "reason"]


def through_gate(
    study: Study, gathered: Gathered, cohort: Cohort, results: Mapping[str, Result], texts: Sequence[str]
) -> Released:
    """Everything that was computed, as it may be printed. `texts` are sentences with numbers in them."""
    from evalkit.disclosure import policy, release

    design = cohort.design
    frames = dict(design.detail) if design is not None else {}
    released = release(
        results=_with_design_checks(study, results, design), flow=pd.DataFrame(cohort.flow, columns=FLOW),
        balance=frames.pop("balance", None), published=gathered.frames.get("published"), other=frames,
        policy=policy(study.disclosure.preset), people=study.has_people, as_printed=_as_printed(study),
        already_public=study.disclosure.already_public, checks=design.checks if design is not None else (),
        texts=texts, largest_share=_largest_shares(study, cohort), persons=_panels_of_people(study),
        rests_on=_rests_on(gathered, results), greatest=_greatest(study, gathered, cohort),
        nested=_nested_outcomes(cohort, study),
    )  # fmt: skip
    return replace(released, results=tuple(unsaid_with(study, results, released.results)))


def as_printed(
    study: Study, gathered: Gathered, cohort: Cohort, results: Mapping[str, Result]
) -> dict[str, Result]:
    """The analyses as an account may value them: as they are printed. One of which too little is printed stays as
    computed, and the gate withholds the account that rests on it."""
    from evalkit.disclosure import as_valued

    if not _named(gathered, results):
        return dict(results)
    printed = {each.analysis: each for each in through_gate(study, gathered, cohort, results, []).results}
    return {name: as_valued(printed[name]) or each for name, each in results.items()}


def _named(gathered: Gathered, results: Mapping[str, Result]) -> list[str]:
    """The analyses that the lines of benefits value."""
    if "benefits" not in gathered.frames:
        return []
    said = set(gathered.frames["benefits"]["impact"].dropna().astype(str))
    return [name for name in results if name in said]


def _rests_on(gathered: Gathered, results: Mapping[str, Result]) -> dict[str, list[str]]:
    named = _named(gathered, results)
    accounts = [name for name, each in results.items() if method(each.method, where="").reads == "account"]
    return dict.fromkeys(accounts, named) if named else {}


def _greatest(study: Study, gathered: Gathered, cohort: Cohort) -> dict[str, float]:
    """By analysis whose outcome is, in the rows that it may read, whole numbers from 0 on: the greatest of them."""
    found = {}
    for name, analysis in study.analyses.items():
        outcome = study.outcomes.get(analysis.outcome or "")
        column = analysis.outcome if outcome is None else outcome.column or outcome.name
        frame = gathered.frames.get(analysis.data) if analysis.data is not None else cohort.measured
        if frame is not None and column in frame.columns:
            values = pd.to_numeric(frame[column], errors="coerce").dropna()
            if len(values) and (values >= 0).all() and (values % 1 == 0).all():
                found[name] = float(values.max())
    return found


def _panels_of_people(study: Study) -> frozenset[str]:
    """Panels whose unit is a person: a column of type `id` where people, not areas, were assigned; or no unit, where
    every row is another person."""
    return frozenset(name for name, analysis in study.analyses.items() if _of_persons(study, analysis))


def _of_persons(study: Study, analysis: Analysis) -> bool:
    row, unit = method(analysis.method, where=""), analysis.options.get("unit")
    if "unit" not in row.option_names or row.name not in ("did", "synthetic_control"):
        return False
    if unit is None:
        return row.name == "did"
    column = study.columns.get(unit)
    named = unit == "person_id" or (column is not None and column.type == "id")
    return named and study.assignment.unit != "area"


def _with_design_checks(study: Study, results: Mapping[str, Result], design: Design | None) -> list[Result]:
    """The checks of the comparison stand with the first result that rests on it."""
    if design is None:
        return list(results.values())
    rests = [
        name
        for name, each in results.items()
        if method(each.method, where="").compares and _of_people(each) and study.analyses[name].data is None
    ]
    return [
        replace(each, checks=(*design.checks, *each.checks)) if rests and name == rests[0] else each
        for name, each in results.items()
    ]


def _of_people(result: Result) -> bool:
    return method(result.method, where="").reads == "people"


def _largest_shares(study: Study, cohort: Cohort) -> dict[str, float]:
    """By analysis of harm, offences or another amount: the largest share of an arm's total that two people hold."""
    shares = {}
    for name, analysis in study.analyses.items():
        outcome = study.outcomes.get(analysis.outcome or "")
        column = None if outcome is None else outcome.column or outcome.name
        if cohort.measured is None or column not in cohort.measured.columns:
            continue
        values = pd.to_numeric(cohort.measured[column], errors="coerce").dropna()
        if values.isin((0, 1)).all() or (values < 0).any():
            continue
        arms = values.groupby(cohort.measured["treated"])
        held = [float(each.nlargest(2).sum() / each.sum()) for _, each in arms if each.sum() > 0]
        shares[name] = max(held, default=0.0)
    return shares


def _nested_outcomes(cohort: Cohort, study: Study) -> frozenset[tuple[str, str]]:
    """(inner, outer): two outcomes of noughts and ones of which nobody has the inner without the outer."""
    columns = {name: each.column or name for name, each in study.outcomes.items()}
    flags = {}
    for name, column in columns.items():
        if cohort.measured is not None and column in cohort.measured.columns:
            values = pd.to_numeric(cohort.measured[column], errors="coerce")
            if values.dropna().isin((0, 1)).all():
                flags[name] = values.fillna(0).to_numpy(dtype=float)
    return frozenset(
        (inner, outer)
        for inner, less in flags.items()
        for outer, more in flags.items()
        if inner != outer and (less <= more).all()
    )


def _as_printed(study: Study) -> frozenset[str]:
    """Analyses of figures that a source has printed: their counts stand in study.yml or in published.csv."""
    return frozenset(
        name for name, analysis in study.analyses.items()
        if (analysis.options.get("data_status") or study.data_status) == "published"
        and method(analysis.method, where="").reads != "account"
    )  # fmt: skip
