"""Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
Medicine 17:873-890, table II, method 10; and Newcombe (1998) 17:857-872, table I, methods 3 (Wilson) and 5
(Clopper-Pearson).

The printed pages were not opened. The four decimals below are the tables' as the tests of the R package propint and of
other packages quote them; R 4.2.2 gives each of them to the last digit (`data/closed_forms.R`: prop.test without
correction, binom.test, and method 10 out of the Wilson limits of prop.test), and its fifteen digits are compared too.
"""

import json
from pathlib import Path

import pytest

from evalkit import intervals
from tests.tolerances import COEFFICIENT

PEER = json.loads((Path(__file__).parent / "data" / "closed_forms.json").read_text(encoding="utf-8"))
TABLE_II = [
    (0.0524, 0.3339), (0.1705, 0.8090), (0.0582, 0.8062), (-0.0381, 0.1926), (-0.1611, 0.2775),
    (-0.2775, 0.2775), (0.6791, 1.0000), (0.6075, 1.0000),
]  # fmt: skip
TABLE_I_WILSON = [(0.2553, 0.3662), (0.0624, 0.1605), (0.0000, 0.1611), (0.0061, 0.1718)]
TABLE_I_EXACT = [(0.2527, 0.3676), (0.0578, 0.1617), (0.0000, 0.1684), (0.0009, 0.1776)]
LAST_DIGIT = 5.1e-5


@pytest.mark.parametrize(("row", "printed"), list(zip(PEER["newcombe"], TABLE_II, strict=True)))
def test_difference_by_method_ten(row, printed):
    found = intervals.newcombe(*row[:4])
    assert found == pytest.approx(row[4:], abs=COEFFICIENT)
    assert found == pytest.approx(printed, abs=LAST_DIGIT)


@pytest.mark.parametrize(("row", "printed"), list(zip(PEER["wilson"], TABLE_I_WILSON, strict=True)))
def test_wilson(row, printed):
    found = intervals.wilson(*row[:2])
    assert found == pytest.approx(row[2:], abs=COEFFICIENT)
    assert found == pytest.approx(printed, abs=LAST_DIGIT)


@pytest.mark.parametrize(("row", "printed"), list(zip(PEER["exact"], TABLE_I_EXACT, strict=True)))
def test_clopper_pearson(row, printed):
    found = intervals.clopper_pearson(*row[:2])
    assert found == pytest.approx(row[2:], abs=COEFFICIENT)
    assert found == pytest.approx(printed, abs=LAST_DIGIT)
