"""A difference of harm in eleven invented people, its sums worked by hand, and its bootstrap beside SciPy's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import evalkit as ek
from evalkit.errors import StudyError
from evalkit.impact.heavy_tail import capped, concentration
from tests.tolerances import EXACT, SIMULATION

# Harm days and the largest event of each: one robbery (365) in the control arm carries most of it.
PEOPLE = pd.DataFrame(
    {
        "person_id": list("abcdefghijk"),
        "treated": [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
        "harm": [0.0, 2.0, 12.0, 0.0, 6.0, 375.0, 0.0, 2.0, 20.0, 0.0, 5.0],
        "harm_largest": [0.0, 2.0, 10.0, 0.0, 2.0, 365.0, 0.0, 2.0, 10.0, 0.0, 5.0],
    }
)


def looks(**options) -> dict:
    result = ek.rates(
        PEOPLE,
        outcome="harm",
        measure="mean_difference",
        heavy_tailed=True,
        largest_event="harm_largest",
        **options,
    )
    return {each.term: each for each in result.estimates} | {"result": result}


def test_the_sums_worked_by_hand():
    found = looks()
    # treated (0 + 2 + 12 + 0 + 6) / 5 = 4; control (375 + 0 + 2 + 20 + 0 + 5) / 6 = 67
    assert found["treated_vs_control"].estimate == pytest.approx(4 - 67, abs=EXACT)
    # one of eleven people is the top 1%: 375 becomes the next, 20, so control (20 + 2 + 20 + 5) / 6 = 47/6
    assert found["capped_top_1_percent"].estimate == pytest.approx(4 - 47 / 6, abs=EXACT)
    # 375 less its robbery of 365 is 10: control (10 + 2 + 20 + 5) / 6 = 37/6
    assert found["without_largest_event"].estimate == pytest.approx(4 - 37 / 6, abs=EXACT)
    assert found["bootstrap"].estimate == found["treated_vs_control"].estimate


def test_the_share_of_those_at_the_top():
    frame = looks()["result"].detail["concentration"]
    # all harm 20 + 402 = 422; the largest is 375; one tenth of eleven people is two: 375 + 20
    assert frame["group"].tolist() == ["top 1%", "top 10%", "everybody"]
    assert frame["n"].tolist() == [1, 2, 11]
    assert frame["share_of_total"].tolist() == pytest.approx([375 / 422, 395 / 422, 1])


def test_nothing_to_share_where_nobody_did_harm():
    assert concentration(np.zeros(4))["share_of_total"].isna().all()
    assert capped(np.zeros(1)).tolist() == [0.0]


def test_the_verdict_says_which_way_it_goes_and_no_number():
    steady = looks()["result"].check("heavy_tail")
    assert steady.passed
    assert steady.statistic is None
    # A treated person with one very large event turns the difference round.
    people = PEOPLE.assign(
        harm=PEOPLE["harm"].where(PEOPLE["person_id"] != "c", 2000.0),
        harm_largest=PEOPLE["harm_largest"].where(PEOPLE["person_id"] != "c", 2000.0),
    )
    result = ek.rates(
        people, outcome="harm", measure="mean_difference", heavy_tailed=True, largest_event="harm_largest"
    )
    check = result.check("heavy_tail")
    assert check.passed is False
    assert "a few people with very large values decide it" in check.reading
    assert not any(letter.isdigit() for letter in check.reading)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_bootstrap_interval_is_scipys(seed):
    rng = np.random.default_rng(11)
    arms = [rng.choice([0.0, 2.0, 10.0, 365.0], size=n, p=[0.6, 0.2, 0.15, 0.05]) for n in (150, 220)]
    people = pd.DataFrame({"treated": [1] * 150 + [0] * 220, "harm": np.concatenate(arms)})
    ours = ek.rates(people, outcome="harm", measure="mean_difference", heavy_tailed=True, seed=seed).estimate(
        "bootstrap"
    )
    peer = stats.bootstrap(
        arms, lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis), n_resamples=4999, method="percentile",
        rng=np.random.default_rng(seed), vectorized=True,
    )  # fmt: skip
    # The 2.5% quantile of n normal draws has error sqrt(p(1 - p)/n) / density: 0.06 of the spread for 1,999 draws.
    density = stats.norm.pdf(stats.norm.ppf(0.025))
    error = peer.standard_error * np.sqrt(0.025 * 0.975 * (1 / 1999 + 1 / 4999)) / density
    assert ours.conf_low == pytest.approx(peer.confidence_interval.low, abs=SIMULATION * error)
    assert ours.conf_high == pytest.approx(peer.confidence_interval.high, abs=SIMULATION * error)
    spread = peer.standard_error * np.sqrt(1 / (2 * 1999) + 1 / (2 * 4999))
    assert ours.std_error == pytest.approx(peer.standard_error, abs=SIMULATION * spread)


def test_matched_pairs_are_drawn_together():
    rng = np.random.default_rng(5)
    level = rng.exponential(50, 120)
    people = pd.DataFrame(
        {
            "treated": np.tile([1, 0], 120),
            "harm": np.repeat(level, 2) + rng.normal(0, 1, 240),
            "pair": np.repeat(np.arange(120), 2).astype(str),
        }
    )
    people["harm"] = people["harm"].clip(lower=0)
    result = ek.rates(
        people, outcome="harm", measure="mean_difference", subclass="pair", heavy_tailed=True, seed=3
    )
    paired, head = result.estimate("bootstrap"), result.headline
    # Drawn apart, pairs as alike as these would give an error thirty times as large.
    spread = head.std_error / np.sqrt(2 * 1999)
    assert paired.std_error == pytest.approx(head.std_error, abs=SIMULATION * spread + 0.02 * head.std_error)


def test_the_same_seed_gives_the_same_interval():
    one, two, other = (looks(seed=seed)["bootstrap"] for seed in (7, 7, 8))
    assert (one.conf_low, one.conf_high) == (two.conf_low, two.conf_high)
    assert (one.conf_low, one.conf_high) != (other.conf_low, other.conf_high)


@pytest.mark.parametrize(
    "options",
    [
        {"measure": "rate_ratio", "heavy_tailed": True},
        {"measure": "mean_difference", "largest_event": "harm_largest"},
        {"measure": "mean_difference", "heavy_tailed": True, "missing": "mice", "adjust": ("harm_largest",)},
    ],
)
def test_options_that_do_not_go_together(options):
    with pytest.raises(StudyError, match="belongs to"):
        ek.rates(PEOPLE, outcome="harm", **options)
