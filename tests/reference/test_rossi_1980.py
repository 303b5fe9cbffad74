"""Rossi, Berk and Lenihan (1980), the LIFE experiment: the tests, intervals and survival analyses of the
432-row file.

Values of R 4.2.2 (base, survival 3.5.3, sandwich 3.0.2) and statsmodels 0.15 are frozen in `data/rossi.R`
and beside the numbers; the file's source and licence are in `data/rossi_README.md`.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import EvalkitError
from evalkit.impact import cox as cox_model
from evalkit.impact.adjusted import aipw, g_computation
from evalkit.impact.rates import rates
from evalkit.impact.sample import read_sample
from evalkit.impact.survival import survival
from tests.tolerances import COEFFICIENT, P_VALUE, STANDARD_ERROR

DATA = Path(__file__).parent / "data"
R = json.loads((DATA / "rossi.json").read_text())
MEN = pd.read_csv(DATA / "rossi.csv")
MEN["w"] = 1 + (MEN.index % 3) / 2
MEN["block"] = MEN.index // 4
MEN["fine"] = MEN["week"] + MEN["age"] / 100
MEN["cause"] = np.where(MEN["arrest"] == 0, 0, np.where(MEN["prio"] > 2, 2, 1))
COVARIATES = ("age", "race", "wexp", "mar", "paro", "prio")


def compare(**options):
    return rates(MEN, outcome="arrest", treated="fin", **options)


def test_risk_difference_with_newcombe_interval_and_score_test():
    # R prop.test(correct = FALSE): chi-square 3.860973188, p 0.04942165414; statsmodels "newcomb" for the interval.
    head = compare().headline
    assert head.term == "treated_vs_control"
    assert head.estimate == pytest.approx(-8.333333333, rel=COEFFICIENT)
    assert (head.conf_low, head.conf_high) == pytest.approx((-16.50462539, -0.0151036535), rel=COEFFICIENT)
    assert head.p_value == pytest.approx(0.04942165414, rel=P_VALUE)
    assert head.statistic**2 == pytest.approx(3.860973188, rel=COEFFICIENT)
    assert (head.n_treated, head.n_control, head.unit) == (216, 216, "percentage points")


def test_reasonable_tests_fall_on_both_sides_of_the_line():
    # R fisher.test: 0.06321826396; survdiff: 0.05011611741.
    check = compare(time="week", event="arrest").check("tests_disagree")
    assert check.passed is False
    assert check.statistic == pytest.approx(0.06321826396, rel=P_VALUE)
    assert "log-rank 0.050" in check.reading


def test_arms_frame():
    arms = compare().detail["arms"].set_index("arm")
    assert list(arms.columns) == ["n", "events", "value", "conf_low", "conf_high"]
    assert list(arms["events"]) == [48, 66]
    assert arms.loc["treated", "value"] == pytest.approx(48 / 216)


def test_mean_difference_is_welch():
    head = compare(measure="mean_difference").headline
    assert head.statistic == pytest.approx(R["welch"]["statistic"], rel=STANDARD_ERROR)
    assert head.df == pytest.approx(R["welch"]["df"], rel=STANDARD_ERROR)
    assert head.p_value == pytest.approx(R["welch"]["p"], rel=P_VALUE)


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
def test_ratios_have_the_error_of_their_log(measure):
    head = compare(measure=measure).headline
    a, b, c, d = 48, 168, 66, 150
    ratio, variance = {
        "risk_ratio": ((a / 216) / (c / 216), 1 / a - 1 / 216 + 1 / c - 1 / 216),
        "odds_ratio": (a * d / (b * c), 1 / a + 1 / b + 1 / c + 1 / d),
    }[measure]
    assert head.estimate == pytest.approx(ratio)
    assert head.std_error == pytest.approx(np.sqrt(variance))
    assert head.statistic == pytest.approx(np.log(ratio) / np.sqrt(variance))


def test_weights_of_one_change_nothing_and_weights_of_two_are_the_same_as_one():
    plain = compare()
    weighted = rates(MEN.assign(weight=1.0), outcome="arrest", treated="fin", weights="weight")
    assert weighted.headline == plain.headline
    assert weighted.headline.interval == "newcombe"


def test_weighted_difference_has_hc1_and_cluster_errors():
    weighted = compare(weights="w").headline
    assert weighted.estimate == pytest.approx(100 * R["weighted_rd"]["estimate"], rel=COEFFICIENT)
    assert weighted.std_error == pytest.approx(100 * R["weighted_rd"]["hc1"], rel=COEFFICIENT)
    clustered = compare(weights="w", cluster="block").headline
    assert clustered.std_error == pytest.approx(100 * R["weighted_rd"]["cluster"], rel=COEFFICIENT)
    assert (clustered.df, clustered.n_clusters) == (107, 108)


def test_rate_ratio_robust_quasi_poisson_and_negative_binomial():
    result = rates(MEN, outcome="prio", treated="fin", measure="rate_ratio")
    assert result.headline.estimate == pytest.approx(R["rate_ratio"]["ratio"], rel=COEFFICIENT)
    assert result.headline.std_error == pytest.approx(R["rate_ratio"]["hc1"], rel=COEFFICIENT)
    assert result.estimate("quasi_poisson").std_error == pytest.approx(
        R["rate_ratio"]["quasi"], rel=COEFFICIENT
    )
    found = result.estimate("negative_binomial")
    assert found.std_error == pytest.approx(R["negative_binomial"]["se"], rel=STANDARD_ERROR)


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_g_computation_estimate(estimand):
    head = compare(adjust=("age", "prio"), estimand=estimand).headline
    assert head.estimate == pytest.approx(100 * R["g_computation"][estimand], rel=COEFFICIENT)


def test_g_computation_of_a_linear_model_is_its_coefficient_with_hc1():
    import statsmodels.api as sm

    fit = sm.OLS(MEN["arrest"], sm.add_constant(MEN[["fin", "age", "prio"]])).fit(cov_type="HC1")
    head = compare(adjust=("age", "prio"), measure="mean_difference").headline
    assert head.estimate == pytest.approx(fit.params["fin"], rel=COEFFICIENT)
    assert head.std_error == pytest.approx(fit.bse["fin"], rel=COEFFICIENT)


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_aipw_with_equal_scores_and_no_slopes_is_the_raw_difference(estimand):
    sample = read_sample(
        MEN.assign(noise=np.tile([0.0, 1.0], 216)), outcome="arrest", treated="fin", where=""
    )
    found, _ = aipw(sample, ("noise",), "risk_difference", estimand)
    other = g_computation(sample, ("noise",), "risk_difference", estimand)
    assert found.treated - found.control == pytest.approx(other.treated - other.control, abs=2e-3)


def test_aipw_against_hand_algebra_with_a_saturated_covariate():
    # With one 0/1 covariate both models are saturated: the mean over strata of the raw differences.
    strata = MEN.groupby(["wexp", "fin"])["arrest"].mean().unstack()
    share = MEN["wexp"].value_counts(normalize=True).sort_index()
    head = compare(adjust=("wexp",), model="aipw", estimand="ate").headline
    assert head.estimate == pytest.approx(
        100 * float((share * (strata[1] - strata[0])).sum()), rel=COEFFICIENT
    )


def test_aipw_against_statsmodels():
    # statsmodels 0.15 TreatmentEffect.aipw, prio on fin given age and wexp: 0.0072042 (0.268815 with both models'
    # estimation in the error, which ours leaves to their orthogonality).
    result = rates(
        MEN, outcome="prio", treated="fin", measure="mean_difference", adjust=("age", "wexp"), model="aipw",
        estimand="ate",
    )  # fmt: skip
    assert result.headline.estimate == pytest.approx(0.007204175791784, rel=COEFFICIENT)
    assert result.headline.std_error == pytest.approx(0.268815, rel=5e-3)
    assert result.check("overlap").passed is True


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("time", ["week", "fine"])
def test_cox_coefficients_and_every_error(ties, time):
    frozen = R[f"cox_{ties}_{time}"]
    x = MEN[["fin", "age", "prio"]].to_numpy(float)
    data = (MEN[time].to_numpy(float), MEN["arrest"].to_numpy(float), x)
    fit = cox_model.cox(*data, ties=ties)
    weighted = cox_model.cox(*data, ties=ties, weights=MEN["w"].to_numpy())
    values = {
        "coef": fit.coefficients,
        "se": np.sqrt(np.diag(fit.covariance)),
        "loglik": np.array([fit.log_likelihood_null, fit.log_likelihood]),
        "robust": np.sqrt(np.diag(cox_model.robust_covariance(fit)[0])),
        "weighted_coef": weighted.coefficients,
        "weighted_naive": np.sqrt(np.diag(weighted.covariance)),
        "weighted_robust": np.sqrt(
            np.diag(cox_model.robust_covariance(weighted, MEN["block"].to_numpy())[0])
        ),
    }
    for name, value in values.items():
        expected = frozen[name].values() if isinstance(frozen[name], dict) else frozen[name]
        assert value == pytest.approx(np.array(list(expected)), rel=COEFFICIENT), name


def test_cox_hazard_ratio_through_the_front_door():
    # R survival: fin -0.3794221665 (0.1913794807), log-likelihood -658.7476594, concordance 0.6403292471.
    result = survival(MEN, time="week", event="arrest", treated="fin", estimator="cox", covariates=COVARIATES)
    head = result.headline
    assert head.term == "hazard_ratio"
    assert np.log(head.estimate) == pytest.approx(-0.3794221665, rel=COEFFICIENT)
    assert head.std_error == pytest.approx(0.1913794807, rel=COEFFICIENT)
    assert [each.term for each in result.estimates[1:]] == list(COVARIATES)
    check = result.check("proportional_hazards")
    assert check.passed is True
    assert check.statistic == pytest.approx(0.06242975136, rel=COEFFICIENT)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])
def test_score_test_of_proportional_hazards(ties, transform):
    x = MEN[["fin", *COVARIATES]].to_numpy(float)
    fit = cox_model.cox(MEN["week"].to_numpy(float), MEN["arrest"].to_numpy(float), x, ties=ties)
    frozen = R["zph_" + ("breslow_" if ties == "breslow" else "") + transform]
    found, p = cox_model.proportional_hazards_test(fit, transform=transform)
    assert found == pytest.approx(np.array(list(frozen.values())), rel=COEFFICIENT, abs=1e-6)
    if (ties, transform) == ("efron", "km"):
        assert p[[1, -1]] == pytest.approx([0.01451846277, 0.01342750679], rel=P_VALUE)


def arms_of(**options):
    result = survival(MEN, **{"time": "week", "event": "arrest", "treated": "fin", **options})
    return result, result.detail["arms"].set_index("arm")


@pytest.mark.parametrize(("horizon", "place"), [(20, 0), (52, 1)])
def test_kaplan_meier_with_log_log_limits(horizon, place):
    result, arms = arms_of(horizon=horizon)
    for arm, first in (("control", 0), ("treated", 2)):
        row, at = arms.loc[arm], first + place
        expected = [R["km"][name][at] for name in ("surv", "lower", "upper")]
        assert list(row[["value", "conf_low", "conf_high"]]) == pytest.approx(expected, rel=COEFFICIENT)
    difference = R["km"]["surv"][2 + place] - R["km"]["surv"][place]
    error = np.hypot(R["km"]["se"][2 + place], R["km"]["se"][place])
    assert result.headline.term == "difference_at_horizon"
    assert result.headline.estimate == pytest.approx(100 * difference, rel=COEFFICIENT)
    assert result.headline.std_error == pytest.approx(100 * error, rel=COEFFICIENT)
    weighted = arms_of(horizon=horizon, weights="w")[0].headline
    frozen = R["km_weighted"]
    expected = 100 * (frozen["surv"][2 + place] - frozen["surv"][place])
    assert weighted.estimate == pytest.approx(expected, rel=COEFFICIENT)
    error = 100 * np.hypot(frozen["se"][2 + place], frozen["se"][place])
    assert weighted.std_error == pytest.approx(error, rel=COEFFICIENT)


def test_curves_frame_and_pooled_interval():
    # R survival at 52 weeks, everybody: 0.7361111111, log-log 0.6918597158 to 0.7750631834.
    from evalkit.impact.kaplan_meier import kaplan_meier, log_log_limits

    curve = kaplan_meier(MEN["week"].to_numpy(float), MEN["arrest"].to_numpy(float))
    low, high = log_log_limits(curve.survival, curve.hazard_variance, 0.95)
    found = (curve.survival[-1], low[-1], high[-1])
    assert found == pytest.approx((0.7361111111, 0.6918597158, 0.7750631834), rel=COEFFICIENT)
    curves = arms_of()[0].detail["curves"]
    assert list(curves) == ["arm", "time", "at_risk", "events", "survival", "conf_low", "conf_high"]
    assert curves.groupby("arm")["events"].sum().to_dict() == {"control": 66, "treated": 48}


def test_restricted_mean_has_the_error_of_the_mean():
    # R survival: 44.83333333 (0.9176715405) and 46.875 (0.7933248959).
    result, arms = arms_of(estimator="rmst", horizon=52)
    assert list(arms["value"]) == pytest.approx([46.875, 44.83333333], rel=COEFFICIENT)
    assert result.headline.term == "rmst_difference"
    assert result.headline.std_error == pytest.approx(np.hypot(0.9176715405, 0.7933248959), rel=COEFFICIENT)


@pytest.mark.parametrize(
    ("options", "name"), [({}, "aalen_johansen"), ({"weights": "w"}, "aalen_johansen_weighted")]
)
@pytest.mark.parametrize(("horizon", "place"), [(20, 0), (52, 1)])
def test_aalen_johansen_with_a_competing_event(options, name, horizon, place):
    head = arms_of(estimator="aalen_johansen", event="cause", horizon=horizon, **options)[0].headline
    value, error = R[name]["few"], R[name]["se"]
    assert head.estimate == pytest.approx(100 * (value[2 + place] - value[place]), rel=COEFFICIENT)
    assert head.std_error == pytest.approx(100 * np.hypot(error[2 + place], error[place]), rel=COEFFICIENT)


def test_log_rank_and_its_disagreement_with_the_difference():
    # R survdiff: chi-square 3.837569577, p 0.05011611741.
    result = arms_of(horizon=52)[0]
    assert result.check("log_rank").statistic == pytest.approx(3.837569577, rel=COEFFICIENT)
    assert result.check("tests_disagree").passed is False


@pytest.mark.parametrize("estimator", ["cox", "kaplan_meier", "rmst", "aalen_johansen"])
def test_groups_apart_and_the_test_that_they_differ(estimator):
    event = "cause" if estimator == "aalen_johansen" else "arrest"
    columns = {"time": "week", "event": event, "treated": "fin", "horizon": 40.0}
    found = survival(MEN, estimator=estimator, subgroup="wexp", p_adjust="holm", **columns)
    alone = survival(MEN, estimator=estimator, **columns).headline
    groups = [each for each in found.estimates if each.group is not None]
    assert found.headline == alone
    assert [each.group for each in groups] == ["0", "1"]
    for each in groups:
        value, error = R[f"experience_{each.group}"][estimator]
        assert each.estimate == pytest.approx(np.exp(value) if estimator == "cox" else value, rel=COEFFICIENT)
        assert each.std_error == pytest.approx(error, rel=COEFFICIENT)
        assert (each.term, each.measure, each.unit) == (alone.term, alone.measure, alone.unit)
    first, second = sorted(each.p_value for each in groups)
    assert sorted(each.p_adjusted for each in groups) == pytest.approx([2 * first, max(2 * first, second)])
    check = found.check("subgroup_interaction")
    assert check.statistic == pytest.approx(R["experience_differs"][estimator], rel=1e-5)
    assert check.passed is None


def test_a_group_without_an_answer_is_blank_and_not_left_out():
    men = MEN.assign(when=np.where((MEN["wexp"] == 1) & (MEN["week"] > 30), 30, MEN["week"]))
    men["arrested"] = np.where((MEN["wexp"] == 1) & (MEN["week"] > 30), 0, MEN["arrest"])
    columns = {"event": "arrested", "time": "when", "treated": "fin", "subgroup": "wexp"}
    short = survival(men, estimator="rmst", horizon=50.0, **columns)
    assert [each.estimate is None for each in short.estimates] == [False, False, True]
    assert "Fewer than two groups" in short.check("subgroup_interaction").reading
    none = men.assign(arrested=np.where(MEN["wexp"] == 1, 0, men["arrested"]))
    cox = survival(none, estimator="cox", **columns)
    assert (cox.estimates[-1].group, cox.estimates[-1].estimate, cox.estimates[-1].unit) == (
        "1",
        None,
        "ratio",
    )


def test_a_margin_of_survival_is_on_the_side_that_better_names():
    """A longer time is good: of a hazard and of an incidence the lower is then the good one."""
    columns = {"time": "week", "treated": "fin", "horizon": 40.0}
    for estimator, event in (("cox", "arrest"), ("aalen_johansen", "cause")):
        plain = survival(MEN, estimator=estimator, event=event, **columns).headline
        for margin, passed in ((plain.conf_high * 1.001, True), (plain.conf_high * 0.999, False)):
            found = survival(MEN, estimator=estimator, event=event, **columns, margin=margin, better="higher")
            assert found.check("margin").passed is passed
            assert found.check("margin").statistic == pytest.approx(plain.conf_high)
    for estimator in ("kaplan_meier", "rmst"):
        plain = survival(MEN, estimator=estimator, event="arrest", **columns).headline
        for margin, passed in ((-plain.conf_low * 1.001, True), (-plain.conf_low * 0.999, False)):
            found = survival(
                MEN, estimator=estimator, event="arrest", **columns, margin=margin, better="higher"
            )
            assert found.check("margin").passed is passed


def test_what_survival_cannot_do_is_refused_by_name():
    for more, words in (
        ({"compliance": "prio"}, "`compliance` is not supported here: .*use `rates`"),
        ({"missing": "mice"}, "`missing` is not supported here: rows with missing values"),
        ({"p_adjust": "holm"}, "over the groups of `subgroup`"),
        ({"subgroup": "wexp", "p_adjust": "romano_wolf"}, "must be one of `holm`, `bh`"),
        ({"subgroup": "colour"}, "no column `colour`"),
    ):
        with pytest.raises(EvalkitError, match=words):
            survival(MEN, time="week", event="arrest", treated="fin", **more)
