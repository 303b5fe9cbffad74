"""Every work that a method cites has an entry."""

from __future__ import annotations

import re
from pathlib import Path

from evalkit.report.annex import bibliography, cited

PACKAGE = Path(__file__).parents[2] / "evalkit"
KEY = re.compile(r'"([a-z_]+(?:18|19|20)\d\d[a-z]?)"')
EDITIONS = {"gmca_2014", "green_book_2026"}  # tables of the parameter library, which are named the same way


def test_every_cited_key_is_in_the_bibliography():
    found = {
        key
        for path in PACKAGE.rglob("*.py")
        for key in KEY.findall(path.read_text(encoding="utf-8"))
        if "report" not in path.parts
    }
    assert found - set(bibliography()) - EDITIONS == set()


def test_an_entry_reads_as_a_reference():
    words = cited(bibliography()["callaway2021"])
    assert words.startswith(
        "Callaway, B., Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple"
    )
    assert "Journal of Econometrics 225, 200 to 230. DOI 10.1016/j.jeconom.2020.12.001." in words
