"""What this machine has, and what still works without the rest."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

NEEDED = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "linearmodels",
    "ibis",
    "duckdb",
    "plotnine",
    "pypandoc",
    "typst",
)
OLDEST = (3, 11)


def examine() -> list[dict[str, Any]]:
    """One finding each: name, ok, found, and what it means where something is missing."""
    return [_python(), *(_package(name) for name in NEEDED), _quarto(), _spark(), _writable(), _encoding()]


def in_words(findings: list[dict[str, Any]]) -> str:
    """One line for each finding: a word, never colour alone."""
    width = max(len(each["name"]) for each in findings)
    words = {True: "ok     ", False: "MISSING", None: "optional"}
    lines = [f"{words[each['ok']]:9}{each['name']:{width}}  {each['found']}" for each in findings]
    notes = [f"  {each['name']}: {each['note']}" for each in findings if each["note"]]
    return "\n".join([*lines, "", *notes]).rstrip()


def _finding(name: str, ok: bool | None, found: str, note: str = "") -> dict[str, Any]:
    return {"name": name, "ok": ok, "found": found, "note": note}


def _python() -> dict[str, Any]:
    new_enough = tuple(map(int, platform.python_version_tuple()[:2])) >= OLDEST
    note = "" if new_enough else "evalkit needs Python 3.11 or later."
    return _finding("Python", new_enough, platform.python_version(), note)


def _package(name: str) -> dict[str, Any]:
    there = importlib.util.find_spec(name) is not None
    note = "" if there else "Install evalkit again from its lock file: `make reports` does that."
    return _finding(name, there, "installed" if there else "not installed", note)


def _quarto() -> dict[str, Any]:
    found = os.environ.get("QUARTO_PATH") or shutil.which("quarto")
    if found:
        return _finding("Quarto", True, "found; reports are rendered with it unless --engine embedded")
    note = "Nothing is lost: the embedded engine renders the same HTML, PDF and DOCX."
    return _finding("Quarto", None, "not found", note)


def _spark() -> dict[str, Any]:
    there = importlib.util.find_spec("pyspark") is not None
    note = (
        "" if there else "Only needed where offences live on a cluster; DuckDB measures outcomes otherwise."
    )
    return _finding("Spark", True if there else None, "installed" if there else "not installed", note)


def _writable() -> dict[str, Any]:
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()):
            return _finding("This folder", True, "can be written to")
    except OSError:
        return _finding("This folder", False, "cannot be written to", "Run evalkit where you may write.")


def _encoding() -> dict[str, Any]:
    encoding = os.device_encoding(1) or "utf-8"
    fine = encoding.lower().replace("-", "") in ("utf8", "cp65001")
    note = "" if fine else "Pound signs and dashes may look wrong on the terminal; files are always UTF-8."
    return _finding("Terminal", fine or None, encoding, note)
