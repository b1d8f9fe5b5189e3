"""What every overlay with an endpoint of git keeps to: Pod Security, rules of operation, and those of kube-score."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kustomizing import KUBECTL, OVERLAYS, build, named_images, shipped

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH: it has kustomize in it")
KUBE_SCORE = shutil.which("kube-score")
PINNED = re.compile(r".+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)$")
SECRET_NAMES = re.compile(r"KEY|TOKEN|PASSWORD|SECRET")
EXTERNAL = {"NodePort", "LoadBalancer", "ExternalName"}
# Rules of kube-score that do not hold here, and why.
IGNORED = {
    "container-image-pull-policy": "images are pinned; `Always` would need the registry at each start of a pod",
    "container-security-context-user-group-id": "1000 is not root, and a namespace may choose another (hosting.user)",
    "container-ephemeral-storage-request-and-limit": "the root is read-only; each volume has its own limit",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints spread the pods",
    "horizontalpodautoscaler-replicas": "the kind overlay has one pod",
    "networkpolicy-targets-pod": "steps make the pods of trainings and endpoints",
    "pod-networkpolicy": "which S3 server endpoints call is the site's; what reaches them has a test of its own here",
    "statefulset-has-servicename": "one pod needs no name of its own",
    "statefulset-has-poddisruptionbudget": "one pod of storage would keep its node from being drained",
}


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest, fork: Path) -> list[dict[str, Any]]:
    return build(shipped(fork, request.param, "deployment"))


def templates(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in objects:
        if item["kind"] in ("Deployment", "StatefulSet"):
            yield item["spec"]["template"]["spec"]


def containers(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for pod in templates(objects):
        yield from (*pod["containers"], *pod.get("initContainers", ()))


def test_pods_pass_pod_security_restricted_with_a_root_that_is_read_only(objects: list[dict[str, Any]]) -> None:
    for pod in templates(objects):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
    for container in containers(objects):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True


def test_pods_call_no_api(objects: list[dict[str, Any]]) -> None:
    assert all(pod["automountServiceAccountToken"] is False for pod in templates(objects))


def test_containers_ask_for_what_they_need_and_say_when_they_answer(objects: list[dict[str, Any]]) -> None:
    for container in containers(objects):
        assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
        assert container["resources"]["limits"]["memory"]
    for pod in templates(objects):
        assert all("readinessProbe" in container and "startupProbe" in container for container in pod["containers"])


def test_no_image_is_whatever_is_newest(objects: list[dict[str, Any]]) -> None:
    named = named_images(objects)
    assert named
    assert not [image for image in named if not PINNED.fullmatch(image)]


def test_no_secrets_value_is_in_git(objects: list[dict[str, Any]]) -> None:
    assert not [item for item in objects if item["kind"] == "Secret"]
    for container in containers(objects):
        for variable in container.get("env", ()):
            assert not SECRET_NAMES.search(variable["name"]) or variable["value"].startswith("/"), variable["name"]
    maps = [item for item in objects if item["kind"] == "ConfigMap"]
    assert not [item for item in maps if "PRIVATE KEY" in json.dumps(item)]


def test_nothing_is_reached_from_outside_but_by_the_gateway(objects: list[dict[str, Any]]) -> None:
    services = [item["spec"] for item in objects if item["kind"] == "Service"]
    assert services
    assert not [spec for spec in services if spec.get("type") in EXTERNAL or "externalIPs" in spec]


def test_no_role_has_a_wildcard(objects: list[dict[str, Any]]) -> None:
    assert not [item for item in objects if item["kind"] in ("ClusterRole", "ClusterRoleBinding")]
    rules = [rule for item in objects if item["kind"] == "Role" for rule in item["rules"]]
    assert rules
    assert not [rule for rule in rules if "*" in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]]]


def test_every_pod_is_behind_a_network_policy(objects: list[dict[str, Any]]) -> None:
    policies = [item["spec"]["podSelector"]["matchLabels"] for item in objects if item["kind"] == "NetworkPolicy"]
    for item in objects:
        if item["kind"] in ("Deployment", "StatefulSet"):
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert [policy for policy in policies if policy.items() <= labels.items()], item["metadata"]["name"]


@pytest.mark.skipif(
    KUBE_SCORE is None,
    reason="kube-score is not on PATH: go install github.com/zegl/kube-score/cmd/kube-score@v1.20.0",
)
def test_kube_score_finds_nothing(objects: list[dict[str, Any]]) -> None:
    ignored = [word for rule in IGNORED for word in ("--ignore-test", rule)]
    command = [str(KUBE_SCORE), "score", "-", "--output-format", "ci", "--ignore-container-cpu-limit", *ignored]
    given = yaml.dump_all(objects, Dumper=yaml.CSafeDumper)
    scored = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert "[OK]" in scored.stdout, scored.stderr
    assert not [line for line in scored.stdout.splitlines() if line.startswith(("[CRITICAL]", "[WARNING]"))]
