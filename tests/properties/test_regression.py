"""Least squares, generalised linear models and their covariances against statsmodels and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from evalkit import regression
from evalkit.errors import EstimationError, StudyError
from evalkit.inference import wald, wild_p_value, wild_pieces, wild_signs
from tests.tolerances import COEFFICIENT


def rows(n: int = 300, seed: int = 0):
    generator = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), generator.normal(size=(n, 2))])
    unit, period = generator.integers(0, 30, n), generator.integers(0, 8, n)
    y = x @ [0.5, 1.0, -0.3] + 0.1 * unit + generator.normal(size=n) * (1 + abs(x[:, 1]))
    return generator, x, y, unit, period


NAMES = ["constant", "a", "b"]


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_covariances(kind):
    _, x, y, _, _ = rows()
    fit = regression.least_squares(y, x, NAMES)
    peer = sm.OLS(y, x).fit(cov_type=kind)
    np.testing.assert_allclose(fit.coefficients, peer.params, rtol=1e-9)
    np.testing.assert_allclose(regression.robust_covariance(fit, kind), peer.cov_params(), rtol=1e-9)


def test_weighted_clustered():
    generator, x, y, unit, _ = rows()
    w = generator.uniform(0.5, 2, len(y))
    fit = regression.least_squares(y, x, NAMES, weights=w)
    peer = sm.WLS(y, x, weights=w).fit(cov_type="cluster", cov_kwds={"groups": unit})
    np.testing.assert_allclose(regression.cluster_covariance(fit, unit), peer.cov_params(), rtol=1e-9)


@pytest.mark.parametrize(
    ("family", "peer"), [("binomial", sm.families.Binomial()), ("poisson", sm.families.Poisson())]
)
def test_generalised_linear_models(family, peer):
    generator, x, y, _, _ = rows()
    line = x @ [0.2, 0.4, -0.3]
    y = (
        generator.poisson(np.exp(line))
        if family == "poisson"
        else (generator.uniform(size=len(y)) < 0.4) * 1.0
    )
    fit = regression.glm(y.astype(float), x, NAMES, family=family)
    other = sm.GLM(y, x, family=peer).fit(tol=1e-12, cov_type="HC0")
    np.testing.assert_allclose(fit.coefficients, other.params, atol=COEFFICIENT)
    np.testing.assert_allclose(regression.robust_covariance(fit, "HC0"), other.cov_params(), rtol=1e-5)


def test_absorbed_effects_are_dummies():
    _, x, y, unit, period = rows()
    dummies = np.column_stack([unit[:, None] == np.arange(30), period[:, None] == np.arange(1, 8)]).astype(
        float
    )
    fit = regression.least_squares(y, x[:, 1:], NAMES[1:], effects=(unit, period))
    peer = sm.OLS(y, np.column_stack([x[:, 1:], dummies])).fit()
    np.testing.assert_allclose(fit.coefficients, peer.params[:2], atol=1e-10)
    np.testing.assert_allclose(regression.classical_covariance(fit), peer.cov_params()[:2, :2], rtol=1e-9)
    assert fit.effects == (30, 7)


def test_conditional_poisson_is_poisson_with_dummies():
    generator, x, _, unit, period = rows()
    y = generator.poisson(np.exp(0.3 * x[:, 1] + 0.05 * unit)).astype(float)
    fit = regression.glm(y, x[:, 1:], NAMES[1:], family="poisson", effects=(unit, period))
    dummies = np.column_stack([unit[:, None] == np.arange(30), period[:, None] == np.arange(1, 8)]).astype(
        float
    )
    peer = sm.GLM(y, np.column_stack([x[:, 1:], dummies]), family=sm.families.Poisson()).fit(tol=1e-12)
    np.testing.assert_allclose(fit.coefficients, peer.params[:2], atol=COEFFICIENT)


def test_every_way_to_absorb_agrees(monkeypatch):
    generator = np.random.default_rng(1)
    unit, period = np.repeat(np.arange(40), 6), np.tile(np.arange(6), 40)
    columns = generator.normal(size=(240, 3))
    closed = regression.absorb(columns, (unit, period), grid=(40, 6))
    general = regression.absorb(columns, (unit, period))
    np.testing.assert_allclose(closed, general, atol=1e-12)
    monkeypatch.setattr(regression.absorption, "DENSE_LEVELS", 0)
    np.testing.assert_allclose(closed, regression.absorb(columns, (unit, period)), atol=1e-8)


def test_parts_that_are_not_linked_are_counted():
    unit, period = np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([0, 1, 0, 1, 2, 3, 2, 3])
    assert regression.effect_ranks((unit, period)) == (4, 2)


def test_collinear_columns_are_left_out_and_named():
    _, x, y, unit, period = rows()
    doubled = np.column_stack([x, 2 * x[:, 1]])
    fit = regression.least_squares(y, doubled, [*NAMES, "again"])
    assert fit.dropped == ("again",)
    constant = regression.least_squares(y, unit[:, None] * 1.0, ["unit"], effects=(unit, period))
    assert constant.dropped == ("unit",)
    with pytest.raises(EstimationError, match="does not exist"):
        constant.position("unit")


def test_refusals():
    _, x, y, unit, period = rows()
    fit = regression.least_squares(y, x[:, 1:], NAMES[1:], effects=(unit,))
    with pytest.raises(StudyError, match="HC3 is not supported"):
        regression.robust_covariance(fit, "HC3")
    with pytest.raises(StudyError, match="HC0, HC1"):
        regression.robust_covariance(fit, "HC9")
    with pytest.raises(StudyError, match="more than two"):
        regression.absorb(x, (unit, period, unit))
    with pytest.raises(EstimationError, match="did not settle"):
        regression.glm((x[:, 1] > 0) * 1.0, x, NAMES, family="binomial")


def test_wild_bootstrap_against_brute_force():
    generator, x, _, _, _ = rows(240, 4)
    clusters = np.arange(240) % 14
    treated = (clusters < 6) * (x[:, 1] > 0) * 1.0
    y = generator.normal(size=240) + 0.3 * generator.normal(size=14)[clusters]
    design = np.column_stack([treated, x])
    fit = regression.least_squares(y, design, ["treated", *NAMES])
    signs, exact = wild_signs(14, 199, 3)
    got = wild_p_value(wild_pieces(fit, 0, clusters, 14), 0.0, signs, exact)

    def statistic(outcome: np.ndarray) -> float:
        again = regression.least_squares(outcome, design, ["treated", *NAMES])
        return again.coefficients[0] / np.sqrt(regression.cluster_covariance(again, clusters)[0, 0])

    null = regression.least_squares(y, x, NAMES)
    drawn = [statistic(null.fitted + null.residuals * v[clusters]) for v in signs.T]
    beyond = np.sum(np.abs(drawn) >= abs(statistic(y)) * (1 - 1e-9))
    assert got == pytest.approx((1 + beyond) / 200)


def test_weights_below_twelve_clusters_are_webb_and_few_patterns_are_listed():
    signs, exact = wild_signs(8, 500, 0)
    assert not exact
    assert sorted(set(np.round(signs.ravel() ** 2, 9))) == [0.5, 1.0, 1.5]
    signs, exact = wild_signs(12, 5000, 0)
    assert exact
    assert signs.shape == (12, 4096)


def test_no_error_no_interval():
    assert wald(1.0, 0.0).low is None
    assert wald(1.0, float("nan")).p_value is None
    assert wald(1.0, 0.5).low == pytest.approx(1 - 1.959964 * 0.5)


@pytest.mark.parametrize(
    "values",
    [
        np.array([-100, 100, 45, 7] * 30, np.int8),
        np.array([0, 255, 3] * 9, np.uint8),
        np.array([2**63 + 5, 2**63 + 9, 2**63 + 5], np.uint64),
        np.array([10**12, 7, 10**12]),
    ],
)
def test_codes_give_the_numbers_back_whatever_their_width(values):
    codes, levels = regression.factorize(values)
    assert (levels[codes] == values).all()
    assert (np.diff(levels.astype(object)) > 0).all()
