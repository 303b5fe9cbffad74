"""Writes germany.json: run with pysyncon 1.7.0 installed.

As in Abadie, Diamond and Hainmueller (2015), predictor weights are chosen on the seventies and eighties and then used on
the eighties and the years to 1989.
"""

import json
import warnings
from pathlib import Path

import pandas as pd
from pysyncon import Dataprep, Synth

HERE = Path(__file__).parent
TREATED = "West Germany"

warnings.simplefilter("ignore")
frame = pd.read_csv(HERE / "germany.csv")
donors = sorted(set(frame["country"]) - {TREATED})


def prepared(first: int, invest: str, schooling: list[int], optimised: range) -> Dataprep:
    window = range(first, first + 10)
    return Dataprep(
        foo=frame, predictors=["gdp", "trade", "inflation"], predictors_op="mean", time_predictors_prior=window,
        special_predictors=[("industry", window, "mean"), ("schooling", schooling, "mean"), (invest, [1980], "mean")],
        dependent="gdp", unit_variable="country", time_variable="year", treatment_identifier=TREATED,
        controls_identifier=donors, time_optimize_ssr=optimised,
    )  # fmt: skip


chosen, synth = Synth(), Synth()
chosen.fit(
    prepared(1971, "invest70", [1970, 1975], range(1981, 1991)),
    optim_method="Nelder-Mead",
    optim_initial="equal",
)
synth.fit(prepared(1981, "invest80", [1980, 1985], range(1960, 1990)), custom_V=chosen.V)
out = {
    "predictor_weights": [float(v) for v in chosen.V],
    "chosen_loss": float(chosen.loss_V),
    "weights": {name: float(w) for name, w in zip(donors, synth.W, strict=True) if abs(w) > 1e-9},
    "loss": float(synth.loss_V),
}
(HERE / "germany.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
