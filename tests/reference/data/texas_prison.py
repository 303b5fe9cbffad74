"""Writes texas_prison.csv and texas_prison.json: run with pysyncon 1.7.0 and causaldata 0.1.5 installed.

Data: `texas` of the Python package causaldata 0.1.5 (MIT licence), the Texas prison expansion of 1993 as used in
S. Cunningham, Causal Inference: The Mixtape (2021), chapter 10.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from causaldata import texas
from pysyncon import AugSynth, Dataprep, Synth

HERE = Path(__file__).parent
MEANS = ["income", "ur", "poverty"]
SINGLE = [("bmprison", y) for y in (1988, 1990, 1991, 1992)] + [
    ("alcohol", 1990), ("aidscapita", 1990), ("aidscapita", 1991), ("black", 1990), ("black", 1991),
    ("black", 1992), ("perc1519", 1990),
]  # fmt: skip

frame = texas.load_pandas().data
frame["year"] = frame["year"].astype(int)
columns = ["state", "year", *dict.fromkeys([*MEANS, *(name for name, _ in SINGLE)])]
frame = frame[columns].astype(dict.fromkeys(columns[2:], float)).round(6)
frame.to_csv(HERE / "texas_prison.csv", index=False)
frame = pd.read_csv(HERE / "texas_prison.csv")
# In thousands: the peer's optimiser stops at its first step on numbers of tens of thousands.
frame["bmprison"] /= 1000

states = sorted(frame["state"].unique())
donors = [name for name in states if name != "Texas"]


def prepared(start: int) -> Dataprep:
    return Dataprep(
        foo=frame, predictors=MEANS, predictors_op="mean", time_predictors_prior=range(1985, start),
        special_predictors=[(name, [year], "mean") for name, year in SINGLE], dependent="bmprison",
        unit_variable="state", time_variable="year", treatment_identifier="Texas",
        controls_identifier=donors, time_optimize_ssr=range(1985, start),
    )  # fmt: skip


def named(weights: np.ndarray) -> dict[str, float]:
    return {name: float(w) for name, w in zip(donors, weights, strict=True) if abs(w) > 1e-9}


out = {}
for start in (1993, 1994):
    plain = AugSynth()
    plain.fit(prepared(start), lambda_=100.0, use_covariates=False)
    synth = Synth()
    synth.fit(prepared(start), custom_V=np.full(14, 1 / 14))
    out[str(start)] = {
        "equal_v": named(synth.W),
        "outcome_only": named(plain.synw),
        "augmented_100": named(plain.W),
    }
(HERE / "texas_prison.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
