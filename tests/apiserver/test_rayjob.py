"""A RayJob's life at a real API server, KubeRay played: its cluster, its pods, its end, and what is left."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jobs
import pytest
from controllers import playing
from kubernetes import client
from seaway.errors import InvalidSpec, JobFailed, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS
from seaway.platforms.kubernetes.jobs.kind import State
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.training import rayjob

WELL = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
BADLY = {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED", "reason": "AppFailed", "message": "exit code 1"}
RUNNING = {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING", "rayClusterName": "cluster-1"}


@pytest.fixture(scope="module", autouse=True)
def served(serve: Callable[..., None]) -> None:
    serve(rayjob.RESOURCE)


class KubeRay:
    """Gives each RayJob a pod of each template, and says that it runs until `ends` says how it ends."""

    def __init__(self, connection: Connection, ends: Mapping[str, str] | None) -> None:
        self.connection, self.ends = connection, ends
        self.running = threading.Event()

    def __call__(self) -> None:
        for job in Objects(self.connection).list(rayjob.RESOURCE).items:
            if "deletionTimestamp" in job["metadata"] or rayjob.outcome(job):
                continue
            if not Objects(self.connection).list(PODS, {"labelSelector": self.selector(job)}).items:
                for number, (_, template) in enumerate(rayjob.templates(job["spec"])):
                    self._start(job, f"{job['metadata']['name']}-{number}", template)
                self._says(job, RUNNING)
                self.running.set()
            elif self.ends:
                self._says(job, {**RUNNING, **self.ends})

    def selector(self, job: Mapping[str, Any]) -> str:
        return rayjob.KIND.pods(job["metadata"]["name"])

    def _start(self, job: Mapping[str, Any], name: str, template: Mapping[str, Any]) -> None:
        owner = {"apiVersion": "ray.io/v1", "kind": "RayJob", "name": job["metadata"]["name"]}
        owner |= {"uid": job["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
        metadata = {"name": name, "labels": template["metadata"]["labels"], "ownerReferences": [owner]}
        body = {"metadata": metadata, "spec": template["spec"]}
        client.CoreV1Api(self.connection.requests).create_namespaced_pod(self.connection.namespace, body)

    def _says(self, job: Mapping[str, Any], status: Mapping[str, str]) -> None:
        api, name = client.CustomObjectsApi(self.connection.requests), job["metadata"]["name"]
        where = ("ray.io", "v1", self.connection.namespace, "rayjobs", name)
        api.patch_namespaced_custom_object_status(*where, {"status": dict(status)})


def left(connection: Connection) -> Iterator[str]:
    for resource in (rayjob.RESOURCE, PODS):
        yield from (one["metadata"]["name"] for one in Objects(connection).list(resource).items)


def test_one_that_succeeds_is_taken_by_the_step_run_again(
    connection: Connection, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "seaway")
    manifest = jobs.ray_job(image)
    with playing(KubeRay(connection, WELL)):
        first = launch(rayjob.KIND, manifest, timeout_s=60, connection=connection)
    assert first.state is State.SUCCEEDED
    assert "is Complete on RayCluster cluster-1, Ray says SUCCEEDED." in caplog.text
    second = launch(rayjob.KIND, manifest, timeout_s=60, connection=connection)
    assert second.object["metadata"]["uid"] == first.object["metadata"]["uid"]


def test_one_that_fails_is_told_in_rays_words_and_started_anew(connection: Connection, image: str) -> None:
    manifest, uids = jobs.ray_job(image), set()
    for _ in range(2):
        with playing(KubeRay(connection, BADLY)), pytest.raises(JobFailed, match=r"failed: AppFailed: exit code 1"):
            launch(rayjob.KIND, manifest, timeout_s=60, connection=connection)
        uids |= {job["metadata"]["uid"] for job in Objects(connection).list(rayjob.RESOURCE).items}
    assert len(uids) == 2


def test_one_that_takes_too_long_is_gone_with_its_pods_when_the_step_ends(connection: Connection, image: str) -> None:
    kuberay = KubeRay(connection, None)
    with playing(kuberay):
        while not kuberay.running.is_set():  # until the time was enough for KubeRay to have made pods
            with pytest.raises(TimedOut, match="did not end within 2 s and is deleted"):
                launch(rayjob.KIND, jobs.ray_job(image), timeout_s=2, connection=connection)
    assert list(left(connection)) == []


def test_the_server_takes_what_is_built_and_refuses_what_the_preflight_refuses(
    connection: Connection, image: str
) -> None:
    made = jobs.ray_job(image)
    Objects(connection).create(rayjob.RESOURCE, made)
    wrong = {**made, "spec": {**made["spec"], "managedBy": "me"}}
    with pytest.raises(InvalidSpec, match="managedBy"):
        rayjob.preflight(wrong)
    wrong["metadata"] = {**made["metadata"], "name": "other"}
    with pytest.raises(InvalidSpec, match="managedBy"):
        Objects(connection).create(rayjob.RESOURCE, wrong)
