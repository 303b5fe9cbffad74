"""What an account refuses, warns of and says, rule by rule."""

import pandas as pd
import pytest

from evalkit.costbenefit import (
    Claim,
    CostBenefitOptions,
    Impact,
    cost_benefit,
    impact_from,
    older_than_current,
    optional_columns,
    refuse_to_add,
    required,
    what_if,
    what_if_ratio,
)
from evalkit.errors import DataError, EvalkitWarning, Refused, StudyError
from evalkit.results import Estimate, Result
from tests.costs import account, benefit, cost
from tests.tolerances import EXACT

NET = {"main": Impact(value=0.07, std_error=0.04, estimand="att")}
ITT = {"main": Impact(value=0.07, std_error=0.04, estimand="itt")}
COUNT = {"often": Impact(value=0.4, std_error=0.1, scale="count")}


def run(costs=None, benefits=None, **options):
    return cost_benefit(account(costs or [cost()], benefits or [benefit()]), **{"draws": 0, **options})


def refused(*messages, **options):
    with pytest.raises(DataError) as error:
        run(**options)
    for message in messages:
        assert message in str(error.value)


@pytest.mark.parametrize(
    ("column", "wrong", "message"),
    [
        ("affected", 1.2, "benefits, row 3, column `affected`: a share cannot be above one"),
        ("deadweight", 1.01, "a share cannot be above one"),
        ("population", -5, "this cannot be negative"),
        ("unit_cost", "-5", "a unit cost cannot be negative"),
        ("unit_cost", "$500", "a unit cost in another currency is not converted"),
        ("unit_cost", "500 EUR", "another currency"),
        ("unit_cost", "CR8.66", "there is no unit cost `CR8.66`. Did you mean"),
        ("impact", "-0.07", "an effect of the wrong sign"),
        ("impact", "mian", "there is no analysis `mian`"),
        ("impact", "", "this is blank"),
        ("price_year", "19/20", "a price year is"),
        ("perspective", "fisca", "Did you mean `fiscal`"),
        ("transfer", 2, "this is 0 or 1"),
        ("confidence", 7, "at most 6"),
        ("last_year", 1.5, "whole number"),
        ("last_year", 2019, "years count from 0"),
        ("schedule", "helth", "Did you mean `health`"),
        ("drop_off", "lots", "a number is needed"),
    ],
)
def test_a_wrong_value_is_refused_with_its_row(column, wrong, message):
    refused(message, "row 3", benefits=[benefit(), benefit("other", **{column: wrong})])


def test_every_problem_of_both_files_at_once():
    refused(
        "costs, row 2, column `amount`: this cannot be negative",
        "costs, row 3, column `kind`: unknown value",
        "benefits, row 2, column `engaged`: a share cannot be above one",
        costs=[cost(amount=-1), cost(kind="grant")],
        benefits=[benefit(engaged=3)],
    )


def test_a_missing_column_and_a_missing_frame_are_named():
    frames = account([cost()], [benefit()])
    with pytest.raises(DataError, match="there is no column `agency`"):
        cost_benefit({**frames, "costs": frames["costs"].drop(columns="agency")})
    with pytest.raises(StudyError, match="`costs` and `benefits`"):
        cost_benefit({"costs": frames["costs"]})


def test_another_currency_is_not_converted():
    refused("costs, row 2, column `currency`", costs=[cost(currency="EUR")])


def test_a_benefit_before_any_cost_and_an_end_before_its_start():
    refused(
        "the benefit comes before any cost",
        costs=[cost(year=1)],
        benefits=[benefit(first_year=0, last_year=2)],
    )
    refused("the last year comes before the first", benefits=[benefit(first_year=2, last_year=1)])


def test_an_impact_from_an_analysis_is_already_net():
    refused(
        "benefits, row 2, column `deadweight`: the impact of the analysis `main` is already net",
        benefits=[benefit(impact="main", deadweight=0.2)],
        impacts=NET,
    )
    result = run(benefits=[benefit(impact="main", population=100, unit_cost=1000)], impacts=NET)
    assert result.estimate("pv_benefits_fiscal").estimate == pytest.approx(7000, rel=EXACT)
    assert result.estimand == "att"


def test_intention_to_treat_already_counts_those_who_took_no_part():
    row = benefit(impact="main", engaged=0.8, retained=0.9)
    refused("column `engaged`", "column `retained`", "intention-to-treat", benefits=[row], impacts=ITT)
    assert run(benefits=[row], impacts=NET).headline.estimate > 0


def test_crime_is_costed_from_frequency():
    refused("a yes/no rate", benefits=[benefit(impact="main", unit_cost="CR8.6", price_year="")], impacts=NET)
    result = run(
        benefits=[benefit(impact="often", unit_cost="CR8.6", price_year="")],
        impacts=COUNT,
        price_year="2015/16",
    )
    assert result.estimate("pv_benefits_fiscal").estimate == pytest.approx(10 * 0.4 * 4002, rel=1e-4)


@pytest.mark.parametrize(
    "rows",
    [
        [("fiscal", "CR8.6"), ("social", "HO.robbery")],
        [("fiscal", "CR8.0"), ("fiscal", "CR8.6")],
        [("fiscal", "CR8.6"), ("fiscal", "CR8.6.1")],
    ],
)
def test_one_event_is_not_valued_twice(rows):
    lines = [
        benefit(str(n), perspective=kind, unit_cost=code, price_year="")
        for n, (kind, code) in enumerate(rows)
    ]
    refused("the same event is valued twice", benefits=lines, price_year="2015/16")


def test_agency_shares_of_one_cost_are_not_the_same_event_twice():
    lines = [
        benefit("robbery", "police", unit_cost="CR8.6.1", price_year=""),
        benefit("robbery", "prison", unit_cost="CR8.6.4", price_year=""),
        benefit("robbery", "victims", "social", unit_cost="CR8.6", price_year=""),
    ]
    result = run(benefits=lines, price_year="2010/11")
    assert result.estimate("pv_benefits_fiscal").estimate == pytest.approx(10 * (1041 + 1009))
    assert result.estimate("pv_benefits_social").estimate == pytest.approx(10 * 3789)


def test_a_whole_cost_is_not_given_to_two_agencies():
    lines = [benefit("robbery", agency, unit_cost="CR8.6", price_year="") for agency in ("police", "courts")]
    refused("beside itself or its own agency shares", benefits=lines, price_year="2010/11")


def test_a_code_without_the_value_asked_for_is_refused():
    refused("`HO.robbery` has no fiscal value", benefits=[benefit(unit_cost="HO.robbery", price_year="")])


def test_the_multiplier_is_on_all_crime_or_on_none():
    lines = [
        benefit("a", unit_cost="CR8.6", price_year="", multiplier=2),
        benefit("b", unit_cost="CR8.5", price_year="", multiplier=1),
    ]
    refused("on some crime lines and not on others", benefits=lines, price_year="2010/11")
    result = run(benefits=lines[:1], price_year="2010/11")
    assert result.estimate("pv_benefits_fiscal").estimate == pytest.approx(10 * 3674 * 2)
    assert result.check("recorded_to_actual")


def test_transfers_are_fiscal_and_no_part_of_public_value():
    refused("a transfer", benefits=[benefit(perspective="economic", transfer=1)])
    result = run(benefits=[benefit(transfer=1), benefit("work", perspective="economic")])
    assert result.estimate("pv_benefits_fiscal").estimate == 1000
    assert result.estimate("net_present_public_value").estimate == 0


def test_in_kind_costs_count_only_in_public_value():
    costs = [
        cost(amount=500),
        cost("rooms", kind="in_kind", amount=300),
        cost("van", kind="capital", amount=200),
    ]
    fiscal, public = run(costs=costs), run(costs=costs, perspective="public_value")
    assert fiscal.estimate("pv_costs_fiscal").estimate == 700
    assert fiscal.estimate("pv_costs").estimate == 1000
    assert fiscal.headline.estimate == pytest.approx(1000 / 700)
    assert public.headline.estimate == 1
    terms = [each.term for each in fiscal.estimates]
    assert terms == [each.term for each in public.estimates]
    differing = {
        a.term for a, b in zip(fiscal.estimates, public.estimates, strict=True) if a.estimate != b.estimate
    }
    assert {each for each in differing if not each.startswith("break_even")} == {"benefit_cost_ratio"}


def test_a_joint_grant_counts_only_the_share_that_this_account_carries():
    result = run(costs=[cost(amount=1000, share=0.25), cost("own", amount=500)])
    assert result.estimate("pv_costs").estimate == 750
    refused("column `share`: a share cannot be above one", costs=[cost(share=1.5)])


def test_the_ratio_of_expected_values_does_not_depend_on_the_draws():
    frames = account([cost(confidence=4)], [benefit(confidence=5)])
    one, other = cost_benefit(frames, draws=1000, seed=1), cost_benefit(frames, draws=3000, seed=9)
    assert one.headline.estimate == other.headline.estimate
    assert one.headline.conf_low != other.headline.conf_low
    assert one.headline.conf_low < one.headline.estimate < one.headline.conf_high


def test_without_draws_there_is_no_probability_and_no_interval():
    result = run(benefits=[benefit(confidence=4)])
    assert result.estimate("probability_benefits_exceed_costs").estimate is None
    assert result.headline.conf_low is None
    assert result.detail["draws"].empty


def test_without_the_error_of_the_impact_there_is_none_either():
    result = run(benefits=[benefit(impact="main")], impacts={"main": Impact(value=0.1)}, draws=1000)
    assert result.check("impact_error").passed is False
    assert result.estimate("probability_benefits_exceed_costs").estimate is None


def test_costs_raised_and_benefits_cut_by_grade():
    graded = run(costs=[cost(confidence=6)], benefits=[benefit(confidence=4)])
    assert graded.estimate("pv_costs").estimate == pytest.approx(1400)
    assert graded.estimate("pv_benefits_fiscal").estimate == pytest.approx(850)
    assert graded.check("unverified_parameters").passed is False
    assert run().check("unverified_parameters").passed is True


def test_horizon_counts_years_from_nought():
    rows = [benefit(last_year=9)]
    with pytest.warns(EvalkitWarning, match="beyond_horizon"):
        result = run(costs=[cost(), cost(year=5)], benefits=rows, horizon=2)
    assert result.estimate("pv_costs").estimate == 1000
    assert result.estimate("pv_benefits_fiscal").estimate == pytest.approx(1000 + 1000 / 1.035)
    assert set(result.detail["cashflow"]["year"]) == {0, 1}


def test_several_price_years_need_one_to_be_named():
    with pytest.raises(StudyError, match="several price years"):
        run(benefits=[benefit(price_year="2010/11")])
    assert run(benefits=[benefit(price_year="2010/11")], price_year="2010/11").headline.estimate > 1
    refused("are not converted into each other", benefits=[benefit(price_year="2019")], price_year="2015/16")
    refused("no deflator holds 2030/31", benefits=[benefit(price_year="2030/31")], price_year="2015/16")


def test_a_code_keeps_its_own_price_year_and_a_wrong_one_is_warned_of():
    row = benefit(unit_cost="CR7.0", price_year="2018/19")
    with pytest.warns(EvalkitWarning, match="CR7.0 is in 2006/07"):
        wrong = run(benefits=[row], price_year="2015/16")
    blank = run(benefits=[{**row, "price_year": ""}], price_year="2015/16")
    assert wrong.headline.estimate == blank.headline.estimate
    assert run(benefits=[{**row, "price_year": "2015/16"}]).headline.estimate == blank.headline.estimate


def test_average_places_are_not_cashable():
    row = benefit(unit_cost="SS3.0", price_year="", cashable=1)
    assert run(benefits=[row], price_year="2015/16").check("cashable_average_costs").passed is False
    assert (
        run(benefits=[{**row, "cashable": 0}], price_year="2015/16").check("cashable_average_costs") is None
    )


def test_old_unit_costs_are_said():
    check = run(benefits=[benefit(unit_cost="CR1.0", price_year="")], price_year="2015/16").check(
        "unit_cost_age"
    )
    assert (check.statistic, check.passed) == (13, False)


def test_an_agency_that_saves_more_than_it_spends_on_the_item():
    with pytest.warns(EvalkitWarning, match="saves_more_than_spends"):
        result = run(benefits=[benefit(population=100, current_spend=4000)])
    assert result.check("saves_more_than_spends").passed is False
    assert (
        run(benefits=[benefit(population=10, current_spend=4000)]).check("saves_more_than_spends").passed
        is True
    )


def test_a_harmful_estimate_is_carried_as_harm():
    with pytest.warns(EvalkitWarning, match="went the wrong way"):
        result = run(benefits=[benefit(impact="main")], impacts={"main": Impact(value=-0.1, std_error=0.05)})
    assert result.headline.estimate == pytest.approx(-0.1)


def test_recipients_are_laid_out_with_transfers_left_out():
    lines = [
        benefit(),
        benefit("tax", transfer=1),
        benefit("pay", "people", "economic", population=20),
        benefit("harm", "victims", "social", population=30),
        benefit("order", "area", "social", population=40, recipient="indirect"),
    ]
    table = run(benefits=lines).detail["per_recipient"].set_index("recipient")
    assert dict(table["pv_benefits"]) == {
        "taxpayers": 1000,
        "participants": 2000,
        "others": 3000,
        "indirect": 4000,
    }
    assert table["share"].sum() == pytest.approx(1)


def test_homicide_is_shown_apart():
    lines = [benefit("a", unit_cost="CR8.1", price_year=""), benefit("b", unit_cost="CR8.6", price_year="")]
    result = run(benefits=lines, price_year="2010/11")
    assert result.check("homicide_apart").statistic == pytest.approx(36_740 / (1000 * 179.9069 / 195.9697))


def test_no_costs_give_no_ratio():
    result = run(costs=[cost(amount=0)], draws=100)
    assert result.headline.estimate is None
    assert result.estimate("payback_year").estimate is None
    assert result.estimate("probability_benefits_exceed_costs").estimate is None


@pytest.mark.parametrize(
    "options",
    [
        {"perspective": "society"}, {"kind": "review"}, {"draws": -1}, {"horizon": 0}, {"discounting": "green_book"},
        {"level": 1.5}, {"price_year": "2019/21"}, {"published_ratio": -1.0}, {"impacts": {"main": {"valeu": 1}}},
        {"parameters": "nowhere.yaml"}, {"perspectives": "fiscal"},
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused_by_name(options):
    with pytest.raises(StudyError):
        run(**options)


def test_ranges_outside_their_family_are_refused():
    with pytest.raises(StudyError, match="outside its own range"):
        run(benefits=[benefit(engaged=0.9, engaged_low=0.1, engaged_high=0.5)])
    with pytest.raises(StudyError, match="no triangle"):
        run(benefits=[benefit(units=1.9, units_low=1, units_high=2, units_distribution="triangular")])
    refused("given together or not at all", benefits=[benefit(units_low=0.5)])


def estimate(measure, number, error, unit=None, method="rates", estimand="att"):
    each = Estimate(term="treated_vs_control", measure=measure, estimate=number, std_error=error, unit=unit)
    return Result(method=method, estimand=estimand, outcome="reoffended", analysis="main", estimates=(each,))


def test_a_risk_difference_becomes_a_proportion_with_the_sign_of_better():
    impact = impact_from(estimate("risk_difference", -7.0, 4.63, "percentage points"), better="lower")
    assert (impact.value, impact.std_error) == pytest.approx((0.07, 0.0463))
    assert (impact.scale, impact.estimand, impact.analysis) == ("proportion", "att", "main")
    assert impact_from(estimate("risk_difference", -7.0, 4.63), better="higher").value == pytest.approx(-0.07)


def test_a_frequency_becomes_a_count_per_person():
    impact = impact_from(estimate("mean_difference", -0.4, 0.1, "offences per person"), better="lower")
    assert (impact.value, impact.scale) == (pytest.approx(0.4), "count")


def test_ratios_need_a_baseline():
    with pytest.raises(StudyError, match="needs a baseline"):
        impact_from(estimate("rate_ratio", 0.8, 0.1), better="lower")
    with pytest.raises(StudyError, match="takes no baseline"):
        impact_from(estimate("risk_difference", -7.0, 4.63), better="lower", baseline=0.3)
    rate = impact_from(estimate("rate_ratio", 0.8, 0.1), better="lower", baseline=1.5)
    assert (rate.value, rate.scale) == (pytest.approx(1.5 * 0.2), "count")
    # odds ratio 0.5 at 0.4: odds 0.6667 x 0.5 = 0.3333, risk 0.25, so 0.15 fewer
    odds = impact_from(estimate("odds_ratio", 0.5, 0.2), better="lower", baseline=0.4)
    assert (odds.value, odds.scale) == (pytest.approx(0.15), "proportion")


@pytest.mark.parametrize(
    "result",
    [
        estimate("hazard_ratio", 0.8, 0.1, method="survival"),
        estimate("mean_difference", -3.0, 1.0, "asb per ward and month", method="did"),
        estimate("risk_difference", None, None),
        estimate("risk_difference", -7.0, 4.63, estimand="descriptive"),
    ],
)
def test_what_is_neither_a_proportion_nor_a_count_per_person_is_refused(result):
    with pytest.raises(StudyError):
        impact_from(result, better="lower", baseline=None)


def test_an_outcome_without_a_good_direction_is_refused():
    with pytest.raises(StudyError, match="which direction is better"):
        impact_from(estimate("risk_difference", -7.0, 4.63), better=None)


def test_claims_on_two_perspectives_are_never_added():
    one = Claim(value=5.48, unit="pounds per pound", perspective="accommodation only")
    other = Claim(value=48_000, unit="pounds per person", perspective="agencies, without accommodation")
    with pytest.raises(Refused, match="these claims are not added: they count different costs and benefits"):
        refuse_to_add([one, other])
    with pytest.raises(Refused, match="in different prices"):
        refuse_to_add([{**vars_of(other), "price_year": year} for year in ("2015/16", "2019/20")])
    assert refuse_to_add([other, other]) == 96_000


def vars_of(claim):
    return {"value": claim.value, "unit": claim.unit, "perspective": claim.perspective}


def test_a_figure_older_than_its_current_edition_is_said():
    claim = Claim(value=8.87, unit="dollars per dollar", perspective="all", source="WSIPP", edition="2016")
    assert "newer edition (2024)" in older_than_current(claim, "2024")
    assert older_than_current(claim, "2016") is None


def test_the_formula_of_a_published_ratio_is_asked_for_whole():
    with pytest.raises(StudyError, match="these inputs are needed"):
        required(5.48, {"people": 25}, "units")
    with pytest.raises(StudyError, match="Did you mean `cost_base`"):
        required(5.48, {"cost_bas": 1}, "units")


def test_a_published_ratio_gives_a_surface_never_one_number():
    result = run(
        benefits=[benefit(unit_cost="SS3.0", price_year="")], price_year="2015/16", published_ratio=5.48
    )
    assert len(result.detail["must_be_true"]) == 9
    assert not [each for each in result.estimates if each.term.startswith("required")]


def test_the_what_if_page_has_the_formula_of_the_account():
    lines = [
        benefit("a", deadweight=0.2, last_year=3, drop_off=0.1, confidence=3),
        benefit("b", impact="main"),
    ]
    result = run(benefits=lines, impacts=NET)
    data = what_if(result)
    assert what_if_ratio(data) == pytest.approx(result.headline.estimate, rel=EXACT)
    moved = run(benefits=[{**lines[0], "deadweight": 0.5}, lines[1]], impacts=NET)
    assert what_if_ratio(data, deadweight=0.5) == pytest.approx(moved.headline.estimate, rel=EXACT)
    assert what_if(result, show_ratio=False)["showRatio"] is False


def test_a_users_parameters_win_and_are_named():
    own = {"costs": {"CR7.0": {"item": "Arrest here", "unit": "arrest", "fiscal": 800, "price_year": "2015/16",
           "source": "finance team", "verified": True}}}  # fmt: skip
    result = run(benefits=[benefit(unit_cost="CR7.0", price_year="")], parameters=own)
    assert result.estimate("pv_benefits_fiscal").estimate == 8000
    assert "CR7.0" in result.check("own_parameters").reading


def test_every_frame_of_the_contract_is_there_and_the_input_is_untouched():
    frames = account([cost()], [benefit()])
    before = {name: frame.copy() for name, frame in frames.items()}
    result = cost_benefit(frames, draws=500)
    assert {"cashflow", "by_agency", "tornado", "draws"} <= set(result.detail)
    assert {"line", "agency", "year", "nominal", "real", "discounted"} <= set(
        result.detail["cashflow"].columns
    )
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])
    again = Result.from_dict(result.to_dict())
    assert again.headline == result.headline


def test_what_a_reader_of_files_may_keep_beyond_the_contract():
    costs, benefits = optional_columns("costs"), optional_columns("benefits")
    assert {"share", "grant", "amount_low", "amount_high", "amount_distribution", "currency"} == set(costs)
    assert {"multiplier", "current_spend", "recipient", "impact_low", "unit_cost_distribution"} <= set(
        benefits
    )
    assert all(each.nullable for each in (*costs.values(), *benefits.values()))
    blank = dict.fromkeys(costs), dict.fromkeys(benefits)
    assert run(costs=[cost(**blank[0])], benefits=[benefit(**blank[1])]).headline.estimate == 1


def test_one_type_of_crime_needs_its_own_frequency():
    row = benefit(impact="often", unit_cost="CR8.6", price_year="")
    assert (
        "often by robbery (CR8.6)"
        in run(benefits=[row], impacts=COUNT, price_year="2015/16").check("crime_by_type").reading
    )


def test_options_have_the_names_of_the_contract():
    names = CostBenefitOptions.__dataclass_fields__
    assert {"horizon", "price_year", "discounting", "perspective", "draws", "kind", "level", "seed"} <= set(
        names
    )
