"""A wait through an outage of the API server, with what the pods say meanwhile; the others are in tests/apiserver."""

import threading
import time

import jobs
from api_proxy import ApiProxy
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import State
from seaway.platforms.kubernetes.jobs.launch import launch

OUTAGE_S = 20.0


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
