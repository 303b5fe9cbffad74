"""Staging and refusing: plain Quarto that needs nothing else, and a clear error for all that is not known."""

from __future__ import annotations

import json
import shutil

import pytest

from evalkit.errors import ReportError
from evalkit.report import render, stage, write_report
from evalkit.report.qmd import read_document
from evalkit.report.words import escape, money, number, quantity, spread
from tests.reports.conftest import HOSTILE, copy_study


@pytest.fixture
def staged(reports, tmp_path):
    place = tmp_path / "report"
    shutil.copytree(reports["single"], place)
    return place


def with_line(folder, line):
    path = folder / "commissioner.qmd"
    text = path.read_text(encoding="utf-8") + f"\n{line}\n"
    path.write_text(text, encoding="utf-8")
    return f"commissioner.qmd, line {text.rstrip().count(chr(10)) + 1}"


def test_a_staged_document_holds_no_code_and_no_number_of_its_own(reports):
    for folder in reports.values():
        for path in folder.glob("*.qmd"):
            text = path.read_text(encoding="utf-8")
            assert "```{" not in text
            assert "{{< include parts/" in text
            assert text.startswith("---\n")
        assert list((folder / "parts").glob("*.md"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{{< video talk.mp4 >}}", "does not know this shortcode"),
        ("text {{< env HOME >}} text", "does not know this shortcode"),
        ("{{< meta evalkit.nothing >}}", "there is no such value"),
        ("{{< meta evalkit.study", "not closed"),
        ("::: {.panel-tabset}\n:::", "does not know this class"),
        ("::: {.callout-note collapse=\"true\"}\n:::", "collapsed callout"),
        ("::: {.column-margin}\n:::", "does not know this class"),
        ("[text]{.aside}", "does not know this class"),
        ("```{python}\n1 + 1\n```", "no code cells"),
        ("```{r}\n1 + 1\n```", "no code cells"),
        ("`{python} x`", "no code cells"),
        ("where $x$ is", "mathematics"),
        ("{{< include ../results.json >}}", "not in the report folder"),
        ("@fig-nowhere", "nothing is labelled"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_with_its_place(staged, line, words):
    where = with_line(staged, line)
    before = (staged / "commissioner.html").read_bytes()
    with pytest.raises(ReportError, match=words) as refused:
        render(staged, "commissioner", ["html"], engine="embedded")
    if "labelled" not in words:
        first = where if line.count("\n") == 0 else where.rsplit(" ", 1)[0]
        assert first in str(refused.value)
    assert (staged / "commissioner.html").read_bytes() == before


def test_callouts_conditional_content_references_and_page_breaks_are_known(staged):
    with_line(staged, "::: {.callout-warning}\n## Mind this\nSee @fig-flow.\n:::\n\n"
              "::: {.content-visible when-format=\"html\"}\nOnly on the web\n:::\n\n"
              "::: {.content-hidden when-format=\"html\"}\nOnly on paper\n:::\n\n{{< pagebreak >}}\n")  # fmt: skip
    made = render(staged, "commissioner", ["html", "pdf", "docx"], engine="embedded")
    text = made[0].read_text(encoding="utf-8")
    assert "Mind this" in text
    assert "callout-warning" in text
    assert '<a href="#fig-flow">Figure' in text
    assert "Only on the web" in text
    assert "Only on paper" not in text


def test_a_hostile_label_is_printed_and_does_nothing(reports, pages):
    text = next(
        page["text"] for path, page in pages.items() if path.endswith("hostile/report/commissioner.html")
    )
    assert " ".join(HOSTILE.split()) in " ".join(text.split())
    source = (reports["hostile"] / "commissioner.html").read_text(encoding="utf-8")
    assert "<script" not in source
    assert 'javascript:alert(1)"' not in source
    staged_text = "".join(p.read_text(encoding="utf-8") for p in reports["hostile"].rglob("*.md"))
    assert "{{<" not in staged_text


def test_escape_leaves_nothing_to_act():
    safe = escape(HOSTILE)
    assert not set(safe.replace("&#", "").replace(";", "")) & set("<>\"'{}[]()|*_$@\\`&#")
    assert escape("1. first") == "1&#46; first"
    assert escape("- item").startswith("&#45;")
    assert escape("a\nb\u202ec") == "a bc"


def test_numbers_read_as_people_read_them():
    assert number(-7.04) == "−7.0"
    assert number(2.25) == "2.3"
    assert number(None) == "[x]"
    assert spread(62.14, 91.49, 0, "%") == "62% to 91%"
    assert money(193460) == "£190,000"
    assert money(-63500) == "−£64,000"
    assert money(2_150_000) == "£2.2\N{NO-BREAK SPACE}million"
    assert quantity(0.83, "rate_ratio", "ratio") == "0.83"
    assert quantity(0.8077, "proportion", "proportion") == "80.8%"


def test_summary_json_has_every_field_and_none_is_blank(reports):
    names = set()
    for folder in reports.values():
        values = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        names.add(tuple(values["fields"]))
        for field in values["fields"].values():
            assert field if isinstance(field, str) else field["code"] and field["reason"]
    assert len(names) == 1


def test_a_ratio_is_no_finding_below_level_four(reports):
    page = (reports["value"] / "commissioner.html").read_text(encoding="utf-8")
    assert "Benefit cost ratio" not in page
    assert "What would have to be true" in page
    assert "Benefit cost ratio" in (reports["value"] / "technical.html").read_text(encoding="utf-8")


def test_a_failed_report_leaves_the_last_one(tmp_path):
    output = copy_study("single", tmp_path / "study")
    write_report(output, templates=["summary"], formats=["html"], engine="embedded")
    before = (output / "report" / "summary.html").read_bytes()
    values = json.loads((output / "results.json").read_text(encoding="utf-8"))
    values["results"][0]["detail"] = {"groups": "detail/../../elsewhere.csv"}
    (output / "results.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ReportError, match="detail file is missing"):
        write_report(output, templates=["summary"], formats=["html"], engine="embedded")
    assert (output / "report" / "summary.html").read_bytes() == before
    assert [path.name for path in output.iterdir() if path.name.startswith(".")] == []


def test_unknown_names_are_refused_with_the_known_ones(tmp_path):
    output = copy_study("single", tmp_path / "study")
    with pytest.raises(ReportError, match="commissioner"):
        stage(output, ["comissioner"])
    with pytest.raises(ReportError, match="not a format"):
        write_report(output, formats=["odt"])
    with pytest.raises(ReportError, match="not an engine"):
        write_report(output, engine="latex")


def test_front_matter_that_the_embedded_renderer_cannot_honour_is_refused(staged):
    path = staged / "summary.qmd"
    path.write_text(
        path.read_text(encoding="utf-8").replace("lang: en-GB", "lang: en-GB\njupyter: python3"),
        encoding="utf-8",
    )
    with pytest.raises(ReportError, match="jupyter"):
        read_document(staged, "summary.qmd")


def test_reports_of_other_templates_stay(tmp_path):
    output = copy_study("single", tmp_path / "study")
    write_report(output, templates=["summary"], formats=["html"], engine="embedded")
    write_report(output, templates=["technical"], formats=["html"], engine="embedded")
    assert {path.name for path in (output / "report").glob("*.html")} == {"summary.html", "technical.html"}


def test_an_old_quarto_is_passed_over_and_a_new_one_is_used(reports, tmp_path, monkeypatch):
    program = tmp_path / "quarto"
    program.write_text("#!/bin/sh\nif [ $1 = --version ]; then echo 1.3.9; fi\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("QUARTO_PATH", str(program))
    output, said = copy_study("single", tmp_path / "study"), []
    write_report(output, templates=["summary"], formats=["html"], progress=said.append)
    assert any("1.9" in each for each in said)
    program.write_text(
        "#!/bin/sh\nif [ $1 = --version ]; then echo 1.9.2; else echo byQuarto > ${2%.qmd}.html; fi\n",
        encoding="utf-8",
    )
    written = write_report(output, templates=["summary"], formats=["html"])
    assert written[0].read_text(encoding="utf-8") == "byQuarto\n"
    assert "engine: Quarto" in (output / "report" / "summary.qmd").read_text(encoding="utf-8")
