"""Rendering by Quarto, where it is installed: the same staged documents, unchanged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from evalkit.errors import ReportError

OLDEST = (1, 9)  # the first that writes PDF/UA through Typst
TO = {"html": "html", "pdf": "typst", "docx": "docx"}


def find() -> str | None:
    """The Quarto that QUARTO_PATH names, else the one on PATH."""
    named = os.environ.get("QUARTO_PATH")
    if named:
        path = Path(named)
        return str(path / "quarto" if path.is_dir() else path)
    return shutil.which("quarto")


def version(program: str) -> tuple[int, ...] | None:
    """Its version, or None where it does not answer."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", said.stdout.strip())
    return tuple(int(part) for part in found.groups()) if found and said.returncode == 0 else None


def usable(program: str | None) -> bool:
    """Whether it is there and new enough."""
    found = version(program) if program else None
    return found is not None and found[:2] >= OLDEST


def render(program: str, folder: Path, template: str, kind: str) -> bytes:
    """One staged template as `html`, `docx` or `pdf`, made beside its .qmd and read back."""
    command = [program, "render", f"{template}.qmd", "--to", TO[kind], "--no-execute"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    made = folder / f"{template}.{kind}"
    if done.returncode or not made.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise ReportError("Quarto could not render the report", where=f"{template}.qmd, {kind}",
                          found=lines[-1] if lines else "", do="Try `--engine embedded`")  # fmt: skip
    return made.read_bytes()
