"""Abadie and Gardeazabal (2003), American Economic Review 93:113-132: the Basque Country by synthetic control.

Data: `data/basque.csv` (see data/README.md); the worked example of R's Synth, whose predictors pysyncon 1.7.0 repeats.
`data/basque.json` holds pysyncon's answers on these data, made by `data/basque.py`; they are the published ones
(Catalonia 0.851, Madrid 0.149). The published predictor weights are a local optimum: some give the smallest gap that
any mixture of regions has, and those are what is answered here (Malo, Eskelinen, Zhou and Kuosmanen 2024 say so of
this example).
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.synthetic import SyntheticControlOptions, synthetic_control
from evalkit.impact.synthetic.panel import read_places
from evalkit.impact.synthetic.weights import simplex
from tests.tolerances import COEFFICIENT, PRINTED

DATA = Path(__file__).parent / "data"
REGIONS = pd.read_csv(DATA / "basque.csv")
PEER = json.loads((DATA / "basque.json").read_text(encoding="utf-8"))
SCHOOLING = ("illiterate", "primary", "secondary", "high", "higher", "invest")
SECTORS = ("agriculture", "energy", "industry", "construction", "services_market", "services_public")
PREDICTORS = (
    *(f"{name}@1964..1969" for name in SCHOOLING), "gdp@1960..1969",
    *(f"{name}@1961..1969" for name in SECTORS), "density@1969",
)  # fmt: skip
NAMES = {
    "outcome": "gdp", "unit": "region", "period": "year", "treated_unit": "Basque Country (Pais Vasco)",
    "starts": 1970, "diagnostics": False,
}  # fmt: skip


def loss(weights: dict[str, float]) -> float:
    table = REGIONS[REGIONS["year"] < 1970].pivot(index="year", columns="region", values="gdp")
    chosen = pd.Series(weights)
    return float(((table[NAMES["treated_unit"]] - table[chosen.index] @ chosen) ** 2).mean())


def weights(**options):
    return synthetic_control(REGIONS, **NAMES, **options).detail["weights"].set_index("unit")["weight"]


def test_the_figures_add_up():
    # Spain's counts of people by schooling are the sums of its regions'; the shares of six sectors sum to 100.
    people = REGIONS.dropna(subset="primary").set_index(["region", "year"])[list(SCHOOLING[:5])]
    spain = people.loc["Spain (Espana)"]
    rest = people.drop("Spain (Espana)", level="region").groupby("year").sum()
    assert np.abs(rest / spain - 1).to_numpy().max() < COEFFICIENT
    assert REGIONS.shape == (18 * 38, 16)
    sectors = REGIONS.dropna(subset="industry")[list(SECTORS)].sum(axis=1)
    assert sectors.between(99.9, 100.1).mean() > 0.9


def test_the_peer_gives_the_published_weights():
    assert PEER["weights"]["Cataluna"] == pytest.approx(0.8508, abs=PRINTED)
    assert PEER["weights"]["Madrid (Comunidad De)"] == pytest.approx(0.1492, abs=PRINTED)
    assert PEER["loss"] == pytest.approx(loss(PEER["weights"]), rel=1e-4)


def test_published_weights_at_the_peers_predictor_weights():
    places = read_places(REGIONS, SyntheticControlOptions(**NAMES, predictors=PREDICTORS))
    scaled = places.predictors / places.predictors.std(axis=0, ddof=1)
    scaled = scaled * np.sqrt(PEER["predictor_weights"])
    found = simplex(scaled[places.donors].T, scaled[places.treated])
    names = [places.units[k] for k in places.donors]
    peer = pd.Series(PEER["weights"]).reindex(names, fill_value=0).to_numpy()
    assert np.abs(found - peer).max() < 1e-4
    miss = [np.linalg.norm(scaled[places.donors].T @ each - scaled[places.treated]) for each in (found, peer)]
    assert miss[0] <= miss[1] * (1 + COEFFICIENT)


def test_the_predictor_weights_found_reach_the_smallest_gap_there_is():
    found = weights(predictors=PREDICTORS)
    ours = loss(dict(found))
    assert ours == pytest.approx(loss(dict(weights())), rel=COEFFICIENT)
    assert ours < PEER["loss"] / 2
    check = synthetic_control(REGIONS, **NAMES, predictors=PREDICTORS).check("predictors_idle")
    assert check.statistic < check.threshold
    assert "need not be alike" in check.reading


def test_ridge_augmentation_and_its_penalty():
    found = weights(augmented=True)
    peer = pd.Series(PEER["augmented"])
    assert np.abs(found[peer.index] - peer).max() < 1e-5
    found = weights(augmented=True, ridge=1.0)
    peer = pd.Series(PEER["augmented_1"])
    assert np.abs(found[peer.index] - peer).max() < 1e-5
