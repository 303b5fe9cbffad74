"""Price years after 2019/20, by HM Treasury's GDP deflator of March 2026 (series L8GG).

The stored years come from one public transcription of HM Treasury's file. The values here come from another: deliverable
2.2 of the Horizon Europe project BENEFITS (grant 101179032), whose table of operational unit costs prints the index of
six years, its factor to 2024/25 and what it makes of a sum. Neither is the file itself, so `verified` stays false.
"""

import re
from pathlib import Path

import pytest
import yaml

from evalkit.costbenefit import cost_benefit
from evalkit.errors import DataError, StudyError
from evalkit.parameters import deflate, library, parameter
from evalkit.parameters.prices import common_series, newer_series
from tests.costs import account, benefit, cost
from tests.tolerances import EXACT, POUND, PRINTED_SIX

OLD, NEW = "gdp_financial_2015", "gdp_financial_2026"
INDEX = {
    "2008/09": 66.8397, "2015/16": 74.5804, "2018/19": 78.7948, "2019/20": 80.8738, "2022/23": 91.2996, "2024/25": 100.0,
}  # fmt: skip
FACTOR = {
    "2008/09": 1.496117, "2015/16": 1.340835, "2018/19": 1.269119, "2019/20": 1.236494, "2022/23": 1.095295,
}  # fmt: skip


@pytest.mark.parametrize("year", INDEX)
def test_two_transcriptions_of_one_file_agree(year):
    assert parameter(f"{NEW}.{year}").value == INDEX[year]


@pytest.mark.parametrize("year", FACTOR)
def test_printed_factors_to_2024_25(year):
    assert deflate(1, year, "2024/25", series=NEW) == pytest.approx(FACTOR[year], abs=PRINTED_SIX)


def test_printed_sums_in_2024_25_prices():
    assert deflate(8640, "2018/19", "2024/25", series=NEW) == pytest.approx(10965, abs=POUND)
    assert deflate(3000, "2008/09", "2024/25") == pytest.approx(4488, abs=POUND)


def test_each_year_says_that_nobody_read_the_file_itself():
    table = library().deflators[NEW]
    assert table["verified"] is False
    assert "as transcribed" in table["source"]
    assert table["forecast_from"] == "2025/26"


def test_the_unit_cost_databases_own_edition_moves_what_it_holds_and_the_newer_one_the_rest():
    # 609 x 195.9697 / 179.9069 by the workbook's own deflator, whatever newer editions say
    assert deflate(609, "2010/11", "2015/16") == pytest.approx(663.37, abs=0.01)
    assert deflate(100, "2015/16", "2023/24") == pytest.approx(100 * 96.1117 / 74.5804, rel=EXACT)
    assert common_series(library(), ("2010/11", "2019/20")) == OLD
    assert common_series(library(), ("2010/11", "2019/20", "2023/24")) == NEW
    assert common_series(library(), ("1999/00", "2023/24")) is None
    assert newer_series(library(), OLD, ("2015/16", "2019/20")) == NEW
    assert newer_series(library(), NEW, ("2015/16",)) is None


def test_an_account_is_moved_by_one_edition():
    rows = [benefit(price_year="2010/11"), benefit(line="later", price_year="2023/24")]
    result = cost_benefit(account([cost()], rows), price_year="2019/20", draws=0)
    by_hand = 1000 * 80.8738 / 68.8561 + 1000 * 80.8738 / 96.1117
    assert result.estimate("pv_benefits_fiscal").estimate == pytest.approx(by_hand, rel=EXACT)


def test_an_account_says_how_far_a_newer_edition_would_move_it():
    frames = account([cost()], [benefit()])
    old = cost_benefit(frames, price_year="2019/20", draws=0)
    # 211.0747 / 195.9697 = 1.07708 as forecast in 2015; 80.8738 / 74.5804 = 1.08438 as it came out; 0.7% apart
    assert "by up to 0.7%" in old.check("forecast_deflator").reading
    assert NEW in old.check("forecast_deflator").next_step
    new = cost_benefit(frames, price_year="2019/20", deflator=NEW, draws=0)
    assert new.check("forecast_deflator") is None
    assert "HM Treasury, March 2026 (gdp_financial_2026)" in new.check("unverified_parameters").reading
    ratio = new.estimate("pv_costs").estimate / old.estimate("pv_costs").estimate
    assert ratio == pytest.approx((80.8738 / 74.5804) / (211.0747 / 195.9697), rel=EXACT)


def test_a_deflator_is_asked_for_by_name():
    with pytest.raises(StudyError, match="`deflator` must be one of"):
        cost_benefit(account([cost()], [benefit()]), deflator="cpi", draws=0)
    rows = [benefit(price_year="2023/24")]
    with pytest.raises(DataError, match="`gdp_financial_2015` does not hold 2023/24"):
        cost_benefit(account([cost()], rows), price_year="2015/16", deflator=OLD, draws=0)


def test_the_worked_example_of_the_documentation(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")
    own = tmp_path / "parameters.yml"
    own.write_text(re.search(r"```yaml\n(deflators:.*?)```", text, flags=re.DOTALL)[1], encoding="utf-8")
    assert yaml.safe_load(own.read_text(encoding="utf-8"))["deflators"]
    printed = re.search(r"1,000 pounds of 2025/26 are ([\d,.]+) pounds of 2027/28", text)[1].replace(",", "")
    assert deflate(1000, "2025/26", "2027/28", user=own) == pytest.approx(float(printed), abs=0.01)
