"""Small tables written as they are read: a header, then one line per row, columns set apart by bars."""

from __future__ import annotations

import pandas as pd


def rows(text: str) -> list[dict[str, str]]:
    """One mapping per line; a blank cell is an empty string. Lines of dashes are for the eye."""
    lines = [line for line in text.strip().splitlines() if line.strip(" -|+")]
    header, *body = [[cell.strip() for cell in line.split("|")] for line in lines]
    for cells in body:
        assert len(cells) == len(header), f"{len(cells)} cells under {len(header)} names: {cells}"
    return [dict(zip(header, cells, strict=True)) for cells in body]


def frame(text: str, *, dates: tuple[str, ...] = (), numbers: tuple[str, ...] = ()) -> pd.DataFrame:
    """The table as a frame of text, with the named columns as dates or numbers; blank is missing."""
    made = pd.DataFrame(rows(text)).replace("", None)
    for name in dates:
        made[name] = pd.to_datetime(made[name])
    for name in numbers:
        made[name] = pd.to_numeric(made[name]).astype("float64")
    return made


def number(cell: str) -> float:
    """A cell as a number; NaN where it is blank."""
    return float(cell) if cell else float("nan")
