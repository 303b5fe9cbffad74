"""From gated results to reports that a councillor can read: `write_report` stages and renders, `site_index` links."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "write_report": "rendering",
    "render": "rendering",
    "stage": "staging",
    "site_index": "site",
    "template_names": "theme",
    "figures": "figures",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name == "figures":
        return import_module("evalkit.report.figures")
    if name in _HOME:
        return getattr(import_module(f"evalkit.report.{_HOME[name]}"), name)
    raise AttributeError(f"evalkit.report has no {name!r}")
