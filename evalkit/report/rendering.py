"""Staged documents to HTML, Word and PDF: by Quarto where it is installed, else by what evalkit brings along."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evalkit.errors import ReportError, nearest
from evalkit.report import embedded, quarto
from evalkit.report.staging import keep_others, stage_into, swap
from evalkit.scratch import own_folder

FORMATS = ("html", "pdf", "docx")
ENGINES = ("auto", "quarto", "embedded")
WORKERS = 2

Renderer = Callable[[Path, str, str], bytes]


def render(report_dir: Path, template: str, formats: Sequence[str], engine: str = "auto") -> list[Path]:
    """Render one staged template; all the formats appear together, or none does.

    Parameters
    ----------
    report_dir : a staged `output/report/`.
    template : its name without `.qmd`.
    formats : any of html, pdf, docx.
    engine : `auto` takes QUARTO_PATH, then the Quarto on PATH, then the embedded renderer.

    Raises
    ------
    ReportError : an unknown format or engine, or a document that the engine cannot render.
    """
    renderer = _renderer(engine, formats)
    made = _render_all(renderer, report_dir, [(template, kind) for kind in formats])
    return [_replace(report_dir / name, content) for name, content in made.items()]


def write_report(
    output: Path, *, templates: Sequence[str] = ("commissioner",), formats: Sequence[str] = FORMATS,
    engine: str = "auto", progress: Callable[[str], None] | None = None, templates_dir: Path | None = None,
    previous: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Stage and render the reports of one output folder; a failure leaves the previous reports as they were.

    Parameters
    ----------
    output : the folder that holds results.json, detail/ and run.json; nothing else is read.
    templates, formats, engine : see `stage` and `render`.
    progress : called with a few words at each step.
    templates_dir : where the templates are; by default those that come with evalkit.
    previous : an earlier report folder, whose unchanged figures are used again; by default the one in `output`.

    Returns
    -------
    The files written: `<template>.<format>`, and `summary.json` with the template `summary`.
    """
    say = progress or (lambda _: None)
    if not templates:
        return []
    if not output.is_dir():
        raise ReportError("there are no results to report on", where=output.name, do="Run the study first")
    renderer = _renderer(engine, formats, say)
    fresh = own_folder(".report-", output)
    try:
        say("Writing tables and drawing figures")
        stage_into(fresh, output, templates, templates_dir, previous)
        say(f"Rendering {len(templates)} reports as {', '.join(formats)}")
        made = _render_all(renderer, fresh, [(name, kind) for name in templates for kind in formats])
        for name, content in made.items():
            (fresh / name).write_bytes(content)
        keep_others(fresh, output / "report")
        swap(fresh, output / "report")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    written = [output / "report" / name for name in made]
    return written + ([output / "report" / "summary.json"] if "summary" in templates else [])


def _renderer(engine: str, formats: Sequence[str], say: Callable[[str], None] = lambda _: None) -> Renderer:
    for kind in formats:
        if kind not in FORMATS:
            raise ReportError("this is not a format of reports", found=kind, do=nearest(kind, FORMATS))
    if engine not in ENGINES:
        raise ReportError("this is not an engine", found=engine, do=nearest(engine, ENGINES))
    program = None if engine == "embedded" else quarto.find()
    if engine == "quarto" and not quarto.usable(program):
        oldest = ".".join(map(str, quarto.OLDEST))
        raise ReportError("Quarto was asked for and cannot be used", found=program or "not installed",
                          do=f"Install Quarto {oldest} or newer, or use `--engine embedded`")  # fmt: skip
    if program and quarto.usable(program):
        return lambda folder, template, kind: _by_quarto(program, folder, template, kind)
    if program:
        say(
            f"{program} is not Quarto {'.'.join(map(str, quarto.OLDEST))} or newer: using the embedded renderer"
        )
    return embedded.render


def _by_quarto(program: str, folder: Path, template: str, kind: str) -> bytes:
    """In a copy of its own, since Quarto writes beside its source and two runs there would meet."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "report"
        shutil.copytree(folder, place)
        return quarto.render(program, place, template, kind)


def _render_all(renderer: Renderer, folder: Path, jobs: Sequence[tuple[str, str]]) -> dict[str, bytes]:
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        running = {f"{name}.{kind}": pool.submit(renderer, folder, name, kind) for name, kind in jobs}
        return {name: each.result() for name, each in running.items()}


def _replace(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)
    return path
