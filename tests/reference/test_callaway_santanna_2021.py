"""County teen employment and minimum wages (Callaway and Sant'Anna 2021, package did): every frozen mpdta answer.

Peers' answers: data/did_peers.json (moderndid 0.2.0, csdid 0.4.3, differences 0.3.0, diff-diff 3.13.0, pyfixest 0.60.0,
R 4.2) and data/did_oracle.json (its script beside it). Data: see data/README.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.did import did
from tests.tolerances import COEFFICIENT, STANDARD_ERROR

DATA = Path(__file__).parent / "data"
PEERS = json.loads((DATA / "did_peers.json").read_text())
ORACLE = json.loads((DATA / "did_oracle.json").read_text())
NAMES = {"outcome": "lemp", "unit": "countyreal", "period": "year", "first_treated": "first.treat"}
CASES = [
    ("mpdta_cs_nocov_nevertreated", "never_treated", ()),
    ("mpdta_cs_nocov_notyettreated", "not_yet_treated", ()),
    ("mpdta_cs_lpop_dr_nevertreated", "never_treated", ("lpop",)),
    ("mpdta_cs_lpop_dr_notyettreated", "not_yet_treated", ("lpop",)),
]


@pytest.fixture(scope="module")
def mpdta() -> pd.DataFrame:
    return pd.read_csv(DATA / "mpdta.csv")


def close(got: float, pair: list[float], error: float) -> None:
    assert got == pytest.approx(pair[0], abs=COEFFICIENT)
    assert error == pytest.approx(pair[1], rel=STANDARD_ERROR)


@pytest.mark.parametrize(("entry", "control", "covariates"), CASES)
def test_group_time_effects_and_event_study(mpdta, entry, control, covariates):
    found = did(mpdta, control_group=control, covariates=covariates, diagnostics=False, **NAMES)
    answers = PEERS[entry]["values"]["moderndid"]
    assert len(found.detail["group_time"]) == len(answers["att_gt"])
    for row in found.detail["group_time"].itertuples():
        close(row.estimate, answers["att_gt"][f"{row.cohort}_{row.period}"], row.std_error)
    for row in found.detail["event_study"].itertuples():
        close(row.estimate, answers["event"][str(row.event_time)], row.std_error)


@pytest.mark.parametrize(("entry", "control", "covariates"), CASES)
@pytest.mark.parametrize("aggregate", ["simple", "dynamic", "group", "calendar"])
@pytest.mark.parametrize("peer", ["moderndid", "csdid"])
def test_aggregations(mpdta, entry, control, covariates, aggregate, peer):
    found = did(
        mpdta, control_group=control, covariates=covariates, aggregate=aggregate, diagnostics=False, **NAMES
    )
    close(found.headline.estimate, PEERS[entry]["values"][peer][aggregate], found.headline.std_error)


@pytest.mark.parametrize("adjustment", ["reg", "ipw", "dr"])
def test_adjustments(mpdta, adjustment):
    found = did(mpdta, covariates=("lpop",), adjustment=adjustment, diagnostics=False, **NAMES)
    for row in found.detail["group_time"].itertuples():
        close(row.estimate, ORACLE["adjustments"][adjustment][f"{row.cohort}_{row.period}"], row.std_error)


def test_pre_test_of_the_did_vignette(mpdta):
    """did README: p-value for pre-test of parallel trends assumption, 0.168."""
    assert did(mpdta, **NAMES).check("pre_trends").statistic == pytest.approx(0.168, abs=5e-4)


def test_universal_base_sums_the_varying_one(mpdta):
    found = did(mpdta, base_period="universal", diagnostics=False, **NAMES).detail["group_time"]
    varying = did(mpdta, diagnostics=False, **NAMES).detail["group_time"]
    last = varying[varying.cohort == 2007].set_index("period").estimate
    whole = found[found.cohort == 2007].set_index("period").estimate
    assert whole[2003] == pytest.approx(-last[[2004, 2005, 2006]].sum(), abs=1e-12)


def test_two_way_fixed_effects(mpdta):
    found = did(mpdta, estimator="twfe", diagnostics=False, **NAMES).headline
    answers = PEERS["mpdta_twfe"]["values"]
    assert found.estimate == pytest.approx(answers["R base/sandwich"]["coef"], abs=COEFFICIENT)
    # pyfixest counts K = 2 here; with K = 1 slope + 5 period parameters the same sandwich is 1.0008 times larger.
    ours = answers["pyfixest"]["se"] * np.sqrt((2500 - 2) / (2500 - 6))
    assert found.std_error == pytest.approx(ours, rel=STANDARD_ERROR)


@pytest.mark.parametrize(
    ("estimator", "entry"), [("sun_abraham", "mpdta_sunab"), ("imputation", "mpdta_imputation_bjs")]
)
def test_other_staggered_estimators(mpdta, estimator, entry):
    found = did(mpdta, estimator=estimator, diagnostics=False, **NAMES).headline
    answer = PEERS[entry]["values"]["diff-diff"]
    close(found.estimate, [answer["att"], answer["se"]], found.std_error)


@pytest.mark.parametrize("entry", ["mpdta_did2s", "mpdta_etwfe"])
def test_imputation_equals_two_stage_and_extended_two_way(mpdta, entry):
    found = did(mpdta, estimator="imputation", diagnostics=False, **NAMES).headline
    assert found.estimate == pytest.approx(PEERS[entry]["values"]["diff-diff"]["att"], abs=COEFFICIENT)


def test_goodman_bacon(mpdta):
    found = did(mpdta, estimator="twfe", **NAMES)
    bacon, answers = found.detail["bacon"], PEERS["mpdta_bacon"]["values"]["diff-diff"]
    assert (bacon.weight * bacon.estimate).sum() == pytest.approx(answers["twfe_estimate"], abs=COEFFICIENT)
    for kind, rows in bacon.groupby("kind"):
        total = answers[f"total_weight_{kind}"]
        assert rows.weight.sum() == pytest.approx(total, abs=COEFFICIENT)
        mean = (rows.weight * rows.estimate).sum() / rows.weight.sum()
        assert mean == pytest.approx(answers[f"weighted_avg_{kind}"], abs=COEFFICIENT)


@pytest.mark.parametrize("exposure", [None, "people"])
def test_conditional_poisson(mpdta, exposure):
    sys.path.insert(0, str(DATA))
    try:
        from did_oracle import counts
    finally:
        sys.path.pop(0)
    frame = mpdta.copy()
    frame["n"], frame["people"] = counts(mpdta)
    frame = frame[frame["first.treat"].isin([0, 2006])]
    names = NAMES | {"outcome": "n"}
    found = did(
        frame, estimator="twfe", family="poisson", exposure=exposure, diagnostics=False, **names
    ).headline
    answer = ORACLE["poisson"]["exposure" if exposure else "plain"]
    close(np.log(found.estimate), answer, found.std_error)
