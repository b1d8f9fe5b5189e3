"""The driver's memory and its caution, on a road of its own making: the ports are played by plain objects."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import http_server
import pandas as pd
import pytest
from fake_rollout import SHA256, FakeEndpoint
from seaway.errors import (
    DataUnreadable,
    EndpointFailed,
    InvalidSpec,
    MetricsUnavailable,
    ObjectChanged,
    ProductionChanged,
    RolledBack,
    TrafficFailed,
)
from seaway.models import signing_keys
from seaway.monitoring import ArmCounts
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.rollout import (
    ALL_STABLE,
    Answers,
    Decision,
    Notary,
    Policy,
    Replay,
    Rollout,
    RolloutPlan,
    Step,
    Yardstick,
    conclude,
    confirm,
    run,
)
from seaway.rollout.history import History, PastRollout, Usual
from seaway.rollout.ledger import Ledger
from seaway.rollout.state import Journal
from seaway.serving import Arm, DeployedEndpoint, find_deployed

POLICY = Policy(latency=None, quality=None, min_requests=20, budget=6_000)
NONE = {"year": datetime.now(UTC).year, "releases": 0, "promoted": 0, "unproved": 0, "spent": 0.0}
HASTY = replace(POLICY, max_age_s=0.01)


class NoMetrics(FakeEndpoint):
    """Its metrics are never there."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        raise MetricsUnavailable("the store does not answer")


class FallingCounters(FakeEndpoint):
    """Its counters fall."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        return {arm: ArmCounts(self.length - self.next, 0, {}) for arm in self.counts}


class NothingCounted(FakeEndpoint):
    """Nothing that it sends is counted."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        return Answers(sent=count)


class StableOnly(FakeEndpoint):
    """Whatever the weights say, stable gets every request."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        wanted, self.split = self.split, {"stable": 100, "candidate": 0}
        answers = super().send(count, control)
        self.split = wanted
        return answers


class AnotherArm(FakeEndpoint):
    """Its metrics speak of another arm than was asked for."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        seen = super().read(endpoint)
        return {"stable": seen["stable"], "canary": seen["candidate"]}


class LostRequests(FakeEndpoint):
    """One in eight of the candidate's requests is never answered, nor counted."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        answers = super().send(count, control)
        lost = answers.answered["candidate"] // 8
        answers.answered["candidate"] -= lost
        answers.lost["candidate"] += lost
        self.counts["candidate"][0] -= lost
        return answers


class UnknownArm(FakeEndpoint):
    """Every second time some requests get no answer, and nobody knows whose they were."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        answers = super().send(count, control)
        answers.unattributed = 3 * (self.next // count % 2)
        return answers


class FrozenCounters(FakeEndpoint):
    """Its counters stand still once the candidate has been seen for a while."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        seen = super().read(endpoint)
        return seen if self.next < 300 else self.last

    def send(self, count: int, control: float = 0.0) -> Answers:
        self.last = super().read(None) if self.next < 300 else self.last  # type: ignore[arg-type]
        return super().send(count, control)


class HalfCounted(FakeEndpoint):
    """It counts half of what the candidate answers."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        seen = super().read(endpoint)
        return {**seen, "candidate": ArmCounts(seen["candidate"].requests // 2, 0, {})}


class LateCounters(FakeEndpoint):
    """It counts each look's requests only when it is read for the second time."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: Mapping[str, ArmCounts] = super().read(None)  # type: ignore[arg-type]

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        before, self.heard = self.heard, super().read(endpoint)
        return before


class UncountedAtFullTraffic(FakeEndpoint):
    """It counts nothing once the candidate has all traffic."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        if self.split["candidate"] == 100:
            raise MetricsUnavailable("the store does not answer")
        return super().read(endpoint)


class ChangedWeights(FakeEndpoint):
    """Somebody else moves its traffic half-way."""

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        return self.split if self.next < 240 else {"stable": 50, "candidate": 50}


class SlowWayBack(FakeEndpoint):
    """Its traffic takes a while to be on stable."""

    TAKES_S = 0.05

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        if weights == ALL_STABLE:
            time.sleep(self.TAKES_S)
        super().set_weights(endpoint, weights)


class NoWeights(FakeEndpoint):
    """It does not tell its weights."""

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        raise TrafficFailed("nothing answers")


class Contested(FileRolloutStore):
    """Another process has written before the second look is kept."""

    written = 0

    def write(self, endpoint: DeployedEndpoint, value: Mapping[str, Any]) -> None:
        self.written += 1
        if self.written > 1:
            raise ObjectChanged("another process drives this rollout")
        super().write(endpoint, value)


@pytest.fixture
def plan(tmp_path: Path) -> RolloutPlan:
    arms = {arm: Arm(arm, str(tmp_path / arm), arm, sha256) for arm, sha256 in SHA256.items()}
    endpoint = DeployedEndpoint("flights", "r1", tmp_path, arms=arms)
    return RolloutPlan(endpoint, (Step(10, 200), Step(50, 400), Step(100, 100)), POLICY)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state.json"


def drive(plan: RolloutPlan, served: FakeEndpoint, state: Path) -> Rollout:
    return run(plan, served, served, served, FileRolloutStore(state), notary(plan, state))


def notary(plan: RolloutPlan, state: Path) -> Notary:
    return Notary.beside(plan.endpoint, signing_keys(state.parent / "keys").private)


def test_weights_rise_to_full_traffic_only_for_a_candidate_that_is_safe(plan: RolloutPlan, state: Path) -> None:
    served = FakeEndpoint()
    assert drive(plan, served, state).decision is Decision.PROMOTE
    assert served.history == [10, 50, 100]


@pytest.mark.parametrize(
    ("served", "decision"),
    [
        (FakeEndpoint(failing=0.5), Decision.ROLLBACK),
        (NoMetrics(), Decision.INCONCLUSIVE),
        (FallingCounters(), Decision.INCONCLUSIVE),
        (NothingCounted(), Decision.INCONCLUSIVE),
        (StableOnly(), Decision.INCONCLUSIVE),
        (AnotherArm(), Decision.INCONCLUSIVE),
    ],
    ids=["failing", "no metrics", "counters reset", "no traffic", "none for the candidate", "wrong answer"],
)
def test_all_else_ends_on_stable(plan: RolloutPlan, state: Path, served: FakeEndpoint, decision: Decision) -> None:
    rollout = drive(plan, served, state)
    assert (rollout.decision, served.split["candidate"], 100 in served.history) == (decision, 0, False)
    assert rollout.reason
    rollout.write(state.with_name("rollout.json"))
    with pytest.raises(RolledBack, match="stable"):
        confirm(state.with_name("rollout.json"))


def test_a_rollback_tells_how_long_the_way_back_took_and_a_promotion_tells_nothing(
    plan: RolloutPlan, state: Path
) -> None:
    back, good = drive(plan, SlowWayBack(failing=0.5), state), drive(plan, FakeEndpoint(), state.with_name("good.json"))
    assert back.back_s is not None
    assert back.metrics["seconds_to_stable"] == back.back_s >= SlowWayBack.TAKES_S
    assert good.back_s is None
    assert "seconds_to_stable" not in good.metrics


def test_a_shadow_is_judged_before_anybody_is_answered_by_it(plan: RolloutPlan, state: Path) -> None:
    shadowed = replace(plan, steps=(Step(0, 200), *plan.steps))
    good, bad = FakeEndpoint(), FakeEndpoint(failing=0.5)
    assert drive(shadowed, good, state).decision is Decision.PROMOTE
    assert good.history == [0, 10, 50, 100]
    rollout = drive(shadowed, bad, state.with_name("bad.json"))
    assert (rollout.decision, set(bad.history), bad.mirrored) == (Decision.ROLLBACK, {0}, 0)


def test_requests_that_are_never_answered_are_errors_of_their_arm(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, LostRequests(), state)
    assert rollout.decision is Decision.ROLLBACK
    assert "Errors" in rollout.reason
    assert sum(tick["errors"]["candidate"] for tick in rollout.ticks) > 0


@pytest.mark.parametrize(
    ("served", "reason"),
    [(UnknownArm(), "which arm had them is unknown"), (FrozenCounters(), "stale"), (HalfCounted(), "stale")],
    ids=["unknown arm", "frozen counters", "counters that miss half"],
)
def test_requests_that_were_not_accounted_for_never_promote(
    plan: RolloutPlan, state: Path, served: FakeEndpoint, reason: str
) -> None:
    rollout = drive(replace(plan, policy=HASTY), served, state)
    assert (rollout.decision, served.split["candidate"], 100 in served.history) == (Decision.INCONCLUSIVE, 0, False)
    assert reason in rollout.reason


def test_counters_that_catch_up_blind_no_look(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, LateCounters(), state)
    assert rollout.decision is Decision.PROMOTE
    assert [tick["unseen"] for tick in rollout.ticks if tick["unseen"]] == []


def test_traffic_that_somebody_else_moves_ends_the_rollout(plan: RolloutPlan, state: Path) -> None:
    served = ChangedWeights()
    with pytest.raises(TrafficFailed, match="Somebody else has changed the weights"):
        drive(plan, served, state)
    assert served.split["candidate"] == 0


def test_weights_that_cannot_be_read_prove_nothing(plan: RolloutPlan, state: Path) -> None:
    assert drive(plan, NoWeights(), state).decision is Decision.PROMOTE


def test_a_rollout_that_another_process_drives_leaves_the_weights_to_it(plan: RolloutPlan, state: Path) -> None:
    served = FakeEndpoint()
    with pytest.raises(ObjectChanged):
        run(plan, served, served, served, Contested(state), notary(plan, state))
    assert served.history == [10]


def test_running_out_of_requests_is_no_promotion(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, FakeEndpoint(length=240), state)
    assert rollout.decision is Decision.INCONCLUSIVE
    assert "no more requests" in rollout.reason
    assert "saw nothing" not in rollout.reason
    assert not [tick for tick in rollout.ticks if not sum(tick["requests"].values())]


def test_an_interrupted_rollout_goes_on_where_it_was(plan: RolloutPlan, state: Path) -> None:
    served = FakeEndpoint()
    served.interrupt_at = 320
    with pytest.raises(KeyboardInterrupt):
        drive(plan, served, state)
    assert served.split == {"stable": 100, "candidate": 0}
    before = json.loads(state.read_text())
    served.interrupt_at = None
    rollout = drive(plan, served, state)
    assert rollout.decision is Decision.PROMOTE
    assert list(rollout.ticks[: len(before["ticks"])]) == before["ticks"]
    assert served.history == [10, 50, 0, 50, 100]


def test_a_journal_of_another_edition_is_not_gone_on_with(plan: RolloutPlan, state: Path) -> None:
    drive(plan, FakeEndpoint(), state)
    kept = json.loads(state.read_text())
    state.write_text(json.dumps({**{key: kept[key] for key in kept if key != "observations"}, "looks": []}))
    served = FakeEndpoint()
    drive(plan, served, state)
    assert served.next > 0


def test_an_ended_rollout_is_told_again_without_traffic(plan: RolloutPlan, state: Path) -> None:
    first, served = drive(plan, FakeEndpoint(), state), FakeEndpoint()
    assert drive(plan, served, state).ticks == first.ticks
    assert served.next == 0
    other = replace(plan, requests_per_look=40)
    drive(other, served, state)
    assert served.next > 0


class HarmAtFullTraffic(FakeEndpoint):
    """Fails at full traffic only."""

    at_full = 0.5

    def send(self, count: int, control: float = 0.0) -> Answers:
        self.failing = self.at_full if self.split["candidate"] == 100 else 0.0
        return super().send(count, control)


def test_harm_that_shows_at_full_traffic_only_is_rolled_back(plan: RolloutPlan, state: Path) -> None:
    served = HarmAtFullTraffic()
    steps = (*plan.steps[:-1], Step(100, 300))
    rollout = drive(replace(plan, steps=steps), served, state)
    assert rollout.decision is Decision.ROLLBACK
    assert served.history == [10, 50, 100, 0]


class DeafAtFullTraffic(HarmAtFullTraffic):
    """Its route does not heed which arm is asked for: at full traffic nothing is asked of stable."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        return super().send(count)


@pytest.mark.parametrize("served", [HarmAtFullTraffic(), DeafAtFullTraffic()], ids=["control", "no control"])
@pytest.mark.parametrize("failing", [0.1, 1.0])
def test_a_last_step_is_compared_although_no_request_is_shadowed(
    plan: RolloutPlan, state: Path, served: HarmAtFullTraffic, failing: float
) -> None:
    served.__init__()  # type: ignore[misc]
    served.at_full = failing
    rollout = drive(plan, served, state)
    assert (rollout.decision, served.split) == (Decision.ROLLBACK, ALL_STABLE)
    assert len([tick for tick in rollout.ticks if tick["weights"]["candidate"] == 100]) <= plan.confirming_looks


def test_full_traffic_is_looked_at_ten_times(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, FakeEndpoint(), state)
    assert [tick["weights"]["candidate"] for tick in rollout.ticks].count(100) == 10


class Restarting(FakeEndpoint):
    """Its counters start anew every few looks; a part of the candidate's answers is an error that the client sees."""

    def __init__(self, broken: float = 0.0, every: int = 3) -> None:
        super().__init__()
        self.broken, self.every = broken, every

    def send(self, count: int, control: float = 0.0) -> Answers:
        if self.next // count % self.every == self.every - 1:
            self.counts = {"stable": [0, 0], "candidate": [0, 0]}
        answers = super().send(count, control)
        failed = round(answers.answered["candidate"] * self.broken)
        answers.failed["candidate"] += failed
        self.counts["candidate"][1] += failed
        return answers


def test_counters_that_start_anew_again_and_again_end_a_rollout(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, Restarting(), state)
    assert rollout.decision is Decision.INCONCLUSIVE
    assert "saw nothing" in rollout.reason


def test_errors_that_the_client_saw_count_although_the_counters_are_gone(plan: RolloutPlan, state: Path) -> None:
    patient = replace(plan, policy=replace(plan.policy, max_age_s=0.5))
    rollout = drive(patient, Restarting(broken=0.75, every=1), state)
    assert rollout.decision is Decision.ROLLBACK
    assert "errors" in rollout.reason.lower()


class Flickering(FakeEndpoint):
    """Its metrics cannot be had at every second look; one in four of the candidate's requests fails."""

    def send(self, count: int, control: float = 0.0) -> Answers:
        before = self.counts["candidate"][1]
        answers = super().send(count, control)
        answers.failed["candidate"] = self.counts["candidate"][1] - before
        return answers

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        if self.next // 80 % 2:
            raise MetricsUnavailable("the store does not answer")
        return super().read(endpoint)


def test_what_a_blind_look_told_is_not_counted_twice(plan: RolloutPlan, state: Path) -> None:
    served = Flickering(failing=0.25)
    rollout = drive(replace(plan, policy=replace(POLICY, max_missing=100, max_blind=100)), served, state)
    assert rollout.decision is Decision.ROLLBACK
    seen = len(rollout.ticks) // 2 * 2
    asked = sum(tick["requests"]["candidate"] for tick in rollout.ticks[:seen])
    failed = sum(tick["errors"]["candidate"] for tick in rollout.ticks[:seen])
    assert (asked, failed) == (8 * seen, 2 * seen)


def test_full_traffic_waits_for_the_judges_word(plan: RolloutPlan, state: Path) -> None:
    """A step's requests are the least that it gets; the judge may want more."""
    rollout = drive(replace(plan, steps=(Step(10, 80), Step(100, 100))), FakeEndpoint(), state)
    assert rollout.promoted
    before = [tick for tick in rollout.ticks if tick["weights"]["candidate"] == 10]
    assert len(before) > 1
    assert [tick["decision"] for tick in before] == [*[Decision.CONTINUE] * (len(before) - 1), Decision.PROMOTE]


def test_stable_is_asked_in_every_look_of_full_traffic(plan: RolloutPlan, state: Path) -> None:
    """What it did before says nothing of now, so its answers of before may not stand in for it."""
    rollout = drive(plan, FakeEndpoint(), state)
    full = [tick["requests"] for tick in rollout.ticks if tick["weights"]["candidate"] == 100]
    assert full
    assert all(0 < tick["stable"] < tick["candidate"] for tick in full)


def test_a_last_step_that_nobody_saw_confirms_nothing(plan: RolloutPlan, state: Path) -> None:
    served = UncountedAtFullTraffic()
    rollout = drive(plan, served, state)
    assert max(served.history) == 100
    assert (rollout.decision, served.split) == (Decision.INCONCLUSIVE, ALL_STABLE)


def test_a_rollout_of_another_plan_begins_anew(plan: RolloutPlan) -> None:
    kept = json.loads(json.dumps(Journal(plan.fingerprint, step=1, sent=80, decision=Decision.ROLLBACK).to_json()))
    assert Journal.open(kept, plan, History(), 0.0).step == 1
    for other in (
        replace(plan, policy=HASTY),
        replace(plan, steps=plan.steps[1:]),
        replace(plan, requests_per_look=40),
        replace(plan, endpoint=replace(plan.endpoint, run="r2")),
    ):
        assert Journal.open(kept, other, History(), 7.0).step == 0
        assert Journal.open(kept, other, History(), 7.0).fingerprint == other.fingerprint


def test_a_rollout_leaves_what_the_next_one_of_that_endpoint_begins_with(plan: RolloutPlan, state: Path) -> None:
    first = drive(plan, FakeEndpoint(), state)
    again = drive(plan, FakeEndpoint(), state)
    assert again.known["ledger"] == first.known["ledger"] == {**NONE, "releases": 1, "promoted": 1}
    assert first.known["noise"] == {}
    later = replace(plan, endpoint=replace(plan.endpoint, run="r2"))
    second = drive(later, FakeEndpoint(), state.with_name("later.json"))
    assert second.known["ledger"]["promoted"] == 2
    assert second.known["noise"]["errors"] == [len(first.ticks), 1.0]
    assert first.known["level"] < second.known["level"] == plan.policy.false_promotion
    history = History.of(FileRolloutStore(state).history("flights"))
    assert [one.decision for one in history.rollouts] == ["PROMOTE", "PROMOTE"]
    assert history.usual.error_rate == 0.0


def test_a_ledger_that_has_little_left_asks_for_more_evidence(plan: RolloutPlan, state: Path) -> None:
    used = Ledger(NONE["year"], releases=30, unproved=30, spent=0.0999)
    FileRolloutStore(state).remember("flights", lambda kept: History(ledger=used.to_json()).to_json())
    strict = drive(plan, FakeEndpoint(), state)
    usual = drive(
        replace(plan, endpoint=replace(plan.endpoint, name="other")), FakeEndpoint(), state.with_name("o.json")
    )
    assert (strict.decision, usual.decision) == (Decision.PROMOTE, Decision.PROMOTE)
    assert strict.known["level"] < 1e-5
    assert len(strict.ticks) > len(usual.ticks) + 5


def test_a_rollout_that_began_with_noise_goes_on_with_it(plan: RolloutPlan, state: Path) -> None:
    """On an endpoint whose arms have differed before, it takes longer to be sure that one is worse."""
    noisy = PastRollout("r0", 0.0, "PROMOTE", {"errors": (6.0, -6.0) * 100}, Usual())
    FileRolloutStore(state).remember("flights", lambda kept: History((noisy,)).to_json())
    served = FakeEndpoint(failing=0.1)
    served.interrupt_at = 1_000
    with pytest.raises(KeyboardInterrupt):
        drive(plan, served, state)
    FileRolloutStore(state).remember("flights", lambda kept: History().to_json())
    served.interrupt_at = None
    told = drive(plan, served, state)
    assert told.known["noise"]["errors"] == [199, pytest.approx(47.1, rel=0.01)]  # 36, and three standard errors
    quiet = drive(replace(plan, endpoint=replace(plan.endpoint, run="r2")), FakeEndpoint(failing=0.1), state)
    assert (told.decision, quiet.decision) == (Decision.ROLLBACK, Decision.ROLLBACK)
    assert len(told.ticks) > 2 * len(quiet.ticks)


def test_a_model_that_is_in_production_is_not_rolled_out_again(plan: RolloutPlan, state: Path) -> None:
    served = FakeEndpoint()
    alone = replace(plan.endpoint, arms={"stable": plan.endpoint.arms["stable"]})
    rollout = drive(replace(plan, endpoint=alone, model="flights version 3"), served, state)
    assert (rollout.decision, served.next, served.history) == (Decision.UNCHANGED, 0, [])
    assert "in production (flights version 3" in rollout.reason
    assert rollout.metrics == {"looks": 0.0, "stable_requests": 0.0, "candidate_requests": 0.0}
    rollout.write(state.with_name("rollout.json"))
    confirm(state.with_name("rollout.json"))


@pytest.mark.parametrize("weights", [(100,), (50, 25, 100), (5, 25)], ids=["at once", "falling", "never full"])
def test_impossible_steps_are_refused(plan: RolloutPlan, weights: tuple[int, ...]) -> None:
    with pytest.raises(InvalidSpec, match="Steps rise"):
        RolloutPlan.of(plan.endpoint, weights, [10] * len(weights), POLICY)


@pytest.mark.parametrize("shadow", [0.0, 1.0])
def test_an_answer_that_tells_its_version_is_its_arms_whatever_was_asked(plan: RolloutPlan, shadow: float) -> None:
    with serving(NamelessServer) as url:
        answers = replayed(plan, url, 8, shadow)
    asked = 16 if shadow else 8
    assert answers.answered == {"stable": asked * 3 // 4, "candidate": asked // 4}
    assert answers.unattributed == 0


def test_examples_that_cannot_be_replayed_are_refused(plan: RolloutPlan, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match=r"none\.parquet"):
        Replay(tmp_path / "none.parquet", plan.endpoint)


class Registry:
    """A registry and an endpoint in one: the content in production, and what was done to version and arms."""

    def __init__(self, endpoint: DeployedEndpoint, content: str) -> None:
        self.endpoint, self.content = endpoint, content
        self.done: list[str] = []
        self.stated: list[str] = []

    def log_evidence(self, name: str, version: str, evidence: Path) -> None:
        self.stated += sorted(file.name for file in evidence.iterdir())

    def list(self) -> list[DeployedEndpoint]:
        return [self.endpoint]

    def with_token(self, endpoint: DeployedEndpoint) -> DeployedEndpoint:
        return endpoint

    def promote(self, name: str, version: str, over: str | None = None) -> None:
        if over is not None and self.content and not self.content.startswith(over):
            raise ProductionChanged("flights version 2 is in production.")
        self.done.append(f"promote {version}")

    def production(self, name: str) -> str | None:
        return self.content or None

    def roll_back(self, name: str, run: str) -> None:
        self.done.append(f"roll back {run}")


@pytest.mark.parametrize(
    ("in_production", "decision", "done"),
    [
        ("abc", Decision.PROMOTE, ["promote 3", "promote r1"]),
        ("def", Decision.ROLLBACK, ["roll back r1"]),
    ],
    ids=["the judged one", "another run's"],
)
def test_a_candidate_replaces_only_the_model_that_it_was_judged_against(
    plan: RolloutPlan, state: Path, in_production: str, decision: Decision, done: list[str]
) -> None:
    arms = {**plan.endpoint.arms, "stable": Arm("abc", "/judged", "stable", SHA256["stable"])}
    endpoint = replace(plan.endpoint, arms=arms)
    rollout = drive(replace(plan, endpoint=endpoint), FakeEndpoint(), state)
    registry = Registry(endpoint, in_production)
    ended = conclude(rollout, registry, registry, "flights", "3")  # type: ignore[arg-type]
    assert (ended.decision, registry.done) == (decision, done)
    assert ("came into production during this rollout" in ended.reason) == (decision is Decision.ROLLBACK)


@pytest.mark.parametrize(
    ("in_production", "decision", "done"),
    [("", Decision.PROMOTE, ["promote 3"]), ("stable", Decision.UNCHANGED, [])],
    ids=["none", "this one"],
)
def test_a_model_that_serves_alone_is_the_first_in_production_where_there_is_none(
    plan: RolloutPlan, state: Path, in_production: str, decision: Decision, done: list[str]
) -> None:
    alone = replace(plan.endpoint, arms={"stable": plan.endpoint.arms["stable"]})
    served, registry = FakeEndpoint(), Registry(alone, in_production)
    rollout = drive(replace(plan, endpoint=alone), served, state)
    ended = conclude(rollout, registry, registry, "flights", "3")  # type: ignore[arg-type]
    assert (ended.decision, registry.done, served.next) == (decision, done, 0)
    assert (
        ("version 3 is the first" in ended.reason)
        == (ended.summary == "promoted: the first in production")
        == (decision is Decision.PROMOTE)
    )
    ended.write(state.with_name("rollout.json"))
    confirm(state.with_name("rollout.json"))


def test_a_conclusion_that_was_cut_short_is_finished(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, FakeEndpoint(), state)
    left = replace(plan.endpoint, arms={"stable": plan.endpoint.arms["candidate"]})
    registry = Registry(left, rollout.endpoint.arms["stable"].version)
    again = replace(plan, endpoint=find_deployed(registry, plan.endpoint))  # type: ignore[arg-type]
    told = drive(again, FakeEndpoint(), state)
    conclude(told, registry, registry, "flights", "3")  # type: ignore[arg-type]
    assert (told.decision, registry.done) == (Decision.PROMOTE, ["promote 3", "promote r1"])


def test_the_registry_is_told_nothing_of_a_candidate_that_was_ended(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, FakeEndpoint(), state)
    left = replace(plan.endpoint, arms={"stable": plan.endpoint.arms["stable"]})
    registry = Registry(left, rollout.endpoint.arms["stable"].version)
    with pytest.raises(EndpointFailed, match="no more: it was ended"):
        conclude(rollout, registry, registry, "flights", "3")  # type: ignore[arg-type]
    assert registry.done == []


def test_the_registry_is_told_nothing_of_a_candidate_whose_endpoint_is_gone(plan: RolloutPlan, state: Path) -> None:
    rollout = drive(plan, FakeEndpoint(), state)
    registry = Registry(replace(plan.endpoint, run="another"), rollout.endpoint.arms["stable"].version)
    with pytest.raises(EndpointFailed, match="it was removed"):
        conclude(rollout, registry, registry, "flights", "3")  # type: ignore[arg-type]
    assert registry.done == []


class MoodyServer(BaseHTTPRequestHandler):
    """A model whose candidate answers late at first, then not in time, then cuts the connection; stable answers."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        self._say({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1]}]}, "")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        arm = self.headers.get("x-seaway-arm", "")
        if arm != "stable":
            type(self).asked += 1
            if self.asked == 3:
                self.close_connection = True
                return
            time.sleep({1: 0.6, 2: 3.0}.get(self.asked, 0.0))
        output = {"name": "p", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}
        self._say({"outputs": [output]}, arm or "candidate")

    def _say(self, value: object, arm: str) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.send_header("x-seaway-arm", arm)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


class NamelessServer(MoodyServer):
    """Behind somebody else's route: answers tell a model's version and no arm, and the arm asked for is not heeded."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).asked += 1
        version = "candidate" if self.asked % 4 == 0 else "stable"
        self._say({"outputs": [{"name": "p", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}]}, version)

    def send_header(self, keyword: str, value: str) -> None:
        super().send_header("x-seaway-version" if keyword == "x-seaway-arm" else keyword, value)


@contextmanager
def serving(model: type[MoodyServer]) -> Iterator[str]:
    model.asked = 0
    with http_server.serving(model) as server:
        yield http_server.url(server)


@pytest.fixture
def moody() -> Iterator[str]:
    with serving(MoodyServer) as url:
        yield url


def replayed(plan: RolloutPlan, url: str, rows: int, shadow: float) -> Answers:
    """What comes back of rows that all have the same input and a label that is known at once."""
    now, file = pd.Timestamp("2013-12-01", tz="UTC"), plan.endpoint.folder / "replay.parquet"
    pd.DataFrame({"event_timestamp": now, "label_timestamp": now, "late": 1, "x": [1.0] * rows}).to_parquet(file)
    endpoint = replace(plan.endpoint, url=url)
    endpoint.token_file.write_text("token")
    yardstick = Yardstick.of({}, "late", "binary")
    with Replay(file, endpoint, yardstick, shadow=shadow, connections=1, timeout_s=0.3, give_up_s=1.5) as replay:
        return replay.send(rows)


@pytest.mark.parametrize(
    ("shadow", "lost", "unattributed"), [(1.0, 2, 0), (0.0, 0, 2)], ids=["named arm", "by the weights"]
)
def test_what_comes_late_or_never_is_told(
    plan: RolloutPlan, moody: str, shadow: float, lost: int, unattributed: int
) -> None:
    answers = replayed(plan, moody, 5, shadow)
    assert (answers.lost["candidate"], answers.unattributed, answers.invalid["candidate"]) == (lost, unattributed, 1)
    assert answers.answered == {"stable": 5 if shadow else 0, "candidate": 3}
    assert len(answers.latencies_s["candidate"]) == 3
    assert len(answers.losses["candidate"]) == 2
