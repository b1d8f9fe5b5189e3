"""`seaway approve`: what runs ask, and deciding it."""

from collections.abc import Sequence
from dataclasses import asdict

import typer

from seaway import platforms
from seaway.approvals import Approvals, Question
from seaway.cli.output import print_json, print_table
from seaway.errors import InvalidSpec


def show(as_json: bool) -> None:
    """Print what is asked and not decided."""
    pending = platforms.current(Approvals).pending()
    if as_json:
        print_json([question.to_json() for question in pending])
    elif not pending:
        typer.echo("No run asks anything.")
    else:
        rows = [[one.run, one.gate, one.asked, "\n".join([one.text, *one.shown])] for one in pending]
        print_table(["run", "gate", "asked", "what"], rows)


def decide(run: str, gate: str, approved: bool, why: str, as_json: bool) -> None:
    """Decide what a run asks. Raises: InvalidSpec: it asks nothing such, or more than one thing."""
    approvals = platforms.current(Approvals)
    question = _one([one for one in approvals.pending(run) if gate in ("", one.gate)], run, gate)
    decision = approvals.decide(question, approved=approved, why=why)
    if as_json:
        print_json(asdict(decision))
    else:
        word = "approved" if approved else "refused"
        typer.echo(f"{run}, gate {question.gate}: {word} by {decision.told}")


def _one(found: Sequence[Question], run: str, gate: str) -> Question:
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidSpec(f"Run {run} asks at gates {', '.join(one.gate for one in found)}: say which, by --gate.")
    at = f" at gate {gate}" if gate else ""
    raise InvalidSpec(f"Run {run} asks nothing{at} that is not decided; `seaway approve` lists what runs ask.")
