"""Write coverage.md from the tables that the simulation studies left, as they came.

Run: python docs/coverage.py (the tables themselves: make simulations)
"""

from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parents[1] / "tests" / "simulation" / "results"
SECTIONS = (
    ("did.csv", "Difference-in-differences", "tests/simulation/test_did_coverage.py", """\
Staggered starts with effects that grow and differ by cohort, serially correlated errors, over-dispersed counts for the
Poisson rows. Plain two-way effects fail where theory says that they do (first row). With 8 clusters the wild bootstrap
lies just under the band at 399 draws; its Monte Carlo error is about 0.6 points."""),
    ("rates.csv", "Two groups: rates, matching, weighting, survival", "tests/simulation/test_rates_coverage.py", """\
500 draws, so each coverage has a Monte Carlo error of about 1 point. Below the band, with reasons: three therapists
(two degrees of freedom can do no better), and poor overlap without a caliper, where the nearest control is far away and
the bias is the finding. With a caliper the estimand is the effect among the matched."""),
    ("harm.csv", "A difference of mean harm", "tests/simulation/test_harm_coverage.py", """\
Most people have none, and harm of the others is lognormal. Welch's interval holds. The percentile bootstrap beside it
(term `bootstrap` of `rates`) is liberal: of 95% intervals 90 to 92% hold the truth with 100 people in each arm, 94 to 95%
with 400. Its Monte Carlo error is about 1 point. Read it as a second look, never as the sharper one."""),
    ("meta_coverage.csv", "Meta-analysis", "tests/simulation/test_meta_coverage.py", """\
Few studies: the normal interval is too narrow, Hartung-Knapp holds, and the prediction interval falls short of its
level, as the literature says of it."""),
    ("series_coverage.csv", "Interrupted series and synthetic control", "tests/simulation/test_series_coverage.py", """\
Short series with correlated errors: Newey-West is too narrow, so its check fails below 100 periods when the residuals
are still correlated. Plain Poisson on over-dispersed counts is shown failing."""),
    ("scores.csv", "A risk score, group by group", "tests/simulation/test_score_coverage.py", """\
Newcombe's interval for a difference in sensitivity, DeLong's for the area under the curve, and calibration. `clear` is the
share of draws in which Holm's rule calls any of four differences clear: where the groups are alike it should be about 5% at most. With
16 of 80 in the smaller group having the outcome, DeLong's interval for the area runs a little narrow (92.8%)."""),
    ("step_down.csv", "Several tests of the same people", "tests/simulation/test_step_down_error.py", """\
Four outcomes, unlike or alike (0.8 of their variance shared). `error` is the share of draws in which any test without an
effect is called clear at 0.05, and should be 5% at most (Monte Carlo error 1 point); `clear` is the share of real effects
that are called clear. With 20 clusters the step-down runs over: clustered errors are a little small with so few, and how the
tests hang together is learnt from 20 places only. There Holm's rule is the safer one."""),
)  # fmt: skip


def table(frame: pd.DataFrame) -> str:
    cells = frame.map(
        lambda value: "" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)
    )
    lines = [" | ".join(frame.columns), " | ".join("---" for _ in frame.columns)]
    return "\n".join(
        f"| {line} |" for line in [*lines, *(" | ".join(row) for row in cells.itertuples(index=False))]
    )


def main() -> None:
    parts = [
        "# Bias and coverage by simulation",
        "Made by `python docs/coverage.py` from the files in `tests/simulation/results`, which `make simulations` writes. "
        "Truth, seed and number of draws stand in each row. A 95% interval should hold the truth in 93 to 97% of draws.",
    ]
    for name, title, test, words in SECTIONS:
        path = RESULTS / name
        if path.is_file():
            parts += [f"## {title}", f"`python -m pytest {test} -m slow`. {words}", table(pd.read_csv(path))]
    (Path(__file__).parent / "coverage.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
