"""What may be said: facts of the study, evidence and a statement for each result, and the answers of the first page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalkit.claims import Evidence, Facts, Statement, decision, evidence, statement
from evalkit.claims.evidence import UNMATCHED
from evalkit.contract import Outcome
from evalkit.pipeline.harm import types_in_words
from evalkit.pipeline.methods import method
from evalkit.results import Design, Result
from evalkit.study import Analysis, Study

CHANGES = ("counts", "interrupted")
_PILOT = re.compile(r"\b(?:pilot|feasib\w*|trials?)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One analysis, the facts it rests on, its evidence and its statement."""

    analysis: str
    facts: Facts
    evidence: Evidence
    statement: Statement


def tell(
    study: Study, raw: Mapping[str, Result], printed: Mapping[str, Result], design: Design | None
) -> list[Told]:
    """Evidence from the results as computed, words from the results as they are printed."""
    checks = design.checks if design is not None else ()
    told = []
    earned: dict[str, Evidence] = {}
    for name in sorted(raw, key=lambda each: method(raw[each].method, where="").reads == "account"):
        analysis = study.analyses[name]
        facts = facts_of(study, analysis, raw[name], design, earned)
        uses_design = method(analysis.method, where="").reads == "people" and facts.has_comparison
        grounds = evidence(
            facts, raw[name], _tests_of_the_same(study, name, raw), checks if uses_design else ()
        )
        earned[name] = grounds
        outcome = study.outcomes.get(analysis.outcome or "")
        words = statement(
            printed[name],
            facts,
            grounds,
            label_of(study, analysis),
            definition_of(outcome),
            better_of(outcome, raw[name]),
        )
        told.append(Told(analysis=name, facts=facts, evidence=grounds, statement=words))
    order = list(study.analyses)
    return sorted(told, key=lambda each: order.index(each.analysis))


def facts_of(
    study: Study, analysis: Analysis, result: Result, design: Design | None, earned: Mapping[str, Evidence]
) -> Facts:
    """What is known before any number is read, for one analysis."""
    row = method(analysis.method, where="")
    spec = study.design
    matched = (*spec.covariates, *spec.exact) if spec is not None and spec.method != "none" else ()
    compared = row.compares and result.headline.n_control is not None or row.name == "did"
    source = _source_of(result, earned) if row.reads == "account" else None
    return Facts(
        programme=str(study.intervention.get("name") or study.title),
        treated=study.arms.get("treated", ""),
        comparison=study.arms.get("control", ""),
        assignment_by=study.assignment.by,
        assignment_registered=bool(study.assignment.registered),
        chosen_when_high=study.assignment.chosen_when_high,
        data_status=str(analysis.options.get("data_status") or study.data_status),
        estimand=result.estimand,
        design_method=design.method if design is not None and row.reads == "people" else "none",
        design_covariates=tuple(dict.fromkeys(matched)),
        adjusted_for=tuple(analysis.options.get("adjust") or analysis.options.get("covariates") or ()),
        history_names=tuple(study.history),
        has_comparison=bool(compared),
        n_treated_areas=result.headline.n_treated if row.name == "did" else None,
        self_reported=row.name == "survey",
        margin=analysis.options.get("margin"),
        pooled_levels=_pooled_levels(result),
        cost_kind=str(analysis.options.get("kind", "evaluation")),
        cost_perspective=str(analysis.options.get("perspective", "fiscal")),
        cost_level=source.level if source is not None else 0,
        cost_unmatched=source is not None and source.scale == UNMATCHED,
        tested=study.assignment.by != "none" or study.intervention.get("start") is not None,
        pilot=_is_pilot(study, analysis),
    )


def _is_pilot(study: Study, analysis: Analysis) -> bool:
    """Whether criteria of progression judge a pilot, by what the study says of itself."""
    said = (analysis.label, study.title, study.question)
    return any(_PILOT.search(str(each or "")) for each in said)


def _pooled_levels(result: Result) -> tuple[int, ...]:
    """The level of each study behind a pooled result, where they are known."""
    if result.method != "meta" or "evidence" not in result.detail:
        return ()
    rows = result.detail["evidence"].dropna()
    return tuple(
        int(level) for level, n in zip(rows["level"], rows["studies"], strict=True) for _ in range(int(n))
    )


DEFAULT_LABELS = {
    "time_to_first": "days to the first proven reoffence",
    "frequency": "proven reoffences",
    "severity": "harm of proven reoffences",
}
# What a name must hold to be read as what it measures.
READS = {
    "time_to_first": re.compile(r"^(?:time|days) (?:to|until|before|without) .", re.IGNORECASE),
    "frequency": re.compile(r"s$", re.IGNORECASE),
    "severity": re.compile(r".\s."),
}


def label_of(study: Study, analysis: Analysis) -> str:
    """What the analysis is about, in the study's own words."""
    outcome = study.outcomes.get(analysis.outcome or "")
    return (
        analysis.label
        or (called(outcome) if outcome is not None else "")
        or (analysis.outcome or analysis.name)
    )


def called(outcome: Outcome) -> str:
    """The outcome's label; without one its name in words, or where that would not read in a sentence what it measures.

    `days_to_reoffence` and `reoffended` read as they stand; `days`, `harm` or `often` do not.
    """
    name = outcome.name.replace("_", " ")
    if outcome.label or outcome.measure not in DEFAULT_LABELS or READS[outcome.measure].search(name):
        return outcome.label or outcome.name
    return DEFAULT_LABELS[outcome.measure] + types_in_words(outcome)


def better_of(outcome: Outcome | None, result: Result) -> str | None:
    """Which direction of the headline figure is good: of an event and of the time before it, opposite ways."""
    if outcome is None or outcome.better is None or result.method != "survival":
        return outcome.better if outcome is not None else None
    bad_event = (outcome.better == "higher") == (outcome.measure in ("time_to_first", "duration"))
    of_event = result.headline.measure in ("hazard_ratio", "risk_difference")
    return "lower" if of_event == bad_event else "higher"


def definition_of(outcome: Outcome | None) -> str:
    """The window and the rule of an outcome in one sentence; empty where nothing is defined."""
    if outcome is None:
        return ""
    if not outcome.from_events:
        return "As recorded in the people file."
    months = f"within {outcome.follow_up} months of the index date"
    proof = f"proven by a conviction or caution within {outcome.follow_up + outcome.waiting} months of it"
    harm = "The summed harm weight of" if outcome.score == "sum" else "The largest harm weight among"
    what = {
        "binary": "At least one offence", "frequency": "The number of offences",
        "time_to_first": "Days to the first offence", "severity": f"{harm} offences",
    }[outcome.measure]  # fmt: skip
    return f"{what}{types_in_words(outcome)} {months}, {proof}."


def answers(study: Study, told: Sequence[Told], printed: Mapping[str, Result]) -> dict[str, str]:
    """The five answers of the first page."""
    first = next(each for each in told if each.analysis == study.primary.name)
    better = better_of(study.outcomes.get(study.primary.outcome or ""), printed[study.primary.name])
    return {
        "did_it_work": _did_it_work(study, first),
        "how_sure": _how_sure(first.evidence),
        "for_whom": _for_whom(study, printed[study.primary.name]),
        "at_what_cost": _at_what_cost(study, told),
        "what_next": decision(first.evidence, first.statement, better, first.facts),
    }


def _did_it_work(study: Study, first: Told) -> str:
    """A plain answer before the finding: a design that cannot tell says so first."""
    return _lead(study.primary.method, first) + first.statement.headline


def _lead(name: str, first: Told) -> str:
    level, direction = first.evidence.level, first.statement.direction
    if not first.facts.tested:
        return "No programme was tested here. "
    if name in ("progression", "power", "funnel", "risk_score"):
        return "This study was not made to answer that. "
    if name == "cost_benefit":
        return "An account of costs and benefits does not answer that. "
    if level <= 2:
        return f"That cannot be told from {_source(name, first)}. "
    if level == 3 and direction not in ("cannot tell", "similar"):
        return "That is not settled, because the comparison has a weakness that could explain the result. "
    return ""


def _source(name: str, first: Told) -> str:
    """What a weak result rests on, in words."""
    if name == "run_chart":
        return "one series"
    if name == "survey":
        return "what people said of themselves"
    if name in ("rates", "survival") and first.facts.has_comparison:
        return "groups that were not set up to be compared"
    if first.evidence.level <= 1:
        return "one group"
    return "a change over time with nothing to compare it with" if name in CHANGES else "this comparison"


def _how_sure(grounds: Evidence) -> str:
    lead = (
        f"Certainty is {grounds.certainty}."
        if grounds.certainty != "not rated"
        else "Certainty is not rated."
    )
    return " ".join([lead, *grounds.reasons])


def _for_whom(study: Study, primary: Result) -> str:
    population = study.intervention.get("population")
    words = f"{_capital(str(population))}." if population else "The study does not say who took part."
    treated, control = primary.headline.n_treated, primary.headline.n_control
    if study.primary.outcome not in study.outcomes or not treated:
        return words
    words += f" {treated:,} people were analysed in the group “{study.arms.get('treated', 'programme')}”"
    return words + (f" and {control:,} in “{study.arms.get('control', 'comparison')}”." if control else ".")


def _at_what_cost(study: Study, told: Sequence[Told]) -> str:
    for each in told:
        if study.analyses[each.analysis].method == "cost_benefit":
            return each.statement.headline
    return "Not assessed: this study has no account of costs and benefits."


def _tests_of_the_same(study: Study, name: str, results: Mapping[str, Result]) -> list[Result]:
    """Other results that test the same comparison: the same outcome, and a role that says so."""
    primary = study.analyses[name]
    return [
        results[other]
        for other, analysis in study.analyses.items()
        if other != name and analysis.role == "sensitivity" and primary.role == "primary" and other in results
    ]


def _source_of(result: Result, earned: Mapping[str, Evidence]) -> Evidence | None:
    """The weakest evidence behind an account's impacts; None where one of them was entered and not estimated."""
    source = result.check("impact_source")
    if source is None or source.statistic:
        return None
    named = [earned[name] for name in re.findall(r"`([^`]+)`", source.reading) if name in earned]
    return min(named, key=lambda each: each.level, default=None)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".")
