"""Estimates and checks on their way out: the numbers of one estimate coarsened together, or withheld together."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.disclosure.pairs import LARGE, PAIR_MEASURES, RATIOS, Numbers, Pair, Step, coarsen
from evalkit.disclosure.policy import Policy
from evalkit.disclosure.tables import Record, figures, from_counts, on_grid
from evalkit.results import Check, Estimate, Result

NUMBERS = (
    "estimate", "std_error", "statistic", "df", "p_value", "p_adjusted", "conf_low", "conf_high",
)  # fmt: skip
SHARE_MEASURES = ("proportion", "share", "percentage", "survival", "reached")
UNIT_CHECKS = frozenset({
    "pre_trends", "pre_trend_power", "breakdown", "few_treated_clusters", "few_clusters", "comparison_units",
    "bands_certain", "heterogeneity", "small_study", "overdispersion", "autocorrelation", "power",
    "proportional_hazards", "tests_disagree", "balance", "overlap",
})  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
UNITS_OF_TIME = re.compile(r"\s*(?:-| )?(?:month|day|year|week|%? interval|per cent level)")


def pairs_of(result: Result) -> dict[str | None, Pair]:
    """The counts behind each comparison of a result, by group (None: everybody), from its frame `arms`."""
    arms = result.detail.get("arms")
    if arms is None or not {"arm", "n", "events"} <= set(arms.columns):
        return {}
    grouped = next((name for name in ("group", "subgroup") if name in arms.columns), None)
    found: dict[str | None, Pair] = {}
    for group in [None] if grouped is None else list(dict.fromkeys(_group(each) for each in arms[grouped])):
        rows = arms if grouped is None else arms[[_group(each) == group for each in arms[grouped]]]
        pair = _pair(rows)
        if pair is not None:
            found[group] = pair
    return found


def comparable(result: Result) -> bool:
    """Whether the estimates compare two proportions, so that counts can be worked out from them."""
    return bool(pairs_of(result)) and any(each.measure in PAIR_MEASURES for each in result.estimates)


def from_step(estimate: Estimate, step: Step | None, policy: Policy) -> Estimate:
    """A comparison of two proportions as printed at one step."""
    if step is None:
        return withheld(estimate, policy)
    raw = Numbers(**{
        name: np.array(np.nan if getattr(estimate, name) is None else getattr(estimate, name), dtype=float)
        for name in ("estimate", "std_error", "p_value", "conf_low", "conf_high")
    })  # fmt: skip
    seen = coarsen(raw, estimate.measure, step)
    value, error = float(seen.estimate), float(seen.std_error)
    statistic = None
    if step.errors and estimate.statistic is not None and error > 0:
        top = math.log(value) if estimate.measure in RATIOS else value
        statistic = round(top / error, 1) + 0.0
    return replace(
        estimate, estimate=value, std_error=error, statistic=statistic, p_value=float(seen.p_value),
        p_adjusted=_adjusted(estimate, float(seen.p_value)), conf_low=float(seen.conf_low),
        conf_high=float(seen.conf_high), **_sizes(estimate, policy),
    )  # fmt: skip


def from_model(estimate: Estimate, policy: Policy, *, places: bool) -> Estimate:
    """An estimate of a model: its standard error keeps `figures` figures, the rest the same decimal place."""
    if estimate.estimate is None:
        return replace(estimate, **_sizes(estimate, policy, places=places))
    digits = _decimals(estimate, policy, places=places)
    keep = policy.figures

    def cut(value: float | None) -> float | None:
        return value if value is None else round(value, digits) + 0.0

    def short(value: float | None) -> float | None:
        return value if value is None else figures(value, keep)

    p_value = None if estimate.p_value is None else max(figures(estimate.p_value, keep), 0.001)
    return replace(
        estimate, estimate=cut(estimate.estimate), conf_low=cut(estimate.conf_low), conf_high=cut(estimate.conf_high),
        std_error=short(estimate.std_error), statistic=short(estimate.statistic), p_value=p_value,
        p_adjusted=_adjusted(estimate, p_value), **_sizes(estimate, policy, places=places),
    )  # fmt: skip


def from_share(estimate: Estimate, policy: Policy, apart: Collection[tuple[int, int]]) -> Estimate:
    """One proportion, worked out again from its rounded counts; withheld where a count is small."""
    n, value = estimate.n_treated, estimate.estimate
    if not n or value is None:
        return withheld(estimate, policy)
    size = 100.0 if estimate.unit and "percent" in estimate.unit else 1.0
    x = value / size * n
    if not math.isclose(x, round(x), abs_tol=1e-6):
        return withheld(estimate, policy)
    x = round(x)
    if policy.small(n) or policy.small(x, n) or (x, n) in apart:
        return withheld(estimate, policy)
    printed = from_counts(value, x, n, policy, "value")
    share = (min(policy.rounded(x), policy.rounded(n))) / policy.rounded(n)
    error = size * math.sqrt(share * (1 - share) / policy.rounded(n))
    low, high = (
        None if each is None else from_counts(each, x, n, policy, "conf_") for each in (estimate.conf_low, estimate.conf_high)
    )
    return replace(
        estimate, estimate=printed, std_error=None if estimate.std_error is None else figures(error, 2),
        statistic=None, p_value=None, p_adjusted=None, conf_low=low, conf_high=high, **_sizes(estimate, policy),
    )  # fmt: skip


def withheld(estimate: Estimate, policy: Policy) -> Estimate:
    """The estimate without its numbers; what it is about stays."""
    return replace(estimate, **dict.fromkeys(NUMBERS), **_sizes(estimate, policy))


def too_few(estimate: Estimate, policy: Policy) -> bool:
    """Whether either arm has fewer people than the threshold."""
    return any(n is not None and n < policy.threshold for n in (estimate.n_treated, estimate.n_control))


def is_share(estimate: Estimate) -> bool:
    """Whether the estimate is a proportion of one group of people."""
    return estimate.measure in SHARE_MEASURES and estimate.n_control is None


def release_check(check: Check, policy: Policy, record: Record, *, places: bool) -> Check:
    """Statistic and wording with coarse numbers. Small whole numbers become `fewer than` the threshold."""
    free = places or check.name in UNIT_CHECKS
    statistic = check.statistic
    if isinstance(statistic, int | float) and not isinstance(statistic, bool):
        whole = float(statistic) == int(statistic) and not free
        if whole and policy.small(statistic):
            statistic = None
            record.withheld += 1
        else:
            statistic = policy.rounded(statistic) if whole else figures(float(statistic), policy.figures)
    words = {name: coarse_text(getattr(check, name), check.threshold, policy, free=free) for name in ("reading", "next_step")}
    return replace(check, statistic=statistic, **words)


def coarse_text(text: str, threshold: float | None, policy: Policy, *, free: bool = False) -> str:
    """The text with every number coarsened, but for the threshold itself, lengths of time and levels."""

    def swap(match: re.Match[str]) -> str:
        found = match.group()
        value = float(found.replace(",", "").replace("−", "-"))
        rest = text[match.end() :]
        if UNITS_OF_TIME.match(rest) or (threshold is not None and math.isclose(value, threshold)):
            return found
        if "." in found or "e" in found.lower() or rest.startswith("%"):
            keep = policy.figures
            return _written(figures(value, keep), found) if not rest.startswith("%") else str(round(value))
        if free:
            return found
        if policy.small(abs(value)):
            return f"fewer than {policy.threshold}"
        return f"{policy.rounded(value):,}" if "," in found else str(policy.rounded(value))

    return NUMBER.sub(swap, text)


def printed_people(results: Collection[Result]) -> int | None:
    """The people in the smaller arm of the largest comparison, by which means and shares are coarsened."""
    sizes = [
        min(n for n in (each.n_treated, each.n_control) if n)
        for result in results
        for each in result.estimates
        if each.n_treated or each.n_control
    ]
    return max(sizes, default=None)


def dominated(result: Result, policy: Policy, largest_share: Mapping[str, float]) -> bool:
    """Whether two people hold more of this outcome than the policy allows."""
    return policy.withhold and largest_share.get(result.analysis, 0.0) > policy.dominance


def _pair(rows: pd.DataFrame) -> Pair | None:
    counts = {}
    for arm in ("treated", "control"):
        found = rows[rows["arm"].astype(str) == arm]
        if len(found) != 1:
            return None
        n, x = (pd.to_numeric(found[name].iloc[0], errors="coerce") for name in ("n", "events"))
        if pd.isna(n) or pd.isna(x):
            return None
        if not (n > 0 and 0 <= x <= n and n == int(n) and x == int(x)):
            return None
        counts[f"x_{arm}"], counts[f"n_{arm}"] = int(x), int(n)
    return Pair(**counts)


def _group(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    return None if str(value) in ("", "all") else str(value)


def _sizes(estimate: Estimate, policy: Policy, *, places: bool = False) -> dict[str, int | float | None]:
    def size(n: int | None) -> int | None:
        if n is None or places:
            return n
        return None if policy.small(n) else policy.rounded(n)

    clusters, df = estimate.n_clusters, estimate.df
    if not places and clusters is not None and clusters >= policy.threshold:
        clusters = policy.rounded(clusters)
    if not places and df is not None:
        df = float(policy.rounded(df)) if df >= policy.threshold else float(round(df))
    return {
        "n_treated": size(estimate.n_treated), "n_control": size(estimate.n_control), "n_clusters": clusters, "df": df
    }  # fmt: skip


def _decimals(estimate: Estimate, policy: Policy, *, places: bool) -> int:
    value, error = float(estimate.estimate or 0.0), estimate.std_error
    ratio = estimate.measure in RATIOS or "ratio" in estimate.measure
    scale = abs(value) * error if error and ratio else error
    if not scale:
        return 12 if value == 0 else policy.figures - 1 - math.floor(math.log10(abs(value)))
    digits = policy.figures - 1 - math.floor(math.log10(scale))
    in_points = estimate.unit is not None and "percentage point" in estimate.unit
    few = min((n for n in (estimate.n_treated, estimate.n_control) if n), default=LARGE) < LARGE
    return min(digits, 0) if in_points and few and not places and policy.rounding > 1 else digits


def _adjusted(estimate: Estimate, p_value: float | None) -> float | None:
    """The adjusted p-value as the same multiple of the printed one, so that it says nothing more."""
    if estimate.p_adjusted is None or not estimate.p_value or p_value is None or math.isnan(p_value):
        return None
    return min(1.0, round(p_value * max(1, round(estimate.p_adjusted / estimate.p_value)), 6))


def _written(value: float, like: str) -> str:
    decimals = len(like.split(".")[1]) if "." in like and "e" not in like.lower() else 6
    text = f"{on_grid(value, 10.0**-decimals):.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
