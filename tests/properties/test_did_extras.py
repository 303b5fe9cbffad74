"""Subgroups, placebo outcomes, neighbours left out, and the checks that go with a single treated area."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.impact.did import did
from evalkit.inference import benjamini_hochberg, holm, romano_wolf

NAMES = {"outcome": "y", "unit": "unit", "period": "period", "first_treated": "start", "estimator": "twfe"}


def panel(units: int = 24, periods: int = 6) -> pd.DataFrame:
    generator = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(np.where(np.arange(units) % 2 == 0, 4, 0), periods),
        }
    )
    frame["side"] = np.where(frame.unit < 12, "east", "west")
    frame["near"] = frame.unit.isin([1, 3]).astype(int)
    frame["y"] = generator.normal(size=len(frame)) + 2.0 * ((frame.start > 0) & (frame.period >= 4))
    frame["other"] = generator.normal(size=len(frame))
    return frame


def test_subgroups_are_the_analyses_of_their_rows():
    frame = panel()
    found = did(frame, subgroup="side", p_adjust="holm", **NAMES)
    assert [each.group for each in found.estimates] == [None, "east", "west"]
    for each in found.estimates[1:]:
        alone = did(frame[frame.side == each.group], **NAMES).headline
        assert each.estimate == alone.estimate
        assert each.p_adjusted >= alone.p_value


def test_placebo_outcome():
    check = did(panel(), placebo_outcomes=["other"], **NAMES).check("placebo_outcome")
    assert check.statistic == did(panel(), **NAMES | {"outcome": "other"}).headline.p_value


def test_neighbours_are_left_out():
    frame = panel()
    found = did(frame, buffer="near", **NAMES)
    assert found.headline.n_control == 10
    assert found.headline.estimate == did(frame[frame.near == 0], **NAMES).headline.estimate
    assert found.check("spill_over").statistic == 2
    with pytest.raises(DataError, match="must hold 0 or 1"):
        did(frame.assign(near=3), buffer="near", **NAMES)


def test_series_break_and_containment_are_said():
    found = did(panel(), series_breaks=[5], contains=True, **NAMES)
    assert found.check("series_break").passed is False
    assert found.check("containment").passed is False
    assert did(panel(), contains=False, **NAMES).check("containment").passed is True


def test_unequal_sizes_are_allowed_for():
    frame = panel(units=10)
    generator = np.random.default_rng(1)
    frame["start"] = np.where(frame.unit == 0, 4, 0)
    frame["people"] = 100 * (1 + frame.unit)
    frame["n"] = generator.poisson(frame.people / 5)
    found = did(
        frame, family="poisson", exposure="people", inference="randomisation", **NAMES | {"outcome": "n"}
    )
    check = found.check("unequal_sizes")
    assert 0.1 <= check.statistic <= 1
    assert round(check.statistic * 10, 9).is_integer()


def test_a_trend_fails_the_test_of_the_leads():
    frame = panel()
    frame["y"] = frame.y + 1.5 * frame.period * (frame.start > 0)
    found = did(frame, **NAMES)
    assert found.check("pre_trends").passed is False
    assert found.check("placebo_date").passed is False


def test_a_large_effect_survives_bounds():
    frame = panel()
    frame["y"] = frame.y + 30.0 * ((frame.start > 0) & (frame.period >= 4))
    found = did(frame, **NAMES)
    assert found.check("breakdown").passed is True
    assert found.check("pre_trend_power").passed is True


def test_adjusted_p_values_of_a_worked_example():
    """p = .01, .02, .03, .04: Holm .04, .06, .06, .06; Benjamini-Hochberg .04 throughout."""
    p = np.array([0.03, 0.01, 0.04, 0.02])
    assert holm(p) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert benjamini_hochberg(p) == pytest.approx([0.04] * 4)


def test_romano_wolf_equals_holm_for_independent_and_is_smaller_for_equal_tests():
    generator = np.random.default_rng(3)
    one = generator.standard_normal((20_000, 1))
    same = romano_wolf(np.array([2.0, 2.0, 2.0]), np.repeat(one, 3, axis=1))
    assert same == pytest.approx([0.0455] * 3, abs=0.006)
    apart = romano_wolf(np.array([2.0, 2.0, 2.0]), generator.standard_normal((20_000, 3)))
    assert apart[0] == pytest.approx(1 - (1 - 0.0455) ** 3, abs=0.01)


def test_a_margin_is_read_against_the_interval_on_the_scale_of_the_estimate():
    frame = panel()
    head = did(frame, **NAMES, diagnostics=False).headline
    near, far = head.conf_high - 1e-9, max(abs(head.conf_low), abs(head.conf_high)) + 1e-9
    for margin, better, passed in (
        (far, None, True),
        (near, None, False),
        (far, "lower", True),
        (near, "lower", False),
    ):
        found = did(frame, **NAMES, diagnostics=False, margin=margin, better=better).check("margin")
        assert found.passed is passed, (margin, better)
    worst = did(frame, **NAMES, diagnostics=False, margin=far, better="higher").check("margin")
    assert worst.statistic == pytest.approx(head.conf_low)


def test_a_margin_of_a_ratio_is_a_ratio_and_its_inverse_the_same_margin():
    frame = panel()
    frame["count"] = np.random.default_rng(1).poisson(40, len(frame))
    names = NAMES | {"outcome": "count", "family": "poisson"}
    head = did(frame, **names, diagnostics=False).headline
    reach = max(head.conf_high, 1 / head.conf_low)
    for margin, passed in ((reach * 1.001, True), (1 / (reach * 1.001), True), (reach * 0.999, False)):
        found = did(frame, **names, diagnostics=False, margin=margin).check("margin")
        assert found.passed is passed
    with pytest.raises(StudyError, match="a ratio is a ratio"):
        did(frame, **names, margin=1)


@pytest.mark.parametrize("margin", [0, -1, np.inf])
def test_a_margin_that_is_no_size_is_refused(margin):
    with pytest.raises(StudyError, match="a size above 0"):
        did(panel(), **NAMES, margin=margin)


def test_compliance_is_refused_with_its_reason():
    with pytest.raises(StudyError, match="take-up"):
        did(panel(), **NAMES, compliance="taken")
