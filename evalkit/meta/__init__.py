"""Many studies: effects and their variances to a pooled effect, with how far the studies differ."""

from evalkit.meta.bias import egger
from evalkit.meta.heterogeneity import heterogeneity
from evalkit.meta.measures import effects_from_counts, effects_from_means
from evalkit.meta.method import meta
from evalkit.meta.pooling import pool

__all__ = ["effects_from_counts", "effects_from_means", "egger", "heterogeneity", "meta", "pool"]
