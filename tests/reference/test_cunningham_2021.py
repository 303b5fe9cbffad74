"""Cunningham (2021), Causal Inference: The Mixtape, chapter 10: Texas prisons, 1993, by synthetic control.

Answers of pysyncon 1.7.0 are frozen in `data/texas_prison.json`, made by `data/texas_prison.py`, which also says where
the data come from. The published weights are those of the book's table (R package Synth).
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.synthetic import synthetic_control
from evalkit.impact.synthetic.weights import simplex
from tests.tolerances import COEFFICIENT

DATA = Path(__file__).parent / "data"
STATES = pd.read_csv(DATA / "texas_prison.csv").assign(bmprison=lambda frame: frame["bmprison"] / 1000)
PEER = json.loads((DATA / "texas_prison.json").read_text(encoding="utf-8"))
SINGLE = [f"bmprison@{year}" for year in (1988, 1990, 1991, 1992)] + [
    "alcohol@1990", "aidscapita@1990", "aidscapita@1991", "black@1990", "black@1991", "black@1992", "perc1519@1990",
]  # fmt: skip
PREDICTORS = ("income", "ur", "poverty", *SINGLE)
PUBLISHED = {"California": 0.408, "Florida": 0.109, "Illinois": 0.36, "Louisiana": 0.122}
SOLVER = 1e-4  # the peer's general optimiser stops short of the exact corner


def prisons(**options):
    options = {
        "outcome": "bmprison", "unit": "state", "period": "year", "treated_unit": "Texas", "starts": 1994,
        "diagnostics": False,
    } | options  # fmt: skip
    return synthetic_control(STATES, **options)


def weights(result):
    return result.detail["weights"].set_index("unit")["weight"]


def squared_miss(chosen: pd.Series) -> float:
    table = STATES[STATES["year"] < 1994].pivot(index="year", columns="state", values="bmprison")
    return float(((table["Texas"] - table[chosen.index] @ chosen) ** 2).mean())


@pytest.mark.parametrize("starts", [1993, 1994])
def test_weights_on_the_outcome_alone(starts):
    found = weights(prisons(starts=starts))
    peer = pd.Series(PEER[str(starts)]["outcome_only"]).reindex(found.index, fill_value=0)
    assert np.abs(found - peer).max() < SOLVER


@pytest.mark.parametrize("starts", [1993, 1994])
def test_ridge_augmentation_at_a_given_penalty(starts):
    found = weights(prisons(starts=starts, augmented=True, ridge=100.0))
    peer = pd.Series(PEER[str(starts)]["augmented_100"]).reindex(found.index, fill_value=0)
    assert found.sum() == pytest.approx(1, abs=COEFFICIENT)
    assert np.abs(found - peer).max() < SOLVER


@pytest.mark.parametrize("starts", [1993, 1994])
def test_weights_for_given_predictor_weights(starts):
    table = prisons(starts=starts, predictors=PREDICTORS).detail["predictors"]
    assert list(table["predictor"]) == list(PREDICTORS)
    from evalkit.impact.synthetic.options import SyntheticControlOptions
    from evalkit.impact.synthetic.panel import read_places

    options = SyntheticControlOptions(
        outcome="bmprison", unit="state", period="year", treated_unit="Texas", starts=starts,
        predictors=PREDICTORS,
    )  # fmt: skip
    places = read_places(STATES, options)
    scaled = places.predictors / places.predictors.std(axis=0, ddof=1)
    found = simplex(scaled[places.donors].T, scaled[places.treated])
    names = [places.units[k] for k in places.donors]
    peer = pd.Series(PEER[str(starts)]["equal_v"]).reindex(names, fill_value=0).to_numpy()
    miss = [np.linalg.norm(scaled[places.donors].T @ each - scaled[places.treated]) for each in (found, peer)]
    assert np.abs(found - peer).max() < 5e-3
    assert miss[0] <= miss[1] * (1 + 1e-12)


def test_the_criterion_is_no_worse_than_at_the_published_weights():
    # The published weights stop at a local optimum: their mean squared miss is 1.68 (thousands squared), the best 0.70.
    found = weights(prisons(predictors=PREDICTORS))
    published = pd.Series(PUBLISHED) / sum(PUBLISHED.values())
    assert squared_miss(published) == pytest.approx(1.68, abs=0.05)
    assert squared_miss(found) == pytest.approx(squared_miss(weights(prisons())), rel=COEFFICIENT)
    assert squared_miss(found) < squared_miss(published)


def test_the_gap_after_the_start_has_the_published_sign_and_size():
    # About 20,000 more men a year on average from 1993 to 2000 at the published weights.
    path = prisons(predictors=PREDICTORS).detail["path"].set_index("period")["gap"]
    table = STATES.pivot(index="year", columns="state", values="bmprison")
    published = pd.Series(PUBLISHED) / sum(PUBLISHED.values())
    theirs = (table["Texas"] - table[published.index] @ published).loc[1993:].mean()
    assert path.loc[1993:].mean() == pytest.approx(theirs, rel=0.05)


def test_placebos_rank_every_state():
    found = prisons(starts=1993, diagnostics=True)
    table = found.detail["placebo"]
    assert len(table) == 51
    texas = table.set_index("unit").loc["Texas"]
    assert found.headline.p_value == texas["rank"] / 51
    assert found.headline.std_error is None
    assert found.check("randomisation_floor").statistic == pytest.approx(1 / 51)
    assert list(found.detail["leave_one_out"]["left_out"]) == ["Florida", "Illinois", "New York"]
