"""The method `cost_benefit`: an account of costs and benefits by agency and year, with its uncertainty."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evalkit.costbenefit import views
from evalkit.costbenefit.account import Account, build_account, cashflow, central, correction
from evalkit.costbenefit.case import Case
from evalkit.costbenefit.checks import all_checks
from evalkit.costbenefit.crime import crime_frame
from evalkit.costbenefit.inputs import Inputs, read_inputs
from evalkit.costbenefit.must_be_true import surface
from evalkit.costbenefit.options import CostBenefitOptions
from evalkit.costbenefit.rules import refuse_misuse
from evalkit.costbenefit.sensitivity import (
    ALL_LINES,
    INPUTS,
    BreakEven,
    break_even_frame,
    break_evens,
    scenarios,
    tornado,
)
from evalkit.costbenefit.uncertainty import Uncertainty, chance_of_more_than_costs, draw, uncertainty
from evalkit.costbenefit.what_if import what_if_frames
from evalkit.errors import EvalkitWarning, StudyError
from evalkit.options import takes
from evalkit.results import Estimate, Result

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
RATIO_TERMS = ("benefit_cost_ratio", "financial_return_on_investment")
MEASURES = {"payback_year": "year", "cashable_share": "share", **dict.fromkeys(RATIO_TERMS, "ratio")}
PARTS_OF_COST = (0.25, 0.5, 1.0)  # a published ratio seldom says how much of the cost it counts
WARNED = ("effect_sign", "unit_cost_price_year", "saves_more_than_spends", "beyond_horizon")
REFERENCES = ("hmtreasury2026", "hmtreasury2014", "gmca2015")


@takes(CostBenefitOptions)
def cost_benefit(frames: Mapping[str, pd.DataFrame], options: CostBenefitOptions) -> Result:
    """Present values of costs and benefits, by agency and year, and what would have to change for them to be equal.

    Parameters
    ----------
    frames : mapping of two tables, `costs` and `benefits`
        `costs`: line, agency, kind (capital, revenue, in_kind), year (0 is the first), amount (pounds), price_year,
        confidence (grade 1 to 6). Optional: share (of a joint grant that this account carries), grant (its name).
        `benefits`: line, agency, perspective (fiscal, economic, social), transfer (0/1), cashable (0/1), population
        (people a year), affected, engaged, retained (proportions), impact (a net proportion or count per person, or
        the name of an analysis), deadweight (proportion), units (per impact), unit_cost (pounds, or a code),
        price_year (blank for a code), first_year, last_year, drop_off (a year), schedule (standard, health),
        confidence. Optional: multiplier (from recorded to actual crime), current_spend (pounds a year that the agency
        spends on the item), recipient (taxpayers, participants, others, indirect). In both, `<input>_low`,
        `<input>_high` and `<input>_distribution` make an input uncertain.
    horizon : int, optional
        Years 0 to horizon − 1 count; by default, to the last year that a line names.
    price_year : str, optional
        The prices of every result (`2019/20` or `2019`); by default the one that all amounts share.
    deflator : str, optional
        The series that moves amounts to `price_year`, such as `gdp_financial_2026`; by default the first that holds all
        the account's years (a user's own series first, then the edition that the unit cost database itself uses).
    discounting : str
        Edition of the discount rates; its sensitivity table is `green_book_2026_sensitivity`.
    perspective : {"fiscal", "public_value"}
        What `benefit_cost_ratio` and the break-even values count. Every other term is given for both.
    draws : int
        Monte Carlo draws; 0 for none.
    kind : {"evaluation", "appraisal"}
        Before the event (ranges and switching values) or after it. It changes pages, not numbers.
    parameters : str or mapping, optional
        A user's own parameter file, which wins over the shipped values.
    impacts : mapping
        Analysis name to `Impact`; the pipeline fills it from earlier results.
    baselines : mapping
        Analysis name to the rate without the programme, for analyses that give a ratio.
    not_valued, risks : tuple of str
        What matters and has no price, and what could go wrong, in words: rows of the appraisal summary table.
    published_ratio, people, cost_bases, unit_costs, deadweights
        A published ratio, and the values over which to show what would have to be true for it.
    level, seed
        Of the interval that the draws give; of the draws.

    Returns
    -------
    Result
        Terms: `benefit_cost_ratio` (headline), `pv_costs`, `pv_costs_fiscal`, `pv_benefits_fiscal`,
        `pv_benefits_economic`, `pv_benefits_social`, `net_present_budget_impact`, `financial_return_on_investment`,
        `payback_year`, `net_present_public_value`, `probability_benefits_exceed_costs`, `cashable_share`, and
        `break_even_<input>`. Frames: `cashflow` (line, agency, year, flow, type, nominal, real, discounted),
        in pounds; `by_agency` (agency, pv_costs_fiscal, pv_costs_in_kind, pv_benefits_fiscal, pv_benefits_cashable,
        pv_benefits_economic, pv_benefits_social, net_budget_impact), `by_agency_year` (the fiscal ones by year, with
        cumulative_budget_impact) and `by_year` (year, costs, costs_fiscal, benefits_fiscal, benefits_economic,
        benefits_social, cumulative_budget_impact); `tornado` (input, line, basis, low, high, ratio_low, ratio_high,
        spread), `draws` (term, quantile, value), `break_even` (input, line, entered, break_even, multiple, possible)
        and `scenarios` (scenario, ratio, net_present_public_value, net_present_budget_impact); `per_recipient`
        (recipient, pv_benefits, share), `summary_table` (item, value, unit, note), `parameters` (code, item, value,
        unit, price_year, age_years, verified, source, origin); `what_if_lines` (line, agency, counted, impact,
        deadweight, net_impact, unit_cost, worth) and `what_if_costs` (item, value); where a cost of crime is used,
        `crime` (line, agency, event, code, analysis, net_offences, multiplier, unit_cost, pv_benefits,
        pv_without_multiplier); and, where a published ratio is given, `must_be_true` (cost_base, unit_cost, code, unit,
        price_year, deadweight, required_units).

    Raises
    ------
    DataError
        For wrong rows and for each misuse that `rules.refuse_misuse` names.
    StudyError
        For price years that cannot be brought together.

    Assumes
    -------
    Impacts are net and constant in scale; unit costs would be saved in the proportion that units fall (Check
    `cashable_average_costs`); inputs of different lines are independent but for shared analyses and shared lines.

    Notes
    -----
    Value in a year = population × affected × engaged × retained × impact × (1 − deadweight) × units × unit cost ×
    (1 − correction) × (1 − drop_off)^(year − first_year), moved to the price year and discounted, year 0
    undiscounted. The headline ratio is the ratio of expected present values; its interval comes from the draws.

    References
    ----------
    HM Treasury (2026), The Green Book. HM Treasury, PSTN and New Economy (2014), Supporting public service
    transformation: cost benefit analysis guidance for local partnerships. GMCA (2015), Unit Cost Database v1.4.
    """
    lib, impacts = options.library, options.known_impacts
    inputs = read_inputs(frames, lib, impacts)
    refuse_misuse(inputs)
    account = build_account(inputs, options, lib)
    uncertain = uncertainty(account, inputs.impacts, lib)
    has_error = all(impact.has_error for impact in inputs.impacts.values())
    draws = draw(account, uncertain, options.draws, options.seed) if options.draws and has_error else {}
    chance = chance_of_more_than_costs(account, draws) if draws and _has_costs(account) else None
    switching = break_evens(account)
    case = Case(
        inputs=inputs,
        account=account,
        options=options,
        lib=lib,
        draws=draws,
        chance=chance,
        break_evens=switching,
    )
    ordered = _ordered(draws)
    checks = all_checks(case)
    for check in checks:
        if check.name in WARNED and check.passed is False:
            warnings.warn(f"{check.name}: {check.reading}", EvalkitWarning, stacklevel=3)
    return Result(
        method="cost_benefit",
        estimand=_estimand(inputs),
        outcome="",
        estimates=tuple(_estimates(case, ordered)),
        checks=checks,
        detail=_detail(case, uncertain, ordered),
        references=REFERENCES,
    )


def _detail(case: Case, uncertain: Uncertainty, ordered: Mapping[str, np.ndarray]) -> dict[str, pd.DataFrame]:
    account, options = case.account, case.options
    flow = cashflow(account)
    return {
        "cashflow": flow,
        "by_agency": views.by_agency(account, flow),
        "by_agency_year": views.by_agency_year(account, flow),
        "by_year": views.by_year(account, flow),
        "tornado": tornado(account, uncertain, options.level),
        "draws": _quantiles(ordered),
        "break_even": break_even_frame(case.break_evens),
        "scenarios": scenarios(account, case.lib, uncertain, options.level),
        "per_recipient": views.per_recipient(account),
        "summary_table": views.summary_table(account, options),
        "parameters": views.parameters_used(case.inputs, account),
        **crime_frame(case.inputs, account),
        **what_if_frames(account),
        **_must_be_true(case),
    }


def _estimates(case: Case, ordered: Mapping[str, np.ndarray]) -> list[Estimate]:
    pounds, level = f"pounds, {case.account.price_year} prices", case.options.level
    units = {"ratio": "pounds per pound", "year": "year index", "share": "proportion"}
    found = []
    for term, value in central(case.account).items():
        measure = MEASURES.get(term, "present_value")
        interval = _interval(ordered[term], level) if ordered and np.isfinite(value) else {}
        unit = units.get(measure, pounds)
        found.append(Estimate(term=term, measure=measure, estimate=value, level=level, unit=unit, **interval))
    chance = Estimate(
        term="probability_benefits_exceed_costs",
        measure="probability",
        estimate=case.chance,
        level=level,
        unit="proportion",
    )
    found.insert(-1, chance)
    joint = {each.name: each for each in case.break_evens if each.line == ALL_LINES}
    found += [_break_even(joint[name], pounds, level) for name in (*INPUTS, "drop_off", "costs")]
    return found


def _interval(values: np.ndarray, level: float) -> dict[str, Any]:
    """Quantiles of ordered draws: None at an end that some draws lack (a payback that never comes)."""
    if values[0] == values[-1]:
        return {}
    tail = (1 - level) / 2
    return {
        "conf_low": _quantile(values, tail),
        "conf_high": _quantile(values, 1 - tail),
        "interval": "monte_carlo",
    }


def _ordered(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each term's draws in order, those without a value last; a term that does not vary as its two equal ends."""
    found = {}
    for term, values in draws.items():
        whole = np.where(np.isnan(values), np.inf, values)
        found[term] = whole[:2] if (whole == whole[0]).all() else np.sort(whole)
    return found


def _quantile(ordered: np.ndarray, p: float) -> float:
    """The smallest draw that at least a share p of the draws do not exceed."""
    return float(ordered[max(0, int(np.ceil(p * len(ordered) - 1e-9)) - 1)])


def _break_even(each: BreakEven, pounds: str, level: float) -> Estimate:
    units = {
        "unit_cost": "pounds per unit",
        "population": "people",
        "costs": pounds,
        "units": "units",
        "impact": "per person",
    }
    unit = "times the values entered" if each.is_multiple else units.get(each.name, "proportion")
    term = f"break_even_{each.name}"
    return Estimate(term=term, measure="switching_value", estimate=each.value, level=level, unit=unit)


def _quantiles(ordered: Mapping[str, np.ndarray]) -> pd.DataFrame:
    rows = [
        {"term": term, "quantile": share, "value": _quantile(values, share)}
        for term, values in ordered.items()
        for share in QUANTILES
    ]
    frame = pd.DataFrame(rows, columns=["term", "quantile", "value"])
    return frame.replace({"value": {np.inf: np.nan}})


def _must_be_true(case: Case) -> dict[str, pd.DataFrame]:
    """The surface for a published ratio; what the options leave open is taken from the account."""
    account, options = case.account, case.options
    if options.published_ratio is None:
        return {}
    people = options.people or float(account.benefits["population"].max())
    bases = options.cost_bases or tuple(share * _cost_base(account, options) for share in PARTS_OF_COST)
    priced = options.unit_costs or _unit_costs_of(case)
    if not (people > 0 and priced):
        raise StudyError(
            "a published ratio needs `people`, `cost_bases` and `unit_costs`",
            where="cost_benefit, `published_ratio`",
            do="Give every value that is possible: the answer is a surface, not one number",
        )
    return {
        "must_be_true": surface(
            options.published_ratio,
            people,
            bases,
            priced,
            options.deadweights,
            parameters=options.parameters,
            price_year=account.price_year,
        )
    }


def _cost_base(account: Account, options: CostBenefitOptions) -> float:
    """Counted costs in the account's prices, without the optimism correction that a published ratio may not hold."""
    raised = 1 + correction(account.costs, options.library)
    return float((account.amounts * account.cost_real / raised)[account.counted()[0]].sum())


def _unit_costs_of(case: Case) -> tuple[str | float, ...]:
    """The places (weeks, years) that the account prices, or else everything that it counts."""
    lines = case.account.benefits[case.account.counted()[1]]
    places = [code for code in lines["code"] if code and case.inputs.entries[code].average]
    priced = places or [code or value for code, value in zip(lines["code"], lines["unit_cost"], strict=True)]
    return tuple(dict.fromkeys(priced))


def _estimand(inputs: Inputs) -> str:
    found = sorted({impact.estimand for impact in inputs.impacts.values()})
    return " and ".join(found) if found else "descriptive"


def _has_costs(account: Account) -> bool:
    return bool((account.amounts * account.cost_real)[account.counted()[0]].sum() > 0)
