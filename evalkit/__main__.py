"""The verbs: parse, call, print, exit. Heavy modules are imported by the verb that needs them."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evalkit import __version__
from evalkit.errors import EvalkitError, UsageError

DESIGNS = ("matched", "rct", "did", "before-after", "single", "funnel", "cba")
LATER = ("portfolio", "plan", "publish", "rerun", "link", "pseudonymise", "request")
OVERVIEW = """\
From a study folder to an honest report.

  evalkit new my-study          a study folder that runs at once on invented data
  evalkit check my-study        every problem at once, before anything is estimated
  evalkit run my-study          check, design, estimate, report

Exit codes: 0 done, 2 usage, 10 study, 11 data, 12 design, 13 estimation, 14 report,
15 refused by disclosure or claims, 1 our bug."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the return value is the exit code."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return given.verb(given) or 0
    except EvalkitError as error:
        return _show(error, as_json=getattr(given, "json", False))
    except KeyboardInterrupt:
        print("evalkit: interrupted; the previous output is as it was.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except Exception:
        traceback.print_exc()
        print("evalkit: this is our mistake, not yours. Please report what is above.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evalkit", description=OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"evalkit {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _study_verbs(verbs)
    _verbs_beside_a_run(verbs)
    _other_verbs(verbs)
    return parser


def _study_verbs(verbs: Any) -> None:
    new = _verb(
        verbs, "new", _new, "make a study folder that runs at once on invented data", "evalkit new my-study"
    )
    new.add_argument("name", metavar="NAME")
    new.add_argument("--design", choices=DESIGNS, default="matched")
    new.add_argument("--seed", type=int, default=1)
    check = _verb(
        verbs, "check", _check, "read everything, estimate nothing", "evalkit check studies/my-study"
    )
    check.add_argument("study", type=Path, metavar="STUDY")
    run = _verb(verbs, "run", _run, "check, design, estimate and report", "evalkit run studies --output site")
    run.add_argument(
        "studies", type=Path, nargs="+", metavar="STUDY", help="a study folder, or a folder of them"
    )
    run.add_argument(
        "--output", type=Path, metavar="DIR", help="where to write instead of the study's own output/"
    )
    run.add_argument("--seed", type=int, help="use this seed instead of the study's")
    run.add_argument("--engine", choices=("auto", "quarto", "embedded"), default="auto")


def _verbs_beside_a_run(verbs: Any) -> None:
    report = _verb(
        verbs, "report", _report, "render reports from output/ alone", "evalkit report my-study --to html"
    )
    report.add_argument("study", type=Path, metavar="STUDY")
    report.add_argument("--template", action="append", metavar="T")
    report.add_argument("--to", default="", metavar="html,pdf,docx")
    report.add_argument("--engine", choices=("auto", "quarto", "embedded"), default="auto")
    simulate = _verb(
        verbs,
        "simulate",
        _simulate,
        "write invented rows that fit a study's columns",
        "evalkit simulate my-study",
    )
    simulate.add_argument("study", type=Path, metavar="STUDY")
    simulate.add_argument("--people", type=int, default=400)
    simulate.add_argument("--seed", type=int)
    outcomes = _verb(
        verbs, "outcomes", _outcomes, "print the compiled statement that measures outcomes",
        "evalkit outcomes my-study --sql duckdb",
    )  # fmt: skip
    outcomes.add_argument("study", type=Path, metavar="STUDY")
    outcomes.add_argument("--sql", default="duckdb", metavar="DIALECT")


def _other_verbs(verbs: Any) -> None:
    audit = _verb(
        verbs, "audit", _audit, "re-derive a table of published figures", "evalkit audit published.csv --json"
    )
    audit.add_argument("file", type=Path, metavar="FILE")
    power = _verb(
        verbs, "power", _power, "smallest difference that a study could detect",
        "evalkit power --baseline 0.4 --n-treated 45 --n-control 45",
    )  # fmt: skip
    power.add_argument("--measure", default="risk_difference")
    power.add_argument("--baseline", type=float, required=True)
    power.add_argument("--n-treated", type=int, required=True)
    power.add_argument("--n-control", type=int, required=True)
    power.add_argument("--icc", type=float)
    power.add_argument("--cluster-size", type=float)
    power.add_argument("--power", type=float, default=0.8)
    power.add_argument("--alpha", type=float, default=0.05)
    parameters = _verb(
        verbs, "parameters", _parameters, "unit costs, rates and deflators with their source",
        "evalkit parameters SS3.0",
    )  # fmt: skip
    parameters.add_argument("code", nargs="?", metavar="CODE")
    explain = _verb(verbs, "explain", _explain, "a term in plain words", "evalkit explain parallel-trends")
    explain.add_argument("term", nargs="?", metavar="TERM")
    _verb(
        verbs, "doctor", _doctor, "what this machine has, and what works without the rest", "evalkit doctor"
    )
    for name in LATER:
        verb = _verb(verbs, name, _later, argparse.SUPPRESS, f"evalkit {name}")
        verb.set_defaults(name=name)
        verb.add_argument("rest", nargs=argparse.REMAINDER)


def _verb(verbs: Any, name: str, function: Callable, words: str, example: str) -> argparse.ArgumentParser:
    shown = {} if words is argparse.SUPPRESS else {"help": words}
    verb = verbs.add_parser(name, description=words if shown else None, epilog=f"example: {example}", **shown)
    verb.set_defaults(verb=function)
    verb.add_argument("--json", action="store_true", help="one JSON object on standard output")
    verb.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return verb


def _new(given: argparse.Namespace) -> int:
    from evalkit.scaffold import new_study

    folder = new_study(Path(given.name), design=given.design, seed=given.seed)
    _say(given, {"study": str(folder)}, f"Made {folder}. Next: evalkit run {folder}")
    return 0


def _check(given: argparse.Namespace) -> int:
    from evalkit.pipeline import check

    readiness = check(given.study, progress=_progress(given))
    _say(given, readiness.to_dict(), readiness.summary())
    return 0


def _run(given: argparse.Namespace) -> int:
    from evalkit.pipeline import find_studies, run_all

    done = run_all(
        find_studies(given.studies), output=given.output, alone=_alone(given.studies), seed=given.seed,
        engine=given.engine, progress=_progress(given),
    )  # fmt: skip
    failed = [each for each in done if each.error is not None]
    for each in failed:
        print(f"evalkit: {each.name} was not run", file=sys.stderr)
        _show(each.error, as_json=False)
    _say(given, {"studies": [each.to_dict() for each in done]}, "\n".join(each.summary() for each in done))
    return failed[0].error.exit_code if failed else 0


def _alone(studies: Sequence[Path]) -> bool:
    return len(studies) == 1 and (studies[0] / "study.yml").is_file()


def _report(given: argparse.Namespace) -> int:
    from evalkit.pipeline import report

    written = report(
        given.study, templates=given.template, formats=[each for each in given.to.split(",") if each],
        engine=given.engine, progress=_progress(given),
    )  # fmt: skip
    _say(given, {"written": [str(path) for path in written]}, "\n".join(str(path) for path in written))
    return 0


def _simulate(given: argparse.Namespace) -> int:
    from evalkit.pipeline import simulate

    written = simulate(given.study, people=given.people, seed=given.seed)
    _say(given, {"written": [str(path) for path in written]}, "\n".join(str(path) for path in written))
    return 0


def _outcomes(given: argparse.Namespace) -> int:
    from evalkit.pipeline import outcomes_sql

    statement = outcomes_sql(given.study, dialect=given.sql)
    _say(given, {"sql": statement}, statement)
    return 0


def _audit(given: argparse.Namespace) -> int:
    from evalkit.audit import in_words
    from evalkit.pipeline import audit_file

    figures = audit_file(given.file)
    _say(given, {"figures": figures}, in_words(figures))
    return 0


def _power(given: argparse.Namespace) -> int:
    from evalkit.design.power import in_words, power

    named = ("measure", "baseline", "n_treated", "n_control", "icc", "cluster_size", "power", "alpha")
    result = power(None, **{name: getattr(given, name) for name in named if getattr(given, name) is not None})
    _say(given, result.to_dict(), in_words(result))
    return 0


def _parameters(given: argparse.Namespace) -> int:
    from evalkit.parameters import describe, describe_all, in_words

    records = [describe(given.code)] if given.code else describe_all()
    _say(given, {"parameters": records}, "\n".join(in_words(record) for record in records))
    return 0


def _explain(given: argparse.Namespace) -> int:
    from evalkit.glossary import explain, terms

    if given.term is None:
        _say(given, {"terms": list(terms())}, "\n".join(terms()))
        return 0
    words = explain(given.term)
    _say(given, {"term": given.term, "explanation": words}, words)
    return 0


def _doctor(given: argparse.Namespace) -> int:
    from evalkit.doctor import examine, in_words

    found = examine()
    _say(given, {"findings": found}, in_words(found))
    return 0


def _later(given: argparse.Namespace) -> int:
    raise UsageError(
        f"this version has no `{given.name}` yet", do="See `evalkit --help` for the verbs that it has"
    )


def _say(given: argparse.Namespace, values: Any, words: str) -> None:
    if given.json:
        from evalkit.pipeline.write import jsonable

        print(json.dumps(jsonable(values), ensure_ascii=False, indent=1))
    elif words:
        print(words)


def _show(error: EvalkitError, *, as_json: bool) -> int:
    if as_json:
        problems = [
            {"where": p.where, "wrong": p.wrong, "found": p.found, "do": p.do} for p in error.problems
        ]
        print(json.dumps({"error": error.kind, "problems": problems}, ensure_ascii=False, indent=1))
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)
    count = len(error.problems)
    what = "1 problem" if count == 1 else f"{count} problems"
    print(f"evalkit: {what} ({error.kind}).", file=sys.stderr)
    return error.exit_code


def _progress(given: argparse.Namespace) -> Callable[[str], None]:
    if given.quiet:
        return lambda words: None
    return lambda words: print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
