"""Where things are, and folders that the first test worker makes for all of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STUDIES = sorted(path.parent.name for path in (ROOT / "studies").glob("*/study.yml"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 900


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made by the first worker that asks for it; the others wait for it, and fail if it could not be made."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done, failed = (base / f"{name}{ending}" for ending in ("", ".done", ".failed"))
    try:
        folder.mkdir()
    except FileExistsError:
        _wait(done, failed)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    done.touch()
    return folder


def visit(pages: Sequence[Path], where: Path) -> dict[str, dict]:
    """What a headless browser finds on each page: axe-core's violations, requests, width at 360 px, text."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None or shutil.which("node") is None or not (where / "node_modules" / "axe-core").is_dir():
        pytest.skip("needs Chromium, Node and `make browser`")
    command = ["node", "browser.mjs", chromium, "-", *map(str, pages)]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _wait(done: Path, failed: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not done.exists():
        if failed.exists() or time.monotonic() > until:
            pytest.fail(f"another worker could not make {done.stem}")
        time.sleep(0.2)
