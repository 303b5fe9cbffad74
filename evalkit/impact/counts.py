"""Counts before and after: the ratio of two rates, and of two such ratios where there is a comparison
area."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact.count_checks import containment, count_checks, within_margin
from evalkit.impact.count_options import COUNTS, EXPOSURES, CountsOptions
from evalkit.impact.count_series import Spread, Spreads, estimate_spreads, given, spread_checks
from evalkit.impact.count_windows import read_windows, window_checks
from evalkit.inference import adjust, critical_value, two_sided
from evalkit.intervals import rate_ratio_exact, rate_ratio_p
from evalkit.options import require_columns, takes
from evalkit.results import Check, Estimate, Result

Number = float | str | None


@takes(CountsOptions)
def counts(frame: pd.DataFrame | None, options: CountsOptions) -> Result:
    """The rate after over the rate before; with a comparison area, that ratio over the comparison's own
    ratio.

    Parameters
    ----------
    frame
        One row per category, where options name columns; not read where they are numbers.
    before, after
        Whole numbers of events. A blank is missing, which is not nought.
    exposure_before, exposure_after
        Length of each window, or people at risk in it (default: equal).
    comparison_before, comparison_after
        The same counts of the comparison area.
    comparison_exposure_before, comparison_exposure_after
        What its counts are over (default: the same exposures as the area itself).
    contains
        True where the comparison area includes the area itself: its counts are then subtracted first.
    category
        Column that names each row (default: `category`, or the only text column).
    dispersion
        Variance over mean of counts, where a source gives it: errors are widened by its square root.
    series, period, count, unit
        A frame of past counts (in study.yml the name of one under `data`) from which the dispersion is
        estimated: one row per period, without gaps; its columns of periods and counts; and the column that
        names the area where there are several. Where these are the rows' own names each row has its own
        dispersion, otherwise one is pooled over areas, each about its own mean.
    trend, season
        What else than its mean an area's own past course has: a log-linear trend; `month`, `quarter` or the
        number of periods in a year.
    below_one
        True lets a dispersion below 1 narrow the interval (default: it never does).
    starts
        The programme's first period or day. Periods of the series from it on are not used.
    window_ends, window_starts
        Last days, and first days, of the windows before and after (a month stands for its first or last day;
        default: the window after begins where the one before ends).
    chosen_when_high
        True where the area was chosen because its counts were high.
    p_adjust
        `holm` (default) or `bh`, over the rows.
    margin, better
        The largest change that would not matter, as a ratio (1.1 is ten per cent either way), and which way is better
        (`lower`, `higher`; left out: equivalence both ways): adds Check `margin`, of several rows that of the worst.
    outcome, level
        What is counted, in words; the level of the intervals.

    Returns
    -------
    Result
        Terms `rate_ratio` (exact interval) or `ratio_of_rate_ratios` (log-normal interval), one per row
        with `group` its category; `std_error` is of the log. Where a dispersion above 1 is known the
        interval is `quasi_poisson` (t with the degrees of freedom of the series), and a further term ending
        `_poisson` gives what independent events would. Detail frame `counts`: group, before, after,
        percent_change, and with a comparison comparison_before, comparison_after, comparison_percent_change
        (after any subtraction).
        With a series, frame `dispersion`: unit, periods, mean, statistic (chi-square), df, dispersion,
        conf_low, conf_high, applied.

    Raises
    ------
    StudyError, DataError
        Half a pair of options, negative or fractional counts, a part that is larger than its whole; a series
        with gaps, repeats or blanks, or with fewer than eight periods before `starts`.

    Assumes
    -------
    Events are independent and the rate is constant within a window (Check `overdispersion`: Poisson
    intervals are the narrowest that can be defended); recording did not change. With a comparison area:
    the two would have changed by the same ratio. With a series: periods are independent of each other (Check
    `autocorrelation`) and the area goes on varying as it did.

    Notes
    -----
    Exact: after given after + before is binomial. Ratio of ratios: (a/b)/(c/d), variance of its log
    1/a + 1/b + 1/c + 1/d. Dispersion: Pearson's chi-square about each area's past course over its degrees of
    freedom; it multiplies that variance.

    References
    ----------
    Przyborowski and Wilenski (1940); Clopper and Pearson (1934); Wedderburn (1974).

    Examples
    --------
    >>> round(counts(before=882, after=805).headline.estimate, 3)
    0.913
    """
    table = _table(frame, options)
    whole = table.copy()
    if options.contains:
        table = _without_part(table)
    spreads = _spreads(options, table["group"].tolist())
    plain = [_estimate(row, options) for row in table.itertuples()]
    heads = plain if spreads is None else [_widened(each, spreads.of(each.group), options) for each in plain]
    beside = [replace(e, term=f"{e.term}_poisson") for e, h in zip(plain, heads, strict=True) if h is not e]
    detail = {"counts": _detail(table)}
    if options.series is not None:
        detail["dispersion"] = spreads.table
    return Result(
        method="counts",
        estimand="descriptive" if options.comparison_before is None else "att",
        outcome=options.outcome,
        estimates=(*_adjusted(heads, options), *beside),
        checks=(
            *_containment(table, whole, options),
            *_checks(table, spreads, options),
            *within_margin(heads, options.margin, options.better),
        ),
        detail=detail,
        references=("przyborowski1940", *(("wedderburn1974",) if spreads is not None else ())),
    )


def _spreads(options: CountsOptions, groups: list[str | None]) -> Spreads | None:
    if options.series is not None:
        return estimate_spreads(options.series, options.past, groups)
    return None if options.dispersion is None else given(options.dispersion)


def _checks(table: pd.DataFrame, spreads: Spreads | None, options: CountsOptions) -> list[Check]:
    found = [*spread_checks(spreads, options.past), *count_checks(table, options.chosen_when_high)]
    if options.window_ends is None:
        return found
    windows = read_windows(options.starts, options.window_ends, options.window_starts)
    return [*found, *window_checks(windows, same_exposure=options.exposure_before is None)]


def _table(frame: pd.DataFrame | None, options: CountsOptions) -> pd.DataFrame:
    given = {name: getattr(options, name) for name in (*COUNTS, *EXPOSURES)}
    columns = [value for value in given.values() if isinstance(value, str)]
    rows = 1
    if columns:
        if frame is None or frame.empty:
            raise DataError("the options name columns, and there is no row to read them from", where="counts")
        require_columns(frame, [*columns, options.category], where="counts")
        rows = len(frame)
    table = pd.DataFrame({"group": _names(frame if columns else None, options.category, rows)})
    for name, value in given.items():
        table[name] = _numbers(frame, name, value, rows)
    table[list(EXPOSURES[:2])] = table[list(EXPOSURES[:2])].fillna(1.0)
    for own, other in zip(EXPOSURES[:2], EXPOSURES[2:], strict=True):
        table[other] = table[other].fillna(table[own])
    _refuse_impossible(table)
    return table


def _names(frame: pd.DataFrame | None, category: str | None, rows: int) -> list[str | None]:
    if frame is None:
        return [None]
    text = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    name = category or ("category" if "category" in frame.columns else text[0] if len(text) == 1 else None)
    if name is None:
        return [None] if rows == 1 else [f"row {number}" for number in range(1, rows + 1)]
    return frame[name].astype(str).tolist()


def _numbers(frame: pd.DataFrame | None, name: str, value: Number, rows: int) -> np.ndarray:
    if isinstance(value, str) and frame is not None:
        blank = frame[value].isna()
        numbers = pd.to_numeric(frame[value], errors="coerce")
        if (numbers.isna() & ~blank).any():
            raise DataError(f"column `{value}` must hold numbers or blanks", where=f"counts, `{name}`")
        return numbers.to_numpy(float)
    return np.full(rows, np.nan if value is None else float(value))


def _refuse_impossible(table: pd.DataFrame) -> None:
    for name in COUNTS:
        values = table[name].dropna()
        wrong = values[(values < 0) | (values != values.round()) | (values == math.inf)]
        if len(wrong):
            raise DataError(
                f"`{name}` counts events, so it is a whole number", where="counts", found=wrong.iloc[0]
            )
    for name in EXPOSURES:
        if (table[name] <= 0).any():
            raise DataError(f"`{name}` must be above 0", where="counts", found=table[name].min())


def _without_part(table: pd.DataFrame) -> pd.DataFrame:
    rest = table.copy()
    for part, whole in (("before", "comparison_before"), ("after", "comparison_after")):
        rest[whole] = table[whole] - table[part]
        if (rest[whole] < 0).any():
            raise DataError(
                f"the area has more events than `{whole}`, which is said to contain it",
                where="counts",
                do="Set `contains: false`, or mend the counts",
            )
    return rest


def _estimate(row: tuple, options: CountsOptions) -> Estimate:
    if options.comparison_before is None:
        return _rate_ratio(row, options)
    return _ratio_of_ratios(row, options)


def _rate_ratio(row: tuple, options: CountsOptions) -> Estimate:
    known = not (math.isnan(row.before) or math.isnan(row.after))
    exposures = (row.exposure_after, row.exposure_before)
    low = high = p = None
    if known and row.before + row.after > 0:
        low, high = rate_ratio_exact(row.after, row.before, *exposures, options.level)
        p = rate_ratio_p(row.after, row.before, *exposures)
    ratio = _ratio(row.before, row.after, *exposures) if known else None
    error = math.sqrt(1 / row.before + 1 / row.after) if known and min(row.before, row.after) > 0 else None
    return Estimate(
        term="rate_ratio", measure="rate_ratio", estimate=ratio, std_error=error,
        statistic=math.log(ratio) / error if error else None, p_value=p, conf_low=low, conf_high=high,
        level=options.level, interval="exact_conditional", group=row.group, unit="ratio",
    )  # fmt: skip


def _ratio_of_ratios(row: tuple, options: CountsOptions) -> Estimate:
    own = _ratio(row.before, row.after, row.exposure_after, row.exposure_before)
    other = _ratio(
        row.comparison_before,
        row.comparison_after,
        row.comparison_exposure_after,
        row.comparison_exposure_before,
    )
    ratio = own / other if own is not None and other else None
    four = np.array([getattr(row, name) for name in COUNTS])
    error = math.sqrt((1 / four).sum()) if np.all(four > 0) else None
    return _log_normal("ratio_of_rate_ratios", ratio, error, options, row.group)


def _log_normal(
    term: str,
    ratio: float | None,
    error: float | None,
    options: CountsOptions,
    group: str | None,
    df: float | None = None,
    interval: str = "log_normal",
) -> Estimate:
    if ratio is None or not error:
        return Estimate(
            term=term, measure="rate_ratio", estimate=ratio, level=options.level, group=group, unit="ratio"
        )
    spread = math.exp(critical_value(options.level, df) * error)
    statistic = math.log(ratio) / error
    return Estimate(
        term=term, measure="rate_ratio", estimate=ratio, std_error=error, statistic=statistic, df=df,
        p_value=two_sided(statistic, df), conf_low=ratio / spread, conf_high=ratio * spread,
        level=options.level, interval=interval, group=group, unit="ratio",
    )  # fmt: skip


def _ratio(before: float, after: float, exposure_after: float, exposure_before: float) -> float | None:
    if math.isnan(before) or math.isnan(after) or before == 0:
        return None
    return (after / exposure_after) / (before / exposure_before)


def _widened(each: Estimate, spread: Spread, options: CountsOptions) -> Estimate:
    """The same ratio with the error of overdispersed counts; as it was where they vary as chance has it."""
    if spread.applied == 1:
        return each
    error = None if each.std_error is None else each.std_error * math.sqrt(spread.applied)
    return _log_normal(each.term, each.estimate, error, options, each.group, spread.df, "quasi_poisson")


def _adjusted(estimates: list[Estimate], options: CountsOptions) -> list[Estimate]:
    known = [number for number, each in enumerate(estimates) if each.p_value is not None]
    if len(known) < 2:
        return estimates
    adjusted = adjust(np.array([estimates[number].p_value for number in known]), options.p_adjust)
    for number, p in zip(known, adjusted, strict=True):
        estimates[number] = replace(estimates[number], p_adjusted=float(p))
    return estimates


def _containment(table: pd.DataFrame, whole: pd.DataFrame, options: CountsOptions) -> tuple[Check, ...]:
    if options.comparison_before is None:
        return ()
    naive = [_ratio_of_ratios(row, options).estimate for row in whole.itertuples()]
    return (containment(options.contains, dict(zip(table["group"], naive, strict=True))),)


def _detail(table: pd.DataFrame) -> pd.DataFrame:
    out = table[["group", "before", "after"]].copy()
    out["percent_change"] = _percent_change(table, "")
    if table["comparison_before"].notna().any():
        out[["comparison_before", "comparison_after"]] = table[["comparison_before", "comparison_after"]]
        out["comparison_percent_change"] = _percent_change(table, "comparison_")
    return out


def _percent_change(table: pd.DataFrame, prefix: str) -> pd.Series:
    rate_before = table[f"{prefix}before"] / table[f"{prefix}exposure_before"]
    rate_after = table[f"{prefix}after"] / table[f"{prefix}exposure_after"]
    return 100 * (rate_after / rate_before.where(rate_before > 0) - 1)
