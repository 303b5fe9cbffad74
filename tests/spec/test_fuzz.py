"""One random mistake in an invented study: never a traceback, never a changed or half-written output."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
from pathlib import Path

import pytest

from evalkit.__main__ import main
from evalkit.scaffold import new_study

VALUES = (
    "",
    "NA",
    "-1",
    "0",
    "1.5",
    "abc",
    "1e308",
    "2020-02-30",
    "9999-12-31",
    "null",
    "[a]",
    "{a: 1}",
    "'",
    '"',
    "inf",
)
QUICK = ("before-after", "single", "funnel")
SOUND_CODES = {0, 10, 11, 12, 13, 15}
OURS = re.compile(r"Traceback|<class |object at 0x|NoneType|(Key|Value|Type|Index)Error")


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """One study of each quick design, run once, so that there is an output to lose."""
    root = tmp_path_factory.mktemp("sound")
    made = {}
    for design in QUICK:
        folder = made[design] = new_study(root / design, design=design, seed=1)
        file = folder / "study.yml"
        plain = re.sub(r"^report:.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        file.write_text(plain.rstrip() + "\nreport: {templates: []}\n", encoding="utf-8")
        assert main(["run", str(folder), "--quiet"]) == 0
    return made


def spoiled_row(lines: list[str], dice: random.Random) -> list[str]:
    """A file of rows with one line, cell, column or name that is not as it was."""
    at, column = dice.randrange(len(lines)), dice.randrange(lines[0].count(",") + 1)
    kind, value = (
        dice.choice(("drop", "repeat", "blank", "garble", "cell", "column", "name", "short")),
        dice.choice(VALUES),
    )
    if kind == "drop":
        return lines[:at] + lines[at + 1 :]
    if kind in ("repeat", "blank"):
        return [*lines[:at], lines[at] if kind == "repeat" else "", *lines[at:]]
    if kind == "garble":
        return [*lines[:at], "".join(dice.sample(lines[at], len(lines[at]))), *lines[at + 1 :]]
    if kind == "short":
        return lines[: dice.randrange(4)]
    rows = {"cell": [at], "column": range(1, len(lines)), "name": [0]}[kind]
    return [with_cell(line, column, value) if number in rows else line for number, line in enumerate(lines)]


def with_cell(line: str, column: int, value: str) -> str:
    cells = line.split(",")
    cells[min(column, len(cells) - 1)] = value
    return ",".join(cells)


def spoiled_plan(lines: list[str], dice: random.Random) -> list[str]:
    """A study.yml with one line, key or value that is not as it was."""
    at = dice.randrange(len(lines))
    line, kind = lines[at], dice.choice(("drop", "repeat", "garble", "indent", "value", "word", "key"))
    if kind == "drop":
        return lines[:at] + lines[at + 1 :]
    if kind == "repeat":
        return [*lines[:at], line, *lines[at:]]
    words = list(re.finditer(r"[\w./-]+", line))
    word = dice.choice(words) if words else None
    changed = {
        "garble": "".join(dice.sample(line, len(line))),
        "indent": " " + line,
        "value": line.partition(":")[0] + ": " + dice.choice(VALUES),
        "word": line if word is None else line[: word.start()] + dice.choice(VALUES) + line[word.end() :],
        "key": line.replace(":", "x:", 1),
    }[kind]
    return [*lines[:at], changed, *lines[at + 1 :]]


def prints(folder: Path) -> dict[str, str]:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


@pytest.mark.parametrize("seed", range(24))
def test_a_mistake_is_told_and_takes_nothing_away(studies, tmp_path, capsys, seed):
    dice = random.Random(seed)
    design = dice.choice(QUICK)
    folder = Path(shutil.copytree(studies[design], tmp_path / design))
    file = dice.choice([folder / "study.yml", *sorted((folder / "data").glob("*.csv"))])
    spoil = spoiled_plan if file.suffix == ".yml" else spoiled_row
    lines = spoil(file.read_text(encoding="utf-8").rstrip("\n").split("\n"), dice)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    before, beside = prints(folder / "output"), sorted(each.name for each in folder.iterdir())
    checked, ran = main(["check", str(folder), "--quiet"]), main(["run", str(folder), "--quiet"])
    said = capsys.readouterr()
    assert {checked, ran} <= SOUND_CODES, said.err
    assert not OURS.search(said.err)
    assert checked in (0, ran)
    assert sorted(each.name for each in folder.iterdir()) == beside
    if ran:
        assert prints(folder / "output") == before
