"""A rollout's memory: written whole after every look, so that a restarted step goes on where the last look ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from typing import Any, Protocol

from seaway.rollout.history import History
from seaway.rollout.judge.autocorrelation import Prior
from seaway.rollout.judge.verdict import Decision
from seaway.rollout.ledger import Ledger
from seaway.rollout.observations import ArmObservation, Observation
from seaway.rollout.plan import RolloutPlan
from seaway.serving import DeployedEndpoint


class RolloutStore(Protocol):
    """Where the journal of an endpoint's rollout is kept between the processes that drive it, and its history."""

    def read(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        """What was written last; None where nothing was."""
        ...

    def write(self, endpoint: DeployedEndpoint, value: Mapping[str, Any]) -> None:
        """Keep plain JSON values, whole or not at all.

        Raises:
            ObjectChanged: another process has written since this one has read or written.
        """
        ...

    def history(self, name: str) -> dict[str, Any] | None:
        """What the rollouts of all endpoints of that name have left; None where there were none."""
        ...

    def remember(self, name: str, change: Callable[[dict[str, Any] | None], Mapping[str, Any]]) -> None:
        """Replace the history by what `change` makes of it, which is asked again where another was quicker."""
        ...


@dataclass
class Journal:
    """What a rollout has seen, stated and decided so far.

    `ticks` are the report's timeline, one for each look; `warrants` are what allowed the weights, the latest last.
    `begun` is in seconds since 1970, `level` what the ledger let it promote by then, and `noise` what was known of each
    criterion's: looks and variance ratio. `levels` are what decides, by criterion and hypothesis: natural logarithms of
    e-values. `back_s` are seconds from the look that decided to all traffic on stable.
    """

    fingerprint: str
    begun: float = 0.0
    level: float = 1.0
    noise: dict[str, list[float]] = field(default_factory=dict)
    levels: dict[str, dict[str, float]] = field(default_factory=dict)
    step: int = 0
    sent: int = 0
    observations: list[Observation] = field(default_factory=list)
    ticks: list[dict[str, Any]] = field(default_factory=list)
    warrants: list[dict[str, Any]] = field(default_factory=list)
    position: Any = None
    decision: Decision | None = None
    reason: str = ""
    back_s: float | None = None

    @classmethod
    def open(cls, kept: Mapping[str, Any] | None, plan: RolloutPlan, history: History, time: float) -> "Journal":
        """The journal that an interrupted rollout of the same plan left, else a new one, begun now.

        One of another edition, whose fields are others, is not gone on with.
        """
        if kept is None or kept.keys() != cls.__dataclass_fields__.keys() or kept["fingerprint"] != plan.fingerprint:
            level = Ledger.of(history.ledger, time).level(plan.policy)
            noise = {name: list(astuple(one)) for name, one in history.noise.items()}
            return cls(plan.fingerprint, time, level, noise)
        decision = Decision(kept["decision"]) if kept["decision"] else None
        observations = from_values(kept["observations"])
        return cls(**{**kept, "decision": decision, "observations": observations})

    @property
    def priors(self) -> dict[str, Prior]:
        """The noise, as the judge takes it."""
        return {name: Prior(*known) for name, known in self.noise.items()}

    @property
    def log_e_safety(self) -> float:
        """The largest that the least of the criteria's evidence for safety has been, a natural logarithm."""
        return max((min(item["log_e_safety"] for item in tick["evidence"]) for tick in self.ticks), default=0.0)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "observations": as_values(self.observations)}


def as_values(observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """Looks as plain JSON values."""
    return [_plain(item) for item in observations]


def from_values(values: Sequence[Mapping[str, Any]]) -> list[Observation]:
    """The looks of plain JSON values. Raises: TypeError, KeyError where they are none."""
    return [_observation(value) for value in values]


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
