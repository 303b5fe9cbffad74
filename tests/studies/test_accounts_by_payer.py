"""Accounts by payer with break-even: illustrative inputs, real grants, and no effect valued that nobody estimated."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

OPTIMISM = 1.40  # costs of confidence grade 6 are raised by 40%
COARSE = 0.03  # the gate keeps two figures of an account beside people

# award, share assumed, awarding body
GRANTS = {
    "youth-work-plus": (546_000, 1 / 16, "Home Office"),
    "fft-faf": (781_055, 1 / 2, "Youth Endowment Fund"),
}


@pytest.fixture(params=sorted(GRANTS))
def account(request, site, results):
    values = results(request.param)
    found = next(each for each in values["results"] if each["method"] == "cost_benefit")
    terms = {each["term"]: each["estimate"] for each in found["estimates"]}
    agencies = pd.read_csv(site / request.param / found["detail"]["by_agency"])
    said = next(each for each in values["statements"] if each["analysis"] == found["analysis"])
    return request.param, found, terms, agencies, said


def test_only_the_apportioned_share_of_a_joint_grant_is_counted(account):
    study, _, terms, agencies, _ = account
    award, share, payer = GRANTS[study]
    assert terms["pv_costs_fiscal"] == pytest.approx(award * share * OPTIMISM, rel=COARSE)
    paid = agencies.set_index("agency").filter(regex="cost").loc[payer].max()
    assert paid == pytest.approx(terms["pv_costs_fiscal"], rel=COARSE)


def test_break_even_is_where_benefits_equal_costs(account):
    _, _, terms, _, _ = account
    assert terms["break_even_costs"] == pytest.approx(terms["pv_benefits_fiscal"], rel=COARSE)
    scale = terms["pv_costs_fiscal"] / terms["pv_benefits_fiscal"]
    assert terms["break_even_unit_cost"] == pytest.approx(scale, rel=COARSE)
    assert terms["break_even_impact"] == pytest.approx(0.2 * scale, rel=COARSE)


def test_an_appraisal_is_never_the_main_result_and_never_a_finding(account):
    _, found, _, _, said = account
    assert found["role"] == "exploratory"
    assert said["level"] == 0
    assert "a plan of what might be, not a finding" in said["can_say"]
    assert "To cover its cost" in said["can_say"]


@pytest.mark.parametrize("study", sorted(GRANTS))
def test_every_line_says_that_it_is_illustrative(study):
    data = ROOT / "studies" / study / "data"
    benefits = pd.read_csv(data / "benefits.csv")
    assert benefits["line"].str.endswith("(illustrative)").all()
    assert pd.to_numeric(benefits["impact"], errors="coerce").notna().all()
    assert benefits["unit_cost"].str.match(r"[A-Z&]+\d").all()
    assert pd.read_csv(data / "costs.csv")["line"].str.contains("assumed|illustrative").all()
