"""A job that Kueue holds: told as waiting, with the reason and the place; its waiting is no running."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import api_proxy
import jobs
import pytest
from controllers import playing
from kueue import FULL, GAVE_WAY, Kueue, workload
from seaway.errors import KindMissing
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.jobs import batch_job, stopwatch
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.jobs.queueing import WORKLOADS, place, queued, unplaced
from seaway.platforms.kubernetes.training import trainjob

HOUR_S = 3600.0
QUEUE = "night"


@pytest.fixture(scope="module", autouse=True)
def served(serve: Callable[..., None]) -> None:
    serve(WORKLOADS[0])


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "seaway")


class Clock:
    """The stopwatch's own time, which a test moves."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", clock)
    return clock


def held(image: str, queue: str = QUEUE) -> dict[str, Any]:
    """A Job as Kueue's webhook lets it in."""
    return queued(jobs.manifest(image, "true", suspend=True), queue)


def acts(caplog: pytest.LogCaptureFixture, *script: tuple[str, Callable[[], object]]) -> Callable[[], None]:
    """Each act once the log tells what it waits for."""
    left: Iterator[tuple[str, Callable[[], object]]] = iter(script)
    coming = [next(left)]

    def part() -> None:
        told, act = coming[0]
        if told in caplog.text:
            act()
            coming[0] = next(left, ("never told", lambda: None))

    return part


def test_a_queued_job_is_told_as_waiting_gives_way_and_its_waiting_is_not_counted(
    connection: Connection, image: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    kueue, manifest = Kueue(connection), held(image)
    name = manifest["metadata"]["name"]

    def later(act: Callable[[], object]) -> Callable[[], object]:
        def acted() -> None:
            clock.ahead_s += HOUR_S
            act()

        return acted

    play = acts(
        caplog,
        (f"waits in queue {QUEUE} at place 1 of 1: Pending: {FULL}", later(kueue.admit)),
        ("may run, after 36", kueue.preempt),
        (f"waits in queue {QUEUE} at place 1 of 1: Preempted: {GAVE_WAY}", later(kueue.admit)),
        ("may run, after 72", lambda: jobs.complete(connection, name)),
    )
    with playing(kueue.take_up), playing(play):
        outcome = launch(batch_job.KIND, manifest, timeout_s=600, connection=connection)
    assert outcome.object["metadata"]["name"] == name
    assert caplog.text.count("waits in queue") <= 3, "the same is told once"


def test_the_place_in_the_queue_is_told_where_it_can_be_read(
    proxied: Connection,
    proxy: api_proxy.ApiProxy,
    connection: Connection,
    image: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kueue, manifest = Kueue(connection), held(image)
    name = manifest["metadata"]["name"]
    places = [
        {"metadata": {"name": one}, "positionInLocalQueue": place}
        for place, one in enumerate(("job-other", f"job-{name}", "job-third"))
    ]
    path = f"/namespaces/{connection.namespace}/localqueues/{QUEUE}/pendingworkloads"
    proxy.inject(lambda request: request.path.endswith(path), code=200, body={"items": places}, times=1000)
    play = acts(
        caplog,
        (f"waits in queue {QUEUE} at place 2 of 3: Pending", kueue.admit),
        ("may run", lambda: jobs.complete(connection, name)),
    )
    with playing(kueue.take_up), playing(play):
        launch(batch_job.KIND, manifest, timeout_s=600, connection=proxied)


def test_without_its_visibility_api_the_place_is_counted(
    connection: Connection, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By priority, then by age, of those of the queue that wait."""
    kueue, manifest, objects = Kueue(connection), held(image), Objects(connection)
    name = manifest["metadata"]["name"]
    of_others = {"first": {"priority": 5}, "elsewhere": {"priority": 9, "queueName": "day"},
                 "stopped": {"priority": 9, "active": False}, "last": {"priority": -1}}  # fmt: skip
    for other, spec in of_others.items():
        made = workload({"metadata": {"name": other, "uid": other, "labels": manifest["metadata"]["labels"]}})
        del made["metadata"]["ownerReferences"]
        objects.create(WORKLOADS[0], {**made, "spec": {**made["spec"], **spec}})
    play = acts(
        caplog,
        (f"waits in queue {QUEUE} at place 2 of 3: Pending", kueue.admit),
        ("may run", lambda: jobs.complete(connection, name)),
    )
    with playing(kueue.take_up), playing(play):
        launch(batch_job.KIND, manifest, timeout_s=600, connection=connection)
    assert place(objects, QUEUE, {"metadata": {"name": "job-first"}}) == "", "all have their quota by now"


def test_a_trainjob_without_the_field_that_kueue_writes_flavors_into_is_told(
    serve: Callable[..., None], proxied: Connection, proxy: api_proxy.ApiProxy, connection: Connection, image: str
) -> None:
    serve(trainjob.RESOURCE)
    manifest = queued(jobs.of_kind(trainjob.KIND, image, "true"), QUEUE)
    told = unplaced(Objects(connection), trainjob.KIND, manifest)
    assert "TrainJobs have no spec.podTemplateOverrides" in told
    assert Objects(connection).list(trainjob.RESOURCE).items == [], "it is asked, and nothing is made"
    assert unplaced(Objects(connection), trainjob.KIND, queued(manifest, "")) != "", "its label stays"
    assert unplaced(Objects(connection), trainjob.KIND, jobs.of_kind(trainjob.KIND, image, "true")) == ""
    assert unplaced(Objects(connection), batch_job.KIND, held(image)) == ""
    proxy.inject(lambda request: request.method == "POST", code=201, body=manifest, times=1)
    assert unplaced(Objects(proxied), trainjob.KIND, manifest) == "", "an earlier Trainer has the field"


def test_a_job_that_somebody_suspends_waits_without_a_queue(
    connection: Connection, image: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = held(image, queue="")
    name, batch = manifest["metadata"]["name"], Kueue(connection).batch

    def resume() -> None:
        clock.ahead_s += HOUR_S
        batch.patch_namespaced_job(name, connection.namespace, {"spec": {"suspend": False}})

    play = acts(
        caplog,
        ("is suspended and waits for somebody", resume),
        ("may run", lambda: jobs.complete(connection, name)),
    )
    with playing(play):
        launch(batch_job.KIND, manifest, timeout_s=600, connection=connection)


def test_a_queue_without_kueue_is_told_before_anything_is_made(
    proxied: Connection, proxy: api_proxy.ApiProxy, connection: Connection, image: str
) -> None:
    proxy.inject(lambda request: request.path.startswith("/apis/kueue.x-k8s.io"), code=404, times=1000)
    with pytest.raises(KindMissing, match="Kueue is not installed"):
        launch(batch_job.KIND, queued(jobs.manifest(image, "true"), QUEUE), timeout_s=60, connection=proxied)
    assert Objects(connection).list(batch_job.KIND.resource).items == []


def test_a_kueue_of_an_earlier_version_is_asked_in_its_own(
    proxied: Connection, proxy: api_proxy.ApiProxy, connection: Connection, image: str
) -> None:
    """It serves v1beta1 only: the watch goes there, and no other."""
    proxy.inject(lambda request: request.path == "/apis/kueue.x-k8s.io/v1beta2", code=404, times=1000)
    listed = {"kind": "APIResourceList", "resources": [{"name": "workloads"}]}
    proxy.inject(lambda request: request.path == "/apis/kueue.x-k8s.io/v1beta1", code=200, body=listed, times=1000)
    with pytest.raises(KindMissing, match="v1beta1"):
        launch(batch_job.KIND, queued(jobs.manifest(image, "true"), QUEUE), timeout_s=60, connection=proxied)
    assert not any("v1beta2/namespaces" in request.path for request in proxy.requests if "kueue" in request.path)
