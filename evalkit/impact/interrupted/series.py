"""Reading one series, or one beside a comparison: every period once, in order, without gaps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, StudyError
from evalkit.impact.did.calendar import Calendar, read_calendar
from evalkit.impact.interrupted.options import InterruptedOptions, Moment
from evalkit.impact.seasons import cycle, phases
from evalkit.options import require_columns

WHERE = "interrupted"
WEEKS = 28
FEWEST = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """Rows are periods: `observed` and `exposure` have one column per series, the treated one first.

    `start` is the position of the first period that counts as after, `breaks` those of changes in recording.
    """

    calendar: Calendar
    observed: np.ndarray
    exposure: np.ndarray
    start: int
    breaks: tuple[int, ...] = ()
    inside: bool = False
    phase: np.ndarray | None = None

    @property
    def periods(self) -> int:
        """How many periods there are."""
        return len(self.observed)

    @property
    def series(self) -> int:
        """One, or two where there is a comparison."""
        return self.observed.shape[1]

    @property
    def labels(self) -> tuple[object, ...]:
        """The periods as they are printed."""
        return self.calendar.labels[: self.periods]

    def until(self, end: int, start: int) -> Series:
        """The periods before `end`, as if the programme had begun at `start`."""
        return replace(
            self, observed=self.observed[:end], exposure=self.exposure[:end], start=start,
            breaks=tuple(each for each in self.breaks if each < end),
            phase=None if self.phase is None else self.phase[:end],
        )  # fmt: skip


def read_series(frame: pd.DataFrame, options: InterruptedOptions) -> Series:
    """The series of the options, refused where a period is missing, repeated or blank."""
    require_columns(frame, [options.period, options.outcome, options.exposure, options.unit], where=WHERE)
    if not len(frame):
        raise DataError("there is no row to read", where=WHERE)
    # Rows are put in order first, so that sums do not depend on the file's order.
    frame = frame.sort_values([each for each in (options.unit, options.period) if each], kind="stable")
    groups = _groups(frame, options)
    _refuse_irregular_days(frame[options.period], options.period)
    found, _, calendar = read_calendar(
        frame[options.period], pd.Series([None] * len(frame), dtype=object), (options.period, "starts")
    )
    _refuse_gaps(calendar, options.period)
    observed = _table(frame, options.outcome, found, groups, calendar, options)
    exposure = np.ones_like(observed)
    if options.exposure is not None:
        exposure = _table(frame, options.exposure, found, groups, calendar, options)
        if (exposure <= 0).any():
            raise DataError(f"`{options.exposure}` must be above 0 in every period", where=WHERE)
    _refuse_negative(observed, options)
    start, inside = position(calendar, options.starts, "starts")
    if not FEWEST <= start < len(calendar.labels):
        raise DataError(
            "`starts` must leave at least two periods before it and one after",
            where=WHERE,
            found=f"{options.starts}; the series runs from {calendar.labels[0]} to {calendar.labels[-1]}",
        )
    series = Series(
        calendar=calendar, observed=observed, exposure=exposure, start=start, inside=inside,
        breaks=_breaks(calendar, options),
    )  # fmt: skip
    phase = phases(calendar, series.periods, options.season, options.season_length, where=WHERE)
    return replace(series, phase=phase)


def _breaks(calendar: Calendar, options: InterruptedOptions) -> tuple[int, ...]:
    """Positions of the changes in recording, refused where there is nothing on one side of them."""
    found = set()
    for moment in options.breaks:
        at = position(calendar, moment, "breaks")[0]
        if not 0 < at < len(calendar.labels):
            raise DataError(
                "a date of `breaks` has no period before it, or none after, so that it allows for nothing",
                where=WHERE,
                found=f"{moment}; the series runs from {calendar.labels[0]} to {calendar.labels[-1]}",
                do="Mend the date, or leave it out",
            )
        found.add(at)
    return tuple(sorted(found))


def season_length(calendar: Calendar, options: InterruptedOptions) -> int | None:
    """Periods in a year: as given, or from the calendar; None where neither says."""
    return cycle(calendar, options.season, options.season_length)


def _groups(frame: pd.DataFrame, options: InterruptedOptions) -> np.ndarray:
    """0 for rows of the treated series, 1 for rows of the comparison."""
    if options.unit is None:
        return np.zeros(len(frame), int)
    names = frame[options.unit].astype(str)
    others = [name for name in sorted(names.unique()) if name not in options.compared]
    absent = [name for name in options.compared if name not in set(names)]
    if absent:
        raise DataError(f"no row of `{options.unit}` is a comparison", where=WHERE, found=absent[0])
    if len(others) != 1:
        raise DataError(
            f"`{options.unit}` names {len(others)} series besides the comparison, and there must be one",
            where=WHERE,
            do="Keep the rows of one treated series; list every other under `comparison`",
        )
    return names.isin(options.compared).to_numpy().astype(int)


def _refuse_irregular_days(periods: pd.Series, name: str) -> None:
    """Name the first missing day or week; months, quarters and numbers are looked at by the calendar."""
    if pd.api.types.is_numeric_dtype(periods) or isinstance(periods.dtype, pd.PeriodDtype):
        return
    days = pd.to_datetime(periods, errors="coerce", format="ISO8601")
    if days.isna().any():
        return
    levels = np.unique(days.to_numpy().astype("datetime64[D]"))
    gaps = np.diff(levels).astype(int)
    if len(gaps) and gaps.min() < WEEKS and (gaps % gaps.min() == 0).all() and (gaps != gaps.min()).any():
        at = int(np.argmax(gaps != gaps.min()))
        _gap(
            f"{levels[at] + np.timedelta64(int(gaps.min()), 'D')}", int((gaps // gaps.min() - 1).sum()), name
        )


def _refuse_gaps(calendar: Calendar, name: str) -> None:
    wanted = np.arange(int(calendar.steps[-1]) + 1)
    missing = np.setdiff1d(wanted, calendar.steps)
    if len(missing):
        _gap(str(calendar.label(int(missing[0]))), len(missing), name)


def missing_periods(number: int) -> str:
    """`1 period is`, `3 periods are`."""
    return f"{number} period{' is' if number == 1 else 's are'}"


def _gap(first: str, number: int, name: str) -> None:
    raise DataError(
        f"the series has gaps: {missing_periods(number)} missing from `{name}`, the first {first}",
        where=WHERE,
        do="Add a row for each; nought is a count, and a blank is not",
    )


def _table(
    frame: pd.DataFrame, column: str, found: np.ndarray, groups: np.ndarray, calendar: Calendar,
    options: InterruptedOptions,
) -> np.ndarray:  # fmt: skip
    """Values by period and series; several comparison series are added up, or averaged where not counts."""
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(values).all():
        raise DataError(
            f"`{column}` is blank or not a number in {int((~np.isfinite(values)).sum())} periods",
            where=WHERE,
            do="A missing figure is not nought: find it, or end the series before it",
        )
    members = np.zeros((len(calendar.labels), 1 + int(groups.max())))
    total = np.zeros_like(members)
    np.add.at(members, (found, groups), 1)
    np.add.at(total, (found, groups), values)
    wanted = np.array([1, max(len(options.compared), 1)])[: members.shape[1]]
    if (members != wanted).any():
        at = int(np.argmax((members != wanted).any(axis=1)))
        few = bool((members[at] < wanted).any())
        raise DataError(
            "a series lacks a period that another has"
            if few
            else "a period has more than one row in a series",
            where=WHERE,
            found=str(calendar.labels[at]),
            do="Give one row per series and period"
            + ("" if few or options.unit else "; name `unit` if there are several"),
        )
    return total if options.counts else total / members


def _refuse_negative(observed: np.ndarray, options: InterruptedOptions) -> None:
    if not options.counts:
        return
    if (observed < 0).any():
        raise DataError(f"`{options.outcome}` counts events and cannot be negative", where=WHERE)
    if (observed != np.round(observed)).any():
        raise DataError(
            f"`{options.outcome}` holds fractions, and `family: {options.family}` is for counts",
            where=WHERE,
            do="Give the count and name its denominator as `exposure`, or set `family: gaussian`",
        )


def position(calendar: Calendar, moment: Moment, name: str, *, where: str = WHERE) -> tuple[int, bool]:
    """The period that holds a moment, and whether the moment lies inside that period."""
    if calendar.unit == "integer":
        try:
            value = float(str(moment))
        except ValueError:
            raise StudyError(
                f"`{name}` must be a number, as the periods are", where=where, found=moment
            ) from None
        exact = (value - calendar.first) / calendar.size
        return int(np.floor(exact)), exact != np.floor(exact)
    day = pd.to_datetime(str(moment), errors="coerce", format="ISO8601")
    if pd.isna(day) or str(moment).isdigit() and len(str(moment)) != 8:
        raise StudyError(
            f"`{name}` must be a date such as 2018-09-01, as the periods are", where=where, found=moment
        )
    if calendar.unit == "day":
        off = (day - pd.Timestamp(0)).days - calendar.first
        return off // calendar.size, off % calendar.size != 0
    off = day.year * 12 + day.month - 1 - calendar.first
    opening = {int(str(each)[8:10]) for each in calendar.labels} | {1}
    return off // calendar.size, off % calendar.size != 0 or day.day not in opening
