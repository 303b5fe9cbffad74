"""What must hold of harm by a table of weights, whatever the people, the offences and the weights."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.contract import Outcome
from evalkit.outcomes import measure_outcomes

UNTIL, WINDOW = date(2024, 12, 31), {"follow_up": 12, "waiting": 6}
TYPES = ("theft", "violence", "robbery", "fraud")
FREQUENCY = Outcome(name="often", measure="frequency", **WINDOW)


def harm(name: str = "harm", **options) -> Outcome:
    return Outcome(name=name, measure="severity", weights="table", **WINDOW, **options)


@pytest.fixture(scope="module")
def invented() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(4)
    people = pd.DataFrame({"person_id": [f"p{n}" for n in range(120)], "treated": np.arange(120) % 2})
    people["index_date"] = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 365, 120), unit="D")
    offences = pd.DataFrame({"person_id": rng.choice(people["person_id"], 500)})
    offences["offence_date"] = pd.Timestamp("2018-06-01") + pd.to_timedelta(
        rng.integers(0, 900, 500), unit="D"
    )
    offences["conviction_date"] = offences["offence_date"] + pd.to_timedelta(
        rng.integers(0, 300, 500), unit="D"
    )
    offences["offence_type"] = rng.choice(TYPES, 500)
    return people, offences


def table(weights: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame({"offence_type": TYPES, "harm_days": weights})


def measured(invented, weights: pd.DataFrame, *outcomes: Outcome) -> pd.DataFrame:
    people, offences = invented
    return measure_outcomes(people, offences, outcomes, UNTIL, {"table": weights})


def test_weights_of_one_count_offences(invented):
    found = measured(invented, table((1.0, 1.0, 1.0, 1.0)), harm(), FREQUENCY)
    assert found["harm"].sum() > 50
    pd.testing.assert_series_equal(found["harm"], found["often"], check_names=False)


def test_ten_times_the_weights_give_ten_times_the_difference(invented):
    both = [
        measured(invented, table(tuple(by * w for w in (2.0, 10.0, 365.0, 0.5))), harm()) for by in (1, 10)
    ]
    one, ten = (
        ek.rates(
            each,
            outcome="harm",
            measure="mean_difference",
            heavy_tailed=True,
            largest_event="harm_largest",
            seed=1,
        )
        for each in both
    )
    for small, large in zip(one.estimates, ten.estimates, strict=True):
        for name in ("estimate", "std_error", "conf_low", "conf_high"):
            assert getattr(large, name) == pytest.approx(10 * getattr(small, name))
    pd.testing.assert_frame_equal(one.detail["concentration"], ten.detail["concentration"])
    assert one.check("heavy_tail") == ten.check("heavy_tail")


def test_harm_of_each_type_adds_up(invented):
    weights = table((2.0, 10.0, 365.0, 0.25))
    apart = [harm(f"of_{name}", types=(name,)) for name in TYPES]
    found = measured(invented, weights, harm(), harm("rest", leave_out=("robbery",)), *apart)
    np.testing.assert_allclose(found[[each.name for each in apart]].sum(axis=1), found["harm"], rtol=1e-12)
    np.testing.assert_allclose(found["rest"] + found["of_robbery"], found["harm"], rtol=1e-12)


def test_the_most_serious_is_the_largest_of_the_sum(invented):
    weights = table((2.0, 10.0, 365.0, 0.25))
    found = measured(invented, weights, harm(), harm("most", score="most_serious"))
    pd.testing.assert_series_equal(found["most"], found["harm_largest"], check_names=False)
    assert (found["most"] <= found["harm"]).all()
    assert (found["most"] < found["harm"]).any()


def test_rows_of_a_table_in_any_order_and_repeated_alike_change_nothing(invented):
    weights = table((2.0, 10.0, 365.0, 0.25))
    again = pd.concat([weights, weights]).sample(frac=1, random_state=3)
    rules = [harm("median", aggregation="median"), harm("mean", aggregation="mean")]
    one, two = measured(invented, weights, *rules), measured(invented, again, *rules)
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_series_equal(one["median"], one["mean"], check_names=False)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_the_median_is_the_median(invented, number):
    rng = np.random.default_rng(number)
    rows = pd.DataFrame(
        {"offence_type": np.repeat(TYPES, number), "harm_days": rng.integers(0, 50, 4 * number) / 4}
    )
    of_type = rows.groupby("offence_type", as_index=False)["harm_days"].median()
    found = measured(invented, rows, harm(aggregation="median"))
    pd.testing.assert_series_equal(found["harm"], measured(invented, of_type, harm())["harm"])
