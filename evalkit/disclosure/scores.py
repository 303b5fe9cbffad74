"""The check of a risk score on its way out: four cells for each group are printed, and the rest is worked out of them.

Every rate, interval and difference is a function of the printed cells, so that it says no more than they do. A group
with a small cell is withheld whole, with whichever other group would give it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract import SCORE_CELLS, SCORE_RATES
from evalkit.disclosure.attack import Cell, Sum
from evalkit.disclosure.estimates import from_model, release_check, stripped, withheld
from evalkit.disclosure.policy import WITHHELD, Policy
from evalkit.disclosure.sums import protect
from evalkit.disclosure.tables import Setting, figures
from evalkit.inference import adjust
from evalkit.intervals import PROPORTION_INTERVALS, newcombe, score_test
from evalkit.results import Check, Estimate, Result

EVERYBODY = "all"
BAND_LABELS = ("group", "band", "side")
LARGE = 1000
DEAR = 1e9  # what a cell costs that rates are worked out of: the last to be withheld
OF_COUNTS = (
    "few_events",
    "group_differences",
    "calibration",
    "calibration_slope",
    "base_rates",
    "preset_limits",
)
Cells = dict[str, dict[str, int]]


def release_score(result: Result, setting: Setting) -> Result:
    """The result as it may be printed."""
    setting = replace(setting, places=False)
    raw = result.detail["groups"].set_index("group")
    shown = _shown(raw, setting.policy)
    detail = {
        "groups": _groups(result.detail["groups"], shown),
        "accuracy": _accuracy(result, shown),
        "calibration": _bands(result, raw, shown, setting.policy),
    }
    if "differences" in result.detail:
        detail["differences"] = _differences(result.detail["differences"], shown, setting.policy)
    whole = len(shown) == len(raw)
    printed = replace(
        result, detail=detail, influence=None,
        estimates=tuple(_estimate(each, detail, shown, setting.policy) for each in result.estimates),
        checks=tuple(_check(each, raw, shown if whole else {}, setting) for each in result.checks),
    )  # fmt: skip
    hidden = sum(int((frame == WITHHELD).to_numpy().sum()) for frame in detail.values())
    setting.record.withheld += hidden
    setting.record.rounded += len(SCORE_CELLS) * len(shown) if setting.policy.rounding > 1 else 0
    return printed


def _shown(raw: pd.DataFrame, policy: Policy) -> Cells:
    """The printed cells of each row that is shown. Where all groups are, everybody is the sum of what they print."""
    names = [name for name in raw.index if name != EVERYBODY] or [EVERYBODY]
    closed = {name for name in names if any(policy.small(x) for x in raw.loc[name, list(SCORE_CELLS)])}
    if closed and names != [EVERYBODY]:
        closed = _with_others(raw, names, closed, policy)
        names = [EVERYBODY, *names]
    shown = {
        name: {cell: int(policy.rounded(raw.loc[name, cell])) for cell in SCORE_CELLS}
        for name in names
        if name not in closed
    }
    _add_up(shown, raw, [EVERYBODY] if EVERYBODY in shown else names, policy)
    if not closed and EVERYBODY not in shown:
        total = {cell: sum(each[cell] for each in shown.values()) for cell in SCORE_CELLS}
        shown = {EVERYBODY: total, **shown}
    return shown


def _add_up(shown: Cells, raw: pd.DataFrame, rows: list[str], policy: Policy) -> None:
    """Let the cells of these rows add up to everybody as the rest of the study prints that number.

    What rounding left over is laid on the largest cell. That one then follows from the others and from a number that
    everybody knows, so it says less than before.
    """
    if not set(rows) <= shown.keys() or sum(raw.loc[name, "n"] for name in rows) != raw.loc[EVERYBODY, "n"]:
        return
    name, cell = max(
        ((name, cell) for name in rows for cell in SCORE_CELLS), key=lambda at: shown[at[0]][at[1]]
    )
    left = int(policy.rounded(raw.loc[EVERYBODY, "n"])) - sum(sum(shown[each].values()) for each in rows)
    if abs(left) <= shown[name][cell] / 10:
        shown[name][cell] += left


def _with_others(raw: pd.DataFrame, names: list[str], closed: set[str], policy: Policy) -> set[str]:
    """The groups to withhold so that no cell of a withheld one can be had from everybody less the others."""
    sums = [
        Sum(whole=f"{cell}:{EVERYBODY}", parts=tuple(f"{cell}:{name}" for name in names))
        for cell in SCORE_CELLS
    ]
    cells = {
        f"{cell}:{name}": Cell(value=raw.loc[name, cell], cost=DEAR if name == EVERYBODY else raw.loc[name, "n"])
        for cell in SCORE_CELLS
        for name in (EVERYBODY, *names)
    }  # fmt: skip
    if any(policy.small(raw.loc[EVERYBODY, cell]) for cell in SCORE_CELLS):
        return {EVERYBODY, *names}
    while True:
        hidden = {key for key in cells if key.partition(":")[2] in closed}
        found = {key.partition(":")[2] for key in protect(cells, sums, hidden, policy)}
        if found <= closed:
            return closed
        closed = closed | found


def _groups(frame: pd.DataFrame, shown: Cells) -> pd.DataFrame:
    rows = []
    for _, row in frame.iterrows():
        cells = shown.get(row["group"])
        if cells is None:
            known = dict.fromkeys(("n", "events", "flagged", *SCORE_CELLS), WITHHELD)
        else:
            known = {"n": sum(cells.values()), **cells}
            known["events"] = cells["true_positives"] + cells["false_negatives"]
            known["flagged"] = cells["true_positives"] + cells["false_positives"]
        rows.append({**row.to_dict(), **known})
    return pd.DataFrame(rows, columns=frame.columns, dtype=object)


def _share(cells: Mapping[str, int], measure: str) -> tuple[int, int]:
    counted, among = SCORE_RATES[measure]
    return sum(cells[each] for each in counted), sum(cells[each] for each in among)


def _accuracy(result: Result, shown: Cells) -> pd.DataFrame:
    frame, interval, level = result.detail["accuracy"], result.headline.interval, result.headline.level
    rows = []
    for _, row in frame.iterrows():
        known: dict[str, Any] = dict.fromkeys(("events", "n", "value", "conf_low", "conf_high"), WITHHELD)
        if row["group"] in shown:
            x, n = _share(shown[row["group"]], row["measure"])
            low, high = PROPORTION_INTERVALS[interval](x, n, level)
            known = {
                "events": x,
                "n": n,
                "value": round(x / n, 3),
                "conf_low": round(low, 2),
                "conf_high": round(high, 2),
            }
        rows.append({**row.to_dict(), **known})
    return pd.DataFrame(rows, columns=frame.columns, dtype=object)


def _differences(frame: pd.DataFrame, shown: Cells, policy: Policy) -> pd.DataFrame:
    """Each difference between the printed cells of two groups, adjusted over those that are printed."""
    columns = ("difference", "conf_low", "conf_high", "p_value", "p_adjusted", "n", "n_reference")
    rows, tests = [], []
    for _, row in frame.iterrows():
        known: dict[str, Any] = dict.fromkeys(columns, WITHHELD)
        if {row["group"], row["reference"]} <= shown.keys():
            one, other = (_share(shown[row[name]], row["measure"]) for name in ("group", "reference"))
            places = 1 if min(one[1], other[1]) >= LARGE else 0
            limits = newcombe(*one, *other, row["level"])
            values = (one[0] / one[1] - other[0] / other[1], *limits)
            known = dict(zip(columns[:3], (round(100 * each, places) + 0.0 for each in values), strict=True))
            known |= {"n": one[1], "n_reference": other[1]}
            tests.append((len(rows), score_test(*one, *other)[1]))
        rows.append({**row.to_dict(), **known})
    if tests:
        adjusted = adjust(np.array([p for _, p in tests]), frame["rule"].iloc[0])
        for (place, p), each in zip(tests, adjusted, strict=True):
            rows[place] |= {"p_value": _p(p, policy), "p_adjusted": _p(float(each), policy)}
    return pd.DataFrame(rows, columns=frame.columns, dtype=object)


def _p(value: float, policy: Policy) -> float:
    return max(figures(value, policy.figures), 0.001)


def _bands(result: Result, raw: pd.DataFrame, shown: Cells, policy: Policy) -> pd.DataFrame:
    """Each group's bands: those that are small, or that the group's cells would give away, are withheld."""
    frame, head = result.detail["calibration"].astype(object), result.headline
    for name, rows in result.detail["calibration"].groupby("group", sort=False):
        closed = _closed_bands(rows, raw.loc[name], policy) if name in shown else set(rows.index)
        for place, row in rows.iterrows():
            known = dict.fromkeys((each for each in frame if each not in BAND_LABELS), WITHHELD)
            if place not in closed:
                x, n = policy.rounded(row["events"]), policy.rounded(row["n"])
                low, high = PROPORTION_INTERVALS[head.interval](x, n, head.level)
                shares = {"value": round(x / n, 3), "conf_low": round(low, 2), "conf_high": round(high, 2)}
                known |= {"n": n, "events": x, **shares}
                known |= {"mean_score": round(row["mean_score"], 2)} if "mean_score" in known else {}
            frame.loc[place, list(known)] = list(known.values())
    return frame


def _closed_bands(rows: pd.DataFrame, whole: pd.Series, policy: Policy) -> set:
    cells, sums = _system(rows, whole)
    small = {place for place, row in rows.iterrows() if policy.small(row["events"], row["n"])}
    while True:
        hidden = {key for place in small for key in (f"n:{place}", f"events:{place}")}
        found = protect(cells, sums, hidden, policy)
        if any(key in SCORE_CELLS for key in found):
            return set(rows.index)
        places = {place for place in rows.index if {f"n:{place}", f"events:{place}"} & found}
        if places <= small:
            return small
        small = small | places


def _system(rows: pd.DataFrame, whole: pd.Series) -> tuple[dict[str, Cell], list[Sum]]:
    """The cells of one group and of its bands, and what adds up: the bands to those with the outcome and to everybody,
    and, where no band lies on both sides of the threshold, the flagged bands to those flagged."""
    cells = {name: Cell(value=whole[name], cost=DEAR) for name in SCORE_CELLS}
    cells["n"] = Cell(value=whole["n"], implied=True, plain=True)
    cells["with"] = Cell(value=whole["events"], total=whole["n"], implied=True)
    for place, row in rows.iterrows():
        cells[f"n:{place}"] = Cell(value=row["n"], cost=row["n"], plain=True)
        cells[f"events:{place}"] = Cell(value=row["events"], total=row["n"], cost=row["events"])
    every = list(rows.index)
    sums = [
        Sum(whole="n", parts=SCORE_CELLS),
        Sum(whole="n", parts=tuple(f"n:{place}" for place in every)),
        Sum(whole="with", parts=SCORE_CELLS[:2]),
        Sum(whole="with", parts=tuple(f"events:{place}" for place in every)),
    ]
    sides = rows["side"]
    if not (sides == "partly flagged").any():
        flagged = [place for place in every if sides[place] == "flagged"]
        cells["flagged"] = Cell(value=whole["flagged"], total=whole["n"], implied=True)
        sums += [
            Sum(whole="true_positives", parts=tuple(f"events:{place}" for place in flagged)),
            Sum(whole="flagged", parts=(SCORE_CELLS[0], SCORE_CELLS[2])),
            Sum(whole="flagged", parts=tuple(f"n:{place}" for place in flagged)),
        ]
    return cells, sums


def _estimate(each: Estimate, detail: Mapping[str, pd.DataFrame], shown: Cells, policy: Policy) -> Estimate:
    name = each.group or EVERYBODY
    if each.term.endswith("_difference"):
        frame = detail["differences"]
        row = frame[
            (frame["group"] == name) & (frame["measure"] == each.term.removesuffix("_difference"))
        ].iloc[0]
        known = {"estimate": "difference"} | {
            c: c for c in ("conf_low", "conf_high", "p_value", "p_adjusted")
        }
        sizes = {"n_treated": "n", "n_control": "n_reference"}
    elif each.term in SCORE_RATES:
        frame = detail["accuracy"]
        row = frame[(frame["group"] == name) & (frame["measure"] == each.term)].iloc[0]
        known, sizes = (
            {"estimate": "value", "conf_low": "conf_low", "conf_high": "conf_high"},
            {"n_treated": "n"},
        )
    else:
        return _of_model(each, shown.get(name), policy)
    if row["n"] == WITHHELD:
        return replace(withheld(each, policy), n_treated=None, n_control=None)
    return replace(each, **{field: row[column] for field, column in (known | sizes).items()})


def _of_model(each: Estimate, cells: Mapping[str, int] | None, policy: Policy) -> Estimate:
    """An area or a calibration: to the place that its error supports, beside the numbers that are printed anyway."""
    if cells is None:
        return replace(withheld(each, policy), n_treated=None, n_control=None)
    n, events = sum(cells.values()), cells["true_positives"] + cells["false_negatives"]
    sizes = (events, n - events) if each.n_control is not None else (n, None)
    return replace(from_model(each, policy, places=False), n_treated=sizes[0], n_control=sizes[1])


def _check(check: Check, raw: pd.DataFrame, shown: Cells, setting: Setting) -> Check:
    if check.name in OF_COUNTS and not shown:
        return stripped(check, setting)
    if check.name == "few_events":
        rows = [name for name in shown if name != EVERYBODY] or [EVERYBODY]
        least = min(_fewest(shown[name]) for name in rows)
        reading = f"The smallest of these numbers, rounded, is {least}."
        return replace(check, statistic=least, reading=reading)
    if check.name == "left_out" and check.statistic:
        lost = check.statistic * raw["n"].iloc[0] / (1 - check.statistic)
        if setting.policy.small(round(lost)):
            return replace(stripped(check, setting), passed=check.passed)
    return release_check(check, setting, coarse=False)


def _fewest(cells: Mapping[str, int]) -> int:
    with_it, flagged = (
        cells["true_positives"] + cells["false_negatives"],
        cells["true_positives"] + cells["false_positives"],
    )
    return min(with_it, flagged, sum(cells.values()) - with_it)
