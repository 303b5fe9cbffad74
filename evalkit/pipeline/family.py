"""Several tests in one study: p-values adjusted over the analyses that ask for it together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError, Problem, StudyError
from evalkit.inference import STEP_DOWN_DRAWS, adjust, step_down
from evalkit.pipeline.methods import METHODS
from evalkit.results import Result
from evalkit.study import Analysis, Study

# An analysis with several estimates of its own adjusts over them itself.
OWN_FAMILIES = ("subgroup", "category")
ADJUSTMENTS = ("holm", "bh", "romano_wolf")
# Methods whose headline is a sum over independent units, so that tests of the same people can be drawn together.
WITH_INFLUENCE = ("rates", "did")
REFERENCES = {
    "holm": ("holm1979",), "bh": ("benjamini1995",), "romano_wolf": ("romano2005", "chernozhukov2013"),
}  # fmt: skip
RULES = {
    "holm": "by Holm's rule",
    "bh": "by the rule of Benjamini and Hochberg, which limits the share of findings that are false",
    "romano_wolf": f"by the step-down of Romano and Wolf: {STEP_DOWN_DRAWS:,} draws in which the tests hang together "
    "as they do over the same people or areas (Monte Carlo error 0.002 where the adjusted value is 0.05)",
}
OTHERWISE = "Use `holm` for this family: it holds however the tests hang together"
OTHER_UNITS = "`p_adjust: romano_wolf` needs analyses that take the same units to be independent"
SAME_UNITS = f"Give them the same `cluster`. {OTHERWISE}"
# What the units are called in a message, where the index of labels is not named for a column of the data.
KINDS = {
    "person_id": "each person", "person_id and index_date": "each index date of a person", "row": "each row",
    "subclass": "each matched set",
}  # fmt: skip


def over_analyses(analysis: Analysis) -> str | None:
    """The adjustment that an analysis asks for over its neighbours; None where it adjusts over its own estimates."""
    method = analysis.options.get("p_adjust")
    own = analysis.method == "risk_score" or any(analysis.options.get(name) for name in OWN_FAMILIES)
    if method is None or own:
        return None
    if method not in ADJUSTMENTS:
        raise StudyError(
            "over several analyses p-values are adjusted by `holm`, `bh` or `romano_wolf`",
            where=_where(analysis.name), found=str(method),
        )  # fmt: skip
    reason = _without_influence(analysis) if method == "romano_wolf" else ""
    if reason:
        raise StudyError(
            f"`p_adjust: romano_wolf` draws the tests of a family together, person by person or area by area: {reason}",
            where=_where(analysis.name), do=OTHERWISE,
        )  # fmt: skip
    return method


def _without_influence(analysis: Analysis) -> str:
    """Why the units' influences on this analysis are not known, from its options alone; nothing where they are."""
    options = analysis.options
    if analysis.method not in WITH_INFLUENCE:
        others = [name for name, row in METHODS.items() if row.compares and name not in WITH_INFLUENCE]
        return f"`rates` and `did` can be drawn so, and {', '.join(f'`{name}`' for name in others)} cannot"
    if options.get("missing") == "mice":
        return "imputing with `missing: mice` adds an error that belongs to no person"
    if options.get("estimator") == "synthetic":
        return "`estimator: synthetic` has its error from leaving out units"
    if options.get("inference") == "randomisation":
        return "`inference: randomisation` has its p-value from a rank"
    return ""


def adjusted(
    study: Study, results: Mapping[str, Result], seed_of: Callable[[Study, str], int]
) -> dict[str, Result]:
    """The results with `p_adjusted` on the headline of each family."""
    found = dict(results)
    for (role, method), names in families(study, results).items():
        p_values = np.array([results[name].headline.p_value for name in names])
        if method == "romano_wolf" and len(names) > 1:
            seed = seed_of(study, f"{method} over {role}")
            values = step_down(p_values, aligned(study, {name: results[name] for name in names}), seed=seed)
        else:
            values = adjust(p_values, "holm" if method == "romano_wolf" else method)
        for name, value in zip(names, values, strict=True):
            head = replace(results[name].headline, p_adjusted=float(value))
            found[name] = replace(
                results[name],
                estimates=(head, *results[name].estimates[1:]),
                references=tuple(dict.fromkeys((*results[name].references, *REFERENCES[method]))),
            )
    return found


def families(study: Study, results: Mapping[str, Result]) -> dict[tuple[str, str], list[str]]:
    """The analyses that are adjusted together, in order of their names: the same role and the same adjustment."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, analysis in sorted(study.analyses.items()):
        method = over_analyses(analysis)
        if method is not None and name in results and results[name].headline.p_value is not None:
            found.setdefault((analysis.role, method), []).append(name)
    return found


def family_words(study: Study, results: Mapping[str, Result]) -> dict[str, str]:
    """For each analysis of a family of several: with which others its p-value is adjusted, and how."""
    return {
        name: f"adjusted together with {_listed([each for each in names if each != name])} {RULES[method]}"
        for (_, method), names in families(study, results).items()
        for name in names
        if len(names) > 1 and results[name].headline.p_adjusted is not None
    }


def family_problems(study: Study) -> list[Problem]:
    """What the plan alone says of tests that cannot be drawn together: other units, or controls used again."""
    problems: list[Problem] = []
    kinds: dict[str, dict[str, list[str]]] = {}
    for name, analysis in study.analyses.items():
        options = analysis.options
        if options.get("p_adjust") != "romano_wolf" or options.get("subgroup"):
            continue
        if _reused(study, analysis):
            wrong = "`p_adjust: romano_wolf` cannot draw a comparison in which controls are matched with replacement"
            problems.append(Problem(where=_where(name), wrong=wrong, do=OTHERWISE))
        if analysis.method in WITH_INFLUENCE:
            unit = options.get("cluster") or options.get("unit") or "person_id"
            kinds.setdefault(analysis.role, {}).setdefault(str(unit), []).append(name)
    for units in kinds.values():
        if len(units) > 1:
            said = "; ".join(f"`{unit}` for {', '.join(names)}" for unit, names in units.items())
            where = _where(*(name for names in units.values() for name in names))
            problems.append(Problem(where=where, wrong=OTHER_UNITS, found=said, do=SAME_UNITS))
    return problems


def _reused(study: Study, analysis: Analysis) -> bool:
    """Whether the error is that of matching with replacement, which plain differences of people have."""
    options = analysis.options
    plain = options.get("measure", "risk_difference") in ("risk_difference", "mean_difference")
    plain = plain and not options.get("adjust") and not options.get("cluster")
    reused = study.design is not None and bool(study.design.options.get("replace"))
    return reused and plain and analysis.method == "rates" and analysis.data is None


def aligned(study: Study, results: Mapping[str, Result]) -> np.ndarray:
    """Influences of the same independent units, one column per analysis; 0 where a unit has no part in it.

    Analyses that take different things to be independent are refused: a cluster in one and a person in another cannot
    share a multiplier without changing the error that one of them is given.
    """
    for name, each in results.items():
        if each.influence is None or each.units is None or not each.influence.any():
            raise EstimationError(
                "`p_adjust: romano_wolf` cannot draw this analysis: what each person or area adds to its error is not "
                "known (an arm where all or none had the outcome, controls matched with replacement, or rows without a "
                "unit)",
                where=_where(name), do=OTHERWISE,
            )  # fmt: skip
    _one_kind(study, results)
    columns = [pd.Series(each.influence, index=each.units) for each in results.values()]
    return pd.concat(columns, axis=1).fillna(0.0).sort_index().to_numpy()


def _one_kind(study: Study, results: Mapping[str, Result]) -> None:
    kinds = {name: str(each.units.name) for name, each in results.items()}
    frames = {study.analyses[name].data for name in results}
    if len(set(kinds.values())) > 1:
        said = "; ".join(f"`{name}` {KINDS.get(kind, f'each `{kind}`')}" for name, kind in kinds.items())
        raise StudyError(OTHER_UNITS, where=_where(*results), found=said, do=SAME_UNITS)
    if "row" in kinds.values() and len(frames) > 1:
        wrong = "`p_adjust: romano_wolf` cannot tell which rows of two files are the same person"
        raise StudyError(wrong, where=_where(*results), do=f"Give both a column `person_id`. {OTHERWISE}")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _where(*names: str) -> str:
    return f"study.yml, analyses.{', '.join(names)}, p_adjust"


def unsaid_with(study: Study, raw: Mapping[str, Result], printed: Sequence[Result]) -> list[Result]:
    """Printed results, without `p_adjusted` where the headline of another test of the family is withheld.

    The adjusted p-value of one test says how the others compare with it.
    """
    held = {each.analysis for each in printed if each.headline.p_value is None}
    together = [set(names) for names in families(study, raw).values()]
    silent = {name for names in together if held & names for name in names}
    return [
        replace(each, estimates=(replace(each.headline, p_adjusted=None), *each.estimates[1:]))
        if each.analysis in silent
        else each
        for each in printed
    ]
