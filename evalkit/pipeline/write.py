"""What leaves a run: results.json, detail/*.csv and run.json, in a folder that replaces the old one only when whole."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.errors import UsageError
from evalkit.results import plain
from evalkit.scratch import left_behind, own_folder

PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "linearmodels",
    "plotnine",
    "ibis-framework",
    "duckdb",
    "typst",
)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when the block ends well, and is thrown away when it does not.

    What a killed run left beside it is removed first; an earlier output that it had set aside comes back.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _restore(folder)
    fresh = own_folder(f".{folder.name}-", folder.parent)
    # mkdtemp is private to its owner; a results folder is as readable as its neighbours.
    fresh.chmod(0o777 & ~_umask())
    try:
        yield fresh
        _swap(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def require_replaceable(folder: Path) -> None:
    """Refuse an output folder that holds anything but an earlier run: a run replaces it whole.

    Raises
    ------
    UsageError
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("the output must be a folder", found=folder.name)
    ours = (folder / "results.json").is_file() and not (folder / "study.yml").exists()
    if any(folder.iterdir()) and not ours:
        raise UsageError(
            "this folder holds something other than an earlier run, and a run replaces it whole",
            found=folder.name, do="Name a new folder with --output",
        )  # fmt: skip


def write_json(path: Path, values: Any) -> None:
    """UTF-8, keys in the order given, one trailing newline: the same values give the same bytes."""
    path.write_text(json.dumps(jsonable(values), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def jsonable(value: Any) -> Any:
    """Mappings, sequences and frames all the way down to what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, pd.DataFrame):
        return [jsonable(row) for row in value.to_dict("records")]
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(each) for each in value]
    if hasattr(value, "isoformat") and not isinstance(value, pd.Timestamp):
        return value.isoformat()
    return plain(value)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _restore(folder: Path) -> None:
    """Put back the output that a run had moved aside when it was killed before the new one was in its place."""
    for aside in left_behind(f".{folder.name}-old-", folder.parent):
        if not folder.exists() and (aside / folder.name).is_dir():
            (aside / folder.name).rename(folder)
        shutil.rmtree(aside, ignore_errors=True)


def _swap(fresh: Path, folder: Path) -> None:
    if not folder.exists():
        fresh.rename(folder)
        return
    old = own_folder(f".{folder.name}-old-", folder.parent) / folder.name
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
