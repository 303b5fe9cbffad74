"""Many studies: effects and their variances to a pooled effect, with how far the studies differ."""

from evalkit.pooling.bias import egger
from evalkit.pooling.heterogeneity import heterogeneity
from evalkit.pooling.measures import effects_from_counts, effects_from_means
from evalkit.pooling.method import meta
from evalkit.pooling.pooling import pool

__all__ = ["effects_from_counts", "effects_from_means", "egger", "heterogeneity", "meta", "pool"]
