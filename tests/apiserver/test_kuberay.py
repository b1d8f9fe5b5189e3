"""What KubeRay's own operator makes of a RayJob of ours; there is no kubelet, so its pods stay pending."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jobs
import pytest
from bare_api_server import bare_api_server
from controllers import playing
from garbage_collector import GarbageCollector
from kuberay_server import kuberay
from kubernetes import client, config
from seaway.errors import JobFailed, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection, connection_of
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, SERVICES, Resource
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.training import rayjob

CLUSTERS = Resource("ray.io", "v1", "rayclusters", "RayCluster")
KINDS = (rayjob.RESOURCE, CLUSTERS, PODS, SERVICES)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """An API server with a KubeRay, and a played garbage collector."""
    folder = tmp_path_factory.mktemp("kuberay")
    with bare_api_server(folder) as kubeconfig:
        settings = client.Configuration()
        config.load_kube_config(str(kubeconfig), client_configuration=settings)
        connection = connection_of(settings, "default")
        with kuberay(connection.requests, kubeconfig, folder):
            garbage = GarbageCollector(connection)
            for resource in KINDS:
                garbage.add(resource)
            yield connection
            garbage.over.set()


def pods(connection: Connection) -> list[dict[str, Any]]:
    return Objects(connection).list(PODS).items


def test_it_makes_the_pods_that_we_look_for_and_a_job_that_is_given_up_takes_all_of_them_along(
    own: Connection, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "seaway")
    manifest, made = jobs.ray_job(image), threading.Event()

    def look() -> None:
        found = [pod["metadata"]["labels"] for pod in pods(own)]
        if {labels["ray.io/node-type"] for labels in found} == {"head", "worker"}:
            assert {labels[rayjob.JOB] for labels in found} == {manifest["metadata"]["name"]}
            made.set()

    with playing(look):
        while not made.is_set():  # until the time was enough for KubeRay to have made pods
            with pytest.raises(TimedOut, match="did not end within 5 s and is deleted"):
                launch(rayjob.KIND, manifest, timeout_s=5, connection=own)
    assert "is Initializing on RayCluster" in caplog.text
    objects = Objects(own)
    assert [one for kind in (rayjob.RESOURCE, CLUSTERS, PODS) for one in objects.list(kind).items] == []


def test_what_our_rules_refuse_it_calls_failed(own: Connection, image: str) -> None:
    made = jobs.ray_job(image, run="run-2")
    wrong = {**made, "spec": {**made["spec"], "ttlSecondsAfterFinished": 5, "shutdownAfterJobFinishes": False}}
    assert [one.field for one in rayjob.rules(wrong)] == ["spec.ttlSecondsAfterFinished"]
    unchecked = replace(rayjob.KIND, preflight=lambda manifest: None)
    with pytest.raises(JobFailed, match="failed: ValidationFailed"):
        launch(unchecked, wrong, timeout_s=120, connection=own)
