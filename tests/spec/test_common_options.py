"""The options that design.md calls common: each method takes them, or says by name why it does not."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import evalkit as ek
from evalkit.errors import StudyError
from evalkit.options import COMMON
from evalkit.pipeline.methods import METHODS

CALLS = {
    "proportion": lambda **o: ek.proportion(None, successes=12, trials=40, **o),
    "counts": lambda **o: ek.counts(None, before=120, after=100, **o),
    "power": lambda **o: ek.power(None, baseline=0.4, n_treated=90, n_control=90, **o),
    "survey": lambda **o: ek.survey(None, answered=40, agreed=30, **o),
    "progression": lambda **o: ek.progression(
        None, criteria=[{"name": "reached", "value": 0.7, "green": 0.6, "amber": 0.5}], **o
    ),
}
MONTHS = pd.DataFrame({"month": range(24), "thefts": [40, 42, 39, 41] * 3 + [39, 41, 40, 38] * 3})
SERIES = {"outcome": "thefts", "period": "month", "starts": 12, "diagnostics": False}


@pytest.mark.parametrize("name", METHODS)
def test_every_common_option_is_taken_or_refused_with_a_reason(name):
    """By the options' own door, so that Python and study.yml say the same."""
    from evalkit.options import read_options

    options = METHODS[name].options
    for common in set(COMMON) - METHODS[name].option_names:
        with pytest.raises(StudyError, match=f"`{common}` is not supported here: .+") as refused:
            read_options(options, {common: "mice"}, where=f"{name}()")
        assert len(str(refused.value)) > 40
    for named in getattr(options, "REFUSED", {}):
        assert named in COMMON
        assert named not in METHODS[name].option_names


@pytest.mark.parametrize("name", CALLS)
def test_complete_cases_may_be_named_in_python_too(name):
    plain, named = CALLS[name](), CALLS[name](missing="complete")
    assert named.to_dict() == plain.to_dict()
    with pytest.raises(StudyError, match="`missing` is not supported here"):
        CALLS[name](missing="mice")


def test_a_misspelt_option_still_finds_its_neighbour():
    with pytest.raises(StudyError, match="is not an option here. Did you mean `before`"):
        ek.counts(None, befor=1, after=2)


def test_a_margin_of_counts_is_read_against_the_exact_interval():
    head = ek.counts(None, before=1200, after=1180).headline
    reach = max(head.conf_high, 1 / head.conf_low)
    for margin, passed in ((reach * 1.001, True), (1 / (reach * 1.001), True), (reach * 0.999, False)):
        check = ek.counts(None, before=1200, after=1180, margin=margin).check("margin")
        assert check.passed is passed
        assert "rates before and after" in check.reading
    one_sided = ek.counts(None, before=1200, after=1180, margin=head.conf_high * 1.001, better="lower")
    assert one_sided.check("margin").passed is True
    assert one_sided.check("margin").statistic == pytest.approx(head.conf_high)


def test_a_margin_over_several_rows_is_that_of_the_worst():
    rows = pd.DataFrame({"kind": ["theft", "harm", "none"], "b": [1200, 30, 0], "a": [1190, 10, 4]})
    check = ek.counts(rows, before="b", after="a", category="kind", margin=1.2).check("margin")
    alone = ek.counts(None, before=30, after=10, margin=1.2).check("margin")
    assert check.passed is False
    assert check.statistic == alone.statistic
    assert check.reading.startswith("1 of 3 rows lie within the margin.")
    good = ek.counts(rows.head(1), before="b", after="a", category="kind", margin=1.2).check("margin")
    assert good.passed is True


def test_a_margin_of_an_interrupted_series():
    head = ek.interrupted(MONTHS, **SERIES).headline
    reach = math.exp(max(abs(math.log(head.conf_low)), abs(math.log(head.conf_high))))
    for margin, passed in ((reach * 1.001, True), (reach * 0.999, False)):
        check = ek.interrupted(MONTHS, **SERIES, margin=margin).check("margin")
        assert check.passed is passed
        assert "levels before and after the start" in check.reading
    level = ek.interrupted(MONTHS, **SERIES, family="gaussian").headline
    found = ek.interrupted(
        MONTHS, **SERIES, family="gaussian", margin=level.conf_high * 1.001, better="lower"
    )
    assert found.check("margin").passed is True
    assert found.check("margin").statistic == pytest.approx(level.conf_high)


def test_a_margin_of_a_pooled_logarithm_is_the_ratio():
    trials = pd.DataFrame(
        {"study": ["a", "b", "c"], "estimate": [-0.04, 0.01, -0.03], "std_error": [0.05, 0.04, 0.05]}
    )
    pooled = ek.meta(trials, measure="log_risk_ratio").headline
    reach = math.exp(max(-pooled.conf_low, pooled.conf_high))
    for margin, passed in ((reach * 1.001, True), (reach * 0.999, False)):
        assert ek.meta(trials, measure="log_risk_ratio", margin=margin).check("margin").passed is passed
    points = ek.meta(trials, measure="risk_difference", margin=1.0)
    assert points.check("margin").passed is True


@pytest.mark.parametrize("margin", [0, -2, math.inf, 1])
def test_a_margin_that_is_no_size_is_refused(margin):
    with pytest.raises(StudyError, match="`margin`"):
        ek.counts(None, before=10, after=9, margin=margin)
    with pytest.raises(StudyError, match="`margin`"):
        ek.interrupted(MONTHS, **SERIES, margin=margin)


def test_a_rank_has_no_interval_to_set_against_a_margin():
    with pytest.raises(StudyError, match="`margin` is not supported here: a rank among places"):
        ek.synthetic_control(
            MONTHS, outcome="thefts", unit="month", period="month", treated_unit=1, starts=12, margin=2.0
        )
