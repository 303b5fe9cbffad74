"""Invent months behind two published years: knife crime in Nottinghamshire beside eight forces that do not exist.

Published: 882 recorded offences in the 12 months to September 2018 and 805 in the 12 months to September 2019. The
script stops unless the invented months add up to both. How they fell on the months, the years on either side, the
populations and every other force are invented, and nothing in them begins in September 2019. Run: python simulate.py
"""

import csv
from pathlib import Path

import numpy as np

SEED = 20190930
PUBLISHED = {2018: 882, 2019: 805}  # years to September
MONTHS = [f"{year}-{month:02d}" for year in range(2016, 2021) for month in range(1, 13)][9:57]
YEARS = (2017, 2018, 2019, 2020)
SEASON = 1 + 0.10 * np.sin(2 * np.pi * (np.arange(48) % 12 - 4) / 12)
COURSE = np.repeat(
    [0.97, 1.00, 0.93, 0.92], 12
)  # the same for every force: a peak, and a slow way back from it
PLACE = "Nottinghamshire (invented months)"
FORCES = {
    "Averwold": (980_000, 690), "Brackenshire": (1_420_000, 1120), "Corvedale": (760_000, 480),
    "Dunmere": (1_150_000, 935), "Eskerland": (890_000, 560), "Farrowshire": (1_310_000, 1010),
    "Glenholt": (1_060_000, 815), "Harrowmoor": (840_000, 610),
}  # fmt: skip


def write(name: str, header: list[str], rows: list[list]) -> None:
    with (Path(__file__).parent / "data" / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def months_of(rng: np.random.Generator, total: int, year: int) -> np.ndarray:
    """A year's total shared out over its months; a published total is kept to the last offence."""
    weights = (SEASON * rng.gamma(60, 1 / 60, 48))[12 * year : 12 * (year + 1)]
    return rng.multinomial(total, weights / weights.sum())


def main() -> None:
    rng = np.random.default_rng(SEED)
    invented = {2017: int(rng.poisson(0.97 * 882)), 2020: int(rng.poisson(0.92 * 882))}
    totals = [{**PUBLISHED, **invented}[year] for year in YEARS]
    places = {
        PLACE: (1_160_000, np.concatenate([months_of(rng, total, i) for i, total in enumerate(totals)]))
    }
    for force, (population, base) in FORCES.items():
        rates = base / 12 * SEASON * COURSE * np.exp(np.repeat(rng.normal(0, 0.02, 4), 12))
        places[force] = (population, rng.poisson(rates * rng.gamma(60, 1 / 60, 48)))
    own = places[PLACE][1]
    assert (own[12:24].sum(), own[24:36].sum()) == (PUBLISHED[2018], PUBLISHED[2019])
    write(
        "nottinghamshire_by_month.csv",
        ["month", "knife_crime"],
        [list(row) for row in zip(MONTHS, own, strict=True)],
    )
    rows = [
        [place, month, count, population, round(1e6 * count / population, 2)]
        for place, (population, counts) in places.items()
        for month, count in zip(MONTHS, counts, strict=True)
    ]
    write("forces_by_month.csv", ["place", "month", "knife_crime", "population", "rate"], rows)


if __name__ == "__main__":
    main()
