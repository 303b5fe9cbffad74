"""The options of `did`, and what is refused by name."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.errors import StudyError
from evalkit.inference import refuse_margin
from evalkit.options import one_of

ESTIMATORS = (
    "two_by_two", "twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation", "synthetic",
)  # fmt: skip
INFERENCES = ("cluster", "cr2", "wild_bootstrap", "randomisation")
AGGREGATES = ("simple", "dynamic", "group", "calendar")
INFERENCE_OF = {
    "two_by_two": INFERENCES,
    "twfe": INFERENCES,
    "synthetic": ("cluster", "randomisation"),
}
POISSON = ("two_by_two", "twfe", "event_study", "callaway_santanna", "imputation")
WEIGHTED = ("two_by_two", "twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation")
ADJUSTED = ("two_by_two", "twfe", "event_study", "callaway_santanna", "sun_abraham", "imputation")
OVERALL = {
    "two_by_two": ("simple",),
    "twfe": ("simple",),
    "event_study": ("dynamic",),
    "callaway_santanna": AGGREGATES,
    "sun_abraham": AGGREGATES,
    "imputation": ("simple", "dynamic", "group", "calendar"),
    "synthetic": ("simple",),
}


@dataclass(frozen=True, kw_only=True)
class DidOptions:
    """Options of `did`; see there for what each means."""

    outcome: str
    period: str
    first_treated: str
    unit: str | None = None
    estimator: str = "callaway_santanna"
    family: str = "gaussian"
    exposure: str | None = None
    control_group: str = "never_treated"
    covariates: tuple[str, ...] = ()
    adjustment: str = "dr"
    weights: str | None = None
    anticipation: int = 0
    base_period: str = "varying"
    aggregate: str | None = None
    inference: str = "cluster"
    cluster: str | None = None
    leads: int | None = None
    lags: int | None = None
    unbalanced: str = "complete"
    scale: str | None = None
    contains: bool | None = None
    series_breaks: tuple[int | str, ...] = ()
    placebo_outcomes: tuple[str, ...] = ()
    buffer: str | None = None
    subgroup: str | None = None
    missing: str = "complete"
    p_adjust: str | None = None
    margin: float | None = None
    better: str | None = None
    compliance: str | None = None
    diagnostics: bool = True
    level: float = 0.95
    draws: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("estimator", self.estimator, ESTIMATORS)
        one_of("family", self.family, ("gaussian", "poisson"))
        one_of("control_group", self.control_group, ("never_treated", "not_yet_treated"))
        one_of("adjustment", self.adjustment, ("dr", "reg", "ipw"))
        one_of("base_period", self.base_period, ("varying", "universal"))
        one_of("inference", self.inference, INFERENCES)
        one_of("unbalanced", self.unbalanced, ("complete", "repeated_cross_sections"))
        one_of("missing", self.missing, ("complete", "mice"))
        if self.scale is not None:
            one_of("scale", self.scale, ("additive",))
        if self.p_adjust is not None:
            one_of("p_adjust", self.p_adjust, ("holm", "bh"), where="did, over subgroups")
        if self.better is not None:
            one_of("better", self.better, ("lower", "higher"), where="did")
        refuse_margin(self.margin, ratio=self.family == "poisson")
        if not 0 < self.level < 1:
            raise StudyError("`level` must lie between 0 and 1", found=str(self.level))
        if self.draws < 99:
            raise StudyError("`draws` must be at least 99", found=str(self.draws))
        for name in ("anticipation", "leads", "lags"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise StudyError(f"`{name}` must be 0 or more", found=str(value))
        _refuse_combinations(self)

    @property
    def overall(self) -> str:
        """The aggregation of the headline: as asked, or the estimator's own."""
        return self.aggregate or OVERALL[self.estimator][0]


def _refuse_combinations(options: DidOptions) -> None:
    """Every combination that is not supported is refused by name."""
    estimator = options.estimator
    if options.overall not in OVERALL[estimator]:
        listed = ", ".join(f"`{each}`" for each in OVERALL[estimator])
        raise StudyError(
            f"`aggregate: {options.aggregate}` is not supported by `{estimator}`", do=f"Supported: {listed}"
        )
    for words, wrong in (*_by_estimator(options), *_by_family(options)):
        if wrong:
            raise StudyError(words, where="did")
    if options.unit is None and estimator not in ("two_by_two", "callaway_santanna"):
        raise StudyError(
            "`unit` is required", where=f"did, estimator {estimator}", do="Name the unit's column"
        )


def _by_estimator(options: DidOptions) -> tuple[tuple[str, bool], ...]:
    estimator = options.estimator
    gathers = options.leads is not None or options.lags is not None
    return (
        (
            f"`inference: {options.inference}` is not supported by `{estimator}`",
            options.inference not in INFERENCE_OF.get(estimator, ("cluster",)),
        ),
        (f"`family: {options.family}` is not supported by `{estimator}`", not _family_fits(options)),
        (
            f"`weights` are not supported by `{estimator}`",
            bool(options.weights) and estimator not in WEIGHTED,
        ),
        (
            f"`covariates` are not supported by `{estimator}`",
            bool(options.covariates) and estimator not in ADJUSTED,
        ),
        ("`leads` and `lags` are options of `event_study` only", gathers and estimator != "event_study"),
        (
            "`control_group: not_yet_treated` is an option of `callaway_santanna` only",
            options.control_group == "not_yet_treated" and estimator != "callaway_santanna",
        ),
        (
            "`unbalanced: repeated_cross_sections` is an option of `callaway_santanna` only",
            options.unbalanced != "complete" and estimator != "callaway_santanna",
        ),
    )


def _family_fits(options: DidOptions) -> bool:
    return options.family != "poisson" or options.estimator in POISSON


def _by_family(options: DidOptions) -> tuple[tuple[str, bool], ...]:
    poisson = options.family == "poisson"
    return (
        (
            f"`inference: {options.inference}` is not supported with `family: poisson`",
            poisson and options.inference in ("cr2", "wild_bootstrap"),
        ),
        ("`exposure` needs `family: poisson`", options.exposure is not None and not poisson),
        (
            f"`covariates` with `family: poisson` are not supported by `{options.estimator}`",
            bool(options.covariates) and poisson and options.estimator in ("callaway_santanna", "imputation"),
        ),
        (
            "`weights` are not supported with `inference: cr2`",
            options.weights is not None and options.inference == "cr2",
        ),
        (
            "`compliance` is not supported by did: dividing two differences of differences also needs take-up, and "
            "the effect of taking part, to be steady over time; give the effect of the offer and the take-up apart",
            options.compliance is not None,
        ),
        (
            "`missing: mice` is not supported by did: rows with missing values are left out",
            options.missing == "mice",
        ),
    )
