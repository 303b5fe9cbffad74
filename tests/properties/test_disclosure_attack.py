"""An attacker who knows the rule, every number of people and all that was printed must not find a small count.

The attacker is the strongest there is: for other counts it makes the whole release again. A small count is safe when
counts further away by the protection interval, on either side, give exactly the same release.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import policy, release

NO_FLOW = pd.DataFrame(columns=["step", "arm", "n", "lost", "reason"])
LOOK = settings(
    max_examples=4,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
MEASURES = ("risk_difference", "risk_ratio", "odds_ratio", "mean_difference", "rate_ratio")


def people(counts: tuple[int, ...], sizes: tuple[int, ...]) -> pd.DataFrame:
    """Rows of the arms (two numbers), or of two groups in each arm (four), with so many events."""
    rows = []
    for place, (x, n) in enumerate(zip(counts, sizes, strict=True)):
        treated = int(place % 2 == 0)
        rows += [(treated, int(number < x), "ab"[place // 2], number % 10 + 1) for number in range(n)]
    frame = pd.DataFrame(rows, columns=["treated", "reoffended", "group", "days"])
    frame["days"] = np.where(frame["reoffended"] == 1, frame["days"], 20)
    return frame.assign(person_id=[f"p{number}" for number in range(len(frame))])


def one_measure(measure: str):
    return lambda frame: [ek.rates(frame, outcome="reoffended", measure=measure).named("main", "primary")]


def all_measures(frame: pd.DataFrame) -> list:
    results = [
        ek.rates(frame, outcome="reoffended", measure=each).named(each, "secondary") for each in MEASURES
    ]
    curve = ek.survival(frame, outcome="reoffended", time="days", event="reoffended", horizon=10)
    return [*results, curve.named("curve", "secondary")]


def by_group(frame: pd.DataFrame) -> list:
    return [ek.rates(frame, outcome="reoffended", subgroup="group").named("main", "primary")]


def printed(counts, sizes, analyses, preset: str) -> str:
    """All that leaves, as one text."""
    out = release(results=analyses(people(counts, sizes)), flow=NO_FLOW, policy=policy(preset))
    frames = [frame.to_csv(index=False) for each in out.results for frame in each.detail.values()]
    return repr([(each.estimates, each.checks) for each in out.results]) + "".join(frames)


def same_release(counts, sizes, analyses, preset: str, arm: int, sign: int, needed: int) -> bool:
    """Whether some other counts, with that of one cell at least so far away, print exactly alike."""
    seen = printed(counts, sizes, analyses, preset)
    beside = arm ^ 1
    for far in range(needed, needed + 3):
        for moved in likely(counts[beside], sizes[beside], sign * far):
            other = list(counts)
            other[arm] += sign * far
            other[beside] = moved
            if 0 <= other[arm] <= sizes[arm] and printed(tuple(other), sizes, analyses, preset) == seen:
                return True
    return False


def likely(x: int, n: int, move: int) -> list[int]:
    """Counts of the other arm to try: moved along, then nearly unmoved, then small and nearly full ones."""
    tried = [x + move, x, x + move - 1, x + move + 1, 2, n - 2, 5, n - 5, x - 1, x + 1, x + move // 2]
    return [each for each in dict.fromkeys(tried) if 0 <= each <= n]


def hold(counts, sizes, analyses, preset: str) -> None:
    """Every small count keeps the protection interval on either side, as far as there are whole numbers."""
    rule = policy(preset)
    floor = 0 if rule.hide_zeros else 1
    for arm, (x, n) in enumerate(zip(counts, sizes, strict=True)):
        if not rule.small(x, n):
            continue
        for sign, room in ((-1, x - floor), (1, n - floor - x)):
            needed = min(rule.protection, max(room, 0))
            assert not needed or same_release(counts, sizes, analyses, preset, arm, sign, needed), (
                f"{counts} of {sizes} under {preset}: the count of cell {arm} can be brought nearer than {needed}"
            )


@st.composite
def tables(draw) -> tuple[tuple[int, int], tuple[int, int]]:
    sizes = draw(st.tuples(st.sampled_from((30, 64, 100)), st.sampled_from((45, 80))))
    edge = st.integers(0, 12)
    first = draw(edge | edge.map(lambda each: sizes[0] - each))
    second = draw(st.integers(0, sizes[1]))
    return (max(0, first), second), sizes


@pytest.mark.parametrize("measure", MEASURES)
@LOOK
@given(table=tables(), preset=st.sampled_from(("public", "partner")))
def test_one_comparison_keeps_its_small_counts(measure, table, preset):
    hold(*table, one_measure(measure), preset)


@LOOK
@given(table=tables())
def test_every_measure_of_the_same_counts_together_keeps_them(table):
    hold(*table, all_measures, "public")


@pytest.mark.parametrize("preset", ["public", "partner"])
@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ((0, 7), (60, 60)),
        ((60, 50), (60, 60)),
        ((3, 20), (100, 100)),
        ((9, 15), (80, 90)),
        ((95, 80), (100, 100)),
    ],
)
def test_noughts_full_cells_and_near_the_threshold(counts, sizes, preset):
    hold(counts, sizes, all_measures, preset)


@pytest.mark.parametrize("counts", [(3, 9, 30, 33), (12, 20, 4, 9), (2, 3, 40, 50)])
def test_groups_beside_everybody_keep_their_small_counts(counts):
    """A group's small count must not be what is left of everybody's when the other groups are taken away."""
    sizes = (40, 40, 90, 90)
    out = release(results=by_group(people(counts, sizes)), flow=NO_FLOW, policy=policy("public"))
    estimates = {each.group: each for each in out.results[0].estimates}
    rule = policy("public")
    for place, group in ((0, "a"), (2, "b")):
        shown = estimates[group].estimate is not None
        for arm in (place, place + 1):
            if shown and rule.small(counts[arm], sizes[arm]):
                hold_between(counts, sizes, arm)


def hold_between(counts, sizes, arm: int) -> None:
    """The same, when a count may move between the groups and everybody stays."""
    seen = printed(counts, sizes, by_group, "public")
    for sign in (-1, 1):
        found = False
        for far in range(5, 8):
            for beside, rest in ((sign * far, -sign * far), (sign * far, 0), (0, -sign * far), (0, 0)):
                other = list(counts)
                other[arm] += sign * far
                other[arm ^ 1] += beside
                other[arm ^ 2] += rest
                inside = all(0 <= x <= n for x, n in zip(other, sizes, strict=True))
                found |= inside and printed(tuple(other), sizes, by_group, "public") == seen
        assert found or counts[arm] + sign * 5 < 0


@pytest.mark.parametrize("preset", ["public", "partner"])
@pytest.mark.parametrize("estimator", ["kaplan_meier", "cox", "rmst", "aalen_johansen"])
def test_a_small_group_compared_by_survival_is_withheld(estimator, preset):
    """Four events among 30 people: the group itself, and the test that it differs from the others."""
    frame = people((4, 18, 46, 40), (30, 40, 100, 80))
    found = ek.survival(
        frame, time="days", event="reoffended", estimator=estimator, horizon=10, subgroup="group"
    )
    out = release(results=[found.named("main", "primary")], flow=NO_FLOW, policy=policy(preset)).results[0]
    assert all(each.estimate is not None for each in found.estimates)
    for each in (each for each in out.estimates if each.group == "a"):
        assert (each.estimate, each.std_error, each.statistic, each.p_value, each.conf_low) == (None,) * 5
    assert out.check("subgroup_interaction").statistic is None
