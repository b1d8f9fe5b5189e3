"""What a step costs: its own pods, whichever attempt, and those of the jobs that it launched."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import experiments
import jobs
import pytest
from controllers import playing
from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import NODE, RUN_LABEL
from seaway.platforms.kubernetes.client.resources import PODS
from seaway.platforms.kubernetes.jobs import batch_job, run_records
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.jobs.run_records import PodRecords
from seaway.platforms.kubernetes.jobs.started_pods import launched_kinds
from seaway.platforms.kubernetes.tuning import experiment
from seaway.reporting.run_steps import StepEnd
from seaway.reporting.usage import Prices

RUN = "6f1c-cost"
TRAIN, REPORT = "wf.root.train.executor", "wf.root.report.executor"
BEGAN = datetime(2026, 11, 29, 10, tzinfo=UTC)
KINDS = {kind.resource.kind: kind for kind in launched_kinds()}
MAIN = {"name": "main", "image": "none", "securityContext": jobs.RESTRICTED}
CPU_SECOND = Prices("EUR", cpu_hour=3600.0)


@pytest.fixture(scope="module", autouse=True)
def served(serve: Callable[..., None]) -> None:
    serve(*(kind.resource for kind in KINDS.values() if kind.resource != batch_job.KIND.resource))


@pytest.fixture(autouse=True)
def here(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the second attempt of the step that trains, of which each asks for a core."""
    monkeypatch.delenv("SEAWAY_PROMETHEUS_URL", raising=False)
    monkeypatch.setenv("KFP_POD_NAME", "train-1")
    monkeypatch.setattr(run_records, "connect", lambda: connection)
    for number, seconds in ((0, 7), (1, 100)):
        pod(connection, f"train-{number}", "1", seconds, node=f"{TRAIN}({number})")
    pod(connection, "report-0", "1", 5, node=f"{REPORT}(0)")


def pod(connection: Connection, name: str, cpu: str, seconds: float, node: str = "", **labels: str) -> None:
    """One that has ended after so many seconds on its node."""
    core = client.CoreV1Api(connection.requests)
    asked = {"requests": {"cpu": cpu}}
    marks = {"labels": {RUN_LABEL: RUN}, "annotations": {NODE: node}} if node else {"labels": labels}
    body = {"metadata": {"name": name, **marks}, "spec": {**NOBODY, "containers": [{**MAIN, "resources": asked}]}}
    core.create_namespaced_pod(connection.namespace, body)
    ended = (BEGAN + timedelta(seconds=seconds)).isoformat()
    terminated = {"exitCode": 0, "startedAt": BEGAN.isoformat(), "finishedAt": ended, "containerID": "none://1"}
    container = {"name": "main", "image": "none", "imageID": "none", "ready": False, "restartCount": 0}
    status = {"phase": "Succeeded", "startTime": BEGAN.isoformat()}
    told = {**status, "containerStatuses": [{**container, "state": {"terminated": terminated}}]}
    core.patch_namespaced_pod_status(name, connection.namespace, {"status": told})


NOBODY: dict[str, Any] = {"restartPolicy": "Never", "securityContext": jobs.NOBODY}


def manifest(kind: Kind, run: str = RUN) -> dict[str, Any]:
    """A job of that kind."""
    if kind.resource == experiment.RESOURCE:
        made = experiments.valid()
    else:
        own = next(one for resource, one in jobs.KINDS.items() if resource == kind.resource)
        made = copy.deepcopy(jobs.of_kind(own, "docker.io/seaway/none:v1", "true"))
    return stamp({**made, "metadata": {}}, Step(run, "step"), kind.suffix)


def carry_out(connection: Connection, kind: Kind, wanted: dict[str, Any]) -> None:
    """Launch it; its controller makes two pods, of three and five seconds on four cores, and ends it."""
    objects, name = Objects(connection), wanted["metadata"]["name"]

    def part() -> None:
        if objects.get(kind.resource, name) is None or objects.list(PODS, {"labelSelector": kind.pods(name)}).items:
            return
        for index, seconds in enumerate((3, 5)):
            pod(connection, f"{name}-{index}", "4", seconds, **{kind.pod_label: name})
        if kind.resource == batch_job.KIND.resource:
            jobs.complete(connection, name)
            return
        ends = [{"type": one, "status": "True", "reason": "Test", "message": "", "lastTransitionTime":
                 BEGAN.isoformat()} for one in ("Complete", "Succeeded")]  # fmt: skip
        resource = kind.resource
        client.CustomObjectsApi(connection.requests).patch_namespaced_custom_object_status(
            resource.group, resource.version, connection.namespace, resource.plural, name,
            {"status": {"conditions": ends}},
        )  # fmt: skip

    with playing(part):
        launch(kind, wanted, timeout_s=60, connection=connection)


def steps() -> dict[str, StepEnd]:
    return {step.title: step for step in PodRecords().steps(RUN)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_pods_of_what_a_step_launches_are_its_cost_with_those_of_its_earlier_attempts(
    connection: Connection, kind: Kind
) -> None:
    carry_out(connection, kind, manifest(kind))
    found = steps()
    assert sorted(seconds for _, seconds in found["train"].others if seconds) == [3.0, 5.0, 7.0]
    assert found["train"].seconds == 100.0
    assert CPU_SECOND.total(found["train"].spells) == pytest.approx(100 + 7 + 4 * (3 + 5))
    assert CPU_SECOND.total(found["report"].spells) == pytest.approx(5), "another step has launched nothing"


def test_a_job_of_another_run_is_none_of_this_one_s_cost(connection: Connection) -> None:
    kind = KINDS["Job"]
    carry_out(connection, kind, manifest(kind, "run-2"))
    assert CPU_SECOND.total(steps()["train"].spells) == pytest.approx(107)
