"""Every import between rooms against the table in the README, and no import of a heavy package by the front door."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "evalkit"
README = (ROOT / "README.md").read_text(encoding="utf-8")
HALLWAY = {
    "errors",
    "results",
    "options",
    "contract",
    "intervals",
    "regression",
    "inference",
    "parameters",
    "scratch",
}
OPEN = {"__init__", "__main__"}


def allowed() -> dict[str, set[str] | None]:
    """Room to the rooms that it may import; None where it may import all."""
    table = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", README, flags=re.MULTILINE)
    return {
        room: None if cell.strip() == "all" else set(re.findall(r"`(\w+)`", cell)) for room, cell in table
    }


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [node.module] if node.module != "evalkit" else [f"evalkit.{each.name}" for each in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("evalkit.")}
    return rooms


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_the_table_allows(path):
    room, table = room_of(path), allowed()
    if room in OPEN:
        return
    reached = imported_rooms(path) - {room, "__version__"}
    if room in HALLWAY:
        assert reached <= HALLWAY
        return
    assert room in table, f"`{room}` is not in the README's table of rooms"
    if table[room] is not None:
        assert reached - HALLWAY <= table[room]


@pytest.mark.parametrize("room", ["design", "impact", "costbenefit", "pooling"])
def test_estimators_never_see_a_study(room):
    for path in MODULES:
        if room_of(path) == room:
            assert not imported_rooms(path) & {"study", "pipeline"}


def test_only_engine_frames_and_outcomes_know_ibis():
    for path in MODULES:
        if room_of(path) not in {"engine", "frames", "outcomes"}:
            assert not re.search(
                r"^\s*(?:import|from) ibis", path.read_text(encoding="utf-8"), flags=re.MULTILINE
            )


def test_help_imports_nothing_heavy():
    heavy = ["numpy", "pandas", "scipy", "duckdb", "ibis", "matplotlib", "plotnine", "pydantic", "yaml"]
    code = f"import sys, evalkit.__main__ as m; m.main(['--help']); print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
