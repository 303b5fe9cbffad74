"""What a reader should know of the unit costs, deflators and corrections behind an account."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit.costbenefit.account import central
from evalkit.costbenefit.case import Case
from evalkit.costbenefit.inputs import rows_of, where
from evalkit.costbenefit.options import schedules
from evalkit.costbenefit.rules import ANY_CRIME
from evalkit.parameters import OPTIMISM, SPREAD, prices
from evalkit.results import Check

OLD_UNIT_COST = 5  # years between a unit cost's prices and the account's


def unit_cost_age(case: Case) -> Check | None:
    """Years from the oldest unit cost's prices to those of the account."""
    ages = {}
    for row in rows_of(case.inputs.benefits):
        if prices.is_financial(row.unit_year) == prices.is_financial(case.account.price_year):
            ages[row.code or row.line] = prices.years_between(row.unit_year, case.account.price_year)
    if not ages:
        return None
    oldest = max(ages, key=lambda code: (ages[code], code))
    age = ages[oldest]
    return Check(
        name="unit_cost_age",
        null="no unit cost is older than its threshold",
        statistic=age,
        threshold=OLD_UNIT_COST,
        passed=age <= OLD_UNIT_COST,
        reading=f"The oldest unit cost, {oldest}, is in prices {age} years before those of this account.",
        next_step=""
        if age <= OLD_UNIT_COST
        else "Look for a newer edition: practice may have changed, and only prices were moved.",
    )


def unverified_parameters(case: Case) -> Check:
    """Values that nobody has checked against the primary document."""
    used = sorted({row.code for row in case.coded_rows if not case.inputs.entries[row.code].verified})
    grades = {*case.inputs.costs["confidence"], *case.inputs.benefits["confidence"]}
    if grades - {1}:
        used += [name for name in (OPTIMISM, SPREAD) if not case.lib.optimism[name]["verified"]]
    edition = schedules(case.options.discounting, case.lib)[0]
    used += [] if case.lib.discounting[edition]["verified"] else [edition]
    series = _series(case)
    used += [series] if series and not case.lib.deflators[series]["verified"] else []
    listed = ", ".join(used)
    return Check(
        name="unverified_parameters",
        null="every parameter was checked against its primary document",
        statistic=len(used),
        threshold=0,
        passed=not used,
        reading=f"Not checked against the primary document: {listed}."
        if used
        else "Every parameter used was checked at its source.",
        next_step="Check these values, or give your own parameter file." if used else "",
    )


def own_parameters(case: Case) -> Check | None:
    if case.lib.user is None:
        return None
    codes = sorted(
        {row.code for row in case.coded_rows if case.inputs.entries[row.code].origin == case.lib.user}
    )
    return Check(
        name="own_parameters",
        reading=f"Values come from {case.lib.user} where it has them"
        + (f": {', '.join(codes)}." if codes else "."),
    )


def unit_cost_price_year(case: Case) -> Check | None:
    """Rows whose price year is not that of their code; the code's own year is used."""
    uprated = "2015/16"  # the workbook prints its values in these prices too, by the same deflator
    rows = [row for row in case.coded_rows if row.price_year not in (row.unit_year, uprated)]
    if not rows:
        return None
    spots = "; ".join(
        f"{where('benefits', row.row)} says {row.price_year}, {row.code} is in {row.unit_year}"
        for row in rows
    )
    return Check(
        name="unit_cost_price_year",
        null="the price year of each row is that of its unit cost",
        statistic=len(rows),
        threshold=0,
        passed=False,
        reading=f"A unit cost from a code keeps its own price year: {spots}.",
        next_step="Leave price_year blank for a code.",
    )


def forecast_deflator(case: Case) -> Check | None:
    series = _series(case)
    years = tuple(
        {case.account.price_year, *case.inputs.costs["price_year"], *case.inputs.benefits["unit_year"]}
    )
    if series is None or not prices.is_forecast(case.lib, years):
        return None
    start = case.lib.deflators[series]["forecast_from"]
    return Check(
        name="forecast_deflator",
        reading=f"Prices were moved by {series}, in which years from {start} were forecasts.",
    )


def optimism_correction(case: Case) -> Check | None:
    grades = sorted({*case.inputs.costs["confidence"], *case.inputs.benefits["confidence"]} - {1})
    if not grades:
        return None
    table = case.lib.optimism[OPTIMISM]["correction"]
    words = ", ".join(f"grade {grade}: {table[grade]:.0%}" for grade in grades)
    return Check(
        name="optimism_correction",
        reading=f"Costs are raised and benefits cut by confidence grade ({words}).",
    )


def cashable_average_costs(case: Case) -> Check | None:
    """Average prison and care costs called cashable."""
    rows = [row for row in case.coded_rows if case.inputs.entries[row.code].average and row.cashable]
    if not rows:
        return None
    codes = ", ".join(sorted({row.code for row in rows}))
    return Check(
        name="cashable_average_costs",
        null="no average cost of places is called cashable",
        statistic=len(rows),
        threshold=0,
        passed=False,
        reading=f"{codes} is an average cost of places: a few places fewer do not close a wing or a home.",
        next_step="Set cashable to 0, or use a marginal cost and say who would release it.",
    )


def crime_by_type(case: Case) -> Check | None:
    """A frequency multiplied by the cost of one type of crime must count that type alone."""
    rows = [
        row for row in case.coded_rows if row.analysis and case.inputs.entries[row.code].counts == "offences"
    ]
    named = sorted(
        {f"{row.analysis} by {row.code}" for row in rows if case.inputs.entries[row.code].event != ANY_CRIME}
    )
    if not named:
        return None
    return Check(
        name="crime_by_type",
        reading=f"One type of crime is priced ({', '.join(named)}): the frequency must count that type alone.",
    )


def homicide_apart(case: Case) -> Check | None:
    """The ratio without homicide, whose rare and very large cost can carry an account."""
    is_homicide = np.array(
        [
            bool(code) and case.inputs.entries[code].event == "homicide"
            for code in case.inputs.benefits["code"]
        ]
    )
    if not is_homicide.any():
        return None
    without = central(replace(case.account, real=case.account.real * ~is_homicide[:, None]))[
        "benefit_cost_ratio"
    ]
    return Check(
        name="homicide_apart",
        statistic=without,
        reading=f"Without homicide the ratio is {without:.2g}: one homicide more or less moves the account.",
    )


def recorded_to_actual(case: Case) -> Check | None:
    used = sorted(set(case.inputs.benefits.loc[case.inputs.benefits["multiplier"] != 1, "multiplier"]))
    if not used:
        return None
    return Check(
        name="recorded_to_actual",
        reading=f"Crimes are multiplied by {', '.join(f'{each:g}' for each in used)}, from recorded to actual; "
        "proven reoffences are fewer than either.",
    )


def _series(case: Case) -> str | None:
    target = case.account.price_year
    years = {*case.inputs.costs["price_year"], *case.inputs.benefits["unit_year"]} - {target}
    return prices.series_for(case.lib, (sorted(years)[0], target)) if years else None
