"""PDF and Word files: tagged, titled, in a language, with alternative text; the same bytes from the same input."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from pypdf import PdfReader

from evalkit.report import render, write_report
from tests.reports.conftest import copy_study

BANNER = "Invented data"


def alternatives(reader: PdfReader) -> list[str]:
    found, waiting = [], [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop()
        if hasattr(node, "get_object"):
            node = node.get_object()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if node.get("/S") == "/Figure":
                found.append(str(node.get("/Alt", "")))
            if "/K" in node:
                waiting.append(node["/K"])
    return found


def test_pdf_is_tagged_titled_and_in_a_language(reports):
    for folder in reports.values():
        for path in folder.glob("*.pdf"):
            reader = PdfReader(path)
            root = reader.trailer["/Root"]
            assert root["/MarkInfo"]["/Marked"]
            assert root["/Lang"] == "en-GB"
            assert reader.metadata.title
            assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()


def test_every_figure_of_a_pdf_has_alternative_text(reports):
    found = alternatives(PdfReader(reports["matched"] / "commissioner.pdf"))
    assert len(found) >= 3
    assert all(len(text) > 40 for text in found)
    assert any("Northfield mentoring 28" in text for text in found)


def test_invented_data_is_said_on_every_page_of_a_pdf(reports):
    for page in PdfReader(reports["matched"] / "technical.pdf").pages:
        assert BANNER in page.extract_text()


def test_published_figures_carry_no_banner(reports):
    assert BANNER not in PdfReader(reports["single"] / "commissioner.pdf").pages[0].extract_text()


def test_internal_figures_are_not_for_release(reports):
    assert "Not for release" in (reports["area"] / "commissioner.html").read_text(encoding="utf-8")
    assert "Not for release" in PdfReader(reports["area"] / "commissioner.pdf").pages[0].extract_text()


def test_first_page_answers_the_five_questions(reports):
    text = PdfReader(reports["matched"] / "commissioner.pdf").pages[0].extract_text()
    for question in ("Did it work?", "How sure can we be?", "For whom?", "At what cost?", "What next?"):
        assert question in text
    assert "What cannot be said" in text


def test_summary_is_one_side_of_a4(reports):
    for folder in reports.values():
        reader = PdfReader(folder / "summary.pdf")
        assert len(reader.pages) == 1
        assert round(float(reader.pages[0].mediabox.width)) == 595


def test_word_has_alternative_text_header_rows_title_and_language(reports):
    with zipfile.ZipFile(reports["matched"] / "commissioner.docx") as archive:
        body = archive.read("word/document.xml").decode()
        core = archive.read("docProps/core.xml").decode()
        styles = archive.read("word/styles.xml").decode()
        headers = "".join(archive.read(n).decode() for n in archive.namelist() if n.startswith("word/header"))
    described = re.findall(r'<wp:docPr[^>]*descr="([^"]*)"', body)
    assert described
    assert all(len(text) > 40 for text in described)
    assert body.count("<w:tblHeader") >= 3
    assert "<dc:title>Northfield mentoring</dc:title>" in core
    assert "en-GB" in styles
    assert BANNER in headers


def test_the_footer_names_the_engine(reports):
    text = (reports["matched"] / "commissioner.html").read_text(encoding="utf-8")
    assert re.search(
        r"Rendered by evalkit(’|&#39;|')s embedded renderer \(Pandoc [\d.]+, Typst [\d.]+\)", text
    )


@pytest.mark.parametrize("kind", ["html", "pdf", "docx"])
def test_the_same_input_gives_the_same_bytes(reports, kind):
    folder = reports["matched"]
    before = (folder / f"commissioner.{kind}").read_bytes()
    render(folder, "commissioner", [kind], engine="embedded")
    after = (folder / f"commissioner.{kind}").read_bytes()
    if kind == "docx":
        first, second = (zipfile.ZipFile(io.BytesIO(each)) for each in (before, after))
        assert {n: first.read(n) for n in first.namelist()} == {n: second.read(n) for n in second.namelist()}
    assert before == after


def test_figures_are_drawn_once_and_to_the_byte(reports, tmp_path):
    output = copy_study("single", tmp_path / "single")
    write_report(output, templates=["summary"], formats=["html"], engine="embedded")
    drawn = {path.name: path.read_bytes() for path in (reports["single"] / "figures").iterdir()}
    assert {path.name: path.read_bytes() for path in (output / "report" / "figures").iterdir()} == drawn


def test_a_long_table_goes_on_to_the_next_page_and_a_short_one_stays_whole(tmp_path):
    import typst

    from evalkit.report.theme import templates_dir

    source = (templates_dir() / "report.typ").read_text(encoding="utf-8")
    rule = source[source.index("// A short table") : source.index("#show figure: set block")]
    pages = {}
    for rows in (8, 90):
        cells = ", ".join(f"[row {i}], [x]" for i in range(rows))
        text = f'#set page(paper: "a4")\n{rule}\n#v(21cm)\n#figure(kind: table, caption: [C], table(columns: 2, {cells}))'
        place = tmp_path / f"{rows}.typ"
        place.write_text(text, encoding="utf-8")
        typst.compile(place, output=place.with_suffix(".pdf"))
        read = PdfReader(place.with_suffix(".pdf"))
        pages[rows] = [len(re.findall(r"row \d+", page.extract_text())) for page in read.pages]
    assert pages[8] == [0, 8]
    assert sum(pages[90]) == 90
    assert max(pages[90]) < 60
    assert pages[90][0] > 0
