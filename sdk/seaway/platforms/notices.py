"""Who is told of runs, by whom and where to look, as this place knows it."""

import getpass
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seaway.approvals import Question
from seaway.errors import NoticeFailed
from seaway.notices import Notice, tell
from seaway.notices.receivers import parsed
from seaway.notices.redaction import values_of_secrets, without_secrets
from seaway.platforms.home import home
from seaway.platforms.place import in_pod
from seaway.platforms.pod_settings import NOTICES, STORAGE
from seaway.platforms.runs import evidence

FILE, VARIABLE = "receivers", "SEAWAY_NOTIFY"
DASHBOARD = "SEAWAY_DASHBOARD"  # where Kubeflow Pipelines' pages are, as a browser reaches them
log = logging.getLogger(__name__)
NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Addressees:
    """Receivers of notices, one address each, and values that no notice may have."""

    receivers: tuple[str, ...]
    secrets: tuple[str, ...]


def addressees(environment: Mapping[str, str] = os.environ) -> Addressees:
    """Those of the Secret that is mounted, and of `$SEAWAY_NOTIFY`."""
    mounted = [file.read_text(encoding="utf-8") for file in NOTICES.path.glob(FILE)]
    receivers = parsed("\n".join([*mounted, environment.get(VARIABLE, "").replace(" ", "\n")]))
    keys = {file.name: file.read_text(encoding="utf-8").strip() for file in STORAGE.path.glob("*") if file.is_file()}
    return Addressees(tuple(receivers), (*receivers, *values_of_secrets({**keys, **environment})))


def ask(question: Question, known: Addressees) -> None:
    """Tell those who are told of runs what is asked; whoever cannot be told is named in the log, and the run waits."""
    if not known.receivers:
        return
    title = f"Run {question.run} asks: {question.text}"
    lines = [
        *(f"- {line}" for line in question.shown),
        *(f"- {link}" for link in links(question.run)),
        "",
        f"`{question.command}`",
    ]
    body = without_secrets("\n".join(lines), known.secrets)
    try:
        tell(Notice(question.run, title, body, failed=False), known.receivers, evidence(), f"asked-{question.gate}")
    except NoticeFailed as error:
        log.warning("Not all were told: %s", error)


def owner(named: str) -> str:
    """Who runs it: as named, else the namespace of this pod, else this machine's user."""
    if named or not in_pod():
        return named or getpass.getuser()
    return f"namespace {NAMESPACE.read_text(encoding='utf-8').strip()}" if NAMESPACE.exists() else ""


def links(run: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Where the run can be looked at."""
    if dashboard := environment.get(DASHBOARD, "").rstrip("/"):
        return [f"{dashboard}/#/runs/details/{run}"]
    return [] if in_pod() else [f"`seaway report {run} --open`, in {home().parent}"]
