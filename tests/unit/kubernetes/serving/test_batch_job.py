"""The Job that shares predictions among pods."""

from types import MappingProxyType

import pytest
from seaway.platforms.kubernetes.jobs.queueing import PRIORITY, QUEUE, queue_of
from seaway.platforms.kubernetes.serving.batch import job
from seaway.platforms.kubernetes.serving.hosting import Hosting
from seaway.serving.batch.remote import RemoteBatch

BATCH = RemoteBatch("s3://bucket/predictions/1", "a key", shards=2)


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_RUN_ID", "run-1")


def test_the_job_waits_in_the_queue_and_its_pods_in_none() -> None:
    labels = MappingProxyType({QUEUE: "night", PRIORITY: "low", "team": "data"})
    made = job(BATCH, Hosting("x", labels=labels))
    assert queue_of(made) == "night"
    assert made["metadata"]["labels"][PRIORITY] == "low"
    of_pods = made["spec"]["template"]["metadata"]["labels"]
    assert (of_pods["team"], QUEUE in of_pods, PRIORITY in of_pods) == ("data", False, False)


def test_without_a_queue_the_job_is_the_same_as_ever() -> None:
    made = job(BATCH, Hosting("x"))
    assert queue_of(made) == ""
    assert made["metadata"]["name"] == job(BATCH, Hosting("x", labels={QUEUE: "night"}))["metadata"]["name"]
