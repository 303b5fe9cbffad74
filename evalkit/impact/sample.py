"""The rows that a two-group comparison uses, as arrays, and how they hang together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError
from evalkit.options import require_columns
from evalkit.regression import codes
from evalkit.results import Check


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Rows with a known outcome and a positive weight, sorted by person.

    `clusters` are codes of matched sets, people or the named cluster, or None where rows are independent;
    `named` says that the study named them. `nested` is the arm (True: treated) that alone is clustered.
    `lost` holds, by arm, the rows left out because their outcome (first) or another column (second) is
    missing.
    """

    frame: pd.DataFrame
    outcome: np.ndarray
    treated: np.ndarray
    weights: np.ndarray
    exposure: np.ndarray | None = None
    clusters: np.ndarray | None = None
    named: bool = False
    nested: bool | None = None
    weighted: bool = False
    matched: bool = False
    lost: pd.DataFrame | None = None

    @property
    def plain(self) -> bool:
        """True where rows are independent and count alike, so that closed forms hold."""
        return not (self.weighted or self.matched or self.named)

    def arm(self, treated: bool) -> np.ndarray:
        """Positions of the rows of one arm."""
        return np.flatnonzero(self.treated == treated)

    def rows(self, chosen: np.ndarray) -> Sample:
        """The sample of these rows only, by position or by a mask."""
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return replace(
            self,
            frame=self.frame.iloc[chosen],
            outcome=self.outcome[chosen],
            treated=self.treated[chosen],
            weights=self.weights[chosen],
            exposure=None if self.exposure is None else self.exposure[chosen],
            clusters=None if self.clusters is None else codes(self.clusters[chosen])[0],
        )


def read_sample(
    people: pd.DataFrame,
    *,
    outcome: str,
    treated: str,
    weights: str | None = None,
    subclass: str | None = None,
    cluster: str | None = None,
    exposure: str | None = None,
    needed: Sequence[str] = (),
    where: str,
) -> Sample:
    """Check the columns, leave out incomplete rows and count them, and sort by person."""
    if people is None:
        raise DataError("there is no frame of people", where=where)
    require_columns(people, [outcome, treated, weights, subclass, cluster, exposure, *needed], where=where)
    people = _sorted(people)
    arm = _flags(people[treated], treated, where)
    weight = np.ones(len(people)) if weights is None else _weights(people[weights], weights, where)
    used = weight > 0
    no_outcome = people[outcome].isna().to_numpy() & used
    others = [name for name in (exposure, *needed) if name is not None]
    incomplete = people[others].isna().any(axis=1).to_numpy() & used & ~no_outcome
    kept = used & ~no_outcome & ~incomplete
    _both_arms(arm[kept], where)
    frame, arm, weight = people[kept], arm[kept], weight[kept]
    sets = None if subclass is None else _matched_sets(frame[subclass], arm)
    clusters, nested = (sets, None) if cluster is None else _clusters(frame[cluster], arm, where)
    return Sample(
        frame=frame,
        outcome=_numbers(frame[outcome], outcome, where),
        treated=arm,
        weights=weight,
        exposure=None if exposure is None else _positive(frame[exposure], exposure, where),
        clusters=clusters if clusters is not None else _repeated(frame, weight),
        named=cluster is not None,
        nested=nested,
        weighted=bool(np.ptp(weight) > 0) if len(weight) else False,
        matched=sets is not None,
        lost=_lost(people[treated], no_outcome, incomplete, used),
    )


def attrition(sample: Sample) -> tuple[Check, ...]:
    """How many were left out in each arm because a value is missing; nothing where nobody was."""
    lost = sample.lost
    if lost is None or not lost[["no_outcome", "incomplete"]].to_numpy().sum():
        return ()
    rates = (lost["no_outcome"] + lost["incomplete"]) / lost["n"]
    gap = float(abs(rates.iloc[0] - rates.iloc[1]))
    words = "; ".join(
        f"{row.arm}: {row.no_outcome} without the outcome and {row.incomplete} without another value, of {row.n}"
        for row in lost.itertuples()
    )
    return (
        Check(
            name="attrition",
            null="those left out are alike in the two arms",
            statistic=gap,
            threshold=0.05,
            passed=gap <= 0.05,
            reading=f"Left out, {words}.",
            next_step="Read the bounds, and say who could not be followed and why.",
        ),
    )


def binary(sample: Sample, name: str) -> None:
    """Refuse an outcome that is not 0 or 1 throughout."""
    if not np.isin(sample.outcome, (0.0, 1.0)).all():
        raise DataError(
            f"column `{name}` must hold 0 and 1 for this measure",
            where="rates",
            do="Use `mean_difference` or `rate_ratio` for another outcome",
        )


def _sorted(people: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("person_id", "index_date") if name in people.columns]
    return people.sort_values(keys, kind="stable") if keys else people


def _flags(column: pd.Series, name: str, where: str) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    if not np.isin(values, (0.0, 1.0)).all():
        raise DataError(f"column `{name}` must hold 0 and 1 for every person", where=where)
    return values == 1


def _weights(column: pd.Series, name: str, where: str) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").fillna(0).to_numpy(float)
    if (values < 0).any() or not np.isfinite(values).all():
        raise DataError(f"column `{name}` must hold weights of 0 or more", where=where)
    return values


def _numbers(column: pd.Series, name: str, where: str) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    if not np.isfinite(values).all():
        raise DataError(f"column `{name}` must hold numbers", where=where)
    return values


def _positive(column: pd.Series, name: str, where: str) -> np.ndarray:
    values = _numbers(column, name, where)
    if (values <= 0).any():
        raise DataError(f"column `{name}` must be above 0", where=where)
    return values


def _both_arms(treated: np.ndarray, where: str) -> None:
    if not treated.any() or treated.all():
        empty = "control" if treated.any() else "treated"
        raise EstimationError(
            f"nobody in the {empty} arm has a known outcome and a positive weight", where=where
        )


def _matched_sets(subclass: pd.Series, treated: np.ndarray) -> np.ndarray | None:
    """Codes of matched sets; None where the subclasses are strata, with several people on both sides."""
    if subclass.isna().all():
        return None
    sets, size = _codes_with_blanks(subclass)
    in_treated = np.bincount(sets, weights=treated, minlength=size)
    in_control = np.bincount(sets, weights=~treated, minlength=size)
    return sets if np.minimum(in_treated, in_control).max() <= 1 else None


def _clusters(column: pd.Series, treated: np.ndarray, where: str) -> tuple[np.ndarray, bool | None]:
    blank = column.isna().to_numpy()
    found = _codes_with_blanks(column)[0]
    if not blank.any():
        return found, None
    if blank[treated].all() != blank[~treated].all() and not (blank[treated].any() and blank[~treated].any()):
        return found, bool(blank[~treated].all())
    raise DataError(
        f"column `{column.name}` is blank for some people",
        where=where,
        do="Fill it for everybody, or leave it blank for the whole of the arm that has no clusters",
    )


def _codes_with_blanks(column: pd.Series) -> tuple[np.ndarray, int]:
    """Codes in sort order; each blank is a group of its own."""
    blank = column.isna().to_numpy()
    out = np.empty(len(column), int)
    found, size = codes(column[~blank].astype(str).to_numpy())
    out[~blank] = found
    out[blank] = size + np.arange(blank.sum())
    return out, size + int(blank.sum())


def _repeated(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray | None:
    """People as clusters where somebody has several rows and rows are weighted."""
    if "person_id" not in frame.columns or np.ptp(weights) == 0 or frame["person_id"].is_unique:
        return None
    return codes(frame["person_id"].astype(str).to_numpy())[0]


def _lost(arm: pd.Series, no_outcome: np.ndarray, incomplete: np.ndarray, used: np.ndarray) -> pd.DataFrame:
    rows = []
    for name, flag in (("treated", 1), ("control", 0)):
        here = (arm == flag).to_numpy() & used
        rows.append((name, int(here.sum()), int((no_outcome & here).sum()), int((incomplete & here).sum())))
    return pd.DataFrame(rows, columns=["arm", "n", "no_outcome", "incomplete"])
