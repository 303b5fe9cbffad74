"""Terms in plain words, from glossary.yaml: what each means, why it matters and which check or page shows it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from evalkit.errors import UsageError, nearest

SOURCE = Path(__file__).with_name("glossary.yaml")
# What people call a term for short, or by its name in study.yml.
ALSO = {
    "did": "difference-in-differences", "mde": "minimum-detectable-effect", "power": "minimum-detectable-effect",
    "bcr": "benefit-cost-ratio", "its": "interrupted-time-series", "interrupted": "interrupted-time-series",
    "smd": "balance", "rmst": "restricted-mean", "ci": "confidence-interval", "meta": "meta-analysis",
    "auc": "area-under-the-curve", "progression": "progression-criteria", "level": "level-of-evidence",
    "nearest": "matching", "randomisation": "randomisation-inference", "wild-bootstrap": "wild-cluster-bootstrap",
}  # fmt: skip


def explain(term: str) -> str:
    """The explanation of a term; `parallel-trends`, `parallel trends` and `Parallel_trends` are one term.

    Raises
    ------
    UsageError
        With the nearest known term.
    """
    known = _entries()
    name = ALSO.get(_key(term), _key(term))
    if name not in known:
        raise UsageError(f"the glossary has no `{term}`", do=f"{nearest(name, known)} See `evalkit explain`")
    return known[name]


def terms() -> tuple[str, ...]:
    """Every term, in alphabetical order."""
    return tuple(sorted(_entries()))


def _key(term: str) -> str:
    return "-".join(term.lower().replace("_", " ").replace("-", " ").split())


@cache
def _entries() -> dict[str, str]:
    import yaml

    entries = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return {_key(name): " ".join(words.split()) for name, words in entries.items()}
