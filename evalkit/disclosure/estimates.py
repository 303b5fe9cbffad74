"""Estimates and checks on their way out: the numbers of one estimate coarsened together, or withheld together."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from evalkit.disclosure.pairs import LARGE, RATIOS
from evalkit.disclosure.policy import Policy
from evalkit.disclosure.tables import Setting, figures, from_counts, on_grid
from evalkit.results import Check, Estimate, Result

NUMBERS = (
    "estimate", "std_error", "statistic", "df", "p_value", "p_adjusted", "conf_low", "conf_high",
)  # fmt: skip
SHARE_MEASURES = ("proportion", "share", "percentage", "survival", "reached")
UNIT_CHECKS = frozenset({
    "pre_trends", "pre_trend_power", "breakdown", "few_treated_clusters", "few_clusters", "comparison_units",
    "bands_certain", "heterogeneity", "overdispersion", "autocorrelation", "power",
    "proportional_hazards", "balance", "overlap", "horizon", "randomisation_floor",
    "unequal_sizes", "placebo_date", "leave_one_out", "start_inside_window", "series_break", "containment",
    "preset_limits", "group_differences", "calibration", "calibration_slope", "base_rates",
})  # fmt: skip
COUNT_CHECKS = frozenset({"small_counts", "enough_reoffenders", "normal_approximation"})
# What these say is worked out from the counts, so it goes with them.
PAIR_CHECKS = COUNT_CHECKS | {
    "tests_disagree", "small_study", "number_needed", "e_value", "hidden_bias", "margin", "log_rank", "attrition",
    "proportional_hazards", "tie_orders", "compliance_difference", "overdispersion", "subgroup_interaction",
}  # fmt: skip
UNREAD = "Not printed: the counts behind it are withheld."
NUMBER = re.compile(r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
DATE = re.compile(r".*\d{4}-\d{2}-\d{2}")
UNITS_OF_TIME = re.compile(
    r"\s*(?:-| )?(?:month|day|year|week|%? interval|per cent level|degrees? of freedom)"
)


def from_model(estimate: Estimate, policy: Policy, *, places: bool) -> Estimate:
    """An estimate of a model: its standard error keeps `figures` figures, the rest the same decimal place."""
    if estimate.estimate is None:
        return replace(estimate, **sizes(estimate, policy, places=places))
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
        p_adjusted=adjusted(estimate, p_value), **sizes(estimate, policy, places=places),
    )  # fmt: skip


def from_share(estimate: Estimate, policy: Policy, pairs: Mapping[tuple[float, float], int]) -> Estimate:
    """One proportion, worked out again from its rounded counts; withheld where a count is small."""
    n, value = estimate.n_treated, estimate.estimate
    if not n or value is None:
        return withheld(estimate, policy)
    size = 100.0 if estimate.unit and "percent" in estimate.unit else 1.0
    x = value / size * n
    if not math.isclose(x, round(x), abs_tol=1e-6):
        return withheld(estimate, policy)
    x = round(x)
    if policy.small(n) or policy.small(x, n) or pairs.get((x, n), 1) != 1:
        return withheld(estimate, policy)
    printed = from_counts(value, x, n, policy, limit=False)
    share = (min(policy.rounded(x), policy.rounded(n))) / policy.rounded(n)
    error = size * math.sqrt(share * (1 - share) / policy.rounded(n))
    low, high = (
        None if each is None else from_counts(each, x, n, policy, limit=True)
        for each in (estimate.conf_low, estimate.conf_high)
    )
    return replace(
        estimate, estimate=printed, std_error=None if estimate.std_error is None else figures(error, 2),
        statistic=None, p_value=None, p_adjusted=None, conf_low=low, conf_high=high, **sizes(estimate, policy),
    )  # fmt: skip


def withheld(estimate: Estimate, policy: Policy) -> Estimate:
    """The estimate without its numbers; what it is about stays."""
    # The name of the interval goes too: a ratio has none where a count is nought.
    return replace(estimate, **(sizes(estimate, policy) | dict.fromkeys((*NUMBERS, "interval"))))


def too_few(estimate: Estimate, policy: Policy) -> bool:
    """Whether either arm has fewer people than the threshold."""
    return any(n is not None and n < policy.threshold for n in (estimate.n_treated, estimate.n_control))


def is_share(estimate: Estimate) -> bool:
    """Whether the estimate is a proportion of one group of people."""
    return estimate.measure in SHARE_MEASURES and estimate.n_control is None


def checks_without(checks: Sequence[Check], setting: Setting, *, everybody: bool) -> list[Check]:
    """The checks where a count is small: of those worked out from the counts (of everybody, or of the groups) only
    the ones that are always made stay, empty, since that a check could be made may say that a count is not nought."""
    names = PAIR_CHECKS if everybody else {"subgroup_interaction"}
    kept = [each for each in checks if each.name not in names or each.name in COUNT_CHECKS or not everybody]
    return [
        stripped(each, setting)
        if each.name in names
        else release_check(each, setting, coarse=True, hidden=everybody)
        for each in kept
    ]


def stripped(check: Check, setting: Setting) -> Check:
    """The check without its numbers, and without whether it was passed."""
    # Whether it had a number counts for nothing: that would say that a count is not nought.
    setting.record.withheld += 1
    return replace(check, statistic=None, passed=None, reading=UNREAD, next_step="")


def release_check(check: Check, setting: Setting, *, coarse: bool, hidden: bool = False) -> Check:
    """Statistic and wording with coarse numbers.

    `coarse`: the check rests on the same two counts as the estimate beside it, so its numbers keep one figure;
    `hidden`: those counts are not printed, so a whole number is only said to be large enough.
    """
    if hidden and check.name in COUNT_CHECKS:
        return stripped(check, setting)
    # A count that a frame beside it prints rounded is rounded here too, be it of people or of a place.
    counted = check.name in COUNT_CHECKS and float(check.statistic or 0.5).is_integer()
    policy, free = setting.policy, (setting.places and not counted) or check.name in UNIT_CHECKS
    keep = 1 if coarse and not free and (hidden or policy.rounding > 1) else policy.figures
    statistic = check.statistic
    if isinstance(statistic, int | float) and not isinstance(statistic, bool):
        whole = float(statistic) == int(statistic) and not free
        if whole and (hidden or policy.small(statistic)):
            statistic = None
            setting.record.withheld += 1
        else:
            exact = policy.rounded(statistic) if whole and (keep > 1 or check.name in COUNT_CHECKS) else None
            statistic = figures(float(statistic), keep) if exact is None else exact
    words = {
        name: coarse_text(getattr(check, name), check.threshold, policy, free=free, keep=keep, hidden=hidden)
        for name in ("null", "reading", "next_step")
    }
    return replace(check, statistic=statistic, **words)


def coarse_text(
    text: str, threshold: float | None, policy: Policy, *, free: bool = False, keep: int | None = None,
    hidden: bool = False,
) -> str:  # fmt: skip
    """The text with every number coarsened, but for the threshold itself, lengths of time, levels and dates."""
    keep = keep or policy.figures

    def swap(match: re.Match[str]) -> str:
        found, rest = match.group(), text[match.end() :]
        value = float(found.replace(",", "").replace("−", "-"))
        if UNITS_OF_TIME.match(rest) or (threshold is not None and math.isclose(value, threshold)):
            return found
        if rest.startswith("%"):
            return str(round(figures(value, keep)))
        if "." in found or "e" in found.lower():
            return _written(figures(value, keep), found)
        if free or DATE.match(text[max(0, match.start() - 8) : match.end() + 6]):
            return found
        if policy.small(abs(value)):
            return f"fewer than {policy.threshold}"
        if hidden:
            return f"{policy.threshold} or more"
        if keep == 1 and abs(value) > 100:
            return f"about {round(figures(value, 1)):,}"
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


def sizes(estimate: Estimate, policy: Policy, *, places: bool = False) -> dict[str, int | float | None]:
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


def adjusted(estimate: Estimate, p_value: float | None) -> float | None:
    """The adjusted p-value as the same multiple of the printed one, in halves and never rounded down.

    Of how the tests of the family hang together it says no more than that, and no test looks clearer than it is.
    """
    if estimate.p_adjusted is None or not estimate.p_value or p_value is None or math.isnan(p_value):
        return None
    return min(
        1.0, round(p_value * max(2, math.ceil(2 * estimate.p_adjusted / estimate.p_value - 1e-6)) / 2, 6)
    )


def _written(value: float, like: str) -> str:
    decimals = len(like.split(".")[1]) if "." in like and "e" not in like.lower() else 6
    text = f"{on_grid(value, 10.0**-decimals):.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
