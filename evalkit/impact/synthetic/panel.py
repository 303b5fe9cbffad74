"""Reading the places of a synthetic control: every unit in every period, and each unit's predictors."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact.did.calendar import Calendar, read_calendar
from evalkit.impact.interrupted.series import position
from evalkit.impact.synthetic.options import SyntheticControlOptions
from evalkit.options import require_columns

WHERE = "synthetic_control"
WINDOW = re.compile(r"(?P<column>.+?)@(?P<first>[^.]+)(?:\.\.(?P<last>.+))?\Z")


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """`outcome` has one row per unit and one column per period; row `treated` is the treated unit.

    `before` is the number of periods before the start. `predictors` has one column per predictor.
    """

    units: tuple[str, ...]
    calendar: Calendar
    outcome: np.ndarray
    treated: int
    before: int
    inside: bool
    names: tuple[str, ...]
    predictors: np.ndarray

    @property
    def donors(self) -> np.ndarray:
        """Rows of the units that did not have the programme."""
        return np.delete(np.arange(len(self.units)), self.treated)


def read_places(frame: pd.DataFrame, options: SyntheticControlOptions) -> Places:
    """The table of outcomes and predictors, refused where a unit lacks a period or a figure is blank."""
    windows = [_window(each) for each in options.predictors]
    wanted = [options.outcome, options.unit, options.period, *(each[0] for each in windows)]
    require_columns(frame, wanted, where=WHERE)
    if not len(frame):
        raise DataError("there is no row to read", where=WHERE)
    # Rows are put in order first, so that sums do not depend on the file's order.
    frame = frame.sort_values([options.unit, options.period], kind="stable")
    found, _, calendar = read_calendar(
        frame[options.period], pd.Series([None] * len(frame), dtype=object), (options.period, "starts")
    )
    if frame[options.unit].isna().any():
        raise DataError("a row has no unit", where=f"column `{options.unit}`")
    rows, levels = pd.factorize(frame[options.unit].astype(str), sort=True)
    units = tuple(str(each) for each in levels)
    if str(options.treated_unit) not in units:
        raise DataError(f"`{options.unit}` holds no unit of that name", where=f"{WHERE}, treated_unit",
                        found=options.treated_unit)  # fmt: skip
    start, inside = position(calendar, options.starts, "starts", where=WHERE)
    before = _before(calendar, start, options)
    if len(units) < 2:
        raise EstimationError(
            "a synthetic control needs a comparison unit, and there is none",
            where=WHERE,
            do="With one place alone use `interrupted`",
        )
    return Places(
        units=units, calendar=calendar, outcome=_table(frame, options, rows, found, units, calendar),
        treated=units.index(str(options.treated_unit)), before=before, inside=inside,
        names=tuple(options.predictors),
        predictors=_predictors(frame, options, windows, rows, found, units, calendar, before),
    )  # fmt: skip


def _before(calendar: Calendar, start: int, options: SyntheticControlOptions) -> int:
    before = int((calendar.steps < start).sum())
    if before < 2 or before == len(calendar.steps):
        raise DataError(
            "`starts` must leave at least two periods before it and one after",
            where=WHERE,
            found=f"{options.starts}; the periods run from {calendar.labels[0]} to {calendar.labels[-1]}",
        )
    return before


def _table(
    frame: pd.DataFrame, options: SyntheticControlOptions, rows: np.ndarray, found: np.ndarray,
    units: tuple[str, ...], calendar: Calendar,
) -> np.ndarray:  # fmt: skip
    values = pd.to_numeric(frame[options.outcome], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(values).all():
        raise DataError(
            f"`{options.outcome}` is blank or not a number in {int((~np.isfinite(values)).sum())} rows",
            where=WHERE,
            do="A missing figure is not nought: find it, or leave the unit out",
        )
    times = np.zeros((len(units), len(calendar.labels)), int)
    np.add.at(times, (rows, found), 1)
    if (times != 1).any():
        unit, period = np.argwhere(times != 1)[0]
        raise DataError(
            f"every unit needs one row in every period, and one has {times[unit, period]}",
            where=WHERE,
            found=f"{units[unit]}, {calendar.labels[period]}",
            do="Give one row per unit and period" if times[unit, period] > 1 else "Leave out units with gaps",
        )
    table = np.empty(times.shape)
    table[rows, found] = values
    return table


def _window(text: str) -> tuple[str, str | None, str | None]:
    """`column`, `column@1988` or `column@1984..1988`."""
    parts = WINDOW.match(text)
    if parts is None:
        return text, None, None
    return parts["column"], parts["first"], parts["last"] or parts["first"]


def _predictors(
    frame: pd.DataFrame, options: SyntheticControlOptions, windows: list[tuple[str, str | None, str | None]],
    rows: np.ndarray, found: np.ndarray, units: tuple[str, ...], calendar: Calendar, before: int,
) -> np.ndarray:  # fmt: skip
    """Each unit's mean of each predictor over its window, or over all periods before the start; blanks left out."""
    out = np.empty((len(units), len(windows)))
    for k, (column, first, last) in enumerate(windows):
        low, high = 0, before - 1
        if first is not None:
            steps = [position(calendar, each, "predictors", where=WHERE)[0] for each in (first, last)]
            low, high = (int(np.searchsorted(calendar.steps, each)) for each in steps)
        if not 0 <= low <= high < before:
            raise StudyError(
                "a predictor must be seen before the start", where=WHERE, found=options.predictors[k]
            )
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        used = (found >= low) & (found <= high) & np.isfinite(values)
        total = np.bincount(rows[used], weights=values[used], minlength=len(units))
        number = np.bincount(rows[used], minlength=len(units))
        if (number == 0).any():
            raise DataError(
                f"`{options.predictors[k]}` is blank throughout for {int((number == 0).sum())} units",
                where=WHERE,
                do="Leave out the predictor, or the units",
            )
        out[:, k] = total / number
        if np.ptp(out[:, k]) == 0:
            raise DataError(f"`{options.predictors[k]}` is the same in every unit", where=WHERE)
    return out
