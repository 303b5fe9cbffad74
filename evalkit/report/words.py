"""Text that is safe to put into a report, and numbers as readers expect them.

Every string that comes from data, from study.yml or from results.json passes through `escape`: a shortcode, a tag or a
formula in a label is then printed as the label that it is, and nothing runs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from numbers import Real
from typing import Any

MONTHS = "January February March April May June July August September October November December"
MINUS = "\N{MINUS SIGN}"
SPECIAL = frozenset("&<>\"'{}[]()|*_#$@\\`~^")
SHORTHAND = {
    "[c]": "withheld, so that nobody can be recognised",
    "[x]": "not available",
    "[z]": "not applicable",
    "[low]": "rounds to nought",
    "[u]": "unreliable",
}
STEPS = {
    "submitted": "put forward",
    "mature": "followed for long enough",
    "compared": "compared",
}
MEASURES = {
    "risk_difference": "difference",
    "mean_difference": "difference in means",
    "risk_ratio": "ratio of risks",
    "odds_ratio": "ratio of odds",
    "rate_ratio": "ratio of rates",
    "hazard_ratio": "hazard ratio",
    "proportion": "share",
}
RATIOS = frozenset(name for name in MEASURES if name.endswith("ratio")) | {"ratio_of_rate_ratios", "ratio"}
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def escape(text: object) -> str:
    """The text as character references wherever Markdown, HTML, Typst or a shortcode could take it for its own."""
    kept = " ".join(str(text).split())
    kept = "".join(c for c in kept if c not in _BIDIRECTIONAL and unicodedata.category(c) != "Cc")
    safe = "".join(f"&#{ord(c)};" if c in SPECIAL else c for c in kept).replace("://", "&#58;//")
    if re.match(r"\d+\.(\s|$)", safe):
        return safe.replace(".", "&#46;", 1)
    if safe[:1] in {"-", "+", "=", ":", "!", "%", "."}:
        return f"&#{ord(safe[0])};{safe[1:]}"
    return safe


def attribute(text: object) -> str:
    """The same text between double quotes, for an attribute such as `fig-alt`."""
    return f'"{escape(text)}"'


def slug(text: object) -> str:
    """A name for a file or an anchor: lower case letters, digits and hyphens only."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "item"


def step_words(step: object) -> str:
    """A step of the flow of people as a reader would say it; steps of the study's own are printed as they are."""
    return STEPS.get(str(step), plain_words(step))


ACCOUNT_TERMS = {
    "benefit_cost_ratio": "Benefit cost ratio",
    "pv_costs": "Present value of all costs",
    "pv_costs_fiscal": "Present value of costs to public budgets",
    "pv_benefits_fiscal": "Present value of benefits to public budgets",
    "pv_benefits_economic": "Present value of economic benefits",
    "pv_benefits_social": "Present value of social benefits",
    "net_present_budget_impact": "Net cost to public budgets (a minus is a saving)",
    "financial_return_on_investment": "Financial return on investment",
    "payback_year": "Year in which benefits have repaid costs, of those counted",
    "net_present_public_value": "Net present public value",
    "probability_benefits_exceed_costs": "Chance that benefits exceed costs",
    "cashable_share": "Share of budget benefits that is called cashable",
}


TERMS = {
    "att": "Average effect on those treated",
    "treated_vs_control": "Treated against control",
    "rmst_difference": "Difference in mean time without the event",
    "i2": "Share of the variation that lies between studies (I²)",
    "tau2": "Variance between studies (tau²)",
    "q": "Variation over studies (Q)",
}


def term_words(term: str) -> str:
    """A term of a result as words; those of an account by the names that readers of business cases know."""
    if term.startswith("break_even_"):
        return f"Break-even: {plain_words(term.removeprefix('break_even_'))}"
    return ACCOUNT_TERMS.get(term) or TERMS.get(term) or plain_words(term).capitalize()


CHECKS = {"monte_carlo_error": "Simulation error", "special_cause": "Points that stand out"}


def check_words(name: str) -> str:
    """A check by a name that its reader knows."""
    return CHECKS.get(name) or plain_words(name).capitalize()


def plain_words(name: object) -> str:
    """A coded name as words: `risk_difference` is "risk difference"."""
    return str(name).replace("_", " ").strip()


def uncoded(text: str) -> str:
    """Without the codes that stand in brackets behind a name; the technical annex has them."""
    return re.sub(r" \([a-z]+(?:_[a-z0-9]+)+\)", "", text)


def unticked(text: str) -> str:
    """Names of options in quotation marks, names of columns as words: a page for a commissioner holds no code."""
    quoted = re.sub(r"`([^`]+)`", "“\\1”", uncoded(text))
    return re.sub(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b", lambda found: plain_words(found.group()), quoted)


def is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any, places: int = 1) -> str:
    """One decimal place unless told otherwise, half away from nought, with a true minus sign."""
    if not is_number(value):
        return "[x]" if value is None or not isinstance(value, str) else value
    rounded = round_half_up(value, places)
    return f"{rounded:,.{places}f}".replace("-", MINUS)


def round_half_up(value: float, places: int = 0) -> float:
    """Half away from nought, as readers round; from the decimal digits, so that 2.675 gives 2.68."""
    from decimal import ROUND_HALF_UP, Decimal

    step = Decimal(1).scaleb(-places)
    rounded = float(Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP))
    return rounded + 0.0  # minus nought is nought


def count(value: Any) -> str:
    """A whole number with thousands separated, or its shorthand where it is withheld."""
    return number(value, 0)


def percent(share: Any, places: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return f"{number(100 * share, places)}%" if is_number(share) else number(share)


def spread(low: Any, high: Any, places: int = 1, unit: str = "") -> str:
    """`LO to HI`, each end with its unit sign; never a hyphen, which reads as a minus."""
    if not is_number(low) or not is_number(high):
        return "[x]"
    return f"{number(low, places)}{unit} to {number(high, places)}{unit}"


def money(value: Any) -> str:
    """Pounds to two significant figures: nothing in a cost-benefit account is known better than that."""
    if not is_number(value):
        return number(value)
    sign = MINUS if value < 0 else ""
    return f"{sign}£{_two_figures(abs(value))}"


def _two_figures(value: float) -> str:
    if value == 0:
        return "0"
    places = 1 - math.floor(math.log10(value))
    rounded = round_half_up(value, places)
    if rounded >= 1e6:
        return f"{rounded / 1e6:.1f}\u00a0million" if rounded < 1e7 else f"{rounded / 1e6:,.0f}\u00a0million"
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:,.2f}"


def places(value: Any, low: Any = None, high: Any = None) -> int:
    """Decimal places of a plain number that its interval supports; none where all of them are whole already."""
    known = [each for each in (value, low, high) if is_number(each)]
    if all(float(each).is_integer() for each in known):
        return 0
    wide = high - low if is_number(low) and is_number(high) else max(map(abs, known)) / 5
    return 0 if wide >= 20 else 1 if wide >= 2 else 2


def quantity(value: Any, measure: str, unit: str | None, decimals: int = 2) -> str:
    """A number as its measure is read: shares and points as percentages, money to two figures, ratios to two places.

    `decimals` are those of a number in a unit of its own.
    """
    if unit == "proportion" or measure == "proportion":
        return percent(value, 1)
    if unit is not None and unit.startswith(("£", "GBP", "pounds")):
        return money(value)
    if measure in RATIOS or "ratio" in measure:
        return number(value, 2)
    if measure == "count":
        return count(value) if is_number(value) and float(value).is_integer() else number(value)
    return number(value, 1 if unit == "percentage points" else decimals)


def unit_words(measure: str, unit: str | None) -> str:
    """What the number is counted in, for a heading or beside a number."""
    if measure == "proportion" or unit == "proportion":
        return "%"
    if measure.startswith("log_"):
        return "log of a ratio"
    if measure in RATIOS or "ratio" in measure:
        return "ratio"
    return unit or "number"


def day(text: object) -> str:
    """An ISO date as `1 September 2018`; a month as `September 2018`; anything else as it stands."""
    months = MONTHS.split()
    found = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ].*)?", str(text or ""))
    if not found or not 1 <= int(found[2]) <= 12:
        return str(text or "")
    month = f"{months[int(found[2]) - 1]} {found[1]}"
    return f"{int(found[3])} {month}" if found[3] else month


def sentence(text: object) -> str:
    """Text that ends as a sentence does."""
    stripped = str(text).strip()
    return stripped if not stripped or stripped.endswith((".", "!", "?", ":")) else f"{stripped}."
