"""Folders that one process makes for itself; those that a killed process left behind are removed by the next."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# Where a process cannot be asked whether it lives, what it left is taken for abandoned after so many seconds.
ABANDONED = 3600


def own_folder(prefix: str, parent: Path | None = None) -> Path:
    """A new private folder named after this process, once what dead processes left under the same name is gone."""
    where = Path(tempfile.gettempdir()) if parent is None else parent
    for left in left_behind(prefix, where):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=where))


def left_behind(prefix: str, parent: Path) -> Iterator[Path]:
    """The folders of this prefix whose process is gone."""
    named = re.compile(re.escape(prefix) + r"(\d+)-[a-z0-9_]{8}")
    for path in sorted(parent.glob(f"{prefix}*")):
        made_by = named.fullmatch(path.name)
        if made_by and path.is_dir() and not path.is_symlink() and not _alive(int(made_by[1]), path):
            yield path


def _alive(process: int, folder: Path) -> bool:
    if process == os.getpid():
        return True
    if os.name != "posix":
        return time.time() - folder.stat().st_mtime < ABANDONED
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
