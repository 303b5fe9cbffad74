"""What has to hold before the accuracy of a risk score is read, in words; and what no data can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.contract import SCORE_RATES
from evalkit.inference import RULE_WORDS, critical_value
from evalkit.monitor.calibration import Calibration
from evalkit.monitor.score_table import EVERYBODY, ScoreTable
from evalkit.results import Check

if TYPE_CHECKING:
    from evalkit.monitor.risk_score import RiskScoreOptions

FEW = 10  # with fewer, an interval for sensitivity spans most of the scale: 5 of 9 has 27% to 81%
ENOUGH_TO_CALIBRATE = 100  # Collins, Ogundimu and Altman (2016): 100 with the outcome and 100 without
MUCH_MISSING = 0.05
CLEAR = 0.05
Ratios = Mapping[str | None, tuple[float, float, float]]


def checks_of(
    table: ScoreTable,
    counts: pd.DataFrame,
    gaps: pd.DataFrame,
    fitted: Mapping[str | None, Calibration],
    ratios: Ratios,
    options: RiskScoreOptions,
) -> tuple[Check, ...]:
    """The checks of one score, those that data can fail first."""
    several = bool(table.names)
    return (
        few_events(counts, several),
        *((group_differences(gaps, options),) if several else ()),
        *calibrated(fitted, ratios, options),
        *((base_rates(counts),) if several else ()),
        *((limits(counts, options),) if options.least else ()),
        left_out(table),
        acted_on(options.acted_on),
        period(options.within),
        recording(several),
    )


def few_events(counts: pd.DataFrame, several: bool) -> Check:
    """Ten with and ten without the outcome, and ten flagged, in every group."""
    rows = counts.iloc[1:] if several else counts
    sides = rows[["events", "flagged"]].assign(without=rows["n"] - rows["events"])
    fewest = int(sides.to_numpy().min())
    enough = fewest >= FEW
    return Check(
        name="few_events",
        null=f"every group has at least {FEW} people with the outcome, {FEW} without it and {FEW} flagged",
        statistic=fewest,
        threshold=FEW,
        passed=enough,
        reading=f"The smallest of these numbers is {fewest}.",
        next_step=""
        if enough
        else "Do not read this group beside the others: wait for more people, or merge groups.",
    )


def group_differences(gaps: pd.DataFrame, options: RiskScoreOptions) -> Check:
    """Whether any rate differs between groups, allowing for how many differences were looked at."""
    smallest = None if gaps.empty else float(gaps["p_adjusted"].min())
    alike = None if smallest is None else smallest >= CLEAR
    found = {
        None: "No rate could be set beside that of another group.",
        True: "No rate clearly differs between groups, which does not show that the groups are alike.",
        False: "At least one rate clearly differs between groups; the table of differences says which.",
    }[alike]
    rule = RULE_WORDS[options.p_adjust]
    return Check(
        name="group_differences",
        null="the score does equally well in every group",
        statistic=smallest,
        threshold=CLEAR,
        passed=alike,
        reading=f"{found} The p-values of the differences between groups are adjusted by {rule} over all of them; a "
        "difference is called clear where the adjusted value lies below the threshold. Each interval is for its "
        "difference alone.",
        next_step=""
        if alike
        else "Find out what is recorded of the group that is found less well, and mend that before the score is used.",
    )


def calibrated(
    fitted: Mapping[str | None, Calibration], ratios: Ratios, options: RiskScoreOptions
) -> tuple[Check, ...]:
    """Calibration on average in every group, and along the range of the score."""
    if not fitted:
        reading = "The score is not said to be a chance, so what it says cannot be set beside what happened."
        return (
            Check(name="calibration", null="as many have the outcome as the score says", reading=reading),
        )
    return (_in_the_large(ratios), _spread(fitted[None], options))


def _in_the_large(ratios: Ratios) -> Check:
    off = {name: each for name, each in ratios.items() if not each[1] <= 1 <= each[2]}
    worst = max(ratios.values(), key=lambda each: max(each[0], 1 / each[0] if each[0] else 0), default=None)
    said = [
        f"{_capital(_whom(name))}, {each[0]:.2f} people had the outcome for each one that the score expected "
        f"({each[1]:.2f} to {each[2]:.2f}): the score is too {'low' if each[0] > 1 else 'high'} there."
        for name, each in off.items()
    ]
    return Check(
        name="calibration",
        null="in every group as many have the outcome as the score says",
        statistic=None if worst is None else worst[0],
        threshold=1,
        passed=not off,
        reading=" ".join(said)
        or "Nowhere is the number with the outcome clearly other than the score expected.",
        next_step="Do not read the score as a chance there before it has been set right on new cases."
        if off
        else "",
    )


def _spread(everybody: Calibration, options: RiskScoreOptions) -> Check:
    null = "high scores are as high, and low ones as low, as they should be (a slope of 1)"
    if everybody.slope is None:
        return Check(name="calibration_slope", null=null, reading="The slope does not exist in these data.")
    slope, error = everybody.slope
    half = critical_value(options.level) * error
    passed = slope - half <= 1 <= slope + half
    word = "neither too far apart nor too close together" if passed else (
        "too far apart: high ones too high, low ones too low" if slope < 1
        else "too close together: high ones too low, low ones too high"
    )  # fmt: skip
    few = min(everybody.events, everybody.n - everybody.events) < ENOUGH_TO_CALIBRATE
    certain = " Scores of exactly nought or one are left out of it." if everybody.certain else ""
    return Check(
        name="calibration_slope",
        null=null,
        statistic=slope,
        threshold=1,
        passed=passed,
        reading=f"Scores are {word} (slope {slope:.2f}, {slope - half:.2f} to {slope + half:.2f}).{certain}",
        next_step="Fewer than a hundred people had the outcome, or did not: read the slope as a rough guide." if few
        else "" if passed else "Have the score's makers set its spread right on new cases.",
    )  # fmt: skip


def base_rates(counts: pd.DataFrame) -> Check:
    """The impossibility (Chouldechova 2017; Kleinberg and others 2016), with how far the base rates lie apart."""
    share = (counts["events"] / counts["n"]).iloc[1:]
    names = counts["group"].iloc[1:]
    high, low = (names[place] for place in (share.idxmax(), share.idxmin()))
    return Check(
        name="base_rates",
        null="the outcome is equally common in every group",
        statistic=100 * float(share.max() - share.min()),
        reading=f"The outcome is commonest in {high} and least common in {low}. Where it is not equally common, no "
        "score that is ever wrong can be right equally often about those it flags and also miss, and wrongly flag, "
        "equal shares in each group.",
        next_step="Write down, before the results are seen, which kind of equality matters most, and who decided it.",
    )


def limits(counts: pd.DataFrame, options: RiskScoreOptions) -> Check:
    """Whether every group reaches the limits that were written down beforehand."""
    missed, total = [], 0
    rows = counts.iloc[1:] if len(counts) > 1 else counts
    for measure, least in options.least.items():
        counted, among = SCORE_RATES[measure]
        for _, row in rows.iterrows():
            n, total = row[list(among)].sum(), total + 1
            if not n or row[list(counted)].sum() / n < least:
                missed.append(f"{measure.replace('_', ' ')} {_whom(row['group'])} is under {100 * least:g}%")
    said = _capital("; ".join(missed))
    return Check(
        name="preset_limits",
        null="every group reaches the limits that were set beforehand",
        statistic=len(missed),
        threshold=0,
        passed=not missed,
        reading=f"{said}." if missed else "Every group reaches every limit.",
        next_step="By the rule that was set beforehand, the score is not ready to be used." if missed else "",
    )


def left_out(table: ScoreTable) -> Check:
    lost = sum(table.left_out.values())
    share = lost / table.rows
    why = ", ".join(words for words, number in table.left_out.items() if number)
    return Check(
        name="left_out",
        null="those without a score or an outcome are like the others",
        statistic=share,
        threshold=MUCH_MISSING,
        passed=share <= MUCH_MISSING,
        reading=f"{share:.0%} of the rows are left out ({why})." if lost else "Nobody is left out.",
        next_step=""
        if share <= MUCH_MISSING
        else "Find out who has no score or no outcome: they may be those at most risk.",
    )


def acted_on(acted: bool | None) -> Check:
    """The treatment paradox: help that follows a score makes the score look wrong."""
    words = {
        True: "The score was acted on before the outcome was known. Where those flagged were helped and harm was "
        "avoided, a right flag counts as a wrong one, so accuracy is understated; where they were only watched more, "
        "more is recorded and accuracy is overstated.",
        False: "Nobody acted on the score before the outcome was known.",
        None: "It is not said whether anybody acted on the score before the outcome was known.",
    }  # fmt: skip
    step = "Check the score on people about whom nobody has acted on it yet, or say beside every figure who was helped."
    return Check(
        name="acted_on",
        null="the use of the score did not change the outcome",
        passed=None if acted is None else not acted,
        reading=words[acted],
        next_step="" if acted is False else step,
    )


def period(within: str | None) -> Check:
    return Check(
        name="period",
        null="everybody was followed for the same time after the score",
        passed=None,
        reading=f"The outcome is counted within {within} of the score."
        if within
        else "It is not said how long after the score the outcome was counted.",
        next_step="See that nobody was followed for less, and that the outcome never comes before the score."
        if within
        else "Say it with `within`: a longer time finds more, and changes every figure.",
    )


def recording(several: bool) -> Check:
    watched = (
        "some groups are watched, and so recorded, more than others"
        if several
        else "those flagged are watched more"
    )
    return Check(
        name="recording",
        null="the outcome is recorded alike for everybody",
        reading=f"Whether {watched} cannot be seen in these data.",
        next_step="Ask how the outcome comes to be recorded, and use one that the score's use cannot change.",
    )


def _whom(name: str | None) -> str:
    return "over everybody" if name in (None, EVERYBODY) else f"in {name}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
