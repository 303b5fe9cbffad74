"""Turn the public file into the study's people file: a row number for an id and `fin` as the arm. Nothing else changes.

Run: python prepare.py
"""

import csv
from pathlib import Path

DATA = Path(__file__).parent / "data"


def main() -> None:
    with (DATA / "rossi.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 432
    assert sum(row["arrest"] == "1" for row in rows if row["fin"] == "1") == 48
    with (DATA / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["person_id", "treated", "week", "arrest", "age", "race", "wexp", "mar", "paro", "prio"]
        )
        for number, row in enumerate(rows, 1):
            kept = [row[name] for name in ("week", "arrest", "age", "race", "wexp", "mar", "paro", "prio")]
            writer.writerow([f"{number:03d}", row["fin"], *kept])


if __name__ == "__main__":
    main()
