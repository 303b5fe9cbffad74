"""The part of a report on cost and value: who pays, who saves and when, and what would have to be true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, estimate_text, interval_text, table
from evalkit.report.words import (
    count,
    escape,
    is_number,
    money,
    number,
    percent,
    plain_words,
    sentence,
    term_words,
    uncoded,
)  # fmt: skip
from evalkit.results import Estimate, Result

RATIO_LEVEL = 4
NO_RATIO = (
    "No ratio of benefits to costs is shown as a finding: that needs evidence of level 4 or above. "
    "What can be shown is what would have to be true."
)
ROUNDED = "Each figure is rounded to two digits, so that rows and columns may not add up to the last one."
AGENCY = {
    "pv_costs_fiscal": "Costs", "pv_costs_in_kind": "Costs in kind", "pv_benefits_fiscal": "Benefits",
    "pv_benefits_cashable": "of which cash", "pv_benefits_economic": "Economic benefits",
    "pv_benefits_social": "Social benefits", "net_budget_impact": "Net budget cost",
}  # fmt: skip
SWITCHES = {
    "impact": "Impact of the programme", "deadweight": "Share that would have happened anyway",
    "unit_cost": "Value of each unit", "population": "People a year", "affected": "Share of them affected",
    "engaged": "Share who take part", "retained": "Share who stay",
    "units": "Units for each person helped", "drop_off": "Share of the benefit lost each year", "costs": "Costs",
}  # fmt: skip
MOST_YEARS = 5  # years with a column of their own; later ones are summed


def value(output: Output) -> str:
    """What it cost and what that may be worth, with the age of every unit cost."""
    results = [r for r in output.results if r.method == "cost_benefit"]
    if not results and not output.rows("parameters"):
        return "Not assessed: no costs or benefits were given to this study.\n"
    pieces = [_account(output, result) for result in results]
    return "\n".join([*pieces, parameters(output)])


def parameters(output: Output) -> str:
    """The unit costs that were used, how old they are, and which of them nobody has verified."""
    rows = output.rows("parameters")
    if not rows:
        return "No unit costs were used.\n"
    cells = [
        [row.get("item") or row.get("code") or "[x]", _amount(row), row.get("price_year") or "[x]",
         row.get("age_years"), "Yes" if row.get("verified") else "No: treat as unverified", row.get("source") or "[x]"]
        for row in rows
    ]  # fmt: skip
    columns = [
        Column(heading="Item"), Column(heading="Value", numeric=True), Column(heading="Price year"),
        Column(heading="Age (years)", numeric=True), Column(heading="Verified"), Column(heading="Source"),
    ]  # fmt: skip
    said = " ".join(_provenance(output, rows))
    caption = "Unit costs, their age and their sources"
    return table(columns, cells, caption=caption, name="parameters") + (f"{escape(said)}\n" if said else "")


def _provenance(output: Output, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
    """How old the oldest unit cost is, and which values nobody has checked, where there is an account."""
    accounts = [r for r in output.results if r.method == "cost_benefit"]
    dated = [row for row in rows if is_number(row.get("age_years"))]
    if not accounts:
        return []
    said = []
    if dated:
        oldest = max(dated, key=lambda row: row["age_years"])
        years = f"{count(oldest['age_years'])} {'year' if oldest['age_years'] == 1 else 'years'}"
        said.append(
            f"The oldest unit cost ({_lower(oldest.get('item') or oldest.get('code'))}) is in prices of "
            f"{oldest.get('price_year') or 'an unknown year'}, {years} before those of the account."
        )
    checks = (r.check("unverified_parameters") for r in accounts)
    read = [sentence(c.reading) for c in checks if c is not None and c.passed is False and c.reading][:1]
    unchecked = [_lower(row.get("item") or row.get("code")) for row in rows if not row.get("verified")]
    unsaid = [name for name in unchecked if not any(name in each for each in read)]
    return [*said, *([f"Not verified: {', '.join(unsaid)}."] if unsaid else []), *map(uncoded, read)]


def _lower(text: object) -> str:
    """A label as it reads inside a sentence: its first letter small, unless it begins with an abbreviation."""
    words = plain_words(text)
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def _account(output: Output, result: Result) -> str:
    """Who pays and who saves first; then the totals, without ratios where the evidence is too weak for one."""
    strong = output.level(result.analysis) >= RATIO_LEVEL
    kept = [e for e in result.estimates if strong or not _is_ratio(e.term)]
    switching = [e for e in kept if e.term.startswith("break_even_")]
    body = ""
    if _has(result, "by_agency"):
        body += _money_table(
            result.detail["by_agency"], caption="Who pays and who saves", name=f"agency-{result.analysis}"
        )
    if _has(result, "by_agency_year"):
        body += "\n" + _yearly(result.detail["by_agency_year"], name=f"agency-year-{result.analysis}")
    body += "\n" + _totals(output, result, [e for e in kept if e not in switching])
    if not strong:
        body += f"\n{escape(NO_RATIO)}\n"
    if switching:
        body += "\n" + _switching_table(result, switching)
    if _has(result, "must_be_true"):
        body += "\n" + _surface(result.detail["must_be_true"], name=f"true-{result.analysis}")
    return body


def _has(result: Result, name: str) -> bool:
    return name in result.detail and not result.detail[name].empty


def _totals(output: Output, result: Result, estimates: list[Estimate]) -> str:
    """The totals; kinds of benefit of which none was entered are named below and have no row."""
    empty = [
        e for e in estimates if e.term in ("pv_benefits_economic", "pv_benefits_social") and e.estimate == 0
    ]
    rows = [[term_words(e.term), estimate_text(e), interval_text(e)] for e in estimates if e not in empty]
    columns = [
        Column(heading="Total"),
        Column(heading="Value", numeric=True),
        Column(heading="Range", numeric=True),
    ]
    year = price_year(result)
    caption = f"{_capital(output.label(result))}: totals{f', in {year} prices' if year else ''}"
    none = " or ".join(e.term.removeprefix("pv_benefits_") for e in empty)
    said = f"No {none} benefits were entered.\n" if none else ""
    return table(columns, rows, caption=caption, name=f"value-{result.analysis}") + said


def price_year(result: Result) -> str:
    """The prices that an account is in, from the unit of its totals."""
    unit = next((e.unit for e in result.estimates if e.term == "pv_costs"), None) or ""
    return unit.removeprefix("pounds, ").removesuffix(" prices") if unit.endswith(" prices") else ""


def _yearly(frame: pd.DataFrame, *, name: str) -> str:
    """Net budget cost of each agency in each year, and of all public budgets together."""
    known = numbers(frame, ["year", "net_budget_impact"])
    if known["net_budget_impact"].isna().any():
        return "By year: withheld, because some of its figures are.\n"
    wide = known.pivot_table(
        index="agency", columns="year", values="net_budget_impact", aggfunc="sum", fill_value=0.0
    )
    wide = wide[(wide != 0).any(axis=1)]
    years = range(int(known["year"].max()) + 1) if len(known) else range(0)
    wide = wide.reindex(columns=list(years), fill_value=0.0)
    shown = wide[[year for year in years if year < MOST_YEARS]]
    shown.columns = [f"Year {year}" for year in shown.columns]
    if len(years) > MOST_YEARS:
        shown = shown.assign(
            **{f"Years {MOST_YEARS} to {years[-1]}": wide[list(years)[MOST_YEARS:]].sum(axis=1)}
        )
    total = shown.sum()
    rows = [
        [agency, *map(money, row), money(sum(row))]
        for agency, row in zip(shown.index, shown.to_numpy(), strict=True)
    ]
    rows.append(["All public budgets", *map(money, total), money(total.sum())])
    rows.append(["All, added up over the years", *map(money, total.cumsum()), money(total.sum())])
    columns = [
        Column(heading="Payer"),
        *(Column(heading=str(c), numeric=True) for c in shown),
        Column(heading="All years", numeric=True),
    ]
    caption = "When: net cost to each budget in each year (a minus is a saving; year 0 is the first; present values, £)"
    return table(columns, rows, caption=caption, name=name) + f"{escape(ROUNDED)}\n"


def _switching_table(result: Result, switching: list[Estimate]) -> str:
    """What each input would have to be, alone, for benefits to equal costs."""
    entered = {}
    if _has(result, "break_even"):
        frame = numbers(result.detail["break_even"], ["entered"])
        entered = frame[frame["line"] == "all lines"].set_index("input")["entered"].to_dict()
    rows = []
    for each in switching:
        name = each.term.removeprefix("break_even_")
        rows.append(
            [
                SWITCHES.get(name) or plain_words(name).capitalize(),
                _entered(each, entered.get(name)),
                _needed(each),
            ]
        )
    columns = [Column(heading="If only this changed"), Column(heading="As entered", numeric=True),
               Column(heading="Benefits would equal costs at", numeric=True)]  # fmt: skip
    caption = "What would have to be true for benefits to equal costs"
    return table(columns, rows, caption=caption, name=f"break-even-{result.analysis}")


def _entered(each: Estimate, entered: object) -> str:
    if not is_number(entered):
        return "differs between lines"
    return _in_unit(each, float(entered))


def _needed(each: Estimate) -> str:
    """The switching value in the unit of its input, or that there is none."""
    if each.estimate is None:
        return "no value would do"
    if (each.unit or "").startswith("times"):
        return f"{number(each.estimate, 1)} times each value"
    if each.estimate < 0 or (each.unit == "proportion" and each.estimate > 1):
        return "no value would do"
    if each.unit == "people":
        return number(math.ceil(each.estimate - 1e-9), 0)
    return _in_unit(each, each.estimate)


def _in_unit(each: Estimate, amount: float) -> str:
    unit = each.unit or ""
    if unit.startswith("pounds"):
        return money(amount)
    if unit == "proportion":
        return percent(amount)
    if each.term == "break_even_impact":
        return f"{percent(amount)} of people" if 0 <= amount <= 1 else f"{number(amount, 2)} for each person"
    return number(amount, 0 if unit == "people" else 1)


def _surface(frame: pd.DataFrame, *, name: str) -> str:
    """Units to avoid per person for a published ratio to hold: costs down the side, deadweight across."""
    known = numbers(frame, ["cost_base", "unit_cost", "deadweight", "required_units"])
    dead = sorted(known["deadweight"].dropna().unique())
    units = sorted(set(known["unit"].astype(str)))
    what = f"{plain_words(units[0]).capitalize()}s" if len(units) == 1 else "Units"
    columns = [
        Column(heading="If the cost was", numeric=True), Column(heading="and one costs", numeric=True),
        Column(heading="Unit"),
        *(Column(heading=f"{what} if {percent(d)} would have happened anyway", numeric=True) for d in dead),
    ]  # fmt: skip
    rows = []
    for (base, cost, unit), cells in known.groupby(["cost_base", "unit_cost", "unit"], sort=True):
        at = cells.set_index("deadweight")["required_units"]
        rows.append(
            [money(base), money(cost), unit, *(number(float(at.get(d, float("nan"))), 0) for d in dead)]
        )
    caption = "What would have to be true for the published ratio: units avoided for each person"
    return table(columns, rows, caption=caption, name=name)


def _is_ratio(term: str) -> bool:
    return term in {
        "benefit_cost_ratio",
        "financial_return_on_investment",
        "probability_benefits_exceed_costs",
    }


def _money_table(frame: pd.DataFrame, *, caption: str, name: str) -> str:
    """Pounds by agency, without the columns that hold nothing but noughts."""
    shown = frame.copy()
    for column in shown.columns[1:]:
        shown[column] = [_pounds(cell) for cell in shown[column]]
    shown = shown.loc[:, [i == 0 or not shown[c].eq("£0").all() for i, c in enumerate(shown.columns)]]
    columns = [Column(heading=AGENCY.get(str(c)) or plain_words(c).capitalize(), numeric=i > 0)
               for i, c in enumerate(shown.columns)]  # fmt: skip
    return table(columns, shown.to_numpy().tolist(), caption=f"{caption} (present values, £)", name=name)


def _pounds(cell: object) -> str:
    try:
        return money(float(str(cell)))
    except ValueError:
        return str(cell)


def _amount(row: Mapping[str, object]) -> str:
    value, unit = row.get("value"), str(row.get("unit") or "")
    if not isinstance(value, int | float):
        return f"{value or '[x]'} {unit}".strip()
    pounds = f"£{value:,.0f}" if float(value).is_integer() else f"£{value:,.2f}"
    if unit.startswith(("£", "GBP")):
        return f"{pounds}{unit.removeprefix('£').removeprefix('GBP')}"
    return f"{pounds} per {unit.removeprefix('per ')}" if unit else pounds


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
