"""manifests/training: workers of training operator 1.8 in a namespace of Pod Security `restricted`."""

import copy
import subprocess
import time
from pathlib import Path
from typing import Any

import jobs
import kustomizing
import pytest
from kubernetes import client, dynamic
from kubernetes.client import ApiException

OPERATORS = {"training.kubeflow.org/replica-type": "worker"}
ITS_OWN = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
SETTLED_S = 120  # the API server has seen a new policy long before
POLICY = Path(__file__).parents[2] / "manifests" / "training"


@pytest.fixture(scope="module", autouse=True)
def training_policy(cluster: dynamic.DynamicClient) -> None:
    """manifests/training, applied as docs/clusters.md says."""
    if kustomizing.KUBECTL is None:
        pytest.skip("kubectl is not on PATH")
    subprocess.run([kustomizing.KUBECTL, "apply", "--server-side", "-k", POLICY], capture_output=True, check=True)


def pod(labels: dict[str, str], init: dict[str, Any]) -> dict[str, Any]:
    """A restricted pod that waits for its master as the operator has it wait, with `init` as that container's own."""
    spec = copy.deepcopy(jobs.manifest("docker.io/seaway/none:v1", "true")["spec"]["template"]["spec"])
    waiting = {"name": "init-pytorch", "image": "alpine:3.10", "command": ["sh", "-c", "true"], **init}
    return {"metadata": {"name": "worker-0", "labels": labels}, "spec": {**spec, "initContainers": [waiting]}}


def admitted(cluster: dynamic.DynamicClient, namespace: str, manifest: dict[str, Any]) -> Any:
    """The init container's security context, as it would be stored."""
    core = client.CoreV1Api(cluster.client)
    stored = core.create_namespaced_pod(namespace, manifest, dry_run="All")
    return stored.spec.init_containers[0].security_context


def test_the_operators_init_container_gets_what_pod_security_asks_for(
    cluster: dynamic.DynamicClient, namespace: str
) -> None:
    deadline = time.monotonic() + SETTLED_S
    while True:
        try:
            context = admitted(cluster, namespace, pod(OPERATORS, {}))
            break
        except ApiException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    assert context.allow_privilege_escalation is False
    assert context.capabilities.drop == ["ALL"]


def test_an_init_container_with_a_context_is_left_as_it_is(cluster: dynamic.DynamicClient, namespace: str) -> None:
    context = admitted(cluster, namespace, pod(OPERATORS, {"securityContext": ITS_OWN}))
    assert context.capabilities.add == ["NET_BIND_SERVICE"]


def test_pods_that_are_not_the_operators_are_refused_as_ever(cluster: dynamic.DynamicClient, namespace: str) -> None:
    with pytest.raises(ApiException, match="violates PodSecurity"):
        admitted(cluster, namespace, pod({}, {}))
