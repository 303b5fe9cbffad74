"""The method `meta`: several studies of one question, pooled, with how far they differ and what hangs on each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.errors import DataError, StudyError
from evalkit.inference import check_margin, margin_check
from evalkit.options import one_of, require_columns, takes
from evalkit.pooling.bias import cumulative, leave_one_out
from evalkit.pooling.checks import checks_of
from evalkit.pooling.gather import studies_of
from evalkit.pooling.heterogeneity import Heterogeneity, heterogeneity, moment_i2
from evalkit.pooling.measures import LOG_OF, MEASURES, ZERO_CELLS
from evalkit.pooling.moderators import regression
from evalkit.pooling.pooling import ESTIMATORS, INTERVALS, Pooled, pool
from evalkit.results import Check, Estimate, Result

REFERENCES = {
    "reml": "viechtbauer2005", "ml": "viechtbauer2005", "dl": "dersimonian1986", "pm": "paule1982", "fixed": "rice2018",
}  # fmt: skip
UNITS = {
    "log_odds_ratio": "log odds ratio", "log_risk_ratio": "log risk ratio", "log_rate_ratio": "log rate ratio",
    "risk_difference": "percentage points", "smd": "standard deviations",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MetaOptions:
    """The scale, how the between-study variance is estimated, and the interval. See `meta`."""

    measure: str
    estimator: str = "reml"
    interval: str | None = None
    moderators: tuple[str, ...] = ()
    zero_cells: str = "add_half"
    order: str | None = None
    margin: float | None = None
    better: str | None = None
    outcome: str = ""
    level: float = 0.95

    REFUSED: ClassVar[dict[str, str]] = {
        "subgroup": "name the column of study characteristics under `moderators`",
        "missing": "a study without an effect and its error is refused",
    }

    def __post_init__(self) -> None:
        one_of("measure", self.measure, MEASURES, where="meta")
        one_of("estimator", self.estimator, ESTIMATORS, where="meta")
        one_of("zero_cells", self.zero_cells, ZERO_CELLS, where="meta")
        check_margin(self.margin, self.better, ratio=self.measure.startswith("log_"), where="meta")
        if self.interval is not None:
            one_of("interval", self.interval, INTERVALS, where="meta")
        if not 0 < self.level < 1:
            raise StudyError("`level` lies between 0 and 1, such as 0.95", found=str(self.level))
        if self.estimator == "fixed" and self.interval == "hartung_knapp":
            raise StudyError(
                "`hartung_knapp` is for studies that differ", where="meta", do="Use `interval: normal`"
            )
        if self.estimator == "fixed" and self.moderators:
            raise StudyError(
                "`moderators` need a between-study variance", where="meta", do="Use `estimator: reml`"
            )

    @property
    def kind(self) -> str:
        """The interval that applies: Hartung-Knapp unless said otherwise, normal where studies do not differ."""
        return self.interval or ("normal" if self.estimator == "fixed" else "hartung_knapp")


@takes(MetaOptions)
def meta(frame: pd.DataFrame, options: MetaOptions) -> Result:
    """The mean effect over studies of one question, and where the effect of a new such study would lie.

    Parameters
    ----------
    frame
        One row per study: `study`, and either `estimate` and `std_error` on the scale of `measure` (or, where a
        column `measure` names the plain ratio, the ratio with the error of its log), or `events_treated`,
        `n_treated`, `events_control`, `n_control`; for `smd` also `mean_` and `sd_` of each group. Where columns
        `outcome`, `window`, `estimand` or `better` are there, all studies must agree in them. `level` (1 to 5) is the
        level of evidence of each.
    measure
        `log_odds_ratio`, `log_risk_ratio`, `log_rate_ratio`, `risk_difference` (percentage points) or `smd`.
    estimator
        Of the variance between studies: `reml` (default), `dl`, `pm`, `ml`, or `fixed` for one common effect.
    interval
        `hartung_knapp` (default; t with k − 1) or `normal` (default and only choice under `fixed`).
    moderators
        Columns of study characteristics, numbers or categories, for a meta-regression beside the pooled effect.
    zero_cells
        `add_half`, `leave_out` or `refuse`: see `effects_from_counts`.
    order
        Column to add studies by (their year, say) in the frame `cumulative`.
    margin, better
        The largest effect that would not matter (for a logarithm of a ratio as the ratio: 1.1 is ten per cent), and
        which way is better (`lower`, `higher`; left out: equivalence both ways): adds Check `margin`.

    Returns
    -------
    Result
        Terms `pooled` (on the scale of `measure`), `prediction`, for ratios `pooled_ratio`, then `tau2`, `i2` (per
        cent) and `q`; with moderators `intercept`, each moderator, `tau2_residual`, `r2` and `moderators`. Frames
        `evidence` (level, studies; first, because it comes before effects), `studies` (study, counts where given,
        estimate, std_error, conf_low, conf_high, weight in per cent), `leave_one_out` (study left out, estimate,
        std_error, conf_low, conf_high, tau2, i2), and with `order` `cumulative`. Studies stay in the order given:
        they are never ranked.

    Raises
    ------
    StudyError, DataError
        Fewer than two studies, the same study twice, studies that differ in outcome, window or estimand, an effect
        with no standard error, a combination that is not supported.

    Assumes
    -------
    Studies are independent and of one question; those that were found stand for those done (Check `small_study`,
    from ten studies). How far they differ: Checks `heterogeneity`, `few_studies`, `tests_disagree`, `leave_one_out`.

    Notes
    -----
    Weights 1 / (variance + tau²). Prediction: mean ± t √(SE² + tau²), t with k − 1 under Hartung-Knapp. Limits of tau²
    by Q-profile.

    References
    ----------
    Viechtbauer (2005); Hartung and Knapp (2001); Higgins, Thompson and Spiegelhalter (2009).

    Examples
    --------
    >>> trials = pd.DataFrame({"study": ["a", "b", "c"], "estimate": [-0.4, -0.1, -0.3], "std_error": [0.2, 0.1, 0.2]})
    >>> round(meta(trials, measure="log_risk_ratio", estimator="fixed").headline.estimate, 4)
    -0.1833
    """
    require_columns(
        frame if frame is not None else pd.DataFrame(), [*options.moderators, options.order], where="meta"
    )
    studies = studies_of(frame, options.measure, options.zero_cells)
    # sums in one order, whatever the order of the rows
    table = studies.table.sort_values("study", kind="stable")
    y, v = table["estimate"].to_numpy(), table["std_error"].to_numpy() ** 2
    fit = pool(y, v, estimator=options.estimator, interval=options.kind)
    spread = heterogeneity(y, v, fit.tau2, level=options.level)
    estimates = [*_effects(fit, table, options), *_spread(spread, options)]
    if options.moderators:
        estimates += regression(table, fit.tau2, options)
    detail = _detail(studies.table, table, fit, options)
    return Result(
        method="meta",
        estimand=_estimand(table),
        outcome=options.outcome,
        estimates=tuple(estimates),
        checks=(
            *checks_of(studies, y, v, fit, spread, detail["leave_one_out"], options),
            *_within_margin(estimates[0], options),
        ),
        detail=detail,
        references=(
            REFERENCES[options.estimator],
            *(("hartung2001",) if options.kind == "hartung_knapp" else ()),
        ),
    )


def _within_margin(pooled: Estimate, options: MetaOptions) -> tuple[Check, ...]:
    """The interval of the mean against the margin; a margin of a logarithm is given as the ratio."""
    if options.margin is None:
        return ()
    ratio = options.measure.startswith("log_") and pooled.conf_low is not None
    ends = {name: math.exp(getattr(pooled, name)) for name in ("conf_low", "conf_high")} if ratio else {}
    shown = replace(pooled, **ends)
    return (margin_check(shown, options.margin, options.better, ratio=ratio, sides="groups"),)


def _estimand(table: pd.DataFrame) -> str:
    return (
        str(table["estimand"].iloc[0]) if "estimand" in table and table["estimand"].notna().all() else "ate"
    )


def _effects(fit: Pooled, table: pd.DataFrame, options: MetaOptions) -> list[Estimate]:
    found = fit.interval(level=options.level)
    people = {name: int(table[name].sum()) if name in table else None for name in ("n_treated", "n_control")}
    name = "hartung_knapp" if fit.df else "normal"
    pooled = Estimate(
        term="pooled", measure=options.measure, estimate=float(fit.coefficients[0]), std_error=found.std_error,
        statistic=found.statistic, df=fit.df, p_value=found.p_value, conf_low=found.low, conf_high=found.high,
        level=options.level, interval=name, unit=UNITS[options.measure], **people,
    )  # fmt: skip
    made = [pooled]
    if options.estimator != "fixed":
        low, high = fit.prediction(level=options.level)
        made.append(
            Estimate(
                term="prediction", measure=options.measure, estimate=pooled.estimate, df=fit.df, conf_low=low,
                conf_high=high, level=options.level, interval=f"prediction_{'t' if fit.df else 'normal'}",
                unit=UNITS[options.measure],
            )
        )  # fmt: skip
    if options.measure in LOG_OF and found.low is not None and found.high is not None:
        made.append(
            Estimate(
                term="pooled_ratio", measure=LOG_OF[options.measure], estimate=math.exp(fit.coefficients[0]),
                std_error=found.std_error, statistic=found.statistic, df=fit.df, p_value=found.p_value,
                conf_low=math.exp(found.low), conf_high=math.exp(found.high), level=options.level, interval=name,
                unit="ratio", **people,
            )
        )  # fmt: skip
    return made


def _spread(spread: Heterogeneity, options: MetaOptions) -> list[Estimate]:
    q = Estimate(
        term="q", measure="q", estimate=spread.q, statistic=spread.q, df=spread.df, p_value=spread.p_value,
        level=options.level,
    )  # fmt: skip
    if options.estimator == "fixed":
        i2 = moment_i2(spread.q, spread.df)
        return [Estimate(term="i2", measure="i2", estimate=i2, level=options.level, unit="per cent"), q]
    return [
        Estimate(
            term="tau2", measure="tau2", estimate=spread.tau2, conf_low=spread.tau2_low, conf_high=spread.tau2_high,
            level=options.level, interval="q_profile",
        ),
        Estimate(
            term="i2", measure="i2", estimate=spread.i2, conf_low=spread.i2_low, conf_high=spread.i2_high,
            level=options.level, interval="q_profile", unit="per cent",
        ),
        q,
    ]  # fmt: skip


def _detail(
    given: pd.DataFrame, table: pd.DataFrame, fit: Pooled, options: MetaOptions
) -> dict[str, pd.DataFrame]:
    how = {"estimator": options.estimator, "interval": options.kind, "level": options.level}
    left = _over(leave_one_out, table, how).set_index("study").loc[given["study"]].reset_index()
    detail = {"evidence": _evidence(given)} if "level" in given else {}
    detail |= {
        "studies": _studies(given, table, fit, options),
        "leave_one_out": left.drop(columns="studies"),
    }
    if options.order:
        if given[options.order].isna().any():
            raise DataError(f"`{options.order}` is missing for a study", where="meta, `order`")
        detail["cumulative"] = _over(cumulative, table.sort_values(options.order, kind="stable"), how)
    return detail


def _over(function: Callable[..., pd.DataFrame], table: pd.DataFrame, how: dict) -> pd.DataFrame:
    y, v = table["estimate"].to_numpy(), table["std_error"].to_numpy() ** 2
    return function(table["study"].tolist(), y, v, **how)


def _evidence(given: pd.DataFrame) -> pd.DataFrame:
    counted = given["level"].value_counts(dropna=False).sort_index(ascending=False)
    return pd.DataFrame({"level": counted.index, "studies": counted.to_numpy()})


def _studies(given: pd.DataFrame, table: pd.DataFrame, fit: Pooled, options: MetaOptions) -> pd.DataFrame:
    """Each study with its own normal interval and its weight in the pooled effect, in the order given."""
    from evalkit.inference import critical_value

    half = critical_value(options.level) * given["std_error"]
    counts = [
        name for name in ("events_treated", "n_treated", "events_control", "n_control") if name in given
    ]
    weights = pd.Series(100 * fit.weights / np.sum(fit.weights), index=table.index)
    return given[["study", *counts, "estimate", "std_error"]].assign(
        conf_low=given["estimate"] - half, conf_high=given["estimate"] + half, weight=weights
    )
