"""What goes into a queue, and how long a job has run."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.jobs import batch_job, stopwatch
from seaway.platforms.kubernetes.jobs.queueing import PRIORITY, QUEUE, queue_of, queued, reason
from seaway.platforms.kubernetes.jobs.stopwatch import Stopwatch
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.tuning import experiment
from seaway.training.pod.job import RemoteTraining
from seaway.training.spec import TrainSpec

SPEC = TrainSpec(train="a", validation="b", output="c", checkpoints="d", workers=2)
TRAINING = RemoteTraining.of(SPEC, {"run": "0" * 64}, "s3://bucket/run", "s3://bucket/checkpoints")
QUEUED = Placement("x", local_queue="night", queue_priority="low")


@pytest.mark.parametrize("build", [pytorchjob.build, trainjob.build], ids=["PyTorchJob", "TrainJob"])
def test_a_training_carries_its_queue_and_priority(build: Any) -> None:
    labels = build(TRAINING, QUEUED)["metadata"]["labels"]
    assert labels == {QUEUE: "night", PRIORITY: "low"}
    assert queue_of(build(TRAINING, QUEUED)) == "night"
    assert "metadata" not in build(TRAINING, Placement("x"))


def test_the_queue_is_no_part_of_the_pods_so_a_runtime_is_shared() -> None:
    assert trainjob.build_runtime(TRAINING, QUEUED) == trainjob.build_runtime(TRAINING, Placement("x"))


def test_a_runtime_of_the_cluster_has_no_say_in_the_queue() -> None:
    placement = Placement("x", runtime="torch-distributed", local_queue="night")
    assert trainjob.build(TRAINING, placement)["metadata"]["labels"] == {QUEUE: "night"}


def test_labels_that_are_there_stay() -> None:
    made = queued({"metadata": {"name": "a", "labels": {"b": "c"}}}, "night")
    assert made["metadata"] == {"name": "a", "labels": {"b": "c", QUEUE: "night"}}
    assert queued({"metadata": {"name": "a"}}, "") == {"metadata": {"name": "a"}}


def test_a_priority_without_a_queue_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="local_queue"):
        Placement("x", queue_priority="low")


@pytest.mark.parametrize(
    ("kind", "job", "held"),
    [
        (batch_job.KIND, {"spec": {"suspend": True}}, True),
        (batch_job.KIND, {"spec": {"suspend": False}}, False),
        (trainjob.KIND, {"spec": {"suspend": True}}, True),
        (pytorchjob.KIND, {"spec": {"runPolicy": {"suspend": True}}}, True),
        (pytorchjob.KIND, {"spec": {"suspend": True}}, False),
        (pytorchjob.KIND, {"spec": {}}, False),
        (experiment.KIND, {"spec": {"suspend": True}}, False),
    ],
)
def test_where_a_kind_says_that_it_is_held(kind: Any, job: Mapping[str, Any], held: bool) -> None:
    assert kind.is_suspended(job) is held


def test_of_several_reasons_the_eviction_is_told() -> None:
    pending = {"type": "QuotaReserved", "status": "False", "reason": "Pending", "message": "no room"}
    evicted = {"type": "Evicted", "status": "True", "reason": "Preempted", "message": "gave way"}
    assert reason({"status": {"conditions": [pending, evicted]}}) == "Preempted: gave way"
    assert reason({"status": {"conditions": [pending, {**evicted, "status": "False"}]}}) == "Pending: no room"
    assert reason({}) == reason({"status": {"conditions": [{**pending, "status": "True"}]}}) == ""


class Time:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.sampled_from(["stop", "go_on", ""]), st.integers(0, 1000)), max_size=20))
def test_running_and_waiting_make_the_whole_time(acts: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Time()
        patch.setattr(stopwatch, "time", clock)
        watch, stopped, ran, waited = Stopwatch(began=0.0), False, 0, 0
        for act, seconds in acts:
            if act:
                getattr(watch, act)()
                stopped = act == "stop"
            clock.now += seconds
            ran, waited = (ran, waited + seconds) if stopped else (ran + seconds, waited)
            assert (watch.ran_s(), watch.waited_s()) == (ran, waited)
