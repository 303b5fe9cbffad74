"""What a reader should know of the unit costs, deflators and corrections behind an account."""

from __future__ import annotations

from evalkit.costbenefit.case import Case
from evalkit.costbenefit.cells import rows_of, where
from evalkit.costbenefit.options import schedules
from evalkit.parameters import OPTIMISM, SPREAD, named, prices
from evalkit.results import Check

OLD_UNIT_COST = 5  # years between a unit cost's prices and the account's


def unit_cost_age(case: Case) -> Check | None:
    """Years from the oldest unit cost's prices to those of the account."""
    ages = {}
    for row in rows_of(case.inputs.benefits):
        if prices.is_financial(row.unit_year) == prices.is_financial(case.account.price_year):
            name = named(row.code, case.lib) if row.code else row.line
            ages[name] = prices.years_between(row.unit_year, case.account.price_year)
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
    """Values that nobody has checked against the primary document, and rules of our own that have none."""
    used = sorted({row.code for row in case.coded_rows if not case.inputs.entries[row.code].verified})
    grades = {*case.inputs.costs["confidence"], *case.inputs.benefits["confidence"]} - {1}
    tables = {**case.lib.optimism, **case.lib.discounting, **case.lib.deflators}
    candidates = [*((OPTIMISM, SPREAD) if grades else ()), schedules(case.options.discounting, case.lib)[0]]
    candidates += case.account.deflators
    used += [name for name in candidates if not tables[name]["verified"]]
    own = [name for name in used if tables.get(name, {}).get("own_rule")]
    others = [name for name in used if name not in own]
    said = _said("Not checked against the document it comes from", others, case)
    said += _said("A rule of evalkit's own, with no document behind it", own, case)
    return Check(
        name="unverified_parameters",
        null="every parameter was checked against its primary document",
        statistic=len(used),
        threshold=0,
        passed=not used,
        reading=" ".join(said) or "Every parameter used was checked at its source.",
        next_step="Have these values checked at their source, or give your own in a parameter file."
        if used
        else "",
    )


def _said(lead: str, codes: list[str], case: Case) -> list[str]:
    return [f"{lead}: {'; '.join(named(code, case.lib) for code in codes)}."] if codes else []


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
    """Years of the deflator that were forecasts, and how far a newer edition would move the amounts."""
    years = _years(case)
    said, step = [], ""
    for series in case.account.deflators:
        held = tuple(each for each in years if each in _held(case, series))
        if not prices.is_forecast(case.lib, held, series):
            continue
        start = case.lib.deflators[series]["forecast_from"]
        said.append(
            f"Prices were moved by the {named(series, case.lib)}, in which years from {start} were forecasts."
        )
        newer = prices.newer_series(case.lib, series, held)
        if newer is not None:
            size = _difference(case, series, newer, held)
            said.append(f"By the {named(newer, case.lib)}, amounts would move by up to {size:.1%}.")
            step = f"Set `deflator: {newer}` to use the newer edition."
    return Check(name="forecast_deflator", reading=" ".join(said), next_step=step) if said else None


def _difference(case: Case, series: str, newer: str, years: tuple[str, ...]) -> float:
    """The largest relative difference between two deflators over the moves that this account makes."""
    target = case.account.price_year
    old, new = (
        [prices.deflator_ratio(case.lib, year, target, name) for year in years] for name in (series, newer)
    )
    return max(abs(b / a - 1) for a, b in zip(old, new, strict=True))


def _held(case: Case, series: str) -> set[str]:
    return {str(year) for year in case.lib.deflators[series]["values"]}


def _years(case: Case) -> tuple[str, ...]:
    used = {case.account.price_year, *case.inputs.costs["price_year"], *case.inputs.benefits["unit_year"]}
    return tuple(sorted(used))


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
    codes = sorted({row.code for row in rows})
    names = "; ".join(named(code, case.lib) for code in codes)
    verb = "is an average cost of places" if len(codes) == 1 else "are average costs of places"
    return Check(
        name="cashable_average_costs",
        null="no average cost of places is called cashable",
        statistic=len(rows),
        threshold=0,
        passed=False,
        reading=f"Called cashable, but {verb}: {names}. A few places fewer do not close a wing or a home.",
        next_step="Do not call this money free (cashable 0), or use what one place fewer saves and say who would "
        "release it.",
    )
