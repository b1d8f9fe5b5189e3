"""A rollout's memory: written whole after every look, so that a restarted step goes on where the last look ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from seaway.rollout.judge.verdict import Decision
from seaway.rollout.observations import ArmObservation, Observation
from seaway.rollout.plan import RolloutPlan
from seaway.serving import DeployedEndpoint


class RolloutStore(Protocol):
    """Where the journal of an endpoint's rollout is kept between the processes that drive it."""

    def read(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        """What was written last; None where nothing was."""
        ...

    def write(self, endpoint: DeployedEndpoint, value: Mapping[str, Any]) -> None:
        """Keep plain JSON values, whole or not at all.

        Raises:
            ObjectChanged: another process has written since this one has read or written.
        """
        ...


@dataclass
class Journal:
    """What a rollout has seen and decided so far; `ticks` are the report's timeline, one for each look."""

    fingerprint: str
    step: int = 0
    sent: int = 0
    observations: list[Observation] = field(default_factory=list)
    ticks: list[dict[str, Any]] = field(default_factory=list)
    position: Any = None
    decision: Decision | None = None
    reason: str = ""

    @classmethod
    def open(cls, kept: Mapping[str, Any] | None, plan: RolloutPlan) -> "Journal":
        """The journal that an interrupted rollout of the same plan left, else a new one.

        One of another edition, whose fields are others, is not gone on with.
        """
        if kept is None or kept.keys() != cls.__dataclass_fields__.keys() or kept["fingerprint"] != plan.fingerprint:
            return cls(plan.fingerprint)
        decision = Decision(kept["decision"]) if kept["decision"] else None
        observations = [_observation(item) for item in kept["observations"]]
        return cls(**{**kept, "decision": decision, "observations": observations})

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "observations": [_plain(item) for item in self.observations]}


def _plain(observation: Observation) -> dict[str, Any]:
    arms = {name: _fields(getattr(observation, name)) for name in ("stable", "candidate")}
    return {**_fields(observation), **arms}


def _fields(value: Observation | ArmObservation) -> dict[str, Any]:
    """As `dataclasses.asdict`, which would copy each number."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _observation(value: Mapping[str, Any]) -> Observation:
    arms = {name: ArmObservation(**_frozen(value[name])) for name in ("stable", "candidate")}
    return Observation(**_frozen({**value, **arms}))


def _frozen(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
