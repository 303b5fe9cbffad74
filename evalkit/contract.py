"""What study.yml promises of columns, events and outcomes: frozen records that study, frames and outcomes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COLUMN_TYPES = ("id", "date", "integer", "number", "category", "flag", "text")
MEASURES = ("binary", "frequency", "time_to_first", "severity", "column", "duration")
EVENT_MEASURES = ("binary", "frequency", "time_to_first", "severity")
BETTER = ("lower", "higher")
AGGREGATIONS = ("median", "mean", "code")
SCORES = ("sum", "most_serious")


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """What one column holds. `id` is always text; `flag` is 0 or 1; `min` and `max` are inclusive."""

    type: str
    nullable: bool = False
    min: float | str | None = None
    max: float | str | None = None
    values: tuple[str, ...] = ()
    unit: str | None = None
    date_format: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """Convictions in the `look_back` calendar months before the index date, known to the design."""

    name: str
    look_back: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What counts as the outcome of a person. `follow_up` and `waiting` are calendar months.

    `types` are the only types of offence that count, `leave_out` those that do not. Harm comes from `weight`, a column
    of the offences, or from `weights`, a table of the study with a row for each type of offence and its `weight`
    (`harm_days` where it is not named): `aggregation` says how several rows of one type become one, and `score` how
    the weights of a person's offences do.
    """

    name: str
    measure: str
    better: str | None = None
    label: str = ""
    follow_up: int | None = None
    waiting: int = 0
    weight: str | None = None
    column: str | None = None
    unit: str | None = None
    time: str | None = None
    event: str | None = None
    weights: str | None = None
    aggregation: str | None = None
    score: str = "sum"
    types: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    @property
    def by_type(self) -> bool:
        """True where the outcome cannot be measured without the type of each offence."""
        return bool(self.weights or self.types or self.leave_out)

    @property
    def from_events(self) -> bool:
        """True where the outcome is measured from the offences file."""
        return self.measure in EVENT_MEASURES


OFFENCES: Mapping[str, Column] = {
    "person_id": Column(type="id"),
    "offence_date": Column(type="date"),
    "conviction_date": Column(type="date", nullable=True),
    "offence_id": Column(type="id", nullable=True),
    "offence_type": Column(type="text", nullable=True),
    "harm_days": Column(type="number", nullable=True, min=0),
}
OFFENCES_REQUIRED = ("person_id", "offence_date", "conviction_date")

COSTS: Mapping[str, Column] = {
    "line": Column(type="text"),
    "agency": Column(type="text"),
    "kind": Column(type="category", values=("capital", "revenue", "in_kind")),
    "year": Column(type="integer", min=0),
    "amount": Column(type="number", min=0),
    "price_year": Column(type="text"),
    "confidence": Column(type="integer", min=1, max=6),
}

BENEFITS: Mapping[str, Column] = {
    "line": Column(type="text"),
    "agency": Column(type="text"),
    "perspective": Column(type="category", values=("fiscal", "economic", "social")),
    "transfer": Column(type="flag"),
    "cashable": Column(type="flag"),
    "population": Column(type="number", min=0),
    "affected": Column(type="number", min=0, max=1),
    "engaged": Column(type="number", min=0, max=1),
    "retained": Column(type="number", min=0, max=1),
    "impact": Column(type="text"),
    "deadweight": Column(type="number", min=0, max=1),
    "units": Column(type="number", min=0),
    "unit_cost": Column(type="text"),
    "price_year": Column(type="text"),
    "first_year": Column(type="integer", min=0),
    "last_year": Column(type="integer", min=0),
    "drop_off": Column(type="number", min=0, max=1),
    "schedule": Column(type="category", values=("standard", "health")),
    "confidence": Column(type="integer", min=1, max=6),
}

PUBLISHED: Mapping[str, Column] = {
    "study": Column(type="text", nullable=True),
    "place": Column(type="text", nullable=True),
    "measure": Column(type="text"),
    "period": Column(type="text", nullable=True),
    "numerator": Column(type="number", nullable=True),
    "denominator": Column(type="number", nullable=True),
    "before": Column(type="number", nullable=True),
    "after": Column(type="number", nullable=True),
    "published_value": Column(type="text", nullable=True),
    "unit": Column(type="text", nullable=True),
    "note": Column(type="text", nullable=True),
}

# The four cells behind the accuracy of a score, and each rate: the cells that count, the cells that it is a share of.
SCORE_CELLS = ("true_positives", "false_negatives", "false_positives", "true_negatives")
SCORE_RATES = {
    "sensitivity": (SCORE_CELLS[:1], SCORE_CELLS[:2]),
    "positive_predictive_value": (SCORE_CELLS[:1], ("true_positives", "false_positives")),
    "specificity": (SCORE_CELLS[3:], SCORE_CELLS[2:]),
    "false_positive_rate": (("false_positives",), SCORE_CELLS[2:]),
    "flagged_share": (("true_positives", "false_positives"), SCORE_CELLS),
    "outcome_share": (SCORE_CELLS[:2], SCORE_CELLS),
}
