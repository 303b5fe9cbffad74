"""Invent a check of a risk score: who it would have flagged, and who came to harm in the following half year.

Nothing about the real technology's accuracy is published. In this invented world less is recorded about young people
in villages, so that the score is too low for them: a check by group should find it. Whether someone is recorded as
having come to harm does not depend on the score here; in life it may. Run: python simulate.py
"""

import csv
from pathlib import Path

import numpy as np

SEED = 20200331
PEOPLE = 1400
MISSED_IN_VILLAGES = 0.75  # on the scale of the log odds


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def main() -> None:
    rng = np.random.default_rng(SEED)
    village, female = rng.random(PEOPLE) < 0.4, rng.random(PEOPLE) < 0.45
    odds = -2.6 + 1.3 * rng.normal(size=PEOPLE)
    seen = odds - MISSED_IN_VILLAGES * village + 0.35 * rng.normal(size=PEOPLE)
    score, harmed = np.round(logistic(seen), 3), rng.random(PEOPLE) < logistic(odds)
    with (Path(__file__).parent / "data" / "checked.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["person_id", "area", "sex", "score", "harmed"])
        for i in range(PEOPLE):
            where, sex = "villages" if village[i] else "towns", "girls" if female[i] else "boys"
            writer.writerow([f"S{i + 1:04d}", where, sex, score[i], int(harmed[i])])


if __name__ == "__main__":
    main()
