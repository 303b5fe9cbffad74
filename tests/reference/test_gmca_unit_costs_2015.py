"""Unit costs and their uprating as the GMCA Unit Cost Database v1.4 (March 2015, CC BY 4.0) prints them."""

from datetime import date

import pytest

from evalkit.errors import StudyError
from evalkit.parameters import (
    PERSPECTIVES,
    codes,
    deflate,
    describe,
    describe_all,
    in_words,
    library,
    parameter,
    unit_cost,
)
from evalkit.parameters.prices import is_forecast
from tests.tolerances import EXACT, POUND, SPLIT

# code: fiscal value and year of the source, and the workbook's own value in 2015/16 prices
PRINTED = {
    "CR1.0": (500, "2002/03", 673), "CR1.3": (230, "2006/07", 279), "CR3.0": (33785, "2013/14", 34840),
    "CR4.0": (3152, "2008/09", 3620), "CR4.2": (94780, "2013/14", 97741), "CR4.3": (29, "2008/09", 33),
    "CR6.0": (6837, "2008/09", 7851), "CR6.3": (4800, "2008/09", 5512), "CR6.10": (4898, "2008/09", 5625),
    "CR7.0": (593, "2006/07", 719), "CR8.0": (609, "2010/11", 663), "CR8.1": (174363, "2010/11", 189931),
    "CR8.2": (18608, "2010/11", 20269), "CR8.3": (2765, "2010/11", 3012), "CR8.5": (455, "2010/11", 496),
    "CR8.6": (3674, "2010/11", 4002), "CR8.7": (1361, "2010/11", 1483), "CR8.12": (152, "2010/11", 166),
    "CR2.0": (2470, "2008/09", 2836), "SS1.0": (51080, "2013/14", 52676), "SS1.3": (196024, "2010/11", 213526),
    "SS1.4": (317127, "2010/11", 345441), "SS2.0": (700, "2013/14", 722), "SS3.0": (2995, "2013/14", 3089),
    "SS3.1": (2947, "2013/14", 3039), "SS5.0": (1416, "2008/09", 1626), "E&S1.0": (1509, "2005/06", 1878),
    "E&S2.0": (9219, "2005/06", 11473),
}  # fmt: skip


@pytest.mark.parametrize("code", PRINTED)
def test_uprated_to_the_pound(code):
    fiscal, year, updated = PRINTED[code]
    entry = unit_cost(code)
    assert (entry.values["fiscal"], entry.price_year) == (fiscal, year)
    assert deflate(fiscal, year, "2015/16") == pytest.approx(updated, abs=POUND)


def test_uprating_by_hand():
    # 609 x 195.9697 / 179.9069 = 663.3739
    assert deflate(609, "2010/11", "2015/16") == pytest.approx(609 * 195.9697 / 179.9069, abs=EXACT * 1e3)


@pytest.mark.parametrize(
    "whole", sorted({each.part_of for each in library().entries.values() if each.part_of})
)
def test_agency_shares_add_up(whole):
    parts = [each for each in library().entries.values() if each.part_of == whole]
    if not whole.startswith("HO."):
        assert sum(each.value for each in parts) == pytest.approx(unit_cost(whole).value, abs=SPLIT)
    assert len({each.agency for each in parts}) == len(parts)
    assert {each.event for each in parts} == {unit_cost(whole).event}


def test_the_anomaly_of_the_workbook_is_kept_and_said():
    serious, other = unit_cost("CR8.2"), unit_cost("CR8.3")
    assert serious.values["social"] == other.values["social"] == 5661
    assert "repeats" in serious.note


@pytest.mark.parametrize("code", codes())
def test_every_parameter_says_its_unit_source_and_whether_it_was_verified(code):
    entry = parameter(code)
    assert entry.unit
    assert len(entry.source) > 10
    assert entry.verified in (True, False)
    assert entry.edition
    if set(entry.values) & {*PERSPECTIVES, "total"}:
        assert entry.price_year


def test_violence_of_the_home_office_in_2024_prices():
    # 14,050 in 2015 prices is 18,695 in 2024 prices: 14,050 x 100 / 75.1536, with a calendar series on both sides
    assert deflate(14050, 2015, 2024) == pytest.approx(18695, abs=POUND)
    assert deflate(11320, "2015", "2024") == pytest.approx(15062, abs=POUND + 0.1)


def test_years_beyond_the_series_are_refused_and_equal_years_need_none():
    with pytest.raises(StudyError, match="no deflator holds 2031/32") as refused:
        deflate(1, "2019/20", "2031/32")
    assert "add a table `deflators`" in str(refused.value)
    assert deflate(12.5, "2031/32", "2031/32") == 12.5


def test_financial_and_calendar_years_do_not_mix():
    with pytest.raises(StudyError, match="a financial year and a calendar year are different prices"):
        deflate(1, "2019/20", "2019")
    with pytest.raises(StudyError, match="does not hold financial years"):
        deflate(1, "2018/19", "2019/20", series="gdp_calendar_2025")
    with pytest.raises(StudyError, match="a price year is"):
        deflate(1, "2019/21", "2019/20")


def test_forecast_years_are_known_as_such():
    assert is_forecast(library(), ("2010/11", "2019/20"))
    assert not is_forecast(library(), ("2010/11", "2013/14"))


def test_an_unknown_code_offers_the_nearest():
    with pytest.raises(StudyError, match="Did you mean `SS3.0`"):
        unit_cost("SS30")


def test_a_parameter_described_on_a_date():
    record = describe("CR8.6", date(2026, 11, 22))
    assert (record["value"], record["price_year"], record["age_years"]) == (3674, "2010/11", 15)
    assert record["agencies"]["police"] == 1041
    said = in_words(record)
    assert (
        "fiscal £3,674, economic £1,344, social £3,789 per offence, 2010/11 prices, 15 years old, verified"
        in said
    )
    assert "NOT VERIFIED" in in_words(describe("HO.robbery", date(2026, 11, 22)))
    assert in_words(describe("green_book_2026.standard.0-30")).count("0.035 proportion a year") == 1
    assert len(describe_all()) == len({each["code"] for each in describe_all()}) > 100


def test_a_users_own_file_wins_and_is_named(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "costs:\n  CR8.6: {item: Robbery here, unit: offence, fiscal: 5000, price_year: 2019/20, verified: true,"
        " source: our finance team, event: robbery, database: ours, counts: offences}\n"
        "deflators:\n  ours: {years: financial, unit: index, source: our finance team, verified: true,"
        " values: {2019/20: 100, 2023/24: 115}}\n"
    )
    entry = unit_cost("CR8.6", user=own)
    assert (entry.value, entry.origin) == (5000, "own.yaml")
    assert deflate(100, "2019/20", "2023/24", user=own) == pytest.approx(115)
    assert unit_cost("CR8.6").value == 3674


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("costs: {MINE: {unit: offence, fiscal: 1, price_year: 2019/20}}", "needs `source`, `verified`"),
        ("costs: {MINE: {unit: offence, source: x, verified: true, fiscal: 1}}", "price_year"),
        ("costs: {MINE: {unit: offence, source: x, verified: true, price_year: 2019/20}}", "needs one of"),
        ("rates: {}", "sections"),
        ("costs: {A: {unit: x}, A: {unit: y}}", "repeated: A"),
    ],
)
def test_a_users_file_without_what_a_value_needs_is_refused(tmp_path, text, message):
    own = tmp_path / "own.yaml"
    own.write_text(text)
    with pytest.raises(StudyError, match=message):
        library(own)
