"""What the generated role permits: enough to run jobs, and nothing that is not needed."""

import logging
import time
from typing import Any

import jobs
import pytest
from installed import require_controller, require_served
from kubernetes import client, dynamic
from seaway.errors import Forbidden, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection, connection_of
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import Kind, State
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.training.pod.job import RemoteTraining

KINDS = {kind.resource: kind for kind in (batch_job.KIND, pytorchjob.KIND, trainjob.KIND)}
PERMISSIONS = list(rbac.permissions(rbac.JOBS))
SMALL = {"cpu": "10m", "memory": "64Mi", "shared_memory": "16Mi"}
TOKEN_S = 3600
SETTLED_S = 30  # an authorizer has seen a new role long before


def as_account(admin: Connection, rules: tuple[rbac.Permission, ...]) -> Connection:
    """The connection of the shipped ServiceAccount, whose role has these rules."""
    namespace, core = admin.namespace, client.CoreV1Api(admin.requests)
    roles = client.RbacAuthorizationV1Api(admin.requests)
    binding = rbac.role_binding()
    binding["subjects"][0]["namespace"] = namespace  # as kustomize does
    core.create_namespaced_service_account(namespace, rbac.service_account())
    roles.create_namespaced_role(namespace, rbac.role(rules))
    roles.create_namespaced_role_binding(namespace, binding)
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec([], expiration_seconds=TOKEN_S))
    token = core.create_namespaced_service_account_token(rbac.NAME, namespace, request).status.token
    given, settings = admin.requests.configuration, client.Configuration()
    settings.host, settings.ssl_ca_cert, settings.verify_ssl = given.host, given.ssl_ca_cert, given.verify_ssl
    settings.api_key = {"authorization": token}
    settings.api_key_prefix = {"authorization": "Bearer"}
    limited = connection_of(settings, namespace)
    await_authorizer(limited, rules)
    return limited


def await_authorizer(limited: Connection, rules: tuple[rbac.Permission, ...]) -> None:
    """Wait until the API server knows the role."""
    reviews = client.AuthorizationV1Api(limited.requests)
    resource = rules[0].resource
    attributes = client.V1ResourceAttributes(
        namespace=limited.namespace, group=resource.group, resource=resource.plural, verb=rules[0].verbs[0]
    )
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    deadline = time.monotonic() + SETTLED_S
    while not reviews.create_self_subject_access_review(review).status.allowed:
        assert time.monotonic() < deadline, "the role never came into force"
        time.sleep(0.05)


def manifest(kind: Kind, image: str, script: str) -> dict[str, Any]:
    """A job of `kind` that runs `script` in one pod."""
    of_job = jobs.manifest(image, script)
    if kind is batch_job.KIND:
        return of_job
    if kind is pytorchjob.KIND:
        pod = of_job["spec"]["template"]["spec"]
        pod["containers"][0]["name"] = pytorchjob.CONTAINER
        master = {"replicas": 1, "restartPolicy": "Never", "template": {"spec": {"containers": pod["containers"]}}}
        master["template"]["spec"]["securityContext"] = pod["securityContext"]
        body = {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "spec": {"pytorchReplicaSpecs": {"Master": master}},
        }
        return stamp(body, Step("run-1", "step"), kind.suffix)
    of_training = trainjob.build(training(), Placement(image, **SMALL))
    of_training["spec"]["trainer"]["command"] = ["sh", "-c", script]
    return stamp(of_training, Step("run-1", "step"), kind.suffix)


def training() -> RemoteTraining:
    uri = "s3://seaway/run"
    return RemoteTraining(f"{uri}/train", f"{uri}/validation", f"{uri}/model", f"{uri}/checkpoints", {"run": "0"}, "x")


class TestEnough:
    @pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.resource.kind)
    def test_a_job_runs_to_its_end(
        self, kind: Kind, cluster: dynamic.DynamicClient, connection: Connection, image: str, caplog: Any
    ) -> None:
        if kind is not batch_job.KIND:
            require_controller(cluster, kind.resource)
        told: list[str] = []
        limited = as_account(connection, rbac.RULES)
        if kind is trainjob.KIND:
            Objects(limited).apply(trainjob.RUNTIME, trainjob.build_runtime(training(), Placement(image, **SMALL)))
        wanted = manifest(kind, image, "echo hello; sleep 1")
        outcome = launch(kind, wanted, timeout_s=120, connection=limited, tell=lambda _, line: told.append(line))
        assert outcome.state is State.SUCCEEDED
        assert told == ["hello"]
        assert "Not allowed" not in caplog.text

    def test_a_job_that_takes_too_long_is_gone_with_its_pods(self, connection: Connection, image: str) -> None:
        limited = as_account(connection, rbac.RULES)
        with pytest.raises(TimedOut):
            launch(batch_job.KIND, manifest(batch_job.KIND, image, "sleep 1000"), timeout_s=3, connection=limited)
        assert Objects(connection).list(batch_job.KIND.resource).items == []
        assert Objects(connection).list(PODS).items == []

    def test_a_runtime_is_applied_twice(self, cluster: dynamic.DynamicClient, connection: Connection) -> None:
        require_served(cluster, trainjob.RUNTIME)
        limited = Objects(as_account(connection, rbac.RULES))
        for _ in range(2):
            limited.apply(trainjob.RUNTIME, trainjob.build_runtime(training(), Placement("image")))


@pytest.mark.parametrize("resource, verb", PERMISSIONS, ids=[f"{verb}-{kind.plural}" for kind, verb in PERMISSIONS])
def test_one_permission_fewer_is_told_by_its_name(
    resource: Resource,
    verb: str,
    cluster: dynamic.DynamicClient,
    connection: Connection,
    image: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_served(cluster, resource) if resource.group not in ("", "batch") else None
    limited = as_account(connection, rbac.without(resource, verb))
    missing = f"Not allowed to {verb} {resource.full_name} in namespace {connection.namespace}"
    if resource == trainjob.RUNTIME:
        with pytest.raises(Forbidden, match=missing):
            Objects(limited).apply(resource, trainjob.build_runtime(training(), Placement(image, **SMALL)))
        return
    kind = KINDS.get(resource, batch_job.KIND)
    if kind is trainjob.KIND:
        Objects(connection).apply(trainjob.RUNTIME, trainjob.build_runtime(training(), Placement(image, **SMALL)))
    if (resource, verb) == (PODS, "get"):  # asked only inside a pod, for who owns it
        monkeypatch.setenv("KFP_POD_NAME", "step")
    expected = TimedOut if verb == "delete" else Forbidden
    with pytest.raises(expected) as refused:
        launch(kind, manifest(kind, image, "sleep 5"), timeout_s=2 if verb == "delete" else 60, connection=limited)
    assert missing in (caplog.text if verb == "delete" else str(refused.value))
    assert f"kubectl auth can-i {verb} {resource.full_name}" in (caplog.text + str(refused.value))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "seaway")
