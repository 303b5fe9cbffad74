"""Kaplan-Meier and Cox beside their peers on the same data, one run each; prints seconds and ratios.

Run: python benchmarks/survival.py [rows]. Peers that are not installed are left out. R is used where
Rscript is.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from evalkit.impact.cox import cox
from evalkit.impact.kaplan_meier import kaplan_meier

SEED = 20200701


def invented(rows: int, whole_days: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times to reoffence of invented people with five covariates: whole days of a year, or continuous."""
    generator = np.random.default_rng(SEED)
    x = generator.standard_normal((rows, 5))
    x[:, 0] = x[:, 0] > 0
    hazard = 0.002 * np.exp(x @ np.array([-0.2, 0.3, 0.1, 0.0, -0.1]))
    until = generator.exponential(1 / hazard)
    observed = np.minimum(until, 365.0)
    return (np.ceil(observed) if whole_days else observed), (until <= 365).astype(float), x


def timed(function, *arguments, **named) -> tuple[float, object]:
    start = time.perf_counter()
    answer = function(*arguments, **named)
    return time.perf_counter() - start, answer


def report(what: str, ours: float, peers: dict[str, tuple[float, float]]) -> None:
    print(f"{what}: evalkit {ours:.2f} s")
    for name, (seconds, gap) in peers.items():
        print(f"  {name}: {seconds:.2f} s, {seconds / ours:.1f} times as long; largest difference {gap:.1e}")


def curves(observed: np.ndarray, event: np.ndarray) -> None:
    ours, curve = timed(kaplan_meier, observed, event)
    peers = {}
    if importlib.util.find_spec("lifelines"):
        from lifelines import KaplanMeierFitter

        seconds, fitted = timed(KaplanMeierFitter().fit, observed, event)
        values = fitted.survival_function_.iloc[1:, 0].to_numpy()
        peers["lifelines"] = (seconds, float(np.abs(values - curve.survival).max()))
    report("Kaplan-Meier", ours, peers)


def hazards(observed: np.ndarray, event: np.ndarray, x: np.ndarray) -> None:
    for ties in ("efron", "breslow"):
        ours, fit = timed(cox, observed, event, x, ties=ties)
        peers = {}
        if importlib.util.find_spec("statsmodels"):
            from statsmodels.duration.hazard_regression import PHReg

            seconds, fitted = timed(PHReg(observed, x, event, ties=ties).fit, disp=0)
            peers["statsmodels (fit only)"] = (seconds, float(np.abs(fitted.params - fit.coefficients).max()))
        if shutil.which("Rscript"):
            seconds, values = in_r(observed, event, x, ties)
            peers["R survival (fit only)"] = (seconds, float(np.abs(values - fit.coefficients).max()))
        report(f"Cox, {ties}", ours, peers)


def in_r(observed: np.ndarray, event: np.ndarray, x: np.ndarray, ties: str) -> tuple[float, np.ndarray]:
    """Seconds of R's own clock around the fit, without reading the data, and its coefficients."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.bin"
        np.column_stack([observed, event, x]).astype("<f8").T.tofile(file)
        program = (
            "suppressMessages(library(survival));"
            f"m<-matrix(readBin('{file}','double',{len(x) * 7},endian='little'),{len(x)},7);"
            "x<-m[,3:7];y<-Surv(m[,1],m[,2]);"
            f"t<-system.time(f<-coxph(y~x,ties='{ties}'))[['elapsed']];cat(format(c(t,coef(f)),digits=15))"
        )
        answer = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True, check=True)
    numbers = np.array(answer.stdout.split(), float)
    return float(numbers[0]), numbers[1:]


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for whole_days in (True, False):
        observed, event, x = invented(rows, whole_days)
        print(
            f"{rows:,} rows, {'whole days' if whole_days else 'continuous times'}, {int(event.sum()):,} events"
        )
        curves(observed, event)
        hazards(observed, event, x)


if __name__ == "__main__":
    main()
