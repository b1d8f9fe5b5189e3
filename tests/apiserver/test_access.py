"""The generated role permits nothing that is not needed: each permission that is missing is told by its name."""

import logging
from collections.abc import Callable

import jobs
import pytest
from accounts import as_account
from controllers import starting_pods
from seaway.errors import Forbidden, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.jobs import batch_job, queueing
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.training import pytorchjob, rayjob, trainjob

WORKLOADS, PLACES = queueing.WORKLOADS[0], queueing.PLACES[0]
# Without the place in a queue a job waits as well: tests/apiserver/test_queueing.py
PERMISSIONS = [rule for rule in rbac.permissions(rbac.JOBS) if rule[0] != PLACES]


@pytest.fixture(scope="module", autouse=True)
def served(serve: Callable[..., None]) -> None:
    serve(pytorchjob.RESOURCE, trainjob.RESOURCE, trainjob.RUNTIME, rayjob.RESOURCE, WORKLOADS)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "seaway")


def test_a_runtime_is_applied_twice(connection: Connection, image: str) -> None:
    limited = Objects(as_account(connection, rbac.RULES))
    for _ in range(2):
        limited.apply(trainjob.RUNTIME, jobs.runtime(image))


@pytest.mark.parametrize("resource, verb", PERMISSIONS, ids=[f"{verb}-{kind.plural}" for kind, verb in PERMISSIONS])
def test_one_permission_fewer_is_told_by_its_name(
    resource: Resource,
    verb: str,
    connection: Connection,
    image: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limited = as_account(connection, rbac.without(resource, verb))
    missing = f"Not allowed to {verb} {resource.full_name} in namespace {connection.namespace}"
    if resource == trainjob.RUNTIME:
        with pytest.raises(Forbidden, match=missing):
            Objects(limited).apply(resource, jobs.runtime(image))
        return
    kind = jobs.KINDS.get(resource, batch_job.KIND)
    if kind is trainjob.KIND:
        Objects(connection).apply(trainjob.RUNTIME, jobs.runtime(image))
    if (resource, verb) == (PODS, "get"):  # asked only inside a pod, for who owns it
        monkeypatch.setenv("KFP_POD_NAME", "step")
    manifest = queueing.queued(jobs.of_kind(kind, image, "true"), "night" if resource == WORKLOADS else "")
    expected = TimedOut if verb == "delete" else Forbidden
    with starting_pods(connection), pytest.raises(expected) as refused:
        launch(kind, manifest, timeout_s=2 if verb == "delete" else 60, connection=limited)
    assert missing in (caplog.text if verb == "delete" else str(refused.value))
    assert f"kubectl auth can-i {verb} {resource.full_name}" in (caplog.text + str(refused.value))
