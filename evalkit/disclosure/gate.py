"""The gate: everything that was computed goes in, what may be printed comes out, and nothing leaves another way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from evalkit.disclosure import estimates as words
from evalkit.disclosure.accounts import closed_sources, release_closed
from evalkit.disclosure.columns import kind_of
from evalkit.disclosure.comparisons import SOMETIMES, at_step, measure_of, pairs_of
from evalkit.disclosure.comparisons import as_printed as as_planned
from evalkit.disclosure.curves import is_curve, release_curve
from evalkit.disclosure.groups import without_differences, without_interaction
from evalkit.disclosure.means import few_in_means, may_be_shares, without_few_in_means
from evalkit.disclosure.pairs import LARGE, STEPS, Pair
from evalkit.disclosure.panels import release_panel
from evalkit.disclosure.plan import Plan, make_plan
from evalkit.disclosure.policy import WITHHELD, Policy
from evalkit.disclosure.remainders import design_check, without_hidden_row, without_remainders
from evalkit.disclosure.scores import release_score
from evalkit.disclosure.sums import numeric
from evalkit.disclosure.tables import Record, Setting, at, release_frame
from evalkit.disclosure.verify import verify
from evalkit.errors import Refused
from evalkit.results import Check, Estimate, Result

# Methods whose units are places, plans or studies: no estimate of theirs rests on a handful of people.
OF_MONEY = frozenset({"cost_benefit"})
OF_PLACES = frozenset({"did", "interrupted", "synthetic_control", "run_chart", "meta"}) | OF_MONEY
OF_NOBODY = frozenset({"power"})
# Beside the headline these give away what one event, or the few people at the top, add up to.
OF_A_FEW = frozenset({"without_largest_event", "capped_top_1_percent"})
# Methods whose counts are of people even where the study holds no rows about them.
OF_PEOPLE = frozenset({"funnel", "survey", "proportion", "risk_score", "rates", "survival"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """What may be written. `suppressed` counts withheld cells; `log` and `notes` hold counts and names, no values.

    `checks` and `texts` are the design's checks and any sentences with numbers in them, as they may be printed.
    """

    results: tuple[Result, ...]
    flow: pd.DataFrame
    balance: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    other: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    texts: tuple[str, ...] = ()
    suppressed: int = 0
    log: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def release(
    *, results: Sequence[Result], flow: pd.DataFrame, policy: Policy, balance: pd.DataFrame | None = None,
    published: pd.DataFrame | None = None, other: Mapping[str, pd.DataFrame] | None = None, people: bool = True,
    as_printed: frozenset[str] = frozenset(), already_public: str | None = None, checks: Sequence[Check] = (),
    texts: Sequence[str] = (), areas: frozenset[str] = frozenset(), persons: frozenset[str] = frozenset(),
    largest_share: Mapping[str, float] | None = None, greatest: Mapping[str, float] | None = None,
    rests_on: Mapping[str, Sequence[str]] | None = None, nested: frozenset[tuple[str, str]] = frozenset(),
) -> Released:  # fmt: skip
    """Coarsen or withhold everything that could tell one person from another; fail closed.

    Parameters
    ----------
    results, flow, balance, other : what was computed on the raw data.
    published : figures that a source has printed; they pass, in a table that says so.
    policy : the preset.
    people : whether the study holds rows about people.
    as_printed : analyses whose numbers are a source's own printed figures.
    already_public : the source that has printed the whole data set; everything passes, and the source is named.
    checks, texts : checks of the design and sentences (warnings, the design's summary) whose numbers must be coarse.
    areas : further analyses whose units are places, so that their numbers of units are no numbers of people.
    largest_share : by analysis, the share of an arm's total that its two largest contributors hold, where measured.
    persons : analyses by a method of places whose units are people.
    rests_on : by account, the analyses whose estimates it values, as they are printed.
    greatest : by analysis of an outcome of whole numbers from 0 on, the greatest of them, where it was measured (None:
        nowhere, and any mean from 0 to 1 is taken for a share).
    nested : pairs of outcomes of which nobody has the first without the second.

    Raises
    ------
    Refused
        A small count could still be worked out after everything that may be withheld has been.
    """
    raw = (tuple(results), flow, balance, dict(other or {}), tuple(checks), tuple(texts))
    if not policy.withhold or already_public:
        return _untouched(raw, published, policy, already_public)
    kinds = ["persons" if each.analysis in persons else _kind(each, as_printed, areas) for each in results]
    blanked = frozenset(name for name, share in (largest_share or {}).items() if share > policy.dominance)
    setting = Setting(policy=policy, record=Record(), places=not people, greatest=greatest, nested=nested)
    return _let_out(raw, kinds, blanked, published, rests_on or {}, setting)


def _let_out(
    raw: tuple,
    kinds: Sequence[str],
    blanked: Collection[str],
    published: pd.DataFrame | None,
    rests_on: Mapping[str, Sequence[str]],
    setting: Setting,
) -> Released:
    """Plan, print, and look at it once more before it goes."""
    results, flow, balance, other, checks, texts = raw
    policy, record = setting.policy, setting.record
    about_people = [
        each
        for each, kind in zip(results, kinds, strict=True)
        if kind == "people" and (not setting.places or each.method in OF_PEOPLE)
    ]
    # A score's groups are printed from their own cells: no comparison of theirs is planned here.
    planned = [each for each in about_people if each.method != "risk_score"]
    plan = make_plan(planned, policy, setting.nested)
    people = words.printed_people(planned)
    setting = replace(setting, people=people, pairs=plan.counts, open_totals=plan.totals)
    record.note(_rule(policy))
    printed_flow = flow if flow.empty else release_frame("flow", flow, setting)
    setting = replace(setting, closed_totals=_closed(flow, printed_flow) - plan.totals)
    printed_balance = None if balance is None else release_frame("balance", balance, setting)
    results, checks = without_hidden_row(results, checks, balance, printed_balance, setting)
    printed = [
        _released(each, kind, plan, each.analysis in blanked, setting)
        for each, kind in zip(results, kinds, strict=True)
    ]
    released = Released(
        results=_without_closed(printed, results, rests_on, setting),
        flow=printed_flow,
        balance=printed_balance,
        published=published,
        other={name: _frame(name, frame, setting) for name, frame in other.items()},
        checks=tuple(
            design_check(each, words.release_check(each, setting, coarse=False), setting) for each in checks
        ),
        texts=tuple(words.coarse_text(each, None, policy) for each in texts),
    )
    verify(released, results, plan, policy, frozenset(each.analysis for each in about_people))
    return replace(released, suppressed=record.withheld, log=_log(record), notes=tuple(record.notes))


def _without_closed(
    printed: Sequence[Result], raw: Sequence[Result], rests_on: Mapping[str, Sequence[str]], setting: Setting
) -> tuple[Result, ...]:
    """The results, but of an account that values a withheld estimate none of its numbers."""
    shown = {each.analysis: each for each in printed}
    closed = {name: closed_sources(sources, shown) for name, sources in rests_on.items()}
    return tuple(
        release_closed(before, closed[after.analysis], setting) if closed.get(after.analysis) else after
        for before, after in zip(raw, printed, strict=True)
    )


def _closed(flow: pd.DataFrame, printed: pd.DataFrame) -> frozenset[int]:
    """The numbers of people that the flow had to withhold: no other table may print them."""
    if "n" not in flow.columns:
        return frozenset()
    return frozenset(int(n) for n, seen in zip(flow["n"], printed["n"], strict=True) if seen == WITHHELD)


def _untouched(raw: tuple, published: pd.DataFrame | None, policy: Policy, source: str | None) -> Released:
    results, flow, balance, other, checks, texts = raw
    frames = [
        flow,
        balance,
        *other.values(),
        *(each for result in results for each in result.detail.values()),
    ]
    if source:
        note = f"The data are public already ({source}): figures pass as they are."
    else:
        note = f"Preset `{policy.name}`: nothing is withheld or rounded; {policy.watermark}."
    return Released(
        results=results, flow=flow, balance=balance, published=published, other=other, checks=checks, texts=texts,
        log={"flagged": sum(_small_cells(frame, policy) for frame in frames if frame is not None)}, notes=(note,),
    )  # fmt: skip


def _small_cells(frame: pd.DataFrame, policy: Policy) -> int:
    counted = [numeric(frame[name]) for name in frame.columns if kind_of(str(name)) == "count"]
    with np.errstate(invalid="ignore"):
        return int(sum(np.sum(policy.small(each) & np.isfinite(each)) for each in counted))


def _rule(policy: Policy) -> str:
    zeros = ", noughts included" if policy.hide_zeros else ""
    rounded = f"; other counts are rounded to the nearest {policy.rounding}" if policy.rounding > 1 else ""
    return (
        f"Preset `{policy.name}`: counts of people under {policy.threshold}{zeros}, and what would give them away, are "
        f"withheld{rounded}; estimates are coarsened so that many counts fit."
    )


def _kind(result: Result, as_printed: frozenset[str], areas: frozenset[str]) -> str:
    if result.analysis in as_printed:
        return "as_printed"
    if result.method in OF_NOBODY:
        return "nobody"
    return "places" if result.method in OF_PLACES or result.analysis in areas else "people"


def _released(result: Result, kind: str, plan: Plan, dominated: bool, setting: Setting) -> Result:
    """One result as it may be printed; a refusal names the analysis."""
    try:
        return _by_kind(result, kind, plan, dominated, setting)
    except Refused as error:
        raise at(error, f"analyses.{result.analysis}") from None


def _by_kind(result: Result, kind: str, plan: Plan, dominated: bool, setting: Setting) -> Result:
    record = setting.record
    if kind == "as_printed":
        record.note(f"The figures of `{result.analysis}` were printed by their source and pass as printed.")
        return replace(result, influence=None)
    if kind == "nobody" or (result.method in OF_MONEY and setting.places):
        return replace(result, influence=None)
    if kind == "persons":
        return release_panel(result, setting)
    if result.method == "risk_score":
        return release_score(result, setting)
    places = kind == "places" or (setting.places and result.method not in OF_PEOPLE)
    if dominated:
        record.note(f"`{result.analysis}` was withheld: two people hold most of its total.")
    return _compared(result, plan, dominated, replace(setting, places=places))


def _compared(result: Result, plan: Plan, dominated: bool, setting: Setting) -> Result:
    """A comparison of people, or anything of places: estimates, then the checks and frames that rest on them."""
    policy = setting.policy
    pairs = {} if setting.places else pairs_of(result)
    small = {group for group, pair in pairs.items() if pair.small(policy)}
    few = bool(small) or _few_events(result, policy) or bool(np.any(few_in_means(result, setting)))
    estimates = _estimates(result, pairs, plan, few, dominated, setting)
    hidden = None in pairs and plan.printings[pairs[None]].times == 0
    checks = (
        words.checks_without(result.checks, setting, everybody=None in small or not small)
        if few
        else [words.release_check(each, setting, coarse=bool(pairs), hidden=hidden) for each in result.checks]
    )
    checks = without_interaction(checks, estimates, setting)
    if dominated:
        checks = [words.stripped(each, setting) if each.name == "heavy_tail" else each for each in checks]
    detail = {} if dominated else _detail(result, pairs.get(None), setting)
    if not setting.places:
        detail = without_few_in_means(result, detail, setting)
    printed = replace(result, estimates=tuple(estimates), checks=tuple(checks), detail=detail, influence=None)
    return without_remainders(result, printed, setting)


def _estimates(
    result: Result, pairs: Mapping[str | None, Pair], plan: Plan, few: bool, dominated: bool, setting: Setting
) -> list[Estimate]:
    policy, shares = setting.policy, may_be_shares(result, setting)
    kept = [each for each in result.estimates if not (few and each.term in SOMETIMES)]
    out = [
        words.withheld(each, policy)
        if dominated
        else _estimate(each, pairs, plan, few, setting, shares=shares)
        for each in kept
    ]
    if not setting.places:
        out = without_differences(kept, out, setting)
    # Of people an estimate that never was counts too: else how many were withheld would tell it from nought.
    setting.record.withheld += sum(
        after.estimate is None and (before.estimate is not None or not setting.places)
        for before, after in zip(kept, out, strict=True)
    )
    return out


def _detail(result: Result, pair: Pair | None, setting: Setting) -> dict[str, pd.DataFrame]:
    return {
        name: _arms(frame, pair, setting) if name == "arms" and pair else _frame(name, frame, setting)
        for name, frame in result.detail.items()
    }


def _few_events(result: Result, policy: Policy) -> bool:
    """Whether an arm, or a side of a before and after, has so few events that a rate or a hazard would rest on them."""
    for frame, columns in (("arms", ("events",)), ("counts", ("before", "after"))):
        found = result.detail.get(frame)
        for column in columns if found is not None else ():
            events = numeric(found[column]) if column in found.columns else np.array([])
            if np.any(policy.small(events[np.isfinite(events)])):
                return True
    return False


def _estimate(
    each: Estimate, pairs: Mapping[str | None, Pair], plan: Plan, blank: bool, setting: Setting,
    *, shares: bool = False,
) -> Estimate:  # fmt: skip
    """One estimate of people or places; `shares`: means that may be of noughts and ones."""
    policy = setting.policy
    if each.term in OF_A_FEW:
        return words.withheld(each, policy)
    if setting.places:
        return words.withheld(each, policy) if blank else words.from_model(each, policy, places=True)
    if words.too_few(each, policy) or _mean_time_of_few(each):
        return words.withheld(each, policy)
    if measure_of(each) is not None and each.group in pairs:
        pair = pairs[each.group]
        return as_planned(each, pair, plan.printings[pair], policy)
    if words.is_share(each):
        return words.from_share(each, policy, setting.pairs)
    if blank:
        return words.withheld(each, policy)
    means = measure_of(each) in (None, "mean_difference")
    if (policy.rounding > 1 or each.group is not None) and (not means or (shares and each.group is not None)):
        return _uncounted(each, policy)
    return words.from_model(each, policy, places=False)


def _mean_time_of_few(each: Estimate) -> bool:
    """A restricted mean of a group: its error tells how many had the event, and no count of them stands beside it."""
    people = min((n for n in (each.n_treated, each.n_control) if n), default=0)
    return each.group is not None and each.term == "rmst_difference" and people < LARGE


def _uncounted(each: Estimate, policy: Policy) -> Estimate:
    """A comparison of counts that the gate does not know, such as one of a weighted group: at the finest step that
    hides as many people as counts do, and of a ratio only where its error shows that the counts are large."""
    people = min((n for n in (each.n_treated, each.n_control) if n), default=0)
    error = each.std_error or np.inf
    if people >= LARGE or (each.measure.endswith("ratio") and error**2 * 2 * policy.threshold <= 1):
        return at_step(each, STEPS[1], policy)
    reach = [step for step in STEPS[3:] if step.points * people >= 100 * policy.protection]
    if each.measure.endswith("ratio") or not reach:
        return words.withheld(each, policy)
    return at_step(each, reach[0], policy)


def _frame(name: str, frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    if is_curve(frame) and not setting.places:
        return release_curve(frame, setting)
    return release_frame(name, frame, setting)


def _arms(frame: pd.DataFrame, pair: Pair, setting: Setting) -> pd.DataFrame:
    """The two arms; where means of noughts and ones came without their counts, they are judged with them."""
    if frame["events"].notna().any():
        return _frame("arms", frame, setting)
    of_arm = {"treated": pair.x_treated, "control": pair.x_control}
    counted = release_frame("arms", frame.assign(events=frame["arm"].map(of_arm)), setting)
    return counted.assign(events=pd.Series([None] * len(frame), dtype=object))


def _log(record: Record) -> dict[str, int]:
    return {
        "withheld": record.withheld, "rounded": record.rounded, "secondary": record.secondary,
        "unknown_columns": len(record.unknown),
    }  # fmt: skip
