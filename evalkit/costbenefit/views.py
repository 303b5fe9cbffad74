"""An account as others lay it out: by agency, by year, by recipient, and the appraisal summary table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.costbenefit.account import Account, central
from evalkit.costbenefit.cells import rows_of
from evalkit.costbenefit.inputs import Inputs
from evalkit.costbenefit.options import CostBenefitOptions, schedules
from evalkit.parameters import named

RECIPIENT_OF = {"fiscal": "taxpayers", "economic": "participants", "social": "others"}
RECIPIENTS = ("taxpayers", "participants", "others", "indirect")


def by_agency(account: Account, cashflow: pd.DataFrame) -> pd.DataFrame:
    """Who pays and who saves.

    Columns: agency, pv_costs_fiscal, pv_costs_in_kind, pv_benefits_fiscal, pv_benefits_cashable,
    pv_benefits_economic, pv_benefits_social, net_budget_impact (fiscal costs less fiscal benefits; negative is a
    saving).
    """
    flow = _tagged(account, cashflow)
    amount = flow.pivot_table(
        index="agency", columns="tag", values="discounted", aggfunc="sum", fill_value=0.0, sort=True
    )
    names = (
        "costs_fiscal",
        "costs_in_kind",
        "benefits_fiscal",
        "benefits_cashable",
        "benefits_economic",
        "benefits_social",
    )
    frame = pd.DataFrame({f"pv_{name}": amount.get(name, 0.0) for name in names}, index=amount.index)
    frame["pv_benefits_fiscal"] = frame["pv_benefits_fiscal"] + frame["pv_benefits_cashable"]
    frame["net_budget_impact"] = frame["pv_costs_fiscal"] - frame["pv_benefits_fiscal"]
    return frame.reset_index().rename_axis(columns=None)


def by_agency_year(account: Account, cashflow: pd.DataFrame) -> pd.DataFrame:
    """Who pays and who saves, year by year: one row per agency and year in which something flows.

    Columns: agency, year, pv_costs_fiscal, pv_costs_in_kind, pv_benefits_fiscal, pv_benefits_cashable,
    net_budget_impact (fiscal costs less fiscal benefits of that year; negative is a saving),
    cumulative_budget_impact (of this and all earlier years).
    """
    flow = _tagged(account, cashflow)
    amount = flow.pivot_table(
        index=["agency", "year"], columns="tag", values="discounted", aggfunc="sum", fill_value=0.0, sort=True
    )
    names = ("costs_fiscal", "costs_in_kind", "benefits_fiscal", "benefits_cashable")
    frame = pd.DataFrame({f"pv_{name}": amount.get(name, 0.0) for name in names}, index=amount.index)
    frame["pv_benefits_fiscal"] = frame["pv_benefits_fiscal"] + frame["pv_benefits_cashable"]
    frame["net_budget_impact"] = frame["pv_costs_fiscal"] - frame["pv_benefits_fiscal"]
    frame["cumulative_budget_impact"] = frame.groupby("agency")["net_budget_impact"].cumsum()
    return frame.reset_index().rename_axis(columns=None)


def by_year(account: Account, cashflow: pd.DataFrame) -> pd.DataFrame:
    """Discounted flows of each year, and the running budget impact.

    Columns: year, costs, costs_fiscal, benefits_fiscal, benefits_economic, benefits_social, cumulative_budget_impact.
    """
    flow = _tagged(account, cashflow)
    wide = flow.pivot_table(index="year", columns="tag", values="discounted", aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(range(account.horizon), fill_value=0.0)

    def column(name: str) -> pd.Series:
        return wide.get(name, pd.Series(0.0, index=wide.index))

    fiscal_costs = column("costs_fiscal")
    fiscal_benefits = column("benefits_fiscal") + column("benefits_cashable")
    return pd.DataFrame(
        {
            "year": np.arange(account.horizon),
            "costs": (fiscal_costs + column("costs_in_kind")).to_numpy(),
            "costs_fiscal": fiscal_costs.to_numpy(),
            "benefits_fiscal": fiscal_benefits.to_numpy(),
            "benefits_economic": column("benefits_economic").to_numpy(),
            "benefits_social": column("benefits_social").to_numpy(),
            "cumulative_budget_impact": (fiscal_costs - fiscal_benefits).cumsum().to_numpy(),
        }
    )


def per_recipient(account: Account) -> pd.DataFrame:
    """Benefits by who receives them, as benefit-cost pages of the Washington State Institute lay them out.

    Fiscal benefits go to taxpayers, economic ones to participants, social ones to others, unless a line says
    otherwise. Transfers are left out. Columns: recipient, pv_benefits, share.
    """
    worth = account.product * (account.real * account.discount).sum(axis=1) * account.is_benefit("public")
    said = account.benefits["recipient"]
    who = said.where(said != "", account.benefits["perspective"].map(RECIPIENT_OF)).to_numpy()
    value = np.array([worth[who == name].sum() for name in RECIPIENTS])
    total = value.sum()
    share = value / total if total else np.full(len(value), np.nan)
    return pd.DataFrame({"recipient": RECIPIENTS, "pv_benefits": value, "share": share})


def summary_table(account: Account, options: CostBenefitOptions) -> pd.DataFrame:
    """The rows of an appraisal summary table. Columns: item, value, unit, note (words, where there is no value)."""
    found = central(account)
    pounds = f"pounds, {account.price_year} prices"
    rows = [
        (f"Present value of costs to {agency}", value, pounds)
        for agency, value in _costs_by_agency(account)
        if value
    ]
    rows += [
        ("Present value of in-kind costs", found["pv_costs"] - found["pv_costs_fiscal"], pounds),
        ("Present value of fiscal benefits", found["pv_benefits_fiscal"], pounds),
        ("Present value of economic benefits", found["pv_benefits_economic"], pounds),
        ("Present value of social benefits", found["pv_benefits_social"], pounds),
        ("Net present social value", found["net_present_public_value"], pounds),
        ("Net present budget impact", found["net_present_budget_impact"], pounds),
        ("Optimism correction, added to costs", _correction(account, costs=True), pounds),
        ("Optimism correction, taken off benefits", _correction(account, costs=False), pounds),
        ("Time horizon", float(account.horizon), "years"),
        ("Years that discounting starts from", 0.0, "year index"),
    ]
    words = [("Not valued in money", each) for each in options.not_valued]
    words += [("Risk", each) for each in options.risks]
    words += [
        ("Price base year", account.price_year),
        ("Discount rates", _rates(options)),
    ]
    numbers = pd.DataFrame(rows, columns=["item", "value", "unit"]).assign(note="")
    said = pd.DataFrame(words, columns=["item", "note"]).assign(value=np.nan, unit="")
    return pd.concat([numbers, said], ignore_index=True)[["item", "value", "unit", "note"]]


def _rates(options: CostBenefitOptions) -> str:
    """The edition of the discount rates in words, and whether its sensitivity rates were used."""
    edition = schedules(options.discounting, options.library)[0]
    lower = ", sensitivity rates" if options.discounting != edition else ""
    return named(edition, options.library) + lower


def _correction(account: Account, *, costs: bool) -> float:
    """What the confidence grades add to the present value of costs, or take off that of benefits."""
    if costs:
        worth = account.amounts * account.cost_real * account.cost_discount
        return float((worth * account.raised / (1 + account.raised)).sum())
    worth = account.product * (account.real * account.discount).sum(axis=1)
    kept = np.where(account.cut < 1, 1 - account.cut, np.inf)
    return float((worth * account.cut / kept).sum())


def parameters_used(inputs: Inputs, account: Account) -> pd.DataFrame:
    """The unit costs behind the account.

    Columns: code, item, value, unit, price_year, age_years, verified, source, origin.
    """
    rows = []
    for code in sorted(inputs.entries):
        entry = inputs.entries[code]
        used = inputs.benefits.loc[inputs.benefits["code"] == code, "unit_cost"]
        rows.append(
            {
                "code": code,
                "item": entry.item,
                "value": float(used.iloc[0]),
                "unit": entry.unit,
                "price_year": entry.price_year or "",
                "age_years": int(account.price_year[:4]) - int(entry.price_year[:4])
                if entry.price_year
                else None,
                "verified": int(entry.verified),
                "source": entry.source,
                "origin": entry.origin,
            }
        )
    columns = ["code", "item", "value", "unit", "price_year", "age_years", "verified", "source", "origin"]
    return pd.DataFrame(rows, columns=columns)


def _tagged(account: Account, cashflow: pd.DataFrame) -> pd.DataFrame:
    """The cash flow with one tag per row: which column of a view it adds to."""
    cashable = {
        (line.line, line.agency)
        for line in rows_of(account.benefits)
        if line.cashable and line.perspective == "fiscal"
    }
    kinds = {"capital cost": "costs_fiscal", "revenue cost": "costs_fiscal", "in-kind cost": "costs_in_kind"}
    tags = []
    for row in rows_of(cashflow):
        tag = kinds.get(row.type, "benefits_" + row.type.partition(" ")[0])
        tags.append(
            "benefits_cashable" if tag == "benefits_fiscal" and (row.line, row.agency) in cashable else tag
        )
    return cashflow.assign(tag=tags)


def _costs_by_agency(account: Account) -> list[tuple[str, float]]:
    fiscal = account.amounts * account.cost_real * account.cost_discount * account.fiscal_costs()
    total: dict[str, float] = {}
    for agency, value in zip(account.costs["agency"], fiscal, strict=True):
        total[agency] = total.get(agency, 0.0) + float(value)
    return sorted(total.items())
