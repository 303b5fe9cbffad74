"""Everything that the files of an account show to be wrong, before anything is estimated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from evalkit.costbenefit.inputs import Inputs, collect_inputs
from evalkit.costbenefit.options import CostBenefitOptions
from evalkit.costbenefit.price_years import price_problems, target_year
from evalkit.costbenefit.rules import misuses
from evalkit.costbenefit.uncertainty import range_problems
from evalkit.errors import EvalkitError, Problem
from evalkit.parameters import Library, unit_cost

ROW = re.compile(r"(costs|benefits), row (\d+)\b")


def account_problems(frames: Any, options: CostBenefitOptions) -> list[Problem]:
    """All that `cost_benefit` would refuse in these frames, at once; each with its frame, row and column.

    The sizes of `options.impacts` do not matter here, only their names, scales and estimands: nothing is estimated.
    """
    lib = options.library
    inputs, problems = collect_inputs(frames, lib, options.known_impacts)
    if inputs is None:
        return problems
    seen = {each.where for each in problems}
    more = [
        *misuses(_of_known_analyses(inputs)),
        *_prices(inputs, options, lib),
        *range_problems(_sound(inputs, problems), lib),
        *_published_ratio(options),
    ]
    # A cell that is wrong as it stands is not judged again for what it leads to.
    problems += [each for each in more if each.where not in seen]
    return list({(each.where, each.wrong): each for each in problems}.values())


def _of_known_analyses(inputs: Inputs) -> Inputs:
    known = inputs.benefits["analysis"].isin(list(inputs.impacts))
    return replace(
        inputs, benefits=inputs.benefits.assign(analysis=inputs.benefits["analysis"].where(known, ""))
    )


def _sound(inputs: Inputs, problems: list[Problem]) -> Inputs:
    """The rows with nothing wrong so far, for what needs a whole row."""
    wrong = {(found[1], int(found[2])) for each in problems if (found := ROW.match(each.where))}

    def kept(name: str, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[[(name, row) not in wrong for row in frame["row"]]].reset_index(drop=True)

    return replace(inputs, costs=kept("costs", inputs.costs), benefits=kept("benefits", inputs.benefits))


def _prices(inputs: Inputs, options: CostBenefitOptions, lib: Library) -> list[Problem]:
    if inputs.costs.empty and inputs.benefits.empty:
        return []
    try:
        target = target_year(inputs.costs, inputs.benefits, options.price_year)
    except EvalkitError as error:
        return list(error.problems)
    return list(price_problems(inputs.costs, inputs.benefits, target, lib, options.deflator))


def _published_ratio(options: CostBenefitOptions) -> Iterator[Problem]:
    for code in options.unit_costs if options.published_ratio is not None else ():
        if isinstance(code, int | float):
            continue
        try:
            unit_cost(str(code), options.parameters)
        except EvalkitError as error:
            yield from (replace(each, where="`unit_costs`") for each in error.problems)
