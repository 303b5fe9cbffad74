"""Places used against places there are, and cost per participant where one grant pays for several things."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evalkit.errors import DataError
from evalkit.options import require_columns

WHOLE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """`at_once`: cases that staff can hold at one time; `least` and `most`: cases in the period, if cases last the
    longer or the shorter time; `used_least` and `used_most`: those seen over `most` and over `least`."""

    at_once: float
    least: float
    most: float
    used_least: float | None
    used_most: float | None


def caseload(
    *,
    staff: float,
    cases_each: float,
    months_per_case: tuple[float, float],
    months: float,
    seen: int | None = None,
) -> Capacity:
    """How many cases a team could take in a period, and what share of that it did.

    Parameters
    ----------
    staff, cases_each
        Workers, and the cases that each holds at one time.
    months_per_case
        The shortest and the longest time that a case lasts.
    months
        Length of the period.
    seen
        Cases begun in it.

    Returns
    -------
    Capacity
        `at_once`, the cases that can be held at one time; `least` and `most`, cases in the period if each lasts the
        longer or the shorter time; `used_least` and `used_most`, those seen over `most` and over `least`.

    Raises
    ------
    DataError
        A number that is not above 0, or a shortest time above the longest.

    Assumes
    -------
    A full team throughout and no gap between cases: the most that could be done, not what was planned.

    Notes
    -----
    staff × cases_each × months / months per case, the longest for `least` and the shortest for `most`.

    Examples
    --------
    >>> plan = caseload(staff=3, cases_each=15, months_per_case=(3, 5), months=12)
    >>> (plan.at_once, plan.least, plan.most)
    (45, 108.0, 180.0)
    """
    shortest, longest = months_per_case
    if min(staff, cases_each, shortest, months) <= 0 or (seen is not None and seen < 0):
        raise DataError("staff, cases, months and their lengths are above 0", where="caseload")
    if shortest > longest:
        raise DataError("the shortest time is above the longest", where="caseload, `months_per_case`")
    at_once = staff * cases_each
    least, most = at_once * months / longest, at_once * months / shortest
    used = (None, None) if seen is None else (seen / most, seen / least)
    return Capacity(at_once=at_once, least=least, most=most, used_least=used[0], used_most=used[1])


def cost_per_participant(grants: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """The cost of each programme per participant, each shared grant split in shares that are written down.

    Parameters
    ----------
    grants
        One row per grant and programme: `grant`, `programme`, `amount` (of the whole grant, in pounds, repeated on
        each of its rows), `share` (of that grant which paid for the programme; blank where one programme had it all),
        `months` (that the money covers).
    participants
        One row per programme: `programme`, `participants`, `months` (over which they were counted).

    Returns
    -------
    DataFrame
        programme, cost (apportioned, for the months that participants were counted), participants, unit_cost,
        note (crude, where money and people were counted over different months).

    Raises
    ------
    DataError
        Shares of a grant that do not add up to 1, a grant with two amounts, a programme with nobody, or one that
        two frames do not share.

    Assumes
    -------
    Money is spent evenly over its months. A cost per participant is not a cost per success.

    Notes
    -----
    cost = Σ over grants of amount × share × months counted / months that the money covers.
    """
    require_columns(grants, ["grant", "programme", "amount", "share", "months"], where="grants")
    require_columns(participants, ["programme", "participants", "months"], where="participants")
    split = _split(grants)
    spent = split.merge(participants, on="programme", how="outer", suffixes=("", "_counted"), indicator=True)
    lone = spent.loc[spent["_merge"] != "both", "programme"]
    if len(lone):
        raise DataError(
            "a programme is in one of grants and participants only",
            where="cost_per_participant",
            found=lone.iloc[0],
        )
    if not (spent["participants"] > 0).all():
        raise DataError("a cost per participant needs participants", where="participants")
    spent["cost"] = spent["amount"] * spent["share"] * spent["months_counted"] / spent["months"]
    spent["unlike"] = spent["months_counted"] != spent["months"]
    out = spent.groupby("programme", sort=True).agg(
        cost=("cost", "sum"), participants=("participants", "first"), unlike=("unlike", "any")
    )
    out = out.reset_index().assign(unit_cost=lambda table: table["cost"] / table["participants"])
    crude = "crude: the money and the people were counted over different months"
    out["note"] = [crude if unlike else "" for unlike in out["unlike"]]
    return out[["programme", "cost", "participants", "unit_cost", "note"]]


def _split(grants: pd.DataFrame) -> pd.DataFrame:
    """Grants with every share known: a blank is the whole grant where one programme has it, and refused elsewhere."""
    out = grants.copy()
    for grant, rows in out.groupby("grant", sort=True):
        if rows["amount"].nunique(dropna=False) != 1 or rows["months"].nunique(dropna=False) != 1:
            raise DataError("a grant has one amount and one length", where="grants", found=grant)
        shares = rows["share"].astype(float)
        if len(rows) == 1:
            shares = shares.fillna(1.0)
        if shares.isna().any() or (shares < 0).any() or abs(shares.sum() - 1) > WHOLE:
            raise DataError(
                "the shares of a joint grant must be given and add up to 1, so that no money counts twice",
                where="grants, `share`",
                found=grant,
            )
        out.loc[rows.index, "share"] = shares
    return out
