"""A cursor over one mapping of study.yml: asks for keys by type, refuses those that nobody asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from evalkit.errors import Problem, nearest
from evalkit.study.reader import DATE, KINDS, Node, at, cut, free, real_date

_MONTHS = re.compile(r"(0|[1-9]\d{0,2}) months?\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")


class Block:
    """A mapping of study.yml, read key by key; what nobody asked for is refused by `close`."""

    def __init__(self, node: Node, path: str, problems: list[Problem]) -> None:
        self.node, self.path, self.problems = node, path, problems
        self.asked: dict[str, None] = {}

    def full(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def line(self, key: str) -> int:
        return self.node.entries[key].line if key in self.node.entries else self.node.line

    def refuse(self, key: str, wrong: str, *, found: object = "", do: str = "") -> None:
        self.problems.append(Problem(where=at(self.line(key)), wrong=wrong, found=cut(found), do=do))

    def take(self, key: str, *, required: bool = False) -> Node | None:
        """The node under a key; an empty value counts as left out."""
        self.asked[key] = None
        node = self.node.entries.get(key)
        if node is None or node.kind == "null":
            if required:
                self.refuse(key, f"`{self.full(key)}` is required", do=f"Add `{key}:`")
            return None
        return node

    def wrong_kind(self, key: str, node: Node, wanted: str) -> None:
        do = ""
        if wanted.startswith("text") and node.kind not in ("list", "mapping"):
            do = f"Quote it: YAML reads a bare {cut(node.text)} as {KINDS[node.kind]}"
        found = node.text or KINDS.get(node.kind, node.kind)
        self.refuse(key, f"`{self.full(key)}` must be {wanted}", found=found, do=do)

    def text(
        self,
        key: str,
        default: Any = None,
        *,
        required: bool = False,
        allowed: Iterable[str] = (),
        also: tuple[str, ...] = (),
    ) -> Any:
        """Text, or one of the `allowed` words; `also` names kinds that are taken as they were written."""
        node = self.take(key, required=required)
        if node is None:
            return default
        if node.kind not in ("text", *also):
            self.wrong_kind(key, node, "text")
            return default
        allowed = tuple(allowed)
        if allowed and node.text not in allowed:
            self.refuse(
                key, f"`{self.full(key)}` has no such value", found=node.text, do=nearest(node.text, allowed)
            )
            return default
        if not node.text.strip():
            self.refuse(key, f"`{self.full(key)}` is empty")
        return node.text.strip()

    def number(
        self,
        key: str,
        default: Any = None,
        *,
        required: bool = False,
        whole: bool = False,
        least: float | None = None,
    ) -> Any:
        node = self.take(key, required=required)
        if node is None:
            return default
        if node.kind not in (("integer",) if whole else ("integer", "number")):
            self.wrong_kind(key, node, "a whole number" if whole else "a number")
            return default
        value = int(node.text) if node.kind == "integer" else float(node.text)
        if least is not None and value < least:
            self.refuse(key, f"`{self.full(key)}` must be at least {least}", found=node.text)
        return value

    def flag(self, key: str, default: Any = None) -> Any:
        node = self.take(key)
        if node is None:
            return default
        if node.kind not in ("boolean", "yes_no"):
            self.wrong_kind(key, node, "true or false")
            return default
        return node.text.lower() in ("true", "yes", "on")

    def date(self, key: str, *, required: bool = False) -> date | None:
        node = self.take(key, required=required)
        if node is None:
            return None
        if node.kind in ("text", "date") and DATE.match(node.text):
            value = real_date(node.text)
            if value is None:
                self.refuse(key, f"`{self.full(key)}` is not a day of the calendar", found=node.text)
            return value
        self.refuse(
            key,
            f"`{self.full(key)}` must be a date",
            found=node.text or KINDS.get(node.kind, node.kind),
            do="Write year-month-day, such as 2018-09-01",
        )
        return None

    def months(self, key: str, default: Any = None, *, required: bool = False) -> Any:
        node = self.take(key, required=required)
        if node is None:
            return default
        match = _MONTHS.match(node.text)
        if match is None or node.kind != "text":
            found = node.text or KINDS.get(node.kind, node.kind)
            wrong = f"`{self.full(key)}` must be a number of calendar months"
            self.refuse(key, wrong, found=found, do="Write it like `12 months`")
            return default
        return int(match[1])

    def texts(
        self, key: str, default: tuple[str, ...] = (), *, also: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """A list of texts, none of them twice."""
        node = self.take(key)
        if node is None:
            return default
        if node.kind != "list":
            self.wrong_kind(key, node, "a list of texts, such as `[a, b]`")
            return default
        good = [each.text for each in node.items if each.kind in ("text", *also)]
        for each in node.items:
            if each.kind not in ("text", *also):
                self.problems.append(_item_problem(self.full(key), each))
        for text in sorted({text for text in good if good.count(text) > 1}):
            self.refuse(key, f"`{self.full(key)}` names the same thing twice", found=text)
        return tuple(dict.fromkeys(good))

    def block(self, key: str, *, required: bool = False) -> Block | None:
        node = self.take(key, required=required)
        if node is None:
            return None
        if node.kind != "mapping":
            self.wrong_kind(key, node, "a mapping of keys to values")
            return None
        return Block(node, self.full(key), self.problems)

    def blocks(self, key: str, *, required: bool = False, named: bool = True) -> Iterator[tuple[str, Block]]:
        """Each entry of a mapping of mappings; with `named`, names that can also name a file or a column."""
        outer = self.block(key, required=required)
        if outer is None:
            return
        for name in outer.node.entries:
            inner = outer.block(name, required=True)
            if named and not _NAME.match(name):
                outer.refuse(
                    name, "a name must be letters, digits, `_` or `-`, and start with a letter", found=name
                )
            elif inner is not None:
                yield name, inner

    def rest(self, *, words: bool = False) -> dict[str, Any]:
        """Every key that nobody asked for, as plain values; with `words`, a bare yes or no is refused."""
        left = {name: node for name, node in self.node.entries.items() if name not in self.asked}
        self.asked.update(dict.fromkeys(left))
        return {name: free(node, self.full(name), self.problems, words=words) for name, node in left.items()}

    def close(self) -> None:
        for name, node in self.node.entries.items():
            if name not in self.asked:
                inside = f" in `{self.path}`" if self.path else ""
                wrong = f"`{cut(name)}` is not a key{inside} that study.yml knows"
                self.problems.append(Problem(where=at(node.line), wrong=wrong, do=nearest(name, self.asked)))


def _item_problem(path: str, node: Node) -> Problem:
    do = (
        ""
        if node.kind in ("list", "mapping")
        else f"Quote it: YAML reads a bare {cut(node.text)} as {KINDS[node.kind]}"
    )
    found = cut(node.text or KINDS.get(node.kind, node.kind))
    return Problem(where=at(node.line), wrong=f"`{path}` must hold only texts", found=found, do=do)
