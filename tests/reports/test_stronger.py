"""What would make the evidence stronger is said to the people who could do it, never to the analyst."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.claims import lint
from evalkit.report.output import Output
from evalkit.report.stronger import BY_CHECK, BY_LEVEL, MORE_PEOPLE, next_steps
from evalkit.results import Check, Result

SENTENCES = sorted({*BY_CHECK.values(), *BY_LEVEL.values()})


def output(
    *checks: Check, level: int = 3, size: str = "cannot tell", registered: str | None = "osf"
) -> Output:
    statement = {"analysis": "main", "level": level, "size_word": size}
    values = {"statements": [statement], "about": {"assignment": {"registered": registered}}}
    result = Result(analysis="main", role="primary", method="rates", estimand="att", outcome="x",
                    estimates=(), checks=checks)  # fmt: skip
    return Output(folder=Path(), values=values, results=(result,))


def check(name: str, *, passed: bool | None, step: str) -> Check:
    return Check(name=name, null="", reading="", passed=passed, next_step=step)


@pytest.mark.parametrize("text", SENTENCES)
def test_no_sentence_holds_code_or_a_claim(text: str) -> None:
    assert not re.search(r"[`_=]", text)
    assert not lint(text, 0, "the programme")


def test_an_uncertain_comparison_asks_for_people_first() -> None:
    steps = next_steps(output()).splitlines()
    assert steps[0].startswith("- Include more people")
    assert len(steps) == 2


def test_a_settled_size_does_not() -> None:
    assert MORE_PEOPLE[:20] not in next_steps(output(size="small"))


def test_each_step_is_said_once() -> None:
    both = (check("e_value", passed=None, step="x"), check("hidden_bias", passed=None, step="x"))
    assert next_steps(output(*both)).count("motivation") == 1


def test_a_step_with_an_option_in_it_stays_in_the_annex() -> None:
    told = next_steps(output(check("new_check", passed=False, step="Set `season: harmonic`")))
    assert "season" not in told


def test_a_failed_check_that_has_no_words_here_keeps_its_own() -> None:
    told = next_steps(output(check("new_check", passed=False, step="Ask for a longer series")))
    assert "Ask for a longer series" in told


def test_an_unregistered_plan_is_named() -> None:
    assert "Publish the question" in next_steps(output(registered=None))
    assert "Publish the question" not in next_steps(output())


def test_secondary_analyses_add_only_what_they_failed() -> None:
    first = output()
    second = Result(analysis="also", role="secondary", method="rates", estimand="att", outcome="x", estimates=(),
                    checks=(check("ties", passed=None, step="x"), check("attrition", passed=False, step="x")))  # fmt: skip
    told = next_steps(replace(first, results=(*first.results, second)))
    assert "Follow up those who were lost" in told
    assert "Record more about each person" not in told
