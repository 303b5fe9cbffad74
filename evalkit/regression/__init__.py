"""Least squares with absorbed effects, generalised linear models, robust and cluster covariances.

Everything here works on arrays. `absorption` takes group effects out of columns, `fits` estimates, `covariances` says
how sure the estimates are.
"""

from evalkit.regression.absorption import (
    absorb,
    codes,
    effect_ranks,
    factorize,
    group_sums,
    places,
    two_effects,
)
from evalkit.regression.covariances import (
    classical_covariance,
    cluster_covariance,
    cluster_factor,
    cluster_scores,
    counted_parameters,
    robust_covariance,
    sandwich,
)
from evalkit.regression.fits import (
    Fit,
    glm,
    independent,
    informative,
    least_squares,
)

__all__ = [
    "Fit",
    "absorb",
    "classical_covariance",
    "cluster_covariance",
    "cluster_factor",
    "cluster_scores",
    "codes",
    "counted_parameters",
    "effect_ranks",
    "factorize",
    "glm",
    "group_sums",
    "independent",
    "informative",
    "least_squares",
    "places",
    "robust_covariance",
    "sandwich",
    "two_effects",
]
