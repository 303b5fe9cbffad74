"""Fixed effects on two textbook panels: wages (Vella and Verbeek 1998) and training grants (Holzer et al. 1993).

Wooldridge, Econometric Analysis, examples 14.4 and 14.1; peers' digits in data/did_peers.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.regression import classical_covariance, codes, least_squares
from tests.tolerances import COEFFICIENT, STANDARD_ERROR

DATA = Path(__file__).parent / "data"
PEERS = json.loads((DATA / "did_peers.json").read_text())


@pytest.mark.parametrize("peer", ["R plm", "linearmodels", "pyfixest"])
def test_wage_panel_two_way(peer):
    d = pd.read_csv(DATA / "wagepan.csv")
    names = ["expersq", "union", "married"]
    effects = [codes(d[name].to_numpy())[0] for name in ("nr", "year")]
    fit = least_squares(d.lwage.to_numpy(), d[names].to_numpy(float), names, effects=effects)
    answer = PEERS["wagepan_twoway_fe"]["values"][peer]
    for name, value in zip(fit.names, fit.coefficients, strict=True):
        assert value == pytest.approx(answer[name], abs=COEFFICIENT)
    error = np.sqrt(classical_covariance(fit)[1, 1])
    assert error == pytest.approx(answer["se_union"], rel=STANDARD_ERROR)


@pytest.mark.parametrize("peer", ["R plm", "linearmodels", "pyfixest"])
def test_training_grants_firm_effects(peer):
    d = pd.read_csv(DATA / "jtrain.csv").dropna()
    names = ["d88", "d89", "grant", "grant_1"]
    fit = least_squares(
        d.lscrap.to_numpy(), d[names].to_numpy(float), names, effects=[codes(d.fcode.to_numpy())[0]]
    )
    answer = PEERS["jtrain_fe_lscrap"]["values"][peer]
    errors = np.sqrt(np.diag(classical_covariance(fit)))
    assert fit.n == 162
    for k in (2, 3):
        assert fit.coefficients[k] == pytest.approx(answer[names[k]], abs=COEFFICIENT)
        assert errors[k] == pytest.approx(answer[f"se_{names[k]}"], rel=STANDARD_ERROR)
