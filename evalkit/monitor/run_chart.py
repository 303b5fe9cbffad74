"""A series against the limits of its own usual variation: is the latest figure, or a run of them, a signal?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, StudyError, nearest
from evalkit.intervals import chi_square_p
from evalkit.monitor.series import in_order
from evalkit.options import one_of, require_columns, takes
from evalkit.results import Check, Estimate, Result

CHARTS = ("xmr", "p", "u", "c")
GAPS = ("refuse", "break")
XMR = 2.66  # 3 / d2, d2 = 1.128 for ranges of two: the constant as the charting guides print it
THREE_SIGMA = 0.9973
FEWEST, WANTED = 3, 12
RULES = {1: "beyond a limit", 2: "run on one side", 3: "trend", 4: "two of three near a limit"}
UNITS = {"p": "proportion", "u": "per unit of exposure", "c": "count", "xmr": None}


@dataclass(frozen=True, kw_only=True)
class RunChartOptions:
    """Columns of the series, the kind of chart and the rules. See `run_chart`."""

    period: str
    outcome: str
    chart: str = "xmr"
    trials: str | None = None
    exposure: str | None = None
    steps: tuple[str | int, ...] = ()
    baseline: int | None = None
    gaps: str = "refuse"
    run: int = 8
    trend: int = 6

    def __post_init__(self) -> None:
        one_of("chart", self.chart, CHARTS, where="run_chart")
        one_of("gaps", self.gaps, GAPS, where="run_chart")
        for chart, name in (("p", "trials"), ("u", "exposure")):
            given = getattr(self, name) is not None
            if given != (self.chart == chart):
                raise StudyError(
                    f"`{name}` is for chart `{chart}`, which needs it", where="run_chart", found=self.chart
                )
        if min(self.run, self.trend) < 3:
            raise StudyError("`run` and `trend` are 3 points or more", where="run_chart")
        if self.baseline is not None and self.baseline < FEWEST:
            raise StudyError(f"`baseline` is {FEWEST} points or more", where="run_chart", found=self.baseline)


@takes(RunChartOptions)
def run_chart(frame: pd.DataFrame, options: RunChartOptions) -> Result:
    """The latest point of a series, the range that the series usually keeps to, and the points that are signals.

    Parameters
    ----------
    frame
        One row per period.
    period
        Column of the periods, of one step: whole numbers, dates, `2019-04`, `2019-Q2` or `2019/20`.
    outcome
        Column of the values: any number for `xmr`; a count for `p`, `u` and `c`.
    chart
        `xmr` (default): limits from the mean moving range. `p`: a share of `trials`. `u`: a rate per unit of
        `exposure`. `c`: a count over an equal exposure.
    trials, exposure
        Columns of the denominators of a `p` and a `u` chart.
    steps
        Periods at which the process is known to have changed: centre and limits start afresh at each.
    baseline
        Use only the first so many points of each stretch for its centre and limits.
    gaps
        `refuse` (default) a missing period or value; or `break`: no moving range is taken over the gap, and no
        run goes on over it. A missing value is never nought.
    run, trend
        Points on one side of the centre (8), and points rising or falling in a row (6), that make a signal. The NHS
        rules of Making Data Count use 7 and 7.

    Returns
    -------
    Result
        Term `latest`: the last point; `conf_low` and `conf_high` are the limits there, not an interval for it. Frame
        `points`: period, value, centre, lower, upper, signal (high, low or blank), rule, segment; for `p` also
        events and n, for `u` events and exposure.

    Raises
    ------
    StudyError, DataError
        A gap or a repeated period, fewer than three points in a stretch, a count above its trials, no variation.

    Assumes
    -------
    Points vary about a steady level without memory (no season, no drift); for `p`, `u` and `c` only as chance would
    have it (Check `overdispersion`). Check `special_cause` lists the signals, Check `few_points` the length.

    Notes
    -----
    XmR: mean ± 2.66 × mean moving range. p: p̄ ± 3√(p̄(1 − p̄)/n). u: ū ± 3√(ū/n). c: c̄ ± 3√c̄. Limits of counts and
    shares stop at what is possible. A point is near a limit when it lies beyond two thirds of the way to it.

    References
    ----------
    Wheeler (2000), Understanding Variation; NHS England, Making Data Count.

    Examples
    --------
    >>> series = pd.DataFrame({"month": range(1, 7), "waits": [12, 15, 11, 14, 13, 13]})
    >>> run_chart(series, period="month", outcome="waits").headline.estimate
    13.0
    """
    require_columns(
        frame, [options.period, options.outcome, options.trials, options.exposure], where="run_chart"
    )
    if frame.empty:
        raise DataError("there is no point to draw", where="run_chart")
    table = _table(frame, options)
    stretches = [_limits(part, options) for _, part in table.groupby("segment", sort=True)]
    points = _signals(pd.concat(stretches, ignore_index=True), options)
    return Result(
        method="run_chart",
        estimand="descriptive",
        outcome=options.outcome,
        estimates=(_latest(points, options),),
        checks=(_special_cause(points), _few_points(points, options), *_overdispersion(points, options)),
        detail={"points": _detail(points, options)},
        references=("wheeler2000",),
    )


def _table(frame: pd.DataFrame, options: RunChartOptions) -> pd.DataFrame:
    """Period, value, events, size, gap (before this point) and segment, in order of time."""
    rows, after_gap = in_order(frame, options.period, where="run_chart, `period`")
    events = pd.to_numeric(rows[options.outcome], errors="coerce")
    size = (
        pd.to_numeric(rows[options.trials or options.exposure], errors="coerce") if _sized(options) else 1.0
    )
    table = pd.DataFrame({"period": rows[options.period], "events": events, "size": size, "gap": after_gap})
    blank = table[["events", "size"]].isna().any(axis=1)
    if options.gaps == "refuse" and (blank.any() or after_gap.any()):
        raise DataError(
            f"the series has {int(after_gap.sum())} gaps between periods and {int(blank.sum())} missing values",
            where="run_chart",
            do="Fill them in (missing is not nought), or set `gaps: break`",
        )
    table["segment"] = _segments(table["period"], options)
    table["gap"] |= blank.shift(1, fill_value=False)
    table = table[~blank].reset_index(drop=True)
    _refuse_impossible(table, options)
    table["value"] = table["events"] / table["size"]
    return table


def _sized(options: RunChartOptions) -> bool:
    return options.chart in ("p", "u")


def _segments(periods: pd.Series, options: RunChartOptions) -> np.ndarray:
    """How many declared steps lie at or before each period."""
    texts = [str(each)[:10] if isinstance(each, pd.Timestamp) else str(each) for each in periods]
    segment = np.zeros(len(texts), int)
    for step in options.steps:
        place = next((number for number, text in enumerate(texts) if text == str(step)), None)
        if place is None:
            raise StudyError(
                f"there is no period `{step}`", where="run_chart, `steps`", do=nearest(step, texts)
            )
        segment[place:] += 1
    return segment


def _refuse_impossible(table: pd.DataFrame, options: RunChartOptions) -> None:
    if options.chart != "xmr":
        wrong = (table["events"] < 0) | (table["events"] != table["events"].round())
        if wrong.any():
            raise DataError(
                "the outcome of this chart is a count, so a whole number of 0 or more", where="run_chart"
            )
    if (table["size"] <= 0).any():
        raise DataError("`trials` and `exposure` are above 0", where="run_chart")
    if options.chart == "p" and (table["events"] > table["size"]).any():
        raise DataError("a count is above its `trials`", where="run_chart")


def _limits(part: pd.DataFrame, options: RunChartOptions) -> pd.DataFrame:
    """Centre, lower and upper limit of one stretch, from its baseline."""
    used = part.iloc[: options.baseline]
    if len(used) < FEWEST:
        raise DataError(
            f"a stretch needs {FEWEST} points or more for its limits", where="run_chart", found=len(used)
        )
    if options.chart == "xmr":
        centre, half = used["value"].mean(), XMR * _moving_range(used).mean()
        if not half > 0:
            raise DataError("the series does not vary, so it has no limits", where="run_chart")
        return part.assign(centre=centre, lower=centre - half, upper=centre + half)
    centre = used["events"].sum() / used["size"].sum()
    variance = centre * (1 - centre) if options.chart == "p" else centre
    half = 3 * np.sqrt(variance / part["size"])
    upper = (centre + half).clip(upper=1.0) if options.chart == "p" else centre + half
    return part.assign(centre=centre, lower=(centre - half).clip(lower=0.0), upper=upper)


def _moving_range(part: pd.DataFrame) -> pd.Series:
    """Absolute change from the point before; none at the start and over a gap."""
    return part["value"].diff().abs().where(~part["gap"])


def _signals(points: pd.DataFrame, options: RunChartOptions) -> pd.DataFrame:
    """Each point with its side where a rule marks it, and the first rule that does."""
    side = np.sign(points["value"] - points["centre"]).to_numpy().astype(int)
    third = np.where(side > 0, points["upper"] - points["centre"], points["centre"] - points["lower"]) / 3
    away = (points["value"] - points["centre"]).abs().to_numpy()
    start = (points["gap"] | (points["segment"] != points["segment"].shift(1))).to_numpy()
    stretch = np.cumsum(start)
    rising = np.sign(np.diff(points["value"].to_numpy(), prepend=np.nan))
    marks = {
        1: (points["value"] > points["upper"]).to_numpy() | (points["value"] < points["lower"]).to_numpy(),
        2: _runs(side, stretch, options.run),
        3: _trends(rising, stretch, options.trend),
        4: _two_of_three(np.where(away > 2 * third + 1e-12, side, 0), stretch),
    }
    rule = np.select([marks[number] != 0 for number in RULES], list(RULES.values()), default="")
    towards = np.where(rule == RULES[3], marks[3], side)
    signal = np.where(rule == "", "", np.where(towards > 0, "high", "low"))
    return points.assign(signal=signal, rule=rule)


def _runs(side: np.ndarray, stretch: np.ndarray, length: int) -> np.ndarray:
    """Members of an unbroken run of points on one side; a point on the centre breaks it."""
    marked = np.zeros(len(side), bool)
    first = 0
    for here in range(len(side) + 1):
        if here == len(side) or side[here] != side[first] or stretch[here] != stretch[first]:
            if here - first >= length and side[first]:
                marked[first:here] = True
            first = here
    return marked


def _trends(rising: np.ndarray, stretch: np.ndarray, length: int) -> np.ndarray:
    """1 or -1 for members of a run of `length` points each above, or each below, the one before; else 0."""
    joined = np.diff(stretch, prepend=-1) == 0
    marked, first = np.zeros(len(rising)), 0
    for here in range(1, len(rising) + 1):
        goes_on = here < len(rising) and joined[here] and rising[here] != 0
        if goes_on and (here == first + 1 or rising[here] == rising[here - 1]):
            continue
        if here - first >= length:
            marked[first:here] = rising[here - 1]
        first = here - 1 if goes_on else here
    return marked


def _two_of_three(near: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Points near or beyond one limit, where two of three neighbours in time are so on the same side."""
    marked = np.zeros(len(near), bool)
    for first in range(len(near) - 2):
        window = slice(first, first + 3)
        if stretch[first] != stretch[first + 2]:
            continue
        for side in (-1, 1):
            if np.count_nonzero(near[window] == side) >= 2:
                marked[window] |= near[window] == side
    return marked


def _latest(points: pd.DataFrame, options: RunChartOptions) -> Estimate:
    last = points.iloc[-1]
    measure = {"p": "proportion", "u": "rate", "c": "count", "xmr": "value"}[options.chart]
    return Estimate(
        term="latest", measure=measure, estimate=float(last["value"]), conf_low=float(last["lower"]),
        conf_high=float(last["upper"]), level=THREE_SIGMA, interval=f"{options.chart}_limits",
        n_treated=int(last["size"]) if options.chart == "p" else None, unit=UNITS[options.chart],
    )  # fmt: skip


def _detail(points: pd.DataFrame, options: RunChartOptions) -> pd.DataFrame:
    columns = ["period", "value", "centre", "lower", "upper", "signal", "rule", "segment"]
    extra = {"p": {"events": "events", "size": "n"}, "u": {"events": "events", "size": "exposure"}}
    named = points.rename(columns=extra.get(options.chart, {}))
    return named[[*columns, *extra.get(options.chart, {}).values()]].assign(segment=points["segment"] + 1)


def _special_cause(points: pd.DataFrame) -> Check:
    found = points[points["rule"] != ""]
    last = points.iloc[-1]
    where = (
        f"the latest is {last['signal']} ({last['rule']})"
        if last["rule"]
        else "the latest is not one of them"
    )
    reading = (
        f"{len(found)} of {len(points)} points are signals; {where}."
        if len(found)
        else "No point is a signal."
    )
    return Check(
        name="special_cause",
        null="the series varies as it usually does",
        statistic=len(found),
        threshold=0,
        reading=reading,
        next_step="Ask what happened then before changing anything." if len(found) else "",
    )


def _few_points(points: pd.DataFrame, options: RunChartOptions) -> Check:
    fewest = int(points.groupby("segment").size().clip(upper=options.baseline).min())
    enough = fewest >= WANTED
    return Check(
        name="few_points",
        null="the limits rest on enough points",
        statistic=fewest,
        threshold=WANTED,
        passed=enough,
        reading=f"The limits of the shortest stretch rest on {fewest} points.",
        next_step="" if enough else f"Treat the limits as provisional until there are {WANTED} points.",
    )


def _overdispersion(points: pd.DataFrame, options: RunChartOptions) -> tuple[Check, ...]:
    """Pearson's statistic of the counts about their centre, over its degrees of freedom."""
    if options.chart == "xmr":
        return ()
    expected = points["centre"] * points["size"]
    share = 1 - points["centre"] if options.chart == "p" else 1.0
    known = expected > 0
    total = float(((points["events"] - expected) ** 2 / (expected * share))[known].sum())
    df = max(int(known.sum()) - points["segment"].nunique(), 1)
    p = chi_square_p(total, df)
    wide = total / df > 1 and p < 0.05
    return (
        Check(
            name="overdispersion",
            null="the counts vary no more than chance would have it",
            statistic=total / df,
            threshold=1.0,
            passed=not wide,
            reading=f"The variance is {total / df:.2f} times that of chance (p = {p:.3f}).",
            next_step="Use `chart: xmr`: the limits here are narrower than the series keeps to."
            if wide
            else "",
        ),
    )
