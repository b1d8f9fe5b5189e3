"""The life of a job with real pods; what needs none is in tests/apiserver."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jobs
import pytest
from kubernetes import client
from seaway.errors import JobFailed, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import State
from seaway.platforms.kubernetes.jobs.launch import launch

STEP = Path(jobs.__file__).parent / "cluster" / "launching_step.py"
UNTIL_TOLD = 60  # seconds for what a loop waits for; a test that needs it has failed


def wait_for(condition: Any) -> Any:
    deadline = time.monotonic() + UNTIL_TOLD
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)
    return found


class StepProcess:
    """A step in a process of its own."""

    def __init__(self, connection: Connection, manifest: dict[str, Any], folder: Path) -> None:
        self.log = folder / "step.log"
        (folder / "manifest.json").write_text(json.dumps(manifest))
        command = [sys.executable, str(STEP), str(folder / "manifest.json"), connection.namespace]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def says(self, text: str) -> None:
        wait_for(lambda: text in self.log.read_text() or self.process.poll() is not None)
        assert text in self.log.read_text(), self.log.read_text()

    def end(self) -> int:
        return self.process.wait(UNTIL_TOLD)


@pytest.fixture
def start(connection: Connection, tmp_path: Path) -> Iterator[Any]:
    steps: list[StepProcess] = []

    def start_step(manifest: dict[str, Any]) -> StepProcess:
        steps.append(StepProcess(connection, manifest, tmp_path))
        return steps[-1]

    yield start_step
    for step in steps:
        step.process.kill()
        step.process.wait()


def all_jobs(connection: Connection) -> list[dict[str, Any]]:
    return Objects(connection).list(batch_job.KIND.resource).items


def all_pods(connection: Connection) -> list[dict[str, Any]]:
    return Objects(connection).list(PODS).items


def test_the_lines_of_a_job_come_with_the_name_of_its_pod(connection: Connection, image: str) -> None:
    told: list[tuple[str, str]] = []
    script = "for i in 1 2 3; do echo line $i; sleep 0.2; done; printf unfinished"
    manifest = jobs.manifest(image, script)
    outcome = launch(
        batch_job.KIND, manifest, timeout_s=60, connection=connection, tell=lambda *said: told.append(said)
    )
    (pod,) = all_pods(connection)
    assert outcome.state is State.SUCCEEDED
    assert told == [(pod["metadata"]["name"], line) for line in ("line 1", "line 2", "line 3", "unfinished")]


def test_a_failed_job_is_an_error_with_the_last_lines_of_the_pod(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "echo no such column; exit 3")
    with pytest.raises(JobFailed, match=r"(?s)exit code 3.*no such column.*kubectl describe jobs.batch run-1-step-"):
        launch(batch_job.KIND, manifest, timeout_s=60, connection=connection)


def test_a_step_killed_and_restarted_goes_on_with_its_one_job(connection: Connection, image: str, start: Any) -> None:
    manifest = jobs.manifest(image, "for i in $(seq 100); do echo line $i; sleep 0.1; done")
    first = start(manifest)
    first.says("line 3")
    (before,) = all_jobs(connection)
    os.kill(first.process.pid, signal.SIGKILL)
    first.end()
    second = start(manifest)
    assert second.end() == 0
    (after,) = all_jobs(connection)
    assert before["metadata"]["uid"] == after["metadata"]["uid"]
    assert len(all_pods(connection)) == 1
    assert "line 100" in second.log.read_text()


def test_sigterm_ends_the_job_and_its_pods_before_the_step(connection: Connection, image: str, start: Any) -> None:
    step = start(jobs.manifest(image, "echo started; sleep 600"))
    step.says("started")
    step.process.terminate()
    assert step.end() == 128 + signal.SIGTERM
    assert all_jobs(connection) == []
    assert all_pods(connection) == []


def test_a_job_out_of_time_is_deleted_with_its_pods(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "sleep 600")
    with pytest.raises(TimedOut, match="within 3 s"):
        launch(batch_job.KIND, manifest, timeout_s=3, connection=connection)
    assert all_jobs(connection) == []
    assert all_pods(connection) == []


def test_a_job_does_not_outlive_the_workflow_of_its_run(
    connection: Connection, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = client.CoreV1Api(connection.requests)
    workflow = core.create_namespaced_config_map(connection.namespace, {"metadata": {"name": "workflow"}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "workflow", "uid": workflow.metadata.uid}
    template = jobs.manifest(image, "sleep 600")["spec"]["template"]["spec"]
    step = {"metadata": {"name": "step-pod", "ownerReferences": [{**owner, "controller": True}]}, "spec": template}
    core.create_namespaced_pod(connection.namespace, step)
    monkeypatch.setenv("KFP_POD_NAME", "step-pod")
    launch(batch_job.KIND, jobs.manifest(image, "true"), timeout_s=60, connection=connection)
    (made,) = all_jobs(connection)
    assert made["metadata"]["ownerReferences"] == [owner]
    core.delete_namespaced_config_map("workflow", connection.namespace)
    wait_for(lambda: all_jobs(connection) == [])
