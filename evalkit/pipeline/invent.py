"""Invented rows for a study that has none yet, from its own columns, window and arms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evalkit.errors import StudyError, UsageError
from evalkit.frames import read_weights
from evalkit.pipeline.harm import WEIGHT, tables_of_weights
from evalkit.simulate import OFFENCES, invent_offences, invent_people, invent_weights
from evalkit.study import Study


def invent(study: Study, *, people: int, seed: int | None) -> list[Path]:
    """Write rows for the people, offences and harm weights that study.yml promises.

    They go where study.yml promises them if it says that its data are simulated and none of the files is there yet,
    so that the study runs at once; otherwise into data/invented_<name>.csv, beside what is or will be real.

    Raises
    ------
    StudyError : the study promises no people, or has no window to draw index dates from.
    UsageError : such a file exists already; nothing is overwritten.
    """
    if not study.has_people or study.window is None:
        raise StudyError(
            "only people with index dates can be invented",
            where="study.yml",
            do="Name `data.people` and a `window`",
        )
    frames = _frames(study, people, study.seed if seed is None else seed)
    paths = dict(zip(_paths(study, list(frames)), frames.values(), strict=True))
    there = [path.name for path in paths if path.exists()]
    if there:
        raise UsageError(
            "nothing is overwritten, and these files exist", found=", ".join(there), do="Move them away"
        )
    for path, frame in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False, date_format="%Y-%m-%d", lineterminator="\n")
    return list(paths)


def _paths(study: Study, names: Sequence[str]) -> list[Path]:
    promised = [study.folder / (study.data[name].file or "") for name in names]
    fresh = all(path.suffix == ".csv" and not path.exists() for path in promised)
    if study.data_status == "simulated" and fresh:
        return promised
    return [study.folder / "data" / f"invented_{name}.csv" for name in names]


def _frames(study: Study, people: int, seed: int) -> dict[str, pd.DataFrame]:
    columns = {
        name: column
        for name, column in study.columns.items()
        if name not in ("person_id", "index_date", "treated")
    }
    everyone = invent_people(
        columns, people=people, seed=seed, start=study.window.start, end=study.window.end
    )
    if "people" in study.data:
        frames = {"people": everyone}
    else:
        frames = {
            name: everyone[everyone["treated"] == arm].drop(columns="treated")
            for name, arm in (("cohort", 1), ("control", 0))
            if name in study.data
        }
    if "offences" in study.data and study.observed_until is not None:
        types, invented = _types(study)
        frames["offences"] = invent_offences(
            everyone, seed=seed, observed_until=study.observed_until, types=types
        )
        frames |= invented
    return frames


def _types(study: Study) -> tuple[Sequence[tuple[str, float]], dict[str, pd.DataFrame]]:
    """The types of offence to invent: those of a table of weights where the study has one already, and the usual ones
    with a table of their own where it is yet to come."""
    types: Sequence[tuple[str, float]] = OFFENCES
    invented = {}
    for name, users in tables_of_weights(study).items():
        columns = sorted({each.weight or WEIGHT for each in users})
        if study.data[name].file is not None and study.path(name).is_file():
            table = read_weights(study.path(name), columns, shown=study.data[name].file).checked().frame
            of_type = table.groupby("offence_type")[columns[0]].median()
            types = tuple((str(kind), float(harm)) for kind, harm in of_type.items())
        else:
            invented[name] = invent_weights(columns)
    return types, invented
