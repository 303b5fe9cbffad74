"""Invent the ward panel: monthly anti-social behaviour in Loftus and in eight wards that do not exist.

Only one number here was published: recorded anti-social behaviour in Loftus fell by 41% from the 12 months to
December 2018 to the 12 months to December 2019. The counts behind it were not. Everything else is invented,
and the script stops if the invented Loftus total does not round to that fall. Run: python simulate.py
"""

import csv
from pathlib import Path

import numpy as np

SEED = 20200701
PUBLISHED_FALL = 41
INVENTED_BASE = 246
MONTHS = [f"{year}-{month:02d}" for year in (2018, 2019) for month in range(1, 13)]
SEASON = 1 + 0.18 * np.sin(2 * np.pi * (np.arange(24) % 12 - 2) / 12)
WARDS = {
    "Ambermere": (5200, 96), "Brindleby": (6100, 131), "Cold Marling": (4300, 62), "Dapplewick": (7400, 173),
    "Elverstow": (5800, 118), "Fennacre": (3900, 71), "Garnet Hatch": (6700, 149), "Hollowbeck": (5100, 88),
}  # fmt: skip


def spread(rng: np.random.Generator, total: int) -> np.ndarray:
    """Share a year's total out over twelve months, more in summer than in winter."""
    return rng.multinomial(total, SEASON[:12] / SEASON[:12].sum())


def main() -> None:
    rng = np.random.default_rng(SEED)
    after = round(INVENTED_BASE * (1 - PUBLISHED_FALL / 100))
    assert round(100 * (1 - after / INVENTED_BASE)) == PUBLISHED_FALL
    wards = {"Loftus": (7900, np.concatenate([spread(rng, INVENTED_BASE), spread(rng, after)]))}
    for ward, (population, base) in WARDS.items():
        # Wards drift by a few per cent a year and vary more than a Poisson count would.
        rates = base / 12 * SEASON * np.exp(rng.normal(-0.02, 0.10) * (np.arange(24) >= 12))
        wards[ward] = (population, rng.poisson(rates * rng.gamma(30, 1 / 30, 24)))
    loftus = wards["Loftus"][1]
    assert round(100 * (1 - loftus[12:].sum() / loftus[:12].sum())) == PUBLISHED_FALL
    data = Path(__file__).parent / "data"
    with (data / "asb_by_month.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["ward", "month", "asb", "population", "window_starts"])
        for ward, (population, counts) in wards.items():
            starts = "2019-01" if ward == "Loftus" else ""
            rows.writerows(
                [ward, month, count, population, starts] for month, count in zip(MONTHS, counts, strict=True)
            )
    with (data / "unknown_base.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["supposed_base", "before", "after"])
        for base in (25, 50, 100, 200, 500):
            rows.writerow([f"if {base} incidents before", base, round(base * (1 - PUBLISHED_FALL / 100))])


if __name__ == "__main__":
    main()
