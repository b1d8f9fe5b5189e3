"""What a signed statement allows of an endpoint's traffic."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Warrant:
    """Up to `allows` per cent for the package `candidate` (SHA-256) in the run `run`, as the DSSE envelope states."""

    envelope: str
    run: str
    candidate: str
    allows: int
