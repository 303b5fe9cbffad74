"""Make several_outcomes.csv and several_outcomes_panel.csv, and adjust their p-values with pyfixest's `rwolf`.

Run: python several_outcomes.py (pyfixest 0.60.0 with wildboottest 0.3.2). Invented people and places; no licence applies.
Eleven seeds of 9,999 Rademacher draws each, so that their mean has a third of one run's Monte Carlo error. With one start
and every place in every period, two-way fixed effects are a regression of each place's change (mean after less mean
before) on being treated, with places as rows: that is what the places are given as.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf

HERE, SEEDS, DRAWS = Path(__file__).parent, range(1, 12), 9999


def people() -> pd.DataFrame:
    rng = np.random.default_rng(20261122)
    n, effects = 400, np.array([0.0, 0.12, 0.20, 0.26, 0.30])
    treated = (rng.random(n) < 0.5).astype(float)
    age, shared = rng.normal(size=n), rng.normal(size=n)
    values = effects * treated[:, None] + 0.3 * age[:, None] + 0.8 * shared[:, None]
    values = np.round(values + 0.6 * rng.normal(size=(n, len(effects))), 3)
    frame = pd.DataFrame(values, columns=[f"y{j}" for j in range(len(effects))])
    frame.insert(0, "treated", treated.astype(int))
    return frame.assign(person_id=[f"p{k:03d}" for k in range(n)])


def panel() -> pd.DataFrame:
    rng = np.random.default_rng(20261123)
    units, periods, effects = 60, 6, np.array([0.25, 0.35, 0.45])
    unit, period = np.repeat(np.arange(units), periods), np.tile(np.arange(1, periods + 1), units)
    start = np.where(unit < 24, 4, 0)
    shared = rng.normal(size=len(unit)) + rng.normal(size=units)[unit]
    now = (start > 0) & (period >= start)
    noise = rng.normal(size=(len(unit), len(effects)))
    values = np.round(np.outer(now, effects) + 0.8 * shared[:, None] + 0.6 * noise, 3)
    frame = pd.DataFrame(
        {"area": [f"a{k:02d}" for k in unit], "period": period, "start": start, "now": now.astype(int)}
    )
    return frame.assign(**{f"y{j}": values[:, j] for j in range(len(effects))})


def adjusted(fits: list, name: str) -> dict[str, object]:
    tables = [pf.rwolf(fits, name, reps=DRAWS, seed=seed) for seed in SEEDS]
    by_seed = np.array([table.loc["RW Pr(>|t|)"].to_numpy(float) for table in tables])
    raw = tables[0].loc["Pr(>|t|)"].tolist()
    return {"p_value": raw, "p_adjusted": by_seed.mean(axis=0).tolist(), "draws": DRAWS * len(SEEDS)}


def main() -> None:
    one, many = people(), panel()
    one.to_csv(HERE / "several_outcomes.csv", index=False, lineterminator="\n")
    many.to_csv(HERE / "several_outcomes_panel.csv", index=False, lineterminator="\n")
    of_people = [pf.feols(f"y{j} ~ treated", data=one, vcov="HC1") for j in range(5)]
    after = many.assign(after=many["period"] >= 4).groupby(["area", "start", "after"], as_index=False).mean()
    wide = after.pivot(index=["area", "start"], columns="after", values=["y0", "y1", "y2"])
    change = pd.DataFrame(
        {name: wide[name][True] - wide[name][False] for name in ("y0", "y1", "y2")}
    ).reset_index()
    change["treated"] = (change["start"] > 0).astype(int)
    of_places = [pf.feols(f"y{j} ~ treated", data=change, vcov="HC1") for j in range(3)]
    found = {"people": adjusted(of_people, "treated"), "places": adjusted(of_places, "treated")}
    found |= {"software": f"pyfixest {pf.__version__}"}
    (HERE / "several_outcomes.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
