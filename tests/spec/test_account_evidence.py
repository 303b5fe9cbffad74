"""An account is as strong as the weakest analysis that its counted lines rest on, and a typed impact is no evidence."""

from __future__ import annotations

import pandas as pd
import pytest

import evalkit as ek
from evalkit.claims import Evidence
from evalkit.pipeline.tell import _source_of

COST = {"line": "grant", "agency": "council", "kind": "revenue", "year": 0, "amount": 1000.0,
        "price_year": "2019/20", "confidence": 1}  # fmt: skip
LINE = {"line": "care", "agency": "council", "perspective": "fiscal", "transfer": 0, "cashable": 1, "population": 10,
        "affected": 1.0, "engaged": 1.0, "retained": 1.0, "impact": "often", "deadweight": 0.0, "units": 1.0,
        "unit_cost": 100.0, "price_year": "2019/20", "first_year": 0, "last_year": 0, "drop_off": 0.0,
        "schedule": "standard", "confidence": 1}  # fmt: skip
FOUND = {"value": 0.2, "std_error": 0.05, "scale": "count"}
EARNED = {
    name: Evidence(level=level, scale="", certainty="") for name, level in (("often", 5), ("seldom", 4), ("main", 2))
}  # fmt: skip


def account(*lines, perspective="fiscal"):
    frames = {"costs": pd.DataFrame([COST]), "benefits": pd.DataFrame([LINE | each for each in lines])}
    return ek.cost_benefit(
        frames, impacts={"often": FOUND, "seldom": FOUND}, perspective=perspective, price_year="2019/20", draws=100
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "perspective", "level"),
    [
        (({},), "fiscal", 5),
        (({}, {"line": "court", "impact": "seldom"}), "fiscal", 4),
        (({}, {"line": "court", "impact": "0.1"}), "fiscal", None),
        (({}, {"line": "health", "perspective": "social", "cashable": 0, "impact": "0.1"}), "fiscal", 5),
        (
            ({}, {"line": "health", "perspective": "social", "cashable": 0, "impact": "0.1"}),
            "public_value",
            None,
        ),
        (({}, {"line": "tax", "transfer": 1, "cashable": 0, "impact": "0.1"}), "public_value", 5),
    ],
)
def test_an_account_is_as_strong_as_the_weakest_result_behind_its_counted_lines(lines, perspective, level):
    source = _source_of(account(*lines, perspective=perspective), EARNED)
    assert (source.level if source else None) == level
