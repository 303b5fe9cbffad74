"""Delivery as it happens: stages reached, answers given, points on a chart, places and money used, a score checked."""

from evalkit.monitor.caseload import caseload, cost_per_participant
from evalkit.monitor.funnel import funnel
from evalkit.monitor.risk_score import risk_score
from evalkit.monitor.run_chart import run_chart
from evalkit.monitor.survey import possible_counts, smallest_possible_n, survey

__all__ = [
    "caseload", "cost_per_participant", "funnel", "possible_counts", "risk_score", "run_chart", "smallest_possible_n",
    "survey",
]  # fmt: skip
