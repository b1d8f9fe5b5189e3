"""What Envoy keeps from an endpoint: too many requests, slow ones, old tokens; and what it writes down of them."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest
from seaway.cli.serve import rotate_token, set_caller
from seaway.errors import EndpointFailed, InferenceRefused, InferenceUnavailable, InvalidSpec
from seaway.model_server.envoy import config, process
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import Client, DeployedEndpoint, EndpointSpec, GrpcClient
from seaway.storage import write_private
from small_package import SIGNATURE, small_package

PER_S = 20


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedEndpoint]:
    home = tmp_path_factory.mktemp("home")
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(home))
    environment.delenv("SEAWAY_MODEL_SERVER", raising=False)
    environment.setattr(config, "RECEIVE_S", 1)
    package = small_package(home / "package", home)
    yield LocalEndpoint().deploy(EndpointSpec("small", "r1", package, requests_per_s=PER_S, access_log=True))
    LocalEndpoint().remove("small", "r1")
    environment.undo()


def infer(client: Client) -> None:
    """Until it is not one too many."""
    while True:
        try:
            client.infer("small", SIGNATURE.sample)
            return
        except InferenceRefused as error:
            if "429" not in str(error):
                raise


def test_requests_beyond_the_limit_are_refused_and_health_is_not(endpoint: DeployedEndpoint) -> None:
    refused = 0
    with Client(endpoint.url, endpoint.token()) as client, Client(endpoint.url, "wrong") as stranger:
        for _ in range(10 * PER_S):
            with pytest.raises(InferenceRefused, match="401"):
                stranger.infer("small", SIGNATURE.sample)
            try:
                client.infer("small", SIGNATURE.sample)
            except InferenceRefused as error:
                assert "429" in str(error)
                refused += 1
            if refused == 2:
                break
            assert client.ready("small")
        assert refused == 2
        with GrpcClient(endpoint.url, endpoint.token()) as caller:
            for _ in range(10 * PER_S):
                try:
                    caller.infer("small", SIGNATURE.sample)
                except (InferenceRefused, InferenceUnavailable) as error:
                    assert grpc.StatusCode.RESOURCE_EXHAUSTED.name in str(error)
                    break
            else:
                raise AssertionError("gRPC is not limited")
        infer(client)


def statuses(endpoint: DeployedEndpoint, token: str, most: int) -> Iterator[tuple[int, str | None]]:
    """Of as many requests, with when to ask again."""
    address = urlsplit(endpoint.url)
    with Client(endpoint.url, token) as client:
        body = client.request("small", SIGNATURE.sample)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    for _ in range(most):
        connection.request("POST", "/v2/models/small/infer", body, {"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        yield answer.status, answer.getheader("retry-after")
    connection.close()


def refused_of(endpoint: DeployedEndpoint, token: str, most: int) -> bool:
    """Whether a caller is refused within so many requests, and told when to ask again."""
    told = next((after for status, after in statuses(endpoint, token, most) if status == 429), "")
    assert told in ("", "1")
    return bool(told)


@pytest.fixture
def unlimited(endpoint: DeployedEndpoint) -> Iterator[DeployedEndpoint]:
    """Of the same package, newer, and with no number for all callers together."""
    package = Path(endpoint.arms["stable"].package)
    yield LocalEndpoint().deploy(EndpointSpec("small", "r2", package))
    LocalEndpoint().remove("small", "r2")


def test_each_caller_has_a_number_of_its_own_which_changes_without_a_restart(unlimited: DeployedEndpoint) -> None:
    endpoint = unlimited
    set_caller("small", "greedy", 1, False, None)
    set_caller("small", "other", 0, False, None)
    greedy, other = endpoint.callers()
    assert not refused_of(endpoint, other.tokens[0], 40)
    assert not refused_of(endpoint, endpoint.token(), 40)
    with GrpcClient(endpoint.url, greedy.tokens[0]) as caller, pytest.raises(InferenceUnavailable, match="EXHAUSTED"):
        for _ in range(40):
            caller.infer("small", SIGNATURE.sample)
    assert refused_of(endpoint, greedy.tokens[0], 40)
    with Client(endpoint.url, other.tokens[0]) as client:
        infer(client)
    rotate_token("small", None, revoke=False, caller="greedy")
    new, before = next(one for one in endpoint.callers() if one.name == "greedy").tokens
    assert before == greedy.tokens[0]
    for token in (new, before):
        assert refused_of(endpoint, token, 40)
    rotate_token("small", None, revoke=True, caller="greedy")
    with Client(endpoint.url, before) as client, pytest.raises(InferenceRefused, match="401"):
        client.live()
    set_caller("small", "greedy", 0, False, None)
    with Client(endpoint.url, new) as client:
        infer(client)
    set_caller("small", "greedy", 0, True, None)
    with Client(endpoint.url, new) as client, pytest.raises(InferenceRefused, match="401"):
        client.live()
    with pytest.raises(InvalidSpec, match="no caller 'greedy'; there are: other"):
        set_caller("small", "greedy", 0, True, None)
    assert endpoint.callers_file.stat().st_mode & 0o777 == 0o600


def test_the_access_log_tells_of_each_request_and_nothing_of_what_was_asked(endpoint: DeployedEndpoint) -> None:
    with Client(endpoint.url, endpoint.token()) as client:
        sent = client.request("small", SIGNATURE.sample, request_id="no-log-has-this")
        infer(client)
        with contextlib.suppress(InferenceRefused):
            client.answer("small", sent)
    file = endpoint.folder / process.ACCESS_LOG
    while '"status":200' not in (text := file.read_text()).replace(" ", ""):
        time.sleep(0.1)  # Envoy writes its log out every ten seconds
    lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    assert {"at", "method", "path", "status", "ms", "bytes_in", "server"} <= lines[-1].keys()
    assert ("/v2/models/small/infer", 200) in {(line["path"], line["status"]) for line in lines}
    assert endpoint.token() not in text
    assert "no-log-has-this" not in text


def test_who_never_sends_a_whole_request_is_cut_off(endpoint: DeployedEndpoint) -> None:
    address = urlsplit(endpoint.url)
    head = f"POST /v2/models/small/infer HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {endpoint.token()}\r\n"
    for begun in (head, f"{head}content-length: 1000\r\n\r\n{{"):
        with socket.create_connection((address.hostname, address.port), timeout=60) as slow:
            slow.sendall(begun.encode())
            assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_a_token_is_replaced_under_load_without_a_lost_request(endpoint: DeployedEndpoint) -> None:
    old, failures, done = endpoint.token(), list[Exception](), threading.Event()

    def load() -> None:
        with Client(endpoint.url, old) as client:
            while not done.is_set():
                try:
                    infer(client)
                except Exception as error:  # noqa: BLE001  # any is one too many
                    failures.append(error)
                    return

    thread = threading.Thread(target=load)
    thread.start()
    rotate_token("small", None, revoke=False)
    new = endpoint.token()
    assert new != old
    for token in (old, new):
        with Client(endpoint.url, token) as client:
            infer(client)
    done.set()
    thread.join()
    assert failures == []
    rotate_token("small", "r1", revoke=True)
    with Client(endpoint.url, old) as client, pytest.raises(InferenceRefused, match="401"):
        client.live()
    with Client(endpoint.url, new) as client:
        assert client.live()
    with pytest.raises(EndpointFailed, match="No endpoint large"):
        rotate_token("large", None, revoke=False)
    write_private(endpoint.token_file, f"mine-{new}")  # as a secret manager would
    rotate_token("small", None, revoke=True)
    for token in (old, new):
        with Client(endpoint.url, token) as client, pytest.raises(InferenceRefused, match="401"):
            client.live()
    with Client(endpoint.url, f"mine-{new}") as client:
        assert client.live()
    assert {file.stat().st_mode & 0o777 for file in Path(endpoint.folder).glob("token*")} == {0o600}
