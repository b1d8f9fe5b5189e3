"""What docs/security.md says is forbidden under the shipped role is really denied by the API server."""

from pathlib import Path

import pytest
from accounts import as_account
from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.install import rbac

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
FORBIDDEN = {  # the words of docs/security.md -> verb, group, resource, subresource, name, and where
    "list Secrets": ("list", "", "secrets", "", "", ""),
    "read another Secret": ("get", "", "secrets", "", "seaway-storage", ""),
    "read the signing key": ("get", "", "secrets", "", "seaway-signing", ""),
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
    "open another way in": ("patch", "networking.istio.io", "gateways", "", "seaway", ""),
    "change a schedule": ("patch", "batch", "cronjobs", "", "flights-nightly", ""),
    "have Argo CD follow another repository": ("patch", "argoproj.io", "appprojects", "", "seaway", "argocd"),
    "look into every admission": (
        "create",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "",
        "",
        "",
    ),
}
CLUSTER_WIDE = {"nodes", "namespaces", "users", "mutatingwebhookconfigurations"}
METHODS = {"list": "GET", "get": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}
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


def attempt(connection: Connection, action: tuple[str, ...]) -> int:
    """The status of the request itself, which would change nothing if it were allowed."""
    verb, *_, name, _ = action
    method = METHODS.get(verb, "GET")
    headers = {"content-type": "application/merge-patch+json" if verb == "patch" else "application/json"}
    if verb == "impersonate":
        headers["impersonate-user"] = name
    try:
        connection.requests.call_api(
            path_of(action, connection.namespace),
            method,
            query_params=[("dryRun", "All")],
            header_params=headers,
            body={} if method in ("POST", "PATCH") else None,
            auth_settings=["BearerToken"],
        )
    except client.ApiException as error:
        return int(error.status)
    return 200


def path_of(action: tuple[str, ...], namespace: str) -> str:
    verb, group, resource, subresource, name, place = action
    if resource in CLUSTER_WIDE:
        root = f"/apis/{group}/v1" if group else "/api/v1"
        return f"{root}/{resource}/{namespace}" if resource == "namespaces" else f"{root}/{resource}"
    named = name or ("x" if subresource or verb == "patch" else "")
    return Resource(group, "v1", resource, "").path(place or namespace, named, subresource)


def test_the_page_lists_what_is_tested() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("\n| action |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert rows == list(FORBIDDEN)


def test_the_server_denies_each_of_them(connection: Connection) -> None:
    limited = as_account(connection, rbac.RULES)
    assert asked(limited, ALLOWED), "the review itself works"
    assert [words for words, action in FORBIDDEN.items() if asked(limited, action)] == []


def test_the_requests_themselves_are_refused(connection: Connection) -> None:
    limited = as_account(connection, rbac.RULES)
    assert attempt(limited, ALLOWED) in (400, 422), "allowed, but it is no job"
    assert {words: attempt(limited, action) for words, action in FORBIDDEN.items()} == dict.fromkeys(FORBIDDEN, 403)


def test_a_job_cannot_start_a_privileged_pod(connection: Connection) -> None:
    """The role may create jobs; Pod Security then refuses the pods that want more than `restricted` allows."""
    batch, core = client.BatchV1Api(connection.requests), client.CoreV1Api(connection.requests)
    container = {"name": "x", "image": "docker.io/seaway/none:v1", "securityContext": {"privileged": True}}
    template = {"spec": {"containers": [container], "restartPolicy": "Never", "hostNetwork": True}}
    with pytest.raises(client.ApiException, match="violates PodSecurity"):
        core.create_namespaced_pod(connection.namespace, {"metadata": {"name": "x"}, **template})
    job = {"metadata": {"name": "x"}, "spec": {"template": template}}
    _, _, headers = batch.create_namespaced_job_with_http_info(connection.namespace, job, dry_run="All")
    assert "violate PodSecurity" in headers["warning"]
