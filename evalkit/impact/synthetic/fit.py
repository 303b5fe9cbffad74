"""One unit beside its mixture of others; the same for every unit in turn; and with each donor left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.impact.synthetic.options import SyntheticControlOptions
from evalkit.impact.synthetic.panel import Places
from evalkit.impact.synthetic.weights import choose_ridge, nested, ridge_weights, simplex
from evalkit.inference import TIE


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """A unit's own path beside the mixture's. `weights` run over `donors`; `importance` over the predictors."""

    unit: int
    donors: np.ndarray
    weights: np.ndarray
    importance: np.ndarray
    actual: np.ndarray
    synthetic: np.ndarray
    before: int
    ridge: float | None = None

    @property
    def gap(self) -> np.ndarray:
        """Actual less synthetic, period by period."""
        return self.actual - self.synthetic

    @property
    def effect(self) -> float:
        """The mean gap from the start on."""
        return float(self.gap[self.before :].mean())

    @property
    def rmspe(self) -> tuple[float, float]:
        """Root mean squared gap before and after."""
        gap = self.gap
        return float(np.sqrt((gap[: self.before] ** 2).mean())), float(
            np.sqrt((gap[self.before :] ** 2).mean())
        )

    @property
    def ratio(self) -> float:
        """RMSPE after over RMSPE before; a perfect fit before is held to rounding error of the outcome."""
        before, after = self.rmspe
        floor = 1e-9 * max(float(np.abs(self.actual).mean()), 1e-300)
        return after / max(before, floor)


def mix(
    places: Places, unit: int, donors: np.ndarray, options: SyntheticControlOptions, before: int | None = None
) -> Mixture:
    """The mixture of `donors` that follows `unit` before the start."""
    before = places.before if before is None else before
    own, others = places.outcome[unit], places.outcome[donors].T
    importance, ridge = np.zeros(0), None
    if len(donors) == 1:
        # One place is its own mixture: there is nothing to choose, for predictors and ridge neither.
        weights, importance = np.ones(1), np.full(len(places.names), np.nan)
    elif places.names:
        weights, importance = nested(
            places.predictors[donors].T, places.predictors[unit], others[:before], own[:before]
        )
    else:
        weights = simplex(others[:before], own[:before])
    if options.augmented and len(donors) > 1:
        ridge = options.ridge if options.ridge is not None else choose_ridge(others[:before], own[:before])
        weights = ridge_weights(others[:before], own[:before], weights, ridge)
    return Mixture(
        unit=unit, donors=donors, weights=weights, importance=importance, actual=own,
        synthetic=others @ weights, before=before, ridge=ridge,
    )  # fmt: skip


def placebos(
    places: Places, own: Mixture, options: SyntheticControlOptions
) -> tuple[list[Mixture], np.ndarray]:
    """Every unit in the treated place, the treated one among the donors of the others, and the rank of each ratio."""
    everyone = np.arange(len(places.units))
    found = [own if k == own.unit else mix(places, k, np.delete(everyone, k), options) for k in everyone]
    ratios = np.array([each.ratio for each in found])
    return found, np.array([int((ratios >= ratio * TIE).sum()) for ratio in ratios])


def placebo_frame(places: Places, found: list[Mixture], ranks: np.ndarray) -> pd.DataFrame:
    """Columns unit, rmspe_before, rmspe_after, rmspe_ratio, estimate, rank (1: the largest ratio), by rank."""
    frame = pd.DataFrame(
        {
            "unit": [places.units[each.unit] for each in found],
            "rmspe_before": [each.rmspe[0] for each in found],
            "rmspe_after": [each.rmspe[1] for each in found],
            "rmspe_ratio": [each.ratio for each in found],
            "estimate": [each.effect for each in found],
            "rank": ranks,
        }
    )
    return frame.sort_values(["rank", "unit"], kind="stable").reset_index(drop=True)


def leave_one_out(places: Places, own: Mixture, options: SyntheticControlOptions) -> pd.DataFrame:
    """The answer without each donor that carries weight: columns left_out, estimate, rmspe_before."""
    rows = []
    for k in np.flatnonzero(np.abs(own.weights) > 1e-3) if len(own.donors) > 1 else ():
        other = mix(places, own.unit, np.delete(own.donors, k), options)
        rows.append((places.units[own.donors[k]], other.effect, other.rmspe[0]))
    return pd.DataFrame(rows, columns=["left_out", "estimate", "rmspe_before"])


def frames(places: Places, own: Mixture) -> dict[str, pd.DataFrame]:
    """`weights` (unit, weight), `path` (period, actual, synthetic, gap, post), and `predictors` where there are any."""
    weights = pd.DataFrame({"unit": [places.units[k] for k in own.donors], "weight": own.weights})
    path = pd.DataFrame(
        {
            "period": list(places.calendar.labels),
            "actual": own.actual,
            "synthetic": own.synthetic,
            "gap": own.gap,
        }
    )
    path["post"] = (np.arange(len(path)) >= own.before).astype(int)
    detail = {
        "weights": weights.sort_values(["weight", "unit"], ascending=[False, True]).reset_index(drop=True),
        "path": path,
    }
    if places.names:
        donors = places.predictors[own.donors]
        detail["predictors"] = pd.DataFrame(
            {
                "predictor": places.names,
                "weight": own.importance,
                "actual": places.predictors[own.unit],
                "synthetic": own.weights @ donors,
                "donor_mean": donors.mean(axis=0),
            }
        )
    return detail
