"""A staged Quarto document made ready for the embedded renderer, and refused where that renderer cannot honour it.

Includes are text, as they are in Quarto. Every line keeps the file and number that it came from, so that a shortcode,
a class or a code cell that is not known stops the render with its place. Nothing is skipped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import Problem, ReportError, nearest

DEEPEST_INCLUDE = 8
CALLOUTS = ("callout-note", "callout-tip", "callout-important", "callout-warning", "callout-caution")
OWN_CLASSES = ("banner", "lead", "answers", "evidence", "say-pair", "can-say", "cannot-say", "statement", "meta-line",
               "icon-key", "fields", "wide")  # fmt: skip
DIVS = frozenset((*CALLOUTS, *OWN_CLASSES, "content-visible", "content-hidden", "columns", "column"))
SPANS = frozenset(("content-visible", "content-hidden", "unnumbered", "unlisted", "badge", "nowrap", "underline",
                   "smallcaps", "mark"))  # fmt: skip
ATTRIBUTES = frozenset(("title", "when-format", "unless-format", "when-meta", "unless-meta", "width", "height",
                        "fig-alt", "custom-style", "appearance", "icon"))  # fmt: skip
FRONT_MATTER = frozenset(("title", "subtitle", "author", "date", "lang", "toc", "toc-depth", "toc-title", "format",
                          "number-sections", "evalkit", "description"))  # fmt: skip
REFERENCES = ("fig-", "tbl-", "sec-")

_SHORTCODE = re.compile(r"\{\{<\s*(.*?)\s*>\}\}")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*(.*?)\s*$")
_DIV = re.compile(r"^\s*:{3,}\s*(\{[^}]*\}|[^\s:{]\S*)\s*:*\s*$")
_BRACED = re.compile(r"(?:[\])]|^#{1,6} .*)\{([^}]*)\}")
_PAIR = re.compile(r"""([\w-]+)\s*=\s*("[^"]*"|'[^']*'|\S+)""")
_INLINE_CELL = re.compile(r"`(\{\w+\}|r) [^`]*`")
_MATH = re.compile(r"(?<!\\)\$[^\s$][^$]*\$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of text and where it stands."""

    text: str
    file: str
    row: int

    @property
    def where(self) -> str:
        return f"{self.file}, line {self.row}"


@dataclass(frozen=True, kw_only=True)
class Document:
    """Front matter as a mapping and the body as Pandoc Markdown, shortcodes already turned into spans and divs."""

    front: dict[str, Any]
    body: str


def split_front_matter(text: str, *, where: str) -> tuple[dict[str, Any], str, int]:
    """The YAML between the first two rules, the rest, and the number of lines that the YAML took."""
    import yaml

    found = re.match(r"---\n(.*?)\n---[ \t]*(?:\n|$)", text, flags=re.DOTALL)
    if not found:
        raise ReportError("a template begins with front matter between two lines of `---`", where=where)
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        raise ReportError("the front matter is not readable YAML", where=where) from error
    if not isinstance(front, dict):
        raise ReportError("the front matter must be a mapping", where=where)
    return front, text[found.end() :], found[0].count("\n")


def read_document(folder: Path, name: str) -> Document:
    """Read `name` in `folder`, expand its includes, and refuse all that is not known, with every place at once."""
    path = folder / name
    if not path.is_file():
        raise ReportError(
            "the report has not been staged", where=name, do="Run `evalkit run` on the study first"
        )
    front, body, used = split_front_matter(path.read_text(encoding="utf-8"), where=name)
    problems = [
        Problem(where=f"{name}, front matter", wrong=f"`{key}` is not known to the embedded renderer",
                do=nearest(key, FRONT_MATTER))
        for key in front if key not in FRONT_MATTER
    ]  # fmt: skip
    lines = list(_expanded(folder, name, body, first=used + 1, depth=0))
    text = [_checked(line, in_code, front, problems) for line, in_code in _with_code(lines, problems)]
    if problems:
        raise ReportError(problems)
    return Document(front=front, body="\n".join(text) + "\n")


def _expanded(folder: Path, name: str, text: str, *, first: int, depth: int) -> Iterator[Line]:
    for row, content in enumerate(text.split("\n"), first):
        line = Line(text=content, file=name, row=row)
        found = _SHORTCODE.fullmatch(content.strip())
        words = found[1].split() if found else []
        if words[:1] != ["include"]:
            yield line
            continue
        if len(words) != 2 or depth >= DEEPEST_INCLUDE:
            raise ReportError(
                "an include names one file, and not itself", where=line.where, found=content.strip()
            )
        yield from _included(folder, words[1], line, depth)


def _included(folder: Path, target: str, line: Line, depth: int) -> Iterator[Line]:
    path = (folder / target).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise ReportError("the included file is not in the report folder", where=line.where, found=target)
    yield from _expanded(folder, target, path.read_text(encoding="utf-8"), first=1, depth=depth + 1)


def _with_code(lines: list[Line], problems: list[Problem]) -> Iterator[tuple[Line, bool]]:
    """Each line with whether it stands inside a fenced block; a cell that would run code is a problem."""
    fence = ""
    for line in lines:
        found = _FENCE.match(line.text)
        if fence:
            yield line, True
            if found and found[1].startswith(fence) and not found[2]:
                fence = ""
            continue
        if found:
            fence = found[1]
            if re.match(r"\{\s*[^.=#\s}]", found[2]):
                problems.append(Problem(where=line.where, wrong="a report holds no code cells", found=found[2],
                                        do="Compute in evalkit and include the result"))  # fmt: skip
        yield line, bool(found)
    if fence:
        problems.append(Problem(where=lines[-1].where, wrong="a fenced block is not closed"))


def _checked(line: Line, in_code: bool, front: dict[str, Any], problems: list[Problem]) -> str:
    if in_code:
        if "{{<" in line.text:
            problems.append(Problem(where=line.where, wrong="a shortcode cannot stand in a code block"))
        return line.text
    problems += [Problem(where=line.where, wrong=wrong, found=found, do=do)
                 for wrong, found, do in (*_bad_classes(line.text), *_bad_inline(line.text))]  # fmt: skip
    text = _SHORTCODE.sub(lambda found: _shortcode(found, line, front, problems), line.text)
    if "{{<" in text:
        problems.append(Problem(where=line.where, wrong="a shortcode is not closed", found=line.text.strip()))
    return text


def _shortcode(found: re.Match[str], line: Line, front: dict[str, Any], problems: list[Problem]) -> str:
    words = found[1].split()
    if words == ["pagebreak"] and line.text.strip() == found[0]:
        return "::: {.ek-pagebreak}\n:::"
    if words[:1] == ["meta"] and len(words) == 2 and not found.string[: found.start()].endswith("{"):
        if _has(front, words[1]):
            return f'[]{{.ek-meta key="{words[1]}"}}'
        problems.append(Problem(where=line.where, wrong="there is no such value", found=words[1],
                                do="Values stand under `evalkit:` in the front matter"))  # fmt: skip
        return ""
    problems.append(Problem(where=line.where, wrong="the embedded renderer does not know this shortcode",
                            found=found[0], do="Known: `meta`, `include` and `pagebreak`, the last two on a line of "
                            "their own. Install Quarto for others"))  # fmt: skip
    return ""


def _has(front: dict[str, Any], key: str) -> bool:
    value: Any = front
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return isinstance(value, str | int | float)


def _bad_classes(text: str) -> Iterator[tuple[str, str, str]]:
    div = _DIV.match(text)
    if div:
        yield from _bad_attributes(
            div[1].strip("{}") if div[1].startswith("{") else f".{div[1]}", DIVS, "div"
        )
        return
    if text.lstrip().startswith(":::") and text.strip().strip(":"):
        yield "this is not a fenced div that the embedded renderer can read", text.strip(), ""
    for found in _BRACED.finditer(text):
        if not found[1].startswith("="):
            yield from _bad_attributes(found[1], SPANS, "span")


def _bad_attributes(attributes: str, known: frozenset[str], kind: str) -> Iterator[tuple[str, str, str]]:
    for name, _ in _PAIR.findall(attributes):
        if name == "collapse":
            yield "a collapsed callout cannot be read by everybody", f"{name}=", "Leave `collapse` out"
        elif name not in ATTRIBUTES:
            yield (
                f"the embedded renderer does not know this attribute of a {kind}",
                name,
                nearest(name, ATTRIBUTES),
            )
    for token in _PAIR.sub("", attributes).split():
        if token.startswith("."):
            if token[1:] not in known:
                yield (
                    f"the embedded renderer does not know this class of a {kind}",
                    token,
                    nearest(token[1:], known),
                )
        elif token.startswith("#"):
            if kind == "div" and token[1:].startswith(REFERENCES[:2]):
                yield "a figure or table takes its label on its caption, not on a div", token, ""
        elif token != "-":
            yield f"this is not an attribute of a {kind}", token, ""


def _bad_inline(text: str) -> Iterator[tuple[str, str, str]]:
    for found in _INLINE_CELL.finditer(text):
        yield "a report holds no code cells", found[0], "Use `{{< meta key >}}`"
    for found in _MATH.finditer(re.sub(r"`[^`]*`", "", text)):
        yield "mathematics between dollars cannot be read aloud from a PDF", found[0], "Write it in Unicode"
