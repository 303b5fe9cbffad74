"""The reference document that gives Word reports their styles, the banner on every page and page numbers."""

from __future__ import annotations

import io
import subprocess
import zipfile
from functools import cache
from xml.sax.saxutils import escape as xml

from evalkit.errors import ReportError
from evalkit.report.theme import templates_dir

_DOCUMENT_XML = "word/document.xml"
_NAMESPACE = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_A4 = '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1300" w:right="1190" w:bottom="1190" w:left="1190" ' \
      'w:header="560" w:footer="560" w:gutter="0"/>'  # fmt: skip
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def reference_document(*, banner: str, footer: str) -> bytes:
    """Pandoc's reference document with our styles, `banner` above and `footer` below every page."""
    parts = dict(_pandoc_reference())
    parts["word/styles.xml"] = (templates_dir() / "word-styles.xml").read_text(encoding="utf-8")
    parts["word/header1.xml"] = _part(
        "hdr", "Header", f"<w:r><w:t>{xml(banner)}</w:t></w:r>" if banner else ""
    )
    page = (
        '<w:r><w:t xml:space="preserve"> · Page </w:t></w:r>'
        '<w:fldSimple w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    )
    parts["word/footer1.xml"] = _part("ftr", "Footer", f"<w:r><w:t>{xml(footer)}</w:t></w:r>{page}")
    relations = "".join(
        f'<Relationship Type="{_OFFICE}/{kind}" Id="rIdEk{kind}" Target="{kind}1.xml"/>'
        for kind in ("header", "footer")
    )
    _insert(parts, "word/_rels/document.xml.rels", relations, before="</Relationships>")
    types = "".join(
        f'<Override PartName="/word/{kind}1.xml" ContentType="{_PARTS}.{kind}+xml"/>'
        for kind in ("header", "footer")
    )
    _insert(parts, "[Content_Types].xml", types, before="</Types>")
    parts[_DOCUMENT_XML] = (
        f'<?xml version="1.0" encoding="UTF-8"?><w:document {_NAMESPACE}><w:body><w:p/><w:sectPr>'
        '<w:headerReference w:type="default" r:id="rIdEkheader"/><w:footerReference w:type="default" '
        f'r:id="rIdEkfooter"/>{_A4}</w:sectPr></w:body></w:document>'
    )
    return _zipped(parts)


def _part(kind: str, style: str, runs: str) -> str:
    paragraph = f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{runs}</w:p>'
    return f'<?xml version="1.0" encoding="UTF-8"?><w:{kind} {_NAMESPACE}>{paragraph}</w:{kind}>'


def _insert(parts: dict[str, str], name: str, text: str, *, before: str) -> None:
    parts[name] = parts[name].replace(before, text + before)


@cache
def _pandoc_reference() -> tuple[tuple[str, str], ...]:
    import pypandoc

    made = subprocess.run(
        [pypandoc.get_pandoc_path(), "--print-default-data-file", "reference.docx"],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise ReportError("Pandoc did not give its reference document", do="Run `evalkit doctor`")
    with zipfile.ZipFile(io.BytesIO(made.stdout)) as archive:
        return tuple((name, archive.read(name).decode()) for name in sorted(archive.namelist()))


def _zipped(parts: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts, key=lambda each: (each != "[Content_Types].xml", each)):
            archive.writestr(zipfile.ZipInfo(name, _FIXED_DATE), parts[name], zipfile.ZIP_DEFLATED)
    return target.getvalue()
