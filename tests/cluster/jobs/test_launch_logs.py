"""Logs arrive live, and every line once, whatever happens to the streams."""

import threading
import time
from datetime import timedelta

import jobs
import pytest
from api_proxy import ApiProxy
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launch

LINES = 300
COUNTING = f"for i in $(seq {LINES}); do echo line $i; [ $((i % 10)) = 0 ] && sleep 0.1; done; true"


def lines_of(connection: Connection, image: str, script: str = COUNTING) -> list[str]:
    told: list[str] = []
    launch(
        batch_job.KIND,
        jobs.manifest(image, script),
        timeout_s=90,
        connection=connection,
        tell=lambda _, line: told.append(line),
    )
    return told


@pytest.mark.parametrize("cut_after", [1, 100, 1003])
def test_no_line_is_lost_or_doubled_when_streams_break(
    proxied: Connection, proxy: ApiProxy, image: str, cut_after: int
) -> None:
    proxy.inject(lambda request: request.log, cut_after=cut_after, times=5)
    assert lines_of(proxied, image) == [f"line {i}" for i in range(1, LINES + 1)]
    assert sum(request.log for request in proxy.requests) > 5


def test_no_line_is_lost_when_the_kubelet_answers_with_errors(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    proxy.inject(lambda request: request.log, code=502, reason="BadGateway", message="kubelet is away", times=3)
    assert lines_of(proxied, image) == [f"line {i}" for i in range(1, LINES + 1)]


def test_lines_arrive_while_the_pod_runs(proxied: Connection, proxy: ApiProxy, image: str) -> None:
    times: list[float] = []
    script = "for i in 1 2 3; do echo line $i; sleep 1; done"
    manifest = jobs.manifest(image, script)
    launch(batch_job.KIND, manifest, timeout_s=60, connection=proxied, tell=lambda *_: times.append(time.monotonic()))
    first, second, third = times
    assert second - first > 0.5
    assert third - second > 0.5


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_server_whose_clock_is_wrong_changes_nothing(
    proxied: Connection, proxy: ApiProxy, image: str, hours: int
) -> None:
    """Objects, events and log lines of another day; streams break, so that the log is resumed by the server's time."""
    proxy.skew = timedelta(hours=hours)
    proxy.inject(lambda request: request.log, cut_after=100, times=3)
    assert lines_of(proxied, image) == [f"line {i}" for i in range(1, LINES + 1)]


def test_output_of_a_restarted_container_is_told_from_both_of_its_lives(connection: Connection, image: str) -> None:
    """The second life begins at once; the last line of the first one is still told, and none twice."""
    volume = {"volumes": [{"name": "kept", "emptyDir": {}}], "restartPolicy": "OnFailure"}
    mount = {"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]}
    script = "[ -e /kept/second ] && { echo second life; exit 0; }; echo first life; echo >/kept/second; exit 1"
    manifest = jobs.manifest(image, script, pod=volume, container=mount, backoffLimit=4)
    told: list[str] = []
    launch(batch_job.KIND, manifest, timeout_s=60, connection=connection, tell=lambda _, line: told.append(line))
    assert told == ["first life", "second life"]


def cut_every(proxy: ApiProxy, seconds: float, over: threading.Event) -> None:
    while not over.wait(seconds):
        proxy.cut()


def test_all_is_told_though_every_connection_breaks_twice_a_second(
    proxied: Connection, proxy: ApiProxy, image: str
) -> None:
    over = threading.Event()
    cutting = threading.Thread(target=cut_every, args=(proxy, 0.5, over))
    cutting.start()
    try:
        assert lines_of(proxied, image) == [f"line {i}" for i in range(1, LINES + 1)]
    finally:
        over.set()
        cutting.join()
