"""What is told of pods that cannot start, or that end badly, while it happens."""

import logging
import time
from typing import Any

import jobs
import pytest
from kubernetes import client
from seaway.errors import JobFailed, PodsStuck, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.jobs.wait import Patience

IMAGE_S = 3


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "seaway")


def run(manifest: Any, connection: Connection, timeout_s: float = 60) -> None:
    launch(batch_job.KIND, manifest, timeout_s=timeout_s, connection=connection, patience=Patience(image_s=IMAGE_S))


def test_a_pod_that_no_node_has_room_for(connection: Connection, image: str, caplog: pytest.LogCaptureFixture) -> None:
    huge = {"resources": {"requests": {"cpu": "10k"}}}
    with pytest.raises(TimedOut, match=r"(?s)is not scheduled: .*Insufficient cpu"):
        run(jobs.manifest(image, "true", container=huge), connection, timeout_s=4)
    assert "is not scheduled: " in caplog.text


def test_an_image_that_does_not_exist(connection: Connection, image: str, caplog: pytest.LogCaptureFixture) -> None:
    missing = {"image": "127.0.0.1:1/seaway/missing:v1"}
    with pytest.raises(PodsStuck, match=r"127.0.0.1:1/seaway/missing:v1, which cannot be had.*kubectl describe pod"):
        run(jobs.manifest(image, "true", container=missing), connection)
    assert "waits for its image 127.0.0.1:1/seaway/missing:v1" in caplog.text


def test_pods_that_pod_security_refuses(connection: Connection, image: str) -> None:
    """The job is accepted, its pods are not: the controller would try for ever."""
    with pytest.raises(PodsStuck, match=r"violates PodSecurity.*kubectl get namespace"):
        run(jobs.manifest(image, "true", container={"securityContext": {}}), connection)


def test_pods_that_the_quota_leaves_no_room_for(connection: Connection, image: str) -> None:
    quota = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": "0"}}}
    core = client.CoreV1Api(connection.requests)
    core.create_namespaced_resource_quota(connection.namespace, quota)
    while not core.read_namespaced_resource_quota("pods", connection.namespace).status.hard:
        time.sleep(0.1)
    with pytest.raises(TimedOut, match=r"(?s)FailedCreate: .*exceeded quota"):
        run(jobs.manifest(image, "true"), connection, timeout_s=4)


def test_a_container_killed_for_want_of_memory(connection: Connection, image: str) -> None:
    small = {"resources": {"limits": {"memory": "16Mi"}}}
    grow = "echo growing; tail /dev/zero"
    with pytest.raises(JobFailed, match=r"(?s)for want of memory.*its limit is 16Mi.*growing"):
        run(jobs.manifest(image, grow, container=small), connection)


def test_a_worker_that_crashes_again_and_again(
    connection: Connection, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    script = "n=$(cat /kept/n 2>/dev/null || echo 0); echo attempt $n; echo $((n + 1)) >/kept/n; exit 7"
    pod = {"restartPolicy": "OnFailure", "volumes": [{"name": "kept", "emptyDir": {}}]}
    mount = {"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]}
    manifest = jobs.manifest(image, script, pod=pod, container=mount, backoffLimit=2)
    with pytest.raises(JobFailed, match=r"(?s)BackoffLimitExceeded"):
        launch(batch_job.KIND, manifest, timeout_s=120, connection=connection, tell=lambda _, line: told.append(line))
    assert "failed with exit code 7 (Error, 1 restart)" in caplog.text
    assert "ends again and again (CrashLoopBackOff" in caplog.text
    attempts = ["attempt 0", "attempt 1", "attempt 2"]
    assert told in (attempts, attempts[:2])  # the controller deletes the pod, and its log, right after the last one
