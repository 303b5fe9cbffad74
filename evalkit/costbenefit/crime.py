"""Crime in an account: reoffences of each type by their unit cost, with and without what the police never hear of, and
homicide apart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.costbenefit.account import Account, central
from evalkit.costbenefit.case import Case
from evalkit.costbenefit.inputs import Inputs
from evalkit.costbenefit.rules import ANY_CRIME
from evalkit.parameters import named
from evalkit.results import Check

COLUMNS = [
    "line", "agency", "event", "code", "analysis", "net_offences", "multiplier", "unit_cost", "pv_benefits",
    "pv_without_multiplier",
]  # fmt: skip


def crime_frame(inputs: Inputs, account: Account) -> dict[str, pd.DataFrame]:
    """The lines priced by a cost of crime, as frame `crime`; nothing where there are none.

    Columns: line, agency, event (the type of crime), code, analysis, net_offences (prevented in a year, before
    drop-off and the multiplier), multiplier (from recorded to actual crime), unit_cost, pv_benefits,
    pv_without_multiplier.
    """
    crime = _of_crime(inputs)
    if not crime.any():
        return {}
    lines = inputs.benefits[crime]
    worth = (account.product * (account.real * account.discount).sum(axis=1))[crime]
    multiplier, unit_cost = lines["multiplier"].to_numpy(float), lines["unit_cost"].to_numpy(float)
    priced = multiplier * unit_cost
    net = np.divide(account.product[crime], priced, out=np.zeros(len(lines)), where=priced != 0)
    frame = lines.assign(
        event=[inputs.entries[code].event for code in lines["code"]], net_offences=net,
        pv_benefits=worth, pv_without_multiplier=worth / multiplier,
    )  # fmt: skip
    return {"crime": frame[COLUMNS].reset_index(drop=True)}


def crime_by_type(case: Case) -> Check | None:
    """A frequency multiplied by the cost of one type of crime must count that type alone, and once."""
    rows = [
        row
        for row in case.coded_rows
        if row.analysis
        and case.inputs.entries[row.code].counts == "offences"
        and case.inputs.entries[row.code].event != ANY_CRIME
    ]
    if not rows:
        return None
    priced = sorted({f"{row.analysis} by {named(row.code, case.lib)}" for row in rows})
    counted = {row.analysis: case.inputs.impacts[row.analysis].types for row in rows}
    wrong = [*_all_types(counted), *_more_than_once(case, rows)]
    every_type_known = all(types for types in counted.values())
    reading = (
        f"One type of crime is priced ({', '.join(priced)}): the frequency must count that type alone."
        + "".join(f" {each}" for each in wrong)
    )
    if every_type_known and not wrong:
        listed = "; ".join(f"{name}: {', '.join(types or ())}" for name, types in sorted(counted.items()))
        reading = f"One type of crime is priced ({', '.join(priced)}), and these types are counted: {listed}."
    return Check(
        name="crime_by_type",
        null="each reoffence is priced once, as the type that it was",
        passed=False if wrong else (True if every_type_known else None),
        reading=reading,
        next_step="Name an analysis of each type: an outcome of measure `frequency` with `types`."
        if wrong
        else "",
    )


def homicide_apart(case: Case) -> Check | None:
    """The ratio without homicide, whose rare and very large cost can carry an account."""
    entries = case.inputs.entries
    is_homicide = np.array(
        [bool(code) and entries[code].event == "homicide" for code in case.inputs.benefits["code"]]
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
    """The ratio without the multiplier from recorded to actual crime, beside the one with it."""
    multiplier = case.inputs.benefits["multiplier"].to_numpy(float)
    used = sorted(set(multiplier[multiplier != 1]))
    if not used:
        return None
    without = central(replace(case.account, real=case.account.real / multiplier[:, None]))[
        "benefit_cost_ratio"
    ]
    ratio = (
        "" if without is None or not np.isfinite(without) else f" Without that the ratio is {without:.2g}."
    )
    return Check(
        name="recorded_to_actual",
        statistic=without,
        reading=f"Crimes are multiplied by {', '.join(f'{each:g}' for each in used)}, from recorded to actual; "
        f"proven reoffences are fewer than either.{ratio}",
        next_step="Say which crimes the reoffences stand for, and give both ratios, never their sum.",
    )


def _of_crime(inputs: Inputs) -> np.ndarray:
    return np.array(
        [bool(code) and inputs.entries[code].counts == "offences" for code in inputs.benefits["code"]],
        dtype=bool,
    )


def _all_types(counted: dict[str, tuple[str, ...] | None]) -> list[str]:
    """Analyses that are known to count offences of every type."""
    names = sorted(name for name, types in counted.items() if types == ())
    return [f"{', '.join(names)} counts offences of every type."] if names else []


def _more_than_once(case: Case, rows: list) -> list[str]:
    """Analyses whose reoffences are priced as several types at once, so that one is counted more than once."""
    of_type: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        event, times = case.inputs.entries[row.code].event, row.affected * row.units
        of_type[row.analysis][event] = max(times, of_type[row.analysis].get(event, 0.0))
    return [
        f"Each reoffence of {name} is priced as {' and as '.join(sorted(events))}."
        for name, events in sorted(of_type.items())
        if len(events) > 1 and sum(events.values()) > 1 + 1e-9
    ]
