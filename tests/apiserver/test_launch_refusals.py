"""What the API server refuses, refused by the real one, and what the user is told."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import api_proxy
import jobs
import pytest
from accounts import as_account, as_bearer
from controllers import ending_jobs
from kubernetes import client
from seaway.errors import (
    AdmissionRefused,
    Forbidden,
    InvalidSpec,
    KindMissing,
    NamespaceUnavailable,
    NameTaken,
    ObjectDeleted,
    OperatorMissing,
    QuotaExceeded,
    SeawayError,
)
from seaway.platforms.kubernetes.client.connection import Connection, connection_of
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.training import pytorchjob

JOBS = batch_job.KIND.resource
UNHEARD = "seaway.dev/nobody"  # a controller that no cluster has


def run(kind: Kind, manifest: Any, connection: Connection, **options: Any) -> None:
    launch(kind, manifest, timeout_s=60, connection=connection, **options)


def account(connection: Connection, lost: Resource, verb: str) -> Connection:
    """The connection of a ServiceAccount that may do all that a step does, but one thing."""
    return as_account(connection, rbac.without(lost, verb))


def left(connection: Connection) -> list[dict[str, Any]]:
    return Objects(connection).list(JOBS).items


@pytest.mark.parametrize(("lost", "verb"), [(JOBS, "get"), (JOBS, "create"), (JOBS, "watch"), (PODS, "list")])
def test_403_names_the_rule_and_is_never_taken_for_not_found(
    connection: Connection, image: str, lost: Resource, verb: str
) -> None:
    limited = account(connection, lost, verb)
    rule = f"{verb} {lost.full_name}"
    with pytest.raises(Forbidden, match=rf"(?s)Not allowed to {rule}.*kubectl auth can-i {rule}"):
        run(batch_job.KIND, jobs.manifest(image, "true"), limited)


def test_403_on_the_watch_leaves_no_job_behind(connection: Connection, image: str) -> None:
    with pytest.raises(Forbidden):
        run(batch_job.KIND, jobs.manifest(image, "sleep 600"), account(connection, JOBS, "watch"))
    assert left(connection) == []


def test_credentials_that_are_not_accepted(connection: Connection, image: str) -> None:
    with pytest.raises(Forbidden, match="kubectl auth whoami"):
        run(batch_job.KIND, jobs.manifest(image, "true"), as_bearer(connection, "expired"))


def test_a_kind_that_is_not_installed(connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    resource = Resource("seaway.dev", "v1", "sailings", "Sailing")
    kind = replace(batch_job.KIND, resource=resource)
    sailing = stamp({"apiVersion": "seaway.dev/v1", "kind": "Sailing", "spec": {}}, Step("run-1", "step"))
    with pytest.raises(KindMissing, match=r"kubectl get crd sailings\.seaway\.dev"):
        run(kind, sailing, connection)
    assert "may still run" not in caplog.text


def test_an_object_that_nothing_takes_up(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "true", managedBy=UNHEARD)
    with pytest.raises(OperatorMissing, match=r"within 2 s: the Job controller"):
        run(batch_job.KIND, manifest, connection, patience=Patience(operator_s=2))
    assert left(connection) == []


def test_preflight_refuses_the_same_without_a_request(
    proxied: Connection, proxy: api_proxy.ApiProxy, image: str
) -> None:
    with pytest.raises(InvalidSpec, match="pytorch"):
        run(pytorchjob.KIND, jobs.pytorch_job(image, "true", "trainer"), proxied)
    assert proxy.requests == []


def test_a_misspelt_field_is_refused_rather_than_dropped(connection: Connection, image: str) -> None:
    with pytest.raises(InvalidSpec, match="backOffLimit"):
        run(batch_job.KIND, jobs.manifest(image, "true", backOffLimit=3), connection)


def test_a_value_that_the_server_does_not_accept(connection: Connection, image: str) -> None:
    with pytest.raises(InvalidSpec, match=r"spec.parallelism.*kubectl explain jobs.batch"):
        run(batch_job.KIND, jobs.manifest(image, "true", parallelism=-1), connection)


def test_a_quota_that_is_used_up(connection: Connection, image: str) -> None:
    quota = {"metadata": {"name": "jobs"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    core = client.CoreV1Api(connection.requests)
    core.create_namespaced_resource_quota(connection.namespace, quota)
    used = {"hard": {"count/jobs.batch": "0"}, "used": {"count/jobs.batch": "0"}}  # as its controller would write
    core.patch_namespaced_resource_quota_status("jobs", connection.namespace, {"status": used})
    with pytest.raises(QuotaExceeded, match="kubectl describe resourcequota -n"):
        run(batch_job.KIND, jobs.manifest(image, "true"), connection)


@pytest.fixture
def terminating(connection: Connection) -> Iterator[Connection]:
    """A namespace that is being deleted, and waits for a finalizer."""
    core, name = client.CoreV1Api(connection.requests), f"{connection.namespace}-ending"
    core.create_namespace({"metadata": {"name": name}})
    held = {"metadata": {"name": "held", "finalizers": ["seaway.dev/test"]}}
    core.create_namespaced_config_map(name, held)
    core.delete_namespace(name)
    yield replace(connection, namespace=name)
    core.patch_namespaced_config_map("held", name, {"metadata": {"finalizers": None}})


def test_a_namespace_that_is_being_deleted(terminating: Connection, image: str) -> None:
    with pytest.raises(NamespaceUnavailable, match=r"is being deleted.*kubectl get namespace"):
        run(batch_job.KIND, jobs.manifest(image, "true"), terminating)


def test_a_namespace_that_does_not_exist(connection: Connection, image: str) -> None:
    with pytest.raises(NamespaceUnavailable, match="kubectl create namespace nowhere"):
        run(batch_job.KIND, jobs.manifest(image, "true"), replace(connection, namespace="nowhere"))


def test_a_job_deleted_while_it_is_waited_for(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "sleep 600")
    deleting = ending_jobs(connection, end=lambda _, name: Objects(connection).delete(JOBS, name))
    with deleting, pytest.raises(ObjectDeleted, match="deleted by somebody else"):
        run(batch_job.KIND, manifest, connection)


def test_a_creation_whose_answer_is_lost_is_found_again(
    proxied: Connection, proxy: api_proxy.ApiProxy, connection: Connection, image: str
) -> None:
    """The server has created the job; the second attempt is answered 409 AlreadyExists, by our own job."""
    proxy.inject(lambda request: request.method == "POST", lose_answer=True)
    with ending_jobs(connection):
        run(batch_job.KIND, jobs.manifest(image, "true"), proxied)
    assert [request.method for request in proxy.requests].count("POST") == 2
    assert len(left(proxied)) == 1


def test_another_run_that_takes_the_name_at_the_same_moment(
    proxied: Connection, proxy: api_proxy.ApiProxy, image: str
) -> None:
    """We look and find nothing, they create, we create: 409, and their job is as it was."""
    ours, theirs = jobs.manifest(image, "true", run="run-1"), jobs.manifest(image, "sleep 600", run="run-2")
    theirs["metadata"]["name"] = ours["metadata"]["name"]
    made = []

    def overtaken(request: api_proxy.Request) -> bool:
        if request.method == "POST" and not made:
            made.append(Objects(replace(direct, namespace=proxied.namespace)).create(JOBS, theirs))
        return False

    direct = _direct(proxy, proxied)
    proxy.inject(overtaken)
    with pytest.raises(NameTaken, match="belongs to run run-2"):
        run(batch_job.KIND, ours, proxied)
    (kept,) = left(proxied)
    assert kept["metadata"]["uid"] == made[0]["metadata"]["uid"]


def _direct(proxy: api_proxy.ApiProxy, proxied: Connection) -> Connection:
    return connection_of(proxy.upstream, proxied.namespace)


def test_a_race_lost_inside_the_server_is_tried_again(
    proxied: Connection, proxy: api_proxy.ApiProxy, connection: Connection, image: str
) -> None:
    """409 Conflict of a quota that two requests raised at once."""
    proxy.inject(lambda request: request.method == "POST", code=409, reason="Conflict", message="object was modified")
    with ending_jobs(connection):
        run(batch_job.KIND, jobs.manifest(image, "true"), proxied)
    assert len(left(proxied)) == 1


def test_apply_leaves_a_field_that_another_owner_manages(connection: Connection) -> None:
    core = client.CoreV1Api(connection.requests)
    core.create_namespaced_config_map(
        connection.namespace, {"metadata": {"name": "shared"}, "data": {"mode": "theirs"}}, field_manager="them"
    )
    maps = Resource("", "v1", "configmaps", "ConfigMap")
    ours = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": {"mode": "ours"}}
    with pytest.raises(NameTaken, match=r"data.mode.*them"):
        Objects(connection).apply(maps, ours)
    assert core.read_namespaced_config_map("shared", connection.namespace).data == {"mode": "theirs"}


def test_a_webhook_that_does_not_answer_is_named(connection: Connection) -> None:
    admission = client.AdmissionregistrationV1Api(connection.requests)
    name, selector = f"{connection.namespace}.seaway.dev", {"kubernetes.io/metadata.name": connection.namespace}
    hook = {
        "name": name,
        "clientConfig": {"service": {"name": "nobody", "namespace": connection.namespace}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
        "namespaceSelector": {"matchLabels": selector},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
    }
    admission.create_validating_webhook_configuration({"metadata": {"name": name}, "webhooks": [hook]})
    try:
        maps = Resource("", "v1", "configmaps", "ConfigMap")
        wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any"}}
        error = _refusal(Objects(replace(connection, outage_s=1)), maps, wanted)
    finally:
        admission.delete_validating_webhook_configuration(name)
    assert isinstance(error, AdmissionRefused)
    assert f"admission webhook {name} does not answer" in str(error)


def _refusal(objects: Objects, resource: Resource, manifest: dict[str, Any]) -> SeawayError | None:
    """A new webhook is heeded within about a second of its creation."""
    for number in range(50):
        metadata = {**manifest["metadata"], "name": f"any-{number}"}
        try:
            objects.create(resource, {**manifest, "metadata": metadata})
        except SeawayError as error:
            return error
        time.sleep(0.1)
    return None
