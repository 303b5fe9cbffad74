"""A run that is killed: what it leaves beside the output holds nothing that has not passed the gate, is not taken into
a repository, and is gone after the next run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.pipeline.write import replacing
from evalkit.scaffold import IGNORED
from evalkit.scratch import left_behind, own_folder

KILLED = """
import os, sys
from pathlib import Path
import evalkit.pipeline as pipeline
def stop(*_, **__): os._exit(9)
setattr(pipeline, sys.argv[2], stop)
pipeline.run(Path(sys.argv[1]))
"""


def a_dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


@pytest.fixture
def study(tmp_path) -> Path:
    from evalkit.scaffold import new_study

    folder = new_study(tmp_path / "demo", design="matched", seed=1)
    text = (folder / "study.yml").read_text(encoding="utf-8")
    report = next(line for line in text.splitlines() if line.startswith("report:"))
    (folder / "study.yml").write_text(text.replace(report, "report: {templates: []}"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("stopped_at", ["through_gate", "_report_into"])
def test_a_killed_run_leaves_only_what_passed_the_gate_and_the_next_removes_it(study, stopped_at):
    from evalkit.pipeline import run

    done = subprocess.run([sys.executable, "-c", KILLED, str(study), stopped_at], check=False)
    assert done.returncode == 9
    left = list(study.glob(".output-*"))
    assert len(left) == 1
    files = [path for path in left[0].rglob("*") if path.is_file()]
    if stopped_at == "through_gate":
        assert not files
    ids = {
        line.split(",")[0]
        for path in (study / "data").glob("*.csv")
        for line in path.read_text().splitlines()[1:]
    }
    assert not any(each in path.read_text() for path in files for each in ids)
    run(study)
    assert not list(study.glob(".output-*"))
    assert (study / "output" / "results.json").is_file()


def test_an_output_that_was_set_aside_comes_back(tmp_path):
    aside = tmp_path / f".output-old-{a_dead_process()}-abcdefgh" / "output"
    aside.mkdir(parents=True)
    (aside / "results.json").write_text("{}")
    with pytest.raises(RuntimeError), replacing(tmp_path / "output"):
        raise RuntimeError
    assert (tmp_path / "output" / "results.json").read_text() == "{}"
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_the_folder_of_a_living_process_and_of_somebody_else_stays(tmp_path):
    own = own_folder(".output-", tmp_path)
    for name in (f".output-{os.getppid()}-abcdefgh", ".output-notes", ".output-old-1-x"):
        (tmp_path / name).mkdir()
    assert not list(left_behind(".output-", tmp_path))
    assert own.is_dir()


def test_git_takes_none_of_it():
    repository = (Path(__file__).parents[2] / ".gitignore").read_text()
    assert ".output-*/" in IGNORED
    assert "studies/*/.output-*/" in repository
