"""The conductor: check, design, estimate, report. The only room that knows them all."""

from __future__ import annotations

import time
import warnings as python_warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from evalkit.errors import DataError, EvalkitError, EvalkitWarning, Problem, StudyError
from evalkit.pipeline.accounts import account_problems
from evalkit.pipeline.again import report_of, report_record, require_formats, results_of
from evalkit.pipeline.compose import Cohort, compose, with_outcomes
from evalkit.pipeline.estimate import Material, analyse
from evalkit.pipeline.gate import as_printed, through_gate
from evalkit.pipeline.gather import Gathered, gather
from evalkit.pipeline.grants import grant_register
from evalkit.pipeline.harm import weights_of
from evalkit.pipeline.look import frame_errors
from evalkit.pipeline.matched import tie_samples
from evalkit.pipeline.plan import score_problems
from evalkit.pipeline.planned import also_wrong, plan_problems
from evalkit.pipeline.readiness import Readiness, readiness
from evalkit.pipeline.write import file_hash, replacing, require_replaceable, versions, write_json
from evalkit.results import Result
from evalkit.study import Study, read_study

__all__ = ["audit_file", "check", "find_studies", "outcomes_sql", "report", "run", "run_all", "simulate"]

Progress = Callable[[str], None]


def silent(words: str) -> None:
    """Progress that nobody hears."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of one study: where its output is, or the error that stopped it."""

    name: str
    output: Path | None = None
    headline: str = ""
    error: EvalkitError | None = None
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        if self.error is not None:
            return f"{self.name}: not run"
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        return f"{self.name}: {self.headline}\n  {self.output}{notes}"

    def to_dict(self) -> dict[str, Any]:
        problems = [str(problem) for problem in self.error.problems] if self.error else []
        return {
            "study": self.name,
            "output": str(self.output or ""),
            "headline": self.headline,
            "problems": problems,
            "notes": list(self.notes),
        }


def find_studies(paths: Sequence[Path]) -> list[Path]:
    """The study folders among and below the given ones: a study itself, a folder of studies, or one with `studies/`.

    Raises
    ------
    StudyError : a path holds no study.
    """
    found: list[Path] = []
    for path in paths:
        here = [path] if (path / "study.yml").is_file() else []
        below = sorted(each.parent for root in (path, path / "studies") for each in root.glob("*/study.yml"))
        if path.name == "study.yml" and path.is_file():
            here = [path.parent]
        if not here and not below:
            raise StudyError(
                "there is no study here", found=str(path), do="A study is a folder with a study.yml"
            )
        found += here or below
    return list(dict.fromkeys(found))


def check(folder: Path, *, progress: Progress = silent) -> Readiness:
    """Read everything, run the people worked by hand, estimate nothing; every problem at once.

    Raises
    ------
    EvalkitError : with every problem of study.yml, the options and the files; its exit code is that of the first kind.
    """
    progress(f"Checking {folder}")
    study = read_study(folder, also=also_wrong)
    gathered = _checked(study)
    return readiness(study, gathered, compose(study, gathered))


def run(
    folder: Path,
    *,
    output: Path | None = None,
    seed: int | None = None,
    engine: str = "auto",
    progress: Progress = silent,
) -> Done:
    """check → design → estimate → report. The previous output stays whole unless all of it succeeds."""
    started = time.monotonic()
    study = read_study(folder, also=also_wrong)
    study = study if seed is None else replace(study, seed=seed)
    target = (output or study.folder / "output").resolve()
    require_replaceable(target)
    progress(f"{study.study}: reading")
    gathered = _checked(study)
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always", EvalkitWarning)
        progress(f"{study.study}: design")
        cohort = compose(study, gathered)
        progress(f"{study.study}: estimating {len(study.analyses)} analyses")
        people = cohort.measured = with_outcomes(study, cohort, gathered)
        samples = tie_samples(study, cohort, gathered)
        material = Material(people=people, frames=gathered.frames, design=cohort.design, tie_samples=samples)
        results = analyse(study, material, partial(as_printed, study, gathered, cohort))
    said = [str(each.message) for each in caught if issubclass(each.category, EvalkitWarning)]
    with replacing(target) as fresh:
        values = _write(study, gathered, cohort, results, said, fresh)
        write_json(fresh / "run.json", _run_record(study, values["warnings"], time.monotonic() - started))
        _report_into(study, fresh, target / "report", engine, progress)
    return Done(name=study.study, output=target, headline=values["headline"])


def run_all(
    folders: Sequence[Path], *, output: Path | None = None, alone: bool = False, seed: int | None = None,
    engine: str = "auto", progress: Progress = silent,
) -> list[Done]:  # fmt: skip
    """Run several studies; one that fails does not stop the others. With `output`, an index of their reports.

    Studies whose shares of one grant add up to more than the whole of it are not run.
    """
    twice, left = grant_register(folders) if len(folders) > 1 else ({}, {})
    done = []
    for folder in folders:
        target = None if output is None else output if alone else output / folder.resolve().name
        try:
            if folder in twice:
                raise twice[folder]
            each = run(folder, output=target, seed=seed, engine=engine, progress=progress)
            done.append(replace(each, notes=tuple(left.get(folder, ()))))
        except EvalkitError as error:
            done.append(Done(name=folder.resolve().name, error=error))
    made = [each.output for each in done if each.output is not None]
    if output is not None and not alone and made:
        from evalkit.report import site_index

        site_index(made, output)
    return done


def report(
    folder: Path, *, templates: Sequence[str] | None = None, formats: Sequence[str] = (), engine: str = "auto",
    progress: Progress = silent,
) -> list[Path]:  # fmt: skip
    """Render reports again from output/ alone: no file of `data/` is opened, and study.yml need not be there."""
    from evalkit.report import write_report

    require_formats(formats)
    target = results_of(folder)
    planned = report_of(folder, target)
    return write_report(
        target, templates=templates or planned.templates, formats=formats or planned.formats, engine=engine,
        progress=progress,
    )  # fmt: skip


def simulate(folder: Path, *, people: int, seed: int | None) -> list[Path]:
    """Write invented rows that satisfy the columns of a study to data/invented_*.csv; nothing is overwritten."""
    from evalkit.pipeline.invent import invent

    return invent(read_study(folder), people=people, seed=seed)


def outcomes_sql(folder: Path, *, dialect: str) -> str:
    """The compiled statement that measures the outcomes of a study."""
    from evalkit.outcomes import compiled_sql

    study = read_study(folder)
    events = [outcome for outcome in study.outcomes.values() if outcome.from_events]
    if not events:
        raise StudyError("no outcome of this study is measured from offences", where="study.yml, outcomes")
    return compiled_sql(
        events, list(study.history.values()), observed_until=study.observed_until, dialect=dialect
    )


def audit_file(path: Path) -> list[dict[str, Any]]:
    """Re-derive a table of published figures; DataError where the file is not such a table."""
    if not path.is_file():
        raise DataError("there is no such file", where=str(path), do="Name a CSV file of published figures")
    from evalkit.audit import audit
    from evalkit.contract import PUBLISHED
    from evalkit.frames import read_table

    return audit(read_table(path, PUBLISHED, required=["measure"], shown=path.name).checked().frame)


def _checked(study: Study) -> Gathered:
    """The study's frames, or every problem of the plan, the people worked by hand and the files in one error."""
    wrong = plan_problems(study)
    methods_known = not any("method" in problem.wrong for problem in wrong)
    gathered = gather(study) if methods_known else Gathered()
    of_study, of_accounts = account_problems(study, gathered) if methods_known else ([], [])
    wrong += of_study
    rows = [*_by_hand(study, gathered), *gathered.problems, *of_accounts]
    if wrong:
        raise StudyError([*wrong, *rows])
    rows += score_problems(study, gathered)
    unread = frame_errors(study, gathered)
    if rows:
        raise DataError([*rows, *(problem for error in unread for problem in error.problems)])
    if unread:
        raise type(unread[0])(problem for error in unread for problem in error.problems)
    return gathered


def _by_hand(study: Study, gathered: Gathered) -> list[Problem]:
    path = study.folder / "people_by_hand.csv"
    if not path.is_file():
        return []
    from evalkit.outcomes import check_by_hand

    return check_by_hand(
        path, outcomes=list(study.outcomes.values()), histories=list(study.history.values()),
        observed_until=study.observed_until, weights=weights_of(study, gathered.frames),
    )  # fmt: skip


def _write(
    study: Study, gathered: Gathered, cohort: Cohort, results: dict[str, Result], said: list[str], fresh: Path
) -> dict[str, Any]:
    from evalkit.pipeline.record import record, write_detail
    from evalkit.pipeline.tell import tell

    design = cohort.design
    summary = [design.summary()] if design is not None else []
    released = through_gate(study, gathered, cohort, results, [*summary, *gathered.notes, *said])
    printed = {result.analysis: result for result in released.results}
    weights = weights_of(study, gathered.frames)
    told = tell(study, results, printed, design)
    values = record(
        study, released, told, design, parameters=_parameters(results),
        detail=write_detail(released, fresh), weights=weights,
    )  # fmt: skip
    write_json(fresh / "results.json", values)
    return values


def _parameters(results: dict[str, Result]) -> list[dict[str, Any]]:
    frames = [result.detail["parameters"] for result in results.values() if "parameters" in result.detail]
    return [row for frame in frames for row in frame.to_dict("records")]


def _report_into(study: Study, fresh: Path, previous: Path, engine: str, progress: Progress) -> None:
    if not study.report.templates:
        return
    from evalkit.report import write_report

    progress(f"{study.study}: rendering {', '.join(study.report.templates)}")
    write_report(
        fresh, templates=study.report.templates, formats=study.report.formats, engine=engine, previous=previous,
        progress=progress,
    )  # fmt: skip


def _run_record(study: Study, said: list[str], seconds: float) -> dict[str, Any]:
    files = {
        source.file: file_hash(study.folder / source.file) for source in study.data.values() if source.file
    }
    inputs = {"study.yml": file_hash(study.folder / "study.yml"), **files}
    return {
        "versions": versions(),
        "seed": study.seed,
        "inputs": inputs,
        "report": report_record(study.report),
        "warnings": said,
        "seconds": round(seconds, 2),
    }
