"""One grant, several studies: no pound of it counts twice, and what no account carries is said.

A row of costs that names a `grant` holds the whole of a payment as `amount`, and as `share` what this account carries
of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from evalkit.errors import DataError, EvalkitWarning, Problem
from evalkit.options import require_columns
from evalkit.parameters import price_year

SAME = 1e-6  # relative: two entries of one amount
WHOLE = 1 + 1e-9  # shares such as a third, three times


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """What one study carries of one grant."""

    grant: str
    study: str
    amount: float
    price_year: str
    share: float


def shared_grants(accounts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What each study carries of each grant that its costs name.

    Parameters
    ----------
    accounts : mapping
        Name of the study to its frame of costs: `grant` (its name, the same in every study; blank for other costs),
        `year`, `amount` (the whole payment, in pounds), `price_year` and `share` (of that payment which this study
        carries; 1 where the column is missing or blank). A grant paid over several years has a row for each payment.

    Returns
    -------
    DataFrame
        One row per grant and study: grant, study, amount (of the whole grant, in pounds), price_year, share, and
        share_of_all, the shares of all studies together.

    Raises
    ------
    DataError
        Where the shares of one grant add up to more than 1, or its amount or price year differs between studies.

    Notes
    -----
    Warns, with the name of the grant, where the shares add up to less than 1: the rest is in no account here. A share
    of a grant in several payments is its pounds over those of the whole grant.
    """
    carried = [each for study, costs in accounts.items() for each in carried_by(study, costs)]
    problems = [problem for _, problem in register_problems(carried)]
    if problems:
        raise DataError(problems)
    for _, words in remainders(carried):
        warnings.warn(words, EvalkitWarning, stacklevel=2)
    columns = ["grant", "study", "amount", "price_year", "share"]
    rows = [[each.grant, each.study, each.amount, each.price_year, each.share] for each in carried]
    frame = pd.DataFrame(rows, columns=columns).sort_values(["grant", "study"], ignore_index=True)
    return frame.assign(share_of_all=frame.groupby("grant")["share"].transform("sum"))


def carried_by(study: str, costs: pd.DataFrame) -> Iterator[Carried]:
    """Each grant that a study's costs name; DataError for a grant that its own rows contradict."""
    if "grant" not in costs:
        return
    require_columns(costs, ["year", "amount", "price_year"], where=f"{study}, costs")
    named = costs[costs["grant"].notna()].assign(grant=lambda frame: frame["grant"].astype(str).str.strip())
    for grant, given in named[named["grant"] != ""].groupby("grant", sort=True):
        rows = given.assign(
            amount=pd.to_numeric(given["amount"]).astype(float),
            share=_shares(given),
            price_year=[price_year(each, where=f"{study}, costs") for each in given["price_year"]],
        )
        wrong = wrong_in_one_account(rows)
        if wrong:
            raise DataError(Problem(where=f"{study}, costs", wrong=each, found=str(grant)) for each in wrong)
        whole = _whole(rows)
        share = float((rows["amount"] * rows["share"]).sum()) / whole if whole else float(rows["share"].max())
        yield Carried(
            grant=str(grant), study=study, amount=whole, price_year=rows["price_year"].iloc[0], share=share
        )


def wrong_in_one_account(rows: pd.DataFrame) -> list[str]:
    """What is wrong with the rows of one grant in one account."""
    wrong = []
    if rows["price_year"].nunique() > 1:
        wrong.append("one grant is in several price years")
    if (rows.groupby("year")["amount"].max() > rows.groupby("year")["amount"].min() * (1 + SAME)).any():
        wrong.append(
            "one payment of a grant has two amounts: each row holds the whole payment and its own share"
        )
    if (rows.groupby("year")["share"].sum() > WHOLE).any():
        wrong.append("the shares of one grant add up to more than the whole of it")
    return wrong


def register_problems(carried: list[Carried]) -> Iterator[tuple[set[str], Problem]]:
    """What cannot be true of a grant over all studies, with the studies concerned."""
    for grant, parts in by_grant(carried).items():
        studies = {each.study for each in parts}
        listed = "; ".join(f"{each.study} {each.share:.1%}" for each in parts)
        total = sum(each.share for each in parts)
        spot = f"the grant “{grant}”"
        if total > WHOLE:
            wrong = f"its shares add up to {total:.1%}: some of it would count twice"
            do = "Agree the shares between the studies, so that they add up to at most 1"
            yield studies, Problem(where=spot, wrong=wrong, found=listed, do=do)
        amounts = [each.amount for each in parts]
        if max(amounts) > min(amounts) * (1 + SAME):
            found = "; ".join(f"{each.study} £{each.amount:,.0f}" for each in parts)
            do = "Each study gives the whole grant, payment by payment, and its own share"
            yield studies, Problem(where=spot, wrong="its amount differs between studies", found=found, do=do)
        if len({each.price_year for each in parts}) > 1:
            found = "; ".join(f"{each.study} {each.price_year}" for each in parts)
            yield studies, Problem(where=spot, wrong="its price year differs between studies", found=found)


def remainders(carried: list[Carried]) -> Iterator[tuple[set[str], str]]:
    """Grants of which no account here carries a part, in words, with the studies concerned."""
    for grant, parts in by_grant(carried).items():
        total = sum(each.share for each in parts)
        if total < 1 - SAME:
            listed = ", ".join(f"{each.study} {each.share:.1%}" for each in parts)
            words = (
                f"Of the grant “{grant}” (£{parts[0].amount:,.0f}) {total:.1%} is in an account here ({listed}); "
                f"the other {1 - total:.1%} is in none."
            )
            yield {each.study for each in parts}, words


def by_grant(carried: list[Carried]) -> dict[str, list[Carried]]:
    found: dict[str, list[Carried]] = {}
    for each in sorted(carried, key=lambda part: (part.grant, part.study)):
        found.setdefault(each.grant, []).append(each)
    return found


def _whole(rows: pd.DataFrame) -> float:
    """The sum of a grant's payments, each once however many rows share it."""
    return float(rows.groupby("year")["amount"].max().sum())


def _shares(rows: pd.DataFrame) -> pd.Series:
    if "share" not in rows:
        return pd.Series(1.0, index=rows.index)
    return pd.to_numeric(rows["share"]).astype(float).fillna(1.0)
