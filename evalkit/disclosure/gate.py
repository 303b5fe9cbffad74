"""The gate: everything that was computed goes in, what may be printed comes out, and nothing leaves another way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from evalkit.disclosure import estimates as words
from evalkit.disclosure.curves import is_curve, release_curve
from evalkit.disclosure.pairs import PAIR_MEASURES, Lattice, Pair, Step, choose
from evalkit.disclosure.policy import Policy
from evalkit.disclosure.tables import Record, Setting, release_frame
from evalkit.errors import Refused
from evalkit.results import Estimate, Result

# Methods whose units are places, plans or studies: no estimate of theirs rests on a handful of people.
OF_MONEY = frozenset({"cost_benefit"})
OF_PLACES = frozenset({"did", "interrupted", "synthetic_control", "run_chart", "meta"}) | OF_MONEY
OF_NOBODY = frozenset({"power"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """What may be written. `suppressed` counts withheld cells; `log` and `notes` hold counts and names, no values."""

    results: tuple[Result, ...]
    flow: pd.DataFrame
    balance: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    other: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    suppressed: int = 0
    log: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def release(
    *,
    results: Sequence[Result],
    flow: pd.DataFrame,
    policy: Policy,
    balance: pd.DataFrame | None = None,
    published: pd.DataFrame | None = None,
    other: Mapping[str, pd.DataFrame] | None = None,
    people: bool = True,
    as_printed: frozenset[str] = frozenset(),
    already_public: str | None = None,
) -> Released:
    """Coarsen or withhold everything that could tell one person from another; fail closed.

    Parameters
    ----------
    results, flow, balance, other : what was computed on the raw data.
    published : figures that a source has printed; they pass, in a table that says so.
    policy : the preset.
    people : whether the study holds rows about people.
    as_printed : analyses whose numbers are a source's own printed figures.
    already_public : the source that has printed the whole data set; everything passes, and the source is named.

    Raises
    ------
    Refused
        A small count could still be worked out after everything that may be withheld has been.
    """
    other, record = dict(other or {}), Record()
    if not policy.withhold or already_public:
        note = (
            f"The data are public already ({already_public}): figures pass as they are."
            if already_public
            else ""
        )
        return Released(
            results=tuple(results), flow=flow, balance=balance, published=published, other=other,
            notes=(note,) if note else (),
        )  # fmt: skip
    smaller = words.printed_people(results)
    setting = Setting(policy=policy, record=record, people=smaller, places=not people)
    released = tuple(
        _as_printed(each, record) if each.analysis in as_printed else _released(each, setting)
        for each in results
    )
    return Released(
        results=released,
        flow=flow if flow.empty else release_frame("flow", flow, setting),
        balance=None if balance is None else release_frame("balance", balance, setting),
        published=published,
        other={name: release_frame(name, frame, setting) for name, frame in other.items()},
        suppressed=record.withheld,
        log=_log(record),
        notes=tuple(record.notes),
    )


def _as_printed(result: Result, record: Record) -> Result:
    record.note(f"The figures of `{result.analysis}` were printed by their source and pass as printed.")
    return result


def _released(result: Result, setting: Setting) -> Result:
    if result.method in OF_NOBODY or (result.method in OF_MONEY and setting.places):
        return result
    places = setting.places or result.method in OF_PLACES
    setting = replace(setting, places=places)
    pairs = {} if places else words.pairs_of(result)
    steps = {group: _step(result, group, pair, setting.policy) for group, pair in pairs.items()}
    apart = {each for group, pair in pairs.items() if not steps[group][1] for each in _counts_of(pair)}
    printed = tuple(_estimate(each, pairs, steps, apart, setting) for each in result.estimates)
    blanked = sum(
        a.estimate is not None and b.estimate is None for a, b in zip(result.estimates, printed, strict=True)
    )
    setting.record.withheld += blanked
    framed = replace(setting, withheld_pairs=frozenset(apart))
    return replace(
        result,
        estimates=printed,
        checks=tuple(
            words.release_check(each, setting.policy, setting.record, places=places) for each in result.checks
        ),
        detail={name: _frame(name, frame, framed) for name, frame in result.detail.items()},
        influence=None,
    )


def _step(result: Result, group: str | None, pair: Pair, policy: Policy) -> tuple[Step | None, bool]:
    """The finest step at which enough pairs of counts print alike, and whether the counts are printed beside it."""
    inside = [each for each in result.estimates if each.group == group and each.measure in PAIR_MEASURES]
    if not inside:
        return None, not (
            policy.small(pair.x_treated, pair.n_treated) or policy.small(pair.x_control, pair.n_control)
        )
    lattice = choose(pair, [each.measure for each in inside], policy, inside[0].level)
    step, counted = lattice.printed_as(pair)
    if step is not None:
        _hold(lattice, pair, policy)
    return step, counted


def _hold(lattice: Lattice, pair: Pair, policy: Policy) -> None:
    """The attack on what is about to be printed: a small count must not be the only one that fits."""
    fits = lattice.fits(pair)
    counts = ((pair.x_treated, pair.n_treated), (pair.x_control, pair.n_control))
    for found, (x, n) in zip(fits, counts, strict=True):
        if policy.small(x, n) and found.max() - found.min() < policy.protection:
            raise Refused(
                "an estimate would give a small count away",
                where="disclosure",
                do="Merge groups, or use another preset",
            )


def _estimate(
    each: Estimate, pairs: Mapping[str | None, Pair], steps: Mapping[str | None, tuple[Step | None, bool]],
    apart: set[tuple[int, int]], setting: Setting,
) -> Estimate:  # fmt: skip
    policy = setting.policy
    if setting.places:
        return words.from_model(each, policy, places=True)
    if words.too_few(each, policy):
        return words.withheld(each, policy)
    if each.measure in PAIR_MEASURES and each.group in pairs:
        return words.from_step(each, steps[each.group][0], policy)
    if words.is_share(each):
        return words.from_share(each, policy, apart)
    return words.from_model(each, policy, places=False)


def _frame(name: str, frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    if is_curve(frame) and not setting.places:
        return release_curve(frame, setting)
    return release_frame(name, frame, setting)


def _counts_of(pair: Pair) -> tuple[tuple[int, int], tuple[int, int]]:
    return (pair.x_treated, pair.n_treated), (pair.x_control, pair.n_control)


def _log(record: Record) -> dict[str, int]:
    return {
        "withheld": record.withheld, "rounded": record.rounded, "secondary": record.secondary,
        "flagged": record.flagged, "unknown_columns": len(record.unknown),
    }  # fmt: skip
