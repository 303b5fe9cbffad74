"""What would have to be true for a ratio that somebody published, and why two claims may not be added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from evalkit.errors import Refused, StudyError, nearest
from evalkit.parameters import deflate, unit_cost

FORMULA = ("cost_base", "people", "units", "unit_cost", "impact", "deadweight", "years")


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A figure that a source printed. `perspective` says in words whose costs and benefits it counts."""

    value: float
    unit: str
    perspective: str
    price_year: str | None = None
    source: str = ""
    edition: str = ""


def required(published_ratio: float, known: Mapping[str, float], unknown: str) -> float:
    """The value of one input at which the others give a published ratio.

    Parameters
    ----------
    published_ratio : float
        Benefits over costs as printed.
    known : mapping
        All but one of `cost_base` (pounds), `people`, `units` (placement weeks, offences … avoided per person),
        `unit_cost` (pounds per unit), and, where they matter, `impact` (1), `deadweight` (0) and `years` (1, or an
        annuity factor).
    unknown : str
        The one to solve for.

    Returns
    -------
    float
        In the unit of that input.

    Raises
    ------
    StudyError
        A name that is not in the formula, an input that is missing, a product that is nought.

    Notes
    -----
    ratio × cost_base = people × units × unit_cost × impact × (1 − deadweight) × years
    """
    for name in (*known, unknown):
        if name not in FORMULA:
            raise StudyError(
                f"`{name}` is not an input of the formula", where="required", do=nearest(name, FORMULA)
            )
    if unknown in known:
        raise StudyError(f"`{unknown}` is both known and to be found", where="required")
    values = {"impact": 1.0, "deadweight": 0.0, "years": 1.0, **known}
    missing = [name for name in FORMULA if name not in values and name != unknown]
    if missing:
        raise StudyError("these inputs are needed", where="required", found=", ".join(missing))
    kept = 1.0 - values["deadweight"] if unknown != "deadweight" else 1.0
    top = ("people", "units", "unit_cost", "impact", "years")
    product = kept
    for name in top:
        product *= 1.0 if name == unknown else values[name]
    if unknown == "cost_base":
        return product / published_ratio
    if product == 0:
        raise StudyError("no value can give this ratio, because another input is nought", where="required")
    share = published_ratio * values["cost_base"] / product
    return 1.0 - share if unknown == "deadweight" else share


def surface(
    published_ratio: float,
    people: float,
    cost_bases: Iterable[float],
    unit_costs: Iterable[float | str],
    deadweights: Iterable[float],
    parameters: object = None,
    price_year: str | None = None,
) -> pd.DataFrame:
    """Units avoided per person that would give a published ratio, over what is not known.

    Unit costs from codes are moved to `price_year` where one is given.

    Columns: cost_base (pounds), unit_cost (pounds), code (of the unit cost, "" for a number), unit, price_year,
    deadweight, required_units (per person).
    """
    rows = []
    for cost_base in cost_bases:
        for cost in unit_costs:
            priced = _priced(cost, parameters, price_year)
            for deadweight in deadweights:
                known = {
                    "cost_base": cost_base,
                    "people": people,
                    "unit_cost": priced["unit_cost"],
                    "deadweight": deadweight,
                }
                rows.append(
                    {
                        "cost_base": float(cost_base),
                        **priced,
                        "deadweight": float(deadweight),
                        "required_units": required(published_ratio, known, "units"),
                    }
                )
    columns = ["cost_base", "unit_cost", "code", "unit", "price_year", "deadweight", "required_units"]
    return pd.DataFrame(rows, columns=columns)


def refuse_to_add(claims: Iterable[Claim | Mapping]) -> float:
    """The sum of claims that are on one perspective, in one unit and in one price year.

    Parameters
    ----------
    claims
        Figures that sources printed: mappings, or objects, with value, unit, perspective (in words, whose costs and
        benefits it counts) and, where known, price_year, source and edition.

    Returns
    -------
    float
        In the unit that the claims share.

    Raises
    ------
    Refused
        For claims that are not: a ratio on accommodation and a sum that leaves accommodation out count different
        things.
    """
    claims = [each if isinstance(each, Claim) else Claim(**each) for each in claims]
    for name, words in (
        ("perspective", "they count different costs and benefits"),
        ("unit", "they are in different units"),
        ("price_year", "they are in different prices"),
    ):
        different = list(dict.fromkeys(str(getattr(each, name)) for each in claims))
        if len(different) > 1:
            raise Refused(
                f"these claims are not added: {words}",
                where="claims",
                found=" and ".join(different),
                do="Report each beside its own perspective",
            )
    if claims and not claims[0].unit.startswith("pounds"):
        raise Refused("ratios are not added", where="claims", found=claims[0].unit)
    return sum(each.value for each in claims)


def older_than_current(claim: Claim, current_edition: str) -> str | None:
    """A warning in words where an imported figure comes from an edition before the current one."""
    if not claim.edition or claim.edition >= current_edition:
        return None
    source = claim.source or "The source"
    return f"{source} has a newer edition ({current_edition}) than this figure's ({claim.edition})."


def _priced(cost: float | str, parameters: object, price_year: str | None) -> dict[str, object]:
    if isinstance(cost, int | float):
        return {"unit_cost": float(cost), "code": "", "unit": "unit", "price_year": price_year or ""}
    entry = unit_cost(cost, parameters)
    year = price_year or entry.price_year
    value = deflate(entry.value, entry.price_year, year, user=parameters)
    return {"unit_cost": value, "code": entry.code, "unit": entry.unit, "price_year": year}
