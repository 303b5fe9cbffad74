"""One grant, several studies: no pound of it counts twice, and what no account carries is said by name."""

from __future__ import annotations

import pandas as pd
import pytest

import evalkit as ek
from evalkit.__main__ import main
from evalkit.errors import DataError, EvalkitWarning
from tests.costs import account, benefit, cost
from tests.tolerances import EXACT

DATA = 11
COSTS = "line,agency,kind,year,amount,price_year,confidence,grant,share\n"


def part(share, **more):
    return pd.DataFrame([cost(amount=120_000, grant="Joint grant", share=share, **more), cost(line="rent")])


def test_shares_that_add_up_to_the_whole():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error")
        found = ek.shared_grants({"b": part(0.4), "a": part(0.6), "c": pd.DataFrame([cost()])})
    assert list(found["study"]) == ["a", "b"]
    assert list(found["share"]) == [0.6, 0.4]
    assert (found["amount"] == 120_000).all()
    assert found["share_of_all"].to_numpy() == pytest.approx([1, 1], abs=EXACT)


def test_three_thirds_are_a_whole():
    assert len(ek.shared_grants({name: part(1 / 3) for name in "abc"})) == 3


def test_a_rest_that_nobody_carries_is_named():
    with pytest.warns(
        EvalkitWarning, match="“Joint grant” .* 70.0% is in an account here .* 30.0% is in none"
    ):
        ek.shared_grants({"a": part(0.3), "b": part(0.4)})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"share": 0.5},
            "its shares add up to 110.0%: some of it would count twice. Found: a 60.0%; b 50.0%",
        ),
        (
            {"share": 0.4, "amount": 110_000},
            "its amount differs between studies. Found: a £120,000; b £110,000",
        ),
        ({"share": 0.4, "price_year": "2016/17"}, "its price year differs between studies"),
    ],
)
def test_what_cannot_be_true_is_refused(other, message):
    with pytest.raises(DataError, match="the grant “Joint grant”") as refused:
        ek.shared_grants({"a": part(0.6), "b": part(0.4).assign(**{"amount": 120_000, **other})})
    assert message in str(refused.value)


def test_a_grant_in_payments_is_shared_by_its_pounds():
    """80,000 in year 0 with a quarter and 40,000 in year 1 with a half: 40,000 of 120,000, a third."""
    rows = [
        cost(amount=80_000, grant="G", share=0.25),
        cost(amount=40_000, year=1, grant="G", share=0.5),
    ]
    with pytest.warns(EvalkitWarning):
        found = ek.shared_grants({"a": pd.DataFrame(rows)})
    assert found["amount"].tolist() == [120_000]
    assert found["share"].tolist() == pytest.approx([1 / 3])


def test_one_payment_on_two_lines_counts_once():
    rows = [
        cost(line=line, amount=90_000, grant="G", share=share)
        for line, share in (("staff", 0.7), ("rent", 0.3))
    ]
    assert ek.shared_grants({"a": pd.DataFrame(rows)})["share"].tolist() == pytest.approx([1])
    rows[1]["share"] = 0.4
    with pytest.raises(DataError, match="more than the whole of it"):
        ek.shared_grants({"a": pd.DataFrame(rows)})
    rows[1] |= {"share": 0.3, "amount": 80_000}
    with pytest.raises(DataError, match="one payment of a grant has two amounts"):
        ek.shared_grants({"a": pd.DataFrame(rows)})


def test_an_account_says_which_part_of_a_grant_it_carries():
    costs = [cost(amount=120_000, grant="Joint grant", share=0.25), cost(line="Lottery money", share=0.5)]
    said = ek.cost_benefit(account(costs, [benefit()]), draws=0).check("joint_funding")
    assert "Of the grant “Joint grant” (£120,000) this account carries 25.0% (£30,000)." in said.reading
    assert "Only a share is counted of: Lottery money." in said.reading
    assert "column `grant`" in said.next_step
    assert ek.cost_benefit(account([cost()], [benefit()]), draws=0).check("joint_funding") is None


@pytest.fixture
def two_studies(tmp_path):
    for name in ("first", "second"):
        assert main(["new", str(tmp_path / name), "--design", "cba", "--quiet"]) == 0
        path = tmp_path / name / "study.yml"
        text = path.read_text(encoding="utf-8").replace("draws: 20000", "draws: 100")
        path.write_text(text + "report: {templates: []}\n", encoding="utf-8")

    def give(**shares):
        for name, share in shares.items():
            row = f"Delivery,Council,revenue,0,120000,2015/16,3,Joint grant,{share}\n"
            (tmp_path / name / "data" / "invented_costs.csv").write_text(COSTS + row, encoding="utf-8")
        return tmp_path

    return give


def test_studies_that_are_run_together_say_what_is_left(two_studies, capsys):
    folder = two_studies(first=0.5, second=0.2)
    assert main(["run", str(folder), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert said.count("note: Of the grant “Joint grant” (£120,000) 70.0% is in an account here") == 2


def test_studies_that_would_count_a_grant_twice_are_not_run(two_studies, capsys):
    folder = two_studies(first=0.5, second=0.7)
    assert main(["run", str(folder), "--quiet"]) == DATA
    said = capsys.readouterr().err
    assert "the grant “Joint grant”: its shares add up to 120.0%" in said
    assert not list(folder.glob("*/output"))
    assert main(["run", str(folder / "first"), "--quiet"]) == 0
