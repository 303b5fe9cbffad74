"""Harvey and Durbin (1986), the seat belt law of 31 January 1983: the segmented regressions of the monthly series.

Values of R 4.2.2 (stats::glm, MASS::glm.nb, sandwich::NeweyWest, nlme::gls) are frozen in `data/seat_belts.json`, made
by `data/seat_belts.R` from R's own `Seatbelts`.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.interrupted import interrupted
from tests.tolerances import COEFFICIENT, P_VALUE, STANDARD_ERROR

DATA = Path(__file__).parent / "data"
ROADS = pd.read_csv(DATA / "seat_belts.csv")
R = json.loads((DATA / "seat_belts.json").read_text(encoding="utf-8"))


def series(**options):
    options = {
        "outcome": "drivers",
        "period": "month",
        "starts": "1983-02-01",
        "diagnostics": False,
    } | options
    return interrupted(options.pop("frame", ROADS), **options)


CASES = {
    "quasi_months": {"season": "months", "exposure": "kms"},
    "quasi_newey_west_4": {"season": "months", "exposure": "kms", "autocorrelation": "newey_west", "lags": 4},
    "poisson_harmonic": {"outcome": "vans", "family": "poisson", "season": "harmonic"},
    "negative_binomial": {"family": "negative_binomial", "season": "months", "exposure": "kms"},
    "gaussian": {"family": "gaussian", "season": "months"},
    "gaussian_newey_west_4": {
        "family": "gaussian", "season": "months", "autocorrelation": "newey_west", "lags": 4,
    },
    "gls_at_rho": {"family": "gaussian", "season": "months", "autocorrelation": "prais_winsten"},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_level_and_slope_change_agree_with_r(case):
    options = CASES[case]
    found = series(**options)
    shown = float if options.get("family") == "gaussian" else np.log
    values = [shown(found.estimate(term).estimate) for term in ("level_change", "slope_change")]
    errors = [found.estimate(term).std_error for term in ("level_change", "slope_change")]
    assert values == pytest.approx(R[case]["coefficient"], rel=COEFFICIENT)
    assert errors == pytest.approx(R[case]["std_error"], rel=STANDARD_ERROR)


def test_prais_winsten_ends_at_the_same_correlation():
    from evalkit.impact.interrupted.model import fit_series
    from evalkit.impact.interrupted.options import InterruptedOptions
    from evalkit.impact.interrupted.series import read_series

    options = InterruptedOptions(
        outcome="drivers", period="month", starts="1983-02-01", **CASES["gls_at_rho"]
    )
    assert fit_series(read_series(ROADS, options), options).rho == pytest.approx(
        R["prais_winsten"]["rho"][0], rel=COEFFICIENT
    )


def test_a_comparison_series_gives_the_difference_of_the_changes():
    # Rear-seat passengers were not covered by the law.
    two = pd.concat(
        [
            ROADS[["month"]].assign(seat="front", hurt=ROADS["drivers"]),
            ROADS[["month"]].assign(seat="rear", hurt=ROADS["rear"]),
        ]
    )
    found = series(frame=two, outcome="hurt", unit="seat", comparison="rear", season="harmonic")
    values = [np.log(found.estimate(term).estimate) for term in ("level_change", "slope_change")]
    errors = [found.estimate(term).std_error for term in ("level_change", "slope_change")]
    assert found.headline.measure == "ratio_of_rate_ratios"
    assert values == pytest.approx(R["pair_quasi"]["coefficient"], rel=1e-5)
    assert errors == pytest.approx(R["pair_quasi"]["std_error"], rel=STANDARD_ERROR)


def test_dispersion_and_ljung_box_agree_with_r():
    assert series(**CASES["quasi_months"]).check("overdispersion").statistic == pytest.approx(
        R["quasi_months"]["dispersion"][0], rel=COEFFICIENT
    )
    assert series(**CASES["poisson_harmonic"]).check("autocorrelation").statistic == pytest.approx(
        R["poisson_harmonic"]["ljung"][1], rel=P_VALUE
    )


def test_statsmodels_gives_the_same_newey_west_errors():
    import statsmodels.api as sm

    found = series(family="gaussian", autocorrelation="newey_west", lags=6)
    time = np.arange(len(ROADS)) - int((ROADS["month"] == "1983-02-01").idxmax())
    after = (time >= 0).astype(float)
    design = np.column_stack([np.ones(len(time)), time, after, after * time])
    peer = sm.OLS(ROADS["drivers"], design).fit(
        cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": True}
    )
    assert found.headline.estimate == pytest.approx(peer.params.iloc[2], rel=COEFFICIENT)
    assert found.headline.std_error == pytest.approx(peer.bse.iloc[2], rel=COEFFICIENT)


def test_the_checks_say_what_the_series_shows():
    found = interrupted(
        ROADS, outcome="drivers", period="month", starts="1983-01-31", season="months", exposure="kms"
    )
    assert found.check("start_inside_window").passed is False
    assert found.check("autocorrelation").passed is False
    assert found.check("placebo_start").passed is not None
    assert found.check("arima_errors").statistic < 1
    assert {"series", "placebo_starts"} <= set(found.detail)
