"""What a reader of an account should know: each point a Check with its reading and what to do next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from evalkit.costbenefit import crime as of_crime
from evalkit.costbenefit import parameter_checks as of_parameters
from evalkit.costbenefit.account import central
from evalkit.costbenefit.case import Case
from evalkit.costbenefit.cells import rows_of, where
from evalkit.costbenefit.sensitivity import ALL_LINES
from evalkit.results import Check

SIMULATION_ERRORS = 4  # how many standard errors a Monte Carlo mean may lie from the exact mean
LONG = 50  # years beyond which the Green Book asks for its sensitivity rates
BANDS = ((0.5, "under 50 per cent"), (0.75, "50 to 75 per cent"), (1.01, "over 75 per cent"))


def all_checks(case: Case) -> tuple[Check, ...]:
    """Every check that has something to say about this account."""
    makers: tuple[Callable[[Case], Check | None], ...] = (
        denominator, impact_source, of_parameters.unit_cost_age, of_parameters.unverified_parameters,
        of_parameters.own_parameters, of_parameters.unit_cost_price_year, of_parameters.forecast_deflator,
        of_parameters.optimism_correction, of_parameters.cashable_average_costs, of_crime.crime_by_type,
        effect_sign, impact_error, impact_above_one, beyond_horizon, saves_more_than_spends, agencies_that_gain,
        joint_funding, in_kind_costs, transfers, of_crime.homicide_apart, of_crime.recorded_to_actual,
        break_even_possible, nothing_uncertain, chance_of_benefit, monte_carlo_error, long_horizon,
    )  # fmt: skip
    found = (make(case) for make in makers)
    return tuple(each for each in found if each is not None)


def denominator(case: Case) -> Check:
    """What sits in the denominator of the ratio, which differs between published ratios."""
    fiscal = case.account.perspective == "fiscal"
    below = "capital and revenue costs" if fiscal else "all costs, in-kind included"
    above = (
        "fiscal benefits, transfers included"
        if fiscal
        else "fiscal, economic and social benefits without transfers"
    )
    return Check(
        name="denominator", reading=f"The ratio is the present value of {above} over that of {below}."
    )


def impact_source(case: Case) -> Check | None:
    """Which analyses the benefits rest on; `statistic` is the number of lines whose impact somebody entered."""
    lines = case.account.benefits[case.account.counted()[1]]
    if lines.empty:
        return None
    named = sorted(set(lines["analysis"]) - {""})
    entered = int((lines["analysis"] == "").sum())
    if not named:
        reading = "Every impact was entered; none is estimated by an analysis of this study."
    else:
        reading = f"The impact is taken from {' and '.join(f'`{each}`' for each in named)}."
        reading += f" For {entered} of {len(lines)} lines it was entered instead." if entered else ""
    return Check(name="impact_source", statistic=entered, reading=reading)


def effect_sign(case: Case) -> Check | None:
    """Analyses whose estimate went the wrong way; their lines are negative benefits."""
    wrong = sorted(name for name, impact in case.inputs.impacts.items() if impact.value < 0)
    if not wrong:
        return None
    return Check(
        name="effect_sign",
        null="every analysis points towards a benefit",
        statistic=len(wrong),
        threshold=0,
        passed=False,
        reading=f"The estimate of {', '.join(wrong)} went the wrong way, so its lines count as harm.",
        next_step="Report the harm; do not replace the estimate by nought.",
    )


def impact_error(case: Case) -> Check | None:
    unknown = sorted(name for name, impact in case.inputs.impacts.items() if not impact.has_error)
    if not unknown:
        return None
    return Check(
        name="impact_error",
        null="every analysis gives its sampling error",
        passed=False,
        reading=f"{', '.join(unknown)} has no standard error, so no interval or probability is given.",
        next_step="Use break-even values.",
    )


def impact_above_one(case: Case) -> Check | None:
    large = [row for row in rows_of(case.inputs.benefits) if not row.analysis and row.impact > 1]
    if not large:
        return None
    rows = ", ".join(str(row.row) for row in large)
    return Check(
        name="impact_above_one",
        reading=f"benefits, rows {rows}: an impact above one is read as a count per person, not as a percentage.",
    )


def beyond_horizon(case: Case) -> Check | None:
    horizon = case.account.horizon
    costs = int((case.inputs.costs["year"] >= horizon).sum())
    benefits = int((case.inputs.benefits["last_year"] >= horizon).sum())
    if not costs and not benefits:
        return None
    return Check(
        name="beyond_horizon",
        null="every cost falls within the horizon",
        statistic=costs,
        threshold=0,
        passed=False if costs else None,
        reading=f"Left out beyond the horizon of {horizon} years: {costs} costs, and the later years of "
        f"{benefits} benefit lines.",
        next_step="Lengthen the horizon, so that costs are not cut off." if costs else "",
    )


def saves_more_than_spends(case: Case) -> Check | None:
    """Fiscal lines that save in a year more than the agency spends on the item.

    What it spends is `current_spend`, or the cost line of the same name and agency.
    """
    account = case.account
    yearly = (account.product[:, None] * account.nominal).max(axis=1, initial=0.0)
    listed = account.costs.groupby(["line", "agency"])["amount"].max().to_dict()
    item = [
        listed.get(each, np.nan)
        for each in zip(account.benefits["line"], account.benefits["agency"], strict=True)
    ]
    spend = account.benefits["current_spend"].fillna(pd.Series(item, dtype=float)).to_numpy(float)
    over = (yearly > spend) & account.is_benefit("fiscal")
    if np.isnan(spend).all():
        return None
    rows = [where("benefits", int(row)) for row in account.benefits.loc[over, "row"]]
    return Check(
        name="saves_more_than_spends",
        null="no agency saves more on an item than it spends on it",
        statistic=len(rows),
        threshold=0,
        passed=not rows,
        reading=f"More is saved in a year than is spent on the item: {', '.join(rows)}."
        if rows
        else "No agency saves more than it spends.",
        next_step="Check population, units and impact of these lines." if rows else "",
    )


def agencies_that_gain(case: Case) -> Check | None:
    """Agencies whose fiscal benefits exceed what they put in: who pays is not who saves."""
    account = case.account
    saved, paid = {}, {}
    worth = account.product * (account.real * account.discount).sum(axis=1)
    for agency, value, is_fiscal in zip(
        account.benefits["agency"], worth, account.is_benefit("fiscal"), strict=True
    ):
        saved[agency] = saved.get(agency, 0.0) + value * is_fiscal
    spent = account.amounts * account.cost_real * account.cost_discount * account.fiscal_costs()
    for agency, value in zip(account.costs["agency"], spent, strict=True):
        paid[agency] = paid.get(agency, 0.0) + value
    gain = sorted(agency for agency, value in saved.items() if value > paid.get(agency, 0.0))
    lose = sorted(agency for agency, value in paid.items() if value > saved.get(agency, 0.0))
    if not gain:
        return None
    reading = f"Save more than they pay: {', '.join(gain)}." + (
        f" Pay more than they save: {', '.join(lose)}." if lose else ""
    )
    return Check(name="agencies_that_gain", statistic=len(gain), reading=reading)


def joint_funding(case: Case) -> Check | None:
    """Grants of which this account carries a part, and parts of something that has no name."""
    costs = case.inputs.costs
    shared = costs[(costs["grant"] != "") | (costs["share"] < 1)]
    if shared.empty:
        return None
    said, nameless = [], sorted(set(shared.loc[shared["grant"] == "", "line"]))
    for grant, rows in shared[shared["grant"] != ""].groupby("grant", sort=True):
        paid = float((rows["amount"] * rows["share"]).sum())
        whole = float(rows.groupby("year")["amount"].max().sum())
        part = f"{paid / whole:.1%} (£{paid:,.0f})" if whole else "nothing"
        said.append(f"Of the grant “{grant}” (£{whole:,.0f}) this account carries {part}.")
    if nameless:
        said.append(f"Only a share is counted of: {', '.join(nameless)}.")
    return Check(
        name="joint_funding",
        statistic=len(shared),
        reading=" ".join(said) + " The rest must be in other accounts, and in no two of them.",
        next_step="Name the grant in the column `grant`, so that a run of several studies can add the shares up."
        if nameless
        else "",
    )


def in_kind_costs(case: Case) -> Check | None:
    if case.account.fiscal_costs().all():
        return None
    return Check(
        name="in_kind_costs", reading="In-kind costs count in public value and not in the fiscal account."
    )


def transfers(case: Case) -> Check | None:
    if not (case.inputs.benefits["transfer"] == 1).any():
        return None
    return Check(
        name="transfers",
        reading="Benefit payments and taxes count in the fiscal account and not in public value.",
    )


def break_even_possible(case: Case) -> Check | None:
    """Inputs that no possible value could bring to break-even, for lines together."""
    together = [each for each in case.break_evens if each.line == ALL_LINES and each.possible is not None]
    cannot = [each.name.replace("_", " ") for each in together if not each.possible]
    if not together:
        return None
    return Check(
        name="break_even_possible",
        reading=f"No possible value of {', '.join(cannot)} alone would make benefits equal costs."
        if cannot
        else "Each input has a possible value at which benefits equal costs.",
    )


def nothing_uncertain(case: Case) -> Check | None:
    if case.options.draws == 0:
        return None
    ratio = case.draws.get("benefit_cost_ratio")
    if ratio is None or len(ratio) == 0 or np.ptp(ratio) > 0:
        return None
    return Check(
        name="nothing_uncertain",
        null="some input is uncertain",
        passed=False,
        reading="Every input is entered as if known exactly, so the probability is nought or one.",
        next_step="Give ranges, confidence grades, or impacts from an analysis.",
    )


def chance_of_benefit(case: Case) -> Check | None:
    """The probability that benefits exceed costs in the bands in which reports print it."""
    if case.chance is None:
        return None
    band = next(words for limit, words in BANDS if case.chance < limit)
    return Check(
        name="chance_of_benefit",
        statistic=case.chance,
        reading=f"The chance that benefits exceed costs is {band}, given the inputs and their uncertainty.",
    )


def monte_carlo_error(case: Case) -> Check | None:
    """The mean of the draws against the exact expected value, in simulation errors."""
    name = "net_present_budget_impact" if case.account.perspective == "fiscal" else "net_present_public_value"
    values = case.draws.get(name)
    if values is None or len(values) < 2:
        return None
    exact = central(case.account)[name]
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    away = abs(float(values.mean()) - exact) / error if error > 0 else 0.0
    return Check(
        name="monte_carlo_error",
        null="the draws have the mean that the account has",
        statistic=away,
        threshold=SIMULATION_ERRORS,
        passed=away <= SIMULATION_ERRORS,
        reading=f"The mean of {len(values):,} draws lies {away:.1f} simulation errors from the exact value.",
        next_step="" if away <= SIMULATION_ERRORS else "Use more draws.",
    )


def long_horizon(case: Case) -> Check | None:
    if case.account.horizon <= LONG:
        return None
    return Check(
        name="long_horizon",
        reading=f"Beyond {LONG} years the Green Book asks for a second account with its sensitivity rates.",
        next_step="Run it with `discounting: green_book_2026_sensitivity`.",
    )
