"""Comparison at national size: 20,000 treated against 2,000,000 controls with 10 covariates.

Run `python benchmarks/comparison.py [matching] [--treated N] [--controls N]`. Each peer runs if it is installed; the
data, the seed and the machine are the same for all. Times are of one run: read the ratios.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from evalkit.design import build_design
from evalkit.design.covariates import read_columns
from evalkit.design.matching import nearest, processing_order
from evalkit.design.score import logistic_score

COVARIATES = [f"x{position}" for position in range(10)]
CALIPER = 0.2


def people(n_treated: int, n_control: int) -> pd.DataFrame:
    rng = np.random.default_rng(20200701)
    treated = np.repeat([1, 0], [n_treated, n_control])
    columns = {name: rng.normal(size=len(treated)) + 0.25 * treated for name in COVARIATES}
    return pd.DataFrame({"treated": treated, **columns}).sample(frac=1, random_state=1, ignore_index=True)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def peak() -> float:
    """Peak memory of this process so far, in gigabytes (Linux counts in kilobytes, macOS in bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def matching(n_treated: int, n_control: int) -> list[tuple[str, float, str]]:
    frame = people(n_treated, n_control)
    rows = [("evalkit: build_design, with balance, overlap and checks", *_whole(frame))]
    arm = frame["treated"].to_numpy() == 1
    spent, score = timed(lambda: logistic_score(read_columns(frame, COVARIATES), arm).logit)
    rows.append(("evalkit: logistic score", spent, ""))
    spent, matches = timed(lambda: _match(score, arm))
    rows.append(
        ("evalkit: 1:1 caliper matching without replacement", spent, f"{len(matches.treated):,} pairs")
    )
    return rows + _scikit_learn(frame, arm, score, float(matches.distance.mean()))


def _whole(frame: pd.DataFrame) -> tuple[float, str]:
    before = peak()
    spent, design = timed(
        lambda: build_design(frame, method="nearest", covariates=COVARIATES, caliper=CALIPER)
    )
    return spent, f"{len(design.pairs):,} pairs, peak {peak():.2f} GB (the data alone {before:.2f} GB)"


def _match(score: np.ndarray, arm: np.ndarray) -> object:
    rank = np.arange(len(score))
    sequence = processing_order(score, arm, "largest", rank)
    return nearest(score, sequence, np.flatnonzero(~arm), rank=rank, width=CALIPER * score.std(ddof=1))


def _scikit_learn(frame: pd.DataFrame, arm: np.ndarray, score: np.ndarray, distance: float) -> list[tuple]:
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import NearestNeighbors
    except ImportError:
        return [("scikit-learn", float("nan"), "not installed")]
    matrix = frame[COVARIATES].to_numpy()
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    fitted, model = timed(lambda: model.fit(matrix, arm))
    gap = np.abs(model.decision_function(matrix) - score).max()
    spent, tree = timed(lambda: NearestNeighbors(n_neighbors=1).fit(score[~arm, None]))
    asked, answer = timed(lambda: tree.kneighbors(score[arm, None]))
    gaps = f"{distance:.2e}, {answer[0].mean():.2e}"
    return [
        ("scikit-learn: logistic score", fitted, f"largest difference of logits {gap:.1e}"),
        ("scikit-learn: neighbour tree and one query", spent + asked, "with replacement, no caliper"),
        ("mean distance: ours without replacement, theirs with", float("nan"), gaps),
    ]


def show(rows: list[tuple[str, float, str]]) -> None:
    first = rows[0][1]
    for name, spent, note in rows:
        print(f"{name:58} {spent:8.2f} s {spent / first:6.2f}  {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic", nargs="?", default="matching", choices=["matching"])
    parser.add_argument("--treated", type=int, default=20_000)
    parser.add_argument("--controls", type=int, default=2_000_000)
    asked = parser.parse_args()
    show(matching(asked.treated, asked.controls))


if __name__ == "__main__":
    main()
