"""The YAML side of study.yml: a loader that refuses what passes silently elsewhere.

Every value keeps the line it was written on and the text it was written as, so that a problem can name both.
Dates stay text until somebody asks for a date: PyYAML's own guesses are never used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import LONGEST_FOUND, Problem, StudyError

LARGEST = 256 * 1024
DEEPEST = 12
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})\Z")
_NUMBER = re.compile(r"[-+]?((0|[1-9]\d{0,17})(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?\Z")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
KINDS = {
    "boolean": "true or false", "yes_no": "true or false", "integer": "a number", "number": "a number",
    "date": "a date", "null": "nothing", "list": "a list", "mapping": "a mapping",
    "odd": "a number or a time",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One value of study.yml: its kind, the line of its key, the text as written, what it holds."""

    kind: str
    line: int
    text: str = ""
    items: tuple[Node, ...] = ()
    entries: Mapping[str, Node] = field(default_factory=dict)


def cut(text: object) -> str:
    """At most forty characters of what was found."""
    text = " ".join(str(text).split())
    return text if len(text) <= LONGEST_FOUND else text[: LONGEST_FOUND - 1] + "…"


def at(line: int) -> str:
    return f"study.yml, line {line}"


def load(path: Path) -> tuple[Node, list[Problem]]:
    """The node tree of a file and the problems on the way; StudyError where there is no tree to speak of."""
    try:
        if path.stat().st_size > LARGEST:
            raise StudyError("the file is larger than 256 kB", where="study.yml", do="Data belong in data/")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StudyError(
            "there is no study.yml that can be read",
            where=cut(path.parent.name),
            do="`evalkit new NAME` makes one",
        ) from error
    except UnicodeDecodeError as error:
        raise StudyError("the file is not UTF-8 text", where="study.yml", do="Save it as UTF-8") from error
    return _compose(text)


def _compose(text: str) -> tuple[Node, list[Problem]]:
    problems: list[Problem] = []
    try:
        loader = _Strict(text, problems)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        raise StudyError([*problems, _syntax(error)]) from None
    if not isinstance(root, yaml.MappingNode):
        raise StudyError(
            [*problems, Problem(where=at(1), wrong="the file must be a mapping of keys to values")]
        )
    return _located(root, problems), problems


class _Strict(yaml.SafeLoader):
    """A safe loader that only composes: anchors, aliases, tags and deep nesting are problems."""

    def __init__(self, text: str, problems: list[Problem]) -> None:
        super().__init__(text)
        self.problems = problems
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> yaml.Node:
        event = self.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            self.get_event()
            self._refuse(line, "aliases are not allowed", f"*{event.anchor}")
            return yaml.ScalarNode("tag:yaml.org,2002:null", "", event.start_mark, event.end_mark)
        if event.anchor is not None:
            self._refuse(line, "anchors are not allowed", f"&{event.anchor}")
        if event.tag not in (None, "!"):
            self._refuse(line, "tags are not allowed", event.tag.replace("tag:yaml.org,2002:", "!!"))
        if self.depth >= DEEPEST:
            where = Problem(where=at(line), wrong=f"the file is nested deeper than {DEEPEST} levels")
            raise StudyError([*self.problems, where])
        self.depth += 1
        compose = {
            yaml.ScalarEvent: self.compose_scalar_node,
            yaml.SequenceStartEvent: self.compose_sequence_node,
        }
        node = compose.get(type(event), self.compose_mapping_node)(None)
        self.depth -= 1
        return node

    def _refuse(self, line: int, wrong: str, found: str) -> None:
        self.problems.append(Problem(where=at(line), wrong=wrong, found=cut(found), do="Write the value out"))


def _syntax(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    hints = {
        "\\t": "Indent with spaces, not tabs",
        "mapping values": "Put quotes round a text that holds a colon",
    }
    return Problem(
        where=at(mark.line + 1) if mark else "study.yml",
        wrong=f"this is not YAML: {cut(what)}",
        do=next((hint for sign, hint in hints.items() if sign in what), "Check indents, brackets and quotes"),
    )


def _located(node: yaml.Node, problems: list[Problem]) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return Node(kind="list", line=line, items=tuple(_located(each, problems) for each in node.value))
    if isinstance(node, yaml.MappingNode):
        return Node(kind="mapping", line=line, entries=_entries(node, problems))
    return Node(kind="text" if node.style else _kind(node), line=line, text=node.value)


def _entries(node: yaml.MappingNode, problems: list[Problem]) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    for key, value in node.value:
        line, found = key.start_mark.line + 1, _located(value, problems)
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or (key.style is None and _kind(key) in ("null", "odd", "boolean", "yes_no")):
            shown = "" if name is None else cut(name)
            problems.append(Problem(where=at(line), wrong="a key must be text", found=shown, do="Quote it"))
        elif name in entries:
            first = f"It stands on line {entries[name].line} already"
            problems.append(Problem(where=at(line), wrong=f"the key `{cut(name)}` is repeated", do=first))
        else:
            entries[name] = replace(found, line=line)
    return entries


def lines(node: Node, path: str = "") -> dict[str, int]:
    """The line of every key of the file, under its names joined by dots."""
    found: dict[str, int] = {}
    for name, each in node.entries.items():
        full = f"{path}.{name}" if path else name
        found |= {full: each.line, **lines(each, full)}
    return found


def _kind(node: yaml.ScalarNode) -> str:
    """What a bare scalar is. `012`, `1_000` and `12:30` are odd: YAML 1.1 reads them as 10, 1000 and 750."""
    tag, text = node.tag.rpartition(":")[2], node.value
    if tag == "null":
        return "null"
    if tag == "bool":
        return "boolean" if text.lower() in ("true", "false") else "yes_no"
    if _INTEGER.match(text):
        return "integer"
    if _NUMBER.match(text):
        return "number"
    if DATE.match(text):
        return "date"
    return "text" if tag == "str" else "odd"


def real_date(text: str) -> date | None:
    """The day that an ISO text names, or None where the calendar has no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def free(node: Node, path: str, problems: list[Problem], *, words: bool = False) -> Any:
    """A plain value of whatever kind was written: lists as tuples, dates as ISO text."""
    if node.kind == "list":
        return tuple(free(each, path, problems, words=words) for each in node.items)
    if node.kind == "mapping":
        return {
            name: free(each, f"{path}.{name}", problems, words=words) for name, each in node.entries.items()
        }
    if node.kind == "odd" or (words and node.kind == "yes_no"):
        do = f"Quote it: YAML reads a bare {cut(node.text)} as {KINDS[node.kind]}"
        problems.append(
            Problem(where=at(node.line), wrong=f"`{path}` is ambiguous", found=cut(node.text), do=do)
        )
    if node.kind == "date" and real_date(node.text) is None:
        wrong = f"`{path}` is not a day of the calendar"
        problems.append(Problem(where=at(node.line), wrong=wrong, found=cut(node.text)))
    if node.kind in ("boolean", "yes_no"):
        return node.text.lower() in ("true", "yes", "on")
    if node.kind == "null":
        return None
    if node.kind == "integer":
        return int(node.text)
    return float(node.text) if node.kind == "number" else node.text
