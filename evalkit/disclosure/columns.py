"""What each column of a frame holds. One line each: a column that is not here is withheld.

label      words, names of groups, dates of calendar periods: printed as they are
safe       numbers that say nothing about anybody (settings, weights of an estimator, years)
count      people or events with something in common: threshold, complement, rounding, secondary suppression
total      people altogether: threshold and rounding
share      a proportion or percentage, printed from the printed counts of its row
grid       a proportion, mean or standardised difference without its counts: on a grid that fits several counts
model      an estimate of a model: as many figures as its standard error supports
amount     money, or a quantity that rests on money
level      the outcome of a place: a small whole number is a small count, anything else keeps few figures
withheld   least, greatest, median: one person's value
"""

from __future__ import annotations

COLUMN_KINDS: dict[str, str] = {
    # who and what
    "step": "label", "arm": "label", "reason": "label", "group": "label", "subgroup": "label", "term": "label",
    "measure": "label", "outcome": "label", "analysis": "label", "covariate": "label", "variable": "label",
    "category": "label", "stage": "label", "name": "label", "label": "label", "unit": "label", "band": "label",
    "certain": "label", "certainty": "label", "line": "label", "agency": "label", "kind": "label",
    "perspective": "label", "input": "label", "restriction": "label", "treated": "label", "control": "label",
    "study": "label", "place": "label", "ward": "label", "area": "label", "donor": "label", "predictor": "label",
    "note": "label", "unit_name": "label", "assumption": "label", "criterion": "label", "met": "label",
    "interval": "label", "type": "label", "scenario": "label", "event": "label", "sample": "label",
    "signal": "label", "rule": "label", "status": "label", "source": "label", "case": "label", "code": "label",
    "parameter": "label", "method": "label", "price_year": "label", "role": "label", "left_out": "label",
    "verified": "label", "passed": "label", "comparison": "label", "phase": "label", "segment": "label",
    "rating": "label", "flow": "label", "basis": "label", "item": "label", "origin": "label", "recipient": "label",
    "possible": "label", "counted": "label", "side": "label", "reference": "label",
    # settings, positions and weights of methods
    "event_time": "safe", "period": "label", "cohort": "label", "time": "safe", "m_bar": "safe", "weight": "safe",
    "green": "safe", "amber": "safe", "level": "safe", "year": "safe", "confidence": "safe", "quantile": "safe",
    "rank": "safe", "threshold": "safe", "first_treated": "label", "post": "safe", "order": "safe",
    "alpha": "safe", "power": "safe", "icc": "safe", "cluster_size": "safe", "correction": "safe",
    "first_year": "safe", "last_year": "safe", "starts": "safe", "horizon": "safe", "lag": "safe",
    "periods": "safe",
    "score_low": "safe", "score_high": "safe", "age_years": "safe", "entered": "safe", "deadweight": "safe",
    "multiplier": "safe", "change_in_input": "safe", "discount_factor": "safe", "rate": "safe",
    # people counted
    "events": "count", "successes": "count", "answered": "count", "agreed": "count", "reached": "count",
    "numerator": "count", "count": "count", "lost": "count", "before": "count", "after": "count",
    "comparison_before": "count", "comparison_after": "count", "missing": "count", "closed": "count",
    "flagged": "count", "true_positives": "count", "false_negatives": "count", "false_positives": "count",
    "true_negatives": "count", "excluded": "count", "stopped": "count", "left": "count", "dropped": "count",
    "n": "total", "trials": "total", "denominator": "total", "at_risk": "total", "invited": "total", "people": "total",
    "total": "total", "from_previous": "share",
    # shares and what rests on them
    "value": "share", "share": "share", "percent": "share", "proportion": "share", "share_of_first": "share",
    "share_of_previous": "share", "of_first": "share", "of_previous": "share", "percent_change": "share",
    "comparison_percent_change": "share",
    "survival": "grid", "cumulative": "grid", "cumulative_incidence": "grid", "incidence": "grid", "risk": "grid",
    "standard_error": "model",
    # of the people whom `n` of its row counts: withheld where they are few
    "share_of_total": "model",
    # models
    "estimate": "model", "std_error": "model", "statistic": "model", "p_value": "model", "p_adjusted": "model",
    "df": "safe", "conf_low": "model", "conf_high": "model", "band_low": "model", "band_high": "model",
    "variance": "model", "rmspe": "model", "rmspe_before": "model", "rmspe_after": "model", "rmspe_ratio": "model",
    "pre_rmspe": "model", "post_rmspe": "model", "gap": "model", "hazard_ratio": "model", "influence": "model",
    "ratio": "model", "effect": "model", "prediction_low": "model", "prediction_high": "model", "i2": "model",
    "tau2": "model", "residual": "model", "cook": "model", "leverage": "model", "slope": "model",
    "difference": "model",
    "dispersion": "model", "applied": "model",
    # places
    "mean": "level", "actual": "level", "synthetic": "level", "observed": "level", "expected": "level",
    "donor_mean": "level",
    "fitted": "level", "counterfactual": "level", "outcome_mean": "level", "centre": "model", "lower": "model",
    "upper": "model", "moving_range": "model",
    # money
    "nominal": "amount", "real": "amount", "discounted": "amount", "amount": "amount", "costs": "amount",
    "benefits": "amount", "net": "amount", "low": "amount", "high": "amount", "base": "amount", "cost": "amount",
    "benefit": "amount", "cumulative_costs": "amount", "cumulative_benefits": "amount", "cost_base": "amount",
    "placement_cost": "amount", "benefit_cost_ratio": "amount", "net_present_public_value": "amount",
    "break_even": "amount", "multiple": "amount", "worth": "amount", "net_impact": "amount", "impact": "amount",
    "spread": "amount", "required_units": "amount", "ratio_low": "amount", "ratio_high": "amount",
    "pv_costs": "amount", "pv_benefits": "amount", "swing": "amount", "unit_cost": "amount",
    # one person's own value
    "minimum": "withheld", "maximum": "withheld", "min": "withheld", "max": "withheld", "median": "withheld",
    "lower_quartile": "withheld", "upper_quartile": "withheld", "person_id": "withheld", "person": "withheld",
    "index_date": "withheld",
    # charts, pooled studies, shared grants
    "exposure": "total", "studies": "safe", "programme": "label", "grant": "label", "participants": "total",
}  # fmt: skip

PREFIX_KINDS: dict[str, str] = {
    "n_": "total",
    "events_": "count",
    "mean_": "grid",
    "smd_": "grid",
    "share_": "share",
    "variance_ratio": "model",
    "ks_": "grid",
    "pv_": "amount",
    "costs_": "amount",
    "benefits_": "amount",
    "net_": "amount",
    "cumulative_": "amount",
    "year_": "amount",
    "effective_": "total",
}

TOTAL_OF: dict[str, tuple[str, ...]] = {
    "events": ("n", "at_risk", "trials"),
    "successes": ("trials", "n"),
    "numerator": ("denominator",),
    "answered": ("invited",),
    "agreed": ("answered",),
    "flagged": ("n",),
    "true_positives": ("events",),
    "false_negatives": ("events",),
    "false_positives": ("flagged",),
    "events_treated": ("n_treated",),
    "events_control": ("n_control",),
}


def kind_of(column: str) -> str | None:
    """The kind of a column, or None where it is not known."""
    if column in COLUMN_KINDS:
        return COLUMN_KINDS[column]
    return next((kind for prefix, kind in PREFIX_KINDS.items() if column.startswith(prefix)), None)


def total_of(column: str, columns: list[str]) -> str | None:
    """The column of the same frame that a count is part of."""
    return next((name for name in TOTAL_OF.get(column, ()) if name in columns), None)
