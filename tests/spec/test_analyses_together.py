"""What the analyses of one study owe each other: adjusted p-values, ties, errors after matching with replacement."""

from __future__ import annotations

import json

import pytest

from evalkit.__main__ import main
from evalkit.inference import holm

QUIET = "templates: []"


@pytest.fixture
def run(make_study):
    """Run the matched study after some replacements in study.yml; its results by analysis."""
    folder = make_study()

    def once(*changes: tuple[str, str]) -> dict:
        text = (folder / "study.yml").read_text(encoding="utf-8")
        for before, after in (
            ("templates: [commissioner, summary]", QUIET),
            ("preset: public", "preset: internal"),
            *changes,
        ):
            assert before in text
            text = text.replace(before, after)
        (folder / "study.yml").write_text(text, encoding="utf-8")
        assert main(["run", str(folder), "--quiet"]) == 0
        values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
        return {each["analysis"]: each for each in values["results"]}

    return once


def test_p_values_are_adjusted_over_the_analyses_that_ask_for_it(run):
    more = "p_adjust: holm}\n  more: {role: secondary, method: rates, outcome: reoffended, measure: risk_ratio, p_adjust: holm}"
    found = run(("measure: rate_ratio}", f"measure: rate_ratio, {more}"))
    heads = {name: found[name]["estimates"][0] for name in ("often", "more")}
    expected = holm([head["p_value"] for head in heads.values()])
    assert [head["p_adjusted"] for head in heads.values()] == pytest.approx(list(expected))
    assert found["main"]["estimates"][0]["p_adjusted"] is None


def test_controls_used_again_get_the_errors_that_belong_to_it(run):
    found = run(("replace: false", "replace: true"))
    assert found["main"]["estimates"][0]["interval"] == "abadie_imbens"


def test_the_order_of_ties_is_shown_beside_a_matched_estimate(run):
    check = next(each for each in run()["main"]["checks"] if each["name"] == "tie_orders")
    assert check["statistic"] > 0
    assert "random orders" in check["reading"]


def test_romano_wolf_over_analyses_is_refused_by_name(make_study, capsys):
    folder = make_study()
    path = folder / "study.yml"
    text = path.read_text(encoding="utf-8").replace(
        "measure: rate_ratio}", "measure: rate_ratio, p_adjust: romano_wolf}"
    )
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(folder)]) == 10
    assert "romano_wolf" in capsys.readouterr().err


def test_a_margin_of_survival_is_checked_and_complete_cases_may_be_named(run):
    timed = "  days: {measure: time_to_first, follow_up: 12 months, waiting: 6 months, better: higher}"
    more = "missing: complete}\n  free: {role: secondary, method: survival, outcome: days, horizon: 300, margin: 99}"
    found = run(
        ("outcomes:\n", f"outcomes:\n{timed}\n"), ("measure: rate_ratio}", f"measure: rate_ratio, {more}")
    )
    assert found["free"]["estimates"][0]["term"] == "difference_at_horizon"
    check = next(each for each in found["free"]["checks"] if each["name"] == "margin")
    assert (check["passed"], check["threshold"]) == (True, 99)
    # A longer time is the better one, so that its lower end is the one that matters.
    assert check["statistic"] == pytest.approx(found["free"]["estimates"][0]["conf_low"])
