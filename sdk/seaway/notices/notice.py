"""What is told of a run."""

from collections.abc import Iterable
from dataclasses import dataclass

from seaway.errors import InvalidSpec
from seaway.notices.redaction import without_secrets
from seaway.reporting.run_report import Run, headline
from seaway.reporting.run_steps import StepEnd

WHEN = ("failure", "success", "always")


@dataclass(frozen=True)
class Notice:
    """A message about a run.

    Attributes:
        run: its id.
        title: one line.
        body: Markdown.
        failed: whether somebody has to act.
    """

    run: str
    title: str
    body: str
    failed: bool


def wanted(when: str, *, succeeded: bool) -> bool:
    """Whether a run that ended so is told of. Raises: InvalidSpec: `when` is none of WHEN."""
    if when not in WHEN:
        raise InvalidSpec(f"A notice is sent on {', '.join(WHEN)}; not on {when!r}.")
    return when == "always" or (when == "success") == succeeded


def compose(run: Run, owner: str = "", links: Iterable[str] = (), secrets: Iterable[str] = ()) -> Notice:
    """The notice of a run at its end.

    Args:
        owner: who runs it; nobody is named where it is empty.
        links: where to look, Markdown or plain addresses.
        secrets: values that may stand nowhere in it.
    """
    title, failed, known = headline(run), not run.succeeded, tuple(secrets)
    parts = [*_failure(run.failed), *_facts(run, owner), *(f"- {link}" for link in links)]
    return Notice(run.name, without_secrets(title, known), without_secrets("\n".join(parts), known), failed)


def _failure(step: StepEnd | None) -> list[str]:
    if step is None:
        return []
    log = ["```", step.log.replace("```", "'''"), "```", ""] if step.log else []
    return [f"**{step.title}** failed: {step.reason}", "", *log]


def _facts(run: Run, owner: str) -> list[str]:
    return [f"- run: {run.name}", *([f"- owner: {owner}"] if owner else []), *(f"- {told}" for told in run.untold)]
