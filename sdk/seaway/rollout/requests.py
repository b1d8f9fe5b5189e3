"""Where the requests of a rollout come from, and what their answers tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass
class Answers:
    """What came back since the last call, by arm where it is a mapping.

    Latencies of answered requests in seconds; `invalid` counts answers that no client could use although the server
    did not fail (refused input, no finite probability); losses and paired differences of the requests whose labels
    have arrived.
    """

    latencies_s: Mapping[str, list[float]] = field(default_factory=lambda: {"stable": [], "candidate": []})
    invalid: dict[str, int] = field(default_factory=lambda: {"stable": 0, "candidate": 0})
    losses: Mapping[str, list[float]] = field(default_factory=lambda: {"stable": [], "candidate": []})
    differences: list[float] = field(default_factory=list)
    sent: int = 0


class Requests(Protocol):
    """Traffic that a rollout watches: replayed, mirrored, or what users send anyway."""

    def send(self, count: int) -> Answers:
        """Send up to `count` requests and return once all are answered; `sent` is 0 when there are no more."""
        ...

    def position(self) -> Any:
        """Plain JSON values from which `resume` goes on."""
        ...

    def resume(self, position: Any) -> None:
        """Go on where `position` was taken."""
        ...
