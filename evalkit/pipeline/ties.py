"""How far a matched estimate depends on which of several equally good matches was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from evalkit.contract import Outcome
from evalkit.options import read_options
from evalkit.pipeline.compose import Cohort, design_values
from evalkit.pipeline.gather import Gathered, used_outcomes
from evalkit.results import Check, Result
from evalkit.study import Study

ORDERS = 20


def tie_samples(study: Study, cohort: Cohort, gathered: Gathered) -> list[pd.DataFrame]:
    """The people of as many designs, each with its ties broken in another random order; none where nothing tied."""
    design = cohort.design
    tied = next((each for each in design.checks if each.name == "ties"), None) if design is not None else None
    if design is None or design.method != "nearest" or tied is None or not tied.statistic:
        return []
    from evalkit.design import DesignOptions, tie_orders

    options = read_options(DesignOptions, design_values(study), where="study.yml, design")
    everyone = _measured(cohort.candidates, gathered, used_outcomes(study), study)
    orders = tie_orders(cohort.candidates, options, n=ORDERS, seed=study.seed)
    return [_sample(everyone, order.weights, order.subclass) for order in orders]


def tie_check(
    samples: Sequence[pd.DataFrame], function: Callable[..., Result], options: Any, taken: Result
) -> Check:
    """The range of the headline over the orders, beside the estimate that was taken."""
    found = [function(sample, options).headline.estimate for sample in samples]
    known = [each for each in found if each is not None]
    low, high, unit = min(known), max(known), taken.headline.unit or ""
    return Check(
        name="tie_orders",
        null="which of several equally good matches is taken makes no difference",
        statistic=high - low,
        reading=f"Over {len(known)} random orders of ties the estimate ran from {low:.3g} to {high:.3g} {unit}".rstrip()
        + ".",
        next_step="Where the range is wide beside the interval, match on more detail or use weighting.",
    )


def _measured(
    people: pd.DataFrame, gathered: Gathered, outcomes: list[Outcome], study: Study
) -> pd.DataFrame:
    from evalkit.outcomes import measure_outcomes

    return measure_outcomes(people, gathered.offences, outcomes, study.observed_until)


def _sample(everyone: pd.DataFrame, weights: pd.Series, subclass: pd.Series | None) -> pd.DataFrame:
    columns = {"weight": weights} if subclass is None else {"weight": weights, "subclass": subclass}
    people = everyone.assign(**columns)
    return people[people["weight"] > 0]
