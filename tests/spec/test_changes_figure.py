"""The figure of counts before and after: per cent, the two counts by name, and the same story in words."""

import pandas as pd

from evalkit.impact.counts import counts
from evalkit.report import figures
from evalkit.report.figures.counted import change
from evalkit.report.tables import interval_text
from evalkit.results import Estimate

TABLE = pd.DataFrame({"category": ["robbery", "drugs", "burglary"], "b": [37, 175, None], "a": [81, 167, 40]})


def test_a_change_is_read_in_per_cent():
    assert [change(each) for each in (1.239, 0.9127, 1.0053, 1.0, 7.41)] == [
        "+24%", "−9%", "+0.5%", "no change", "+641%",
    ]  # fmt: skip


def test_rows_carry_their_counts_and_rows_without_one_are_not_drawn():
    figure = figures.changes(counts(TABLE, before="b", after="a"), label="recorded crimes")
    assert list(figure.data["label"]) == ["robbery: 37 to 81", "drugs: 175 to 167"]
    assert figure.data["text"].iloc[0] == "+119% (+47% to +232%)"
    assert "2 drawn of 3" in figure.alt
    assert "1 rose, 0 fell and 1 cannot be told apart from no change" in figure.alt


def test_one_change_says_whether_its_interval_reaches_no_change():
    figure = figures.changes(counts(before=882, after=805), label="knife crime")
    assert figure.alt == (
        "Change from before to after. Knife crime: 882 to 805: −9% (−17% to +0.5%). Its interval reaches no change."
    )


def test_a_comparison_stands_beside():
    result = counts(before=87, after=120, comparison_before=825, comparison_after=937, contains=True)
    figure = figures.changes(result, label="fires")
    assert figure.data["label"].iloc[0] == "fires: 87 to 120 (comparison 738 to 817)"
    assert "set against the change in the comparison" in figure.alt


def test_the_widened_range_is_the_one_that_is_drawn():
    plain, wide = (
        figures.changes(counts(before=882, after=805, dispersion=d), label="x").data for d in (1.0, 4.0)
    )
    assert wide["conf_low"].iloc[0] < plain["conf_low"].iloc[0]
    assert len(wide) == 1


def test_limits_of_a_run_chart_are_not_called_an_interval():
    latest = Estimate(
        term="latest", measure="value", estimate=77.0, conf_low=32.0, conf_high=108.0, interval="xmr_limits"
    )
    assert "usual range, not an interval" in interval_text(latest)
