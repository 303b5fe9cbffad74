"""Numbers as a lay reader meets them: whole people in every 100, whole per cents, ranges in words.

Rounding is half away from nought. Whole numbers are rounded from the one decimal place that tables print, so that a
text and the table beside it never seem to disagree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalkit.claims.certainty import LOG_RATIOS, RATIOS
from evalkit.results import Estimate

SIZES = ((15.0, "large"), (8.0, "moderate"), (3.0, "small"))
LEAST_FOR_PERCENT = 20
_TIMES = ("day", "week", "month", "year")


def whole(value: float) -> int:
    """The nearest whole number to the value as tables print it, halves away from nought."""
    tenths = math.floor(abs(value) * 10 + 0.5)
    return int(math.copysign((tenths + 5) // 10, value))


def short(value: float) -> str:
    """Two significant figures, or every digit before the point, with thousands parted."""
    if value == 0:
        return "0"
    if abs(value) >= 10:
        return f"{whole(value):,}"
    places = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 4)}f}"


def percent(share: float) -> str:
    return f"{whole(100 * share)}%"


def count_of(count: float, total: float) -> str:
    """`21 of 26 (81%)`; no per cent where there are fewer than twenty."""
    text = f"{whole(count):,} of {whole(total):,}"
    return text if total < LEAST_FOR_PERCENT else f"{text} ({percent(count / total)})"


def size_word(points: float | None) -> str:
    """large, moderate, small, or little or none: by the difference in points of 100."""
    if points is None:
        return "not rated"
    return next((word for least, word in SIZES if abs(points) >= least), "little or none")


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """A difference on its lay scale: `value`, `low` and `high` in `unit`, negative for `less`.

    `kind` is points (people in every 100), percent (of the other figure) or mean (in a unit of its own).
    """

    value: float
    low: float | None
    high: float | None
    kind: str
    unit: str
    less: str
    more: str

    @property
    def has_range(self) -> bool:
        return self.low is not None and self.high is not None

    @property
    def near(self) -> float:
        """The limit that lies closer to no difference."""
        return min(self.low, self.high, key=abs)

    @property
    def far(self) -> float:
        return max(self.low, self.high, key=abs)

    @property
    def straddles(self) -> bool:
        return not self.has_range or self.low <= 0 <= self.high

    @property
    def touches(self) -> bool:
        """True where the range leaves out no difference, and its near limit is printed as nought all the same."""
        return not self.straddles and self.number(self.near).startswith("less than")

    @property
    def word(self) -> str:
        return self.less if self.value < 0 else self.more

    def number(self, value: float) -> str:
        """The size without unit or direction: `16`, `9%`, `3.4`; never a bare nought."""
        if self.kind != "mean":
            mark = "%" if self.kind == "percent" else ""
            return f"{whole(abs(value)) or 'less than 1'}{mark}"
        places = self._places()
        text = f"{abs(value):,.{places}f}"
        return text if float(text.replace(",", "")) else f"less than {10.0**-places:.{places}f}"

    def _places(self) -> int:
        largest = max(abs(each) for each in (self.value, self.low, self.high) if each is not None)
        return 1 if largest == 0 else min(4, max(0, 1 - math.floor(math.log10(largest))))

    def _turned(self, number: str, word: str) -> str:
        if self.kind != "mean" or not self.unit:
            return f"{number} {word}"
        return (
            f"{number} {word} ({self.unit})"
            if " " in self.unit
            else f"{number} {self._unit_of(number)} {word}"
        )

    def _unit_of(self, number: str) -> str:
        """`day` beside 1, `days` beside all else."""
        one = self.unit.removesuffix("s") in _TIMES
        return self.unit.removesuffix("s") if one and number == "1" else self.unit

    def one(self, value: float) -> str:
        """`16 fewer`, `9% lower`, `3.4 weeks longer`."""
        return self._turned(self.number(value), self.less if value < 0 else self.more)

    def best(self) -> str:
        return "no difference" if self.value == 0 else self.one(self.value)

    def span(self) -> str:
        """The sizes of a range on one side, the smaller first, without direction: `between 1 and 16`."""
        near, far = self.number(self.near), self.number(self.far)
        return f"about {near}" if near == far else f"between {near} and {far}"

    def between(self) -> str:
        """`between 1 and 16 fewer`, for a range on one side."""
        return self._turned(self.span(), self.less if self.far < 0 else self.more)

    def either(self) -> str:
        """`anything from 16 fewer to 2 more`, for a range on both sides."""
        low, high = (self.number(each) for each in (self.low, self.high))
        if self.kind == "mean" and " " not in self.unit:
            low, high = (f"{each} {self._unit_of(each)}".rstrip() for each in (low, high))
        tail = f" ({self.unit})" if self.kind == "mean" and " " in self.unit else ""
        return f"anything from {low} {self.less} to {high} {self.more}{tail}"

    def plain(self, sizes: str) -> str:
        """Sizes with their unit, if they have one."""
        return f"{sizes} {self._unit_of(sizes)}".rstrip() if self.kind == "mean" else sizes


def amount(head: Estimate) -> Amount | None:
    """The lay scale of an estimate, or None where there is no estimate."""
    if head.estimate is None:
        return None
    values = (head.estimate, head.conf_low, head.conf_high)
    if head.measure in RATIOS + LOG_RATIOS:
        ratios = (
            values if head.measure in RATIOS else tuple(None if v is None else math.exp(v) for v in values)
        )
        return _amount(
            tuple(None if v is None else 100 * (v - 1) for v in ratios), "percent", "", "lower", "higher"
        )
    if head.measure == "risk_difference" or head.unit == "percentage points":
        return _amount(values, "points", "", "fewer", "more")
    unit = "standard deviations" if head.measure == "smd" else head.unit or ""
    timed = unit.rstrip("s") in _TIMES
    return _amount(values, "mean", unit, *(("shorter", "longer") if timed else ("lower", "higher")))


def _amount(values: tuple[float | None, ...], kind: str, unit: str, less: str, more: str) -> Amount:
    return Amount(value=values[0], low=values[1], high=values[2], kind=kind, unit=unit, less=less, more=more)
