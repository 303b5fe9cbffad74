"""Re-derive figures that somebody printed, and say what cannot be true.

Nothing is corrected in silence: a figure that its own counts do not give is named, with the likeliest reason and the
question to ask of whoever printed it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

COLUMNS = (
    "study",
    "place",
    "measure",
    "period",
    "numerator",
    "denominator",
    "before",
    "after",
    "published_value",
    "unit",
    "note",
)
NUMBERS = ("numerator", "denominator", "before", "after")
SMALL_BASE = 20
MONEY = ("GBP", "GBP_per_GBP", "ratio", "USD")
SHARES = {
    "percent": 100.0,
    "rate_per_1000": 1000.0,
    "rate_per_100": 100.0,
    "percent_min": 100.0,
    "percent_max": 100.0,
}

ZERO_IS_MISSING = re.compile(
    r"missing,? not zero|\b(?:zero|0)\b[^.;]*(?:not available|missing)|(?:not available|missing)[^.;]*\b(?:zero|0)\b",
    re.I,
)
OPEN_DEFINITION = re.compile(
    r"cumulative|exclusive|may or may not|heading says|not stated so|if base is|per worker or", re.I
)
APPROXIMATE = re.compile(r"\b(?:around|about|almost|over|more than|just under|up to|nearly)\b", re.I)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`consistent`: yes, rounding, no, ambiguous or not_checkable. `recomputed` is in the published value's unit."""

    consistent: str
    diagnosis: str
    recomputed: float | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One printed figure: its counts, its value as printed (text keeps the decimals), its unit, its words."""

    numerator: float | None
    denominator: float | None
    before: float | None
    after: float | None
    printed: str | None
    unit: str
    words: str


def audit(figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Re-derive each row of a table of published figures.

    Parameters
    ----------
    figures
        Columns `numerator`, `denominator`, `before`, `after` (numbers or missing), `published_value` (text, as
        printed, so that its decimals are known), `unit` (count, percent, percent_change, count_change, rate_per_1000,
        percent_min, percent_max, GBP …) and any others, which are carried through. `measure` and `note` are read for
        words that say that a zero is missing or that a definition is open.

    Returns
    -------
    One mapping for each row: every input column, `recomputed` (number or None), `consistent` and `diagnosis`.

    Notes
    -----
    A published value is compared at the precision that it was printed with, rounding half up. Where truncation gives it
    and rounding does not, the verdict is `rounding`.
    """
    return [_row(row) for row in figures.to_dict("records")]


def in_words(figures: list[dict[str, Any]]) -> str:
    """One line for each figure, the wrong ones first, and the totals."""
    order = ("no", "rounding", "ambiguous", "not_checkable", "yes")
    counts = {each: sum(figure["consistent"] == each for figure in figures) for each in order}
    lines = [
        f"{figure['consistent']:13} {figure.get('measure') or ''}: {figure['diagnosis']}"
        for figure in sorted(figures, key=lambda figure: order.index(figure["consistent"]))
    ]
    total = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    return "\n".join([*lines, "", f"{len(figures)} figures: {total}."])


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {str(name): (None if pd.isna(value) else value) for name, value in row.items()}
    numbers = {name: None if kept.get(name) is None else float(kept[name]) for name in NUMBERS}
    words = " ".join(str(kept.get(name) or "") for name in ("measure", "period", "note"))
    printed = None if kept.get("published_value") is None else str(kept["published_value"]).strip()
    verdict = judge(Figure(**numbers, printed=printed, unit=str(kept.get("unit") or "").strip(), words=words))
    return kept | {
        "recomputed": verdict.recomputed, "consistent": verdict.consistent, "diagnosis": verdict.diagnosis,
    }  # fmt: skip


def judge(figure: Figure) -> Verdict:
    """The verdict on one figure: what is impossible first, then what is open, then the arithmetic of its unit."""
    if figure.before in (None, 0) and ZERO_IS_MISSING.search(figure.words):
        return Verdict(
            consistent="no",
            diagnosis="A zero stands for a figure that is missing: no change can be computed from it.",
        )
    if _part_above_whole(figure):
        gap = f"{figure.numerator:g} is larger than {figure.denominator:g}"
        return Verdict(
            consistent="no", diagnosis=f"The part is larger than the whole it is taken from: {gap}."
        )
    if figure.unit in ("unit_missing", "") and None not in (figure.before, figure.after):
        return _without_unit(figure)
    rule = _RULES.get(figure.unit)
    verdict = rule(figure) if rule else _nothing_to_check()
    if OPEN_DEFINITION.search(figure.words):
        question = "It depends on a definition that the source does not give: ask for it."
        return Verdict(consistent="ambiguous", diagnosis=question, recomputed=verdict.recomputed)
    return verdict


def compare(printed: str, exact: float) -> str:
    """`yes` where rounding half up at the printed precision gives it, `rounding` where only truncation does."""
    shown = _decimal(printed)
    if shown is None or not math.isfinite(exact):
        return "no"
    step = Decimal(1).scaleb(min(shown.as_tuple().exponent, 0))
    value = Decimal(repr(exact))
    if value.quantize(step, ROUND_HALF_UP) == shown:
        return "yes"
    return "rounding" if value.quantize(step, ROUND_DOWN) == shown else "no"


def _decimal(printed: str | None) -> Decimal | None:
    text = re.sub(r"[,%£$\s+]", "", printed or "").replace("−", "-")
    return Decimal(text) if re.fullmatch(r"-?\d+(?:\.\d+)?", text) else None


def _part_above_whole(figure: Figure) -> bool:
    if None in (figure.numerator, figure.denominator) or figure.unit in MONEY:
        return False
    return figure.numerator > figure.denominator


def _share(figure: Figure) -> Verdict:
    counted = figure.numerator is not None or figure.denominator is not None
    if figure.unit == "percent" and not counted and None not in (figure.before, figure.after):
        return _percent_change(figure)
    per = SHARES[figure.unit]
    if None in (figure.numerator, figure.denominator) or not figure.denominator:
        return _possible(figure)
    exact = per * figure.numerator / figure.denominator
    return _verdict(figure, exact, "")


def _possible(figure: Figure) -> Verdict:
    """A rounded percentage with only its base: is there any whole number that gives it?"""
    shown = _decimal(figure.printed)
    if figure.unit != "percent" or shown is None or not figure.denominator or figure.denominator > 1e6:
        return _nothing_to_check()
    base = int(figure.denominator)
    guess = float(shown) * base / 100
    near = range(max(math.floor(guess) - 1, 0), min(math.ceil(guess) + 1, base) + 1)
    if APPROXIMATE.search(figure.words) or any(
        compare(figure.printed, 100 * k / base) == "yes" for k in near
    ):
        return Verdict(
            consistent="not_checkable",
            diagnosis="The number counted is not printed, only the percentage and its base.",
        )
    return Verdict(consistent="no", diagnosis=f"No whole number out of {base} gives {figure.printed}%.")


def _percent_change(figure: Figure) -> Verdict:
    if figure.before is None or figure.after is None:
        return _base_unknown(figure)
    if figure.before == 0:
        return Verdict(consistent="no", diagnosis="A percentage change from 0 does not exist.")
    exact = 100 * (figure.after - figure.before) / figure.before
    wrong_base = 100 * (figure.after - figure.before) / figure.after if figure.after else math.nan
    reason = ""
    if figure.printed and compare(figure.printed, wrong_base) == "yes":
        reason = "It was divided by the later count instead of the earlier one (wrong base)."
    elif figure.printed and compare(figure.printed, -exact) == "yes":
        reason = "The sign is the wrong way round."
    elif figure.printed and compare(figure.printed, figure.after - figure.before) == "yes":
        reason = "It is the change in the count, not a percentage."
    return _verdict(figure, exact, reason)


def _base_unknown(figure: Figure) -> Verdict:
    shown = _decimal(figure.printed)
    if figure.after is None or shown is None or shown <= -100:
        return _nothing_to_check()
    step = float(Decimal(1).scaleb(min(shown.as_tuple().exponent, 0))) / 2
    low, high = (figure.after / (1 + (float(shown) + half) / 100) for half in (step, -step))
    bases = (
        f"between {math.ceil(low)} and {math.floor(high)}"
        if math.ceil(low) <= math.floor(high)
        else f"about {low:.0f}"
    )
    return Verdict(
        consistent="not_checkable", diagnosis=f"The earlier count is not printed; it would have been {bases}."
    )


def _count_change(figure: Figure) -> Verdict:
    if figure.before is None or figure.after is None:
        return _nothing_to_check()
    change = figure.after - figure.before
    percent = 100 * change / figure.before if figure.before else math.nan
    reason = (
        "It is the percentage change, not the change in the count."
        if figure.printed and compare(figure.printed, percent) == "yes"
        else ""
    )
    return _verdict(figure, change, reason)


def _count(figure: Figure) -> Verdict:
    if figure.numerator is None or (figure.denominator is None and APPROXIMATE.search(figure.words)):
        return _nothing_to_check()
    return _verdict(figure, figure.numerator, "")


def _bound(figure: Figure) -> Verdict:
    if None in (figure.numerator, figure.denominator) or not figure.denominator:
        return _nothing_to_check()
    exact, shown = 100 * figure.numerator / figure.denominator, _decimal(figure.printed)
    if shown is None:
        return _nothing_to_check()
    holds = exact > float(shown) if figure.unit == "percent_min" else exact < float(shown)
    words = "more than" if figure.unit == "percent_min" else "less than"
    return Verdict(
        consistent="yes" if holds else "no", recomputed=round(exact, 2),
        diagnosis=f"{exact:.1f}% is {'' if holds else 'not '}{words} {figure.printed}%.",
    )  # fmt: skip


def _without_unit(figure: Figure) -> Verdict:
    change = figure.after - figure.before
    percent = 100 * change / figure.before if figure.before else math.nan
    if figure.printed and compare(figure.printed, change) == "yes":
        diagnosis = f"No unit is printed. The count changed by {change:+g}, which is what was printed."
    else:
        diagnosis = f"No unit is printed. The count changed by {change:+g}, which is {percent:+.1f}%."
    return Verdict(consistent="no", diagnosis=diagnosis, recomputed=round(change, 2))


def _nothing_to_check() -> Verdict:
    return Verdict(
        consistent="not_checkable", diagnosis="No counts are printed that it could be checked against."
    )


def _verdict(figure: Figure, exact: float, reason: str) -> Verdict:
    recomputed = round(exact, 2)
    if figure.printed is None:
        return Verdict(
            consistent="not_checkable",
            diagnosis="Counts are given, but no printed figure.",
            recomputed=recomputed,
        )
    found = compare(figure.printed, exact)
    if found == "yes":
        return Verdict(consistent="yes", diagnosis=_small_print(figure), recomputed=recomputed)
    if found == "rounding":
        words = f"Truncated instead of rounded: {recomputed:g} was printed as {figure.printed}."
        return Verdict(consistent="rounding", diagnosis=words, recomputed=recomputed)
    advice = reason or "Ask the source; do not correct it in silence."
    words = f"The counts give {recomputed:g}, not {figure.printed}. {advice}"
    return Verdict(consistent="no", diagnosis=words, recomputed=recomputed)


def _small_print(figure: Figure) -> str:
    base = figure.denominator if figure.denominator is not None else figure.before
    if base is not None and base < SMALL_BASE and figure.unit in ("percent", "percent_change"):
        return f"The counts give it, but the base is {base:g}: print the counts, not the percentage."
    return "The counts give it."


_RULES: Mapping[str, Callable[[Figure], Verdict]] = {
    "percent": _share, "rate_per_1000": _share, "rate_per_100": _share, "percent_min": _bound, "percent_max": _bound,
    "percent_change": _percent_change, "count_change": _count_change, "count": _count,
}  # fmt: skip
