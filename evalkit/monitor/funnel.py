"""A pathway in stages: how many of those who entered reached each, and who is not accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, StudyError, nearest
from evalkit.intervals import wilson
from evalkit.options import one_of, require_columns, takes
from evalkit.results import Check, Estimate, Result

COUNTING = ("cumulative", "exclusive")
COUNT_COLUMNS = ("reached", "n", "count", "people", "number")
UNACCOUNTED = 0.05
SMALL = 10


@dataclass(frozen=True, kw_only=True)
class FunnelOptions:
    """Where the stages are, how they were counted, and what is known of those who left. See `funnel`."""

    stages: str | tuple[Any, ...] | dict[str, Any]
    counting: str
    reached: str | None = None
    entered: int | str | None = None
    closed: int | str | None = None
    open: int | str | None = None
    days: str | None = None
    outcome: str = ""
    level: float = 0.95

    def __post_init__(self) -> None:
        one_of("counting", self.counting, COUNTING, where="funnel")
        if not 0 < self.level < 1:
            raise StudyError("`level` lies between 0 and 1, such as 0.95", found=str(self.level))
        if not self.stages:
            raise StudyError("`stages` names a column, or lists the stages", where="funnel")


@takes(FunnelOptions)
def funnel(frame: pd.DataFrame | None, options: FunnelOptions) -> Result:
    """The share of those who entered a pathway that reached its last stage, and every stage before it.

    Parameters
    ----------
    frame
        One row per stage, in order; or, where `stages` lists columns, one row per person with 0 and 1 in each.
    stages
        The column that holds the names of the stages; or a list of columns, one per stage; or a list of the names
        in their order, where one column holds them (beside a column of counts, or a row for each person counted);
        or the numbers themselves, as a mapping of stage to count or a list of mappings with `name` and `n`.
    counting
        `cumulative`: a count holds everybody who ever reached the stage. `exclusive`: only those for whom it was
        the highest. There is no default, because the same numbers give different shares.
    reached
        Column of the counts (default: `reached`, `n`, `count`, `people` or `number`, whichever is there).
    entered
        How many entered, where it is not the count of the first stage; or the name of the stage that holds everybody.
    closed, open
        People whose case was closed at a stage, and those still in it: a column of counts, blank where it was not
        recorded, or one number for the first stage.
    days
        Column of the mean number of days that people spent in each stage.
    outcome, level
        What the stages lead to, in words; the level of the intervals.

    Returns
    -------
    Result
        Term `reached`, measure proportion: the last stage over those who entered (Wilson interval). Frame `stages`:
        stage, reached (ever), lost (since the stage before), share_of_first, conf_low, conf_high (of that share),
        share_of_previous, and with `days` mean_days. Frame `accounts`: status (entered, reached the last stage,
        closed or stopped there, open, not accounted for, left a stage of which nothing is recorded), count.

    Raises
    ------
    StudyError, DataError
        `counting` not declared, a missing, negative or fractional count, nobody entered.

    Assumes
    -------
    Nobody is counted twice, and stages follow one another (Check `conservation`: a stage larger than the one before
    it, or more people leaving than there were). Check `unaccounted`: the people of whom nothing is said. People
    whose case is open may yet go further.

    Notes
    -----
    An exclusive count becomes a cumulative one by adding every later stage to it.

    References
    ----------
    Wilson (1927).

    Examples
    --------
    >>> found = funnel(stages={"accepted": 617, "stage two": 155, "stage three": 8}, counting="cumulative")
    >>> round(100 * found.headline.estimate, 2)
    1.3
    """
    table = _entered(_table(frame, options), options)
    if not table["n"].iloc[0] > 0:
        raise DataError("nobody entered the pathway, so there is no share to give", where="funnel")
    accounts = _accounts(table)
    return Result(
        method="funnel",
        estimand="descriptive",
        outcome=options.outcome,
        estimates=(_headline(table, options),),
        checks=(_conservation(table), _unaccounted(table, accounts), _small(table)),
        detail={"stages": _detail(table, options), "accounts": accounts},
        references=("wilson1927",),
    )


def _table(frame: pd.DataFrame | None, options: FunnelOptions) -> pd.DataFrame:
    """Stage, n as entered, closed, open and days, one row per stage in order."""
    if isinstance(options.stages, Mapping):
        return _filled(
            pd.DataFrame({"stage": list(options.stages), "n": list(options.stages.values())}), options
        )
    if isinstance(options.stages, tuple) and isinstance(options.stages[0], Mapping):
        return _filled(_listed(options.stages), options)
    if frame is None or frame.empty:
        raise DataError("there is no row to read the stages from", where="funnel")
    if isinstance(options.stages, tuple):
        named = _column_of(frame, options.stages)
        if named is not None:
            return _in_order(frame, named, options)
        require_columns(frame, map(str, options.stages), where="funnel, `stages`")
        sums = [_whole(frame[name], str(name)).sum() for name in options.stages]
        return _filled(pd.DataFrame({"stage": list(options.stages), "n": sums}), options)
    columns = [
        name
        for name in (options.reached, options.closed, options.open, options.days)
        if isinstance(name, str)
    ]
    require_columns(frame, [options.stages, *columns], where="funnel")
    counts = options.reached or next((name for name in COUNT_COLUMNS if name in frame.columns), None)
    if counts is None:
        raise DataError("there is no column of counts", where="funnel", do="Name it under `reached`")
    return _filled(frame.rename(columns={options.stages: "stage", counts: "n"}), options)


def _column_of(frame: pd.DataFrame, stages: tuple[Any, ...]) -> str | None:
    """The column whose values are the stages listed, where the stages are no columns themselves."""
    if set(stages) <= set(frame.columns):
        return None
    return next(
        (str(name) for name in frame.columns if set(stages) <= set(frame[name].dropna().astype(str))), None
    )


def _in_order(frame: pd.DataFrame, column: str, options: FunnelOptions) -> pd.DataFrame:
    """One row per stage in the order listed: its counts, or the rows that name it where there are none."""
    names = frame[column].astype(str)
    others = sorted(set(names[frame[column].notna()]) - set(options.stages))
    if others:
        raise DataError(
            f"column `{column}` has stages that `stages` does not list",
            where="funnel",
            found=", ".join(others),
        )
    counts = options.reached or next((name for name in COUNT_COLUMNS if name in frame.columns), None)
    if counts is None:
        sizes = names.value_counts()
        return _filled(
            pd.DataFrame({"stage": list(options.stages), "n": [sizes[each] for each in options.stages]}),
            options,
        )
    require_columns(frame, [counts], where="funnel")
    rows = frame.assign(stage=names, n=frame[counts])
    place = rows["stage"].map({name: position for position, name in enumerate(options.stages)})
    return _filled(rows.iloc[place.argsort(kind="stable")], options)


def _listed(stages: tuple[Any, ...]) -> pd.DataFrame:
    rows = []
    for each in stages:
        count = (
            next((name for name in COUNT_COLUMNS if name in each), None)
            if isinstance(each, Mapping)
            else None
        )
        if count is None or "name" not in each:
            raise StudyError("each stage is a mapping with `name` and `n`", where="funnel, `stages`")
        rows.append({"stage": each["name"], "n": each[count]})
    return pd.DataFrame(rows)


def _filled(table: pd.DataFrame, options: FunnelOptions) -> pd.DataFrame:
    stages = table["stage"]
    if stages.isna().any() or stages.astype(str).duplicated().any():
        raise DataError("each stage has a name of its own", where="funnel, `stages`")
    out = pd.DataFrame({"stage": stages.astype(str).tolist(), "n": _whole(table["n"], "n")})
    for name, given in (("closed", options.closed), ("open", options.open)):
        if isinstance(given, str):
            out[name] = _whole(table[given], given, blank=True) if given in table else np.nan
        else:
            out[name] = np.nan if given is None else [float(given), *[np.nan] * (len(out) - 1)]
    out["mean_days"] = (
        pd.to_numeric(table[options.days], errors="coerce").tolist() if options.days else np.nan
    )
    return out


def _whole(column: pd.Series, name: str, *, blank: bool = False) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce")
    if (values.isna() & ~(column.isna() & blank)).any():
        raise DataError(
            f"`{name}` is missing or not a number for a stage; missing is not nought", where="funnel"
        )
    if ((values < 0) | (values != values.round())).where(values.notna(), False).any():
        raise DataError(f"`{name}` counts people, so it is a whole number of 0 or more", where="funnel")
    return values.to_numpy(float)


def _entered(table: pd.DataFrame, options: FunnelOptions) -> pd.DataFrame:
    """The table with cumulative counts and, first, the stage that holds everybody."""
    entered = options.entered
    if isinstance(entered, str):
        if entered not in set(table["stage"]):
            raise StudyError(
                f"there is no stage `{entered}`",
                where="funnel, `entered`",
                do=nearest(entered, table["stage"]),
            )
        first = table["stage"] == entered
    elif entered is not None:
        everybody = {"stage": "entered", "n": float(entered), "closed": 0.0, "open": 0.0, "mean_days": np.nan}
        table = pd.concat([pd.DataFrame([everybody]), table], ignore_index=True)
        first = table.index == 0
    else:
        first = np.zeros(len(table), bool)
    top, rest = table[first], table[~np.asarray(first)].copy()
    if options.counting == "exclusive":
        rest["closed"] = rest["closed"].where(rest["closed"].notna(), rest["n"] - rest["open"].fillna(0))
        rest["n"] = rest["n"][::-1].cumsum()[::-1]
    return pd.concat([top, rest], ignore_index=True)


def _accounts(table: pd.DataFrame) -> pd.DataFrame:
    """Everybody who entered, by what became of them. Who left the last stage has still reached it."""
    before_last = table.iloc[:-1]
    closed, still_open = (float(before_last[name].fillna(0).sum()) for name in ("closed", "open"))
    first, last = table["n"].iloc[0], table["n"].iloc[-1]
    missing = float(_missing(table).sum())
    rows = [
        ("entered", first), ("reached the last stage", last), ("closed or stopped there", closed), ("open", still_open),
        ("not accounted for", missing),
        ("left a stage of which nothing is recorded", first - last - closed - still_open - missing),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["status", "count"]).astype({"count": int})


def _missing(table: pd.DataFrame) -> np.ndarray:
    """Who reached each stage less those who moved on, were closed or are open; 0 where neither is recorded."""
    recorded = table[["closed", "open"]].notna().any(axis=1).to_numpy()[:-1]
    left = (table["closed"].fillna(0) + table["open"].fillna(0)).to_numpy()[:-1]
    n = table["n"].to_numpy()
    return np.where(recorded, n[:-1] - n[1:] - left, 0.0)


def _headline(table: pd.DataFrame, options: FunnelOptions) -> Estimate:
    first, last = int(table["n"].iloc[0]), int(table["n"].iloc[-1])
    possible = last <= first
    low, high = wilson(last, first, options.level) if possible else (None, None)
    return Estimate(
        term="reached", measure="proportion", estimate=last / first if possible else None, conf_low=low,
        conf_high=high, level=options.level, interval="wilson", n_treated=first, unit="proportion",
    )  # fmt: skip


def _detail(table: pd.DataFrame, options: FunnelOptions) -> pd.DataFrame:
    n, first = table["n"], table["n"].iloc[0]
    limits = [wilson(each, first, options.level) if each <= first else (None, None) for each in n]
    before = n.shift(1)
    out = pd.DataFrame({
        "stage": table["stage"], "reached": n.astype(int), "lost": (before - n).fillna(0).astype(int),
        "share_of_first": n / first, "conf_low": [low for low, _ in limits], "conf_high": [high for _, high in limits],
        "share_of_previous": (n / before.where(before > 0)),
    })  # fmt: skip
    return out.assign(mean_days=table["mean_days"]) if options.days else out


def _conservation(table: pd.DataFrame) -> Check:
    n, names, missing = table["n"].to_numpy(), table["stage"].tolist(), _missing(table)
    problems = []
    for k in range(1, len(n)):
        if n[k] > n[k - 1]:
            problems.append(
                f"`{names[k]}` ({n[k]:,.0f}) is larger than `{names[k - 1]}` before it ({n[k - 1]:,.0f})"
            )
        elif missing[k - 1] < 0:
            away, there = n[k - 1] - missing[k - 1], f"at `{names[k - 1]}`, which {n[k - 1]:,.0f} reached"
            problems.append(f"{away:,.0f} people moved on, were closed or are open {there}")
    return Check(
        name="conservation",
        null="nobody reaches a stage without the one before it, and nobody leaves twice",
        statistic=len(problems),
        threshold=0,
        passed=not problems,
        reading=("; ".join(problems) if problems else "No stage is larger than the one before it") + ".",
        next_step="Ask whether there is another way into the stage, or another population behind the count."
        if problems
        else "",
    )


def _unaccounted(table: pd.DataFrame, accounts: pd.DataFrame) -> Check:
    number = accounts.set_index("status")["count"]
    everybody, missing, silent = (int(number.iloc[place]) for place in (0, 4, 5))
    known = bool(table[["closed", "open"]].notna().any(axis=None))
    share = missing / everybody
    lost = f"{missing:,} of the {everybody:,} who entered ({share:.1%})"
    reading = f"{lost} are neither in a later stage, closed nor open." if known else ""
    if silent > 0:
        reading += f" {silent:,} left a stage for which closed and open cases are not recorded."
    return Check(
        name="unaccounted",
        null="everybody who entered is accounted for",
        statistic=share if known else None,
        threshold=UNACCOUNTED,
        passed=abs(share) <= UNACCOUNTED if known else None,
        reading=reading.strip(),
        next_step="Count those whose case is open, closed or not known at each stage."
        if missing or silent
        else "",
    )


def _small(table: pd.DataFrame) -> Check:
    smallest = int(table["n"].min())
    return Check(
        name="small_counts",
        null="the counts are large enough for a percentage to stand alone",
        statistic=smallest,
        threshold=SMALL,
        passed=smallest >= SMALL,
        reading=f"The smallest stage holds {smallest:,} people.",
        next_step=""
        if smallest >= SMALL
        else "Print counts beside percentages, and mind who can be recognised.",
    )
