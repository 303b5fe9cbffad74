"""Invent a pilot trial: families referred, randomised, seen by three therapists and followed up.

No person-level figure of the real pilot is published. What is published (three therapists, up to 20 sessions, ages
10 to 14, a control group) fixes the shape; every number below is invented. Run: python simulate.py
"""

import csv
from pathlib import Path

import numpy as np

SEED = 20201001
REFERRED, THERAPISTS, MOST_SESSIONS, ARM = 128, ("A", "B", "C"), 20, 45


def write(name: str, header: list[str], rows: list[list]) -> None:
    with (Path(__file__).parent / "data" / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def family(rng: np.random.Generator, number: int, treated: int) -> list:
    """One randomised family: no effect on the score is built in, only noise and a therapist's own share of it."""
    therapist = THERAPISTS[number % 3] if treated else ""
    sessions = int(rng.binomial(MOST_SESSIONS, rng.beta(4.2, 2.0))) if treated else ""
    before = int(np.clip(rng.normal(19, 5), 0, 40))
    followed = int(rng.random() < (0.87 if treated else 0.76))
    shift = {"A": -0.8, "B": 0.4, "C": 0.3, "": 0.0}[therapist]
    after = int(np.clip(0.6 * before + 6.5 + shift + rng.normal(0, 4), 0, 40)) if followed else ""
    return [
        f"F{number:03d}", f"2020-{10 + number % 3:02d}-{1 + number % 27:02d}", treated, int(rng.integers(10, 15)),
        rng.choice(["female", "male"], p=[0.3, 0.7]), therapist, sessions,
        int(sessions >= 12) if treated else "", int(rng.random() < 0.82) if treated else "", followed, before, after,
        int(rng.random() < 0.93),
    ]  # fmt: skip


def main() -> None:
    rng = np.random.default_rng(SEED)
    agreed = rng.permutation([1] * (2 * ARM) + [0] * (REFERRED - 2 * ARM))
    write("referrals.csv", ["referral_id", "agreed"], [[f"R{i:03d}", a] for i, a in enumerate(agreed, 1)])
    arms = rng.permutation([1] * ARM + [0] * ARM)
    header = ["person_id", "index_date", "treated", "age", "sex", "therapist", "sessions", "retained", "faithful",
              "followed_up", "difficulties_before", "difficulties_after", "complete_baseline"]  # fmt: skip
    write("people.csv", header, [family(rng, i, int(treated)) for i, treated in enumerate(arms, 1)])


if __name__ == "__main__":
    main()
