"""One accessible page that links every study's reports in each format, the evidence named before any result."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from evalkit.report.front import NOT_GIVEN
from evalkit.report.output import Output, read_output
from evalkit.report.parts import LEVELS
from evalkit.report.theme import templates_dir
from evalkit.report.words import sentence

FORMATS = (("html", "web page"), ("pdf", "PDF"), ("docx", "Word"))
NAMES = {
    "commissioner": "Report for the commissioner",
    "summary": "Summary for funders",
    "technical": "Technical annex",
}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def site_index(studies: Sequence[Path], destination: Path) -> Path:
    """Write `destination/index.html`, in the order of the studies' titles: an index is no ranking.

    Parameters
    ----------
    studies : output folders, each with results.json and report/.
    destination : the folder of the page; links are relative to it.
    """
    read = sorted(
        (read_output(folder) for folder in studies), key=lambda each: str(each.values["title"]).casefold()
    )
    entries = "\n".join(_entry(each, destination) for each in read)
    page = _PAGE.format(
        policy=POLICY, styles=(templates_dir() / "styles.css").read_text(encoding="utf-8"),
        count=f"{len(read)} {'study' if len(read) == 1 else 'studies'}", entries=entries,
    )  # fmt: skip
    destination.mkdir(parents=True, exist_ok=True)
    path = destination / "index.html"
    beside = destination / ".index.html.part"
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)
    return path


def _entry(study: Output, destination: Path) -> str:
    text = html.escape
    level = study.get("evidence", "level")
    name = LEVELS.get(level, "Evidence not rated") if isinstance(level, int) else "Evidence not rated"
    rated = (
        f"{'Such a design would earn level' if study.hypothetical else 'Evidence level'} {level} of 5: {name}"
    )
    status = study.status or "Status not recorded"
    said = study.get("headline") or NOT_GIVEN["did_it_work"]
    return (
        f"<li>\n<h2>{text(str(study.values['title']))}</h2>\n"
        f'<p><span class="tag">{text(status)}</span>'
        f'<span class="tag">{text(rated if isinstance(level, int) else name)}</span></p>\n'
        f"<p>{text(sentence(said))}</p>\n{_files(study, destination)}\n</li>"
    )


def _files(study: Output, destination: Path) -> str:
    """A line for each report, a link for each format, its words enough to tell it from every other on the page."""
    title = html.escape(str(study.values["title"]))
    lines = []
    for template, name in NAMES.items():
        links = [
            f'<a href="{_link(path, destination)}">{kind}<span class="hidden">: {name}, {title}</span></a>'
            for ending, kind in FORMATS
            if (path := study.folder / "report" / f"{template}.{ending}").is_file()
        ]
        if links:
            lines.append(f"<li><strong>{name}</strong> {' '.join(links)}</li>")
    return f'<ul class="files">{"".join(lines)}</ul>' if lines else "<p>No reports have been rendered.</p>"


def _link(path: Path, destination: Path) -> str:
    return quote(os.path.relpath(path, destination).replace(os.sep, "/"))


_PAGE = """<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Evaluation reports</title>
<style>
{styles}
</style>
</head>
<body>
<a class="skip" href="#main">Skip to main content</a>
<header class="masthead">
<div class="inner">
<p class="kind">evalkit</p>
<h1>Evaluation reports</h1>
<p class="subtitle">{count}, in alphabetical order. Read how strong the evidence is before the result.</p>
</div>
</header>
<div class="layout">
<main id="main" tabindex="-1">
<ul class="studies">
{entries}
</ul>
</main>
</div>
<footer class="foot">
<div class="inner">
<p>Reports on invented data show the method. They say nothing about any real programme.</p>
</div>
</footer>
</body>
</html>
"""
