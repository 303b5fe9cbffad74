"""Difference-in-differences: one door, `did`, for every estimator of the family."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module

import pandas as pd

from evalkit.impact.did.checks import comparison_checks
from evalkit.impact.did.diagnose import diagnose
from evalkit.impact.did.extras import by_subgroup, placebo_outcomes, without_buffer
from evalkit.impact.did.found import Found
from evalkit.impact.did.means import means_frame
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel, read_panel
from evalkit.impact.did.uncertainty import cluster_checks
from evalkit.inference import margin_check
from evalkit.options import takes
from evalkit.results import Estimate, Result

__all__ = ["DidOptions", "did"]

BOUNDS = ("rambachan2023", "andrews2023")


@takes(DidOptions)
def did(panel: pd.DataFrame, options: DidOptions) -> Result:
    """Estimate the average effect on treated units from their change beside the change of others.

    Parameters
    ----------
    panel : DataFrame
        One row per unit and period, or per person and period for repeated cross-sections.
    outcome : str
        Column of numbers, or of whole counts with `family="poisson"`.
    unit, period, first_treated : str
        The unit (an area, a person), the period, and the unit's first treated period (the same in all its rows; blank
        or 0: never treated). Periods are whole numbers or dates of one step; event time counts steps. A unit treated
        in the first period has no before and is left out; one that starts after the last period is untreated. A start
        inside a period makes the whole period treated. `unit` may be left out for repeated cross-sections.
    estimator : str
        `two_by_two` (four means), `twfe`, `event_study` (one dummy per event time; `leads` and `lags` gather what lies
        beyond), `callaway_santanna`, `sun_abraham`, `imputation` or `synthetic`.
    family, exposure : str
        `gaussian`, or `poisson` for counts: then the effect is a ratio of rates per `exposure`. Staggered starts take
        `callaway_santanna` (one cohort at a time) or `imputation` (the saturated form, averaged as logarithms).
    scale : str, optional
        `additive` asks for a difference of counts although the arms start from levels more than twice apart.
    control_group, base_period, adjustment, unbalanced : str
        For `callaway_santanna`: `never_treated` or `not_yet_treated`; `varying` or `universal`; with covariates `dr`,
        `reg` or `ipw` (covariates of the earlier of the two periods); units with gaps are left out (`complete`) or all
        rows taken as `repeated_cross_sections`.
    covariates, weights, cluster : str or list of str
        Columns of numbers; weights above zero (for `callaway_santanna` a unit's first); clusters that hold whole units
        (default: the unit).
    anticipation : int
        Periods before the start that may already be affected: effects are measured from the period before them.
    aggregate : str, optional
        `simple`, `dynamic`, `group` or `calendar`, where the estimator has them.
    inference : str
        `cluster`; for the regressions also `cr2` and `wild_bootstrap` (Rademacher, Webb below 12 clusters; `draws`),
        and, with `synthetic`, `randomisation`.
    contains, series_breaks
        Does a comparison unit contain a treated one? Periods in which the recording of the outcome changed.
    placebo_outcomes, buffer : list of str, str
        Outcomes that the programme cannot have changed; a 0/1 column that marks untreated neighbours to leave out.
    subgroup, p_adjust : str
        A column; the effect in each of its values follows the headline, with p-values adjusted by `holm` or `bh`. (In
        study.yml, without `subgroup`, `holm`, `bh` or `romano_wolf` over the analyses of one role.)
    margin, better : float, str
        A size of effect that would not matter (in the outcome's unit; with `family="poisson"` a ratio: 1.1 is ten per
        cent), and which way is better (`lower`, `higher`; left out: equivalence both ways). Adds Check `margin`.
    diagnostics : bool
        False leaves out pre-trend tests, bounds, Bacon weights, the placebo date and leaving out units.
    missing, compliance
        As other methods have them; here rows with missing values are left out (`complete`), and take-up is refused.
    level, draws, seed
        Of intervals and bands; of random draws.

    Returns
    -------
    Result
        Term `att`. Frames `means` (period, arm, mean, n, and post: 1 from the first start on); `event_study`
        (event_time, estimate, std_error, conf_low, conf_high, band_low, band_high); `group_time` (cohort, period,
        event_time, the same columns, n_treated, n_control); `group` and `calendar`; `bacon` (kind, treated, control,
        weight, estimate); `sensitivity` (restriction, m_bar, conf_low, conf_high); `placebo` (unit, estimate, rank);
        `leave_one_out` (left_out, estimate); `unit_weights` and `time_weights` of `synthetic`.

    Raises
    ------
    StudyError
        An option, or a combination of options, that is not supported.
    DataError
        Repeated unit-periods, treatment that changes back, no comparison, counts that are not whole.
    EstimationError
        The effect does not exist in these data.

    Assumes
    -------
    Without the programme both arms would have moved alike: in levels, or in ratios for counts (Checks `pre_trends`,
    `pre_trend_power`, `breakdown`, `placebo_date`). No effect before the start (less `anticipation`), none on the
    comparison (`containment`). Enough clusters (`few_clusters`, `few_treated_clusters`): where they are too few the
    estimate stays and its error, p-value and interval are blank.

    Notes
    -----
    Cluster-robust errors carry G/(G-1) × (N-1)/(N-K), K without effects nested in clusters, and t with G-1 degrees of
    freedom. Callaway and Sant'Anna and imputation have errors from influence functions, without that factor.
    `sensitivity` bounds the plain mean of the effects at event times ≥ 0: `relative_magnitudes` by the hybrid
    conditional and least-favourable test, `smoothness` (m_bar in the outcome's unit) by the fixed-length interval.

    References
    ----------
    Callaway and Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001; Sun and Abraham (2021),
    doi:10.1016/j.jeconom.2020.09.006; Borusyak, Jaravel and Spiess (2024), doi:10.1093/restud/rdae007; Arkhangelsky
    and others (2021), doi:10.1257/aer.20190159; Goodman-Bacon (2021), doi:10.1016/j.jeconom.2021.03.014; Roth (2022),
    doi:10.1257/aeri.20210236; Rambachan and Roth (2023), doi:10.1093/restud/rdad018; Andrews, Roth and Pakes (2023),
    Inference for linear conditional moment inequalities, Review of Economic Studies; Wooldridge (2023),
    doi:10.1093/ectj/utad016.

    Examples
    --------
    >>> import pandas as pd
    >>> fires = pd.DataFrame(
    ...     {"place": ["town", "town", "rest", "rest"], "year": [1, 2, 1, 2], "start": [2, 2, 0, 0],
    ...      "fires": [87, 120, 738, 817]}
    ... )
    >>> found = did(fires, outcome="fires", unit="place", period="year", first_treated="start",
    ...             estimator="two_by_two", family="poisson")
    >>> round(found.headline.estimate, 3)
    1.246
    """
    panel, buffered = without_buffer(panel, options)
    arrays = read_panel(panel, options)
    shared = comparison_checks(arrays, options)
    found = _estimator(options.estimator)(arrays, options)
    checks, frames = diagnose(arrays, options, found) if options.diagnostics else ([], {})
    checks += [*buffered, *placebo_outcomes(did, panel, options)]
    head = _estimate(found, arrays, options)
    if options.margin is not None:
        checks.append(margin_check(head, options.margin, options.better, ratio=options.family == "poisson"))
    return Result(
        method="did",
        estimand="att",
        outcome=options.outcome,
        estimates=(head, *by_subgroup(did, panel, options)),
        checks=(*cluster_checks(arrays, options), *shared, *found.checks, *checks),
        detail={"means": means_frame(arrays), **found.detail, **frames},
        references=(*found.references, *(BOUNDS if "sensitivity" in frames else ())),
        influence=found.influence,
        units=_units(found, options),
    )


def _units(found: Found, options: DidOptions) -> pd.Index | None:
    """The names of the clusters behind the influence; None where rows stand alone, without a unit."""
    name = options.cluster or options.unit
    return None if name is None or found.units is None else pd.Index(found.units.astype(str), name=name)


def _estimator(name: str) -> Callable[[Panel, DidOptions], Found]:
    """The estimator's own module holds a function of its name; each is imported when it is used."""
    return getattr(import_module(f"evalkit.impact.did.{name}"), name)


def _estimate(found: Found, panel: Panel, options: DidOptions) -> Estimate:
    ratio = options.family == "poisson"
    interval = found.interval
    treated, control = panel.unit_counts()

    def shown(value: float | None) -> float | None:
        return math.exp(value) if ratio and value is not None else value

    return Estimate(
        term="att",
        measure="rate_ratio" if ratio else "mean_difference",
        estimate=shown(found.estimate),
        std_error=interval.std_error,
        statistic=interval.statistic,
        df=interval.df,
        p_value=interval.p_value,
        conf_low=shown(interval.low),
        conf_high=shown(interval.high),
        level=options.level,
        interval=None if interval.low is None else found.interval_name,
        n_treated=treated if found.n_treated is None else found.n_treated,
        n_control=control if found.n_control is None else found.n_control,
        n_clusters=found.n_clusters,
        unit="ratio" if ratio else options.outcome.replace("_", " "),
    )
