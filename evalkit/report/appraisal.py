"""An account as others lay it out: the outputs of the Manchester model, an appraisal summary table, by who receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, estimate_text, interval_text, table
from evalkit.report.words import escape, is_number, money, number, percent
from evalkit.report.worth import NO_RATIO, RATIO_LEVEL, price_year
from evalkit.results import Estimate, Result

WITHHELD = "not shown: see below"
RECIPIENTS = {
    "taxpayers": "Taxpayers", "participants": "Participants", "others": "Others, such as victims",
    "indirect": "Indirect",
}  # fmt: skip


def value_views(output: Output) -> str:
    """Every account in three standard layouts."""
    pieces = [
        view(output, result)
        for result in output.results if result.method == "cost_benefit" and result.estimates
        for view in (_outputs, _summary, _recipients)
    ]  # fmt: skip
    return "\n".join(pieces) or "No account of costs and benefits was made.\n"


def _outputs(output: Output, result: Result) -> str:
    """The fiscal and the public value case by the names that the guidance for local partnerships gives them."""
    terms = {each.term: each for each in result.estimates}
    strong = output.level(result.analysis) >= RATIO_LEVEL
    named = [
        (
            "Fiscal case: net present budget impact (a minus is a saving)",
            terms.get("net_present_budget_impact"),
        ),
        ("Fiscal case: overall financial return on investment", terms.get("financial_return_on_investment")),
        ("Fiscal case: payback period (year in which it ends)", terms.get("payback_year")),
        ("Public value case: net present public value", terms.get("net_present_public_value")),
    ]
    rows = [_row(name, each, strong) for name, each in named if each is not None]
    rows.append(
        ["Public value case: benefit-cost ratio", _public_ratio(terms) if strong else WITHHELD, "[z]"]
    )
    cashable = terms.get("cashable_share")
    if cashable is not None:
        rows.append(_row("Share of fiscal benefits that is called cashable", cashable, True))
    columns = [
        Column(heading="Output"),
        Column(heading="Value", numeric=True),
        Column(heading="Range", numeric=True),
    ]
    caption = (
        "The outputs of the cost-benefit guidance for local partnerships (HM Treasury and New Economy, 2014)"
        f"{_prices(result)}"
    )
    text = table(columns, rows, caption=caption, name=f"outputs-{result.analysis}")
    below = result.check("denominator")
    said = [below.reading] if below is not None else []
    return text + escape(" ".join([*said, *([] if strong else [NO_RATIO])])) + "\n"


def _row(name: str, each: Estimate, strong: bool) -> list[str]:
    if each.measure == "ratio" and not strong and each.term != "cashable_share":
        return [name, WITHHELD, "[z]"]
    return [name, estimate_text(each), interval_text(each)]


def _public_ratio(terms: Mapping[str, Estimate]) -> str:
    """All benefits but transfers over all costs, from the two terms that hold them."""
    net, costs = terms.get("net_present_public_value"), terms.get("pv_costs")
    if net is None or costs is None or not costs.estimate or net.estimate is None:
        return "[x]"
    return number((net.estimate + costs.estimate) / costs.estimate, 2)


def _summary(output: Output, result: Result) -> str:
    """An appraisal summary table: the rows of the account, its switching value and what stands behind it."""
    if "summary_table" not in result.detail:
        return ""
    frame = numbers(result.detail["summary_table"], ["value"])
    noted = frame["note"] if "note" in frame else [""] * len(frame)
    rows = [
        [item, _cell(amount, str(unit)) if is_number(amount) else str(note or "[x]")]
        for item, amount, unit, note in zip(frame["item"], frame["value"], frame["unit"], noted, strict=True)
    ]
    said = {row[0] for row in rows}
    rows += [[item, "Not recorded"] for item in ("Not valued in money", "Risk") if item not in said]
    rows += [[name, words] for name, words in _behind(output, result)]
    columns = [Column(heading="Item"), Column(heading="What the account says")]
    return table(
        columns, rows, caption=f"Appraisal summary table{_prices(result)}", name=f"summary-{result.analysis}"
    )


def _behind(output: Output, result: Result) -> list[tuple[str, str]]:
    """Switching values, how strong the evidence is, and the choice that the account is about."""
    said = str(output.statement(result.analysis).get("can_say") or "")
    switching = next(
        (f"{part.strip()}." for part in said.split(". ") if part.startswith("To cover its cost")), ""
    )
    level = output.level(result.analysis)
    question = str(output.get("about", "question") or "")
    return [
        ("Switching values", switching or "None possible"),
        ("Evidence", f"Level {number(level, 0)} of 5"),
        ("Options compared", "The programme against doing nothing more than now"),
        ("Who gains and who loses", "By payer and year in the tables above; by household, not known"),
        ("Question", question or "Not recorded"),
    ]


def _cell(amount: float, unit: str) -> str:
    if unit.startswith("pounds"):
        return money(amount)
    return f"{number(amount, 0)} {unit}" if unit == "years" else f"Year {number(amount, 0)}"


def _recipients(output: Output, result: Result) -> str:
    """Benefits by who receives them, costs and the difference, as pages of the Washington State Institute have it."""
    if "per_recipient" not in result.detail:
        return ""
    frame = numbers(result.detail["per_recipient"], ["pv_benefits", "share"])
    terms = {each.term: each for each in result.estimates}
    rows = [
        [RECIPIENTS.get(str(row.recipient), str(row.recipient)), money(row.pv_benefits), percent(row.share)]
        for row in frame.itertuples()
    ]
    net, costs = terms.get("net_present_public_value"), terms.get("pv_costs")
    if net is not None and costs is not None and net.estimate is not None and costs.estimate is not None:
        rows += [
            ["Total benefits", money(net.estimate + costs.estimate), "[z]"],
            ["Costs of the programme, in kind included", money(-costs.estimate), "[z]"],
            ["Benefits less costs", money(net.estimate), "[z]"],
        ]
    chance = terms.get("probability_benefits_exceed_costs")
    if chance is not None and output.level(result.analysis) >= RATIO_LEVEL:
        rows.append(["Chance that benefits exceed costs", estimate_text(chance), "[z]"])
    columns = [Column(heading="Who receives"), Column(heading="Present value", numeric=True),
               Column(heading="Share of benefits", numeric=True)]  # fmt: skip
    caption = (
        "Benefits by who receives them, in the layout of the Washington State Institute for Public Policy "
        f"(transfers left out{_prices(result, lead='; ')})"
    )
    return table(columns, rows, caption=caption, name=f"recipients-{result.analysis}")


def _prices(result: Result, lead: str = ", ") -> str:
    year = price_year(result)
    return f"{lead}{year} prices" if year else ""


PARTS: Sequence[str] = ("value_views",)
