"""The ports of a rollout, played by one plain object."""

from collections.abc import Mapping
from typing import Any

from seaway.monitoring import ArmCounts
from seaway.rollout import ALL_STABLE, Answers, Warrant
from seaway.serving import DeployedEndpoint

SHA256 = {"stable": "a" * 64, "candidate": "b" * 64}


class FakeEndpoint:
    """Traffic, requests and metrics of one endpoint: each request is counted for the arm that the weights give it."""

    def __init__(self, failing: float = 0.0, length: int = 10_000) -> None:
        self.failing, self.length = failing, length
        self.split, self.mirrored = dict(ALL_STABLE), 0
        self.history: list[int] = []
        self.counts = {"stable": [0, 0], "candidate": [0, 0]}
        self.next = 0
        self.interrupt_at: int | None = None
        self.allowed = 0

    def present(self, endpoint: DeployedEndpoint, warrant: Warrant) -> None:
        self.allowed = warrant.allows

    def presented(self, endpoint: DeployedEndpoint) -> Warrant | None:
        raise AssertionError("nobody asks what was presented")

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        assert weights["candidate"] <= self.allowed
        self.split, self.mirrored = dict(weights), 0
        self.history.append(weights["candidate"])

    def mirror(self, endpoint: DeployedEndpoint, percent: int) -> None:
        self.set_weights(endpoint, ALL_STABLE)
        self.mirrored = percent

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        return self.split

    def send(self, count: int, control: float = 0.0) -> Answers:
        if self.interrupt_at is not None and self.next >= self.interrupt_at:
            raise KeyboardInterrupt
        sent = min(count, self.length - self.next)
        self.next += sent
        both = int(sent * control)
        candidate = (sent - both) * self.split["candidate"] // 100
        routed = {"stable": sent - both - candidate, "candidate": candidate}
        answered = {arm: both + requests for arm, requests in routed.items()}
        copies = {"stable": 0, "candidate": sent * self.mirrored // 100}
        for arm, requests in answered.items():
            self.counts[arm][0] += requests + copies[arm]
            self.counts[arm][1] += round((requests + copies[arm]) * self.failing) if arm == "candidate" else 0
        return Answers(sent=sent, answered=answered, routed=routed)

    def position(self) -> Any:
        return self.next

    def resume(self, position: Any) -> None:
        self.next = position

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        return {arm: ArmCounts(*counts, {}) for arm, counts in self.counts.items()}
