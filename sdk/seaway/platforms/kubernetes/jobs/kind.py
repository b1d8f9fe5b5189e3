"""What the launcher must know about a kind of job: how it is addressed, when it is done, which pods are its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seaway.platforms.kubernetes.client.resources import Manifest, Resource


class State(StrEnum):
    """How a job can end."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class Outcome:
    """How a job ended, in its controller's words, and the object as it was then."""

    state: State
    reason: str = ""
    message: str = ""
    object: Manifest = field(default_factory=dict, repr=False, compare=False)


def no_rules(manifest: Manifest) -> None:
    """A kind whose objects are checked by the API server only."""


def nothing(job: Manifest) -> tuple[str, ...]:
    """A kind whose status has nothing that a person waits to hear, and names no other objects."""
    return ()


def has_status(job: Manifest) -> bool:
    """Whether a controller has written anything into the status."""
    return bool(job.get("status"))


@dataclass(frozen=True)
class Kind:
    """One kind of job.

    Attributes:
        controller: who takes such an object up, as users know it.
        outcome: how the object ended; None while it goes on.
        pod_label: label of the job's pods whose value is the job's name.
        preflight: refuses, with InvalidSpec, what the API server would refuse.
        taken_up: whether the controller has seen the object.
        suffix: the longest text that the controller appends to the name for pods and services.
        progress: sentences on how far the job is; each is told once.
        parts: names of the objects that the controller has made for it, whose events concern it.
        suspend: where the object says that it must not run; empty where a kind cannot be held.
        overrides: the spec's field into which Kueue writes what a queue asks of pods; empty where it writes that into
            the pods' template.
    """

    resource: Resource
    controller: str
    outcome: Callable[[Manifest], Outcome | None]
    pod_label: str
    preflight: Callable[[Manifest], None] = no_rules
    taken_up: Callable[[Manifest], bool] = has_status
    suffix: int = 0
    progress: Callable[[Manifest], Iterable[str]] = nothing
    parts: Callable[[Manifest], Iterable[str]] = nothing
    suspend: tuple[str, ...] = ("spec", "suspend")
    overrides: str = ""

    def is_suspended(self, job: Manifest) -> bool:
        """Whether somebody holds the job: Kueue, or a person."""
        held: Any = job if self.suspend else False
        for part in self.suspend:
            held = (held or {}).get(part)
        return bool(held)

    def pods(self, name: str) -> str:
        """The label selector of a job's pods."""
        return f"{self.pod_label}={name}"


def condition(job: Manifest, kind: str) -> Mapping[str, Any] | None:
    """The condition of that type, where it holds."""
    for entry in job.get("status", {}).get("conditions") or ():
        if entry["type"] == kind and entry["status"] == "True":
            return dict(entry)
    return None


def outcome_by_conditions(succeeded: str, failed: str) -> Callable[[Manifest], Outcome | None]:
    """For kinds that end with one of two conditions."""

    def outcome(job: Manifest) -> Outcome | None:
        for kind, state in ((failed, State.FAILED), (succeeded, State.SUCCEEDED)):
            if found := condition(job, kind):
                return Outcome(state, found.get("reason", ""), found.get("message", ""), job)
        return None

    return outcome
