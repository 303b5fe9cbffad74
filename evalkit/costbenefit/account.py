"""Lines, agencies and years: the cash flow of an account and its present values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evalkit.costbenefit.fading import profile
from evalkit.costbenefit.inputs import Inputs
from evalkit.costbenefit.options import CostBenefitOptions, schedules
from evalkit.costbenefit.price_years import moved, target_year
from evalkit.parameters import OPTIMISM as CORRECTION_TABLE
from evalkit.parameters import Library, prices

MULTIPLICATIVE = (
    "population",
    "affected",
    "engaged",
    "retained",
    "impact",
    "units",
    "multiplier",
    "unit_cost",
)
REACHED = 1 - 1e-12  # a sum that should equal another exactly may miss it by rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """Everything about an account but its uncertain inputs.

    For a benefit line, value = product of inputs × `real` (per year) × `discount` (per year); for a cost row,
    amount × `cost_real` × `cost_discount`. `real` holds the deflator, the optimism correction and the drop-off, and
    is nought outside the line's years.
    """

    costs: pd.DataFrame
    benefits: pd.DataFrame
    perspective: str
    price_year: str
    horizon: int
    discounting: str
    deflators: tuple[str, ...]
    cost_real: np.ndarray
    cost_discount: np.ndarray
    real: np.ndarray
    nominal: np.ndarray
    raised: np.ndarray
    cut: np.ndarray
    discount: np.ndarray

    @cached_property
    def product(self) -> np.ndarray:
        """Each benefit line's inputs multiplied, at the values entered."""
        levels = self.benefits[list(MULTIPLICATIVE)].to_numpy(float)
        return levels.prod(axis=1) * (1 - self.benefits["deadweight"].to_numpy(float))

    @cached_property
    def amounts(self) -> np.ndarray:
        """Each cost row's amount as entered, times the share of a joint grant that this account carries."""
        return (self.costs["amount"] * self.costs["share"]).to_numpy(float)

    def fiscal_costs(self) -> np.ndarray:
        """True for capital and revenue costs."""
        return (self.costs["kind"] != "in_kind").to_numpy()

    @cached_property
    def kinds(self) -> dict[str, np.ndarray]:
        """The lines of each perspective; `public` is all but transfers, `cashable` is fiscal and cashable."""
        perspective = self.benefits["perspective"].to_numpy(dtype=object)
        found = {name: perspective == name for name in ("fiscal", "economic", "social")}
        found["public"] = self.benefits["transfer"].to_numpy() == 0
        found["cashable"] = found["fiscal"] & (self.benefits["cashable"].to_numpy() == 1)
        return found

    def is_benefit(self, name: str) -> np.ndarray:
        """True for the lines of one kind."""
        return self.kinds[name]

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """The cost rows and benefit lines in the ratio of the chosen perspective."""
        if self.perspective == "fiscal":
            return self.fiscal_costs(), self.is_benefit("fiscal")
        return np.ones(len(self.costs), dtype=bool), self.is_benefit("public")


def build_account(inputs: Inputs, options: CostBenefitOptions, lib: Library) -> Account:
    """Fix the price year and the horizon, and work out what one unit of each line is worth in each year."""
    costs, benefits = inputs.costs, inputs.benefits
    target = target_year(costs, benefits, options.price_year)
    in_prices = moved(costs, benefits, target, lib, options.deflator)
    horizon = options.horizon or int(max([0, *costs["year"], *benefits["last_year"]])) + 1
    edition, standard, health = schedules(options.discounting, lib)
    rates = {
        "standard": prices.factors(lib, standard, horizon, edition),
        "health": prices.factors(lib, health, horizon, edition),
    }
    years = costs["year"].to_numpy()
    inside = years < horizon
    raised, cut = correction(costs, lib), correction(benefits, lib)
    nominal = profile(benefits, horizon)
    return Account(
        costs=costs,
        benefits=benefits,
        perspective=options.perspective,
        price_year=target,
        horizon=horizon,
        discounting=options.discounting,
        deflators=in_prices.series,
        cost_real=inside * (1 + raised) * in_prices.costs,
        cost_discount=np.where(inside, rates["standard"][np.minimum(years, horizon - 1)], 0.0),
        real=nominal * ((1 - cut) * in_prices.benefits)[:, None],
        nominal=nominal,
        raised=raised,
        cut=cut,
        discount=np.array([rates[each] for each in benefits["schedule"]]).reshape(len(benefits), horizon),
    )


def correction(frame: pd.DataFrame, lib: Library) -> np.ndarray:
    """The optimism correction of each row's confidence grade."""
    return frame["confidence"].map(lib.optimism[CORRECTION_TABLE]["correction"]).to_numpy(float)


def terms(account: Account, products: np.ndarray, amounts: np.ndarray) -> dict[str, np.ndarray]:
    """Every term of an account, for one or many draws.

    Parameters
    ----------
    products : array, draws × benefit lines
        The product of each line's inputs.
    amounts : array, draws × cost rows

    Returns
    -------
    dict
        Term to one value per draw; NaN where a term does not exist.
    """
    value = account.real * account.discount
    whole = value.sum(axis=1)
    benefit = {
        name: products @ (whole * account.is_benefit(name))
        for name in ("fiscal", "economic", "social", "public", "cashable")
    }
    worth = account.cost_real * account.cost_discount
    fiscal = account.fiscal_costs()
    costs, fiscal_costs = amounts @ worth, amounts @ (worth * fiscal)
    by_year = (value * account.is_benefit("fiscal")[:, None]).T @ products.T
    spent = _by_year(account, worth * fiscal).T @ amounts.T
    return {
        "benefit_cost_ratio": _ratio(benefit["fiscal"], fiscal_costs)
        if account.perspective == "fiscal"
        else _ratio(benefit["public"], costs),
        "pv_costs": costs,
        "pv_costs_fiscal": fiscal_costs,
        "pv_benefits_fiscal": benefit["fiscal"],
        "pv_benefits_economic": benefit["economic"],
        "pv_benefits_social": benefit["social"],
        "net_present_budget_impact": fiscal_costs - benefit["fiscal"],
        "financial_return_on_investment": _ratio(benefit["fiscal"], fiscal_costs),
        "payback_year": payback(by_year, spent),
        "net_present_public_value": benefit["public"] - costs,
        "cashable_share": _ratio(benefit["cashable"], benefit["fiscal"]),
    }


def payback(benefits: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """First year index in which cumulative discounted fiscal benefits reach the costs so far; NaN where never.

    Both arrays are years × draws. Where nothing has been spent yet there is nothing to pay back, so such years do not
    count.
    """
    draws = benefits.shape[1]
    year, saved, spent = np.full(draws, np.nan), np.zeros(draws), np.zeros(draws)
    for index in range(len(benefits)):
        saved += benefits[index]
        spent += costs[index]
        reached = (saved >= spent * REACHED) & (spent > 0) & np.isnan(year)
        year[reached] = index
    return year


def central(account: Account) -> dict[str, float]:
    """Every term at the expected values of all inputs."""
    found = terms(account, account.product[None, :], account.amounts[None, :])
    return {name: float(value[0]) for name, value in found.items()}


def cashflow(account: Account) -> pd.DataFrame:
    """One row per line, agency and year: nominal as entered, real after correction and deflation, discounted."""
    kinds = {"capital": "capital cost", "revenue": "revenue cost", "in_kind": "in-kind cost"}
    amounts = account.amounts
    costs = account.costs[["line", "agency", "year"]].assign(
        flow="cost",
        type=account.costs["kind"].map(kinds),
        nominal=amounts,
        real=amounts * account.cost_real,
        discounted=amounts * account.cost_real * account.cost_discount,
    )
    rows, years = np.nonzero(account.nominal)
    product = account.product[rows]
    lines = account.benefits.iloc[rows].reset_index(drop=True)
    benefits = lines[["line", "agency"]].assign(
        year=years,
        flow="benefit",
        type=lines["perspective"] + " benefit",
        nominal=product * account.nominal[rows, years],
        real=product * account.real[rows, years],
        discounted=product * (account.real * account.discount)[rows, years],
    )
    costs = costs[account.costs["year"] < account.horizon]
    both = pd.concat([each for each in (costs, benefits) if len(each)] or [costs], ignore_index=True)
    order = ["line", "agency", "year", "flow", "type", "nominal", "real", "discounted"]
    return both[order].sort_values(order[:5], kind="stable", ignore_index=True)


def _by_year(account: Account, worth: np.ndarray) -> np.ndarray:
    spread = np.zeros((len(account.costs), account.horizon))
    inside = account.costs["year"].to_numpy() < account.horizon
    spread[np.flatnonzero(inside), account.costs["year"].to_numpy()[inside]] = worth[inside]
    return spread


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom != 0)
