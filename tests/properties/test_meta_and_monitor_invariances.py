"""What must change nothing, or change it in a known way: pooling, pathways, surveys and charts."""

import numpy as np
import pandas as pd
import pytest

from evalkit.intervals import wilson
from evalkit.monitor import funnel, run_chart, smallest_possible_n, survey
from evalkit.monitor.survey import possible_counts
from evalkit.pooling import effects_from_counts, heterogeneity, meta, pool

SEEDS = range(8)


def drawn(seed, k=7):
    rng = np.random.default_rng(seed)
    return rng.normal(-0.2, 0.4, k), rng.uniform(0.01, 0.2, k)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("estimator", ["reml", "ml", "pm", "dl", "fixed"])
def test_shift_and_scale_of_effects_pass_through(seed, estimator):
    y, v = drawn(seed)
    plain = pool(y, v, estimator=estimator)
    moved = pool(3 * y + 1, 9 * v, estimator=estimator)
    assert moved.coefficients[0] == pytest.approx(3 * plain.coefficients[0] + 1, abs=1e-8)
    assert moved.tau2 == pytest.approx(9 * plain.tau2, abs=1e-7)
    assert moved.covariance[0, 0] == pytest.approx(9 * plain.covariance[0, 0], rel=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_estimator_solves_its_own_equation(seed):
    y, v = drawn(seed)
    ones = np.ones((len(y), 1))
    pm = pool(y, v, estimator="pm")
    assert pm.spread == pytest.approx(len(y) - 1, abs=1e-8) or pm.tau2 == 0

    def restricted(tau2):
        w = 1 / (v + tau2)
        mean = w @ y / w.sum()
        return -0.5 * (np.log(v + tau2).sum() + np.log(w.sum()) + w @ (y - mean) ** 2)

    best = pool(y, v, estimator="reml").tau2
    assert all(restricted(best) >= restricted(other) - 1e-10 for other in np.linspace(0, 1, 201))
    limits = heterogeneity(y, v, best, ones)
    assert limits.tau2_low <= limits.tau2_high


@pytest.mark.parametrize("measure", ["log_odds_ratio", "log_risk_ratio", "risk_difference", "log_rate_ratio"])
def test_swapping_the_arms_turns_the_sign(measure):
    arms = {"treated": ([4, 9, 0], [50, 60, 20]), "control": ([8, 7, 3], [55, 50, 25])}
    frame = pd.DataFrame(
        {f"{name}_{arm}": arms[arm][place] for arm in arms for place, name in enumerate(("events", "n"))}
    )
    other = {"treated": "control", "control": "treated"}
    swapped = frame.rename(
        columns={f"{name}_{arm}": f"{name}_{other[arm]}" for arm in arms for name in ("events", "n")}
    )
    there, _ = effects_from_counts(frame, measure)
    back, _ = effects_from_counts(swapped, measure)
    assert there["estimate"].to_numpy() == pytest.approx(-back["estimate"].to_numpy())
    assert there["std_error"].to_numpy() == pytest.approx(back["std_error"].to_numpy())


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_and_order_of_studies_decide_nothing(seed):
    y, v = drawn(seed)
    frame = pd.DataFrame({"study": list("abcdefg"), "estimate": y, "std_error": np.sqrt(v)})
    shuffled = frame.sample(frac=1, random_state=seed)
    assert meta(frame, measure="smd").to_frame().equals(meta(shuffled, measure="smd").to_frame())
    renamed = frame.assign(study=[f"place {9 - number}" for number in range(7)])
    assert meta(renamed, measure="smd").headline.estimate == pytest.approx(
        meta(frame, measure="smd").headline.estimate
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_exclusive_and_cumulative_counts_of_the_same_people_agree(seed):
    rng = np.random.default_rng(seed)
    stopped = rng.integers(1, 60, 5)
    names = [f"stage {number}" for number in range(5)]
    ever = stopped[::-1].cumsum()[::-1]
    one = funnel(stages=dict(zip(names, map(int, stopped), strict=True)), counting="exclusive")
    other = funnel(stages=dict(zip(names, map(int, ever), strict=True)), counting="cumulative")
    pd.testing.assert_frame_equal(one.detail["stages"], other.detail["stages"])
    assert one.headline == other.headline


@pytest.mark.parametrize("seed", SEEDS)
def test_what_people_answered_is_always_possible(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 300))
    agreed = rng.integers(0, n + 1, 4)
    printed = [round(100 * int(each) / n) for each in agreed]
    assert smallest_possible_n(printed) <= n
    assert all(int(each) in possible_counts(share, n) for each, share in zip(agreed, printed, strict=True))
    found = survey(answered=n, agreed=int(agreed[0])).headline
    assert (found.conf_low, found.conf_high) == pytest.approx(wilson(int(agreed[0]), n))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chart_moves_and_stretches_with_its_series(seed):
    values = np.random.default_rng(seed).normal(20, 4, 24)
    frame = pd.DataFrame({"period": range(24), "value": values})
    plain = run_chart(frame, period="period", outcome="value").detail["points"]
    moved = run_chart(frame.assign(value=10 - 2 * values), period="period", outcome="value").detail["points"]
    assert moved["upper"].to_numpy() == pytest.approx(10 - 2 * plain["lower"].to_numpy())
    assert moved["rule"].tolist() == plain["rule"].tolist()
    assert moved["signal"].replace({"high": "low", "low": "high"}).tolist() == plain["signal"].tolist()
