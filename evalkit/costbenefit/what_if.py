"""The numbers that a page needs to let a reader move impact, deadweight and unit cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evalkit.costbenefit.account import Account
from evalkit.costbenefit.cells import rows_of
from evalkit.results import Result


def what_if_frames(account: Account) -> dict[str, pd.DataFrame]:
    """`what_if_lines` and `what_if_costs`: an account reduced to what its ratio is computed from.

    `what_if_lines` columns: line, agency, counted (0/1 in the ratio), impact, deadweight, net_impact (0/1), unit_cost,
    worth. A line is worth impact × (1 − deadweight) × unit_cost × worth, a present value. `what_if_costs` columns:
    item, value: the counted costs.
    """
    cost_rows, lines = account.counted()
    benefits = account.benefits
    others = ["population", "affected", "engaged", "retained", "units", "multiplier"]
    worth = benefits[others].to_numpy(float).prod(axis=1) * (account.real * account.discount).sum(axis=1)
    frame = benefits[["line", "agency"]].assign(
        counted=lines.astype(int),
        impact=benefits["impact"],
        deadweight=benefits["deadweight"],
        net_impact=(benefits["analysis"] != "").astype(int),
        unit_cost=benefits["unit_cost"],
        worth=worth,
    )
    costs = float((account.amounts * account.cost_real * account.cost_discount)[cost_rows].sum())
    return {
        "what_if_lines": frame,
        "what_if_costs": pd.DataFrame({"item": ["costs counted in the ratio"], "value": [costs]}),
    }


def what_if(result: Result, *, show_ratio: bool = True) -> dict[str, Any]:
    """The JSON of the what-if page, from a result of `cost_benefit`.

    Parameters
    ----------
    result
        Of `cost_benefit`, with its frames `what_if_lines` and `what_if_costs`.
    show_ratio
        False where the evidence level allows no ratio: the page then shows break-even alone.

    Returns
    -------
    dict
        Keys: costs (pounds), lines (name, agency, impact, deadweight, unitCost, worth, net), showRatio, unit.

    Notes
    -----
    A line is worth impact × (1 − deadweight) × unitCost × worth, without the deadweight where net: a present value.
    """
    lines, costs = result.detail["what_if_lines"], result.detail["what_if_costs"]
    unit = next((each.unit for each in result.estimates if each.term == "pv_costs"), "pounds")
    return {
        "costs": float(costs["value"].iloc[0]),
        "lines": [
            {
                "name": str(row.line),
                "agency": str(row.agency),
                "impact": float(row.impact),
                "deadweight": float(row.deadweight),
                "unitCost": float(row.unit_cost),
                "worth": float(row.worth),
                "net": bool(row.net_impact),
            }
            for row in rows_of(lines)
            if row.counted
        ],
        "showRatio": bool(show_ratio),
        "unit": unit,
    }


def what_if_ratio(
    data: Mapping[str, Any], *, impact: float = 1.0, deadweight: float | None = None, unit_cost: float = 1.0
) -> float:
    """The ratio after the reader's changes, as the script computes it.

    `impact` and `unit_cost` multiply those of every line; `deadweight`, where given, replaces that of every line
    whose impact is not already net.
    """
    benefits = sum(
        line["impact"]
        * impact
        * (1 - (line["deadweight"] if deadweight is None or line["net"] else deadweight))
        * line["unitCost"]
        * unit_cost
        * line["worth"]
        for line in data["lines"]
    )
    return benefits / data["costs"]
