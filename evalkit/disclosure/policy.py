"""What each audience may see: the presets of `parameters/disclosure.yaml` as a frozen record."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from evalkit.errors import StudyError, nearest

WITHHELD = "[c]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One preset.

    `threshold`: a count of people below it is small. `hide_zeros`: nought, and everybody, are small too.
    `rounding`: printed counts are multiples of it. `protection`: how wide the range of whole numbers that fit all
    that is printed must stay for a small count (and how far it must reach on either side of it). `spread`: the same
    for a rounded count. `figures`: significant figures of a standard error. `dominance`: the largest share of a
    total that its two largest contributors may hold. `withhold` is False where small counts are only flagged.
    """

    name: str
    withhold: bool
    threshold: int
    hide_zeros: bool
    rounding: int
    protection: int
    spread: int
    figures: int
    dominance: float
    watermark: str | None

    def small(self, count: Any, total: Any = None) -> Any:
        """Whether a count, or what is left of its total, is too small to print. Works on numbers and arrays."""
        count = np.asarray(count, dtype=float)
        found = self._below(count)
        if total is not None:
            found = found | self._below(np.asarray(total, dtype=float) - count)
        return found if found.ndim else bool(found)

    def rounded(self, count: Any, times: int = 1) -> Any:
        """The count as printed: the nearest multiple of `rounding` (or of so many `times` it), halves up."""
        base = self.rounding * times
        rounded = np.floor(np.asarray(count, dtype=float) / base + 0.5) * base
        return rounded if rounded.ndim else int(rounded)

    def grid(self, people: float | None) -> float:
        """The step of 1, 2 or 5 times a power of ten that holds at least as many of these people as counts hide."""
        if not people:
            return 1.0
        needed = max(self.rounding, self.protection) / people
        scale = 10.0 ** math.floor(math.log10(needed))
        return next(step * scale for step in (1, 2, 5, 10) if step * scale >= needed * (1 - 1e-12))

    def _below(self, count: np.ndarray) -> np.ndarray:
        found = count < self.threshold
        return found if self.hide_zeros else found & (count != 0)


def policy(preset: str) -> Policy:
    """The named preset: `internal`, `partner` or `public`."""
    presets = _presets()
    if preset not in presets:
        raise StudyError(
            "`disclosure.preset` is not known",
            where="study.yml",
            found=str(preset),
            do=nearest(preset, presets),
        )
    wanted = {each.name for each in fields(Policy)}
    values = {name: value for name, value in presets[preset].items() if name in wanted}
    return Policy(name=preset, **values)


@cache
def _presets() -> dict[str, dict[str, Any]]:
    import yaml

    text = (files("evalkit") / "parameters" / "disclosure.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["presets"]
