"""Thirteen trials of BCG vaccine against tuberculosis: Colditz and others (1994), JAMA 271(9):698-702.

Data: dat.bcg of the R package metadat (data/bcg.csv, made by data/bcg.R). Answers: R metafor 3.8-1 with tight stopping
rules, printed by the same script. Published in metafor's documentation to four digits: REML -0.7145 (0.1798), tau²
0.3132; on latitude 0.2515, -0.0291 (0.0072), tau² 0.0764. With its usual stopping rule metafor prints tau² 0.31809 for
Paule-Mandel; the equation is solved at 0.31807, which statsmodels prints too. On latitude it stops 4e-6 short of the
maximum that pymare and the tight rule agree on.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.pooling import effects_from_counts, effects_from_means, egger, meta, pool
from tests.tolerances import COEFFICIENT, PRINTED, STANDARD_ERROR

DATA = Path(__file__).parent / "data" / "bcg.csv"


@pytest.fixture(scope="module")
def trials():
    rows = pd.read_csv(DATA, comment="#")
    return pd.DataFrame({
        "study": rows["author"] + " " + rows["year"].astype(str),
        "events_treated": rows["tpos"], "n_treated": rows["tpos"] + rows["tneg"],
        "events_control": rows["cpos"], "n_control": rows["cpos"] + rows["cneg"],
        "ablat": rows["ablat"], "year": rows["year"], "alloc": rows["alloc"],
    })  # fmt: skip


# estimator, interval: estimate, standard error, interval, p, tau², prediction interval
FITS = {
    ("dl", "normal"): (-0.714117222073, 0.178742089535, -1.064445280084, -0.363789164062, 6.462924e-05, 0.308760262862,
                       -1.858153752733, 0.429919308586),
    ("dl", "hartung_knapp"): (-0.714117222073, 0.180696628336, -1.107821354168, -0.320413089978, 0.001920766767,
                              0.308760262862, -1.987206963431, 0.558972519284),
    ("pm", "normal"): (-0.714968153494, 0.180892191538, -1.069510333994, -0.360425972995, 7.735365e-05, 0.318068452205,
                       -1.875807082484, 0.445870775497),
    ("pm", "hartung_knapp"): (-0.714968153494, 0.180892191538, -1.109098381202, -0.320837925785, 0.001919271831,
                              0.318068452205, -2.005425922928, 0.575489615941),
    ("reml", "normal"): (-0.714532342158, 0.179781516105, -1.066897638810, -0.362167045506, 7.054258e-05,
                         0.313243258136, -1.866692217903, 0.437627533587),
    ("reml", "hartung_knapp"): (-0.714532342158, 0.180791744093, -1.108443713686, -0.320620970631, 0.001920015096,
                                0.313243258136, -1.996016834196, 0.566952149880),
    ("ml", "normal"): (-0.711199135474, 0.171896808777, -1.048110689734, -0.374287581214, 3.513233e-05, 0.280028137269,
                       -1.801715505524, 0.379317234576),
    ("ml", "hartung_knapp"): (-0.711199135474, 0.180042222144, -1.103477438964, -0.318920831984, 0.001927165659,
                              0.280028137269, -1.929082109502, 0.506683838553),
}  # fmt: skip


@pytest.mark.parametrize(("how", "expected"), FITS.items(), ids=["-".join(how) for how in FITS])
def test_every_estimator_and_interval(trials, how, expected):
    estimator, interval = how
    result = meta(trials, measure="log_risk_ratio", estimator=estimator, interval=interval)
    head, ahead = result.headline, result.estimate("prediction")
    got = (head.estimate, head.std_error, head.conf_low, head.conf_high, head.p_value, result.estimate("tau2").estimate,
           ahead.conf_low, ahead.conf_high)  # fmt: skip
    assert got == pytest.approx(expected, abs=COEFFICIENT)
    assert (head.term, head.measure) == ("pooled", "log_risk_ratio")
    assert head.df == (12 if interval == "hartung_knapp" else None)


def test_one_common_effect(trials):
    result = meta(trials, measure="log_risk_ratio", estimator="fixed")
    head = result.headline
    got = (head.estimate, head.std_error, head.conf_low, head.conf_high)
    assert got == pytest.approx(
        (-0.430285163654, 0.040498751711, -0.509661258426, -0.350909068882), abs=COEFFICIENT
    )
    assert result.estimate("prediction") is None
    assert result.estimate("i2").estimate == pytest.approx(92.117346854562, abs=COEFFICIENT)


def test_heterogeneity_with_its_intervals(trials):
    result = meta(trials, measure="log_risk_ratio")
    tau2, i2, q = (result.estimate(term) for term in ("tau2", "i2", "q"))
    assert (tau2.conf_low, tau2.conf_high) == pytest.approx((0.119718361141, 1.111479084061), abs=COEFFICIENT)
    expected = (92.221384521, 81.920574559, 97.678074958)
    assert (i2.estimate, i2.conf_low, i2.conf_high) == pytest.approx(expected, abs=COEFFICIENT)
    assert (q.estimate, q.df) == pytest.approx((152.233008082, 12), abs=COEFFICIENT)
    assert result.check("heterogeneity").passed is False


def test_published_to_four_digits(trials):
    result = meta(trials, measure="log_risk_ratio", interval="normal", moderators=["ablat"])
    printed = (-0.7145, 0.1798, 0.3132, 0.2515, -0.0291, 0.0072, 0.0764)
    head, constant, slope = result.headline, result.estimate("intercept"), result.estimate("ablat")
    got = (head.estimate, head.std_error, result.estimate("tau2").estimate, constant.estimate, slope.estimate,
           slope.std_error, result.estimate("tau2_residual").estimate)  # fmt: skip
    assert got == pytest.approx(printed, abs=PRINTED)


def test_regression_on_latitude(trials):
    result = meta(trials, measure="log_risk_ratio", interval="normal", moderators=["ablat"])
    slope = result.estimate("ablat")
    got = (result.estimate("intercept").estimate, slope.estimate, slope.std_error)
    # metafor with tight stopping rules; pymare prints 0.2514682053, -0.02910172493, 0.07634797207
    assert got == pytest.approx((0.25146821001, -0.02910172499, 0.00719532722), abs=COEFFICIENT)
    assert result.estimate("tau2_residual").estimate == pytest.approx(0.07634796834, abs=COEFFICIENT)
    # metafor with its usual stopping rule
    assert got == pytest.approx((0.2514642944, -0.02910166093, 0.007195554757), abs=STANDARD_ERROR)


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        ("dl", (0.259543712434, -0.029228738755, 0.232307473393, 0.006733010840, 0.063300502425)),
        ("pm", (0.221915964507, -0.028564525894, 0.317473696547, 0.009070188871, 0.142131941473)),
        ("ml", (0.282107173896, -0.029509335388, 0.187184556336, 0.005487736308, 0.034351442482)),
    ],
)
def test_regression_by_the_other_estimators(trials, estimator, expected):
    result = meta(
        trials, measure="log_risk_ratio", estimator=estimator, interval="normal", moderators=["ablat"]
    )
    constant, slope = result.estimate("intercept"), result.estimate("ablat")
    got = (constant.estimate, slope.estimate, constant.std_error, slope.std_error,
           result.estimate("tau2_residual").estimate)  # fmt: skip
    assert got == pytest.approx(expected, abs=COEFFICIENT)


def test_regression_on_two_characteristics(trials):
    plain, scaled = (
        meta(trials, measure="log_risk_ratio", interval=interval, moderators=["ablat", "year"])
        for interval in ("normal", "hartung_knapp")
    )
    coefficients = [plain.estimate(term).estimate for term in ("intercept", "ablat", "year")]
    assert coefficients == pytest.approx([-3.545353019958, -0.028011329444, 0.001907480447], abs=COEFFICIENT)
    errors = [plain.estimate(term).std_error for term in ("intercept", "ablat", "year")]
    assert errors == pytest.approx([29.095622232703, 0.010233943231, 0.014683685892], abs=COEFFICIENT)
    assert plain.estimate("tau2_residual").estimate == pytest.approx(0.110784696948, abs=COEFFICIENT)
    assert plain.estimate("r2").estimate == pytest.approx(64.633014735243, abs=1e-4)
    together = plain.estimate("moderators")
    assert (together.statistic, together.p_value) == pytest.approx(
        (12.204486879, 0.002237841621), abs=COEFFICIENT
    )
    errors = [scaled.estimate(term).std_error for term in ("intercept", "ablat", "year")]
    assert errors == pytest.approx([32.256339483515, 0.011345677521, 0.016278804874], abs=COEFFICIENT)
    together = scaled.estimate("moderators")
    assert (together.statistic, together.p_value) == pytest.approx(
        (4.964947556, 0.031803501286), abs=COEFFICIENT
    )


def test_regression_on_a_category(trials):
    result = meta(trials, measure="log_risk_ratio", interval="normal", moderators=["alloc"])
    terms = ("intercept", "alloc: random", "alloc: systematic")
    got = [result.estimate(term).estimate for term in terms]
    assert got == pytest.approx([-0.517955777155, -0.447818401391, 0.089038216232], abs=COEFFICIENT)
    errors = [result.estimate(term).std_error for term in terms]
    assert errors == pytest.approx([0.441194460387, 0.515821633599, 0.560035586835], abs=COEFFICIENT)
    assert result.estimate("moderators").p_value == pytest.approx(0.413228032757, abs=COEFFICIENT)


def test_eggers_test_in_both_forms(trials):
    effects, _ = effects_from_counts(trials, "log_risk_ratio")
    y, se = effects["estimate"].to_numpy(), effects["std_error"].to_numpy()
    mixed = egger(y, se)
    got = (
        mixed.slope.statistic,
        mixed.slope.p_value,
        *[getattr(mixed.limit, end) for end in ("low", "high")],
    )
    assert got[:2] == pytest.approx((-0.803329193091, 0.421784488855), abs=COEFFICIENT)
    assert got[2:] == pytest.approx((-1.1182, 0.0974), abs=PRINTED)
    classical = egger(y, se, estimator=None).slope
    assert (classical.statistic, classical.df) == pytest.approx((-1.401282002289, 11), abs=COEFFICIENT)
    assert classical.p_value == pytest.approx(0.188706995082, abs=COEFFICIENT)
    check = meta(trials, measure="log_risk_ratio").check("small_study")
    assert check.passed is True
    assert check.statistic == pytest.approx(-0.803329193091, abs=COEFFICIENT)


def test_without_each_study_and_as_they_came_in(trials):
    result = meta(trials, measure="log_risk_ratio", order="year")
    left = [-0.707083784699, -0.654031200294, -0.685554410837, -0.628409369808, -0.764170095140, -0.710876555564,
            -0.655247599785, -0.794767604516, -0.741197299304, -0.653032915306, -0.757858626723, -0.759812099334,
            -0.777536184894]  # fmt: skip
    assert result.detail["leave_one_out"]["estimate"].tolist() == pytest.approx(left, abs=COEFFICIENT)
    assert result.detail["leave_one_out"]["study"].tolist() == trials["study"].tolist()
    grown = [-0.889311333920, -1.325003442245, -0.972079931813, -1.001096174496, -1.101425785211, -0.973463894382,
             -0.901251100273, -0.788565503719, -0.865607438786, -0.785210367857, -0.708205992371, -0.794767604516,
             -0.714532342158]  # fmt: skip
    assert result.detail["cumulative"]["estimate"].tolist() == pytest.approx(grown, abs=COEFFICIENT)


def test_weights_of_the_studies(trials):
    weights = [5.059482734, 6.364679373, 4.436027403, 9.698747019, 8.868456391, 10.095738544, 6.027181414, 10.189439037,
               8.743133212, 8.367607258, 9.925027000, 3.821629063, 8.402851552]  # fmt: skip
    found = meta(trials, measure="log_risk_ratio").detail["studies"]
    assert found["weight"].tolist() == pytest.approx(weights, abs=COEFFICIENT)
    assert found["study"].tolist() == trials["study"].tolist()


def test_effects_from_counts_are_those_of_escalc(trials):
    odds, _ = effects_from_counts(trials, "log_odds_ratio")
    assert odds["estimate"].iloc[:3].tolist() == pytest.approx(
        [-0.938694140870, -1.666190729027, -1.386294361120], abs=COEFFICIENT
    )
    assert (odds["std_error"] ** 2).iloc[:2].tolist() == pytest.approx(
        [0.357124952254, 0.208132393657], abs=COEFFICIENT
    )
    points, _ = effects_from_counts(trials, "risk_difference")
    assert points["estimate"].iloc[:2].tolist() == pytest.approx(
        [-4.66163654442, -7.61017278198], abs=COEFFICIENT
    )
    assert (points["std_error"] ** 2).iloc[0] == pytest.approx(1e4 * 7.80068664855938e-04, abs=COEFFICIENT)
    rates, _ = effects_from_counts(trials, "log_rate_ratio")
    assert rates["estimate"].iloc[0] == pytest.approx(-0.889311333920, abs=COEFFICIENT)
    assert (rates["std_error"] ** 2).iloc[:2].tolist() == pytest.approx(
        [0.340909090909, 0.201149425287], abs=COEFFICIENT
    )


def test_groups_without_events_as_escalc_counts_them():
    empty = pd.DataFrame(
        {"events_treated": [0, 3], "n_treated": [10, 10], "events_control": [4, 0], "n_control": 10}
    )
    odds, rule = effects_from_counts(empty, "log_odds_ratio")
    assert odds["estimate"].tolist() == pytest.approx([-2.67679765759811, 2.28238238567653], abs=COEFFICIENT)
    assert (odds["std_error"] ** 2).tolist() == pytest.approx(
        [2.47130647130647, 2.51428571428571], abs=COEFFICIENT
    )
    assert rule.tolist() == ["half added", "half added"]
    risk, _ = effects_from_counts(empty, "log_risk_ratio")
    assert risk["estimate"].tolist() == pytest.approx([-2.19722457733622, 1.94591014905531], abs=COEFFICIENT)
    assert (risk["std_error"] ** 2).tolist() == pytest.approx(
        [2.04040404040404, 2.10389610389610], abs=COEFFICIENT
    )


def test_standardised_means_are_those_of_escalc():
    means = pd.DataFrame({
        "mean_treated": [10, 5.5], "sd_treated": [3, 2], "n_treated": [20, 12], "mean_control": [8.5, 6],
        "sd_control": [3.2, 1.5], "n_control": [25, 15],
    })  # fmt: skip
    effects = effects_from_means(means)
    assert effects["estimate"].tolist() == pytest.approx([0.473356175575, -0.278984165753], abs=COEFFICIENT)
    assert (effects["std_error"] ** 2).tolist() == pytest.approx(
        [0.092489622988, 0.151441336384], abs=COEFFICIENT
    )


def test_effects_given_are_pooled_as_those_from_counts(trials):
    effects, _ = effects_from_counts(trials, "log_risk_ratio")
    logs = effects.assign(study=trials["study"])
    ratios = logs.assign(estimate=np.exp(logs["estimate"]), measure="risk_ratio")
    expected = meta(trials, measure="log_risk_ratio").headline
    for frame in (logs, ratios):
        head = meta(frame, measure="log_risk_ratio").headline
        assert (head.estimate, head.std_error) == pytest.approx(
            (expected.estimate, expected.std_error), abs=1e-12
        )
    ratio = meta(trials, measure="log_risk_ratio").estimate("pooled_ratio")
    assert ratio.measure == "risk_ratio"
    assert (ratio.estimate, ratio.conf_low) == pytest.approx(
        (np.exp(expected.estimate), np.exp(expected.conf_low))
    )


def test_pooling_stands_apart_from_measuring(trials):
    effects, _ = effects_from_counts(trials, "log_risk_ratio")
    fit = pool(
        effects["estimate"].to_numpy(),
        effects["std_error"].to_numpy() ** 2,
        estimator="dl",
        interval="normal",
    )
    assert fit.tau2 == pytest.approx(0.308760262862, abs=COEFFICIENT)
