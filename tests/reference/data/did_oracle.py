"""Frozen answers for the difference-in-differences tests. Run with an environment that has moderndid, diff-diff and
pyfixest (none is a dependency):  python did_oracle.py > did_oracle.json

`path` and `covariance` are given to the bounds, so that only the bounds are compared.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent


def counts(mpdta):
    """Invented counts on the mpdta panel: deterministic, with a little of everything."""
    base = np.exp(mpdta.lemp)
    wobble = 1 + 0.2 * np.sin(np.arange(len(mpdta)) * 1.7)
    lift = np.where((mpdta["first.treat"] > 0) & (mpdta.year >= mpdta["first.treat"]), 0.9, 1.0)
    return np.floor(base * wobble * lift / 20).astype(int), np.exp(mpdta.lpop)


def poisson(mpdta):
    import pyfixest as pf

    frame = mpdta.copy()
    frame["n"], frame["people"] = counts(mpdta)
    frame["log_people"] = np.log(frame.people)
    frame = frame[frame["first.treat"].isin([0, 2006])]
    frame["treated"] = ((frame["first.treat"] > 0) & (frame.year >= frame["first.treat"])).astype(float)
    out = {}
    for name, options in (("plain", {}), ("exposure", {"offset": "log_people"})):
        fit = pf.fepois("n ~ treated | countyreal + year", frame, vcov={"CRV1": "countyreal"}, **options)
        out[name] = [float(fit.coef()["treated"]), float(fit.se()["treated"]), int(fit._N)]
    return out


def adjustments(mpdta):
    import moderndid
    import polars as pl

    out = {}
    for method in ("reg", "ipw", "dr"):
        found = moderndid.att_gt(
            data=pl.from_pandas(mpdta),
            yname="lemp",
            tname="year",
            idname="countyreal",
            gname="first.treat",
            xformla="~ lpop",
            est_method=method,
            boot=False,
            cband=False,
        )
        out[method] = {
            f"{int(g)}_{int(t)}": [float(a), float(s)]
            for g, t, a, s in zip(found.groups, found.times, found.att_gt, found.se_gt, strict=True)
        }
    return out


def bounds():
    from diff_diff.honest_did import _compute_optimal_flci

    beta = np.array(
        [0.003306357, 0.025021750, 0.024458745, -0.019931817, -0.050957367, -0.137258739, -0.100811363]
    )
    covariance = np.array([[6.0, 2.0, 1.0, -0.4, -0.4, -0.5, -0.6], [2.0, 3.3, 1.2, -0.4, -0.5, -0.5, -0.5],
                           [1.0, 1.2, 2.0, -0.9, -0.7, -0.7, -0.8], [-0.4, -0.4, -0.9, 1.4, 0.9, 0.8, 0.9],
                           [-0.4, -0.5, -0.7, 0.9, 2.9, 1.9, 1.9], [-0.5, -0.5, -0.7, 0.8, 1.9, 13.3, 8.0],
                           [-0.6, -0.5, -0.8, 0.9, 1.9, 8.0, 11.8]]) * 1e-4  # fmt: skip
    weights = {"first": np.array([1.0, 0, 0, 0]), "mean": np.full(4, 0.25)}
    out = {"path": beta.tolist(), "covariance": covariance.tolist(), "flci": []}
    for name, weight in weights.items():
        for m in (0.0, 0.005, 0.01, 0.02):
            low, high = _compute_optimal_flci(beta[:3], beta[3:], covariance, weight, 3, 4, m)
            out["flci"].append([name, m, float(low), float(high)])
    return out


def synthetic(mpdta):
    from diff_diff import SyntheticDiD

    frame = mpdta[mpdta["first.treat"].isin([0, 2007])].copy()
    frame["treated"] = (frame["first.treat"] > 0).astype(int)
    out = {}
    found = SyntheticDiD(variance_method="jackknife", seed=1).fit(
        frame, outcome="lemp", treatment="treated", unit="countyreal", time="year", post_periods=[2007]
    )
    out["jackknife"] = [float(found.att), float(found.se)]
    return out


def main():
    mpdta = pd.read_csv(HERE / "mpdta.csv")
    answers = {}
    for part in (poisson, adjustments, synthetic):
        answers[part.__name__] = part(mpdta)
    answers["bounds"] = bounds()
    json.dump(answers, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
