"""Published figures re-derived: which follow from their counts, which were truncated, which cannot be true."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from evalkit.__main__ import main
from evalkit.audit import audit, compare

# LGA 2020 and St Albans 2018/19, source inventory sections 1 and 3.2.
FIGURES = """
measure                             | numerator | denominator | before | after | published_value | unit           | consistent    | recomputed | words
Spark2Life, not reoffended          | 21        | 26          |        |       | 80              | percent        | rounding      | 80.77      | Truncated
Knife crime, Nottinghamshire        |           |             | 882    | 805   | -8.7            | percent_change | yes           | -8.73      | The counts give it
Theft from person                   |           |             | 82     | 95    | 13.7            | percent_change | no            | 15.85      | wrong base
Robbery                             |           |             | 37     | 81    | 87.1            | percent_change | no            | 118.92     | 118.92
Robbery                             |           |             | 37     | 81    | 19              | count_change   | no            | 44         | 44
Burglary (missing, not zero)        |           |             | 0      | 381   |                 | percent_change | no            |            | missing
Fire injuries                       |           |             | 34     | 37    | 9               | unit_missing   | no            | 3          | +8.8%
Accepted for coaching               | 165       | 155         |        |       | 165             | count          | no            |            | larger
Safeguarding contacts               |           |             | 87     | 63    | -27             | percent_change | rounding      | -27.59     | Truncated
Domestic abuse referrals            |           |             | 6      | 14    | 133             | percent_change | yes           | 133.33     | base is 6
Weapons possession per 1000         | 115       | 212963      |        |       | 0.54            | rate_per_1000  | yes           | 0.54       | The counts
Closed at stage one, more than half | 346       | 617         |        |       | 50              | percent_min    | yes           | 56.08      | more than
Robbery up to 436, Suffolk          |           |             |        | 436   | 37              | percent_change | not_checkable |            | 318 and 319
Weapons up to 421, Suffolk          |           |             |        | 421   | 18              | percent_change | not_checkable |            | 356 and 358
ASB in Loftus                       |           |             |        |       | -41             | percent_change | not_checkable |            | No counts
Trained (may or may not be extra)   | 223       |             |        |       | 223             | count          | ambiguous     | 223        | definition
Length of a project (no rule)       |           |             |        |       | 6               | months         | not_checkable |            | No counts
Half of seven                       |           | 7           |        |       | 50              | percent        | no            |            | No whole number
"""


def rows():
    lines = [[cell.strip() for cell in line.split("|")] for line in FIGURES.strip().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['measure']} {row['published_value']}")
def test_the_verdict_on_each_figure(row):
    expected = {name: row.pop(name) for name in ("consistent", "recomputed", "words")}
    numbers = ("numerator", "denominator", "before", "after")
    given = {
        name: (float(value) if name in numbers else value) if value else None for name, value in row.items()
    }
    (figure,) = audit(pd.DataFrame([given], dtype=object))
    assert figure["consistent"] == expected["consistent"]
    assert figure["recomputed"] == (float(expected["recomputed"]) if expected["recomputed"] else None)
    assert expected["words"] in figure["diagnosis"]


@pytest.mark.parametrize(
    ("printed", "exact", "verdict"),
    [("81", 80.77, "yes"), ("80", 80.77, "rounding"), ("79", 80.77, "no"), ("0.5", 0.45, "yes"), ("-28", -27.59, "yes"),
     ("-27", -27.59, "rounding"), ("12.6", 12.643, "yes"), ("12.60", 12.643, "no"), ("about 12", 12.0, "no")],
)  # fmt: skip
def test_a_figure_is_compared_at_its_own_precision(printed, exact, verdict):
    assert compare(printed, exact) == verdict


def test_the_command_prints_one_object_and_exits_with_0(tmp_path, capsys):
    path = tmp_path / "figures.csv"
    header = "study,place,measure,period,numerator,denominator,before,after,published_value,unit,colour"
    path.write_text(
        f"{header}\nA,B,coaching,2019,165,155,,,165,count,red\nA,B,knife crime,2019,,,882,805,-8.7,percent_change,blue\n"
    )
    assert main(["audit", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert [figure["consistent"] for figure in figures] == ["no", "yes"]
    assert {"study", "measure", "published_value", "recomputed", "diagnosis"} <= set(figures[0])
