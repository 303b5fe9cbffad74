"""A study of one folder and one data file or two, written for the tests that break it or write it in another way."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

HEAD = """study: small
title: A small study
question: What came of it?
data_status: simulated
estimand: descriptive
seed: 1
report: {templates: []}
disclosure: {preset: internal}
"""


def small_study(folder: Path, text: str, head: str = HEAD, **frames: pd.DataFrame) -> Path:
    """The folder `small`, with study.yml and each frame as `data/<name>.csv`."""
    (folder / "small" / "data").mkdir(parents=True)
    (folder / "small" / "study.yml").write_text(head + text, encoding="utf-8")
    for name, frame in frames.items():
        frame.to_csv(folder / "small" / "data" / f"{name}.csv", index=False)
    return folder / "small"
