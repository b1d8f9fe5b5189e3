"""The generated role permits enough to run jobs: what it lacks is told in tests/apiserver/test_access.py."""

import logging
from typing import Any

import jobs
import pytest
from accounts import as_account
from installed import require_controller
from kubernetes import dynamic
from seaway.errors import TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import Kind, State
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.training import trainjob


class TestEnough:
    @pytest.mark.parametrize("kind", jobs.KINDS.values(), ids=lambda kind: kind.resource.kind)
    def test_a_job_runs_to_its_end(
        self, kind: Kind, cluster: dynamic.DynamicClient, connection: Connection, image: str, caplog: Any
    ) -> None:
        if kind is not batch_job.KIND:
            require_controller(cluster, kind.resource)
        told: list[str] = []
        limited = as_account(connection, rbac.RULES)
        if kind is trainjob.KIND:
            Objects(limited).apply(trainjob.RUNTIME, jobs.runtime(image))
        wanted = jobs.of_kind(kind, image, "echo hello; sleep 1")
        outcome = launch(kind, wanted, timeout_s=120, connection=limited, tell=lambda _, line: told.append(line))
        assert outcome.state is State.SUCCEEDED
        assert told == ["hello"]
        assert "Not allowed" not in caplog.text

    def test_a_job_that_takes_too_long_is_gone_with_its_pods(self, connection: Connection, image: str) -> None:
        limited = as_account(connection, rbac.RULES)
        with pytest.raises(TimedOut):
            launch(batch_job.KIND, jobs.manifest(image, "sleep 1000"), timeout_s=3, connection=limited)
        assert Objects(connection).list(batch_job.KIND.resource).items == []
        assert Objects(connection).list(PODS).items == []


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "seaway")
