"""An account on the page: who pays, who saves and when, in the first answers; three standard layouts in the annex."""

from __future__ import annotations

import html
import re

import pytest
from places import once

from evalkit.__main__ import main
from evalkit.report import annex, appraisal, front, worth
from evalkit.report.output import read_output

OPTIONS = "price_year: 2015/16, not_valued: [peace of mind], risks: [fewer may come]"


def make(site):
    assert main(["new", str(site / "account"), "--design", "cba", "--quiet"]) == 0
    path = site / "account" / "study.yml"
    text = path.read_text(encoding="utf-8").replace("price_year: 2015/16", OPTIONS)
    path.write_text(text + "report: {templates: []}\n", encoding="utf-8")
    assert main(["run", str(site / "account"), "--quiet"]) == 0


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return read_output(once(tmp_path_factory, "account", make) / "account" / "output")


def row(text, start):
    return next(
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines() if line.startswith(f"| {start}")
    )  # fmt: skip


def pounds(cell):
    number = re.sub(r"[^\d.−]", "", cell).replace("−", "-")
    return float(number) * (1e6 if "million" in cell else 1)


def test_the_first_page_says_who_pays_who_saves_and_when(study):
    text = html.unescape(front.answers(study))
    cost = text[text.index("At what cost?") :]
    assert "Paying more than it would save: " in cost
    assert "Saving more than it would pay: " in cost
    assert "Giving time or things in kind: Charity (£19,000)." in cost
    assert re.search(r"All public budgets together: it would .* (years counted|year \d)", cost)
    assert "    - Saving more" in cost
    assert "gmca_2014" not in cost
    assert "optimism correction by confidence grade." in html.unescape(worth.parameters(study))


def test_each_year_has_its_payers_and_they_add_up(study):
    text = worth.value(study)
    head = row(text, "Payer")
    assert head[1:4] == ["Year 0", "Year 1", "Year 2"]
    assert head[-1] == "All years"
    frame = study.results[0].detail["by_agency_year"]
    assert set(frame["agency"]) == {"Council", "Police", "Charity"}
    total = row(text, "All public budgets")
    net = frame.astype({"net_budget_impact": float}).groupby("year")["net_budget_impact"].sum()
    assert pounds(total[1]) == pytest.approx(net.iloc[0], rel=0.06)


def test_what_would_have_to_be_true_stands_beside_what_was_entered(study):
    text = worth.value(study)
    assert row(text, "If only this changed")[1] == "As entered"
    assert re.fullmatch(r"[\d,]+", row(text, "People a year")[2])
    assert row(text, "Share that would have happened anyway")[1] == "20%"
    assert row(text, "Share of the benefit lost each year")[1] == "30%"
    assert "−" not in row(text, "Share of the benefit lost each year")[2]


def test_the_annex_has_three_standard_layouts(study):
    text = appraisal.value_views(study)
    for words in (
        "overall financial return on investment", "net present budget impact", "net present public value",
        "payback period", "Appraisal summary table", "Washington State Institute", "Taxpayers", "Benefits less costs",
    ):  # fmt: skip
        assert words in text
    assert row(text, "Not valued in money")[1] == "peace of mind"
    assert row(text, "Risk")[1] == "fewer may come"
    assert row(text, "Discount rates")[1].startswith("Green Book, February 2026 edition")
    assert "not shown: see below" in row(text, "Fiscal case: overall financial return on investment")[1]


def test_money_in_the_annex_has_two_figures(study):
    text = annex.detail(study)
    found = re.findall(r"£([\d,.]+)(?![\d,.])", text)
    assert found
    assert all(len(each.replace(",", "").replace(".", "").strip("0")) <= 2 for each in found)


def test_terms_are_named_in_words(study):
    text = annex.estimates(study)
    assert "Pv " not in text
    assert "Present value of costs to public budgets" in text
    assert "Break-even: drop off" in text
