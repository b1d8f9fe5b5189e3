"""The driver's memory and its caution, on a road of its own making: the ports are played by plain objects."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import DataUnreadable, InvalidSpec, MetricsUnavailable, RolledBack
from seaway.monitoring import ArmCounts
from seaway.rollout import Answers, Decision, Policy, Replay, Rollout, RolloutPlan, Step, confirm, run
from seaway.serving import Arm, DeployedEndpoint

POLICY = Policy(latency=None, quality=None, min_requests=20, budget=3_000)


class Road:
    """Traffic, requests and metrics of one endpoint: each request is counted for the arm that the weights give it."""

    def __init__(self, failing: float = 0.0, length: int = 10_000) -> None:
        self.failing, self.length = failing, length
        self.split: dict[str, int] = {"stable": 100, "candidate": 0}
        self.history: list[int] = []
        self.counts = {"stable": [0, 0], "candidate": [0, 0]}
        self.next = 0
        self.interrupt_at: int | None = None

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        self.split = dict(weights)
        self.history.append(weights["candidate"])

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        return self.split

    def send(self, count: int) -> Answers:
        if self.interrupt_at is not None and self.next >= self.interrupt_at:
            raise KeyboardInterrupt
        sent = min(count, self.length - self.next)
        self.next += sent
        candidate = sent * self.split["candidate"] // 100
        for arm, requests in (("stable", sent - candidate), ("candidate", candidate)):
            self.counts[arm][0] += requests
            self.counts[arm][1] += round(requests * self.failing) if arm == "candidate" else 0
        return Answers(sent=sent)

    def position(self) -> Any:
        return self.next

    def resume(self, position: Any) -> None:
        self.next = position

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        return {arm: ArmCounts(*counts, {}) for arm, counts in self.counts.items()}


class Fog(Road):
    """Its metrics are never there."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        raise MetricsUnavailable("the store does not answer")


class Amnesia(Road):
    """Its counters fall."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        return {arm: ArmCounts(self.length - self.next, 0, {}) for arm in self.counts}


class Desert(Road):
    """Nothing that it sends is counted."""

    def send(self, count: int) -> Answers:
        return Answers(sent=count)


@pytest.fixture
def plan(tmp_path: Path) -> RolloutPlan:
    arms = {name: Arm(name, tmp_path, name) for name in ("stable", "candidate")}
    endpoint = DeployedEndpoint("flights", "r1", tmp_path, arms=arms)
    return RolloutPlan(endpoint, (Step(10, 200), Step(50, 400), Step(100, 100)), POLICY)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state.json"


def drive(plan: RolloutPlan, road: Road, state: Path) -> Rollout:
    return run(plan, road, road, road, state)


def test_weights_rise_to_full_traffic_only_for_a_candidate_that_is_safe(plan: RolloutPlan, state: Path) -> None:
    road = Road()
    assert drive(plan, road, state).decision is Decision.PROMOTE
    assert road.history == [10, 50, 100]


@pytest.mark.parametrize(
    ("road", "decision"),
    [
        (Road(failing=0.5), Decision.ROLLBACK),
        (Fog(), Decision.INCONCLUSIVE),
        (Amnesia(), Decision.INCONCLUSIVE),
        (Desert(), Decision.INCONCLUSIVE),
    ],
    ids=["failing", "no metrics", "counters reset", "no traffic"],
)
def test_all_else_ends_on_stable(plan: RolloutPlan, state: Path, road: Road, decision: Decision) -> None:
    rollout = drive(plan, road, state)
    assert (rollout.decision, road.split["candidate"], 100 in road.history) == (decision, 0, False)
    assert rollout.reason
    rollout.write(state.with_name("rollout.json"))
    with pytest.raises(RolledBack, match="stable"):
        confirm(state.with_name("rollout.json"))


def test_running_out_of_requests_is_no_promotion(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, Road(length=240), state)
    assert rollout.decision is Decision.INCONCLUSIVE
    assert "no more requests" in rollout.reason


def test_an_interrupted_rollout_goes_on_where_it_was(plan: RolloutPlan, state: Path) -> None:
    road = Road()
    road.interrupt_at = 320
    with pytest.raises(KeyboardInterrupt):
        drive(plan, road, state)
    assert road.split == {"stable": 100, "candidate": 0}
    before = json.loads(state.read_text())
    road.interrupt_at = None
    rollout = drive(plan, road, state)
    assert rollout.decision is Decision.PROMOTE
    assert list(rollout.ticks[: len(before["ticks"])]) == before["ticks"]
    assert road.history == [10, 50, 0, 50, 100]


def test_an_ended_rollout_is_told_again_without_traffic(plan: RolloutPlan, state: Path) -> None:
    first, road = drive(plan, Road(), state), Road()
    assert drive(plan, road, state).ticks == first.ticks
    assert road.next == 0
    other = replace(plan, requests_per_look=40)
    drive(other, road, state)
    assert road.next > 0


class Gust(Road):
    """Fails at full traffic only; a third of the requests is asked of stable, too."""

    def send(self, count: int) -> Answers:
        self.failing = 0.5 if self.split["candidate"] == 100 else 0.0
        self.counts["stable"][0] += count // 3
        return super().send(count)


def test_harm_that_shows_at_full_traffic_only_is_rolled_back(plan: RolloutPlan, state: Path) -> None:
    road = Gust()
    steps = (*plan.steps[:-1], Step(100, 300))
    rollout = drive(replace(plan, steps=steps), road, state)
    assert rollout.decision is Decision.ROLLBACK
    assert road.history == [10, 50, 100, 0]


def test_a_model_that_is_in_production_is_not_rolled_out_again(plan: RolloutPlan, state: Path) -> None:
    road = Road()
    alone = replace(plan.endpoint, arms={"stable": plan.endpoint.arms["stable"]})
    rollout = drive(replace(plan, endpoint=alone, model="flights version 3"), road, state)
    assert (rollout.decision, road.next, road.history) == (Decision.UNCHANGED, 0, [])
    assert "in production (flights version 3" in rollout.reason
    assert rollout.metrics == {"looks": 0.0, "stable_requests": 0.0, "candidate_requests": 0.0}
    rollout.write(state.with_name("rollout.json"))
    confirm(state.with_name("rollout.json"))


@pytest.mark.parametrize("weights", [(100,), (50, 25, 100), (5, 25)], ids=["at once", "falling", "never full"])
def test_impossible_steps_are_refused(plan: RolloutPlan, weights: tuple[int, ...]) -> None:
    with pytest.raises(InvalidSpec, match="Steps rise"):
        RolloutPlan.of(plan.endpoint, weights, [10] * len(weights), POLICY)


def test_examples_that_cannot_be_replayed_are_refused(plan: RolloutPlan, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match=r"none\.parquet"):
        Replay(tmp_path / "none.parquet", plan.endpoint)
