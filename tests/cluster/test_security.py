"""What docs/security.md says is forbidden under the shipped role is really denied by the API server."""

from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, dynamic
from seaway.platforms.kubernetes import access
from seaway.platforms.kubernetes.connection import Connection
from test_access import as_account

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
FORBIDDEN = {  # the words of docs/security.md -> verb, group, resource, subresource, name, and where
    "list Secrets": ("list", "", "secrets", "", "", ""),
    "read another Secret": ("get", "", "secrets", "", "seaway-storage", ""),
    "delete the endpoints' tokens": ("delete", "", "secrets", "", "seaway-endpoint-tokens", ""),
    "enter a pod": ("create", "", "pods", "exec", "", ""),
    "attach to a pod": ("create", "", "pods", "attach", "", ""),
    "forward a pod's port": ("create", "", "pods", "portforward", "", ""),
    "start a bare pod": ("create", "", "pods", "", "", ""),
    "add a container to a pod": ("patch", "", "pods", "ephemeralcontainers", "", ""),
    "take a token of an account": ("create", "", "serviceaccounts", "token", "seaway", ""),
    "act as somebody else": ("impersonate", "", "users", "", "admin", ""),
    "widen a role": ("patch", "rbac.authorization.k8s.io", "roles", "", "seaway", ""),
    "bind a role": ("create", "rbac.authorization.k8s.io", "rolebindings", "", "", ""),
    "lift the isolation": ("delete", "networking.k8s.io", "networkpolicies", "", "training", ""),
    "change the rules of the mesh": ("patch", "security.istio.io", "authorizationpolicies", "", "", ""),
    "change a pipeline's version": ("patch", "pipelines.kubeflow.org", "pipelineversions", "", "", ""),
    "raise the quota": ("patch", "", "resourcequotas", "", "seaway", ""),
    "mount a volume of its own": ("create", "", "persistentvolumeclaims", "", "", ""),
    "read nodes": ("list", "", "nodes", "", "", ""),
    "work in another namespace": ("create", "batch", "jobs", "", "", "kube-system"),
    "read another namespace's settings": ("get", "", "configmaps", "", "", "kube-system"),
    "relax Pod Security": ("patch", "", "namespaces", "", "", ""),
}
ALLOWED = ("create", "batch", "jobs", "", "", "")


def asked(connection: Connection, action: tuple[str, ...]) -> bool:
    """Whether the API server allows it, by its own word."""
    verb, group, resource, subresource, name, place = action
    attributes = client.V1ResourceAttributes(
        namespace=place or connection.namespace,
        verb=verb,
        group=group,
        resource=resource,
        subresource=subresource,
        name=name,
    )
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    reviews = client.AuthorizationV1Api(connection.requests)
    review = reviews.create_self_subject_access_review(client.V1SelfSubjectAccessReview(spec=spec))
    return bool(review.status.allowed)


def refused(act: Any, *words: Any, **named: Any) -> None:
    with pytest.raises(client.ApiException) as told:
        act(*words, **named)
    assert told.value.status == 403


def test_the_page_lists_what_is_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ") and "`" in line}
    assert FORBIDDEN.keys() <= listed


def test_the_server_denies_each_of_them(connection: Connection) -> None:
    limited = as_account(connection, access.RULES)
    assert asked(limited, ALLOWED), "the review itself works"
    assert [words for words, action in FORBIDDEN.items() if asked(limited, action)] == []


def test_attempts_are_refused(cluster: dynamic.DynamicClient, connection: Connection) -> None:
    """Not by a review only: the calls themselves."""
    limited = as_account(connection, access.RULES)
    core, rbac = client.CoreV1Api(limited.requests), client.RbacAuthorizationV1Api(limited.requests)
    place = limited.namespace
    client.CoreV1Api(connection.requests).create_namespaced_secret(
        place, client.V1Secret(metadata={"name": "seaway-storage"}, string_data={"key": "value"})
    )
    refused(core.list_namespaced_secret, place)
    refused(core.read_namespaced_secret, "seaway-storage", place)
    refused(core.create_namespaced_service_account_token, access.NAME, place, {"spec": {"audiences": []}})
    refused(core.create_namespaced_pod, place, {"metadata": {"name": "x"}, "spec": {"containers": []}})
    refused(core.list_namespaced_config_map, "kube-system")
    refused(rbac.patch_namespaced_role, access.NAME, place, {"rules": []})
    refused(core.patch_namespace, place, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}})


def test_a_job_cannot_start_a_privileged_pod(connection: Connection) -> None:
    """The role may create jobs; Pod Security then refuses the pods that want more than `restricted` allows."""
    batch, core = client.BatchV1Api(connection.requests), client.CoreV1Api(connection.requests)
    container = {"name": "x", "image": "docker.io/seaway/none:v1", "securityContext": {"privileged": True}}
    template = {"spec": {"containers": [container], "restartPolicy": "Never", "hostNetwork": True}}
    refused(core.create_namespaced_pod, connection.namespace, {"metadata": {"name": "x"}, **template})
    job = {"metadata": {"name": "x"}, "spec": {"template": template}}
    _, _, headers = batch.create_namespaced_job_with_http_info(connection.namespace, job, dry_run="All")
    assert "violate PodSecurity" in headers["warning"]
