"""Terms in plain words, from glossary.yaml: what each means, why it matters and which check or page shows it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from evalkit.errors import UsageError, nearest

SOURCE = Path(__file__).with_name("glossary.yaml")


def explain(term: str) -> str:
    """The explanation of a term; `parallel-trends`, `parallel trends` and `Parallel_trends` are one term.

    Raises
    ------
    UsageError
        With the nearest known term.
    """
    known = _entries()
    name = _key(term)
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
