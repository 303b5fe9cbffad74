"""Invent a 12-month comparison: young people on a mentoring programme, similar ones who were not, and offences.

The true effect of the programme on everybody's offending is exactly nil here: both arms draw from the same rates,
which depend on age, sex and a leaning of each person's own. People with more convictions behind them are likelier to
be referred, so the raw groups differ. Referral looks at nothing that the matching does not, so the matched groups
should be alike. Nothing in this file is about a real person. Run: python simulate.py
"""

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np

SEED = 20191231
POOL, SHARE_ON_PROGRAMME = 1150, 0.17
FIRST, LAST = date(2018, 1, 1), date(2018, 12, 31)
LOOK_BACK_DAYS, FOLLOWED_DAYS = 1095, 880
TYPES = (
    ("theft", 2),
    ("criminal damage", 2),
    ("violence", 10),
    ("robbery", 365),
    ("possession of a weapon", 180),
)


def write(name: str, header: list[str], rows: list[list]) -> None:
    with (Path(__file__).parent / "data" / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def offence(rng: np.random.Generator, person: str, when: date) -> list:
    kind, harm = TYPES[rng.choice(len(TYPES), p=[0.35, 0.2, 0.25, 0.1, 0.1])]
    proven = rng.random() < 0.85
    convicted = when + timedelta(days=int(rng.gamma(2.0, 55))) if proven else ""
    return [person, when, convicted, kind, harm]


def history(rows: list[list], index: date) -> int:
    """Convictions in the look-back before the index date: all that a referral knows of earlier offending."""
    start = index - timedelta(days=LOOK_BACK_DAYS)
    return sum(1 for row in rows if row[2] and start <= row[2] < index)


def main() -> None:
    rng = np.random.default_rng(SEED)
    cohort, control, offences = [], [], []
    for number in range(1, POOL + 1):
        age, male = int(rng.integers(13, 19)), int(rng.random() < 0.82)
        index = FIRST + timedelta(days=int(rng.integers(0, (LAST - FIRST).days + 1)))
        yearly = 0.42 * rng.gamma(1.4, 1.0) * (1.25 if male else 0.7) * (1.1 if age < 16 else 0.9)
        days = np.sort(rng.uniform(-LOOK_BACK_DAYS, FOLLOWED_DAYS, rng.poisson(yearly * 5.4)))
        person = f"Y{number:04d}"
        rows = [offence(rng, person, index + timedelta(days=int(day))) for day in days]
        # Referral looks at the same things as the matching does, and at nothing else.
        score = -2.5 + 0.45 * min(history(rows, index), 4) + 0.10 * (16 - age) + 0.25 * male
        on_programme = rng.random() < 1 / (1 + np.exp(-score)) and len(cohort) < SHARE_ON_PROGRAMME * POOL
        row = [
            person,
            index,
            age,
            "male" if male else "female",
            ["community order", "caution"][rng.random() < 0.4],
        ]
        (cohort if on_programme else control).append(row)
        offences += rows
    header = ["person_id", "index_date", "age", "sex", "disposal"]
    write("cohort.csv", header, cohort)
    write("control.csv", header, control)
    for number, row in enumerate(offences, 1):
        row.insert(3, f"O{number:05d}")
    header = ["person_id", "offence_date", "conviction_date", "offence_id", "offence_type", "harm_days"]
    write("offences.csv", header, offences)


if __name__ == "__main__":
    main()
