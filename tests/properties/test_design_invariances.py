"""What must not change a comparison, and what two routes to one answer must agree on."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from evalkit.design import balance_table, build_design
from evalkit.design.matching import nearest
from tests.tolerances import EXACT

COVARIATES = ["age", "sex", "prior_offences", "known"]


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(7)
    n = 900
    age, prior = rng.normal(15, 2, n), rng.poisson(3, n)
    known = rng.integers(0, 2, n).astype(bool)
    chance = 1 / (1 + np.exp(2.2 + 0.2 * (age - 15) - 0.25 * prior - 0.5 * known))
    return pd.DataFrame(
        {
            "person_id": [f"p{row:04}" for row in range(n)],
            "age": age,
            "sex": rng.choice(["female", "male"], n),
            "prior_offences": prior,
            "known": known,
            "treated": (rng.random(n) < chance).astype(int),
        }
    )


def every_method():
    yield {"method": "nearest", "caliper": 0.2}
    yield {"method": "nearest", "ratio": 3, "replace": True, "exact": ["sex"]}
    yield {"method": "radius", "caliper": 0.1}
    yield {"method": "subclass"}
    yield {"method": "exact", "covariates": ["sex", "known"]}
    yield {"method": "inverse_probability"}
    yield {"method": "inverse_probability", "estimand": "ate"}
    yield {"method": "entropy", "moments": 2}
    yield {"method": "entropy", "estimand": "ate"}
    yield {"method": "overlap", "estimand": "ato"}
    yield {"method": "none"}


def design(people, options):
    return build_design(people, **{"covariates": COVARIATES, **options})


@pytest.mark.parametrize("options", list(every_method()), ids=str)
def test_row_order_and_labels_do_not_matter(people, options):
    before = people.copy()
    plain = design(people, options).weights
    shuffled = people.sample(frac=1, random_state=3).assign(person_id=lambda frame: "x" + frame["person_id"])
    again = design(shuffled, options).weights
    assert again.reindex(plain.index).to_numpy() == pytest.approx(plain.to_numpy(), abs=1e-9)
    pd.testing.assert_frame_equal(people, before)


@pytest.mark.parametrize("options", list(every_method()), ids=str)
def test_everybody_is_either_used_or_discarded_with_a_reason(people, options):
    found = design(people, options)
    assert set(found.weights.index[found.weights == 0]) == set(found.discarded["person"])
    assert (found.discarded["reason"].astype(str).str.len() > 0).all()
    for arm in (1, 0):
        used = found.weights[(people["treated"] == arm) & (found.weights > 0)]
        assert used.mean() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    "options",
    [{"method": "inverse_probability"}, {"method": "entropy"}, {"method": "exact", "covariates": ["sex"]}],
)
def test_a_duplicated_frame_gives_the_same_weights_twice(people, options):
    other = people.assign(person_id="copy" + people["person_id"])
    twice = pd.concat([people, other], ignore_index=True)
    once, both = design(people, options).weights, design(twice, options).weights
    assert both.to_numpy() == pytest.approx(np.tile(once.to_numpy(), 2), abs=1e-8)


def test_a_duplicated_control_changes_no_distance_of_matching_with_replacement(people):
    score = np.random.default_rng(5).normal(size=len(people))
    arm = people["treated"].to_numpy() == 1
    rows = np.flatnonzero(arm)
    plain = nearest(score, rows, np.flatnonzero(~arm), rank=np.arange(len(score)), replace=True)
    copied = np.append(score, score[plain.control[0]])
    controls = np.append(np.flatnonzero(~arm), len(score))
    again = nearest(copied, rows, controls, rank=np.arange(len(copied)), replace=True)
    assert again.distance.tolist() == plain.distance.tolist()
    assert again.control.tolist() == plain.control.tolist()
    assert again.ties > plain.ties


def brute_force(score, rows, controls, ratio, width, replace):
    free, found, waiting = list(controls), [], list(rows)
    taken = {row: set() for row in rows}
    for turn in range(1, ratio + 1):
        served = []
        for row in waiting:
            able = [c for c in free if c not in taken[row]]
            best = min(able, key=lambda c: (abs(score[c] - score[row]), c), default=None)
            if best is None or abs(score[best] - score[row]) > width:
                continue
            taken[row].add(best)
            if not replace:
                free.remove(best)
            found.append((int(row), int(best), turn))
            served.append(row)
        waiting = served
    return sorted(found, key=lambda pair: (pair[0], pair[2]))


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("width", [0.05, np.inf])
@pytest.mark.parametrize("digits", [1, 12])
def test_skip_pointers_find_what_a_full_search_finds(replace, width, digits):
    rng = np.random.default_rng(11)
    for _ in range(6):
        score = rng.normal(size=160).round(digits)
        arm = rng.random(160) < 0.3
        rows = rng.permutation(np.flatnonzero(arm))
        controls = np.flatnonzero(~arm)
        limit = None if width == np.inf else width
        ours = nearest(score, rows, controls, rank=np.arange(160), ratio=3, width=limit, replace=replace)
        pairs = list(zip(ours.treated.tolist(), ours.control.tolist(), ours.round.tolist(), strict=True))
        assert pairs == brute_force(score, rows, controls, 3, width, replace)


def test_score_agrees_with_an_independent_logit(people):
    found = design(people, {"method": "nearest"})
    matrix = pd.DataFrame(
        {
            "constant": 1.0,
            "age": people["age"],
            "male": (people["sex"] == "male").astype(float),
            "prior": people["prior_offences"].astype(float),
            "known": people["known"].astype(float),
        }
    )
    fitted = sm.Logit(people["treated"], matrix).fit(disp=0, tol=1e-14)
    assert found.distance.to_numpy() == pytest.approx(fitted.fittedvalues.to_numpy(), abs=1e-8)


def test_a_sum_of_other_covariates_changes_nothing(people):
    more = people.assign(both=people["age"] + people["prior_offences"])
    plain = design(people, {"method": "nearest", "caliper": 0.2})
    again = build_design(more, method="nearest", caliper=0.2, covariates=[*COVARIATES, "both"])
    assert again.distance.to_numpy() == pytest.approx(plain.distance.to_numpy(), abs=1e-8)
    assert again.checks[-1].name == "aliased_covariates"


def test_entropy_weights_balance_exactly(people):
    found = design(people, {"method": "entropy", "moments": 2})
    table = found.detail["balance"].set_index("covariate")
    assert table["smd_after"].abs().max() < 1e-9
    arm = people["treated"] == 1
    for name in ("age", "prior_offences"):
        weights, values = found.weights[~arm], people.loc[~arm, name]
        spread = np.average((values - people.loc[arm, name].mean()) ** 2, weights=weights)
        assert spread == pytest.approx(people.loc[arm, name].var(ddof=0), abs=1e-8)


def test_overlap_weights_balance_the_means_of_their_own_score(people):
    table = design(people, {"method": "overlap", "estimand": "ato"}).detail["balance"]
    assert table["smd_after"].abs().max() < 1e-9


def test_weights_of_one_leave_balance_as_it_was(people):
    ones = pd.Series(1.0, index=people.index)
    table = balance_table(people, ones, COVARIATES)
    for name in ("smd", "variance_ratio", "ks"):
        assert table[f"{name}_after"].to_numpy() == pytest.approx(
            table[f"{name}_before"].to_numpy(), nan_ok=True
        )


def test_balance_columns_by_other_routes(people):
    table = balance_table(people, pd.Series(1.0, index=people.index), COVARIATES).set_index("covariate")
    arm = people["treated"] == 1
    inside, outside = people.loc[arm, "age"], people.loc[~arm, "age"]
    assert table.loc["age", "ks_before"] == pytest.approx(
        stats.ks_2samp(inside, outside).statistic, abs=EXACT
    )
    assert table.loc["age", "smd_before"] == pytest.approx(
        (inside.mean() - outside.mean()) / inside.std(), abs=EXACT
    )
    assert table.loc["age", "variance_ratio_before"] == pytest.approx(inside.var() / outside.var(), abs=EXACT)
    male = (people["sex"] == "male").groupby(arm).mean()
    expected = (male[True] - male[False]) / np.sqrt(male[True] * (1 - male[True]))
    assert table.loc["sex = male", "smd_before"] == pytest.approx(expected, abs=EXACT)


def test_more_controls_in_the_radius_share_one_weight(people):
    found = design(people, {"method": "radius", "caliper": 0.1})
    score, arm = found.distance.to_numpy(), people["treated"].to_numpy() == 1
    width = 0.1 * score.std(ddof=1)
    near = np.abs(score[arm][:, None] - score[~arm][None, :]) <= width
    raw = (near / np.maximum(near.sum(axis=1, keepdims=True), 1)).sum(axis=0)
    expected = raw / raw[raw > 0].mean()
    assert found.weights[~arm].to_numpy() == pytest.approx(expected, abs=1e-9)


def test_exact_strata_are_matched_as_if_each_stood_alone(people):
    whole = design(people, {"method": "nearest", "exact": ["sex"]})
    pairs, sex = whole.pairs, people["sex"]
    assert (sex[pairs["treated"]].to_numpy() == sex[pairs["control"]].to_numpy()).all()
    score = whole.distance.to_numpy()
    for value in ("female", "male"):
        inside = (sex == value).to_numpy()
        rows = np.flatnonzero(inside & (people["treated"] == 1).to_numpy())
        controls = np.flatnonzero(inside & (people["treated"] == 0).to_numpy())
        alone = nearest(score, rows[np.argsort(-score[rows])], controls, rank=np.arange(len(people)))
        assert alone.control.tolist() == pairs.loc[inside[pairs["treated"]], "control"].tolist()


def test_columns_matched_exactly_stand_in_the_balance_table(people):
    found = build_design(people, method="nearest", covariates=["age"], exact=["sex"])
    table = found.detail["balance"].set_index("covariate")
    assert list(table.index) == ["age", "sex = female", "sex = male"]
    assert table.loc["sex = male", "smd_after"] == pytest.approx(0, abs=EXACT)
    found = build_design(people, method="exact", exact=["sex", "known"])
    assert {check.name for check in found.checks} >= {"balance", "overlap"}
