"""What is asked, and what was decided."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from seaway.errors import InvalidSpec, NameTaken, ObjectDeleted

GATE = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Question:
    """What a run waits for.

    Attributes:
        run: its id.
        gate: which of its questions this is, at most 40 lower-case letters, digits and hyphens.
        text: what is to be decided.
        shown: what to look at first, a line each.
        asked: ISO 8601, UTC.

    Raises:
        InvalidSpec: `gate` is no such name.
    """

    run: str
    gate: str
    text: str
    shown: tuple[str, ...] = ()
    asked: str = ""

    def __post_init__(self) -> None:
        if not GATE.fullmatch(self.gate):
            raise InvalidSpec(
                f"{self.gate!r} is no name of a gate: at most 40 lower-case letters, digits and hyphens between them."
            )

    @property
    def command(self) -> str:
        """What approves it; with `--refuse` what refuses it."""
        return f"seaway approve {self.run} --gate {self.gate}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Question":
        return cls(**{**kept, "shown": tuple(kept["shown"])})


@dataclass(frozen=True)
class Decision:
    """What somebody decided; `when` is ISO 8601, UTC."""

    approved: bool
    who: str
    when: str
    why: str = ""

    @property
    def told(self) -> str:
        """`Ada (2026-11-30T12:00:00+00:00: tested by hand)`; `is_by` reads it."""
        return f"{self.who} ({self.when}{': ' if self.why else ''}{self.why})"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def not_asked(question: Question) -> ObjectDeleted:
    """What is raised where it stands no longer, or never did."""
    return ObjectDeleted(f"Run {question.run} asks nothing at gate {question.gate}.")


def decided_before(question: Question, before: Decision) -> NameTaken:
    """What is raised where somebody was first."""
    return NameTaken(f"Gate {question.gate} of run {question.run} was decided before, by {before.told}.")


def is_by(told: str, who: str) -> bool:
    """Whether this is somebody's name, as it was given or as a decision of theirs tells it."""
    return told == who or re.match(rf"{re.escape(who)} \(\d{{4}}-\d\d-\d\dT", told) is not None
