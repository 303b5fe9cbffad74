"""CR2 errors with Satterthwaite degrees of freedom, against R's clubSandwich 0.5.8 (script: data/did_cr2.R)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from evalkit.impact.did import did
from tests.tolerances import COEFFICIENT, P_VALUE, STANDARD_ERROR

DATA = Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "did_cr2.json").read_text())
NAMES = {"outcome": "lemp", "unit": "countyreal", "period": "year", "first_treated": "first.treat"}


def frames() -> dict[str, pd.DataFrame]:
    d = pd.read_csv(DATA / "mpdta.csv")
    few = d[d["first.treat"] == 2006].countyreal.unique()[:4]
    rest = d[d["first.treat"] == 0].countyreal.unique()[:8]
    twelve = d[d.countyreal.isin([*few, *rest])]
    return {
        "twelve": twelve,
        "gap": twelve.drop(twelve.index[[2, 16, 40]]),
        "four_means": d[d["first.treat"].isin([0, 2006])],
    }


@pytest.mark.parametrize("name", ["twelve", "gap", "four_means"])
def test_cr2(name):
    estimator = "two_by_two" if name == "four_means" else "twfe"
    found = did(frames()[name], estimator=estimator, inference="cr2", diagnostics=False, **NAMES).headline
    beta, error, df, p = ANSWERS[name]
    assert found.estimate == pytest.approx(beta, abs=COEFFICIENT)
    assert found.std_error == pytest.approx(error, rel=STANDARD_ERROR)
    assert found.df == pytest.approx(df, rel=STANDARD_ERROR)
    assert found.p_value == pytest.approx(p, abs=P_VALUE)
