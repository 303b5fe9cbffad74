"""The attacker: which whole numbers fit everything that is printed.

Two attacks. `count_ranges` solves a table: cells that add up, some printed (perhaps rounded), some withheld, and for
each cell the least and the greatest whole number that fits (an integer programme). `block_ranges` inverts an estimate:
every pair of counts is sent through the same rule, and the pairs that come out alike cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.disclosure.policy import Policy

CEILING = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One count of a table. `total` is what it is part of; `cost` is paid if it is withheld to protect another.

    `open` cells are known to everybody, exactly, and cannot be withheld; `implied` ones are never printed (the
    difference of two printed cells), yet need protection all the same; `plain` ones are numbers of people without
    anything said about them, which need protection only where they are small.
    """

    value: float
    total: float | None = None
    cost: float = 0.0
    open: bool = False
    implied: bool = False
    plain: bool = False


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The cell `whole` is the sum of the cells `parts`."""

    whole: str
    parts: tuple[str, ...]


def count_ranges(
    cells: Mapping[str, Cell],
    sums: Sequence[Sum],
    hidden: Collection[str],
    policy: Policy,
    wanted: Sequence[str],
) -> dict[str, tuple[float, float]]:
    """The least and greatest whole number that fits each wanted cell, given the sums and what is printed."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    names = list(cells)
    place = {name: position for position, name in enumerate(names)}
    matrix = np.zeros((len(sums), len(names)))
    for row, each in enumerate(sums):
        matrix[row, place[each.whole]] = 1
        for part in each.parts:
            matrix[row, place[part]] -= 1
    limits = np.array([printed_range(cells[name], name in hidden, policy) for name in names])
    bounds, constraint = Bounds(limits[:, 0], limits[:, 1]), LinearConstraint(matrix, 0, 0)
    found = {}
    for name in wanted:
        ends = []
        for sign in (1, -1):
            goal = np.zeros(len(names))
            goal[place[name]] = sign
            answer = milp(goal, constraints=constraint, bounds=bounds, integrality=np.ones(len(names)))
            ends.append(np.nan if answer.x is None else round(float(answer.x[place[name]])))
        found[name] = (ends[0], ends[1])
    return found


def printed_range(cell: Cell, hidden: bool, policy: Policy) -> tuple[float, float]:
    """What the printed form of one cell says by itself."""
    if cell.open:
        return cell.value, cell.value
    top = CEILING if cell.total is None else cell.total
    if hidden or cell.implied:
        return 0, top
    low, high = rounding_range(cell.value, policy)
    if policy.small(cell.value, cell.total):
        return low, high
    return max(low, policy.threshold), high


def rounding_range(value: float, policy: Policy) -> tuple[float, float]:
    """The least and greatest whole number that are rounded to the same multiple as `value`."""
    centre, base = policy.rounded(value), policy.rounding
    return max(0, centre - base // 2), centre + (base - 1) // 2


def exposed(
    cells: Mapping[str, Cell], sums: Sequence[Sum], hidden: Collection[str], policy: Policy
) -> list[str]:
    """The cells whose range is too narrow, given everything that is printed."""
    wanted = [name for name, cell in cells.items() if _needs_care(name, cell, hidden, policy)]
    ranges = count_ranges(cells, sums, hidden, policy, wanted)
    return [name for name in wanted if not _wide_enough(cells[name], ranges[name], name in hidden, policy)]


def _needs_care(name: str, cell: Cell, hidden: Collection[str], policy: Policy) -> bool:
    if name in hidden or cell.implied:
        return bool(policy.small(cell.value, cell.total))
    return policy.spread > 0 and not cell.open and not cell.plain


def _wide_enough(cell: Cell, ends: tuple[float, float], hidden: bool, policy: Policy) -> bool:
    low, high = ends
    if not (low <= cell.value <= high):
        return False
    if not hidden and not cell.implied:
        own = rounding_range(cell.value, policy)
        return high - low >= min(policy.spread, own[1] - max(own[0], policy.threshold))
    top = CEILING if cell.total is None else cell.total
    reach = policy.protection
    return (
        high - low >= reach
        and cell.value - low >= min(reach, cell.value - (0 if policy.hide_zeros else min(1, cell.value)))
        and high - cell.value >= min(reach, top - cell.value)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """The whole numbers in each block of elements that print alike, ready to be asked again as elements drop out.

    `key` is each element's (block, value); `block` and `value` are those of the keys, in order.
    """

    blocks: np.ndarray
    key: np.ndarray
    block: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, blocks: np.ndarray, values: np.ndarray) -> Spread:
        scale = int(values.max(initial=0)) + 1
        named, key = np.unique(blocks * scale + values, return_inverse=True)
        return cls(blocks=blocks, key=key, block=named // scale, value=named % scale)

    def among(self, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each element: the least and the greatest value in its block, and how many different ones."""
        there = np.bincount(self.key[alive], minlength=len(self.block)) > 0
        block, value = self.block[there], self.value[there]
        size = int(self.block.max(initial=0)) + 1
        low, high = np.full(size, np.iinfo(np.int64).max), np.full(size, -1)
        # Keys stand in order of value within their block: the last one written is the greatest.
        high[block] = value
        low[block[::-1]] = value[::-1]
        return low[self.blocks], high[self.blocks], np.bincount(block, minlength=size)[self.blocks]


def hashed(columns: Sequence[np.ndarray]) -> np.ndarray:
    """One whole number for each row of several whole-number columns; equal rows, equal numbers.

    Different rows share a number about once in 10**19 pairs of rows, which would only make two blocks one.
    """
    codes = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        codes = (codes ^ np.asarray(column).astype(np.int64).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        codes ^= codes >> np.uint64(29)
    return codes.view(np.int64)
