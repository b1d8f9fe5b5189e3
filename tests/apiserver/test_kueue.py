"""Jobs in a queue of Kueue itself, which admits them and has one give way to another."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jobs
import pytest
from bare_api_server import bare_api_server
from kubernetes import client, config
from kueue_server import VERSION, kueue
from seaway.platforms.kubernetes.client.connection import Connection, connection_of
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.jobs.queueing import queued

QUEUE = "night"
LONGEST_S = 300.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """An API server with a Kueue, whose queue `night` has one processor."""
    folder = tmp_path_factory.mktemp("kueue")
    with bare_api_server(folder) as kubeconfig:
        settings = client.Configuration()
        config.load_kube_config(str(kubeconfig), client_configuration=settings)
        connection = connection_of(settings, "default")
        core = client.CoreV1Api(connection.requests)
        core.create_namespace({"metadata": {"name": "kueue-system"}})
        with kueue(connection.requests, kubeconfig, folder):
            make_queue(client.CustomObjectsApi(connection.requests))
            yield connection


def make_queue(objects: client.CustomObjectsApi) -> None:
    group = {"apiVersion": f"kueue.x-k8s.io/{VERSION}"}
    quota = {"name": "any", "resources": [{"name": "cpu", "nominalQuota": 1}]}
    shared = {
        "namespaceSelector": {},
        "preemption": {"withinClusterQueue": "LowerPriority"},
        "resourceGroups": [{"coveredResources": ["cpu"], "flavors": [quota]}],
    }
    for plural, body in (
        ("clusterqueues", {"kind": "ClusterQueue", "metadata": {"name": "shared"}, "spec": shared}),
        ("workloadpriorityclasses", {"kind": "WorkloadPriorityClass", "metadata": {"name": "low"}, "value": 1}),
        ("workloadpriorityclasses", {"kind": "WorkloadPriorityClass", "metadata": {"name": "high"}, "value": 9}),
    ):
        objects.create_cluster_custom_object("kueue.x-k8s.io", VERSION, plural, {**group, **body})
    local = {**group, "kind": "LocalQueue", "metadata": {"name": QUEUE}, "spec": {"clusterQueue": "shared"}}
    objects.create_namespaced_custom_object("kueue.x-k8s.io", VERSION, "default", "localqueues", local)


class Launched:
    """A job of one processor that is launched and heard beside the test."""

    def __init__(self, connection: Connection, run: str, priority: str) -> None:
        asked = {"resources": {"requests": {"cpu": "1"}}}
        self.manifest = queued(jobs.manifest("none", "true", run=run, container=asked), QUEUE, priority)
        self.name = self.manifest["metadata"]["name"]
        self.connection, self.outcome = connection, None
        self.thread = threading.Thread(target=self._launch, name=run, daemon=True)
        self.thread.start()

    def _launch(self) -> None:
        self.outcome: Any = launch(batch_job.KIND, self.manifest, timeout_s=600, connection=self.connection)

    def end(self) -> None:
        jobs.complete(self.connection, self.name)
        self.thread.join(LONGEST_S)
        assert self.outcome.object["metadata"]["name"] == self.name


def until(told: Callable[[], bool], what: str, caplog: pytest.LogCaptureFixture) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not told():
        assert time.monotonic() < deadline, f"not {what}:\n{caplog.text}"
        time.sleep(0.1)


def test_a_job_waits_for_quota_and_gives_way_to_a_more_important_one(
    own: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seaway")

    def said(run: str, text: str) -> int:
        return sum(text in record.getMessage() for record in caplog.records if record.threadName == run)

    first = Launched(own, "first", "low")
    until(lambda: said("first", "may run") == 1, "the first admitted", caplog)
    second = Launched(own, "second", "low")
    until(lambda: said("second", ": Pending: ") >= 1, "the second held", caplog)
    urgent = Launched(own, "urgent", "high")
    until(lambda: said("first", ": Preempted: ") >= 1, "the first preempted", caplog)
    until(lambda: said("urgent", "may run") == 1, "the urgent one admitted", caplog)
    urgent.end()
    until(lambda: said("first", "may run") == 2, "the first admitted again", caplog)
    first.end()
    until(lambda: said("second", "may run") == 1, "the second admitted", caplog)
    second.end()
