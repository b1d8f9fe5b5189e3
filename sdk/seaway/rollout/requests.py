"""Where the requests of a rollout come from, and what their answers tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass
class Answers:
    """What came back since the last call, by arm where it is a mapping.

    Latencies of answered requests in seconds; `invalid` counts answers that no client could use although the server
    did not fail (refused input, no legal answer of the task, too late), `failed` those by which it said that it failed;
    losses and paired differences of the requests whose labels have arrived. `answered` counts answers of any status.
    Requests without an answer (time-out, cut connection) are `lost` by the arm that they were meant for, or
    `unattributed` where nobody knows which arm had them.
    `routed` are the requests whose arm the weights chose; empty where a source cannot tell.
    """

    latencies_s: Mapping[str, list[float]] = field(default_factory=lambda: {"stable": [], "candidate": []})
    invalid: dict[str, int] = field(default_factory=lambda: {"stable": 0, "candidate": 0})
    answered: dict[str, int] = field(default_factory=lambda: {"stable": 0, "candidate": 0})
    failed: dict[str, int] = field(default_factory=lambda: {"stable": 0, "candidate": 0})
    lost: dict[str, int] = field(default_factory=lambda: {"stable": 0, "candidate": 0})
    routed: dict[str, int] = field(default_factory=dict)
    unattributed: int = 0
    losses: Mapping[str, list[float]] = field(default_factory=lambda: {"stable": [], "candidate": []})
    differences: list[float] = field(default_factory=list)
    sent: int = 0

    def include(self, others: "Answers") -> None:
        """Add what the proxy has to have counted of other answers."""
        for mine, theirs in ((self.answered, others.answered), (self.failed, others.failed)):
            for arm, count in theirs.items():
                mine[arm] += count


class Requests(Protocol):
    """Traffic that a rollout watches: replayed, mirrored, or what users send anyway."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        """Send up to `count` requests, return once all are answered or given up; `sent` is 0 when there are no more.

        At least the share `control` of them is asked of both arms, where the source can name an arm.
        """
        ...

    def position(self) -> Any:
        """Plain JSON values from which `resume` goes on."""
        ...

    def resume(self, position: Any) -> None:
        """Go on where `position` was taken."""
        ...
