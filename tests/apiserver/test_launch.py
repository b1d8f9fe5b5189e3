"""Whose job is it: created, taken up again, started anew, or left alone, by what the API server has."""

import time
from typing import Any

import jobs
import pytest
from controllers import ending_jobs, playing
from kubernetes import client
from seaway.errors import JobFailed, NameTaken, ObjectDeleted, TimedOut
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.naming import RUN, SPEC
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import cancel, launch
from seaway.platforms.kubernetes.jobs.wait import JobWait, Patience

JOBS = batch_job.KIND.resource
HELD = "seaway.dev/test"  # a finalizer


def all_jobs(connection: Connection) -> list[dict[str, Any]]:
    return Objects(connection).list(JOBS).items


def test_a_step_run_again_takes_the_job_that_has_succeeded(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "echo once")
    with ending_jobs(connection):
        first = launch(batch_job.KIND, manifest, timeout_s=60, connection=connection)
    second = launch(batch_job.KIND, manifest, timeout_s=60, connection=connection)
    assert first.object["metadata"]["uid"] == second.object["metadata"]["uid"]


def test_a_step_run_again_after_a_failure_starts_the_job_anew(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "exit 1")
    attempts = []
    for _ in range(2):
        with ending_jobs(connection, end=jobs.fail), pytest.raises(JobFailed):
            launch(batch_job.KIND, manifest, timeout_s=60, connection=connection)
        attempts += all_jobs(connection)
    first, second = attempts
    assert first["metadata"]["name"] == second["metadata"]["name"]
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


def test_a_name_of_another_run_is_left_alone(connection: Connection, image: str) -> None:
    ours, theirs = (jobs.manifest(image, "sleep 600", run=run) for run in ("run-1", "run-2"))
    theirs["metadata"]["name"] = ours["metadata"]["name"]
    made = Objects(connection).create(batch_job.KIND.resource, theirs)
    with pytest.raises(NameTaken, match="belongs to run run-2"):
        launch(batch_job.KIND, ours, timeout_s=60, connection=connection)
    (left,) = all_jobs(connection)
    assert left["metadata"]["uid"] == made["metadata"]["uid"]
    assert "deletionTimestamp" not in left["metadata"]


def test_what_another_run_has_put_in_our_place_is_not_cancelled(connection: Connection, image: str) -> None:
    ours, theirs = (jobs.manifest(image, "sleep 600", run=run) for run in ("run-1", "run-2"))
    name = theirs["metadata"]["name"] = ours["metadata"]["name"]
    objects = Objects(connection)
    objects.create(JOBS, theirs)
    with JobWait(objects, batch_job.KIND, name, lambda pod, line: None, 60.0, Patience()) as wait:
        cancel(wait, ours)
    (left,) = all_jobs(connection)
    assert "deletionTimestamp" not in left["metadata"]


def test_two_runs_with_the_same_step_and_spec_have_a_job_each(connection: Connection, image: str) -> None:
    with ending_jobs(connection):
        for run in ("run-1", "run-2"):
            launch(batch_job.KIND, jobs.manifest(image, "true", run=run), timeout_s=60, connection=connection)
    assert len(all_jobs(connection)) == 2


def test_a_job_of_this_run_from_another_spec_is_left_alone(connection: Connection, image: str) -> None:
    """It has our name and run, and does something else: what it makes is not what this step wants."""
    ours = jobs.manifest(image, "true")
    other = jobs.manifest(image, "echo other")
    other["metadata"]["name"] = ours["metadata"]["name"]
    made = Objects(connection).create(JOBS, other)
    with ending_jobs(connection), pytest.raises(NameTaken, match="made from another spec"):
        launch(batch_job.KIND, ours, timeout_s=60, connection=connection)
    (left,) = all_jobs(connection)
    assert left["metadata"]["uid"] == made["metadata"]["uid"]
    assert left["metadata"]["annotations"][SPEC] == other["metadata"]["annotations"][SPEC]


def test_a_job_whose_deletion_has_begun_is_waited_for_and_started_anew(connection: Connection, image: str) -> None:
    manifest = jobs.manifest(image, "true")
    objects = Objects(connection)
    before = objects.create(JOBS, {**manifest, "metadata": {**manifest["metadata"], "finalizers": [HELD]}})
    objects.delete(JOBS, manifest["metadata"]["name"])

    def let_go() -> None:
        held = objects.get(JOBS, manifest["metadata"]["name"])
        if held and HELD in held["metadata"].get("finalizers", ()):
            batch = client.BatchV1Api(connection.requests)
            batch.patch_namespaced_job(
                held["metadata"]["name"], connection.namespace, {"metadata": {"finalizers": None}}
            )

    with playing(let_go), ending_jobs(connection):
        outcome = launch(batch_job.KIND, manifest, timeout_s=60, connection=connection)
    assert outcome.object["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_job_that_is_cancelled_is_gone_when_the_step_ends(connection: Connection, image: str) -> None:
    with pytest.raises(TimedOut, match="it has no pods"):
        launch(batch_job.KIND, jobs.manifest(image, "true"), timeout_s=1, connection=connection)
    assert all_jobs(connection) == []


def test_a_job_that_another_run_has_put_in_the_place_of_ours_is_not_cancelled(
    connection: Connection, image: str
) -> None:
    """Ours was deleted and theirs created while we waited: what we end is ours only."""
    ours, theirs = jobs.manifest(image, "true"), jobs.manifest(image, "true", run="run-2")
    theirs["metadata"]["name"] = ours["metadata"]["name"]
    objects = Objects(connection)

    def replace_by_theirs(connection: Connection, name: str) -> None:
        objects.delete(JOBS, name)
        while objects.get(JOBS, name):
            time.sleep(0.05)
        objects.create(JOBS, theirs)

    def is_ours() -> bool:
        return any(job["metadata"]["labels"][RUN] == "run-1" for job in all_jobs(connection))

    replacing = ending_jobs(connection, when=is_ours, end=replace_by_theirs)
    with replacing, pytest.raises(ObjectDeleted):
        launch(batch_job.KIND, ours, timeout_s=60, connection=connection)
    (left,) = all_jobs(connection)
    assert left["metadata"]["labels"][RUN] == "run-2"
    assert "deletionTimestamp" not in left["metadata"]
