"""Rows of costs and benefits for tests, with the plainest value of everything that a test does not name."""

import pandas as pd


def cost(line="staff", agency="council", **more):
    plain = {
        "line": line, "agency": agency, "kind": "revenue", "year": 0, "amount": 1000.0, "price_year": "2015/16",
        "confidence": 1,
    }  # fmt: skip
    return {**plain, **more}


def benefit(line="saving", agency="council", perspective="fiscal", **more):
    plain = {
        "line": line, "agency": agency, "perspective": perspective, "transfer": 0, "cashable": 0, "population": 10,
        "affected": 1, "engaged": 1, "retained": 1, "impact": 1, "deadweight": 0, "units": 1, "unit_cost": 100,
        "price_year": "2015/16", "first_year": 0, "last_year": 0, "drop_off": 0, "schedule": "standard",
        "confidence": 1,
    }  # fmt: skip
    return {**plain, **more}


def account(costs, benefits):
    return {"costs": pd.DataFrame(costs), "benefits": pd.DataFrame(benefits)}
