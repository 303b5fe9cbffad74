"""evalkit: from a study folder to an honest report. Public names in walking order, imported when first used."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Estimate": "evalkit.results",
    "Check": "evalkit.results",
    "Result": "evalkit.results",
    "Design": "evalkit.results",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'evalkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
