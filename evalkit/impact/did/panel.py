"""Reading a panel: one row per unit and period, checked, sorted and turned into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact.did.calendar import NEVER, Calendar, read_calendar
from evalkit.impact.did.options import DidOptions
from evalkit.options import require_columns
from evalkit.regression import factorize


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """Rows sorted by unit and period. `cohort` is the step of first treatment, NEVER for the never treated.

    `unit`, `period` and `cluster` are codes from 0; `period` indexes the calendar. `grid` is (units, periods) where
    every unit is seen in every period. `cluster_names` are what the codes of `cluster` stand for. `left_out` counts the
    units left out, by reason.
    """

    outcome: np.ndarray
    unit: np.ndarray
    period: np.ndarray
    cohort: np.ndarray
    cluster: np.ndarray
    units: np.ndarray
    clusters: int
    cluster_names: np.ndarray
    calendar: Calendar
    grid: tuple[int, int] | None
    weights: np.ndarray | None = None
    exposure: np.ndarray | None = None
    covariates: np.ndarray | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def step(self) -> np.ndarray:
        """The step of each row's period."""
        return self.calendar.steps[self.period]

    @cached_property
    def treated(self) -> np.ndarray:
        """True for rows of units that are ever treated."""
        return self.cohort < NEVER

    @cached_property
    def post(self) -> np.ndarray:
        """True for rows of units that are treated by then."""
        return self.step >= self.cohort

    @cached_property
    def cohorts(self) -> np.ndarray:
        """The steps of first treatment, in order, without NEVER."""
        first = self.unit_cohort[self.unit_treated]
        if not len(first):
            return first
        low = int(first.min())
        return np.flatnonzero(np.bincount(first - low)) + low

    def first_rows(self, values: np.ndarray) -> np.ndarray:
        """One value per unit: that of its first row."""
        if self.grid is not None:
            return values[:: self.grid[1]]
        if len(self.units) == len(values):
            return values
        return values[np.searchsorted(self.unit, np.arange(len(self.units)))]

    @cached_property
    def unit_cohort(self) -> np.ndarray:
        """Each unit's step of first treatment."""
        return np.ascontiguousarray(self.first_rows(self.cohort))

    @cached_property
    def unit_treated(self) -> np.ndarray:
        """True for units that are ever treated."""
        return self.unit_cohort < NEVER

    @cached_property
    def unit_cluster(self) -> np.ndarray:
        """Each unit's cluster."""
        return np.ascontiguousarray(self.first_rows(self.cluster))

    @cached_property
    def arm_units(self) -> np.ndarray:
        """Units of each cluster that are never and that are ever treated: shape (clusters, 2)."""
        joint = self.unit_cluster * 2 + self.unit_treated
        return np.bincount(joint, minlength=2 * self.clusters).reshape(-1, 2)

    @property
    def arm_clusters(self) -> tuple[int, int]:
        """How many clusters hold a unit that is ever treated, and how many hold one that never is."""
        never, treated = np.count_nonzero(self.arm_units, axis=0)
        return int(treated), int(never)

    def unit_counts(self) -> tuple[int, int]:
        """How many units are ever treated, and how many never."""
        treated = int(np.count_nonzero(self.unit_treated))
        return treated, len(self.unit_treated) - treated

    def keep(self, rows: np.ndarray, reason: str | None = None) -> Panel:
        """The panel with the rows marked; units that lose all theirs are counted under `reason`."""
        unit_kept = np.bincount(self.unit[rows], minlength=len(self.units)) > 0
        renumber = np.cumsum(unit_kept) - 1
        used = np.unique(self.period[rows])
        unit = renumber[self.unit[rows]]
        period = np.searchsorted(used, self.period[rows])
        cluster, labels = factorize(self.cluster[rows])
        lost = dict(self.left_out)
        if reason is not None:
            lost[reason] = lost.get(reason, 0) + int((~unit_kept).sum())
        calendar = replace(
            self.calendar,
            labels=tuple(self.calendar.labels[k] for k in used),
            steps=self.calendar.steps[used],
        )
        units = self.units[unit_kept]
        return Panel(
            outcome=self.outcome[rows], unit=unit, period=period, cohort=self.cohort[rows], cluster=cluster,
            units=units, clusters=len(labels), cluster_names=self.cluster_names[labels], calendar=calendar,
            grid=(len(units), len(used)) if len(unit) == len(units) * len(used) else None,
            weights=None if self.weights is None else self.weights[rows],
            exposure=None if self.exposure is None else self.exposure[rows],
            covariates=None if self.covariates is None else self.covariates[rows],
            left_out=lost,
        )  # fmt: skip


def read_panel(frame: pd.DataFrame, options: DidOptions) -> Panel:
    """Check a frame against the options and turn it into a sorted panel.

    Rows with a missing outcome, weight, exposure or covariate are left out and counted. Units already treated in
    the first period have no before: they are left out and counted.
    """
    if not isinstance(frame, pd.DataFrame) or not len(frame):
        raise DataError("the panel is empty", where="did", do="Give one row per unit and period")
    named = (options.outcome, options.unit, options.period, options.first_treated, options.weights)
    require_columns(frame, (*named, options.exposure, options.cluster, *options.covariates), where="did")
    numbers = _numbers(frame, options)
    whole = np.ones(len(frame), bool)
    for values in numbers.values():
        whole &= np.isfinite(values)
    if not whole.any():
        raise DataError("no row has a value in every column that is used", where="did")
    if not whole.all():
        frame = frame.loc[whole]
        numbers = {name: values[whole] for name, values in numbers.items()}
    _check_ranges(numbers, options)
    panel = _assemble(frame, numbers, options, lost_rows=int((~whole).sum()))
    return _complete_units(_without_always_treated(panel), options)


def _numbers(frame: pd.DataFrame, options: DidOptions) -> dict[str, np.ndarray]:
    names = dict.fromkeys(
        name for name in (options.outcome, options.weights, options.exposure, *options.covariates) if name
    )
    out = {}
    for name in names:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column):
            read = pd.to_numeric(column, errors="coerce")
            if (read.isna() & column.notna()).any():
                raise DataError(
                    f"`{name}` must hold numbers", where=f"column `{name}`", found=f"{column.dtype} values",
                    do="Give a category as 0/1 columns, one for each value but one",
                )  # fmt: skip
            column = read
        out[name] = column.to_numpy(dtype=float, na_value=np.nan)
    return out


def _check_ranges(numbers: Mapping[str, np.ndarray], options: DidOptions) -> None:
    outcome = numbers[options.outcome]
    if outcome.min() == outcome.max():
        raise DataError(
            f"`{options.outcome}` is the same number in every row, so nothing can be compared",
            where=f"column `{options.outcome}`",
            found=str(outcome[0]),
        )
    if options.family == "poisson":
        if outcome.min() < 0:
            raise DataError(
                f"`{options.outcome}` must not be negative with `family: poisson`", found=str(outcome.min())
            )
        broken = int((outcome != np.round(outcome)).sum())
        if broken:
            raise DataError(
                f"`{options.outcome}` must hold whole counts with `family: poisson`",
                where=f"column `{options.outcome}`",
                found=f"{broken} values that are not whole",
                do="Give the count itself, and the population or time as `exposure`",
            )
    for name in (options.exposure, options.weights):
        if name is not None and (
            numbers[name].min() < 0 or (name == options.exposure and numbers[name].min() == 0)
        ):
            raise DataError(f"`{name}` must be above zero in every row", where=f"column `{name}`")


def _assemble(
    frame: pd.DataFrame, numbers: Mapping[str, np.ndarray], options: DidOptions, *, lost_rows: int
) -> Panel:
    names = (options.period, options.first_treated)
    period, cohort, calendar = read_calendar(frame[options.period], frame[options.first_treated], names)
    unit, units = _units(frame, options)
    cluster_name = options.cluster or options.unit
    cluster, clusters = (unit, units) if cluster_name == options.unit else _coded(frame, cluster_name)
    order = _order(unit, period, len(calendar.labels), options, (cohort, cluster, numbers[options.outcome]))

    def put(values: np.ndarray | None) -> np.ndarray | None:
        return values if values is None or order is None else values[order]

    covariates = np.column_stack([numbers[n] for n in options.covariates]) if options.covariates else None
    unit, period, cohort = put(unit), put(period), put(cohort)
    if options.unit is None:
        unit, units = np.arange(len(unit)), np.arange(len(unit))
        cluster, clusters = (unit, units) if options.cluster is None else (cluster, clusters)
    cluster = unit if cluster_name == options.unit else put(cluster)
    size = (len(units), len(calendar.labels))
    grid = size if len(unit) == size[0] * size[1] else None
    _check_constant(unit, cohort, cluster, grid, options)
    return Panel(
        outcome=put(numbers[options.outcome]), unit=unit, period=period, cohort=cohort, cluster=cluster,
        units=units, clusters=len(clusters), cluster_names=clusters, calendar=calendar,
        grid=grid, weights=put(numbers.get(options.weights or "")), exposure=put(numbers.get(options.exposure or "")),
        covariates=put(covariates), left_out={"rows with a missing value": lost_rows} if lost_rows else {},
    )  # fmt: skip


def _units(frame: pd.DataFrame, options: DidOptions) -> tuple[np.ndarray, np.ndarray]:
    if options.unit is None:
        rows = np.arange(len(frame))
        return rows, rows
    return _coded(frame, options.unit)


def _coded(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    column = frame[name]
    if column.hasnans:
        raise DataError(f"`{name}` is blank in {int(column.isna().sum())} rows", where=f"column `{name}`")
    return factorize(column.to_numpy())


def _order(
    unit: np.ndarray, period: np.ndarray, n_periods: int, options: DidOptions, ties: tuple[np.ndarray, ...]
) -> np.ndarray | None:
    """The order that sorts rows by unit and period; None where they are sorted. Repeated pairs are refused."""
    if options.unit is None:
        return np.lexsort((*reversed(ties), period))
    key = unit * n_periods
    key += period
    if (key[1:] > key[:-1]).all():
        return None
    seen = np.bincount(key) if key.max() <= 8 * len(key) else None
    order = np.argsort(key, kind="stable") if seen is None else None
    repeated = (
        int((np.diff(key[order]) == 0).sum()) if seen is None else len(key) - int(np.count_nonzero(seen))
    )
    if repeated:
        raise DataError(
            f"`{options.unit}` and `{options.period}` name some rows twice",
            where=f"columns `{options.unit}`, `{options.period}`",
            found=f"{repeated} repeated unit-periods",
            do="Keep one row per unit and period; for rows of people in areas, give the person as `unit` and the "
            "area as `cluster`",
        )
    if order is None:
        # Each key is there once, so its rank is how many slots below it are filled: no sort is needed.
        order = np.empty(len(key), dtype=np.int64)
        order[(np.cumsum(seen) - 1)[key]] = np.arange(len(key))
    return order


def _check_constant(
    unit: np.ndarray,
    cohort: np.ndarray,
    cluster: np.ndarray,
    grid: tuple[int, int] | None,
    options: DidOptions,
) -> None:
    changed = _changes(cohort, unit, grid)
    if changed:
        raise DataError(
            f"`{options.first_treated}` changes within a unit: treatment must start once and stay",
            where=f"column `{options.first_treated}`",
            found=f"{changed} changes",
            do="Give each unit the period of its first treatment in all its rows; a programme that stopped cannot "
            "be analysed as if it went on",
        )
    if cluster is not unit and _changes(cluster, unit, grid):
        raise DataError(
            f"a unit stands in more than one `{options.cluster}`: clusters must hold whole units",
            where=f"column `{options.cluster}`",
        )


def _changes(values: np.ndarray, unit: np.ndarray, grid: tuple[int, int] | None) -> int:
    """How often a value differs from the one before it in the same unit."""
    if grid is not None:
        rows = values.reshape(grid)
        return int(np.count_nonzero(rows[:, 1:] != rows[:, :-1]))
    return int(np.count_nonzero((unit[1:] == unit[:-1]) & (values[1:] != values[:-1])))


def _without_always_treated(panel: Panel) -> Panel:
    always = panel.unit_cohort <= panel.calendar.steps[0]
    if not always.any():
        _check_arms(panel)
        return panel
    if always.all():
        raise DataError(
            "every unit is already treated in the first period, so there is no before",
            where="column of first treatment",
            do="Give earlier periods, or blank or 0 for units that were never treated",
        )
    kept = panel.keep(~always[panel.unit], "already treated in the first period")
    _check_arms(kept)
    return kept


def _check_arms(panel: Panel) -> None:
    if not panel.unit_treated.any():
        raise DataError(
            "no unit starts treatment between the first and the last period",
            where="column of first treatment",
            do="Check that `first_treated` and `period` are on one scale",
        )
    if panel.unit_treated.all() and len(panel.cohorts) == 1:
        raise DataError(
            "there is no comparison: all units are treated from the same period",
            where="column of first treatment",
            do="Add units that were never treated: blank or 0",
        )


def _complete_units(panel: Panel, options: DidOptions) -> Panel:
    """For this estimator: units seen in every period, unless rows are to be taken as repeated cross-sections."""
    if options.estimator != "callaway_santanna" or panel.grid is not None:
        return panel
    if options.unbalanced == "repeated_cross_sections" or options.unit is None:
        return panel
    seen = np.bincount(panel.unit, minlength=len(panel.units))
    if seen.max() == 1:
        return panel
    whole = seen == len(panel.calendar.labels)
    if not whole.any():
        raise DataError(
            "no unit is seen in every period",
            where="did",
            do="Drop the periods that are missing, or use `unbalanced: repeated_cross_sections`",
        )
    return panel.keep(whole[panel.unit], "not seen in every period")
