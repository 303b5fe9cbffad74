"""Nottinghamshire (Local Government Association 2020): knife crime in two years, and invented months behind them."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

from evalkit.audit import audit

PRINTED = 5.1e-4  # intervals worked by hand to three decimal places
DATA = ROOT / "studies" / "nottinghamshire-vru" / "data"


@pytest.fixture(scope="module")
def values(results):
    return results("nottinghamshire-vru")


def test_the_fall_just_includes_no_change(values):
    head = values["results"][0]["estimates"][0]
    assert values["results"][0]["role"] == "primary"
    three = [head[name] for name in ("estimate", "conf_low", "conf_high")]
    assert three == pytest.approx([0.913, 0.829, 1.005], abs=PRINTED)
    assert head["p_value"] == pytest.approx(0.064, abs=PRINTED)


def test_the_page_says_that_the_unit_began_as_the_window_ended(values):
    assert "the month in which the Unit was set up" in values["about"]["question"]
    assert values["about"]["intervention"]["start"] == "2019-09"
    headline = values["statements"][0]["headline"]
    assert "882 to 805" in headline
    assert values["statements"][0]["level"] <= 2


def test_the_invented_months_add_up_to_what_was_published():
    months = pd.read_csv(DATA / "nottinghamshire_by_month.csv").set_index("month")["knife_crime"]
    assert months.loc["2017-10":"2018-09"].sum() == 882
    assert months.loc["2018-10":"2019-09"].sum() == 805


def test_nothing_is_found_where_nothing_was_built_in(values):
    found = {each["analysis"]: each for each in values["results"]}
    for name in ("level", "alone"):
        head = found[name]["estimates"][0]
        assert head["term"] == "level_change"
        assert head["conf_low"] < 1 < head["conf_high"]
    mixture = found["mixture"]["estimates"][0]
    assert mixture["conf_low"] is None
    assert mixture["p_value"] > 0.2
    said = {each["analysis"]: each["can_say"] for each in values["statements"]}
    assert all("invented" in said[name] for name in ("chart", "level", "alone", "mixture"))


def test_the_city_cannot_be_checked():
    printed = pd.read_csv(DATA / "published.csv", dtype={"published_value": str})
    county, city = audit(printed)[:2]
    assert (county["consistent"], county["recomputed"]) == ("yes", -8.73)
    assert city["consistent"] == "not_checkable"
