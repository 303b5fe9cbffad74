"""Turn the public file into the study's people file: an id, `fin` as the arm, and each column named in words.

Run: python prepare.py
"""

import csv
from pathlib import Path

DATA = Path(__file__).parent / "data"
NAMES = {
    "week": "week",
    "arrest": "arrest",
    "age": "age",
    "race": "recorded_as_black",
    "wexp": "full_time_work_before",
    "mar": "married",
    "paro": "on_parole",
    "prio": "earlier_convictions",
}


def main() -> None:
    with (DATA / "rossi.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 432
    assert sum(row["arrest"] == "1" for row in rows if row["fin"] == "1") == 48
    with (DATA / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["person_id", "treated", *NAMES.values()])
        for number, row in enumerate(rows, 1):
            writer.writerow([f"{number:03d}", row["fin"], *(row[name] for name in NAMES)])


if __name__ == "__main__":
    main()
