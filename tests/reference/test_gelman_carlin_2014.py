"""Gelman and Carlin (2014), Perspectives on Psychological Science 9:641-651, and VanderWeele and Ding (2017), Annals of
Internal Medicine 167:268-274.

Power, type S and type M errors: R 4.2.2 by numerical integration (`data/closed_forms.R`), where ours is a closed form.
E-values: R by solving for the bias factor; 7.26 and 3.0 for the risk ratio 3.9 (1.8 to 8.7) of breast-feeding and infant
respiratory death are the paper's as the help page of Stata's evalue quotes them.
"""

import json
from pathlib import Path

import pytest

from evalkit.impact import sensitivity
from tests.tolerances import COEFFICIENT

PEER = json.loads((Path(__file__).parent / "data" / "closed_forms.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", PEER["design"])
def test_power_type_s_and_type_m(row):
    assert sensitivity.type_s_and_m(*row[:2]) == pytest.approx(tuple(row[2:]), rel=COEFFICIENT)


@pytest.mark.parametrize(("ratio", "expected"), PEER["e_value"])
def test_e_value(ratio, expected):
    assert sensitivity.e_value(ratio)[0] == pytest.approx(expected, rel=COEFFICIENT)
    assert sensitivity.e_value(1 / ratio)[0] == pytest.approx(expected, rel=COEFFICIENT)


def test_e_value_of_the_published_example():
    point, limit = sensitivity.e_value(3.9, 1.8)
    assert (point, limit) == pytest.approx((7.26, 3.0), abs=0.005)
    assert sensitivity.e_value(0.8, 1.1)[1] == 1.0
