"""The Job controller and the kubelet, played: a test says what they do with the Jobs of its namespace, and when."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import jobs
from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS
from seaway.platforms.kubernetes.jobs import batch_job

LOOK_S = 0.05
GONE_OR_CHANGED = (404, 409)


def playing(part: Callable[[], object]) -> AbstractContextManager[None]:
    """`part`, again and again, until the block ends; what goes wrong in it is raised then."""

    def play(over: threading.Event) -> None:
        while not over.wait(LOOK_S):
            try:
                part()
            except client.ApiException as error:
                if error.status not in GONE_OR_CHANGED:  # meanwhile, as any controller meets: the next look sees it
                    raise

    return in_background(play)


@contextmanager
def in_background(play: Callable[[threading.Event], object]) -> Iterator[None]:
    """`play` in another thread, told when the block ends; what goes wrong in it is raised then."""
    over, wrong = threading.Event(), list[Exception]()

    def played() -> None:
        try:
            play(over)
        except Exception as error:  # noqa: BLE001
            wrong.append(error)

    player = threading.Thread(target=played)
    player.start()
    try:
        yield
    finally:
        over.set()
        player.join()
    if wrong:
        raise wrong[0]


def ending_jobs(
    connection: Connection,
    when: Callable[[], bool] = lambda: True,
    end: Callable[[Connection, str], None] = jobs.complete,
) -> AbstractContextManager[None]:
    """Each Job ends once `when` says so."""

    def part() -> None:
        for job in Objects(connection).list(batch_job.KIND.resource).items:
            if "deletionTimestamp" not in job["metadata"] and batch_job.KIND.outcome(job) is None and when():
                end(connection, job["metadata"]["name"])

    return playing(part)


def starting_pods(connection: Connection) -> AbstractContextManager[None]:
    """Each Job gets a pod, whose container has started."""

    def part() -> None:
        objects = Objects(connection)
        for job in objects.list(batch_job.KIND.resource).items:
            if not objects.list(PODS, {"labelSelector": batch_job.KIND.pods(job["metadata"]["name"])}).items:
                start_pod(connection, job)

    return playing(part)


def start_pod(connection: Connection, job: dict[str, Any]) -> None:
    core, name = client.CoreV1Api(connection.requests), job["metadata"]["name"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"]}
    owner |= {"controller": True, "blockOwnerDeletion": True}
    labels = {batch_job.KIND.pod_label: name}
    metadata = {"name": f"{name}-12345", "labels": labels, "ownerReferences": [owner]}
    core.create_namespaced_pod(connection.namespace, {"metadata": metadata, "spec": job["spec"]["template"]["spec"]})
    container = {"name": "main", "image": "none", "imageID": "none", "containerID": "none://1", "ready": True}
    running = {**container, "restartCount": 0, "state": {"running": {}}}
    status = {"status": {"phase": "Running", "containerStatuses": [running]}}
    core.patch_namespaced_pod_status(metadata["name"], connection.namespace, status)
