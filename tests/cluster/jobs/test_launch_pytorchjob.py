"""The launcher with a kind of its own operator: PyTorchJob."""

import logging
from dataclasses import replace
from typing import Any

import jobs
import pytest
from installed import require_controller
from kubernetes import client, dynamic
from seaway.errors import AdmissionRefused, JobFailed, ObjectDeleted, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS
from seaway.platforms.kubernetes.jobs.kind import Outcome, State, no_rules
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.training import pytorchjob


@pytest.fixture(autouse=True)
def operator(cluster: dynamic.DynamicClient) -> None:
    require_controller(cluster, pytorchjob.RESOURCE)


def manifest(image: str, script: str, *, workers: int = 2, restart: str = "Never", backoff: int = 1) -> dict[str, Any]:
    """A job of workers only, the first one of which is where they meet."""
    pod = jobs.manifest(image, script)["spec"]["template"]["spec"]
    pod.pop("restartPolicy")
    pod["containers"][0]["name"] = pytorchjob.CONTAINER
    replica = {"replicas": workers, "restartPolicy": restart, "template": {"spec": pod}}
    spec = {
        "runPolicy": {"backoffLimit": backoff, "cleanPodPolicy": "None"},
        "elasticPolicy": {"rdzvBackend": "c10d", "minReplicas": 1, "maxReplicas": workers},
        "pytorchReplicaSpecs": {"Worker": replica},
    }
    body = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "spec": spec}
    return stamp(body, Step("run-1", "train"), pytorchjob.KIND.suffix)


def run(connection: Connection, job: dict[str, Any], timeout_s: float = 90, **options: Any) -> Outcome:
    return launch(pytorchjob.KIND, job, timeout_s=timeout_s, connection=connection, **options)


def test_every_worker_is_heard_under_its_name(connection: Connection, image: str) -> None:
    told: list[tuple[str, str]] = []
    job = manifest(image, "echo rank; sleep 1; echo done")
    outcome = run(connection, job, tell=lambda *said: told.append(said))
    name = job["metadata"]["name"]
    assert outcome.state is State.SUCCEEDED
    assert sorted(told) == sorted((f"{name}-worker-{i}", line) for i in (0, 1) for line in ("rank", "done"))


def test_a_worker_that_crashes_again_and_again_fails_the_job(
    connection: Connection, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "seaway")
    script = "case $HOSTNAME in *worker-1) echo lost my data; exit 9;; esac; sleep 600"
    with pytest.raises(JobFailed, match=r"(?s)worker-1 failed with exit code 9.*Last lines .*worker-1:\nlost my data"):
        run(connection, manifest(image, script, restart="OnFailure", backoff=2), timeout_s=120)
    assert "worker-1 failed with exit code 9 (Error, 1 restart)" in caplog.text


def test_out_of_time_takes_every_worker_along(connection: Connection, image: str) -> None:
    with pytest.raises(TimedOut, match="run without complaint"):
        run(connection, manifest(image, "sleep 600"), timeout_s=5)
    assert Objects(connection).list(PODS).items == []
    assert Objects(connection).list(pytorchjob.RESOURCE).items == []


def test_a_namespace_deleted_while_its_job_is_waited_for(connection: Connection, image: str) -> None:
    """Everything in it is deleted one by one; whether the pod or the job comes first, the wait ends and says so."""
    core = client.CoreV1Api(connection.requests)

    def end_namespace(pod: str, line: str) -> None:
        core.delete_namespace(connection.namespace)

    job = manifest(image, "echo up; sleep 600", workers=1)
    with pytest.raises((ObjectDeleted, JobFailed), match=r"deleted by somebody else|Pod .* was deleted"):
        run(connection, job, tell=end_namespace)


def test_an_object_that_a_webhook_refuses(connection: Connection, image: str) -> None:
    webhooks = client.AdmissionregistrationV1Api(connection.requests).list_validating_webhook_configuration()
    if "pytorchjobs" not in str(webhooks):
        pytest.skip("the training operator's webhook is not installed")
    unchecked = replace(pytorchjob.KIND, preflight=no_rules)
    with pytest.raises(AdmissionRefused, match=r"(?s)webhook validator.pytorchjob.*container"):
        launch(unchecked, jobs.pytorch_job(image, "true", "trainer"), timeout_s=60, connection=connection)
