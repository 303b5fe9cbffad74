"""Invent 400 scores in two groups, and freeze what scikit-learn and statsmodels say of them.

The rows go to risk_score.csv, the answers to risk_score.json; those of R's pROC and glm are in risk_score_r.json, made by
risk_score.R from the same rows. Needs scikit-learn and statsmodels. Run: python risk_score.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import statsmodels
import statsmodels.api as sm
from sklearn.metrics import confusion_matrix, roc_auc_score
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

HERE, THRESHOLD = Path(__file__).parent, 0.3


def invented() -> pd.DataFrame:
    rng = np.random.default_rng(1988)
    group = np.where(rng.random(400) < 0.6, "north", "south")
    odds = -1 + 1.2 * rng.normal(size=400)
    score = np.round(1 / (1 + np.exp(-(0.8 * odds - 0.5 * (group == "south")))), 2).clip(0.01, 0.99)
    return pd.DataFrame(
        {"group": group, "score": score, "harmed": (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(int)}
    )


def answers(rows: pd.DataFrame) -> dict:
    flagged = (rows["score"] >= THRESHOLD).astype(int)
    tn, fp, fn, tp = (int(each) for each in confusion_matrix(rows["harmed"], flagged).ravel())
    line = np.log(rows["score"] / (1 - rows["score"])).to_numpy()
    slope = sm.Logit(rows["harmed"], sm.add_constant(line)).fit(disp=0, method="newton", tol=1e-12)
    large = sm.GLM(rows["harmed"], np.ones(len(rows)), family=sm.families.Binomial(), offset=line).fit(
        tol=1e-14
    )
    return {
        "cells": [tp, fn, fp, tn],
        "auc": float(roc_auc_score(rows["harmed"], rows["score"])),
        "slope": [float(slope.params.iloc[1]), float(slope.bse.iloc[1])],
        "in_the_large": [float(large.params.iloc[0]), float(large.bse.iloc[0])],
        "sensitivity": [float(each) for each in proportion_confint(tp, tp + fn, method="wilson")],
        "positive_predictive_value": [
            float(each) for each in proportion_confint(tp, tp + fp, method="wilson")
        ],
    }


def main() -> None:
    rows = invented()
    rows.to_csv(HERE / "risk_score.csv", index=False, lineterminator="\n")
    found = {name: answers(part) for name, part in (("all", rows), *rows.groupby("group"))}
    (n_tp, n_fn, *_), (s_tp, s_fn, *_) = found["north"]["cells"], found["south"]["cells"]
    found["sensitivity_difference"] = [
        float(each)
        for each in confint_proportions_2indep(
            s_tp, s_tp + s_fn, n_tp, n_tp + n_fn, method="newcomb", compare="diff"
        )
    ]
    found["versions"] = {"scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__}
    (HERE / "risk_score.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
