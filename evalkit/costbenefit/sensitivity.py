"""Switching values solved exactly, the tornado, and scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.costbenefit.account import MULTIPLICATIVE, Account, central, correction, terms
from evalkit.costbenefit.fading import drop_off_for
from evalkit.costbenefit.uncertainty import Uncertainty
from evalkit.parameters import Library

INPUTS = ("impact", "deadweight", "unit_cost", "population", "affected", "engaged", "retained", "units")
SHARES = ("affected", "engaged", "retained", "deadweight", "drop_off")
EITHER_WAY = 0.1  # how far an input without a stated range moves in the tornado
ALL_LINES = "all lines"


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """The value of an input at which the chosen ratio is 1, all else as entered.

    `entered` is None where lines differ; `value` is then the multiple of the entered values (`is_multiple`).
    """

    name: str
    line: str
    entered: float | None
    value: float | None
    is_multiple: bool = False

    @property
    def possible(self) -> bool | None:
        """False where a share would have to leave the range from 0 to 1, or anything else fall below nought."""
        if self.value is None:
            return None
        return self.value >= 0 and (self.is_multiple or self.name not in SHARES or self.value <= 1)


def break_evens(account: Account) -> list[BreakEven]:
    """For each input: what it would have to be on all counted lines, and on each line alone.

    Notes
    -----
    With C the present value of counted costs and B of counted benefits: an input x that all lines share becomes x C
    / B (for an input of nought, C over the value of one unit); deadweight d becomes 1 − C / G, G being the benefits
    before deadweight. For one line alone, C is replaced by C less the other lines. The drop-off is the root of a
    polynomial, one that every line which lasts beyond its first year would share.
    """
    costs, worth, lines = _counted(account)
    found = []
    for name in INPUTS:
        per_unit = _per_unit(account, name)[lines.index] * worth
        entered = lines[name].to_numpy(float)
        net = (lines["analysis"] != "").to_numpy()
        found.append(_jointly(name, entered, per_unit, costs, net))
        found += _alone(name, lines, entered, per_unit, costs, net)
    found += _drop_offs(account, lines, costs)
    total = float((account.product[lines.index] * worth).sum())
    return [
        *found,
        BreakEven(name="costs", line=ALL_LINES, entered=costs, value=total if len(lines) else None),
    ]


def break_even_frame(found: list[BreakEven]) -> pd.DataFrame:
    """Columns: input, line, entered, break_even, multiple (of the entered value), possible (1, 0 or blank)."""
    rows = []
    for each in found:
        multiple = each.value if each.is_multiple else None
        if not each.is_multiple and each.value is not None and each.entered:
            multiple = each.value / each.entered
        rows.append(
            {
                "input": each.name,
                "line": each.line,
                "entered": each.entered,
                "break_even": None if each.is_multiple else each.value,
                "multiple": multiple,
                "possible": None if each.possible is None else int(each.possible),
            }
        )
    frame = pd.DataFrame(rows, columns=["input", "line", "entered", "break_even", "multiple", "possible"])
    return frame.astype(dict.fromkeys(("entered", "break_even", "multiple", "possible"), float))


def tornado(account: Account, uncertain: Uncertainty, level: float) -> pd.DataFrame:
    """How far each input moves the chosen ratio, widest first.

    Columns: input, line, basis, low and high (of the input), ratio_low and ratio_high (the ratio at those ends),
    spread. Inputs with a distribution move to the ends of their central `level` interval, other lines and costs by
    a tenth either way.
    """
    tail = (1 - level) / 2
    levels, rows = [], []
    for position, each in enumerate(uncertain.factors):
        ends = sorted(each.uncertain.quantile(p) for p in (tail, 1 - tail))
        rows.append(
            {"input": each.name, "line": each.line, "basis": each.basis, "low": ends[0], "high": ends[1]}
        )
        for end in ends:
            moved = uncertain.means.copy()
            moved[position] = end
            levels.append(moved)
    if levels:
        products, amounts = uncertain.products(np.array(levels)), uncertain.amounts(np.array(levels))
        _shown_as_entered(rows, uncertain, tail)
    else:
        products, amounts = np.empty((0, len(account.benefits))), np.empty((0, len(account.costs)))
    more_rows, more_products, more_amounts = _either_way(account, uncertain)
    ratio = terms(account, np.vstack([products, more_products]), np.vstack([amounts, more_amounts]))[
        "benefit_cost_ratio"
    ]
    frame = pd.DataFrame([*rows, *more_rows], columns=["input", "line", "basis", "low", "high"])
    frame["ratio_low"], frame["ratio_high"] = ratio[0::2], ratio[1::2]
    frame["spread"] = (frame["ratio_high"] - frame["ratio_low"]).abs()
    return frame.sort_values(
        ["spread", "line", "input"], ascending=[False, True, True], ignore_index=True, kind="stable"
    )


def scenarios(account: Account, lib: Library, uncertain: Uncertainty, level: float) -> pd.DataFrame:
    """The account under a few other rules.

    Columns: scenario, ratio, net_present_public_value, net_present_budget_impact.
    """
    rows = [("as entered", central(account)), ("no optimism correction", central(_uncorrected(account, lib)))]
    rows.append(("benefits do not fade", central(_unfaded(account))))
    rows.append(("cashable fiscal benefits only", central(_only(account, account.is_benefit("cashable")))))
    half = terms(account, account.product[None, :] / 2, account.amounts[None, :])
    rows.append(("half the benefits", {name: float(value[0]) for name, value in half.items()}))
    tail = (1 - level) / 2
    for label, p in (("impact at its lower end", tail), ("impact at its upper end", 1 - tail)):
        moved = np.array(
            [
                each.uncertain.quantile(p) if each.name == "impact" else each.uncertain.mean
                for each in uncertain.factors
            ]
        )
        if any(each.name == "impact" for each in uncertain.factors):
            found = terms(account, uncertain.products(moved[None, :]), uncertain.amounts(moved[None, :]))
            rows.append((label, {name: float(value[0]) for name, value in found.items()}))
    return pd.DataFrame(
        [
            {
                "scenario": label,
                "ratio": found["benefit_cost_ratio"],
                "net_present_public_value": found["net_present_public_value"],
                "net_present_budget_impact": found["net_present_budget_impact"],
            }
            for label, found in rows
        ]
    )


def _counted(account: Account) -> tuple[float, np.ndarray, pd.DataFrame]:
    cost_rows, lines = account.counted()
    costs = float((account.amounts * account.cost_real * account.cost_discount)[cost_rows].sum())
    worth = (account.real * account.discount).sum(axis=1)[lines]
    return costs, worth, account.benefits[lines]


def _per_unit(account: Account, name: str) -> np.ndarray:
    """Each line's product of inputs with this one left out."""
    others = [each for each in MULTIPLICATIVE if each != name]
    product = account.benefits[others].to_numpy(float).prod(axis=1)
    return product if name == "deadweight" else product * (1 - account.benefits["deadweight"].to_numpy(float))


def _jointly(
    name: str, entered: np.ndarray, per_unit: np.ndarray, costs: float, net: np.ndarray
) -> BreakEven:
    if name == "deadweight":
        return _joint_deadweight(entered, per_unit, costs, net)
    alike = len(entered) > 0 and bool((entered == entered[0]).all())
    total = float((per_unit * entered).sum())
    one_unit = float(per_unit.sum())
    if alike:
        value = costs / one_unit if one_unit else None
        return BreakEven(name=name, line=ALL_LINES, entered=float(entered[0]), value=value)
    return BreakEven(
        name=name, line=ALL_LINES, entered=None, value=costs / total if total else None, is_multiple=True
    )


def _joint_deadweight(entered: np.ndarray, gross: np.ndarray, costs: float, net: np.ndarray) -> BreakEven:
    """Lines whose impact is already net keep what they have; the others share one deadweight."""
    free, kept = float(gross[~net].sum()), float((gross * (1 - entered))[net].sum())
    alike = bool((~net).any()) and bool((entered[~net] == entered[~net][0]).all())
    value = 1 - (costs - kept) / free if free else None
    return BreakEven(
        name="deadweight", line=ALL_LINES, entered=float(entered[~net][0]) if alike else None, value=value
    )


def _alone(
    name: str, lines: pd.DataFrame, entered: np.ndarray, per_unit: np.ndarray, costs: float, net: np.ndarray
) -> Iterator[BreakEven]:
    used = 1 - entered if name == "deadweight" else entered
    each_line = per_unit * used
    for position, line in enumerate(lines["line"]):
        if (name == "deadweight" and net[position]) or not per_unit[position]:
            continue
        needed = (costs - (each_line.sum() - each_line[position])) / per_unit[position]
        value = 1 - needed if name == "deadweight" else needed
        yield BreakEven(name=name, line=line, entered=float(entered[position]), value=float(value))


def _drop_offs(account: Account, lines: pd.DataFrame, costs: float) -> Iterator[BreakEven]:
    worth = _by_power(account)[lines.index]
    entered = lines["drop_off"].to_numpy(float)
    total = (account.product[:, None] * account.real * account.discount).sum(axis=1)[lines.index]
    lasting = (worth[:, 1:] != 0).any(axis=1)
    alike = lasting.any() and bool((entered[lasting] == entered[lasting][0]).all())
    value = drop_off_for(costs, float(total[~lasting].sum()), worth[lasting])
    shared = float(entered[lasting][0]) if alike else None
    yield BreakEven(name="drop_off", line=ALL_LINES, entered=shared, value=value)
    for position in np.flatnonzero(lasting):
        others = float(total.sum() - total[position])
        value = drop_off_for(costs, others, worth[[position]])
        if value is not None:
            yield BreakEven(
                name="drop_off", line=lines["line"].iloc[position], entered=entered[position], value=value
            )


def _by_power(account: Account) -> np.ndarray:
    """Each line's present value in each year since its first, before any drop-off."""
    lines, horizon = len(account.benefits), account.horizon
    worth = np.zeros((lines, horizon))
    kept = np.divide(
        account.real, account.nominal, out=np.zeros_like(account.real), where=account.nominal > 0
    )
    unfaded = account.product[:, None] * kept.max(axis=1, initial=0.0)[:, None] * account.discount
    for position, (first, last) in enumerate(
        zip(account.benefits["first_year"], account.benefits["last_year"], strict=True)
    ):
        inside = unfaded[position, first : min(last + 1, horizon)]
        worth[position, : len(inside)] = inside
    return worth


def _shown_as_entered(rows: list[dict], uncertain: Uncertainty, tail: float) -> None:
    """What is drawn is what multiplies a line; its ends are turned back into the input that was entered."""
    for row, each in zip(rows, uncertain.factors, strict=True):
        if each.name == "deadweight":
            row["low"], row["high"] = 1 - row["low"], 1 - row["high"]
        if each.name == "drop_off":
            row["low"], row["high"] = each.uncertain.entered(1 - tail), each.uncertain.entered(tail)


def _either_way(account: Account, uncertain: Uncertainty) -> tuple[list[dict], np.ndarray, np.ndarray]:
    moved = {row for each in uncertain.factors for row in each.benefit_rows}
    moved_costs = {row for each in uncertain.factors for row in each.cost_rows}
    rows, products, amounts = [], [], []
    for frame, done, kind in ((account.benefits, moved, "value"), (account.costs, moved_costs, "cost")):
        for line in sorted(set(frame["line"])):
            here = (frame["line"] == line).to_numpy() & ~np.isin(np.arange(len(frame)), list(done))
            if not here.any():
                continue
            rows.append(
                {
                    "input": kind,
                    "line": line,
                    "basis": "a tenth either way",
                    "low": 1 - EITHER_WAY,
                    "high": 1 + EITHER_WAY,
                }
            )
            for size in (1 - EITHER_WAY, 1 + EITHER_WAY):
                scale = np.where(here, size, 1.0)
                products.append(account.product * (scale if kind == "value" else 1.0))
                amounts.append(account.amounts * (scale if kind == "cost" else 1.0))
    # An account may have costs and no benefits, or the other way round: -1 cannot stand for rows of no width.
    count = len(products)
    return (
        rows,
        np.array(products).reshape(count, len(account.benefits)),
        np.array(amounts).reshape(count, len(account.costs)),
    )


def _uncorrected(account: Account, lib: Library) -> Account:
    raised, cut = 1 + correction(account.costs, lib), 1 - correction(account.benefits, lib)
    return replace(account, cost_real=account.cost_real / raised, real=account.real / cut[:, None])


def _unfaded(account: Account) -> Account:
    first = account.nominal.max(axis=1, initial=0.0)
    inside = account.nominal > 0
    started = account.real.max(axis=1, initial=0.0)
    return replace(account, real=inside * started[:, None], nominal=inside * first[:, None])


def _only(account: Account, kept: np.ndarray) -> Account:
    return replace(account, real=account.real * kept[:, None])
