"""Several tests in one study: p-values adjusted over the analyses that ask for it together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evalkit.errors import StudyError
from evalkit.inference import adjust
from evalkit.results import Result
from evalkit.study import Analysis, Study

# An analysis with several estimates of its own adjusts over them itself.
OWN_FAMILIES = ("subgroup", "category")


def over_analyses(analysis: Analysis) -> str | None:
    """The adjustment that an analysis asks for over its neighbours; None where it adjusts over its own estimates."""
    method = analysis.options.get("p_adjust")
    own = analysis.method == "risk_score" or any(analysis.options.get(name) for name in OWN_FAMILIES)
    if method is None or own:
        return None
    if method not in ("holm", "bh"):
        raise StudyError(
            "over several analyses p-values are adjusted by `holm` or `bh`",
            where=f"study.yml, analyses.{analysis.name}, p_adjust", found=str(method),
            do="`romano_wolf` is for the groups of one analysis, with `subgroup`",
        )  # fmt: skip
    return method


def adjusted(study: Study, results: Mapping[str, Result]) -> dict[str, Result]:
    """The results with `p_adjusted` on the headline of each family: the same role and the same method of adjusting."""
    families: dict[tuple[str, str], list[str]] = {}
    for name, analysis in study.analyses.items():
        method = over_analyses(analysis)
        if method is not None and results[name].headline.p_value is not None:
            families.setdefault((analysis.role, method), []).append(name)
    found = dict(results)
    for (_, method), names in families.items():
        values = adjust(np.array([results[name].headline.p_value for name in names]), method)
        for name, value in zip(names, values, strict=True):
            head = replace(results[name].headline, p_adjusted=float(value))
            found[name] = replace(results[name], estimates=(head, *results[name].estimates[1:]))
    return found
