"""Influences in memory: their squares are the error of the headline, and each bears the label of its unit."""

import numpy as np
import pandas as pd
import pytest

from evalkit.impact.did import did
from evalkit.impact.rates import rates
from tests.tolerances import EXACT


def people(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    treated = np.arange(n) % 2
    return pd.DataFrame({
        "person_id": [f"p{k:03d}" for k in range(n)][::-1], "treated": treated, "back": (rng.random(n) < 0.4).astype(int),
        "pair": np.arange(n) // 2, "area": np.arange(n) % 12, "weight": 0.5 + rng.random(n),
    })  # fmt: skip


def factor(units: int, n: int, parameters: int = 2) -> float:
    return units / (units - 1) * (n - 1) / (n - parameters)


@pytest.mark.parametrize(
    ("options", "units", "name", "scale"),
    [
        ({}, 120, "person_id", 1.0),
        ({"weights": "weight"}, 120, "person_id", 120 / 118),
        ({"subclass": "pair"}, 60, "pair", factor(60, 120)),
        ({"cluster": "area"}, 12, "area", factor(12, 120)),
    ],
)
def test_squares_of_influences_are_the_error(options, units, name, scale):
    found = rates(people(), outcome="back", **options)
    assert (len(found.influence), len(found.units), found.units.name) == (units, units, name)
    assert found.headline.std_error == pytest.approx(np.sqrt(scale * (found.influence**2).sum()), rel=EXACT)


def test_an_influence_moves_with_its_person():
    frame = people()
    found = rates(frame, outcome="back")
    by_person = pd.Series(found.influence, index=found.units)
    shuffled = rates(frame.sample(frac=1, random_state=1), outcome="back")
    assert pd.Series(shuffled.influence, index=shuffled.units).to_dict() == pytest.approx(by_person.to_dict())
    one = frame.set_index("person_id").loc["p003"]
    arm = frame[frame["treated"] == one["treated"]]["back"]
    sign = 1 if one["treated"] else -1
    assert by_person["p003"] == pytest.approx(100 * sign * (one["back"] - arm.mean()) / len(arm))


def test_index_dates_of_one_person_are_told_apart_and_rows_without_ids_keep_their_place():
    frame = people().assign(index_date="2024-01-01")
    frame.loc[1, ["person_id", "index_date"]] = [frame.loc[0, "person_id"], "2024-06-01"]
    assert rates(frame, outcome="back").units.name == "person_id and index_date"
    assert rates(frame.drop(columns=["person_id", "index_date"]), outcome="back").units.name == "row"
    twice = frame.drop(columns="index_date").assign(person_id="one")
    assert rates(twice, outcome="back").units.name == "row"


def test_there_is_no_influence_where_the_error_is_not_theirs():
    frame = people().assign(age=lambda f: np.where(f.index % 9 == 0, np.nan, f.index % 20))
    pooled = rates(frame, outcome="back", adjust=["age"], missing="mice", imputations=3)
    assert pooled.influence is None
    assert pooled.units is None
    never = rates(frame.assign(back=frame["back"] * frame["treated"]), outcome="back", measure="risk_ratio")
    assert never.influence is None


@pytest.mark.parametrize(
    "estimator", ["two_by_two", "twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation"]
)
def test_every_regression_of_places_has_the_influences_of_its_clusters(estimator):
    rng = np.random.default_rng(11)
    unit, period = np.repeat(np.arange(24), 6), np.tile(np.arange(6), 24)
    start = np.where(unit < 10, 3, 0)
    values = rng.normal(size=len(unit)) + (start > 0) * (period >= 3)
    frame = pd.DataFrame({"place": [f"a{k:02d}" for k in unit], "year": period, "start": start, "y": values})
    frame["county"] = unit // 2
    names = {
        "outcome": "y",
        "unit": "place",
        "period": "year",
        "first_treated": "start",
        "diagnostics": False,
    }
    for cluster, size in ((None, 24), ("county", 12)):
        found = did(frame, estimator=estimator, cluster=cluster, **names)
        assert (len(found.units), found.units.name) == (size, cluster or "place")
        ratio = found.headline.std_error / np.sqrt((found.influence**2).sum())
        # nothing but the small-sample factor stands between them
        assert 1 - EXACT <= ratio < 1.1
