"""How far studies differ beyond chance: Q, tau² and I² with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from evalkit.intervals import chi_square_p
from evalkit.pooling.pooling import projection, root_of, scale_of, spread_at


@dataclass(frozen=True, kw_only=True)
class Heterogeneity:
    """Cochran's Q with its test, and limits of tau² (Q-profile) and I² (per cent, from those of tau²)."""

    q: float
    df: int
    p_value: float | None
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    i2_low: float
    i2_high: float


def heterogeneity(
    effects: np.ndarray,
    variances: np.ndarray,
    tau2: float,
    design: np.ndarray | None = None,
    *,
    level: float = 0.95,
) -> Heterogeneity:
    """Q, and the values of tau² that the generalised Q does not reject (Viechtbauer 2007).

    I² = 100 tau² / (tau² + s²), where s² is the typical within-study variance of Higgins and Thompson (2002). Under
    `fixed` (tau² 0 by decision) it is instead 100 (Q − df) / Q.
    """
    y, v = np.asarray(effects, float), np.asarray(variances, float)
    x = np.ones((len(y), 1)) if design is None else np.asarray(design, float)
    df = len(y) - x.shape[1]
    q = spread_at(y, v, x, 0.0)
    typical = df / float(np.trace(projection(v, x, 0.0)))
    tail = (1 - level) / 2
    low, high = (_limit(y, v, x, float(chdtri(df, side))) for side in (tail, 1 - tail))
    shares = [100 * each / (each + typical) for each in (tau2, low, high)]
    return Heterogeneity(
        q=q, df=df, p_value=chi_square_p(q, df), tau2=tau2, tau2_low=low, tau2_high=high, i2=shares[0],
        i2_low=shares[1], i2_high=shares[2],
    )  # fmt: skip


def _limit(y: np.ndarray, v: np.ndarray, x: np.ndarray, quantile: float) -> float:
    """The tau² at which the generalised Q falls to a quantile of its distribution."""
    return root_of(lambda tau2: spread_at(y, v, x, tau2) - quantile, scale=scale_of(y, v))


def moment_i2(q: float, df: int) -> float:
    """100 (Q − df) / Q, never below 0: I² where no between-study variance is estimated."""
    return 100 * max(0.0, (q - df) / q) if q > 0 else 0.0
