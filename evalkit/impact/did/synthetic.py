"""Synthetic difference-in-differences (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.found import Found
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.randomisation import randomised
from evalkit.impact.did.uncertainty import UNKNOWN, from_variance, too_few
from evalkit.results import Check

SOLVED = 1e-12
MOST_STEPS = 20000


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """One cohort beside the never treated: rows units (controls first), columns periods (before first)."""

    y: np.ndarray
    controls: int
    before: int
    rows: np.ndarray
    omega: np.ndarray
    lam: np.ndarray

    @property
    def effect(self) -> float:
        """The doubly weighted difference of changes."""
        return _effect(self.y, self.controls, self.before, self.omega, self.lam)

    @property
    def size(self) -> int:
        """Treated unit-periods."""
        return (len(self.y) - self.controls) * (self.y.shape[1] - self.before)


def synthetic(panel: Panel, options: DidOptions) -> Found:
    """The effect beside comparison units and periods weighted to run parallel to the treated before treatment.

    With several cohorts, one block each beside the never treated, averaged by treated unit-periods. Errors by the
    jackknife over units with the weights held (their algorithm 3), or ranks by `inference: randomisation`.
    """
    if panel.grid is None:
        raise DataError(
            "synthetic difference-in-differences needs every unit in every period",
            where="did",
            do="Leave out units or periods with gaps",
        )
    blocks, short = _blocks(panel), _short(panel)
    estimate = _average(blocks, [block.effect for block in blocks])
    if options.inference == "randomisation":
        found = randomised(panel, options, estimate, _again)
        return _with_frames(found, blocks, panel, short)
    variance = np.nan if too_few(panel, options) else _jackknife(panel, blocks)
    interval = UNKNOWN if not np.isfinite(variance) else from_variance(estimate, variance, panel, options)
    found = Found(
        estimate=estimate, interval=interval, interval_name="jackknife", n_clusters=panel.clusters,
        references=("arkhangelsky2021",),
    )  # fmt: skip
    return _with_frames(found, blocks, panel, short)


def _short(panel: Panel) -> int:
    """How many cohorts have fewer than two periods before treatment."""
    return sum(int((panel.calendar.steps < g).sum()) < 2 for g in panel.cohorts)


def _blocks(panel: Panel) -> list[Block]:
    long = [int(g) for g in panel.cohorts if (panel.calendar.steps < g).sum() >= 2]
    if not long:
        raise EstimationError("synthetic difference-in-differences needs two periods before treatment")
    return [_block(panel, g) for g in long]


def _again(panel: Panel) -> float:
    blocks = _blocks(panel)
    return _average(blocks, [block.effect for block in blocks])


def _average(blocks: list[Block], effects: list[float]) -> float:
    return float(np.average(effects, weights=[block.size for block in blocks]))


def _block(panel: Panel, g: int) -> Block:
    y = panel.outcome.reshape(panel.grid)
    cohort = panel.first_rows(panel.cohort)
    never, own = np.flatnonzero(cohort == NEVER), np.flatnonzero(cohort == g)
    before = int((panel.calendar.steps < g).sum())
    if not len(never):
        raise EstimationError("synthetic difference-in-differences needs never-treated units", where="did")
    rows = np.concatenate([never, own])
    y = y[rows]
    n = len(never)
    changes = np.diff(y[:n, :before], axis=1)
    noise = np.std(changes, ddof=1) if changes.size > 1 else 0.0
    treated_mass = len(own) * (y.shape[1] - before)
    zeta_unit, zeta_time = treated_mass**0.25 * noise, 1e-6 * noise
    lam = simplex_weights(y[:n, :before], y[:n, before:].mean(axis=1), zeta_time)
    omega = simplex_weights(y[:n, :before].T, y[n:, :before].mean(axis=0), zeta_unit)
    return Block(y=y, controls=n, before=before, rows=rows, omega=omega, lam=lam)


def simplex_weights(columns: np.ndarray, target: np.ndarray, zeta: float) -> np.ndarray:
    """Weights ≥ 0 that sum to one and minimise |intercept + columns w - target|² / rows + ζ²|w|².

    By an active set of the Karush-Kuhn-Tucker conditions: exact up to rounding. Where every column is as good as the
    others (one comparison unit says nothing of which earlier periods are like the later ones) they weigh alike.
    """
    a = columns - columns.mean(axis=0)
    b = target - target.mean()
    gram = a.T @ a / len(a) + zeta**2 * np.eye(a.shape[1])
    linear = a.T @ b / len(a)
    gram = gram + 1e-14 * np.trace(gram) * np.eye(len(gram))
    w = np.full(len(linear), 1 / len(linear))
    if not gram.any():
        return w
    active = np.ones(len(w), bool)
    for _ in range(MOST_STEPS):
        solved, price = _equality(gram, linear, active)
        if (solved[active] >= -SOLVED).all():
            w = np.maximum(solved, 0)
            slack = gram @ w - linear - price
            worst = np.argmin(np.where(active, np.inf, slack))
            if active.all() or slack[worst] >= -1e-10 * max(np.abs(linear).max(), 1e-300):
                return w / w.sum()
            active[worst] = True
            continue
        step = solved - w
        shrink = active & (step < 0) & (solved < 0)
        room = np.where(shrink, w / np.where(shrink, -step, 1), np.inf)
        k = int(np.argmin(room))
        w = np.where(active, w + room[k] * step, 0)
        w[k], active[k] = 0.0, False
    return w / w.sum()


def _equality(gram: np.ndarray, linear: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, float]:
    """The minimum over the active weights that sum to one, and the price of that constraint."""
    keep = np.flatnonzero(active)
    sub = gram[np.ix_(keep, keep)]
    both = np.linalg.solve(sub, np.column_stack([linear[keep], np.ones(len(keep))]))
    price = (1 - both[:, 0].sum()) / both[:, 1].sum()
    out = np.zeros(len(linear))
    out[keep] = both[:, 0] + price * both[:, 1]
    return out, price


def _effect(y: np.ndarray, controls: int, before: int, omega: np.ndarray, lam: np.ndarray) -> float:
    change = y[:, before:].mean(axis=1) - y[:, :before] @ lam
    return float(change[controls:].mean() - omega @ change[:controls])


def _jackknife(panel: Panel, blocks: list[Block]) -> float:
    """Variance over leaving out one unit at a time, unit weights rescaled and time weights held."""
    units = len(panel.units)
    values = np.full(units, np.nan)
    for unit in range(units):
        effects, kept = [], []
        for block in blocks:
            at = np.flatnonzero(block.rows == unit)
            answer = block.effect if not len(at) else _without(block, int(at[0]))
            if answer is not None:
                effects.append(answer)
                kept.append(block)
        values[unit] = _average(kept, effects) if kept else np.nan
    used = values[np.isfinite(values)]
    return float((len(used) - 1) / len(used) * np.sum((used - used.mean()) ** 2))


def _without(block: Block, at: int) -> float | None:
    keep = np.arange(len(block.y)) != at
    controls = block.controls - (at < block.controls)
    omega = block.omega[keep[: block.controls]]
    if controls == len(block.y) - 1 or omega.sum() <= 0:
        return None
    return _effect(block.y[keep], controls, block.before, omega / omega.sum(), block.lam)


def _with_frames(found: Found, blocks: list[Block], panel: Panel, short: int) -> Found:
    """Frames unit_weights (unit, cohort, weight) and time_weights (period, cohort, weight)."""
    units, times = [], []
    for block in blocks:
        label = panel.calendar.label(int(panel.calendar.steps[block.before]))
        names = panel.units[block.rows[: block.controls]]
        units += [(str(name), label, w) for name, w in zip(names, block.omega, strict=True)]
        periods = panel.calendar.labels[: block.before]
        times += [(period, label, w) for period, w in zip(periods, block.lam, strict=True)]
    detail = {
        **found.detail,
        "unit_weights": pd.DataFrame(units, columns=["unit", "cohort", "weight"]),
        "time_weights": pd.DataFrame(times, columns=["period", "cohort", "weight"]),
    }
    largest = max(float(block.omega.max()) for block in blocks)
    check = Check(
        name="synthetic_weights",
        null="no single unit carries the comparison",
        statistic=largest,
        threshold=0.5,
        passed=largest <= 0.5,
        reading=f"The heaviest comparison unit carries {largest:.0%}."
        + (f" {short} cohorts with one period before treatment are not used." if short else ""),
        next_step="" if largest <= 0.5 else "Read the result as a comparison with that unit",
    )
    return Found(
        estimate=found.estimate, interval=found.interval, interval_name=found.interval_name,
        n_clusters=found.n_clusters, detail=detail, checks=(*found.checks, check),
        references=("arkhangelsky2021", *(r for r in found.references if r != "arkhangelsky2021")),
    )  # fmt: skip
