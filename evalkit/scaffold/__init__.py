"""A new study folder, by design: it runs at once on invented data and says where the real rows go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit import simulate
from evalkit.contract import BENEFITS, COSTS, Column
from evalkit.errors import UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PEOPLE = {
    "age": Column(type="integer", min=12, max=17),
    "sex": Column(type="category", values=("female", "male")),
}
WINDOW = (date(2022, 1, 1), date(2022, 12, 31))
OBSERVED_UNTIL = date(2024, 8, 31)
MONTHS = pd.period_range("2021-01", "2022-12", freq="M")
IGNORED = """\
# Data never enter the repository. The invented rows are the exception.
output/
.output-*/
data/*
!data/invented_*.csv
"""


def new_study(folder: Path, *, design: str, seed: int) -> Path:
    """Write study.yml, README.md, log.md, .gitignore and invented data for one of the designs.

    Raises
    ------
    UsageError
        The folder exists already (nothing is ever overwritten), or its name is not made of small letters, digits
        and hyphens.
    """
    if not NAME.fullmatch(folder.name):
        raise UsageError(
            "the name of a study is made of small letters, digits and hyphens",
            found=folder.name,
            do="Try `my-study`",
        )
    if folder.exists():
        raise UsageError(f"`{folder}` exists already, and nothing is overwritten", do="Choose another name")
    frames = FRAMES[design](seed)
    (folder / "data").mkdir(parents=True)
    for name in ("study.yml", "README.md", "log.md"):
        (folder / name).write_text(_text(name, design, folder.name, seed), encoding="utf-8")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    for name, frame in frames.items():
        frame.to_csv(
            folder / "data" / f"invented_{name}.csv", index=False, date_format="%Y-%m-%d", lineterminator="\n"
        )
    return folder


def _text(name: str, design: str, study: str, seed: int) -> str:
    source = f"{design}.yml" if name == "study.yml" else name
    text = files("evalkit.scaffold").joinpath(source).read_text(encoding="utf-8")
    return text.replace("<study>", study).replace("<seed>", str(seed)).replace("<design>", design)


def _events(seed: int, people: int, share_treated: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    start, end = WINDOW
    everyone = simulate.invent_people(
        PEOPLE, people=people, seed=seed, start=start, end=end, share_treated=share_treated
    )
    return everyone, simulate.invent_offences(everyone, seed=seed, observed_until=OBSERVED_UNTIL)


def _matched(seed: int) -> dict[str, pd.DataFrame]:
    people, offences = _events(seed, people=900, share_treated=0.2)
    arms = {
        name: people[people["treated"] == arm].drop(columns="treated")
        for name, arm in (("cohort", 1), ("control", 0))
    }
    return arms | {"offences": offences}


def _rct(seed: int) -> dict[str, pd.DataFrame]:
    people, offences = _events(seed, people=400, share_treated=0.5)
    return {"people": people, "offences": offences}


def _did(seed: int) -> dict[str, pd.DataFrame]:
    return {"panel": simulate.invent_panel(units=24, periods=MONTHS, seed=seed, treated=8, starts=12)}


def _before_after(seed: int) -> dict[str, pd.DataFrame]:
    panel = simulate.invent_panel(units=1, periods=MONTHS, seed=seed, treated=0, starts=12, mean=30)
    first = panel["period"] < "2022-01"
    counts = {"before": panel.loc[first, "count"].sum(), "after": panel.loc[~first, "count"].sum()}
    return {"counts": pd.DataFrame([{"category": "recorded offences", **counts}])}


def _single(seed: int) -> dict[str, pd.DataFrame]:
    people, _ = _events(seed, people=60, share_treated=1.0)
    rng = np.random.default_rng([seed, 9])
    return {"people": people.assign(returned=rng.integers(0, 2, len(people)))}


def _funnel(seed: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng([seed, 9])
    stages, reached = ["referred", "accepted", "started", "completed"], [240]
    for share in (0.8, 0.75, 0.7):
        reached.append(int(rng.binomial(reached[-1], share)))
    return {"stages": pd.DataFrame({"stage": stages, "reached": reached})}


def _cba(seed: int) -> dict[str, pd.DataFrame]:
    """The one design whose rows are written, not drawn: an account is a list of assumptions."""
    accounts = {"costs": COSTS, "benefits": BENEFITS}
    return {name: _read(f"cba_{name}.csv")[list(columns)] for name, columns in accounts.items()}


def _read(name: str) -> pd.DataFrame:
    with files("evalkit.scaffold").joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str)


FRAMES: Mapping[str, Callable[[int], dict[str, pd.DataFrame]]] = {
    "matched": _matched, "rct": _rct, "did": _did, "before-after": _before_after, "single": _single, "funnel": _funnel,
    "cba": _cba,
}  # fmt: skip
