"""Sentences about cost and value: a ratio is a finding at level 4 or above, break-even is what can be said below it."""

from __future__ import annotations

import math

from evalkit.claims.amounts import percent, short
from evalkit.claims.labels import Words
from evalkit.claims.shapes import Facts
from evalkit.results import Estimate, Result

PAYERS = {"fiscal": "public budgets", "public_value": "society as a whole"}
SWITCHES = {
    "impact": "the impact",
    "deadweight": "what would have happened anyway",
    "unit_cost": "the value of each unit",
    "costs": "the costs",
}
FINDING_FROM = 4
MINUS = "\N{MINUS SIGN}"

WITHHELD = (
    "No figure of this account can be given: it values a result that is withheld so that nobody can be "
    "recognised."
)


def pounds(value: float) -> str:
    """`£1.50`, `£48,000`, `−£0.20`: two figures that count, never a lone digit after the point."""
    if value < 0:
        return f"{MINUS}{pounds(-value)}"
    if abs(value) < 10:
        return f"£{float(short(value)):.2f}"
    size = 10 ** max(0, math.floor(math.log10(abs(value))) - 1)
    return f"£{round(value / size) * size:,}"


def cost_benefit(result: Result, facts: Facts, w: Words, level: int) -> tuple[str, str, str]:
    """What can be said of an account, what cannot, and no direction."""
    head = result.headline
    payer = PAYERS.get(facts.cost_perspective, "those counted")
    if (
        facts.cost_kind == "evaluation"
        and level >= FINDING_FROM
        and not facts.simulated
        and head.estimate is not None
    ):
        return _finding(head, payer, w, level)
    if all(each.estimate is None for each in result.estimates):
        return w.say(WITHHELD), "What the programme was worth, in money or beside its cost.", "not assessed"
    said = _appraisal(head, payer, facts.simulated) if facts.cost_kind == "appraisal" else _below(payer)
    cannot = (
        "That any money has been set free, or who would keep it. The figures are worth as much as the assumptions "
        "behind them, and a value to public budgets cannot be added to one to society."
    )
    return w.say(said, _break_even(result, w)), cannot, "not assessed"


def _finding(head: Estimate, payer: str, w: Words, level: int) -> tuple[str, str, str]:
    hedge = "" if level == 5 else "probably "
    spread = (
        ""
        if head.conf_low is None or head.conf_high is None
        else (f" (range {pounds(head.conf_low)} to {pounds(head.conf_high)})")
    )
    about = f"about {pounds(abs(head.estimate))} of {'loss' if head.estimate < 0 else 'benefit'} to {payer}"
    said = f"Each £1 of cost was {hedge}matched by {about}{spread}."
    cannot = "That this sum is cash that somebody can spend, or that the same would be found elsewhere."
    return w.say(said, "It is an estimate of value, not a sum of money in a budget."), cannot, "not assessed"


def _appraisal(head: Estimate, payer: str, illustrative: bool) -> str:
    if head.conf_low is None or head.conf_high is None:
        return (
            f"This account is a plan of what might be, for {payer}, and no single ratio can be given from it."
        )
    lead = "Each" if illustrative else "If its assumptions held, each"
    return (
        f"{lead} £1 of cost would go with benefits to {payer} worth "
        f"{pounds(head.conf_low)} to {pounds(head.conf_high)}. This is a plan of what might be, not a finding."
    )


def _below(payer: str) -> str:
    return f"The evidence cannot carry a ratio of benefits to costs for {payer}, so only the break-even point is given."


def _break_even(result: Result, w: Words) -> str:
    points = {
        each.term.removeprefix("break_even_"): each for each in result.estimates if each.estimate is not None
    }
    said = [_switch(name, points[name]) for name in SWITCHES if name in points and _possible(points[name])]
    if not said:
        return ""
    return f"To cover its cost, with all else as assumed, {', or '.join(said)}. We do not yet know whether that is so."


def _possible(each: Estimate) -> bool:
    """A share below nought or above one is no way to break even."""
    return each.unit != "proportion" or 0 <= each.estimate <= 1


def _switch(name: str, each: Estimate) -> str:
    unit, what = each.unit or "", SWITCHES[name]
    bound = "at most" if name in ("costs", "deadweight") else "at least"
    if unit.startswith("times"):
        return f"{what} would have to be {bound} {short(each.estimate)} times what was entered"
    if unit.startswith("pounds"):
        return f"{what} would have to be {bound} {pounds(each.estimate)}"
    if unit == "proportion":
        return f"{what} would have to be {bound} {percent(each.estimate)}"
    return f"{what} would have to be {bound} {short(each.estimate)} {unit}".rstrip()
