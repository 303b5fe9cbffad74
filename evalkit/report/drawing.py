"""Which figures a study has, drawn once: a figure whose data and code are as before is taken from last time."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.report import figures
from evalkit.report.output import Output, numbers, share_criteria
from evalkit.report.tables import as_ratio, headline_only, is_share
from evalkit.report.words import RATIOS, attribute, escape, plain_words, slug
from evalkit.results import Result

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.report.theme import Figure

INDEX = "figures.json"
DIFFERENCES = ("smd_before", "smd_after")
SHARES = ("share_treated", "share_control")
FEWEST_ICONS, PAIR_LEVEL = 30, 4
KINDS = ("svg", "png")
FOR_ANNEX = ("group_time", "bacon", "sensitivity", "small_studies", "synthetic_gap")
CAPTIONS = {
    "arms": "{label}: each group's value, with its 95% interval",
    "proportion": "{label}: the share, with its 95% interval",
    "means": "{label}: each group over time",
    "event_study": "{label}: difference from the comparison by time since the start, with 95% intervals",
    "curves": "{label}: people without the event over time, with 95% bands",
    "criteria": "Progress against each criterion, with its 95% interval",
    "stages": "{label}: how many people reached each stage",
    "by_agency": "Costs and benefits by agency, discounted (£)",
    "cashflow": "Costs and benefits by year, discounted (£)",
    "group_time": "{label}: the difference for each starting group, by time since its start, with 95% intervals",
    "bacon": "{label}: the comparisons that a two-way estimate is made of",
    "sensitivity": "{label}: the 95% interval if the groups had not moved alike",
    "interrupted": "{label}: the series beside what was expected of it",
    "synthetic_path": "{label}: the place beside its mixture of other places",
    "synthetic_gap": "{label}: the gap between the place and its mixture",
    "studies": "{label}: each study and the average, with 95% intervals",
    "small_studies": "{label}: effects against their standard errors",
    "reached": "{label}: how many people reached each stage",
    "answers": "{label}: those who agreed, of those who answered, with 95% intervals",
    "points": "{label}: the series with its usual range",
    "changes": "{label}: the change from before to after, with its 95% interval",
    "score_accuracy": "{label}: how many were flagged, and how often a flag was right, with 95% intervals",
    "score_calibration": "{label}: what the score said beside what happened, in bands of the score",
    "tornado": "How far the ratio moves with each input",
}


WITHHELD = "This figure is not drawn: every value in it is withheld, so that nobody can be recognised."
# figure -> the columns of its frame of which one at least must be a number
DRAWN_FROM = {
    "arms": ("value",), "means": ("mean", "value"), "event_study": ("estimate",), "criteria": ("value",),
    "curves": ("survival", "value", "estimate", "cumulative_incidence"), "reached": ("reached",),
    "answers": ("value",), "points": ("value",), "studies": ("estimate",), "small_studies": ("estimate",),
    "interrupted": ("observed", "fitted"), "synthetic_path": ("actual",), "synthetic_gap": ("actual",),
    "bacon": ("estimate",), "sensitivity": ("conf_low",), "group_time": ("estimate",),
    "cashflow": ("discounted",), "score_accuracy": ("value",), "score_calibration": ("mean_score",),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A figure to come: its file name, which part it goes into, its caption, and what makes it."""

    name: str
    part: str
    caption: str
    inputs: Any
    drawing: str = ""
    withheld: bool = False
    make: Callable[[], Figure]


def stage_figures(output: Output, folder: Path, previous: Path | None) -> dict[str, str]:
    """Write the figures and return the Markdown of each part that holds figures."""
    folder.mkdir(parents=True, exist_ok=True)
    old = _index(previous)
    index, parts = (
        {},
        {
            "figure_main": "",
            "figure_findings": "",
            "figure_flow": "",
            "figure_balance": "",
            "figure_checks": "",
            "figure_value": "",
            "figure_value_more": "",
        },
    )
    for each in plan(output):
        if each.withheld:
            parts[each.part] += f"{escape(each.caption + '.')} {WITHHELD}\n\n"
            continue
        digest = _digest(each)
        known = old.get(each.name)
        if known and known["digest"] == digest and _reuse(previous, folder, each.name):
            alt = known["alt"]
        else:
            alt = _drawn(each, folder)
        index[each.name] = {"digest": digest, "alt": alt}
        parts[each.part] += (
            f"![{escape(each.caption)}](figures/{each.name}){{#fig-{each.name} fig-alt={attribute(alt)}}}\n\n"
        )
    (folder / INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return parts


def plan(output: Output) -> Iterator[Planned]:
    """The figures of a study in the order of its report."""
    drawn = set()
    for result in output.results:
        for each in _of_result(output, result):
            if each.drawing not in drawn:  # analyses of the same people can share their curves
                drawn.add(each.drawing)
                yield each
    yield from _icons(output)
    yield from _forests(output)
    flow = output.rows("flow")
    if sum(isinstance(row.get("n"), int | float) for row in flow) > 1:
        yield Planned(name="flow", part="figure_flow", caption="How many people there were at each step",
                      inputs=[flow, output.arms], make=lambda: figures.flow(flow, arms=output.arms))  # fmt: skip
    yield from _of_design(output)


def _of_design(output: Output) -> Iterator[Planned]:
    """How alike the groups are, and how each is spread over the score that they were compared by."""
    balance, overlap = output.balance, output.overlap
    if balance is not None and set(DIFFERENCES) <= set(balance.columns):
        moved = not balance[DIFFERENCES[0]].equals(balance[DIFFERENCES[1]])
        yield Planned(
            name="balance", part="figure_balance", inputs=balance.to_csv(index=False),
            caption=f"How alike the groups are{', before and after the design' if moved else ''}",
            withheld=_all_blank(balance, DIFFERENCES), make=lambda: figures.love(balance),
        )  # fmt: skip
    if overlap is not None and set(SHARES) <= set(overlap.columns):
        yield Planned(
            name="overlap", part="figure_balance", inputs=[overlap.to_csv(index=False), output.arms],
            caption="How each group is spread over the score, in the comparison that was made",
            withheld=_all_blank(overlap, SHARES), make=lambda: figures.overlap(overlap, arms=output.arms),
        )  # fmt: skip


def _of_result(output: Output, result: Result) -> Iterator[Planned]:
    label = output.label(result)
    for function, frame in figures.FOR_METHOD.get(result.method, ()):
        if (frame and _missing(result, frame)) or (not frame and not result.estimates):
            continue
        part = _part(function, result)
        caption = CAPTIONS.get(function, "{label}: " + plain_words(function)).format(label=_capital(label))
        yield Planned(
            name=slug(f"{result.analysis}-{function}"), part=part, caption=caption,
            inputs=[result.to_dict(), label, output.arms, _time_unit(output, result)],
            drawing=function + (result.detail[frame].to_csv() if function == "curves" else result.analysis),
            withheld=_withheld(function, result, frame),
            make=_maker(function, result, label, output),
        )  # fmt: skip


def _part(function: str, result: Result) -> str:
    """Which part a figure goes into; a figure of ratios stands in the annex, where they are not findings."""
    if function in {"tornado", "must_be_true"}:
        return "figure_value_more"
    if function in FOR_ANNEX:
        return "figure_checks"
    if result.method == "cost_benefit":
        return "figure_value"
    return "figure_main" if result.role == "primary" else "figure_findings"


def _maker(function: str, result: Result, label: str, output: Output) -> Callable[[], Figure]:
    more = {"unit": _time_unit(output, result)} if function == "curves" else {}
    return lambda: getattr(figures, function)(result, label=label, arms=output.arms, **more)


def _time_unit(output: Output, result: Result) -> str:
    """What a curve's time is counted in: the outcome's own unit, days where it was measured from dates."""
    told = output.get("outcomes", result.outcome) or {}
    return str(told.get("unit") or ("days" if told.get("measure") == "time_to_first" else ""))


def _withheld(function: str, result: Result, frame: str) -> bool:
    """Whether the gate left no number that this figure could show."""
    shown = [each for each in DRAWN_FROM.get(function, ()) if frame and each in result.detail[frame]]
    return bool(shown) and _all_blank(result.detail[frame], shown)


def _all_blank(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    return not numbers(frame, names)[list(names)].notna().any(axis=None)


def _missing(result: Result, frame: str) -> bool:
    if result.method == "risk_score" and frame == "calibration" and "mean_score" not in result.detail[frame]:
        return True  # a score that is no chance has nothing to be set beside what happened
    if frame == "criteria" and frame in result.detail and not share_criteria(result.detail[frame]).any():
        return True  # the table says it; numbers of several scales have no axis in common
    return frame not in result.detail or result.detail[frame].empty


def _icons(output: Output) -> Iterator[Planned]:
    """A hundred icons for the main result: two panels from level 4 up, one for a single group, none for few people."""
    result = output.primary
    if result is None or not result.estimates:
        return
    head, arms = result.headline, result.detail.get("arms")
    panels: dict[str, tuple[float, float, float]] = {}
    if result.method == "proportion" and (head.n_treated or 0) >= FEWEST_ICONS and head.conf_low is not None:
        panels["What happened"] = (head.estimate, head.conf_low, head.conf_high)
    elif arms is not None and is_share(result) and output.level(result.analysis) >= PAIR_LEVEL:
        measured = numbers(arms, ["n", "value", "conf_low", "conf_high"])
        if (
            measured[["n", "value", "conf_low", "conf_high"]].notna().all(axis=None)
            and measured["n"].min() >= FEWEST_ICONS
        ):
            panels = {
                output.arms.get(r.arm, r.arm): (r.value, r.conf_low, r.conf_high)
                for r in measured.itertuples()
            }
    if panels:
        share, low, high = ({name: ends[i] for name, ends in panels.items()} for i in range(3))
        label = output.label(result)
        yield Planned(
            name="icons", part="figure_main", inputs=[panels, label],
            caption=f"{_capital(label)}: out of every 100 people, with the range for each group",
            make=lambda: figures.icon_array(share, low=low, high=high),
        )  # fmt: skip


def _forests(output: Output) -> Iterator[Planned]:
    """Differences of one unit side by side, and ratios side by side; never on one axis, and never one alone."""
    scales: dict[str, list[Result]] = {}
    for each in output.results:
        result = replace(each, estimates=tuple(as_ratio(one) for one in each.estimates))
        head = result.estimates[0] if result.estimates else None
        if (
            head is None
            or head.conf_low is None
            or head.measure == "proportion"
            or result.method in {"cost_benefit", "proportion", "progression", "run_chart"}
        ):
            continue
        scale = "ratios" if head.measure in RATIOS else str(head.unit or head.measure)
        scales.setdefault(scale, []).append(headline_only(result))
    for scale, results in scales.items():
        alone = all(result.method == "counts" for result in results)  # each has its own figure of changes
        if sum(len(r.estimates) for r in results) > 1 and not alone:
            labels = {r.analysis: output.label(r) for r in results}
            what = f"{_capital(labels[results[0].analysis])}: estimates" if len(results) == 1 else "Estimates"
            yield Planned(
                name=slug(f"forest-{scale}"), part="figure_findings",
                caption=f"{what} side by side, with their 95% intervals ({scale})",
                inputs=[[r.to_dict() for r in results], labels],
                make=lambda results=results, labels=labels: figures.forest(results, labels=labels),
            )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _drawn(each: Planned, folder: Path) -> str:
    from evalkit.report.theme import save

    figure = each.make()
    save(figure, folder, each.name)
    return figure.alt


def _reuse(previous: Path | None, folder: Path, name: str) -> bool:
    files = [previous / f"{name}.{kind}" for kind in KINDS] if previous else []
    if not files or not all(file.is_file() for file in files):
        return False
    for file in files:
        if file.parent != folder:
            shutil.copyfile(file, folder / file.name)
    return True


def _index(previous: Path | None) -> dict[str, dict[str, str]]:
    path = previous / INDEX if previous else None
    if path is None or not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict) and {"digest", "alt"} <= v.keys()}


def _digest(each: Planned) -> str:
    inputs = json.dumps([each.name, each.inputs], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(f"{_code()}\n{inputs}".encode()).hexdigest()


@cache
def _code() -> str:
    """A digest of the modules that draw, so that a changed figure is drawn anew."""
    here = Path(__file__).parent
    drawing = sorted([here / "theme.py", here / "words.py", *(here / "figures").glob("*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in drawing)).hexdigest()
