"""Synthetic control: what must not change the mixture, exact answers, placebos, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact.synthetic import synthetic_control
from evalkit.impact.synthetic.weights import attaining, choose_ridge, nested, ridge_weights, simplex

YEARS, START, EFFECT = 16, 11, -4.0


def wards(donors: int = 8, seed: int = 2, noise: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    trend = np.cumsum(rng.normal(size=(2, YEARS)), axis=1)
    loads = rng.dirichlet(np.ones(donors)) @ (own := rng.uniform(0, 2, (donors, 2)))
    loads = np.vstack([loads, own])
    table = 30 + loads @ trend + noise * rng.normal(size=(donors + 1, YEARS))
    table[0, START:] += EFFECT
    names = ["Here", *(f"Ward {k:02d}" for k in range(donors))]
    frame = pd.DataFrame(table, index=names).rename_axis("ward").reset_index().melt("ward", var_name="year")
    frame["income"] = (
        frame["ward"].map(dict(zip(names, 20 + 5 * loads[:, 0], strict=True))) + 0.1 * frame["year"]
    )
    frame["young"] = frame["ward"].map(dict(zip(names, 10 + 2 * loads[:, 1], strict=True)))
    return frame.rename(columns={"value": "thefts"}).astype({"year": int})


def answer(frame: pd.DataFrame, **options):
    options = {
        "outcome": "thefts", "unit": "ward", "period": "year", "treated_unit": "Here", "starts": START,
    } | options  # fmt: skip
    return synthetic_control(frame, **options)


def test_weights_are_the_nearest_point_of_the_simplex():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points, target = rng.normal(size=(9, 6)), rng.normal(size=9)
        weights = simplex(points, target)
        slope = points.T @ (points @ weights - target)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        # Karush-Kuhn-Tucker: one slope for all that carry weight, none smaller elsewhere.
        assert np.ptp(slope[weights > 0]) < 1e-9
        assert slope[weights == 0].min(initial=np.inf) > slope[weights > 0].min() - 1e-9


def test_a_mixture_is_found_again_exactly():
    rng = np.random.default_rng(1)
    points, truth = rng.normal(size=(12, 5)), np.array([0.5, 0.3, 0.2, 0, 0])
    assert simplex(points, points @ truth) == pytest.approx(truth, abs=1e-9)


def test_predictor_weights_that_reach_the_bound_choose_the_same_units():
    rng = np.random.default_rng(4)
    before, target = rng.normal(size=(8, 6)), rng.normal(size=8)
    points, aim = np.vstack([before, rng.normal(size=(2, 6))]), np.append(target, [0.1, 0.2])
    bound = simplex(before, target)
    found = attaining(points, aim, bound)
    assert found is not None
    weights, importance = nested(points, aim, before, target)
    assert weights == pytest.approx(bound)
    assert importance.sum() == pytest.approx(1)


def test_the_search_is_no_worse_than_equal_predictor_weights():
    frame = wards()
    found = answer(frame, predictors=("income", "young"), diagnostics=False)
    assert found.detail["predictors"]["weight"].sum() == pytest.approx(1)
    from evalkit.impact.synthetic.options import SyntheticControlOptions
    from evalkit.impact.synthetic.panel import read_places

    options = SyntheticControlOptions(
        outcome="thefts", unit="ward", period="year", treated_unit="Here", starts=START,
        predictors=("income", "young"),
    )  # fmt: skip
    places = read_places(frame, options)
    scaled = places.predictors / places.predictors.std(axis=0, ddof=1)
    equal = simplex(scaled[places.donors].T, scaled[places.treated])
    miss = places.outcome[places.treated, :START] - equal @ places.outcome[places.donors, :START]
    own = found.detail["path"].query("post == 0")["gap"]
    assert (own**2).mean() <= (miss**2).mean() * (1 + 1e-9)


def test_ridge_weights_sum_to_one_and_return_to_the_simplex():
    rng = np.random.default_rng(3)
    before, target = rng.normal(size=(7, 9)), rng.normal(size=7) + 1
    base = simplex(before, target)
    near, far = ridge_weights(before, target, base, 1.0), ridge_weights(before, target, base, 1e9)
    assert near.sum() == pytest.approx(1)
    assert far == pytest.approx(base, abs=1e-6)
    assert np.abs(target - before @ near).sum() < np.abs(target - before @ base).sum()
    assert choose_ridge(before, target) > 0


@pytest.mark.parametrize("options", [{}, {"augmented": True}, {"predictors": ("income", "thefts@10")}])
def test_row_order_and_names_change_nothing(options):
    frame = wards()
    first = answer(frame, **options)
    mixed = answer(frame.sample(frac=1, random_state=1), **options)
    renamed = answer(frame.assign(ward=frame["ward"].str.replace("Ward ", "W-")), **options)
    assert mixed.headline == first.headline
    assert renamed.headline == first.headline


def test_the_effect_moves_and_scales_with_the_outcome():
    frame = wards()
    first = answer(frame).headline.estimate
    assert first == pytest.approx(EFFECT, abs=1.0)
    assert answer(frame.assign(thefts=10 * frame["thefts"] + 7)).headline.estimate == pytest.approx(
        10 * first, rel=1e-6
    )


def test_placebos_include_every_unit_and_the_p_value_is_a_rank():
    found = answer(wards(donors=19))
    table = found.detail["placebo"]
    own = table.set_index("unit").loc["Here"]
    assert len(table) == 20
    assert found.headline.p_value == own["rank"] / 20
    assert own["rank"] == 1
    assert (table["rmspe_ratio"] == table["rmspe_after"] / table["rmspe_before"]).all()
    assert found.check("randomisation_floor").statistic == 0.05
    assert found.check("pre_fit").passed is True
    assert (found.headline.std_error, found.headline.conf_low) == (None, None)


def test_two_donors_give_an_estimate_and_no_p_value():
    found = answer(wards(donors=2))
    assert found.headline.estimate is not None
    assert found.headline.p_value is None
    assert found.check("comparison_units").passed is False
    assert found.check("comparison_units").statistic == 2


def test_a_place_unlike_any_other_fails_the_gate():
    frame = wards()
    frame.loc[frame["ward"] == "Here", "thefts"] += 40
    check = answer(frame).check("pre_fit")
    assert check.passed is False
    assert "Do not read" in check.next_step


def test_few_periods_before_are_said():
    found = answer(wards(), starts=5)
    assert found.check("few_points_before").passed is False


def test_leaving_out_each_weighted_donor():
    found = answer(wards())
    carried = found.detail["weights"].query("weight > 0.001")["unit"]
    assert set(found.detail["leave_one_out"]["left_out"]) == set(carried)


@pytest.mark.parametrize("more", [{}, {"augmented": True}, {"predictors": ("income",)}], ids=str)
def test_one_donor_leaves_the_plain_gap_and_nothing_else(more):
    frame = wards()
    pair = frame[frame["ward"].isin(["Here", "Ward 00"])]
    found = answer(pair, **more)
    after = pair[pair["year"] >= START].groupby("ward")["thefts"].mean()
    assert found.headline.estimate == pytest.approx(after["Here"] - after["Ward 00"], abs=1e-9)
    assert (found.headline.std_error, found.headline.p_value, found.headline.conf_low) == (None, None, None)
    assert found.check("few_clusters").passed is False
    assert found.check("comparison_units").passed is False
    assert "leave_one_out" not in found.detail


REFUSED = {
    "no donor": (lambda f: f[f["ward"] == "Here"], {}, EstimationError, "a comparison unit"),
    "a gap": (lambda f: f.drop(index=3), {}, DataError, "every unit needs one row"),
    "a repeat": (lambda f: pd.concat([f, f.iloc[[3]]]), {}, DataError, "has 2"),
    "a blank": (lambda f: f.assign(thefts=f["thefts"].mask(f.index == 4)), {}, DataError, "blank"),
    "an unknown place": (lambda f: f, {"treated_unit": "Nowhere"}, DataError, "no unit of that name"),
    "an unknown column": (lambda f: f, {"predictors": ("wealth",)}, DataError, "no column"),
    "a predictor after the start": (lambda f: f, {"predictors": ("thefts@13",)}, StudyError, "before the start"),
    "a constant predictor": (lambda f: f.assign(flat=1), {"predictors": ("flat",)}, DataError, "same in every unit"),
    "a start outside": (lambda f: f, {"starts": 99}, DataError, "before it and one after"),
    "another inference": (lambda f: f, {"inference": "bootstrap"}, StudyError, "inference"),
    "ridge alone": (lambda f: f, {"ridge": 1.0}, StudyError, "augmented"),
    "augmented with predictors": (
        lambda f: f, {"augmented": True, "predictors": ("income",)}, StudyError, "without `predictors`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_by_name(case):
    change, options, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        answer(change(wards()), **options)
