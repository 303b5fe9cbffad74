"""What is uncertain in an account, and Monte Carlo draws of every term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from evalkit.costbenefit.account import MULTIPLICATIVE, Account, terms
from evalkit.costbenefit.cells import rows_of, where
from evalkit.costbenefit.distributions import FAMILIES, Uncertain, from_range, lognormal, stream
from evalkit.costbenefit.fading import drop_off_range, fading
from evalkit.costbenefit.impacts import Impact
from evalkit.costbenefit.inputs import RANGED_BENEFITS, Inputs
from evalkit.errors import EvalkitError, Problem, StudyError
from evalkit.options import one_of
from evalkit.parameters import SPREAD, Library

CHUNK = 10_000  # draws held at once; fixed, because it is part of the order in which streams are read
SHARES = ("affected", "engaged", "retained", "deadweight")


@dataclass(frozen=True, kw_only=True, eq=False)
class Factor:
    """One uncertain input: its random stream, what it is, and the lines that it multiplies."""

    key: str
    name: str
    line: str
    basis: str
    uncertain: Uncertain
    benefit_rows: tuple[int, ...] = ()
    cost_rows: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncertainty:
    """The factors, and what is left of each line's product and each amount when they are taken out."""

    factors: tuple[Factor, ...]
    rest: np.ndarray
    cost_rest: np.ndarray

    @property
    def means(self) -> np.ndarray:
        return np.array([each.uncertain.mean for each in self.factors])

    def products(self, levels: np.ndarray) -> np.ndarray:
        """Each benefit line's product of inputs, for each row of factor levels."""
        return _times(self.rest, levels, [each.benefit_rows for each in self.factors])

    def amounts(self, levels: np.ndarray) -> np.ndarray:
        """Each cost row's amount, for each row of factor levels."""
        return _times(self.cost_rest, levels, [each.cost_rows for each in self.factors])


def uncertainty(account: Account, impacts: Mapping[str, Impact], lib: Library) -> Uncertainty:
    """Collect the uncertain inputs.

    The rule. An input with `<input>_low` and `<input>_high` is drawn from its distribution. An impact from an
    analysis is drawn from that estimate's sampling distribution, once for all lines that use it. A line none of
    whose typed inputs has a range is multiplied by a lognormal of mean 1 whose coefficient of variation belongs to
    its confidence grade. Inputs of one `line` share their streams, unit costs do so only within an agency and
    perspective.
    """
    spread = lib.optimism[SPREAD]["spread"]
    found: dict[tuple, Factor] = {}
    rest, cost_rest = np.ones(len(account.benefits)), np.ones(len(account.costs))
    for position, row in enumerate(rows_of(account.benefits)):
        drawn = list(_line_factors(row, impacts, spread, account.discount[position]))
        taken = {each.name for each in drawn}
        fixed = [getattr(row, name) for name in MULTIPLICATIVE if name not in taken]
        rest[position] = np.prod(fixed) * (1.0 if "deadweight" in taken else 1 - row.deadweight)
        for each in drawn:
            _add(found, each, benefit=position)
    for position, row in enumerate(rows_of(account.costs)):
        drawn = list(_cost_factors(row, spread))
        cost_rest[position] = row.share * (
            1.0 if any(each.name == "amount" for each in drawn) else row.amount
        )
        for each in drawn:
            _add(found, each, cost=position)
    return Uncertainty(factors=tuple(found.values()), rest=rest, cost_rest=cost_rest)


def draw(account: Account, uncertain: Uncertainty, n: int, seed: int) -> dict[str, np.ndarray]:
    """n draws of every term, in chunks so that memory does not grow with the number of lines or years."""
    streams = [stream(seed, each.key) for each in uncertain.factors]
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        levels = np.empty((size, len(streams)), order="F")
        for column, (each, rng) in enumerate(zip(uncertain.factors, streams, strict=True)):
            levels[:, column] = each.uncertain.draw(rng, size)
        found = terms(account, uncertain.products(levels), uncertain.amounts(levels))
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def range_problems(inputs: Inputs, lib: Library) -> Iterator[Problem]:
    """Ranges that no distribution has, one problem for each row."""
    spread = lib.optimism[SPREAD]["spread"]
    rows = [_line_factors(row, inputs.impacts, spread, np.ones(1)) for row in rows_of(inputs.benefits)]
    rows += [_cost_factors(row, spread) for row in rows_of(inputs.costs)]
    for factors in rows:
        try:
            list(factors)
        except EvalkitError as error:
            yield from error.problems


def chance_of_more_than_costs(account: Account, draws: Mapping[str, np.ndarray]) -> float:
    """Share of draws in which the benefits of the chosen perspective exceed its costs."""
    if account.perspective == "fiscal":
        return float((draws["net_present_budget_impact"] < 0).mean())
    return float((draws["net_present_public_value"] > 0).mean())


def impact_distribution(impact: Impact) -> Uncertain | None:
    """The sampling distribution of an analysis, with its estimate as the mean; None where it gave no error."""
    if impact.draws is not None:
        values = np.asarray(impact.draws, dtype=float)
        return Uncertain(
            family="empirical", mean=impact.value, shift=impact.value - float(values.mean()), values=values
        )
    if impact.log_std_error is not None and impact.ratio:
        log_sd = impact.log_std_error
        return Uncertain(
            family="lognormal",
            mean=impact.value,
            a=float(np.log(impact.ratio)) - log_sd**2 / 2,
            b=log_sd,
            shift=-impact.baseline,
            slope=impact.baseline,
        )
    if impact.std_error is None:
        return None
    return Uncertain(family="normal", mean=impact.value, a=impact.value, b=impact.std_error)


def _line_factors(
    row, impacts: Mapping[str, Impact], spread: Mapping[int, float], discount: np.ndarray
) -> Iterator[Factor]:
    ranged = [name for name in RANGED_BENEFITS if np.isfinite(getattr(row, f"{name}_low", np.nan))]
    spot = where("benefits", row.row)
    if row.analysis:
        if "impact" in ranged:
            raise StudyError("an impact from an analysis brings its own error and takes no range", where=spot)
        drawn = impact_distribution(impacts[row.analysis])
        if drawn is not None:
            yield Factor(
                key=f"impact|{row.analysis}",
                name="impact",
                line=row.analysis,
                basis="sampling error",
                uncertain=drawn,
            )
    for name in ranged:
        if name == "drop_off":
            faded = fading(drop_off_range(row), discount, row.first_year, row.last_year)
            key = f"{row.line}|drop_off"
            yield Factor(key=key, name=name, line=row.line, basis="range entered", uncertain=faded)
            continue
        family = getattr(row, f"{name}_distribution") or _usual(name, getattr(row, name))
        drawn = _range(row, name, family, spot)
        if name == "deadweight":
            drawn = replace(drawn, mean=1 - row.deadweight, shift=1.0, slope=-1.0)
        key = f"{row.line}|{name}" + (f"|{row.agency}|{row.perspective}" if name == "unit_cost" else "")
        yield Factor(key=key, name=name, line=row.line, basis="range entered", uncertain=drawn)
    if not ranged and spread[row.confidence] > 0:
        drawn = lognormal(1.0, float(spread[row.confidence]))
        yield Factor(
            key=f"{row.line}|grade", name="value", line=row.line, basis="confidence grade", uncertain=drawn
        )


def _cost_factors(row, spread: Mapping[int, float]) -> Iterator[Factor]:
    if np.isfinite(getattr(row, "amount_low", np.nan)):
        family = row.amount_distribution or "lognormal"
        drawn = _range(row, "amount", family, where("costs", row.row))
        key = f"cost|{row.line}|{row.agency}"
        yield Factor(key=key, name="amount", line=row.line, basis="range entered", uncertain=drawn)
    elif spread[row.confidence] > 0:
        drawn = lognormal(1.0, float(spread[row.confidence]))
        key = f"cost|{row.line}|{row.agency}"
        yield Factor(key=key, name="cost", line=row.line, basis="confidence grade", uncertain=drawn)


def _range(row, name: str, family: str, spot: str) -> Uncertain:
    one_of(f"{name}_distribution", family, FAMILIES, where=spot)
    low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
    return from_range(
        family, float(getattr(row, name)), float(low), float(high), where=f"{spot}, column `{name}`"
    )


def _usual(name: str, value: float) -> str:
    if name in SHARES or (name == "impact" and value < 1):
        return "beta"
    return "lognormal" if name == "unit_cost" else "gamma"


def _add(
    found: dict[tuple, Factor], each: Factor, *, benefit: int | None = None, cost: int | None = None
) -> None:
    """Lines that share a stream and a distribution share a factor."""
    drawn = each.uncertain
    fade = () if drawn.fade is None else tuple(drawn.fade)
    same = (each.key, each.name, drawn.family, drawn.mean, drawn.a, drawn.b, drawn.upper, fade)
    known = found.get(same, each)
    found[same] = replace(
        known,
        benefit_rows=known.benefit_rows + (() if benefit is None else (benefit,)),
        cost_rows=known.cost_rows + (() if cost is None else (cost,)),
    )


def _times(rest: np.ndarray, levels: np.ndarray, rows: list[tuple[int, ...]]) -> np.ndarray:
    out = np.empty((len(levels), len(rest)), order="F")
    out[:] = rest
    for column, lines in enumerate(rows):
        for line in lines:
            out[:, line] *= levels[:, column]
    return out
