"""St Albans Community Safety Partnership, draft strategy 2018/19: crime, fires and the council's team, as printed."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

from evalkit.audit import audit

PRINTED = 5.1e-4  # intervals worked by hand to three decimal places
HIDDEN_AS_ZERO = (
    "Burglary, residential dwelling",
    "Burglary, residential non-dwelling",
    "Burglary, business and community",
)
# category, ratio and exact 95% interval
CRIME = [
    ("All crime", 1.239, 1.197, 1.282),
    ("Violence against the person", 1.251, 1.170, 1.337),
    ("Domestic abuse related", 1.126, 1.016, 1.249),
    ("Motor vehicle crimes", 1.485, 1.339, 1.647),
    ("Theft from the person", 1.159, 0.853, 1.576),
    ("Robbery", 2.189, 1.467, 3.323),
    ("Criminal damage", 1.146, 1.039, 1.263),
    ("Drug possession", 0.954, 0.767, 1.186),
    ("Theft from a shop", 1.179, 1.055, 1.318),
    ("Making off without payment", 1.110, 0.942, 1.308),
    ("Anti-social behaviour", 1.184, 1.119, 1.253),
]


@pytest.fixture(scope="module")
def found(results):
    return {each["analysis"]: each for each in results("st-albans")["results"]}


def three(estimate):
    return [estimate[name] for name in ("estimate", "conf_low", "conf_high")]


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [("deliberate_fires", (1.246, 0.929, 1.671)), ("primary_fires", (1.069, 0.810, 1.412))],
)
def test_fires_against_the_rest_of_the_county(found, analysis, expected):
    head = found[analysis]["estimates"][0]
    assert head["term"] == "ratio_of_rate_ratios"
    assert three(head) == pytest.approx(expected, abs=PRINTED)


def test_the_county_is_compared_without_st_albans(site, found):
    check = next(each for each in found["deliberate_fires"]["checks"] if each["name"] == "containment")
    assert "1.214" in check["reading"]
    counts = pd.read_csv(site / "st-albans" / found["deliberate_fires"]["detail"]["counts"])
    assert counts[["comparison_before", "comparison_after"]].iloc[0].tolist() == [738, 817]


def test_eleven_rows_with_their_intervals_and_adjusted_together(found):
    rows = {each["group"]: each for each in found["crime_table"]["estimates"]}
    for category, *expected in CRIME:
        assert three(rows[category]) == pytest.approx(expected, abs=PRINTED)
        assert rows[category]["p_adjusted"] >= rows[category]["p_value"]
    assert rows["Domestic abuse related"]["p_value"] < 0.05 < rows["Domestic abuse related"]["p_adjusted"]


def test_burglary_is_missing_and_not_nought(found):
    rows = {each["group"]: each for each in found["crime_table"]["estimates"]}
    assert [rows[name]["estimate"] for name in HIDDEN_AS_ZERO] == [None, None, None]
    check = next(each for each in found["crime_table"]["checks"] if each["name"] == "missing_counts")
    assert check["passed"] is False


def test_two_sources_for_anti_social_behaviour_stand_side_by_side(found):
    police, council = found["two_sources"]["estimates"]
    assert three(police) == pytest.approx([1.184, 1.119, 1.253], abs=PRINTED)
    assert three(council) == pytest.approx([0.996, 0.877, 1.132], abs=PRINTED)


def test_six_to_fourteen_is_compatible_with_a_fall(found):
    assert three(found["council_team"]["estimates"][0]) == pytest.approx([2.333, 0.842, 7.408], abs=PRINTED)


def test_the_audit_finds_what_was_printed_wrong():
    printed = pd.read_csv(
        ROOT / "studies" / "st-albans" / "data" / "published.csv", dtype={"published_value": str}
    )
    figures = audit(printed)
    wrong = {(each["measure"], each["unit"]) for each in figures if each["consistent"] == "no"}
    assert wrong == {
        ("Theft from the person", "percent_change"), ("Robbery", "percent_change"), ("Robbery", "count_change"),
        ("Fire injuries", "unit_missing"), *((name, "percent_change") for name in HIDDEN_AS_ZERO),
    }  # fmt: skip
    assert [each["measure"] for each in figures if each["consistent"] == "rounding"] == [
        "Safeguarding contacts"
    ]
    theft = next(each for each in figures if each["measure"] == "Theft from the person")
    assert "wrong base" in theft["diagnosis"]
