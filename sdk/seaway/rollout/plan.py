"""What a rollout does, step by step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from seaway.errors import InvalidSpec
from seaway.rollout.policy import Policy
from seaway.serving import DeployedEndpoint

FULL = 100  # percent


@dataclass(frozen=True)
class Step:
    """The candidate's share of the traffic in percent, and the requests sent before the next step.

    A weight of 0 is shadow mode: stable answers all, and the candidate gets a copy of each request.
    """

    weight: int
    requests: int

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= FULL or self.requests < 1:
            raise InvalidSpec(f"A step needs a weight of 0 to 100 and at least one request; got {self}.")


STEPS = (Step(5, 400), Step(25, 600), Step(50, 1_000), Step(100, 200))


@dataclass(frozen=True)
class RolloutPlan:
    """Steps of an endpoint's rollout. Full traffic only comes after the judge's word, as the last step.

    The judge looks after every `requests_per_look` requests. `model` names the candidate in the registry.
    """

    endpoint: DeployedEndpoint
    steps: tuple[Step, ...] = STEPS
    policy: Policy = field(default_factory=Policy)
    requests_per_look: int = 80
    model: str = ""

    def __post_init__(self) -> None:
        weights = [step.weight for step in self.steps]
        if len(weights) < 2 or weights != sorted(set(weights)) or weights[-1] != FULL:  # noqa: PLR2004
            raise InvalidSpec(
                f"Steps rise to 100 % over at least one smaller weight, such as 5, 25, 50, 100; got {weights}."
            )
        if self.requests_per_look < 1:
            raise InvalidSpec(f"requests_per_look is {self.requests_per_look}; it must be at least 1.")

    @classmethod
    def of(
        cls,
        endpoint: DeployedEndpoint,
        weights: Sequence[int],
        requests: Sequence[int],
        policy: Policy,
        model: str = "",
    ) -> "RolloutPlan":
        """A plan from each step's weight and number of requests. Raises: InvalidSpec where they differ in length."""
        if len(weights) != len(requests):
            raise InvalidSpec(
                f"Give each weight its number of requests: {list(weights)} and {list(requests)} differ in length."
            )
        return cls(endpoint, tuple(map(Step, map(int, weights), map(int, requests))), policy, model=model)

    @property
    def fingerprint(self) -> str:
        """Changes with anything that a continued rollout must share with its beginning."""
        arms = {name: arm.version for name, arm in sorted(self.endpoint.arms.items())}
        facts = (self.endpoint.name, self.endpoint.run, arms, self.steps, self.policy, self.requests_per_look)
        return hashlib.sha256(repr(facts).encode()).hexdigest()
