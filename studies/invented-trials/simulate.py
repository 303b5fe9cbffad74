"""Invent seven small trials of mentoring, so that pooling can be shown: no such trials exist.

Every trial has its own true effect, drawn around a log risk ratio of nil. Run: python simulate.py
"""

import csv
from pathlib import Path

import numpy as np

SEED = 20261122
TRIALS = ("Ambermere", "Brindleby", "Cold Marling", "Dapplewick", "Elverstow", "Fennacre", "Hollowbeck")
BASE, SPREAD = 0.35, 0.15


def main() -> None:
    rng = np.random.default_rng(SEED)
    with (Path(__file__).parent / "data" / "trials.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            ["study", "events_treated", "n_treated", "events_control", "n_control", "outcome", "window"]
        )
        for name in TRIALS:
            size = int(rng.integers(60, 220))
            risk = BASE * np.exp(rng.normal(0, 0.2))
            treated = min(risk * np.exp(rng.normal(0, SPREAD)), 0.9)
            events = rng.binomial(size, treated), rng.binomial(size, risk)
            rows.writerow([name, events[0], size, events[1], size, "reoffended", "12 + 6 months"])


if __name__ == "__main__":
    main()
