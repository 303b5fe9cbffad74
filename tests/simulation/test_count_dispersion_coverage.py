"""Coverage of a before-and-after ratio whose dispersion is estimated from past months, by simulation.

Months are Poisson about gamma means, so that their variance is `dispersion` times their mean; nothing changes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.counts import counts

DRAWS, SEED, YEAR = 400, 20190930, 12
# Monte Carlo error of a coverage of 95% with 400 draws is 1.1 points; three of them.
LEAST = 0.95 - 0.033


@pytest.mark.slow
@pytest.mark.parametrize(
    ("months", "mean", "dispersion"), [(12, 30, 2.0), (24, 30, 4.0), (24, 5, 2.0), (48, 30, 1.0)]
)
def test_the_widened_range_holds_the_truth_as_often_as_it_says(months, mean, dispersion):
    rng = np.random.default_rng(SEED)
    held = plain = 0
    for _ in range(DRAWS):
        rates = np.full(months + YEAR, float(mean))
        if dispersion > 1:
            rates = rng.gamma(mean / (dispersion - 1), dispersion - 1, months + YEAR)
        drawn = rng.poisson(rates)
        past = pd.DataFrame({"month": np.arange(months), "n": drawn[:months]})
        before, after = int(drawn[months - YEAR : months].sum()), int(drawn[months:].sum())
        found = counts(before=before, after=after, series=past, period="month", count="n")
        alone = counts(before=before, after=after).headline
        held += found.headline.conf_low <= 1 <= found.headline.conf_high
        plain += alone.conf_low <= 1 <= alone.conf_high
    assert held / DRAWS >= LEAST
    if dispersion > 1:
        assert plain < held
