"""The watch goes on: closed, broken, expired, refused, through an outage; and one serves all who wait."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jobs
import pytest
from api_proxy import ApiProxy, Request
from seaway.errors import Forbidden, ObjectDeleted, ServerGone
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.informer import NARROW
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import Outcome, State
from seaway.platforms.kubernetes.jobs.launch import launch

JOBS = batch_job.KIND.resource
OUTAGE_S = 20.0
SHORT = "sleep 3"


def watches_jobs(request: Request) -> bool:
    return request.watch and request.path.endswith("/jobs")


def run(connection: Connection, manifest: Any, timeout_s: float = 90) -> Outcome:
    return launch(batch_job.KIND, manifest, timeout_s=timeout_s, connection=connection)


def test_an_expired_watch_lists_anew(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    proxy.inject(watches_jobs, code=410, reason="Expired", message="too old resource version", times=3)
    assert run(proxied, jobs.manifest(image, SHORT)).state is State.SUCCEEDED
    assert sum(r.path.endswith("/jobs") and r.method == "GET" and not r.watch for r in proxy.requests) == 4


def test_a_watch_that_expires_after_it_was_opened_lists_anew(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    proxy.inject(watches_jobs, code=410, reason="Expired", message="too old resource version", event=True, times=3)
    assert run(proxied, jobs.manifest(image, SHORT)).state is State.SUCCEEDED


def test_a_deletion_that_falls_into_the_gap_of_an_expired_watch_is_noticed(
    proxied: Connection, proxy: ApiProxy, connection: Connection, image: str
) -> None:
    manifest = jobs.manifest(image, "sleep 600")
    waiting = threading.Event()

    def delete_unseen(request: Request) -> bool:
        """The watch is cut, the job deleted, and the next watch expired: only a list can tell."""
        return waiting.is_set() and watches_jobs(request)

    def delete() -> None:
        time.sleep(3)
        proxy.inject(delete_unseen, code=410, reason="Expired", message="too old resource version")
        proxy.inject(delete_unseen, code=410, reason="Expired", message="too old resource version", event=True)
        Objects(connection).delete(JOBS, manifest["metadata"]["name"])
        waiting.set()
        proxy.cut()

    thread = threading.Thread(target=delete)
    thread.start()
    with pytest.raises(ObjectDeleted):
        run(proxied, manifest)
    thread.join()


def test_a_watch_that_is_closed_again_and_again(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    proxy.inject(lambda request: request.watch, cut_after=1, times=30)
    assert run(proxied, jobs.manifest(image, SHORT)).state is State.SUCCEEDED


def test_a_server_that_is_gone_for_a_while(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    """The job ends during the outage; that is learnt when the server is back."""

    def outage() -> None:
        time.sleep(3)
        proxy.down()
        time.sleep(OUTAGE_S)
        proxy.up()

    thread = threading.Thread(target=outage)
    thread.start()
    began = time.monotonic()
    told: list[str] = []
    manifest = jobs.manifest(image, "for i in $(seq 10); do echo line $i; sleep 1; done")
    outcome = launch(batch_job.KIND, manifest, timeout_s=90, connection=proxied, tell=lambda _, line: told.append(line))
    thread.join()
    assert outcome.state is State.SUCCEEDED
    assert time.monotonic() - began > OUTAGE_S
    assert told == [f"line {i}" for i in range(1, 11)]


def test_a_server_that_stays_away(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    threading.Timer(3, proxy.down).start()
    with pytest.raises(ServerGone, match=r"cannot be reached.*kubectl get --raw"):
        run(replace(proxied, outage_s=2), jobs.manifest(image, "sleep 600"))


def test_a_watch_that_is_refused_later_ends_the_wait(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    """A role that is taken away while the job runs."""
    threading.Timer(2, proxy.cut).start()
    proxy.inject(lambda r: watches_jobs(r) and len(watches(proxy)) > 1, code=403, reason="Forbidden", message="no more")
    with pytest.raises(Forbidden, match="Not allowed to watch jobs"):
        run(proxied, jobs.manifest(image, "sleep 600"))


def watches(proxy: ApiProxy) -> list[Request]:
    return [request for request in proxy.requests if watches_jobs(request)]


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
