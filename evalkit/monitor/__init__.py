"""Delivery as it happens: stages reached, answers given, points on a chart, places and money used, a score checked."""

from evalkit.monitor.funnel import funnel
from evalkit.monitor.run_chart import run_chart
from evalkit.monitor.survey import possible_counts, smallest_possible_n, survey

__all__ = ["funnel", "possible_counts", "run_chart", "smallest_possible_n", "survey"]
