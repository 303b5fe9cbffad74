"""What a study may ask of its comparison: the options of the `design` block, each supported or refused by name."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.design.matching import ORDERS
from evalkit.errors import DesignError, StudyError
from evalkit.options import one_of

WHERE = "design"
METHODS = ("nearest", "exact", "subclass", "radius", "inverse_probability", "entropy", "overlap", "none")
ESTIMANDS = {
    "nearest": ("att",),
    "radius": ("att",),
    "exact": ("att", "ate"),
    "subclass": ("att", "ate"),
    "inverse_probability": ("att", "ate"),
    "entropy": ("att", "ate"),
    "overlap": ("ato",),
    "none": ("att", "ate", "ato", "itt", "descriptive"),
}
BELONGS = {
    "exact": ("nearest", "radius", "exact"),
    "caliper": ("nearest", "radius"),
    "ratio": ("nearest",),
    "replace": ("nearest",),
    "order": ("nearest",),
    "subclasses": ("subclass",),
    "stabilised": ("inverse_probability",),
    "trim": ("inverse_probability",),
    "moments": ("entropy",),
}


@dataclass(frozen=True, kw_only=True)
class DesignOptions:
    """What the `design` block of a study says. An option that does not go with the method is refused by name."""

    method: str
    covariates: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    estimand: str = "att"
    caliper: float | None = None
    ratio: int = 1
    replace: bool = False
    order: str = "largest"
    subclasses: int = 6
    stabilised: bool = False
    trim: float | None = None
    moments: int = 1
    treated: str = "treated"
    person_id: str = "person_id"
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS, where=WHERE)
        one_of("order", self.order, ORDERS, where=WHERE)
        self._refuse_estimand()
        for name, methods in BELONGS.items():
            if (
                getattr(self, name) != type(self).__dataclass_fields__[name].default
                and self.method not in methods
            ):
                listed = ", ".join(f"`{each}`" for each in methods)
                raise StudyError(
                    f"`{name}` does not go with method `{self.method}`; it goes with {listed}", where=WHERE
                )
        self._refuse_numbers()
        if self.method != "none" and not self.covariates and not (self.method == "exact" and self.exact):
            raise StudyError(f"`covariates` is required with method `{self.method}`", where=WHERE)
        if self.treated in (*self.covariates, *self.exact) or self.person_id in (
            *self.covariates,
            *self.exact,
        ):
            raise DesignError(
                f"`{self.treated}` and `{self.person_id}` say who and which arm; they cannot be covariates",
                where=WHERE,
                do="Take them out of `covariates`",
            )

    def _refuse_estimand(self) -> None:
        allowed = ESTIMANDS[self.method]
        if self.estimand not in allowed:
            able = ", ".join(f"`{each}`" for each in METHODS if self.estimand in ESTIMANDS[each])
            listed = ", ".join(f"`{each}`" for each in allowed)
            raise StudyError(
                f"method `{self.method}` estimates {listed} only",
                where=WHERE,
                found=f"estimand {self.estimand}",
                do=f"For `{self.estimand}` use {able}" if able else "",
            )

    def _refuse_numbers(self) -> None:
        if self.caliper is not None and self.caliper <= 0:
            raise StudyError("`caliper` must be above 0 standard deviations", where=WHERE, found=self.caliper)
        if self.method == "radius" and self.caliper is None:
            raise StudyError("`caliper` is required with method `radius`", where=WHERE, do="0.2 is usual")
        if self.ratio < 1 or self.subclasses < 2 or self.moments not in (1, 2):
            raise StudyError("`ratio` is 1 or more, `subclasses` 2 or more, `moments` 1 or 2", where=WHERE)
        if self.trim is not None and not 0 < self.trim < 0.5:
            raise StudyError(
                "`trim` must lie between 0 and 0.5", where=WHERE, found=self.trim, do="0.1 is usual"
            )
