"""What the design does with small tables that a reader can check by eye, and what it refuses."""

import io

import numpy as np
import pandas as pd
import pytest

from evalkit.design import build_design
from evalkit.errors import DataError, DesignError, StudyError


def table(text):
    return pd.read_csv(io.StringIO(text), sep=r"\s+").set_index("person")


TWELVE = table("""
person treated age sex
t1     1       14  male
t2     1       15  female
t3     1       16  male
t4     1       13  female
c1     0       14  male
c2     0       14  male
c3     0       15  female
c4     0       15  male
c5     0       17  female
c6     0       12  male
c7     0       16  female
c8     0       13  female
""")


def test_exact_matching_weights_each_stratum_like_the_treated():
    found = build_design(TWELVE, method="exact", covariates=["sex"])
    # 2 treated boys for 4 control boys, 2 treated girls for 4 control girls: everybody counts for one
    assert found.weights.tolist() == [1.0] * 12
    found = build_design(TWELVE, method="exact", covariates=["age", "sex"])
    assert found.subclass.dropna().to_dict() == {
        "t1": 2,
        "t2": 3,
        "t4": 1,
        "c1": 2,
        "c2": 2,
        "c3": 3,
        "c8": 1,
    }
    assert found.weights[["c1", "c2", "c3", "c8"]].tolist() == pytest.approx([2 / 3, 2 / 3, 4 / 3, 4 / 3])
    assert found.discarded.set_index("person").loc["t3", "reason"] == "no control with the same values"
    assert found.estimand == "att among the matched"


def test_inverse_probability_by_hand():
    # one flag: e = 2/5 among 0, 3/4 among 1, so odds 2/3 and 3
    people = pd.DataFrame({"treated": [1, 1, 0, 0, 0, 1, 1, 1, 0], "flag": [0, 0, 0, 0, 0, 1, 1, 1, 1]})
    found = build_design(people, method="inverse_probability", covariates=["flag"])
    odds = np.array([2 / 3, 2 / 3, 2 / 3, 3])
    assert found.weights[people["treated"] == 0].tolist() == pytest.approx(list(odds * 4 / odds.sum()))
    assert found.weights[people["treated"] == 1].tolist() == [1.0] * 5
    whole = build_design(
        people, method="inverse_probability", covariates=["flag"], estimand="ate", stabilised=True
    )
    assert whole.weights[0] == pytest.approx((5 / 9) / (2 / 5))
    assert whole.weights[8] == pytest.approx((4 / 9) / (1 / 4))


def test_ties_go_to_the_earlier_row_and_are_counted():
    people = pd.DataFrame({"treated": [1, 0, 0, 0, 1, 0], "age": [3, 9, 3, 3, 5, 4]})
    found = build_design(people, method="nearest", covariates=["age"])
    assert found.pairs[["treated", "control", "round"]].to_numpy().tolist() == [[0, 2, 1], [4, 5, 1]]
    assert next(check for check in found.checks if check.name == "ties").statistic == 1


def test_missing_covariates_are_counted_by_name():
    people = TWELVE.astype({"age": float})
    people.loc["c5", "age"] = np.nan
    people.loc[["c5", "c6"], "sex"] = None
    found = build_design(people, method="inverse_probability", covariates=["age", "sex"])
    reasons = found.discarded.set_index("person")["reason"]
    assert reasons.to_dict() == {"c5": "missing covariate: age", "c6": "missing covariate: sex"}
    assert found.estimand == "att"


def test_controls_unlike_any_treated_person_are_set_aside():
    people = pd.concat([TWELVE.assign(area="north")] * 2, ignore_index=True)
    people["area"] = ["north", "south"] * 12
    people.loc[people.index[-1], "area"] = "isles"
    found = build_design(people, method="inverse_probability", covariates=["age", "area"])
    assert found.discarded["reason"].tolist() == ["no treated person with area = isles"]
    with pytest.raises(DesignError, match="area = isles is in the control arm"):
        build_design(people, method="inverse_probability", covariates=["age", "area"], estimand="ate")


def test_no_adjustment_gives_everybody_one():
    found = build_design(TWELVE, method="none", covariates=["age"], estimand="itt")
    assert found.weights.tolist() == [1.0] * 12
    assert found.discarded.empty
    assert next(check for check in found.checks if check.name == "balance").passed is None


def test_poor_overlap_fails_its_check():
    rng = np.random.default_rng(2)
    arm = np.repeat([1, 0], [100, 400])
    people = pd.DataFrame({"treated": arm, "age": rng.normal(size=500) + 3 * arm})
    for options in (
        {"method": "nearest", "caliper": 0.2},
        {"method": "inverse_probability"},
        {"method": "nearest"},
    ):
        checks = {c.name: c for c in build_design(people, covariates=["age"], **options).checks}
        assert checks["overlap"].passed is False


def test_a_random_order_follows_its_seed():
    rng = np.random.default_rng(4)
    people = pd.DataFrame({"treated": np.repeat([1, 0], [40, 45]), "age": rng.normal(size=85)})
    options = {"method": "nearest", "covariates": ["age"], "order": "random"}
    first, again, other = (build_design(people, seed=seed, **options).pairs for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_trimming_is_said():
    rng = np.random.default_rng(4)
    arm = np.repeat([1, 0], [100, 300])
    people = pd.DataFrame({"treated": arm, "age": rng.normal(size=400) + arm})
    found = build_design(people, method="inverse_probability", covariates=["age"], trim=0.1)
    assert found.estimand == "att among those with scores inside 0.1 and 0.9"
    assert found.discarded["reason"].unique().tolist() == ["score outside 0.1 to 0.9"]


BAD_PEOPLE = {
    "one arm empty": (TWELVE.assign(treated=1), DesignError, "control arm is empty"),
    "constant covariate": (TWELVE.assign(age=15), DesignError, "one value for everybody"),
    "perfect separation": (TWELVE.assign(age=[30, 31, 32, 33, *range(8)]), DesignError, "`age` alone"),
    "no such column": (TWELVE.rename(columns={"age": "aeg"}), DataError, "no column `age`"),
    "arms are words": (TWELVE.assign(treated="yes"), DataError, "must be 0 or 1"),
    "an arm unknown": (TWELVE.assign(treated=[np.nan] + [1, 0] * 5 + [0]), DataError, "must be 0 or 1"),
    "a person in both arms": (TWELVE.assign(person_id=["a"] * 12), DataError, "both arms"),
    "a date": (TWELVE.assign(age=pd.Timestamp("2020-01-01")), DataError, "holds dates"),
    "infinite": (TWELVE.assign(age=np.inf), DataError, "infinite"),
    "index repeats": (TWELVE.set_axis([1] * 12), DataError, "index of the frame repeats"),
    "more treated than controls": (
        TWELVE.assign(treated=[1, 0] + [1] * 7 + [0] * 3),
        DesignError,
        "more treated people than controls",
    ),
    "all missing": (TWELVE.assign(age=np.nan), DesignError, "missing covariate"),
}


@pytest.mark.parametrize("case", BAD_PEOPLE)
def test_people_that_cannot_be_compared_are_refused_with_advice(case):
    people, kind, words = BAD_PEOPLE[case]
    with pytest.raises(kind, match=words) as caught:
        build_design(people, method="nearest", covariates=["age", "sex"])
    assert caught.value.problems[0].do


def test_an_identifier_is_no_covariate():
    people = pd.DataFrame({"treated": [0, 1] * 100, "code": [f"c{row}" for row in range(200)]})
    with pytest.raises(DesignError, match="more than 100 different values"):
        build_design(people, method="nearest", covariates=["code"])


def test_a_combination_that_separates_is_refused():
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80)})
    people["treated"] = (people["a"] + people["b"] > 0.8).astype(int)
    with pytest.raises(DesignError, match="perfect separation.*combination"):
        build_design(people, method="inverse_probability", covariates=["a", "b"])


def test_a_caliper_that_nobody_meets_is_refused():
    people = pd.DataFrame({"treated": [1, 0] * 6, "age": [1.0, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5]})
    with pytest.raises(DesignError, match="Widen the caliper"):
        build_design(people, method="nearest", covariates=["age"], caliper=1e-6)


BAD_OPTIONS = [
    ({"method": "nearset"}, StudyError, "must be one of"),
    ({"method": "nearest", "estimand": "ate"}, StudyError, "estimates `att` only"),
    ({"method": "overlap"}, StudyError, "estimates `ato` only"),
    ({"method": "entropy", "caliper": 0.2}, StudyError, "`caliper` does not go with"),
    ({"method": "radius"}, StudyError, "`caliper` is required"),
    ({"method": "nearest", "caliper": -1}, StudyError, "above 0"),
    ({"method": "nearest", "ratio": 0}, StudyError, "1 or more"),
    ({"method": "inverse_probability", "trim": 0.7}, StudyError, "between 0 and 0.5"),
    ({"method": "nearest", "kaliper": 0.2}, StudyError, "not an option here"),
    ({"method": "nearest", "covariates": []}, StudyError, "`covariates` is required"),
    ({"method": "nearest", "covariates": ["treated"]}, DesignError, "cannot be covariates"),
]


@pytest.mark.parametrize(("options", "kind", "words"), BAD_OPTIONS, ids=lambda value: str(value)[:60])
def test_options_that_do_not_go_together_are_refused(options, kind, words):
    with pytest.raises(kind, match=words):
        build_design(TWELVE, **{"covariates": ["age"], **options})
