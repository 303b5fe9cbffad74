"""Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
Medicine 17:873-890, table II, method 10; and Newcombe (1998) 17:857-872, table I, methods 3 (Wilson) and 5
(Clopper-Pearson)."""

import pytest

from evalkit import intervals
from tests.tolerances import PRINTED

DIFFERENCES = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]
WILSON = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
EXACT = [
    (81, 263, 0.2527, 0.3676),
    (15, 148, 0.0578, 0.1617),
    (0, 20, 0.0000, 0.1684),
    (1, 29, 0.0009, 0.1776),
]


@pytest.mark.parametrize(("a", "m", "b", "n", "low", "high"), DIFFERENCES)
def test_difference_by_method_ten(a, m, b, n, low, high):
    assert intervals.newcombe(a, m, b, n) == pytest.approx((low, high), abs=PRINTED)


@pytest.mark.parametrize(("r", "n", "low", "high"), WILSON)
def test_wilson(r, n, low, high):
    assert intervals.wilson(r, n) == pytest.approx((low, high), abs=PRINTED)


@pytest.mark.parametrize(("r", "n", "low", "high"), EXACT)
def test_clopper_pearson(r, n, low, high):
    assert intervals.clopper_pearson(r, n) == pytest.approx((low, high), abs=PRINTED)
