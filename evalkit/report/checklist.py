"""The eleven points that the field asks of a difference-in-differences, each answered from the results."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.report.annex import ESTIMANDS
from evalkit.report.output import Output, numbers
from evalkit.report.tables import Column, estimate_text, interval_text, table
from evalkit.report.words import count, day, escape, number, plain_words, sentence, unit_words
from evalkit.results import Result

NOT_HERE = "There is no difference-in-differences in this study, so its checklist does not apply."
MISSING = "Not available:"
POINTS = (
    "Estimand, units, timing, who is never treated",
    "Group means by period",
    "Event study with bands",
    "Headline: interval, units, clusters, inference",
    "Two-way beside a robust estimator; Bacon weights",
    "Power of the pre-trend test; honest bounds",
    "Placebo dates, outcomes and places",
    "Anticipation, spill-over, other programmes, recording",
    "Ratio and additive scale",
    "Specified before the data were seen; departures",
    "Evidence level, with its reason",
)


def checklist(output: Output) -> str:
    """A table of eleven answers for each difference-in-differences; where one is missing it says why."""
    found = [result for result in output.results if result.method == "did"]
    if not found:
        return f"{escape(NOT_HERE)}\n"
    return "\n".join(_table(output, result) for result in found)


def points(output: Output, result: Result) -> list[str]:
    """The eleven answers in the order of `POINTS`."""
    return [
        _timing(result),
        _means(result),
        _path(result),
        _headline(result),
        _two_way(output, result),
        _told(result, ("pre_trends", "pre_trend_power", "breakdown"), "no path before the start was estimated"),
        _told(result, ("placebo_date", "placebo_outcome", "leave_one_out", "randomisation_floor"),
              "neither a placebo nor leaving a unit out was possible with these data"),
        _around(result),
        _scales(output, result),
        _specified(output, result),
        _level(output, result),
    ]  # fmt: skip


def _table(output: Output, result: Result) -> str:
    columns = [Column(heading="Point"), Column(heading="Answer")]
    rows = [
        [f"{place}. {point}", answer]
        for place, (point, answer) in enumerate(zip(POINTS, points(output, result), strict=True), 1)
    ]
    caption = f"Eleven points: analysis {plain_words(result.analysis)}, {output.label(result)}"
    return table(columns, rows, caption=caption, name=f"checklist-{result.analysis}")


def _timing(result: Result) -> str:
    head = result.headline
    target = ESTIMANDS.get(result.estimand, plain_words(result.estimand) or "not recorded")
    means, groups = result.detail.get("means"), result.detail.get("group_time")
    said = [f"Estimated: {target}"]
    if means is not None and not means.empty:
        ends = [str(each) for each in means["period"].iloc[[0, -1]]]
        said.append(f"Periods {day(ends[0])} to {day(ends[1])}")
    if groups is not None and not groups.empty:
        said.append(f"Starts: {', '.join(day(each) for each in dict.fromkeys(groups['cohort'].astype(str)))}")
    if head.n_treated is not None and head.n_control is not None:
        said.append(f"{count(head.n_treated)} treated and {count(head.n_control)} comparison units")
    return _joined(said, _readings(result, ("comparison_units", "start_inside_window", "left_out")))


def _means(result: Result) -> str:
    means = result.detail.get("means")
    if means is None or means.empty:
        return f"{MISSING} the results hold no means by period."
    periods = means["period"].nunique()
    return (
        f"Given for {count(periods)} periods, as a figure and in the file detail/{result.analysis}_means.csv."
    )


def _path(result: Result) -> str:
    path = result.detail.get("event_study")
    if path is None or path.empty:
        few = result.check("few_treated_clusters")
        why = "the estimator gives one overall effect, without a path over time"
        if few is not None and few.passed is False:
            why += ", and with so few treated units its points could have no intervals"
        return f"{MISSING} {why}."
    measured = numbers(path, ["band_low", "conf_low"])
    bands = "with simultaneous bands" if measured["band_low"].notna().any() else "without simultaneous bands"
    return f"Given for {count(len(path))} times since the start, with pointwise intervals and {bands}."


def _headline(result: Result) -> str:
    head = result.headline
    inside = interval_text(head)
    spread = f"range {inside}" if inside[:1] != "[" else "no range can be given"
    clusters = "" if head.n_clusters is None else f"{count(head.n_clusters)} clusters"
    method = f"inference by {plain_words(head.interval)}" if head.interval else "no standard error is used"
    said = [f"{estimate_text(head)} {unit_words(head.measure, head.unit)}, {spread}", clusters, method]
    return _joined(
        ["; ".join(each for each in said if each)],
        _readings(result, ("few_clusters", "few_treated_clusters")),
    )


def _two_way(output: Output, result: Result) -> str:
    others = [
        f"{plain_words(each.analysis)} gives {estimate_text(each.headline)} ({interval_text(each.headline)})"
        for each in output.results
        if each.method == "did" and each is not result and each.outcome == result.outcome
    ]
    told = _readings(result, ("bacon",))
    if not told:
        why = "weights exist for staggered starts in a complete panel of means, which this is not"
        told = [f"{MISSING} {why}"]
    also = [f"Beside it, {'; '.join(others)}"] if others else ["No second estimator was run"]
    return _joined(told, also)


def _around(result: Result) -> str:
    told = _readings(result, ("containment", "spill_over", "series_break"))
    unsaid = [
        words
        for name, words in (("spill_over", "spill-over to neighbours"), ("series_break", "changes in recording"))
        if result.check(name) is None
    ]  # fmt: skip
    rest = ", ".join(["anticipation before the start", *unsaid, "other programmes at the same time"])
    return _joined(told, [f"{MISSING} the results hold nothing on {rest}"])


def _scales(output: Output, result: Result) -> str:
    own, other = ("ratio", "additive") if _is_ratio(result) else ("additive", "ratio")
    told = [f"Estimated on the {own} scale", *_readings(result, ("unequal_bases",))]
    beside = next(
        (r for r in output.results
         if r.method == "did" and r.outcome == result.outcome and _is_ratio(r) != _is_ratio(result)),
        None,
    )  # fmt: skip
    if beside is None:
        return _joined(told, [f"{MISSING} no analysis on the {other} scale was asked for"])
    name = plain_words(beside.analysis)
    return _joined(told, [f"On the {other} scale, {name}: {estimate_text(beside.headline)}"])


def _is_ratio(result: Result) -> bool:
    return "ratio" in result.headline.measure


def _specified(output: Output, result: Result) -> str:
    registered = output.get("about", "assignment", "registered")
    role = f"Role of this analysis: {result.role or 'not recorded'}"
    if registered:
        return _joined([role, f"Registered: {registered}"], ["Departures stand in the study's log"])
    return _joined([role], [f"{MISSING} no plan was registered before the data were seen"])


def _level(output: Output, result: Result) -> str:
    said = output.statement(result.analysis)
    if not isinstance(said.get("level"), int):
        return f"{MISSING} this analysis has no evidence level."
    primary = output.primary is not None and output.primary.analysis == result.analysis
    reasons = (
        said.get("reasons") or ((output.get("evidence") or {}).get("reasons") if primary else None) or ()
    )
    failed = [plain_words(c.name) for c in result.checks if c.passed is False]
    why = list(reasons) or (
        [f"Checks not passed: {', '.join(failed)}"] if failed else ["Every check was passed"]
    )
    certainty = said.get("certainty_word") or said.get("certainty") or "not rated"
    would = "Such a design would earn level" if said.get("data_status") == "simulated" else "Level"
    return _joined([f"{would} {number(said['level'], 0)} of 5; certainty {certainty}"], why)


def _told(result: Result, names: Sequence[str], otherwise: str) -> str:
    """The readings of those checks, and which of them were not made."""
    made = _readings(result, names)
    if not made:
        return f"{MISSING} {otherwise}."
    missing = [plain_words(name) for name in names if result.check(name) is None]
    return _joined(made, [f"Not made: {', '.join(missing)}"] if missing else [])


def _readings(result: Result, names: Sequence[str]) -> list[str]:
    found = [result.check(name) for name in names]
    return [
        f"{plain_words(check.name).capitalize()}: {check.reading}"
        for check in found
        if check is not None and check.reading
    ]


def _joined(first: Sequence[str], then: Sequence[str] = ()) -> str:
    return " ".join(sentence(each) for each in (*first, *then) if each)


PARTS: Sequence[str] = ("checklist",)
