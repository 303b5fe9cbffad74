"""What the analyses of one study owe each other: adjusted p-values, ties, errors after matching with replacement."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.__main__ import main
from evalkit.disclosure.estimates import adjusted as printed_p
from evalkit.errors import EstimationError, StudyError
from evalkit.inference import holm
from evalkit.pipeline.family import aligned, unsaid_with
from evalkit.report.annex import methods
from evalkit.report.output import read_output
from evalkit.results import Estimate, Result
from evalkit.study import read_study

QUIET = "templates: []"
ROMANO_WOLF = (
    "p_adjust: romano_wolf}\n"
    "  more: {role: secondary, method: rates, outcome: reoffended, measure: risk_ratio, p_adjust: romano_wolf}"
)


@pytest.fixture
def run(make_study):
    """Run the matched study after some replacements in study.yml; its results by analysis."""
    folder = make_study()

    def once(*changes: tuple[str, str]) -> dict:
        text = (folder / "study.yml").read_text(encoding="utf-8")
        text = text.replace("templates: [commissioner, summary]", QUIET)
        text = text.replace("preset: public", "preset: internal")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (folder / "study.yml").write_text(text, encoding="utf-8")
        assert main(["run", str(folder), "--quiet"]) == 0
        values = json.loads((folder / "output" / "results.json").read_text(encoding="utf-8"))
        return {each["analysis"]: each for each in values["results"]}

    once.folder = folder
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


def test_tests_of_the_same_people_are_drawn_together(run):
    found = run(("measure: rate_ratio}", f"measure: rate_ratio, {ROMANO_WOLF}"))
    heads = [found[name]["estimates"][0] for name in ("often", "more")]
    p, adjusted = (np.array([head[key] for head in heads]) for key in ("p_value", "p_adjusted"))
    assert (adjusted >= p).all()
    # How often and whether people reoffend are alike, so it costs less than Holm's rule.
    assert (adjusted <= holm(p) + 1e-12).all()
    assert adjusted.min() < holm(p).min() - 0.002
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert "romano2005" in found["often"]["references"]


def test_the_draws_are_the_same_every_time_and_in_any_order(run):
    once = run(("measure: rate_ratio}", f"measure: rate_ratio, {ROMANO_WOLF}"))
    again = run(
        ("  main: {role", "  aaa: {role: sensitivity, method: rates, outcome: reoffended}\n  main: {role")
    )
    assert [once[name]["estimates"][0] for name in ("often", "more")] == [
        again[name]["estimates"][0] for name in ("often", "more")
    ]


def test_the_methods_say_with_which_tests_and_how_a_p_value_is_adjusted(make_study, run):
    found = run(("measure: rate_ratio}", f"measure: rate_ratio, {ROMANO_WOLF}"))
    words = methods(read_output(run.folder / "output"))
    assert "adjusted together with more by the step-down of Romano and Wolf: 9,999 draws" in words
    assert f"p = {found['often']['estimates'][0]['p_adjusted']:.3f}"[:6] in words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((("rate_ratio}", "rate_ratio, p_adjust: sidak}"),), "`holm`, `bh` or `romano_wolf`"),
        (
            (("method: rates, outcome: reoffences, measure: rate_ratio}",
              "method: survival, outcome: reoffended, p_adjust: romano_wolf}"),),
            "`rates` and `did` can be drawn so, and `counts`",
        ),
        ((("rate_ratio}", "rate_ratio, adjust: [age], missing: mice, p_adjust: romano_wolf}"),), "`missing: mice`"),
        (
            (("rate_ratio}", f"rate_ratio, {ROMANO_WOLF}"), ("measure: risk_ratio, p_adj", "cluster: sex, p_adj")),
            "the same units to be independent",
        ),
        (
            (("replace: false", "replace: true"), ("rate_ratio}", f"rate_ratio, {ROMANO_WOLF}"),
             ("measure: risk_ratio", "measure: risk_difference")),
            "matched with replacement",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_together_is_refused_by_name(make_study, capsys, changes, said):
    folder = make_study()
    text = (folder / "study.yml").read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    assert main(["check", str(folder)]) == 10
    assert said in " ".join(capsys.readouterr().err.split())


def test_people_are_aligned_by_their_ids_and_add_nothing_where_they_are_not(study):
    results = {
        "often": found_by([1.0, -1.0, 0.5], pd.Index(["c", "a", "b"], name="person_id")),
        "more": found_by([2.0, 3.0], pd.Index(["b", "d"], name="person_id")),
    }
    joint = aligned(study, results)
    assert joint.tolist() == [[-1.0, 0.0], [0.5, 2.0], [1.0, 0.0], [0.0, 3.0]]


def test_different_units_and_unknown_influences_are_refused_when_they_are_found(study):
    people = found_by([1.0, -1.0], pd.Index(["a", "b"], name="person_id"))
    sets = found_by([1.0, -1.0], pd.Index(["a", "b"], name="subclass"))
    with pytest.raises(StudyError, match="same units to be independent"):
        aligned(study, {"often": people, "more": sets})
    with pytest.raises(EstimationError, match="cannot draw this analysis"):
        aligned(study, {"often": people, "more": replace(people, influence=None)})


@pytest.mark.parametrize(
    ("p_adjusted", "multiple"), [(0.02, 1), (0.0201, 1.5), (0.034, 2), (0.04, 2), (0.045, 2.5)]
)
def test_a_public_adjusted_p_value_is_a_multiple_in_halves_of_the_printed_one(p_adjusted, multiple):
    head = found_by([1.0], pd.Index(["a"]), p_adjusted=p_adjusted).headline
    assert printed_p(head, 0.03) == pytest.approx(0.03 * multiple)


def test_an_adjusted_p_value_says_nothing_of_a_test_that_is_withheld(study):
    raw = {
        name: found_by([1.0], pd.Index(["a"]), name=name, p_adjusted=0.04)
        for name in ("often", "more", "main")
    }
    hidden = replace(raw["more"], estimates=(replace(raw["more"].headline, p_value=None, estimate=None),))
    said = {
        each.analysis: each.headline for each in unsaid_with(study, raw, [raw["often"], hidden, raw["main"]])
    }
    assert said["often"].p_adjusted is None
    assert said["often"].p_value == 0.02
    assert said["main"].p_adjusted == 0.04
    whole = unsaid_with(study, raw, list(raw.values()))
    assert [each.headline.p_adjusted for each in whole] == [0.04] * 3


def test_labels_of_people_go_with_their_values_and_are_never_written():
    found = found_by([1.0], pd.Index(["a person"], name="person_id"))
    assert replace(found, influence=None).units is None
    assert "a person" not in json.dumps(found.to_dict()) + repr(found)


@pytest.fixture
def study(make_study):
    """A study with a family of two tests."""
    folder = make_study()
    path = folder / "study.yml"
    text = path.read_text(encoding="utf-8").replace(
        "measure: rate_ratio}", f"measure: rate_ratio, {ROMANO_WOLF}"
    )
    path.write_text(text, encoding="utf-8")
    return read_study(folder)


def found_by(influence, units, name="often", p_adjusted=None) -> Result:
    head = Estimate(
        term="treated_vs_control",
        measure="risk_difference",
        estimate=1.0,
        p_value=0.02,
        p_adjusted=p_adjusted,
    )
    return Result(
        method="rates", estimand="att", outcome="reoffended", estimates=(head,), analysis=name,
        influence=np.array(influence), units=units,
    )  # fmt: skip


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
