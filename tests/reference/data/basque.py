"""Writes basque.json: run with pysyncon 1.7.0 installed.

The columns, windows and periods are those of the worked example of R's package Synth (Basque Country, Abadie and
Gardeazabal 2003) as pysyncon repeats it, with the schooling columns as counts and Spain as a whole among the donors.
"""

import json
import warnings
from pathlib import Path

import pandas as pd
from pysyncon import AugSynth, Dataprep, Synth

HERE = Path(__file__).parent
TREATED = "Basque Country (Pais Vasco)"
SCHOOLING = ["illiterate", "primary", "secondary", "high", "higher", "invest"]
SECTORS = ["agriculture", "energy", "industry", "construction", "services_market", "services_public"]

warnings.simplefilter("ignore")
frame = pd.read_csv(HERE / "basque.csv")
donors = sorted(set(frame["region"]) - {TREATED})
prepared = Dataprep(
    foo=frame, predictors=SCHOOLING, predictors_op="mean", time_predictors_prior=range(1964, 1970),
    special_predictors=[("gdp", range(1960, 1970), "mean")]
    + [(name, range(1961, 1970, 2), "mean") for name in SECTORS] + [("density", [1969], "mean")],
    dependent="gdp", unit_variable="region", time_variable="year", treatment_identifier=TREATED,
    controls_identifier=donors, time_optimize_ssr=range(1960, 1970),
)  # fmt: skip


def named(weights) -> dict[str, float]:
    return {name: float(w) for name, w in zip(donors, weights, strict=True) if abs(w) > 1e-9}


synth = Synth()
synth.fit(prepared, optim_method="Nelder-Mead", optim_initial="equal")
augmented = AugSynth()
augmented.fit(prepared, use_covariates=False)
given = AugSynth()
given.fit(prepared, use_covariates=False, lambda_=1.0)
out = {
    "weights": named(synth.W),
    "predictor_weights": [float(v) for v in synth.V],
    "loss": float(synth.loss_V),
    "augmented_penalty": float(augmented.lambda_),
    "augmented": named(augmented.W),
    "augmented_1": named(given.W),
}
(HERE / "basque.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
