"""Write both readings of the published pathway, and invent a survey that could be read.

Published: 617 accepted, 346 closed at stage one, then 155, 8, 4 and 1 at stages two to five; four percentages of an
unknown number who answered. The script stops unless the counts leave 116 or 103 people of whom nothing is said, by
one reading or the other. The survey is invented: its counts are not those behind any published percentage.
Run: python simulate.py
"""

import csv
from pathlib import Path

import numpy as np

SEED = 20191231
ACCEPTED, CLOSED, STAGES = 617, 346, {"stage two": 155, "stage three": 8, "stage four": 4, "stage five": 1}
FURTHER = "stage three, four or five"
COACHED = 165
QUESTIONS = {
    "with goals": 0.52,
    "with family and relationships": 0.50,
    "with self-esteem": 0.48,
    "with hope": 0.47,
}


def write(name: str, header: list[str], rows: list[list]) -> None:
    with (Path(__file__).parent / "data" / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    rng = np.random.default_rng(SEED)
    assert ACCEPTED - CLOSED - STAGES["stage two"] == 116
    assert ACCEPTED - CLOSED - sum(STAGES.values()) == 103
    two, *further = STAGES.values()
    # The stages after the second are kept together: the counts there are small enough to recognise people by.
    ever = [["accepted", ACCEPTED, CLOSED], ["stage two", two, ""], [FURTHER, further[0], ""]]
    highest = [["stage one", CLOSED], ["stage two", two], [FURTHER, sum(further)]]
    write("ever_reached.csv", ["stage", "reached", "closed"], ever)
    write("highest_stage.csv", ["stage", "reached"], highest)
    rows = []
    for question, share in QUESTIONS.items():
        answered = int(rng.binomial(COACHED, 0.48))
        rows.append([question, COACHED, answered, int(rng.binomial(answered, share))])
    write("survey.csv", ["question", "invited", "answered", "agreed"], rows)


if __name__ == "__main__":
    main()
