"""Verdicts for people, for scripts, for a pull request's page and for code scanners (SARIF 2.1.0)."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from seaway.platforms.kubernetes.manifests.judge import Verdict
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.version import VERSION

Verdicts = Sequence[Verdict]
Found = tuple[str, Verdict, Problem]

LEVELS = {"refused": "error", "advised": "warning"}
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def found(verdicts: Verdicts) -> Iterator[Found]:
    """Each problem with how bad it is: `refused` or `advised`."""
    for verdict in verdicts:
        yield from (("refused", verdict, problem) for problem in verdict.refused)
        yield from (("advised", verdict, problem) for problem in verdict.advised)


def text(verdicts: Verdicts) -> str:
    """A line a problem, then the count."""
    lines = [
        f"{_place(verdict, problem)}: {how}: {_said(verdict, problem)}" for how, verdict, problem in found(verdicts)
    ]
    unknown = Counter(_kind(verdict) for verdict in verdicts if not verdict.by)
    lines += [f"not checked: {count} of {kind}, which Seaway has no schema of" for kind, count in unknown.items()]
    refused = sum(bool(verdict.refused) for verdict in verdicts)
    return "\n".join([*lines, f"{len(verdicts)} object{'s' * (len(verdicts) != 1)}, {refused} would be refused"])


def json_text(verdicts: Verdicts) -> str:
    """A list of objects, each with its problems."""
    return json.dumps([_plain(verdict) for verdict in verdicts], indent=2)


def github(verdicts: Verdicts) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    return "\n".join(
        f"::{LEVELS[how]} file={_escaped(verdict.document.file, ',:')},line={verdict.document.line(problem.field)},"
        f"title=seaway check::{_escaped(_said(verdict, problem))}"
        for how, verdict, problem in found(verdicts)
    )


def sarif(verdicts: Verdicts) -> str:
    """One run with a result a problem."""
    results = [_result(*each) for each in found(verdicts)]
    rules = [{"id": how, "shortDescription": {"text": f"The cluster: {how}"}} for how in LEVELS]
    driver = {"name": "seaway check", "version": VERSION, "rules": rules}
    return json.dumps(
        {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    )


def _result(how: str, verdict: Verdict, problem: Problem) -> dict[str, Any]:
    region = {"startLine": verdict.document.line(problem.field)}
    location = {"artifactLocation": {"uri": verdict.document.file}, "region": region}
    message = {"text": _said(verdict, problem)}
    return {"ruleId": how, "level": LEVELS[how], "message": message, "locations": [{"physicalLocation": location}]}


def _plain(verdict: Verdict) -> dict[str, Any]:
    problems = [
        {"how": how, "field": problem.field, "line": verdict.document.line(problem.field), "says": problem.says}
        for how, _, problem in found([verdict])
    ]
    return {"file": verdict.document.file, "object": verdict.name, "by": verdict.by, "problems": problems}


def _place(verdict: Verdict, problem: Problem) -> str:
    return f"{verdict.document.file}:{verdict.document.line(problem.field)}"


def _said(verdict: Verdict, problem: Problem) -> str:
    return f"{verdict.name} ({verdict.by}): {problem}" if problem.field else f"{verdict.name}: {problem.says}"


def _kind(verdict: Verdict) -> str:
    return f"{verdict.document.value.get('apiVersion')} {verdict.document.value.get('kind')}"


def _escaped(text: str, also: str = "") -> str:
    """As GitHub's workflow commands have it: what ends a line or a value is given by its number."""
    for character in f"%\r\n{also}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


WRITERS = {"text": text, "json": json_text, "github": github, "sarif": sarif}
