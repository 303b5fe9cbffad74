"""What must not change an answer, and what must: rates, survival, counts and their helpers."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.impact import attrition, consistency, flaws, missing, sensitivity
from evalkit.impact.rates import rates
from evalkit.impact.replacement import abadie_imbens
from evalkit.impact.survival import survival

MEASURES = ["risk_difference", "risk_ratio", "odds_ratio", "mean_difference", "rate_ratio"]


def invented(n: int = 300, seed: int = 7) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    age = generator.normal(15, 2, n)
    treated = (generator.random(n) < 1 / (1 + np.exp(-(age - 15) / 3))).astype(int)
    risk = 1 / (1 + np.exp(-(-0.5 - 0.3 * treated + 0.2 * (age - 15))))
    return pd.DataFrame({
        "person_id": [f"p{number:04d}" for number in range(n)],
        "treated": treated,
        "age": age,
        "sex": generator.choice(["female", "male"], n),
        "back": (generator.random(n) < risk).astype(int),
        "prior": generator.poisson(2, n),
        "days": np.ceil(generator.exponential(200, n)).clip(max=365),
        "event": generator.integers(0, 2, n),
        "block": np.arange(n) // 10,
    })  # fmt: skip


PEOPLE = invented()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("options", [{}, {"adjust": ("age", "sex")}, {"cluster": "block"}])
def test_row_order_and_labels_change_nothing(measure, options):
    first = rates(PEOPLE, outcome="back", measure=measure, **options)
    shuffled = PEOPLE.sample(frac=1, random_state=3)
    assert rates(shuffled, outcome="back", measure=measure, **options).to_dict() == first.to_dict()


@pytest.mark.parametrize("measure", MEASURES)
def test_the_frame_is_not_changed(measure):
    before = PEOPLE.copy()
    rates(PEOPLE, outcome="back", measure=measure, adjust=("age",))
    survival(PEOPLE, time="days", event="event")
    pd.testing.assert_frame_equal(PEOPLE, before)


@pytest.mark.parametrize("measure", MEASURES)
def test_rescaled_weights_change_nothing(measure):
    weights = 1 + (PEOPLE.index % 3) / 2
    one = rates(PEOPLE.assign(w=weights), outcome="back", measure=measure, weights="w").headline
    ten = rates(PEOPLE.assign(w=10 * weights), outcome="back", measure=measure, weights="w").headline
    assert ten.estimate == pytest.approx(one.estimate)
    assert ten.std_error == pytest.approx(one.std_error)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_copy_of_everybody_clustered_by_person_keeps_the_error(measure):
    twice = pd.concat([PEOPLE, PEOPLE])
    one = rates(PEOPLE, outcome="back", measure=measure, cluster="person_id").headline
    two = rates(twice, outcome="back", measure=measure, cluster="person_id").headline
    assert two.estimate == pytest.approx(one.estimate)
    assert two.std_error == pytest.approx(one.std_error, rel=0.01)


def test_people_of_weight_nought_are_not_there():
    weights = (PEOPLE.index % 4 != 0).astype(float)
    used = PEOPLE[weights > 0]
    assert (
        rates(PEOPLE.assign(w=weights), outcome="back", weights="w").headline
        == rates(used, outcome="back").headline
    )


def test_two_estimators_that_must_agree_do():
    linear = rates(PEOPLE, outcome="back", measure="mean_difference").headline
    risk = rates(PEOPLE, outcome="back").headline
    assert risk.estimate == pytest.approx(100 * linear.estimate)
    full = survival(PEOPLE.assign(days=1.0), time="days", event="back", horizon=1).headline
    assert full.estimate == pytest.approx(-risk.estimate)
    assert full.std_error == pytest.approx(risk.std_error)
    adjusted = [
        rates(PEOPLE, outcome="back", adjust=("age",), model=model, estimand="ate").headline.estimate
        for model in ("g_computation", "aipw")
    ]
    assert adjusted[0] == pytest.approx(adjusted[1], abs=1.5)


def test_pairs_cluster_the_error_and_strata_do_not():
    pairs = pd.DataFrame({
        "treated": [1, 0] * 40, "set": np.repeat(np.arange(40), 2), "w": np.tile([1.0, 1.0], 40),
        "back": np.random.default_rng(1).integers(0, 2, 80),
    })  # fmt: skip
    head = rates(pairs, outcome="back", subclass="set", weights="w").headline
    gaps = pairs["back"].to_numpy().reshape(40, 2) @ np.array([1, -1])
    error = 100 * math.sqrt(((gaps - gaps.mean()) ** 2).sum() / 40**2 * 40 / 39 * 79 / 78)
    assert (head.interval, head.n_clusters) == ("wald", 40)
    assert head.std_error == pytest.approx(error)
    strata = rates(pairs.assign(set=pairs["set"] % 4), outcome="back", subclass="set", weights="w").headline
    assert strata.n_clusters is None


def test_pairs_report_how_much_hidden_bias_they_stand():
    pairs = pd.DataFrame(
        {"treated": [1, 0] * 30, "set": np.repeat(np.arange(30), 2), "back": [0, 1] * 24 + [1, 0] * 6}
    )
    check = rates(pairs, outcome="back", subclass="set").check("hidden_bias")
    assert check.statistic == pytest.approx(sensitivity.rosenbaum_binary(24, 6))
    assert check.statistic > 1


def test_one_or_two_treated_clusters_leave_the_estimate_and_take_the_rest_away():
    people = PEOPLE.assign(therapist=np.where(PEOPLE["treated"] == 1, PEOPLE.index % 2, np.nan))
    result = rates(people, outcome="back", cluster="therapist")
    head = result.headline
    assert head.estimate == pytest.approx(rates(PEOPLE, outcome="back").headline.estimate)
    assert (head.std_error, head.p_value, head.conf_low) == (None, None, None)
    assert result.check("few_treated_clusters").passed is False
    assert result.detail["arms"]["conf_low"].isna().all()


def test_three_therapists_in_one_arm_have_an_interval_on_about_two_degrees_of_freedom():
    people = PEOPLE.assign(therapist=np.where(PEOPLE["treated"] == 1, PEOPLE.index % 3, np.nan))
    head = rates(people, outcome="back", cluster="therapist").headline
    assert head.n_clusters == 3
    assert 1.9 < head.df < len(people)


def test_few_clusters_in_both_arms():
    result = rates(PEOPLE.assign(block=PEOPLE.index % 6), outcome="back", cluster="block")
    assert result.headline.std_error is None
    assert result.check("few_clusters").passed is False


@pytest.mark.parametrize("measure", MEASURES)
def test_one_cluster_or_one_person_an_arm_leaves_the_estimate(measure):
    one = rates(PEOPLE.assign(block=1), outcome="back", measure=measure, cluster="block")
    assert one.headline.estimate is not None
    assert one.headline.conf_low is None
    two = pd.DataFrame({"treated": [1, 0], "back": [1, 1]})
    assert rates(two, outcome="back", measure=measure).headline.n_treated == 1


def test_an_arm_without_events_has_a_difference_and_a_ratio_of_nought():
    people = pd.DataFrame({"treated": [1] * 20 + [0] * 20, "back": [0] * 20 + [1] * 5 + [0] * 15})
    assert rates(people, outcome="back").headline.conf_high < 0
    ratio = rates(people, outcome="back", measure="risk_ratio").headline
    assert (ratio.estimate, ratio.conf_low) == (0.0, None)
    flipped = rates(
        people.assign(treated=1 - people["treated"]), outcome="back", measure="risk_ratio"
    ).headline
    assert flipped.estimate is None
    assert rates(people, outcome="back", measure="rate_ratio").headline.estimate is None


def test_compliers_average_is_the_difference_over_that_in_uptake():
    people = PEOPLE.assign(taken=PEOPLE["treated"] * (PEOPLE.index % 4 != 0))
    result = rates(people, outcome="back", compliance="taken")
    uptake = people[people["treated"] == 1]["taken"].mean()
    assert result.estimate("cace").estimate == pytest.approx(result.headline.estimate / uptake)
    assert result.check("compliance_difference").passed is True


def test_subgroups_carry_one_test_of_interaction():
    result = rates(PEOPLE, outcome="back", subgroup="sex")
    assert [each.group for each in result.estimates] == [None, "female", "male"]
    one, two = result.estimates[1:]
    z = (one.estimate - two.estimate) / math.hypot(one.std_error, two.std_error)
    assert result.check("subgroup_interaction").statistic == pytest.approx(z**2)


@pytest.mark.parametrize("method", ["holm", "bh", "romano_wolf"])
def test_p_values_are_adjusted_over_the_groups(method):
    result = rates(PEOPLE.assign(area=PEOPLE.index % 4), outcome="back", subgroup="area", p_adjust=method)
    groups = result.estimates[1:]
    assert all(each.p_adjusted >= each.p_value - 0.01 for each in groups)
    smallest = min(each.p_value for each in groups)
    if method == "romano_wolf":
        # Independent groups: the smallest is 1 − (1 − p)^4, up to the error of 9,999 draws.
        assert min(e.p_adjusted for e in groups) == pytest.approx(1 - (1 - smallest) ** 4, abs=0.02)


def test_margins():
    assert rates(PEOPLE, outcome="back", margin=40, better="lower").check("margin").passed is True
    assert rates(PEOPLE, outcome="back", margin=0.01, better="lower").check("margin").passed is False
    assert "equivalent" in rates(PEOPLE, outcome="back", margin=90).check("margin").reading


def test_a_margin_of_a_ratio_is_a_ratio():
    found = rates(PEOPLE, outcome="back", measure="risk_ratio")
    reach = max(found.headline.conf_high, 1 / found.headline.conf_low)
    for margin, passed in ((reach * 1.01, True), (1 / reach / 1.01, True), (reach * 0.99, False)):
        check = rates(PEOPLE, outcome="back", measure="risk_ratio", margin=margin).check("margin")
        assert check.passed is passed
    with pytest.raises(StudyError, match="a ratio is a ratio"):
        rates(PEOPLE, outcome="back", measure="risk_ratio", margin=1)


def test_missing_outcomes_bring_bounds_that_hold_the_estimate():
    people = PEOPLE.astype({"back": float})
    people.loc[::9, "back"] = np.nan
    result = rates(people, outcome="back")
    low, high = (result.estimate(term).estimate for term in ("lee_lower", "lee_upper"))
    best, worst = (result.estimate(term).estimate for term in ("best_case", "worst_case"))
    assert best < low <= high < worst
    assert best < result.headline.estimate < worst
    assert result.check("attrition").statistic >= 0


def test_imputation_is_the_same_for_a_seed_and_close_to_the_truth():
    people = PEOPLE.copy()
    people.loc[::5, "age"] = np.nan
    people.loc[::7, "sex"] = np.nan
    options = {"outcome": "back", "adjust": ("age", "sex"), "missing": "mice", "imputations": 5, "seed": 11}
    one, two = rates(people, **options), rates(people, **options)
    assert one.to_dict() == two.to_dict()
    assert one.headline.n_treated == PEOPLE["treated"].sum()
    assert one.check("imputation").statistic > 0
    full = rates(PEOPLE, outcome="back", adjust=("age", "sex")).headline
    assert one.headline.estimate == pytest.approx(full.estimate, abs=full.std_error)


def test_rubin_by_hand():
    # Mean 2, within 0.5, between 1, total 0.5 + 1.25 * 1 … four imputations of values with variance 1.
    value, found = missing.rubin(np.array([1.0, 2.0, 3.0, 2.0]), np.full(4, 0.5))
    between = np.var([1, 2, 3, 2], ddof=1)
    assert value == 2
    assert found.variance == pytest.approx(0.5 + 1.25 * between)
    assert found.df == pytest.approx(3 * (found.variance / (1.25 * between)) ** 2)


def test_negative_control_outcome():
    assert (
        rates(PEOPLE, outcome="back", negative_control="prior").check("negative_control").passed is not None
    )


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"outcome": "nothing"}, DataError),
        ({"outcome": "prior"}, DataError),
        ({"outcome": "back", "measure": "hazard"}, StudyError),
        ({"outcome": "back", "adjust": ("back",)}, StudyError),
        ({"outcome": "back", "missing": "mice"}, StudyError),
        ({"outcome": "back", "compliance": "sex", "measure": "risk_ratio"}, StudyError),
        ({"outcome": "back", "exposure": "days"}, StudyError),
        ({"outcome": "back", "p_adjust": "holm"}, StudyError),
        ({"outcome": "back", "subgroup": "sex", "p_adjust": "sidak"}, StudyError),
        ({"outcome": "back", "subgroup": "sex", "adjust": ("age",), "missing": "mice"}, StudyError),
        ({"outcome": "back", "level": 95.0}, StudyError),
        ({"outcome": "back", "treated": "prior"}, DataError),
        ({"outcome": "back", "adjust": ("age",), "model": "aipw", "weights": "age"}, StudyError),
    ],
)
def test_mistakes_of_rates_are_named(options, kind):
    with pytest.raises(kind):
        rates(PEOPLE, **options)


def test_an_empty_arm_is_an_estimation_error():
    with pytest.raises(EstimationError):
        rates(PEOPLE[PEOPLE["treated"] == 1], outcome="back")


@pytest.mark.parametrize("estimator", ["kaplan_meier", "cox", "rmst", "aalen_johansen"])
def test_survival_does_not_mind_row_order_or_weights_of_one(estimator):
    first = survival(PEOPLE, time="days", event="event", estimator=estimator)
    shuffled = PEOPLE.sample(frac=1, random_state=5)
    assert survival(shuffled, time="days", event="event", estimator=estimator).to_dict() == first.to_dict()
    ones = survival(PEOPLE.assign(w=1.0), time="days", event="event", estimator=estimator, weights="w")
    assert ones.to_dict() == first.to_dict()


@pytest.mark.parametrize("estimator", ["kaplan_meier", "rmst", "aalen_johansen"])
def test_whole_weights_are_copies_for_the_estimate(estimator):
    copies = (PEOPLE.index % 3) + 1
    weighted = survival(
        PEOPLE.assign(w=copies.astype(float)), time="days", event="event", estimator=estimator, weights="w"
    )
    repeated = survival(
        PEOPLE.loc[PEOPLE.index.repeat(copies)], time="days", event="event", estimator=estimator
    )
    assert weighted.headline.estimate == pytest.approx(repeated.headline.estimate)


def test_incidence_without_competing_events_is_one_minus_survival():
    one = survival(PEOPLE, time="days", event="event", horizon=100).headline
    two = survival(PEOPLE, time="days", event="event", estimator="aalen_johansen", horizon=100).headline
    assert two.estimate == pytest.approx(-one.estimate)
    assert two.std_error == pytest.approx(one.std_error)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"time": "days", "event": "prior"}, DataError),
        ({"time": "days", "event": "event", "horizon": 4000.0}, EstimationError),
        ({"time": "days"}, StudyError),
        ({"outcome": "days"}, DataError),
        ({"time": "days", "event": "event", "covariates": ("age",)}, StudyError),
        ({"time": "days", "event": "event", "estimator": "parametric"}, StudyError),
        ({"time": "age", "event": "event", "horizon": -1.0}, StudyError),
    ],
)
def test_mistakes_of_survival_are_named(options, kind):
    with pytest.raises(kind):
        survival(PEOPLE, **options)


def test_a_hazard_ratio_that_runs_away_is_refused():
    people = PEOPLE.assign(event=1 - PEOPLE["treated"])
    with pytest.raises(EstimationError):
        survival(people, time="days", event="event", estimator="cox")


def test_rosenbaum_bounds_cross_the_line_where_they_say():
    from scipy.stats import binom

    gamma = sensitivity.rosenbaum_binary(24, 6)
    assert binom.sf(23, 30, gamma / (1 + gamma)) == pytest.approx(0.05, abs=1e-6)
    assert sensitivity.rosenbaum_binary(6, 6) == 1.0
    assert sensitivity.rosenbaum_signed_rank(np.arange(1, 31.0)) > 5


def test_lee_bounds_trim_the_arm_that_was_followed_better():
    treated, control = np.array([0.0, 0, 1, 1]), np.array([0.0, 1])
    # 4 of 4 known against 2 of 4: half of the treated arm is trimmed.
    assert attrition.lee_bounds(treated, control, 0, 2) == pytest.approx((-0.5, 0.5))
    assert attrition.lee_bounds(treated, control, 0, 0) == pytest.approx((0.0, 0.0))


def test_tipping_point_is_on_the_other_side():
    from evalkit.intervals import score_test

    a, b = attrition.tipping_point(20, 100, 35, 100, lost_treated=15, lost_control=5)
    assert score_test(20, 100, 35, 100)[1] < 0.05 <= score_test(20 + a, 115, 35 + b, 105)[1]


def test_consistency_finds_the_counts_and_refuses_the_impossible():
    found = consistency.possible_counts(
        n_treated=216, n_control=216, percent_treated=22.2, percent_control=30.6, difference=-8.3, decimals=1,
        conf_low=-16.5, conf_high=0.0, p_value=0.049,
    )  # fmt: skip
    assert found.to_dict("records") == [{"events_treated": 48, "events_control": 66, "interval": "newcombe"}]
    impossible = consistency.possible_counts(
        n_treated=20, n_control=20, percent_treated=41, percent_control=50
    )
    assert impossible.empty
    assert consistency.percentages_possible([59, 56, 53, 51]) == 59


def test_immortal_time_and_the_remedy():
    people = pd.DataFrame({
        "treated": [1, 1, 0, 0], "index_date": ["2020-01-01"] * 4, "start": ["2020-02-10", "2020-03-01", None, None],
        "fails": [np.nan, 100, 20, np.nan],
    })  # fmt: skip
    check = flaws.immortal_time(people, index_date="index_date", programme_start="start")
    assert (check.passed, check.statistic) == (False, 50)
    starts = flaws.risk_set_starts(
        people, index_date="index_date", programme_start="start", event_days="fails"
    )
    assert pd.isna(starts[2])
    assert (starts[3] - pd.Timestamp("2020-01-01")).days in (40, 60)


def test_court_delay_compares_the_arms_windows():
    people = pd.DataFrame({"treated": [1, 0], "index_date": ["2019-09-01", "2017-01-01"]})
    period = [(date(2020, 4, 1), date(2020, 9, 30))]
    check = flaws.court_delay(people, index_date="index_date", follow_up=12, waiting=6, delays=period)
    assert check.passed is False
    assert check.statistic == pytest.approx(182 / 547)


def test_detection_and_time_at_liberty():
    people = PEOPLE.assign(source=np.where(PEOPLE["treated"] == 1, "staff", "police"), custody=0.0)
    check, frame = flaws.detection(people, outcome="back", source="source")
    assert check.passed is False
    assert list(frame.columns) == ["source", "n_treated", "n_control"]
    assert flaws.time_at_liberty(people, days_in_custody="custody", follow_up_days=365).passed is True
    inside = people.assign(custody=np.where(people["treated"] == 1, 60.0, 0.0))
    assert flaws.time_at_liberty(inside, days_in_custody="custody", follow_up_days=365).passed is False


def test_start_inside_the_window_measured():
    # Nottinghamshire: the unit began in September 2019, the twelve months measured end with that month.
    check = flaws.start_inside_window(
        window_from=date(2018, 10, 1), window_to=date(2019, 9, 30), start=date(2019, 9, 1)
    )
    assert check.passed is False
    assert check.statistic > 0.9


def test_abadie_imbens_without_reuse_is_the_paired_error_and_grows_with_reuse():
    people = pd.DataFrame(
        {"treated": [1] * 3 + [0] * 3, "points": [5.0, 7, 9, 4, 4, 8]}, index=list("abcdef")
    )
    distance = pd.Series([1.0, 2, 3, 1.1, 2.1, 3.1], index=people.index)
    pairs = pd.DataFrame({"treated": list("abc"), "control": list("def")})
    options = {"outcome": "points", "distance": distance, "measure": "mean_difference"}
    head = abadie_imbens(people, pairs, **options).headline
    assert head.estimate == pytest.approx(np.mean([1, 3, 1]))
    assert head.std_error == pytest.approx(math.sqrt(np.var([1, 3, 1]) / 3))
    reused = pd.DataFrame({"treated": list("abc"), "control": list("ddd")})
    # One control for three: K = 3, so (9 − 3) σ²/9, and its nearest other control has the same outcome, σ² = 0.
    again = abadie_imbens(people, reused, **options).headline
    assert again.std_error == pytest.approx(math.sqrt(np.var([1, 3, 5]) / 3))
    other = people.assign(points=[5.0, 7, 9, 4, 6, 8])
    wider = abadie_imbens(other, reused, **options).headline
    assert wider.std_error == pytest.approx(math.sqrt(np.var([1, 3, 5]) / 3 + 6 * 2.0 / 9))


def test_where_everybody_takes_up_what_was_offered_the_compliers_are_all():
    result = rates(PEOPLE.assign(taken=PEOPLE["treated"]), outcome="back", compliance="taken")
    found, whole = result.estimate("cace"), result.headline
    assert found.estimate == pytest.approx(whole.estimate)
    assert found.std_error == pytest.approx(whole.std_error, rel=0.02)  # Wald beside the score statistic
    assert result.check("compliance_difference").passed is True
