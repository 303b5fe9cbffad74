"""What the pages say, from results alone: nothing is drawn or rendered here."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.report import front, parts, printed, summary, worth
from evalkit.report.output import Output
from evalkit.report.words import places, uncoded, unticked
from evalkit.results import Check, Estimate, Result

HEADLINE = "17 of 20 (85%) had no further recorded involvement."
SHARE = Estimate(term="proportion", measure="proportion", estimate=0.85, conf_low=0.64, conf_high=0.95)


def study(*, results=(), **values):
    """An output that was never written: the least that a page needs, and what a test is about."""
    least = {"study": "s", "title": "S", "data_status": "published", "results": []}
    return Output(folder=Path("nowhere"), values=least | values, results=tuple(results))


def share(**fields):
    return Result(method="proportion", estimand="descriptive", outcome="", estimates=(SHARE,),
                  **{"analysis": "main", "role": "primary"} | fields)  # fmt: skip


def mixed():
    return study(
        results=[share(), share(analysis="wards", role="secondary")],
        data_status="simulated",
        headline=HEADLINE,
        evidence={"level": 1, "hypothetical": False},
        statements=[
            {"analysis": "main", "data_status": "published", "label": "had none", "headline": HEADLINE},
            {"analysis": "wards", "data_status": "simulated", "label": "incidents"},
        ],
    )


def test_a_study_of_published_and_invented_figures_says_so():
    made = mixed()
    assert front.banner_text(made).startswith("Partly invented data. Figures marked as published are as")
    assert made.status == "Published figures and invented data"
    assert [made.label(each) for each in made.results] == [
        "had none (published figures)",
        "incidents (invented data)",
    ]
    assert "Evidence level 1 of 5" in parts.evidence(made)


def test_a_study_of_invented_figures_alone_says_that():
    made = study(data_status="simulated", statements=[{"analysis": "main", "data_status": "simulated"}])
    assert front.banner_text(made) == front.SIMULATED
    assert made.status == "Invented data"
    assert "earn level" in parts.evidence(
        study(data_status="simulated", results=[share()], evidence={"level": 4})
    )


def test_invented_data_beside_figures_that_a_source_printed_are_mixed():
    made = study(
        data_status="simulated", results=[share()], published=[{"measure": "grant", "published_value": "1"}],
        statements=[{"analysis": "main", "data_status": "simulated", "label": "had none"}],
    )  # fmt: skip
    assert front.banner_text(made) == front.MIXED
    assert made.label(made.results[0]) == "had none"
    real = study(data_status="published", statements=[{"analysis": "main", "data_status": "simulated"}])
    assert front.banner_text(real) == front.PARTLY
    assert front.banner_text(study(published=[{"measure": "grant"}])) == ""


def test_the_first_page_says_nothing_twice():
    same = study(headline=HEADLINE, answers={"did_it_work": HEADLINE})
    assert front.lead(same) == ""
    assert "17 of 20" in front.answers(same)
    longer = study(
        headline=HEADLINE, answers={"did_it_work": f"That cannot be told from one group. {HEADLINE}"}
    )
    assert "17 of 20" in front.lead(longer)
    assert "17 of 20" not in front.answers(longer)
    assert "That cannot be told from one group" in front.answers(longer)


def test_the_first_page_gives_the_age_of_prices_and_names_what_is_not_verified():
    account = Result(
        method="cost_benefit", estimand="", outcome="", analysis="value", role="secondary", estimates=(SHARE,),
        checks=(Check(name="unverified_parameters", passed=False, reading="Not checked: the deflator (prices_2015)"),),
    )  # fmt: skip
    price = {"item": "Arrest", "price_year": "2006/07", "age_years": 9, "verified": 1}
    said = front.answers(study(results=[account], parameters=[price]))
    assert "- The oldest unit cost is in prices 9 years older than those of the account.\n" in said
    assert "not checked at their source" in said
    assert "prices" not in said.replace("in prices 9", "")
    assert "oldest" not in front.answers(study(parameters=[price]))
    told = worth.parameters(study(results=[account], parameters=[price]))
    assert (
        "The oldest unit cost &#40;arrest&#41; is in prices of 2006/07, 9 years before those of the account."
        in told
    )
    assert "Not checked: the deflator." in told
    assert "Not verified: arrest." in worth.parameters(
        study(results=[account], parameters=[price | {"verified": 0}])
    )


def test_a_code_in_brackets_stays_in_the_annex():
    assert uncoded("a deflator (gdp_financial_2015), from 2014") == "a deflator, from 2014"
    assert unticked("Set `deflator` of prices_2015 (gmca_2014).") == "Set “deflator” of prices 2015."


def test_what_cannot_be_said_is_told_in_full_once():
    limit = "Anything about the real programme. The data were invented."
    rows = [{"analysis": name, "can_say": "So.", "cannot_say": limit} for name in ("one", "two")]
    said = parts.statements(study(statements=rows))
    assert said.count("Anything about the real programme.") == 2
    assert said.count("The data were invented.") == 1


@pytest.mark.parametrize(
    ("estimate", "low", "high", "decimals"),
    [(-16.0, -44.0, 11.0, 0), (-0.5, -2.7, 1.7, 1), (2.041, -0.34, 4.42, 1), (0.69, 0.55, 0.8, 2), (77.4, 32.2, 108.1, 0)],
)  # fmt: skip
def test_no_number_is_printed_finer_than_its_range_supports(estimate, low, high, decimals):
    assert places(estimate, low, high) == decimals


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"published_value": "17", "unit": "count", "numerator": 17.0, "denominator": 20.0}, "17 of 20"),
        ({"published_value": "30", "unit": "count", "numerator": 30.0}, "30"),
        ({"published_value": "80", "unit": "percent", "numerator": 21.0, "denominator": 26.0}, "80% (21 of 26)"),
        ({"published_value": "-41", "unit": "percent_change"}, "−41%"),
        ({"published_value": "23.9", "unit": "percent_change", "before": 5958.0, "after": 7381.0},
         "+23.9% (5,958 to 7,381)"),
        ({"published_value": "1423", "unit": "count_change"}, "+1,423"),
        ({"published_value": "48000", "unit": "GBP"}, "£48,000"),
        ({"published_value": "5.48", "unit": "GBP_per_GBP"}, "£5.48 per £1"),
        ({"published_value": "18.7", "unit": "rate_per_1000"}, "18.7 per 1,000"),
        ({"published_value": "10", "unit": "years"}, "10 years"),
        ({"published_value": "2", "unit": "percent_max"}, "under 2%"),
        ({"published_value": "165", "unit": "count", "numerator": 165.0, "denominator": 155.0}, "165 (beside 155)"),
        ({"published_value": "", "unit": "percent_change"}, "[x]"),
        ({"published_value": "about 30", "unit": "count"}, "about 30"),
    ],
)  # fmt: skip
def test_printed_values_read_as_a_reader_expects(row, text):
    assert printed.as_printed(row) == text


def test_printed_figures_are_not_ours_and_claims_on_two_perspectives_stay_apart():
    rows = [
        {"measure": "a", "published_value": "5.48", "unit": "GBP_per_GBP", "note": "perspective: one only"},
        {"measure": "b", "published_value": "48000", "unit": "GBP", "note": "x; perspective: the others"},
        {"measure": "c", "published_value": "3", "unit": "count", "note": "overlaps with d"},
    ]
    said = printed.printed(study(published=rows))
    assert "They are not ours" in said
    assert (
        "£5.48 per £1 &#40;one only&#41; and £48,000 &#40;the others&#41; are claims on different perspectives: "
        "they are not added" in said
    )
    assert "overlap" in said
    assert "perspectives" not in printed.printed(study(published=rows[1:]))


def test_a_change_printed_twice_stands_in_one_row():
    row = {"measure": "All crime", "before": 5958.0, "after": 7381.0}
    rows = [row | {"published_value": "23.9", "unit": "percent_change"},
            row | {"published_value": "1423", "unit": "count_change"}]  # fmt: skip
    said = printed.printed(study(published=rows))
    assert said.count("All crime") == 1
    assert "1,423; +23.9% &#40;5,958 to 7,381&#41;" in said


def test_many_printed_figures_are_cut_short_for_the_commissioner_and_whole_in_the_annex():
    rows = [{"measure": f"m{i}", "published_value": str(i), "unit": "count"} for i in range(20)]
    made = study(published=rows)
    assert "The technical annex has 5 more." in printed.printed(made)
    assert "M19" not in printed.printed(made)
    assert "M19" in printed.published(made)


def test_what_a_study_adds_about_its_programme_is_printed_under_its_own_words():
    told = {"name": "P", "later_evidence": "Larger trials did not repeat it", "design_note": "Two by two"}
    made = study(about={"intervention": told})
    assert "Larger trials did not repeat it." in parts.notes(made)
    assert "## Later evidence" in parts.notes(made)
    assert "Design note\n:   Two by two" in parts.about(made)
    assert "Larger trials" not in parts.about(made)


def test_the_summary_calls_no_ratio_a_cost_per_person_and_no_row_of_counts_a_group():
    total = Estimate(term="pv_costs", measure="money", estimate=58975.0, unit="pounds, 2018/19 prices")
    account = Result(method="cost_benefit", estimand="value", outcome="", estimates=(total,),
                     analysis="value", role="secondary")  # fmt: skip
    rows = Result(method="counts", estimand="", outcome="", analysis="rows", role="secondary",
                  estimates=tuple(Estimate(term="rate_ratio", measure="rate_ratio", estimate=0.9, group=name)
                                  for name in ("theft", "robbery")))  # fmt: skip
    told = summary.fields(study(results=[share(), account, rows], answers={"at_what_cost": "Each £1 pays."}))
    assert told["cost_per_person"]["reason"].endswith("all costs together, in present value, are £59,000")
    assert told["equity"]["reason"] == "no groups were compared"


def test_a_field_that_is_too_long_ends_with_a_sentence():
    answers = {"what_next": " ".join(["Word word word word word word word word word."] * 6)}
    assert summary.fields(study(answers=answers))["next_step"].endswith("word.")


def test_a_ratio_is_explained_in_a_paragraph_of_its_own():
    ratio = Estimate(term="rate_ratio", measure="rate_ratio", estimate=0.9, conf_low=0.8, conf_high=1.1)
    counted = Result(
        method="counts", estimand="", outcome="", analysis="main", role="primary", estimates=(ratio,)
    )
    assert "\n\nA ratio of 1 means no difference.\n" in parts.findings(study(results=[counted]))
    assert "ratio of 1" not in parts.findings(study(results=[share()]))
