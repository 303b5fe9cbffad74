"""The renderer that needs nothing installed beside evalkit: Pandoc, one Lua filter, and Typst."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from evalkit.errors import ReportError
from evalkit.report.qmd import Document, read_document
from evalkit.report.theme import templates_dir
from evalkit.report.whatif import script

EARLIEST_DATE = "315532800"  # 1 January 1980, the first that a zip file can hold
READER = "markdown-tex_math_dollars"
IMAGES = {"html": "svg", "pdf": "svg", "docx": "png"}
MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg"}


def engine_name() -> str:
    """What a report's footer says rendered it."""
    from importlib.metadata import version

    import pypandoc

    return f"evalkit's embedded renderer (Pandoc {pypandoc.get_pandoc_version()}, Typst {version('typst')})"


def render(folder: Path, template: str, kind: str) -> bytes:
    """One staged template as `html`, `docx` or `pdf`."""
    document = read_document(folder, f"{template}.qmd")
    if kind == "html":
        return _html(folder, document)
    if kind == "docx":
        return _docx(folder, document)
    return _pdf(folder, document)


def _html(folder: Path, document: Document) -> bytes:
    styles = json.dumps((templates_dir() / "styles.css").read_text(encoding="utf-8"))
    options = ["--to=html5", f"--template={templates_dir() / 'report.html'}", f"--variable-json=styles={styles}",
               "--figure-caption-position=above", "--mathml", "--wrap=none", *_script_policy(document)]  # fmt: skip
    text = _pandoc(folder, document, "html", options).decode()
    return _self_contained(folder, _with_scopes(text)).encode()


def _script_policy(document: Document) -> list[str]:
    """Our own script may run where it stands in the page; by its hash, so that no other can."""
    if f"<script>{script()}</script>" not in document.body:
        return []
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return [f"--variable-json=script-hash={json.dumps(digest)}"]


def _docx(folder: Path, document: Document) -> bytes:
    options = [
        "--to=docx", "--shift-heading-level-by=-1", f"--reference-doc={folder / 'parts' / 'reference.docx'}",
        "--output=-", "--figure-caption-position=above",
    ]  # fmt: skip
    return _pandoc(folder, document, "docx", options)


def _pdf(folder: Path, document: Document) -> bytes:
    import typst

    title = json.dumps(_typst_string(document.front.get("title")))
    options = [
        "--to=typst", "--shift-heading-level-by=-1", f"--template={templates_dir() / 'report.typ'}", "--wrap=none",
        f"--variable-json=title-text={title}",
    ]  # fmt: skip
    source = _pandoc(folder, document, "pdf", options)
    try:
        # A Compiler compiles once, so the function that makes its own is the one to call.
        return typst.compile(
            source, root=str(folder), font_paths=[str(templates_dir() / "fonts")], format="pdf",
            pdf_standards=["ua-1"], ignore_system_fonts=True,
        )  # fmt: skip
    except typst.TypstError as error:
        raise ReportError(f"the PDF could not be made: {_first_line(str(error))}", where="Typst",
                          do="Look at the template's last change") from error  # fmt: skip


def _pandoc(folder: Path, document: Document, kind: str, options: list[str]) -> bytes:
    import pypandoc

    front = _metadata(document)
    contents = (
        ["--toc", f"--toc-depth={document.front.get('toc-depth', 2)}"] if document.front.get("toc") else []
    )
    command = [
        pypandoc.get_pandoc_path(), f"--from={READER}", "--standalone",
        f"--lua-filter={templates_dir() / 'evalkit.lua'}",
        f"--default-image-extension={IMAGES[kind]}", *(contents if kind == "html" else []), *options,
    ]  # fmt: skip
    environment = dict(os.environ, SOURCE_DATE_EPOCH=EARLIEST_DATE)
    text = f"---\n{json.dumps(front, ensure_ascii=False)}\n---\n\n{document.body}"
    done = subprocess.run(
        command, input=text.encode(), capture_output=True, cwd=folder, env=environment, check=False
    )
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode or "[WARNING]" in said:
        raise ReportError(f"the report could not be rendered: {_first_line(said)}", where=f"Pandoc, {kind}",
                          do="Look at the template's last change")  # fmt: skip
    return done.stdout


def _metadata(document: Document) -> dict[str, Any]:
    kept = {
        name: value for name, value in document.front.items() if name not in {"format", "toc", "toc-depth"}
    }
    values = dict(kept.get("evalkit") or {}, engine=engine_name(), generator="evalkit")
    return {**kept, "evalkit": values, "pagetitle": _page_title(kept)}


def _page_title(front: dict[str, Any]) -> str:
    kind = (front.get("evalkit") or {}).get("kind")
    return f"{front.get('title', '')}: {kind}" if kind else str(front.get("title", ""))


def _typst_string(title: object) -> str:
    plain = html.unescape(str(title or "Report"))
    return plain.replace("\\", "\\\\").replace('"', '\\"')


def _with_scopes(text: str) -> str:
    head, *rest = re.split(r"(?=<tbody>)", text)
    text = head + "".join(
        re.sub(r"<th(?=[ >])", '<th scope="row"', part.split("</tbody>")[0], count=0)
        + part[len(part.split("</tbody>")[0]) :]
        for part in rest
    )
    return re.sub(
        r"<thead>.*?</thead>",
        lambda m: re.sub(r"<th(?=[ >])", '<th scope="col"', m[0]),
        text,
        flags=re.DOTALL,
    )


def _self_contained(folder: Path, text: str) -> str:
    """Images become data; anything that would be fetched stops the render."""

    def embedded(found: re.Match[str]) -> str:
        name = html.unescape(found[1])
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or path.suffix not in MEDIA or not path.is_file():
            raise ReportError("an image is not in the report folder", where="HTML", found=name)
        return f'src="data:{MEDIA[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"'

    return re.sub(r'(?<=<img )src="([^"]*)"', embedded, text)


def _first_line(text: str) -> str:
    lines = [
        line for line in text.splitlines() if line.strip() and not line.startswith("Error running filter")
    ]
    return re.sub(r"^.*?evalkit\.lua:\d+:\s*", "", lines[0]) if lines else ""
