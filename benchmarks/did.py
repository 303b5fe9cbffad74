"""Difference-in-differences beside its peers: same data, one run, each in a fresh process.

    python benchmarks/did.py [--jobs twfe_1m,cs_50k] [--peers /path/to/python] [--calls 3] [--threads 1]

`--peers` is an interpreter that has pyfixest, diff-diff or moderndid; what is missing is left out. Diagnostics and
frames that the peers do not compute are switched off here, uniform bands are not. Read ratios, not seconds: `ratio` of
the clock, `CPU` of the processor's own time.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd

THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
JOBS = {
    "two_by_two_1m": ("evalkit", "pyfixest", "diff-diff"),
    "twfe_1m": ("evalkit", "pyfixest", "diff-diff", "linearmodels"),
    "twfe_10m": ("evalkit", "pyfixest", "diff-diff"),
    "twfe_unbalanced_1m": ("evalkit", "pyfixest"),
    "event_1m": ("evalkit", "pyfixest"),
    "cs_50k": ("evalkit", "diff-diff", "moderndid"),
    "cs_50k_covariates": ("evalkit", "diff-diff", "moderndid"),
    "wild_100k": ("evalkit", "pyfixest", "diff-diff"),
}


def panel(units: int, periods: int, starts: tuple[int, ...], seed: int = 1) -> pd.DataFrame:
    """A complete panel with unit and period effects and an effect that grows."""
    generator = np.random.default_rng(seed)
    start = np.array(starts)[generator.integers(0, len(starts), units)]
    unit, period = np.repeat(np.arange(units), periods), np.tile(np.arange(1, periods + 1), units)
    start = np.repeat(start, periods)
    treated = ((start > 0) & (period >= start)).astype(float)
    noise = generator.normal(size=units * periods) + np.repeat(generator.normal(size=units), periods)
    return pd.DataFrame(
        {
            "unit": unit, "period": period, "start": start, "treated": treated, "y": noise + 0.3 * treated,
            "x1": np.repeat(generator.normal(size=units), periods),
            "x2": np.repeat(generator.normal(size=units), periods),
        }
    )  # fmt: skip


def data(job: str) -> pd.DataFrame:
    if job == "two_by_two_1m":
        frame = panel(500_000, 2, (0, 2))
        return frame.assign(area=frame.unit % 1000)
    if job == "twfe_1m":
        return panel(20_000, 50, (0, 25))
    if job == "twfe_10m":
        return panel(200_000, 50, (0, 25))
    if job == "twfe_unbalanced_1m":
        return panel(22_000, 50, (0, 10, 20, 30)).sample(frac=0.91, random_state=1).reset_index(drop=True)
    if job == "event_1m":
        return panel(20_000, 50, (0, 25))
    if job.startswith("cs"):
        return panel(50_000, 12, (0, 4, 6, 8, 10))
    frame = panel(4_000, 25, (0, 13))
    start = np.where(frame.unit % 40 < 16, 13, 0)
    treated = ((start > 0) & (frame.period >= start)).astype(float)
    return frame.assign(area=frame.unit % 40, start=start, treated=treated)


def evalkit_call(job: str, frame: pd.DataFrame):
    from evalkit.impact.did import did

    names = {
        "outcome": "y",
        "unit": "unit",
        "period": "period",
        "first_treated": "start",
        "diagnostics": False,
    }
    estimator = {
        "two": "two_by_two",
        "twfe": "twfe",
        "event": "event_study",
        "cs": "callaway_santanna",
        "wild": "twfe",
    }
    options = {"estimator": estimator[job.split("_")[0]]}
    if "area" in frame:
        options["cluster"] = "area"
    if job == "wild_100k":
        options["inference"] = "wild_bootstrap"
    if job.endswith("covariates"):
        options["covariates"] = ("x1", "x2")
    head = did(frame, **names, **options).headline
    return head.estimate, head.std_error if job != "wild_100k" else head.p_value


def pyfixest_call(job: str, frame: pd.DataFrame):
    import pyfixest as pf

    lean = {"store_data": False, "copy_data": False, "lean": job != "wild_100k"}
    cluster = {"CRV1": "area" if "area" in frame else "unit"}
    if job == "two_by_two_1m":
        frame = frame.assign(arm=(frame.start > 0) * 1.0, after=(frame.period == 2) * 1.0)
        fit = pf.feols("y ~ arm * after", frame, vcov=cluster, **lean)
        return float(fit.coef().iloc[-1]), float(fit.se().iloc[-1])
    if job == "event_1m":
        frame = frame.assign(event=np.where(frame.start > 0, frame.period - frame.start, -1))
        fit = pf.feols("y ~ i(event, ref=-1) | unit + period", frame, vcov=cluster, **lean)
        after = fit.coef()[[float(name.split("::")[1]) >= 0 for name in fit.coef().index]]
        return float(after.mean()), float(fit.se().iloc[-1])
    if job == "wild_100k":
        fit = pf.feols("y ~ treated | unit + period", frame, vcov=cluster)
        found = fit.wildboottest(param="treated", reps=999, cluster="area", seed=1)
        return float(fit.coef().iloc[0]), float(found["Pr(>|t|)"])
    fit = pf.feols("y ~ treated | unit + period", frame, vcov=cluster, **lean)
    return float(fit.coef().iloc[0]), float(fit.se().iloc[0])


def diffdiff_call(job: str, frame: pd.DataFrame):
    import diff_diff

    if job == "two_by_two_1m":
        frame = frame.assign(arm=(frame.start > 0) * 1, after=(frame.period == 2) * 1)
        found = diff_diff.DifferenceInDifferences(cluster="area").fit(
            frame, outcome="y", treatment="arm", time="after"
        )
        return float(found.att), float(found.se)
    if job == "wild_100k":
        frame = frame.assign(arm=(frame.start > 0) * 1, after=(frame.period >= 13) * 1)
        found = diff_diff.DifferenceInDifferences(
            cluster="area", inference="wild_bootstrap", n_bootstrap=999, seed=1
        ).fit(frame, outcome="y", treatment="arm", time="after")
        return float(found.att), float(found.p_value)
    if job.startswith("twfe"):
        # Its two-way class takes treated × after for one start, not calendar time.
        frame = frame.assign(arm=(frame.start > 0) * 1, after=(frame.period >= 25) * 1)
        found = diff_diff.TwoWayFixedEffects(cluster="unit").fit(
            frame, outcome="y", treatment="arm", time="after", unit="unit"
        )
        return float(found.att), float(found.se)
    covariates = ["x1", "x2"] if job.endswith("covariates") else None
    found = diff_diff.CallawaySantAnna(n_bootstrap=999, seed=1).fit(
        frame,
        outcome="y",
        unit="unit",
        time="period",
        first_treat="start",
        covariates=covariates,
        aggregate="all",
    )
    return float(found.overall_att), float(found.overall_se)


def moderndid_call(job: str, frame: pd.DataFrame):
    import moderndid
    import polars as pl

    formula = "~ x1 + x2" if job.endswith("covariates") else None
    found = moderndid.att_gt(
        data=pl.from_pandas(frame), yname="y", tname="period", idname="unit", gname="start", xformla=formula,
        est_method="dr", boot=True, cband=True, biters=999,
    )  # fmt: skip
    overall = moderndid.aggte(found, type="simple")
    return float(overall.overall_att), float(overall.overall_se)


def linearmodels_call(job: str, frame: pd.DataFrame):
    from linearmodels.panel import PanelOLS

    indexed = frame.set_index(["unit", "period"])
    fit = PanelOLS(indexed.y, indexed[["treated"]], entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True
    )
    return float(fit.params.iloc[0]), float(fit.std_errors.iloc[0])


CALLS = {
    "evalkit": evalkit_call,
    "pyfixest": pyfixest_call,
    "diff-diff": diffdiff_call,
    "moderndid": moderndid_call,
    "linearmodels": linearmodels_call,
}


def measure(job: str, peer: str, path: str, calls: int) -> dict:
    """Seconds of the first call (imports included), the median of the others, the least of the processor's own seconds
    among those (all threads; it moves less with what else the machine does), and memory above the data."""
    warnings.simplefilter("ignore")
    with np.load(path) as columns:
        frame = pd.DataFrame({name: columns[name] for name in columns.files})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, busy, answer = [], [], None
    for _ in range(calls + 1):
        began, worked = time.perf_counter(), time.process_time()
        answer = CALLS[peer](job, frame)
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
        if seconds[-1] > 60:
            break
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    rest = seconds[1:] or seconds
    least = min(busy[1:] or busy)
    return {
        "first": seconds[0],
        "median": statistics.median(rest),
        "cpu": least,
        "mib": memory,
        "answer": answer,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--calls", type=int, default=3)
    parser.add_argument(
        "--threads", default="1", help="threads of the linear algebra library, for every peer"
    )
    parser.add_argument("--one", nargs=3)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, options.calls)))
        return
    print(
        f"{'job':20} {'peer':13} {'median s':>9} {'first s':>9} {'CPU s':>7} {'MiB':>7} {'ratio':>7} {'CPU':>6}  answer"
    )
    with tempfile.TemporaryDirectory() as folder:
        for job in options.jobs.split(","):
            path = str(pathlib.Path(folder) / f"{job}.npz")
            frame = data(job)
            np.savez(path, **{name: frame[name].to_numpy() for name in frame})
            _report(job, path, options)


def _report(job: str, path: str, options: argparse.Namespace) -> None:
    own = None
    for peer in JOBS[job]:
        python = sys.executable if peer in ("evalkit", "linearmodels") else options.peers
        command = [python, __file__, "--one", job, peer, path, "--calls", str(options.calls)]
        try:
            environment = os.environ | dict.fromkeys(THREADS, options.threads)
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=240, check=True, env=environment
            )
            found = json.loads(run.stdout.strip().splitlines()[-1])
        except (subprocess.SubprocessError, json.JSONDecodeError, IndexError) as error:
            detail = (getattr(error, "stderr", "") or "").strip().splitlines()
            print(f"{job:20} {peer:13} not run: {detail[-1] if detail else type(error).__name__}", flush=True)
            continue
        own = own or (found["median"], found["cpu"])
        answer = ", ".join(f"{value:.6g}" for value in found["answer"])
        print(
            f"{job:20} {peer:13} {found['median']:9.3f} {found['first']:9.3f} {found['cpu']:7.3f} "
            f"{found['mib']:7.0f} {found['median'] / own[0]:7.1f} {found['cpu'] / own[1]:6.1f}  {answer}",
            flush=True,
        )


if __name__ == "__main__":
    main()
