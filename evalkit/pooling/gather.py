"""The studies of a frame, on one scale, and the refusal to pool what does not measure the same thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Problem
from evalkit.options import require_columns
from evalkit.pooling.measures import COUNTS, LOG_OF, MEANS, effects_from_counts, effects_from_means

SAME = ("outcome", "window", "estimand", "better")
WORDS = {
    "outcome": "they do not measure the same thing",
    "window": "the same people look better over a shorter window",
    "estimand": "they are answers to different questions",
    "better": "a higher figure is good news in one and bad news in another",
}
FEWEST = 2


@dataclass(frozen=True, kw_only=True)
class Studies:
    """`table`: study, estimate, std_error, with the counts and characteristics it came with; `rules`: what was done
    about groups without events; `dropped`: studies that say nothing about the measure."""

    table: pd.DataFrame
    rules: pd.Series
    dropped: tuple[str, ...]


def studies_of(frame: pd.DataFrame, measure: str, zero_cells: str) -> Studies:
    """One row per study with its effect on the scale of `measure` and its standard error, in the order given."""
    if frame is None or frame.empty:
        raise DataError("there is no study to pool", where="meta")
    require_columns(frame, ["study"], where="meta")
    rows = frame.reset_index(drop=True).assign(study=frame["study"].astype(str).to_numpy())
    _refuse_repeats(rows)
    _refuse_unlike(rows)
    rules = pd.Series("as given", index=rows.index)
    if {"estimate", "std_error"} <= set(rows.columns):
        effects = _given(rows, measure)
    elif measure == "smd" and set(MEANS) <= set(rows.columns):
        effects = effects_from_means(rows)
    elif set(COUNTS) <= set(rows.columns):
        effects, rules = effects_from_counts(rows, measure, zero_cells=zero_cells)
    else:
        raise _no_numbers(rows)
    others = rows.drop(columns=["estimate", "std_error"], errors="ignore")
    table = effects.join(others)
    dropped = tuple(rows["study"][~rows.index.isin(effects.index)])
    if len(table) < FEWEST:
        raise DataError(
            "one study is not a pooled effect", where="meta", found=f"{len(table)} studies that say something",
            do="Report the study itself",
        )  # fmt: skip
    return Studies(table=table, rules=rules, dropped=dropped)


def _no_numbers(rows: pd.DataFrame) -> DataError:
    if "estimate" in rows.columns:
        wrong = "effects without a standard error cannot be pooled: nobody can say how much each one weighs"
    else:
        wrong = "percentages or effects with no number of people and no standard error cannot be pooled"
    counts = ", ".join(f"`{each}`" for each in COUNTS)
    return DataError(wrong, where="meta", do=f"Give `estimate` and `std_error`, or {counts}")


def _refuse_repeats(rows: pd.DataFrame) -> None:
    repeated = rows["study"][rows["study"].duplicated()]
    if len(repeated):
        raise DataError(
            "a study appears twice, and its people would count twice", where="meta, `study`", found=repeated.iloc[0],
            do="Keep one estimate of each study, or name independent parts apart",
        )  # fmt: skip


def _refuse_unlike(rows: pd.DataFrame) -> None:
    problems = []
    for name in SAME:
        if name not in rows.columns:
            continue
        kinds = rows.groupby(
            rows[name].astype("object").where(rows[name].notna(), "not said").astype(str), sort=True
        )
        if kinds.ngroups > 1:
            held = "; ".join(f"{kind}: {', '.join(part['study'])}" for kind, part in kinds)
            problems.append(
                Problem(
                    where="meta",
                    wrong=f"the studies differ in {name}, so {WORDS[name]} ({held})",
                    do=f"Pool those of one {name} at a time",
                )
            )
    if problems:
        raise DataError(problems)


def _given(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Effects as given; a ratio whose own `measure` is named beside it is put on the log scale first."""
    effects = rows[["estimate", "std_error"]].apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = (
        ~np.isfinite(effects["estimate"]) | ~(effects["std_error"] > 0) | ~np.isfinite(effects["std_error"])
    )
    if wrong.any():
        raise DataError(
            "a study needs an effect and a standard error above 0",
            where="meta",
            found=", ".join(rows["study"][wrong]),
            do="Leave the study out, and say so, or give its counts",
        )
    if "measure" in rows.columns:
        own = rows["measure"].astype(str)
        ratio = own == LOG_OF.get(measure, "")
        unlike = rows["study"][~ratio & (own != measure)]
        if len(unlike):
            raise DataError(
                f"a study is not on the scale of `{measure}`", where="meta", found=", ".join(unlike)
            )
        if (effects["estimate"][ratio] <= 0).any():
            raise DataError("a ratio is above 0", where="meta, `estimate`")
        effects.loc[ratio, "estimate"] = np.log(effects.loc[ratio, "estimate"])
    return effects
