"""The part of a report on cost and value: who pays, who gains, and what would have to be true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, estimate_text, interval_text, table
from evalkit.report.words import escape, money, number, percent, plain_words, unit_words
from evalkit.results import Estimate, Result

RATIO_LEVEL = 4
NO_RATIO = (
    "No ratio of benefits to costs is shown as a finding: that needs evidence of level 4 or above. "
    "What can be shown is what would have to be true."
)
TERMS = {
    "pv_costs": "Present value of all costs",
    "pv_costs_fiscal": "Present value of costs to public budgets",
    "pv_benefits_fiscal": "Present value of benefits to public budgets",
    "pv_benefits_economic": "Present value of economic benefits",
    "pv_benefits_social": "Present value of social benefits",
    "net_present_budget_impact": "Net cost to public budgets (a minus is a saving)",
    "payback_year": "Year in which benefits have repaid costs, of those counted",
    "cashable_share": "Share of budget benefits that frees cash",
}
AGENCY = {
    "pv_costs_fiscal": "Costs", "pv_costs_in_kind": "Costs in kind", "pv_benefits_fiscal": "Benefits",
    "pv_benefits_cashable": "of which cash", "pv_benefits_economic": "Economic benefits",
    "pv_benefits_social": "Social benefits", "net_budget_impact": "Net budget cost",
}  # fmt: skip


def value(output: Output) -> str:
    """What it cost and what that may be worth, with the age of every unit cost."""
    results = [r for r in output.results if r.method == "cost_benefit"]
    if not results and not output.rows("parameters"):
        return "Not assessed: no costs or benefits were given to this study.\n"
    pieces = [_value_table(output, result) for result in results]
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
    return table(columns, cells, caption="Unit costs, their age and their sources", name="parameters")


def _value_table(output: Output, result: Result) -> str:
    """The account without its ratios where the evidence is too weak for one to be a finding."""
    strong = output.level(result.analysis) >= RATIO_LEVEL
    kept = [e for e in result.estimates if strong or not _is_ratio(e.term)]
    switching = [e for e in kept if e.term.startswith("break_even_")]
    body = _terms_table([e for e in kept if e not in switching], name=f"value-{result.analysis}",
                        caption=f"{_capital(output.label(result))}: costs and benefits")  # fmt: skip
    if not strong:
        body += f"\n{escape(NO_RATIO)}\n"
    if switching:
        body += "\n" + _terms_table(switching, name=f"break-even-{result.analysis}",
                                    caption="What would have to be true for benefits to equal costs")  # fmt: skip
    if "by_agency" in result.detail and not result.detail["by_agency"].empty:
        frame = result.detail["by_agency"]
        body += "\n" + _money_table(frame, caption="Who pays and who gains", name=f"agency-{result.analysis}")
    if "must_be_true" in result.detail and not result.detail["must_be_true"].empty:
        body += "\n" + _surface(result.detail["must_be_true"], name=f"true-{result.analysis}")
    return body


def _surface(frame: pd.DataFrame, *, name: str) -> str:
    """Units to avoid per person for a published ratio to hold: costs down the side, deadweight across."""
    known = numbers(frame, ["cost_base", "unit_cost", "deadweight", "required_units"])
    dead = sorted(known["deadweight"].dropna().unique())
    columns = [
        Column(heading="Cost base", numeric=True), Column(heading="Unit cost", numeric=True), Column(heading="Unit"),
        *(Column(heading=f"Units if {percent(d)} would have happened anyway", numeric=True) for d in dead),
    ]  # fmt: skip
    rows = []
    for (base, cost, unit), cells in known.groupby(["cost_base", "unit_cost", "unit"], sort=True):
        at = cells.set_index("deadweight")["required_units"]
        rows.append([money(base), money(cost), unit, *(number(float(at.get(d, float("nan")))) for d in dead)])
    caption = "What would have to be true for the published ratio: units avoided for each person"
    return table(columns, rows, caption=caption, name=name)


def _is_ratio(term: str) -> bool:
    return term in {
        "benefit_cost_ratio",
        "financial_return_on_investment",
        "probability_benefits_exceed_costs",
    }


def _terms_table(estimates: Sequence[Estimate], *, caption: str, name: str) -> str:
    rows = [[_term(e), _possible(e), interval_text(e), unit_words(e.measure, e.unit)] for e in estimates]
    columns = [Column(heading="Term"), Column(heading="Value", numeric=True), Column(heading="Range", numeric=True),
               Column(heading="Counted in")]  # fmt: skip
    return table(columns, rows, caption=caption, name=name)


def _term(each: Estimate) -> str:
    return TERMS.get(each.term) or plain_words(each.term.removeprefix("break_even_")).capitalize()


def _possible(each: Estimate) -> str:
    """A value, unless costs are never repaid, or a switching value is a share that no share can be."""
    if each.term == "payback_year" and each.estimate is None:
        return "never"
    share = each.term.startswith("break_even_") and each.unit == "proportion" and each.estimate is not None
    return "none possible" if share and not 0 <= each.estimate <= 1 else estimate_text(each)


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
