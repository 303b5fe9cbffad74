"""Delivery as it happens: stages reached, answers given, points on a chart, places and money used, a score checked."""

from evalkit.monitor.funnel import funnel

__all__ = ["funnel"]
