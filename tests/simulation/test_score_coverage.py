"""Coverage of what is said of a risk score, where the truth is known in closed form.

    python -m pytest tests/simulation/test_score_coverage.py -m slow        writes results/scores.csv (500 draws)

Ranked: a fifth have the outcome, and the score is the normal distribution function of a normal value that lies `shift`
higher for them, so that sensitivity at the threshold and the area under the curve are known; in the second group the shift
may be smaller. Calibrated: the outcome is drawn with the score as its chance, so that the slope is 1 and the intercept 0.
`clear` is the share of draws in which Holm's rule calls any of the four differences clear.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtr, ndtri

from evalkit.monitor import risk_score
from tests.tolerances import SIMULATION

SEED, DRAWS, SHARE, THRESHOLD = 20261122, 500, 0.2, 0.75
RESULTS = Path(__file__).parent / "results" / "scores.csv"
# people in each group, shift in each group
RANKED = {
    "ranked, groups differ": ((850, 550), (1.0, 0.5)),
    "ranked, groups alike": ((850, 550), (1.0, 1.0)),
    "ranked, a small group": ((400, 80), (1.0, 0.5)),
}


def found(result, term, group=None):
    return next(each for each in result.estimates if (each.term, each.group) == (term, group))


def ranked(rng: np.random.Generator, sizes: tuple[int, int], shifts: tuple[float, float]) -> pd.DataFrame:
    group = np.repeat([0, 1], sizes)
    harmed = rng.random(len(group)) < SHARE
    score = ndtr(rng.normal(size=len(group)) + np.asarray(shifts)[group] * harmed)
    return pd.DataFrame(
        {"score": score, "harmed": harmed.astype(int), "group": np.array(["one", "two"])[group]}
    )


def checked(frame: pd.DataFrame):
    return risk_score(frame, score="score", outcome="harmed", threshold=THRESHOLD, group="group")


def row(name: str, term: str, truth: float, seen: list, clear: float | None) -> dict[str, object]:
    values = np.array([each.estimate for each in seen])
    held = np.mean([each.conf_low <= truth <= each.conf_high for each in seen])
    return {
        "scenario": name, "term": term, "truth": round(truth, 5), "bias": round(values.mean() - truth, 5),
        "spread": round(values.std(ddof=1), 5), "coverage": held, "clear": clear, "draws": DRAWS, "seed": SEED,
    }  # fmt: skip


def of_ranked(name: str) -> list[dict[str, object]]:
    sizes, shifts = RANKED[name]
    one, two = (1 - ndtr(ndtri(THRESHOLD) - shift) for shift in shifts)
    gaps, areas, clear = [], [], 0
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED, list(RANKED).index(name), draw])
        result = checked(ranked(rng, sizes, shifts))
        gaps.append(found(result, "sensitivity_difference", "two"))
        areas.append(found(result, "area_under_curve", "two"))
        clear += bool((result.detail["differences"]["p_adjusted"] < 0.05).any())
    return [
        row(name, "sensitivity_difference", 100 * (two - one), gaps, clear / DRAWS),
        row(name, "area_under_curve", float(ndtr(shifts[1] / np.sqrt(2))), areas, None),
    ]


def of_calibrated() -> list[dict[str, object]]:
    seen: dict[str, list] = {
        "calibration_slope": [],
        "calibration_in_the_large": [],
        "observed_over_expected": [],
    }
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED, 99, draw])
        score = expit(-1.5 + rng.normal(size=600))
        frame = pd.DataFrame({"score": score, "harmed": (rng.random(600) < score).astype(int)})
        result = risk_score(frame, score="score", outcome="harmed", threshold=0.3)
        for term, values in seen.items():
            values.append(found(result, term))
    truth = {"calibration_slope": 1.0, "calibration_in_the_large": 0.0, "observed_over_expected": 1.0}
    return [row("calibrated", term, truth[term], values, None) for term, values in seen.items()]


@pytest.mark.slow
def test_intervals_hold_the_truth_and_no_difference_is_seldom_called_clear():
    table = pd.DataFrame([*(each for name in RANKED for each in of_ranked(name)), *of_calibrated()])
    table.to_csv(RESULTS, index=False, lineterminator="\n")
    error = np.sqrt(0.95 * 0.05 / DRAWS)
    assert (table["coverage"] >= 0.95 - SIMULATION * error).all()
    # a slope is a little steep, and a Newcombe interval a little wide, in few people
    assert (table["bias"].abs() <= SIMULATION * table["spread"] / np.sqrt(DRAWS) + 0.02).all()
    alike = table[(table["scenario"] == "ranked, groups alike") & table["clear"].notna()]
    assert (alike["clear"] <= 0.05 + SIMULATION * error).all()
