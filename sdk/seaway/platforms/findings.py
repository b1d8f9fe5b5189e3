"""What a checkup finds, of a machine, a folder or a cluster."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What was found."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One answer; `advice` says what to do, or what would tell."""

    state: State
    what: str
    advice: str = ""
