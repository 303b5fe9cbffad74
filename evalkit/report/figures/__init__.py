"""Figures, each with its text alternative and its data: `figures.event_study(result)` gives all three.

`FOR_METHOD` says which figures a method's result can have: a figure is drawn where its detail frame is there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_HOME = {
    "arms": "estimates",
    "forest": "estimates",
    "proportion": "estimates",
    "changes": "counted",
    "criteria": "people",
    "flow": "people",
    "icon_array": "people",
    "love": "people",
    "stages": "people",
    "curves": "periods",
    "event_study": "periods",
    "means": "periods",
    "by_agency": "money",
    "cashflow": "money",
    "tornado": "money",
    "answers": "many",
    "points": "many",
    "reached": "many",
    "small_studies": "many",
    "studies": "many",
    "score_accuracy": "scores",
    "score_calibration": "scores",
    "interrupted": "series",
    "synthetic_gap": "series",
    "synthetic_path": "series",
    "bacon": "trust",
    "group_time": "trust",
    "overlap": "trust",
    "sensitivity": "trust",
}

# method -> (figure, the detail frame that it draws; "" for the estimates themselves)
FOR_METHOD: dict[str, tuple[tuple[str, str], ...]] = {
    "proportion": (("proportion", ""),),
    "counts": (("changes", "counts"),),
    "rates": (("arms", "arms"),),
    "did": (
        ("means", "means"),
        ("event_study", "event_study"),
        ("group_time", "group_time"),
        ("bacon", "bacon"),
        ("sensitivity", "sensitivity"),
    ),
    "interrupted": (("interrupted", "series"),),
    "synthetic_control": (("synthetic_path", "path"), ("synthetic_gap", "path")),
    "survival": (("curves", "curves"),),
    "progression": (("criteria", "criteria"),),
    "funnel": (("reached", "stages"),),
    "survey": (("answers", "answers"),),
    "run_chart": (("points", "points"),),
    "risk_score": (("score_accuracy", "accuracy"), ("score_calibration", "calibration")),
    "meta": (("studies", "studies"), ("small_studies", "studies")),
    "cost_benefit": (("by_agency", "by_agency"), ("cashflow", "cashflow"), ("tornado", "tornado")),
}

__all__ = [*_HOME, "FOR_METHOD"]


def __getattr__(name: str) -> Callable[..., Any]:
    if name in _HOME:
        return getattr(import_module(f"evalkit.report.figures.{_HOME[name]}"), name)
    raise AttributeError(f"there is no figure {name!r}")
