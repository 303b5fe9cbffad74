"""How much more than chance an area's own past counts vary: Pearson's chi-square over its degrees of freedom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import chdtri

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact.did.calendar import Calendar, read_calendar
from evalkit.impact.interrupted.series import missing_periods, position
from evalkit.impact.seasons import phases
from evalkit.options import require_columns
from evalkit.regression import glm
from evalkit.results import Check

WHERE = "counts, `series`"
FEWEST, ENOUGH = 8, 20
ALPHA = 0.05
SMALL_MEAN = 5.0
COLUMNS = ["unit", "periods", "mean", "statistic", "df", "dispersion", "conf_low", "conf_high", "applied"]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Variance over mean: as estimated, its range, and as `applied` to errors; `df` None where it was given."""

    value: float
    applied: float
    df: float | None = None
    chi_square: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Past:
    """Columns of the series, what is modelled in it, and whether a spread below that of chance is believed."""

    period: str
    count: str
    unit: str | None = None
    starts: int | str | date | None = None
    trend: bool = False
    season: str | int = "none"
    below_one: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Spreads:
    """The spread of each group that has a series of its own, or one for all under None; the lag-one correlation."""

    by_group: dict[str | None, Spread]
    table: pd.DataFrame
    neighbours: float
    points: int

    def of(self, group: str | None) -> Spread:
        """The spread that widens a row's errors."""
        return self.by_group.get(group) or self.by_group[None]


def estimate_spreads(frame: object, past: Past, groups: Sequence[str | None]) -> Spreads:
    """Each unit about its own mean (or its own trend and season) before the start.

    Where the units are the very groups of the table each keeps its own spread; otherwise one is pooled over units.

    Raises
    ------
    StudyError, DataError, EstimationError
        No frame; repeats, gaps, blanks or fractions; fewer than eight periods before the start, or too few for the
        terms; a unit with nought throughout.
    """
    if not isinstance(frame, pd.DataFrame):
        raise StudyError(
            "`series` is a frame of past counts", where="counts", found=str(frame)[:40],
            do="In study.yml give the name of a frame under `data`; in Python the frame itself",
        )  # fmt: skip
    require_columns(frame, [past.period, past.count, past.unit], where=WHERE)
    if not len(frame):
        raise DataError("there is no row to read", where=WHERE)
    rows, calendar = _rows(frame, past)
    names = list(dict.fromkeys(rows["unit"]))
    fits = {name: _fit(rows[rows["unit"] == name], calendar, past) for name in names}
    own = _own(names, groups, past)
    chi = {name: float(fit[1] @ fit[1]) for name, fit in fits.items()}
    free = {name: len(fit[1]) - fit[2] for name, fit in fits.items()}
    pooled = _spread(sum(chi.values()), sum(free.values()), past)
    apart = {name: _spread(chi[name], free[name], past) for name in names}
    table = pd.DataFrame(
        [_line(name, fits[name], apart[name], (apart[name] if own else pooled).applied) for name in names],
        columns=COLUMNS,
    )
    return Spreads(
        by_group=dict(apart) if own else {None: pooled},
        table=table,
        neighbours=_neighbours([fit[1] for fit in fits.values()]),
        points=sum(len(fit[1]) for fit in fits.values()),
    )


def _own(names: Sequence[str], groups: Sequence[str | None], past: Past) -> bool:
    """Whether every row of the table has a series of its own; refused where only some have."""
    if past.unit is None:
        return False
    without = [str(each) for each in groups if str(each) not in names]
    if without and len(without) < len(groups):
        raise DataError(
            f"`{past.unit}` names some rows of the table and not others", where=WHERE, found=without[0],
            do="Give a series for every row; or series of other areas alone, which are pooled",
        )  # fmt: skip
    return not without


def _rows(frame: pd.DataFrame, past: Past) -> tuple[pd.DataFrame, Calendar]:
    """Unit, step and count of the periods before the start, in order, and the calendar."""
    code, _, calendar = read_calendar(
        frame[past.period], pd.Series([None] * len(frame), dtype=object), (past.period, "starts")
    )
    count = pd.to_numeric(frame[past.count], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(count).all():
        raise DataError(
            f"`{past.count}` is blank or not a number in {int((~np.isfinite(count)).sum())} periods", where=WHERE,
            do="A missing figure is not nought: find it, or end the series before it",
        )  # fmt: skip
    if (count < 0).any() or (count != np.round(count)).any():
        raise DataError(f"`{past.count}` counts events, so it holds whole numbers of 0 or more", where=WHERE)
    if past.unit is not None and frame[past.unit].isna().any():
        raise DataError("a row has no unit", where=f"{WHERE}, column `{past.unit}`")
    unit = ["all"] * len(frame) if past.unit is None else frame[past.unit].astype(str).tolist()
    rows = pd.DataFrame({"unit": unit, "step": calendar.steps[code], "count": count})
    _refuse_repeats(rows, calendar, past)
    if past.starts is not None:
        rows = rows[rows["step"] < position(calendar, past.starts, "starts", where=WHERE)[0]]
    rows = rows.sort_values(["unit", "step"], kind="stable").reset_index(drop=True)
    _refuse_short(rows, set(unit), past)
    return rows, calendar


def _refuse_repeats(rows: pd.DataFrame, calendar: Calendar, past: Past) -> None:
    twice = rows.duplicated(["unit", "step"])
    if twice.any():
        raise DataError(
            "a period has more than one row in a series", where=WHERE,
            found=str(calendar.label(int(rows.loc[twice, "step"].iloc[0]))),
            do="Give one row per series and period" + ("" if past.unit else "; name `unit` if there are several"),
        )  # fmt: skip
    for _, part in rows.groupby("unit", sort=True):
        steps = np.sort(part["step"].to_numpy())
        missing = np.setdiff1d(np.arange(steps[0], steps[-1] + 1), steps)
        if len(missing):
            raise DataError(
                f"the series has gaps: {missing_periods(len(missing))} missing from `{past.period}`, the first "
                f"{calendar.label(int(missing[0]))}", where=WHERE,
                do="Add a row for each; nought is a count, and a blank is not",
            )  # fmt: skip


def _refuse_short(rows: pd.DataFrame, units: set[str], past: Past) -> None:
    fewest = min(int((rows["unit"] == unit).sum()) for unit in units)
    if fewest < FEWEST:
        before = f" before `starts` ({past.starts})" if past.starts is not None else ""
        raise DataError(
            f"a dispersion needs {FEWEST} past counts or more{before}", where=WHERE, found=f"{fewest}",
            do="Give a longer series; or leave `series` out, which gives the narrowest range that can be defended",
        )  # fmt: skip


def _fit(part: pd.DataFrame, calendar: Calendar, past: Past) -> tuple[np.ndarray, np.ndarray, int]:
    """Counts, Pearson residuals about the unit's own course, and how many terms that course has."""
    count, steps = part["count"].to_numpy(), part["step"].to_numpy()
    if not count.any():
        raise EstimationError("every count of a series is nought, so that its spread is unknown", where=WHERE)
    design = {"constant": np.ones(len(count))}
    if past.trend:
        design["trend"] = (steps - steps.mean()).astype(float)
    place = phases(calendar, int(steps[-1]) + 1, past.season, where=WHERE)
    if place is not None:
        used = place[steps]
        design |= {f"season_{k}": (used == k).astype(float) for k in np.unique(used)[1:]}
    if len(count) - len(design) < FEWEST - 1:
        raise DataError(
            f"{len(count)} past counts cannot support a course of {len(design)} terms", where=WHERE,
            do="Give a longer series, or leave out `trend` or `season`",
        )  # fmt: skip
    fit = glm(count, np.column_stack(list(design.values())), list(design), family="poisson")
    return count, (count - fit.fitted) / np.sqrt(fit.fitted), len(fit.coefficients)


def _spread(chi_square: float, df: int, past: Past) -> Spread:
    """Under the model chi-square over the dispersion has a chi-square distribution, which gives the range."""
    value = chi_square / df
    low, high = (chi_square / float(chdtri(df, tail)) for tail in (ALPHA / 2, 1 - ALPHA / 2))
    if past.below_one and not value > 0:
        raise EstimationError("the past counts do not vary at all, which no rate could give", where=WHERE)
    applied = value if past.below_one else max(1.0, value)
    return Spread(value=value, applied=applied, df=float(df), chi_square=chi_square, low=low, high=high)


def _line(name: str, fit: tuple[np.ndarray, np.ndarray, int], spread: Spread, applied: float) -> tuple:
    count = fit[0]
    return (name, len(count), float(count.mean()), spread.chi_square, spread.df, spread.value, spread.low,
            spread.high, applied)  # fmt: skip


def _neighbours(residuals: Sequence[np.ndarray]) -> float:
    """The correlation of neighbouring residuals, over all series."""
    total = sum(float(each @ each) for each in residuals)
    return sum(float(each[1:] @ each[:-1]) for each in residuals) / total if total > 0 else 0.0


def given(value: float) -> Spreads:
    """A dispersion that a source gives: its own error is not known."""
    return Spreads(
        by_group={None: Spread(value=value, applied=value)}, table=pd.DataFrame(columns=COLUMNS), neighbours=0.0,
        points=0,
    )  # fmt: skip


def spread_checks(spreads: Spreads | None, past: Past | None) -> list[Check]:
    """Check `overdispersion`, and `autocorrelation` where a series was read."""
    if spreads is None:
        return [_unknown()]
    if past is None:
        return [_as_given(spreads.by_group[None].value)]
    worst = max(spreads.by_group.values(), key=lambda each: each.value)
    return [_estimated(spreads, worst, past), _autocorrelation(spreads)]


def _unknown() -> Check:
    return Check(
        name="overdispersion",
        null="events are independent, so that counts vary no more than a Poisson variable",
        reading="Recorded crime usually varies more: this interval is the narrowest that can be defended.",
        next_step="Give past counts as `series`, or use method `interrupted` or `did`.",
    )


def _as_given(value: float) -> Check:
    return Check(
        name="overdispersion",
        null="events are independent, so that counts vary no more than a Poisson variable",
        statistic=value,
        passed=True,
        reading=f"Ranges are widened for counts that vary {value:.2f} times as much as independent events, "
        "as study.yml says.",
        next_step="Give the past counts as `series`, so that this number is estimated with its own error.",
    )


def _estimated(spreads: Spreads, worst: Spread, past: Past) -> Check:
    several = len(spreads.by_group) > 1
    when = f"Before {past.starts}" if past.starts is not None else "In the series given"
    which = ", in the most varied row," if several else ""
    widened = worst.applied > 1
    if widened:
        what = "ranges are widened to match, the uncertainty of this figure included"
    elif past.below_one:
        what = "ranges are narrowed to match, as `below_one` says"
    else:
        what = "ranges stay those of independent events, never narrower"
    mean = float(spreads.table["mean"].min())
    small = (
        f" The mean count per period is {mean:.1f}, too small for a sure figure." if mean < SMALL_MEAN else ""
    )
    return Check(
        name="overdispersion",
        null="events are independent, so that counts vary no more than a Poisson variable",
        statistic=worst.value,
        threshold=float(chdtri(worst.df, ALPHA)) / worst.df,
        passed=True,
        reading=f"{when} the counts{which} varied {worst.value:.2f} times as much as independent events would "
        f"({worst.low:.2f} to {worst.high:.2f}, from {worst.df:.0f} degrees of freedom): {what}.{small}",
        next_step="" if worst.df >= ENOUGH else "Give a longer series: this figure is itself uncertain.",
    )


def _autocorrelation(spreads: Spreads) -> Check:
    """Whether high periods follow high ones: then sums of many vary more than their parts say."""
    limit = 1.645 / np.sqrt(spreads.points)
    clear = spreads.neighbours <= limit
    return Check(
        name="autocorrelation",
        null="a high count in one period says nothing about the next",
        statistic=spreads.neighbours,
        threshold=float(limit),
        passed=bool(clear),
        reading=f"Neighbouring periods of the series correlate by {spreads.neighbours:.2f}"
        + (
            "."
            if clear
            else ": sums over a year vary more than the periods say, and the range is too narrow."
        ),
        next_step=""
        if clear
        else "Model `trend` or `season`, give a series of whole windows, or use `interrupted`.",
    )
