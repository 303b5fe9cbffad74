"""From an output folder to plain Quarto documents that need nothing outside `output/report/`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalkit.errors import ReportError, nearest
from evalkit.report import (
    alike,
    annex,
    appraisal,
    checklist,
    front,
    parts,
    printed,
    stronger,
    summary,
    whatif,
    worth,
)
from evalkit.report.drawing import stage_figures
from evalkit.report.output import Output, read_output
from evalkit.report.parts import withheld
from evalkit.report.qmd import split_front_matter
from evalkit.report.theme import templates_dir as shipped_templates
from evalkit.report.word import reference_document
from evalkit.report.words import day, escape
from evalkit.scratch import own_folder

KEPT = (".qmd", ".html", ".pdf", ".docx", ".json")
ASSETS = ("styles.css", "fonts")
ROOMS = (front, parts, printed, alike, checklist, stronger, whatif, appraisal, annex)


def stage(output: Path, templates: Sequence[str], templates_dir: Path | None = None) -> None:
    """Write `output/report/`: each template as a .qmd, its parts and its figures; at the end, replace the old.

    Parameters
    ----------
    output : the folder that holds results.json, detail/ and run.json; nothing else is read.
    templates : names of templates, such as `commissioner`.
    templates_dir : where they are; by default the templates that come with evalkit.

    Raises
    ------
    ReportError : no results, an unknown template, or a template that cannot be read.
    """
    fresh = own_folder(".report-", output) if output.is_dir() else output
    try:
        stage_into(fresh, output, templates, templates_dir)
        keep_others(fresh, output / "report")
        swap(fresh, output / "report")
    finally:
        if fresh != output:
            shutil.rmtree(fresh, ignore_errors=True)


def stage_into(
    target: Path, output: Path, templates: Sequence[str], templates_dir: Path | None = None,
    previous: Path | None = None,
) -> Output:  # fmt: skip
    """The same, into a folder that is not yet the report; unchanged figures come from the `previous` report."""
    source = templates_dir or shipped_templates()
    study = read_output(output)
    known = sorted(path.stem for path in source.glob("*.qmd"))
    for name in templates:
        if name not in known:
            raise ReportError("there is no such template", found=name, do=nearest(name, known))
    for name in templates:
        path = target / f"{name}.qmd"
        path.write_text(_staged(source / f"{name}.qmd", study), encoding="utf-8")
    _write_parts(study, target, (previous or output / "report") / "figures")
    for asset in ASSETS:
        _copy(shipped_templates() / asset, target / asset)
    if "summary" in templates:
        text = json.dumps(summary.as_json(study), indent=1, ensure_ascii=False)
        (target / "summary.json").write_text(text + "\n", encoding="utf-8")
    return study


def keep_others(fresh: Path, old: Path) -> None:
    """Reports of other templates, made from the same results, stay beside the new ones."""
    for path in sorted(old.glob("*")) if old.is_dir() else ():
        if (
            path.suffix in KEPT
            and not (fresh / path.name).exists()
            and not (fresh / f"{path.stem}.qmd").exists()
        ):
            shutil.copyfile(path, fresh / path.name)


def swap(fresh: Path, place: Path) -> None:
    """Put the new folder where the old one was, and take the old one away only then."""
    old = place.with_name(f".{place.name}-before")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    try:
        fresh.chmod(0o755)
        fresh.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write_parts(study: Output, target: Path, drawn_before: Path) -> None:
    folder = target / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: getattr(room, name)(study) for room in ROOMS for name in room.PARTS}
    texts |= {"summary_fields": summary.part(study), "value": worth.value(study)}
    texts |= stage_figures(study, target / "figures", drawn_before)
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(f"{text.strip()}\n", encoding="utf-8")
    banner = front.banner_text(study)
    (folder / "header.typ").write_text(_typst_header(banner), encoding="utf-8")
    (folder / "reference.docx").write_bytes(
        reference_document(banner=banner, footer=str(study.values["title"]))
    )


def _staged(path: Path, study: Output) -> str:
    """The template with the study's title and values in its front matter; its body as it stands."""
    import yaml

    front, body, _ = split_front_matter(path.read_text(encoding="utf-8"), where=path.name)
    values = values_of(study) | (front.get("evalkit") or {})
    front = {
        **front,
        "title": escape(study.values["title"]),
        "subtitle": values["question"],
        "evalkit": values,
    }
    if not values["question"]:
        del front["subtitle"]
    text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{text}---\n{body}"


def values_of(study: Output) -> dict[str, Any]:
    """What a template may print with `meta`, under `evalkit:`; every string escaped."""
    found = {
        "study": study.values["study"],
        "title": study.values["title"],
        "question": study.get("about", "question") or "",
        "commissioner": study.get("about", "commissioner") or "Not recorded",
        "programme": _capital(study.get("about", "intervention", "name") or study.values["title"]),
        "status": study.status or "Not recorded",
        "level": study.get("evidence", "level"),
        "certainty": study.get("evidence", "certainty") or "not rated",
        "version": study.get("evalkit") or "unknown",
        "run": study.run.get("id") or study.run.get("finished") or "not recorded",
    }
    found["level"] = "not rated" if found["level"] is None else found["level"]
    found["banner"] = front.banner_text(study)
    found["short"] = study.values["title"]
    status, run = found["status"], day(study.run.get("finished") or study.run.get("started") or "")
    found["footer"] = (f"{study.values['title']}. {status}. Made with evalkit {found['version']}"
                       f"{' on ' + run if run else ''}. Every number comes from results.json; "
                       f"{withheld(study)}.")  # fmt: skip
    return {name: escape(value) for name, value in found.items()} | {"engine": "Quarto"}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _typst_header(banner: str) -> str:
    """The banner on every page of a PDF, as a string that Typst prints and does not read."""
    if not banner:
        return "// no banner\n"
    text = banner.replace("\\", "\\\\").replace('"', '\\"')
    return f'#set page(header: align(center, text(size: 8.5pt, weight: "bold", fill: rgb("#801650"), "{text}")))\n'


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copyfile(source, target)
