"""What `help` says of each public name: the sections of its page, every option, and every frame that comes out."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import re

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from tests.costs import account, benefit, cost

METHODS = [name for name in ek._HOME if hasattr(getattr(ek, name), "options")]
SHAPES = [name for name in ek._HOME if inspect.isclass(getattr(ek, name))]
FUNCTIONS = [name for name in ek._HOME if name not in METHODS and name not in SHAPES]
# What these give is a number about a programme or its people; the others read, carry or word what there is.
FIGURES = {
    "balance_table", "tie_orders", "abadie_imbens", "e_value", "lee_bounds", "tipping_point", "percentages_possible",
    "base_range", "unknown_base", "possible_counts", "weighted_displacement_difference", "caseload",
    "cost_per_participant",
}  # fmt: skip
ALL_SECTIONS = {"Parameters", "Returns", "Raises", "Assumes", "Notes", "References"}


def page(name: str) -> str:
    return inspect.getdoc(getattr(ek, name)) or ""


def sections(name: str) -> dict[str, str]:
    parts = re.split(r"^(\w+)\n-{3,}\n", page(name), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def named(name: str) -> set[str]:
    """What a page names: the heads of its parameters, and all that stands in backticks."""
    heads = [
        line.split(" : ")[0] for line in sections(name).get("Parameters", "").splitlines() if line[:1].strip()
    ]
    return {part.strip() for head in heads for part in head.split(",")} | set(
        re.findall(r"`(\w+)`", page(name))
    )


def fields_of(name: str) -> set[str]:
    thing = getattr(ek, name)
    if dataclasses.is_dataclass(thing):
        return {each.name for each in dataclasses.fields(thing)}
    if name in METHODS:
        return {each.name for each in dataclasses.fields(thing.options)}
    return set(inspect.signature(thing).parameters)


@pytest.mark.parametrize("name", list(ek._HOME))
def test_a_page_begins_with_one_sentence_and_names_everything_that_is_given(name):
    assert re.match(r"\S[^\n]{20,}", page(name)), f"`{name}` has no page"
    assert fields_of(name) <= named(name), f"`{name}` does not say what {fields_of(name) - named(name)} is"


@pytest.mark.parametrize("name", METHODS)
def test_the_page_of_a_method_has_every_section(name):
    assert set(sections(name)) >= ALL_SECTIONS
    assert all(body.strip() for body in sections(name).values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_page_of_a_function_says_what_it_takes_and_gives(name):
    found = set(sections(name))
    assert "Parameters" in found
    assert found & {"Returns", "Yields"}
    if name in FIGURES:
        assert {"Assumes", "Notes"} <= found


@pytest.mark.parametrize("name", [*METHODS, *FUNCTIONS])
def test_what_a_page_shows_is_what_comes_out(name):
    thing = inspect.unwrap(getattr(ek, name))
    known = {"np": np, "pd": pd, name: getattr(ek, name)}
    examples = doctest.DocTestParser().get_doctest(page(name), known, name, thing.__code__.co_filename, 0)
    assert doctest.DocTestRunner(verbose=False).run(examples).failed == 0


def people(n=240) -> pd.DataFrame:
    draws = np.random.default_rng(3)
    treated = np.repeat([1, 0], n // 2)
    return pd.DataFrame({
        "person_id": [f"p{number:03}" for number in range(n)], "treated": treated,
        "age": draws.integers(15, 25, n), "prior": draws.poisson(2, n), "site": np.tile(["north", "south"], n // 2),
        "reoffended": (draws.random(n) < 0.5 - 0.1 * treated).astype(int), "harm": draws.gamma(0.5, 40, n),
        "days": draws.integers(1, 365, n), "event": draws.integers(0, 3, n), "score": draws.random(n).round(3),
    })  # fmt: skip


def panel(treated_in=(5, 7), units=12, periods=9) -> pd.DataFrame:
    draws = np.random.default_rng(4)
    starts = [*np.repeat(treated_in, units // 4), *[0] * (units - 2 * (units // 4))]
    rows = [
        (f"w{unit:02}", period, start, 20 + unit + period + draws.normal() - 3 * (0 < start <= period))
        for unit, start in enumerate(starts)
        for period in range(1, periods + 1)
    ]
    return pd.DataFrame(rows, columns=["ward", "year", "start", "thefts"])


def did(**options):
    return ek.did(panel(), outcome="thefts", unit="ward", period="year", first_treated="start", **options)


def counts():
    draws = np.random.default_rng(5)
    past = pd.DataFrame({"month": range(1, 41), "n": draws.poisson(30, 40)})
    return ek.counts(
        before=300, after=250, comparison_before=900, comparison_after=880, contains=False, series=past,
        period="month", count="n",
    )  # fmt: skip


def accounts():
    costs, benefits = (
        [cost()],
        [benefit(unit_cost="HO.robbery", price_year="", impact=0.2, perspective="social")],
    )
    return ek.cost_benefit(
        account(costs, benefits), draws=200, price_year="2015/16", perspective="public_value", published_ratio=3.0,
        people=40, cost_bases=(1000.0,), unit_costs=(100.0,), impacts={},
    )  # fmt: skip


def series() -> pd.DataFrame:
    return pd.DataFrame({"month": range(36), "thefts": [20, 22, 19, 21] * 5 + [15, 16, 14, 15] * 4})


EXAMPLES = {
    "power": [lambda: ek.power(None, baseline=0.4, n_treated=45, n_control=45)],
    "proportion": [lambda: ek.proportion(people(), outcome="reoffended", subgroup="site", lost=3)],
    "counts": [counts],
    "rates": [
        lambda: ek.rates(people(), outcome="reoffended", subgroup="site", adjust=("age", "prior")),
        lambda: ek.rates(people(), outcome="harm", measure="mean_difference", heavy_tailed=True),
    ],
    "did": [
        lambda: did(estimator="callaway_santanna", aggregate="group"),
        lambda: did(estimator="callaway_santanna", aggregate="calendar", diagnostics=False),
        lambda: did(estimator="event_study"),
        lambda: did(estimator="twfe", diagnostics=False),
        lambda: did(estimator="imputation", diagnostics=False),
        lambda: did(estimator="sun_abraham", diagnostics=False),
        lambda: ek.did(
            panel((5, 5)), outcome="thefts", unit="ward", period="year", first_treated="start",
            estimator="synthetic", inference="randomisation",
        ),
    ],
    "survival": [
        lambda: ek.survival(people(), time="days", event="event", estimator="aalen_johansen"),
        lambda: ek.survival(people().assign(event=1), time="days", event="event", estimator="cox"),
    ],
    "interrupted": [lambda: ek.interrupted(series(), outcome="thefts", period="month", starts=20)],
    "synthetic_control": [
        lambda: ek.synthetic_control(
            panel((6, 6), 12).assign(rate=lambda frame: frame["thefts"] / 2),
            outcome="thefts", unit="ward", period="year", treated_unit="w07", starts=6, predictors=("rate",),
        )
    ],
    "progression": [
        lambda: ek.progression(
            None, criteria=({"name": "kept", "green": 0.8, "amber": 0.6, "successes": 30, "trials": 40},)
        )
    ],
    "cost_benefit": [accounts],
    "meta": [
        lambda: ek.meta(
            pd.DataFrame({
                "study": list("abcdef"), "estimate": [-0.3, -0.1, -0.4, 0.0, -0.2, -0.25],
                "std_error": [0.1, 0.15, 0.2, 0.12, 0.1, 0.3], "level": [3, 4, 3, 5, 4, 2], "year": range(2001, 2007),
            }),
            measure="log_risk_ratio", order="year",
        )
    ],
    "funnel": [
        lambda: ek.funnel(stages={"accepted": 617, "begun": 155, "kept": 8}, counting="cumulative", closed=40, open=9)
    ],
    "survey": [lambda: ek.survey(invited=200, answered=120, agreed=66)],
    "run_chart": [
        lambda: ek.run_chart(series(), period="month", outcome="thefts"),
        lambda: ek.run_chart(series().assign(n=40), period="month", outcome="thefts", chart="p", trials="n"),
        lambda: ek.run_chart(series().assign(n=40), period="month", outcome="thefts", chart="u", exposure="n"),
    ],
    "risk_score": [
        lambda: ek.risk_score(people(), score="score", outcome="reoffended", threshold=0.5, group="site")
    ],
}  # fmt: skip


def test_every_method_has_an_example():
    assert set(EXAMPLES) == set(METHODS) - {"build_design"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_frame_that_comes_out_is_described_with_its_columns(name):
    words = set(re.findall(r"\w+", page(name)))
    frames = {key: set(frame.columns) for each in EXAMPLES[name] for key, frame in each().detail.items()}
    assert set(frames) <= set(re.findall(r"`(\w+)`", page(name)))
    assert not {key: sorted(columns - words) for key, columns in frames.items() if columns - words}


def test_the_frames_of_a_design_are_described_with_their_columns():
    design = ek.build_design(people(), method="nearest", covariates=("age", "prior"))
    words = set(re.findall(r"\w+", page("build_design") + page("balance_table")))
    frames = {"pairs": design.pairs, **design.detail}
    assert set(frames) <= words
    assert not {
        key: sorted(set(frame.columns) - words) for key, frame in frames.items() if set(frame.columns) - words
    }
