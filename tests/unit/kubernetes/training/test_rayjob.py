"""What KubeRay is asked for, and what its status means."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.jobs.kind import State
from seaway.platforms.kubernetes.training import rayjob
from seaway.platforms.kubernetes.training.placement import Elastic, Placement
from seaway.training.pod.job import VARIABLE, RemoteTraining
from seaway.training.ray.group import VARIABLE as GROUP
from seaway.training.ray.group import Group

TRAINING = RemoteTraining("t", "v", "o", "c", {"run": "r"}, "my.train", workers=4, timeout_s=100.5)
PLACEMENT = Placement("x", cpu="8", gpus=2, memory="64Gi", env_secrets=["storage"], restarts=2)


def job(placement: Placement = PLACEMENT, name: str = "train-1") -> dict[str, Any]:
    return rayjob.labelled({**rayjob.build(TRAINING, placement), "metadata": {"name": name}})


def pods(made: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """PodSpec by the name of its container."""
    specs = [template["spec"] for _, template in rayjob.templates(made["spec"])]
    return {spec["containers"][0]["name"]: spec for spec in specs}


def variables(pod: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in pod["containers"][0]["env"]}


def test_a_worker_a_bundle_and_what_they_are_to_train() -> None:
    made = job()
    [workers] = made["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert (workers["replicas"], workers["minReplicas"], workers["maxReplicas"]) == (2, 2, 2)
    assert workers["rayStartParams"] == {"num-cpus": "8", "num-gpus": "2"}
    of_worker = variables(pods(made)[rayjob.WORKER])
    assert RemoteTraining.parse(of_worker[VARIABLE]) == TRAINING
    group = Group.parse(of_worker[GROUP])
    assert (group.nodes, group.bundle, group.processes, group.cpus) == (2, {"CPU": 8.0, "GPU": 2.0}, 2, 4)
    assert variables(pods(made)[rayjob.HEAD])[GROUP] == of_worker[GROUP]


def test_the_head_takes_no_bundle_and_no_accelerator() -> None:
    made = job()
    assert made["spec"]["rayClusterSpec"]["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    asked = pods(made)[rayjob.HEAD]["containers"][0]["resources"]
    assert asked == {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}}


@pytest.mark.parametrize(("cpu", "cores"), [("500m", 1), ("1", 1), ("3500m", 3)])
def test_ray_is_told_of_whole_cores(cpu: str, cores: int) -> None:
    made = job(Placement("x", cpu=cpu))
    assert made["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["rayStartParams"] == {"num-cpus": str(cores)}
    assert Group.parse(variables(pods(made)[rayjob.WORKER])[GROUP]).bundle == {"CPU": float(cores)}


def test_rays_own_commands_start_the_pods_and_every_pod_is_restricted() -> None:
    for pod in pods(job()).values():
        [container] = pod["containers"]
        assert "command" not in container
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not pod["automountServiceAccountToken"]


def test_pods_are_found_by_the_jobs_name_and_equal_trainings_have_an_equal_spec() -> None:
    labels = [template["metadata"]["labels"][rayjob.JOB] for _, template in rayjob.templates(job()["spec"])]
    assert labels == ["train-1"] * 3
    assert rayjob.build(TRAINING, PLACEMENT) == rayjob.build(TRAINING, PLACEMENT)
    assert rayjob.JOB not in str(rayjob.build(TRAINING, PLACEMENT))


def test_its_end_frees_the_cluster_and_has_a_deadline() -> None:
    spec = job()["spec"]
    assert spec["shutdownAfterJobFinishes"]
    assert spec["activeDeadlineSeconds"] >= TRAINING.timeout_s
    assert spec["backoffLimit"] == PLACEMENT.restarts


@pytest.mark.parametrize(
    "lost",
    [{"runtime": "r"}, {"elastic": Elastic(1)}, {"scheduler": "volcano", "queue": "q"}],
)
def test_what_a_rayjob_cannot_carry_is_refused_by_name(lost: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match=next(iter(lost))):
        rayjob.build(TRAINING, replace(PLACEMENT, **lost))


def test_what_is_built_passes_and_waits_in_kueues_queue() -> None:
    rayjob.preflight(job())
    queued = rayjob.build(TRAINING, replace(PLACEMENT, local_queue="night"))
    assert queued["metadata"]["labels"] == {"kueue.x-k8s.io/queue-name": "night"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suspend": True, "shutdownAfterJobFinishes": False}, r"spec\.suspend"),
        ({"ttlSecondsAfterFinished": 5, "shutdownAfterJobFinishes": False}, r"spec\.ttlSecondsAfterFinished"),
        ({"backoffLimit": -1}, r"spec\.backoffLimit: Invalid value: -1"),
        ({"activeDeadlineSeconds": 0}, r"spec\.activeDeadlineSeconds"),
        ({"rayClusterSpec": None}, r"spec\.rayClusterSpec: Required value"),
        ({"submissionMode": "Pigeon"}, r"spec\.submissionMode.*Pigeon"),
        ({"managedBy": "me"}, r"spec\.managedBy"),
        ({"moon": 1}, "moon"),
    ],
)
def test_what_kuberay_would_call_failed_is_refused_before_it_is_sent(change: dict[str, Any], said: str) -> None:
    made = job()
    with pytest.raises(InvalidSpec, match=said):
        rayjob.preflight({**made, "spec": {**made["spec"], **change}})


@pytest.mark.parametrize("name", ["x" * 48, "1-train"])
def test_a_name_that_kuberay_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpec, match=r"metadata\.name.*47 characters"):
        rayjob.preflight(job(name=name))


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ({}, None, ""),
        ({"jobDeploymentStatus": "Running", "jobStatus": "SUCCEEDED"}, None, ""),  # the submitter has not ended
        ({"jobDeploymentStatus": "Retrying", "jobStatus": "FAILED"}, None, ""),
        ({"jobDeploymentStatus": "Suspended"}, None, ""),
        ({"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}, State.SUCCEEDED, "SUCCEEDED"),
        ({"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}, State.FAILED, "STOPPED"),
        ({"jobDeploymentStatus": "Failed", "jobStatus": "FAILED", "reason": "AppFailed"}, State.FAILED, "AppFailed"),
        ({"jobDeploymentStatus": "Failed", "jobStatus": "SUCCEEDED", "reason": "DeadlineExceeded"}, State.FAILED,
         "DeadlineExceeded"),
        ({"jobDeploymentStatus": "ValidationFailed", "reason": "ValidationFailed"}, State.FAILED, "ValidationFailed"),
    ],
)  # fmt: skip
def test_only_what_ray_calls_succeeded_has_succeeded(status: dict[str, str], state: State | None, reason: str) -> None:
    found = rayjob.outcome({"metadata": {"name": "a"}, "status": {**status, "message": "m"} if status else None})
    assert (found.state if found else None) == state
    assert found is None or (found.reason, found.message) == (reason, "m")
