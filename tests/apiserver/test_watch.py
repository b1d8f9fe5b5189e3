"""The watch goes on: closed, broken, expired, refused, through an outage; and one serves all who wait."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from queue import SimpleQueue
from typing import Any

import jobs
import pytest
from api_proxy import ApiProxy, Request
from controllers import ending_jobs, playing
from seaway.errors import Forbidden, ObjectDeleted, ServerGone
from seaway.platforms.kubernetes.client import informer
from seaway.platforms.kubernetes.client.backoff import Backoff
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.informer import NARROW, Selector, SharedInformer, subscribed
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import Outcome, State
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES

JOBS = batch_job.KIND.resource


def watches_jobs(request: Request) -> bool:
    return request.watch and request.path.endswith("/jobs")


def lists_jobs(request: Request) -> bool:
    return request.method == "GET" and not request.watch and request.path.endswith("/jobs")


def run(connection: Connection, manifest: Any, timeout_s: float = 90) -> Outcome:
    return launch(batch_job.KIND, manifest, timeout_s=timeout_s, connection=connection)


def watches(proxy: ApiProxy) -> list[Request]:
    return [request for request in proxy.requests if watches_jobs(request)]


def test_an_expired_watch_lists_anew(proxied: Connection, proxy: ApiProxy, connection: Connection, image: str) -> None:
    fault = proxy.inject(watches_jobs, code=410, reason="Expired", message="too old resource version", times=3)
    with ending_jobs(connection, when=lambda: not fault.times):
        assert run(proxied, jobs.manifest(image, "true")).state is State.SUCCEEDED
    assert sum(map(lists_jobs, proxy.requests)) == 4


def test_a_watch_that_expires_after_it_was_opened_lists_anew(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    fault = proxy.inject(
        watches_jobs, code=410, reason="Expired", message="too old resource version", event=True, times=3
    )
    with ending_jobs(connection, when=lambda: not fault.times):
        assert run(proxied, jobs.manifest(image, "true")).state is State.SUCCEEDED


def test_a_deletion_that_falls_into_the_gap_of_an_expired_watch_is_noticed(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    """The watch is cut, each that follows has expired, and the job is deleted: only a list can tell."""

    def delete_unseen(connection: Connection, name: str) -> None:
        proxy.inject(watches_jobs, code=410, reason="Expired", message="too old resource version", times=10**6)
        proxy.cut()
        Objects(connection).delete(JOBS, name)

    deleting = ending_jobs(connection, when=lambda: bool(watches(proxy)), end=delete_unseen)
    with deleting, pytest.raises(ObjectDeleted):
        run(proxied, jobs.manifest(image, "true"))


@pytest.mark.parametrize("seen", [True, False], ids=["seen before", "never seen"])
def test_a_job_that_another_run_has_replaced_unseen_is_not_waited_for(
    seen: bool, proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    """What a list then has is of the name of ours, and theirs."""
    theirs = jobs.manifest(image, "true", run="run-2")
    theirs["metadata"]["name"] = jobs.manifest(image, "true")["metadata"]["name"]
    unlisted = proxy.inject(lists_jobs, code=503, reason="ServiceUnavailable", times=0 if seen else 10**6)

    def replace_unseen(connection: Connection, name: str) -> None:
        proxy.inject(watches_jobs, code=410, reason="Expired", message="too old resource version")
        proxy.down()
        Objects(connection).delete(JOBS, name)
        while Objects(connection).get(JOBS, name):
            time.sleep(0.05)
        Objects(connection).create(JOBS, theirs)
        unlisted.times = 0
        proxy.up()

    replacing = ending_jobs(connection, when=lambda: bool(watches(proxy)) or not seen, end=replace_unseen)
    with replacing, pytest.raises(ObjectDeleted):
        run(proxied, jobs.manifest(image, "true"))


def test_who_listens_is_told_what_was_deleted_in_the_gap_of_an_expired_watch(
    proxied: Connection, proxy: ApiProxy, connection: Connection
) -> None:
    """Of one of several under a key, as pods of a job are, there is no other sign."""
    objects, told = Objects(connection), SimpleQueue[Any]()
    by_label = Selector(CONFIG_MAPS, "of", key=("metadata", "labels", "of"))
    for name in ("first", "second"):
        objects.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": {"of": "ours"}}})
    with subscribed(Objects(proxied), by_label, "ours", told):
        assert all(told.get(timeout=60).present for _ in range(2))
        proxy.inject(lambda request: request.watch, code=410, reason="Expired", message="too old resource version")
        proxy.down()
        objects.delete(CONFIG_MAPS, "first")
        while objects.get(CONFIG_MAPS, "first"):
            time.sleep(0.05)
        proxy.up()
        gone = next(change for change in iter(partial(told.get, timeout=60), None) if not change.present)
    assert gone.object["metadata"]["name"] == "first"


def test_a_watch_that_is_closed_again_and_again(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    fault = proxy.inject(lambda request: request.watch, cut_after=1, times=30)
    with ending_jobs(connection, when=lambda: not fault.times):
        assert run(proxied, jobs.manifest(image, "true")).state is State.SUCCEEDED


def test_a_job_that_ends_while_the_server_is_away_is_known_once_it_is_back(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    def end_in_an_outage(connection: Connection, name: str) -> None:
        proxy.down()
        jobs.complete(connection, name)
        time.sleep(1)
        proxy.up()

    with ending_jobs(connection, when=lambda: bool(watches(proxy)), end=end_in_an_outage):
        assert run(proxied, jobs.manifest(image, "true")).state is State.SUCCEEDED


def test_a_server_that_stays_away(proxied: Connection, proxy: ApiProxy, connection: Connection, image: str) -> None:
    away = ending_jobs(connection, when=lambda: bool(watches(proxy)), end=lambda *_: proxy.down())
    with away, pytest.raises(ServerGone, match=r"cannot be reached.*kubectl get --raw"):
        run(replace(proxied, outage_s=2), jobs.manifest(image, "sleep 600"))


def test_a_watch_that_is_refused_later_ends_the_wait(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    """A role that is taken away while the job runs."""
    proxy.inject(lambda r: watches_jobs(r) and len(watches(proxy)) > 1, code=403, reason="Forbidden", message="no more")
    cutting = ending_jobs(connection, when=lambda: bool(watches(proxy)), end=lambda *_: proxy.cut())
    with cutting, pytest.raises(Forbidden, match="Not allowed to watch jobs"):
        run(proxied, jobs.manifest(image, "sleep 600"))


def test_many_waits_share_their_watches(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    """Jobs that no controller takes up; we play it."""
    manifests = [jobs.manifest(image, "true", run=f"run-{i}", managedBy="seaway.dev/test") for i in range(40)]
    with ThreadPoolExecutor(len(manifests)) as pool:
        waits = [pool.submit(run, proxied, manifest) for manifest in manifests]
        while len(Objects(proxied).list(JOBS).items) < len(manifests):
            time.sleep(0.1)
        assert not any(wait.done() for wait in waits)
        for manifest in manifests:
            jobs.complete(proxied, manifest["metadata"]["name"])
        assert {wait.result(60).state for wait in waits} == {State.SUCCEEDED}
    watched = Counter(request.path.rsplit("/", 1)[1] for request in proxy.requests if request.watch)
    assert (watched["jobs"], watched["pods"]) == (1, 1)
    assert watched["events"] <= 2 * NARROW, "of 40 jobs"


def test_a_version_that_the_server_has_forgotten_is_known_by_its_own_answer(
    connection: Connection, serve: Callable[..., None]
) -> None:
    """It keeps no change of a kind from before it served it."""
    serve(DESTINATION_RULES)
    forgetful = SharedInformer(Objects(connection), Selector(DESTINATION_RULES))
    with pytest.raises(informer.Expired):
        forgetful._watch("1", Backoff(60))


def test_a_watch_that_ends_goes_on_from_the_last_bookmark(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would go on from a version that the server may have forgotten meanwhile."""
    monkeypatch.setattr(informer, "SESSION_S", (3, 3))
    runs = count()

    def change_another_namespace() -> None:
        Objects(replace(connection, namespace="default")).create(
            JOBS, jobs.manifest(image, "true", run=str(next(runs)))
        )

    with playing(change_another_namespace), subscribed(Objects(proxied), Selector(JOBS), "any", SimpleQueue()):
        while len(watches(proxy)) < 2:
            time.sleep(0.05)
    first, second = (int(request.query["resourceVersion"]) for request in watches(proxy)[:2])
    assert second > first
