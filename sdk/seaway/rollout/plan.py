"""What a rollout does, step by step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from seaway.errors import InvalidSpec
from seaway.rollout.policy import MAX_RESTARTS, Policy
from seaway.serving import DeployedEndpoint

FULL = 100  # percent
POLICY_ALONE = "nobody beside the policy"


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


STEPS = (Step(5, 400), Step(25, 600), Step(50, 1_000), Step(100, 800))


@dataclass(frozen=True)
class RolloutPlan:
    """Steps of an endpoint's rollout. Full traffic only comes after the judge's word, as the last step.

    The judge looks after every `requests_per_look` requests, and at least `confirming_looks` times at full traffic
    before the candidate is promoted. `model` names the candidate in the registry, `approver` who answers for the
    rollout in its signed statements.
    """

    endpoint: DeployedEndpoint
    steps: tuple[Step, ...] = STEPS
    policy: Policy = field(default_factory=Policy)
    requests_per_look: int = 80
    confirming_looks: int = 10
    model: str = ""
    approver: str = POLICY_ALONE

    def __post_init__(self) -> None:
        _require_rising(self.steps)
        if self.requests_per_look < 1 or self.confirming_looks < 1:
            raise InvalidSpec(
                f"requests_per_look is {self.requests_per_look} and confirming_looks {self.confirming_looks}; "
                "both must be at least 1."
            )

    @classmethod
    def of(
        cls,
        endpoint: DeployedEndpoint,
        weights: Sequence[int],
        requests: Sequence[int],
        policy: Policy,
        model: str = "",
        approver: str = "",
    ) -> "RolloutPlan":
        """A plan from each step's weight and number of requests. Raises: InvalidSpec: see `steps_of`."""
        return cls(endpoint, steps_of(weights, requests), policy, model=model, approver=approver or POLICY_ALONE)

    @property
    def judged_by(self) -> Policy:
        """The policy, with as many restarts of the evidence as the weights change."""
        return replace(self.policy, restarts=min(len(self.steps) - 1, MAX_RESTARTS))

    @property
    def fingerprint(self) -> str:
        """Changes with anything that a continued rollout must share with its beginning."""
        arms = {name: arm.version for name, arm in sorted(self.endpoint.arms.items())}
        looks = self.requests_per_look, self.confirming_looks
        facts = (self.endpoint.name, self.endpoint.run, arms, self.steps, self.policy, looks)
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def steps_of(weights: Sequence[int], requests: Sequence[int]) -> tuple[Step, ...]:
    """The steps of each one's weight and number of requests.

    Raises:
        InvalidSpec: they differ in length, are no whole numbers, or do not rise to 100 %.
    """
    if len(weights) != len(requests):
        raise InvalidSpec(
            f"Give each weight its number of requests: {list(weights)} and {list(requests)} differ in length."
        )
    try:
        numbers = [(int(weight), int(count)) for weight, count in zip(weights, requests, strict=True)]
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"Weights and requests are whole numbers; got {weights} and {requests}.") from error
    steps = tuple(Step(*one) for one in numbers)
    _require_rising(steps)
    return steps


def _require_rising(steps: Sequence[Step]) -> None:
    weights = [step.weight for step in steps]
    if len(weights) < 2 or weights != sorted(set(weights)) or weights[-1] != FULL:  # noqa: PLR2004
        raise InvalidSpec(
            f"Steps rise to 100 % over at least one smaller weight, such as 5, 25, 50, 100; got {weights}."
        )
