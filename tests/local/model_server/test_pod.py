"""A pod's programs as they run in a pod: what is fetched is verified, what is served drains before it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import servingruntime
from seaway.model_server.arm import (
    GRPC_VARIABLE,
    KEY_VARIABLE,
    LIVE,
    PORT,
    READY,
    SCRATCH_VARIABLE,
    SERVER_STATISTICS,
    STATISTICS,
    STATISTICS_PORT,
    TOKEN_VARIABLE,
    VARIABLE,
    RemoteArm,
)
from seaway.models import verifying_key
from seaway.models.package import content_sha256
from seaway.serving import Client, EndpointSpec, GrpcClient, InferenceRefused
from small_package import SIGNATURE, small_package

TOKEN = "a-token"  # noqa: S105
URL, SECOND = f"http://127.0.0.1:{PORT}", f"http://127.0.0.1:{STATISTICS_PORT}"
GRPC_PORT = 9500  # where Seldon sends gRPC
STARTUP_S = 300.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pod")


@pytest.fixture(scope="module")
def arm(folder: Path) -> RemoteArm:
    package = small_package(folder, folder / "home")
    (folder / "token").write_text(TOKEN)
    spec = EndpointSpec("small", "r1", package, startup_timeout_s=STARTUP_S)
    return RemoteArm.of(spec, content_sha256(package)[:12], str(package), gpus=0, drain_s=10)


def environment(arm: RemoteArm, folder: Path, scratch: Path) -> dict[str, str]:
    scratch.mkdir(exist_ok=True)
    files = {
        KEY_VARIABLE: str(verifying_key(folder / "home" / "keys")),
        TOKEN_VARIABLE: str(folder / "token"),
        GRPC_VARIABLE: str(GRPC_PORT),
    }
    ports = {GRPC_VARIABLE: str(GRPC_PORT)}
    return {
        **os.environ,
        **files,
        **ports,
        VARIABLE: arm.text,
        SCRATCH_VARIABLE: str(scratch),
        "SEAWAY_HOME": str(scratch),
    }


def fetch(arm: RemoteArm, folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seaway.model_server.fetch_package"]
    return subprocess.run(command, env=environment(arm, folder, scratch), capture_output=True, text=True, check=False)


def get(path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(SECOND + path, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


@contextmanager
def served(
    arm: RemoteArm, folder: Path, scratch: Path, program: Sequence[str] = ("seaway.model_server.pod",)
) -> Iterator[subprocess.Popen[bytes]]:
    for port in (PORT, STATISTICS_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                pytest.skip(f"port {port}, which a pod's server listens on, is taken on this machine")
    command = [sys.executable, "-m", *program]
    with subprocess.Popen(command, env=environment(arm, folder, scratch), stdout=subprocess.PIPE) as server:
        try:
            deadline = time.monotonic() + STARTUP_S
            while get(READY)[0] != 200:
                assert server.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate()


@pytest.mark.parametrize(
    ("server", "counter"),
    [
        ("uvicorn", b"seaway_server_requests_total"),
        ("kserve", b"seaway_server_requests_total"),
        ("mlserver", b"model_infer_request_success_total"),
        ("torchserve", b"ts_inference_requests_total"),
    ],
)
def test_a_pod_serves_both_protocols_and_leaves_the_traffic_before_it_ends(
    arm: RemoteArm, folder: Path, tmp_path: Path, server: str, counter: bytes
) -> None:
    scratch, arm = tmp_path / "scratch", replace(arm, server=server)
    assert fetch(arm, folder, scratch).returncode == 0
    with served(arm, folder, scratch) as pod, Client(URL, TOKEN) as rest, GrpcClient(URL, TOKEN) as grpc:
        one, other = rest.infer("small", SIGNATURE.sample), grpc.infer("small", SIGNATURE.sample)
        assert (one["probability"] == other["probability"]).all()
        assert rest.metadata("small") == grpc.metadata("small")
        with GrpcClient(f"http://127.0.0.1:{GRPC_PORT}", TOKEN) as second:
            assert (second.infer("small", SIGNATURE.sample)["probability"] == one["probability"]).all()
        if server == "uvicorn":
            a_token_is_replaced_without_a_restart(folder)
        with Client(URL, "wrong") as stranger, pytest.raises(InferenceRefused):
            stranger.infer("small", SIGNATURE.sample)
        assert get(LIVE)[0] == 200
        assert b"envoy_cluster_upstream_rq_completed" in get(STATISTICS)[1]
        assert counter in get(SERVER_STATISTICS)[1]
        assert get("/quitquitquit")[0] == 404, "the administration of Envoy can be reached"
        pod.send_signal(signal.SIGTERM)
        while get(READY)[0] == 200:
            time.sleep(0.01)
        assert get(READY)[0] == 503
        rest.infer("small", SIGNATURE.sample)
        assert pod.wait() == 0


def test_kserves_runtime_serves_a_package_that_is_in_place(
    arm: RemoteArm, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started as the shipped ServingRuntime says, with an argument of the InferenceService's after its own."""
    container = servingruntime.container("small", Path(arm.package))
    monkeypatch.setenv("SEAWAY_TOKEN", TOKEN)
    monkeypatch.delenv(VARIABLE, raising=False)
    program = [*container["command"][2:], *container["args"], "--requests_per_s=1000"]
    with served(arm, folder, tmp_path / "scratch", program) as pod, Client(URL, TOKEN) as rest:
        assert rest.infer("small", SIGNATURE.sample)["probability"].shape == (2, 1)
        assert rest.version == arm.version
        with GrpcClient(URL, "wrong") as stranger, pytest.raises(InferenceRefused):
            stranger.infer("small", SIGNATURE.sample)
        pod.send_signal(signal.SIGTERM)
        assert pod.wait() == 0


def a_token_is_replaced_without_a_restart(folder: Path) -> None:
    """As the kubelet writes a Secret that has changed; callers that know the one before are answered as well."""
    shop = "the-token-of-a-shop"
    (folder / "token").write_text(f"another-token\nshop {shop}\n")
    try:
        with Client(URL, "another-token") as new, Client(URL, TOKEN) as old:
            while True:
                try:
                    new.infer("small", SIGNATURE.sample)
                    break
                except InferenceRefused:
                    old.infer("small", SIGNATURE.sample)
            old.infer("small", SIGNATURE.sample)
        with Client(URL, shop) as caller:
            caller.infer("small", SIGNATURE.sample)
            (folder / "token").write_text("another-token\nshop is no caller\n")  # so those that were stay
            caller.infer("small", SIGNATURE.sample)
            (folder / "token").write_text("another-token")
            with pytest.raises(InferenceRefused, match="401"):
                while True:
                    caller.infer("small", SIGNATURE.sample)
    finally:
        (folder / "token").write_text(TOKEN)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda package: (package / "lineage.json").write_text("{}"), "model.sig"),
        (lambda package: (package / "model.sig").unlink(), "model.sig"),
        (lambda package: (package / "more.pkl").write_bytes(b"x"), "more.pkl"),
    ],
    ids=["changed", "unsigned", "with a pickle"],
)
def test_a_package_that_is_not_what_was_signed_is_refused_by_name(
    arm: RemoteArm, folder: Path, tmp_path: Path, change: object, said: str
) -> None:
    copy = tmp_path / "package"
    copy.mkdir()
    for file in Path(arm.package).iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    change(copy)  # type: ignore[operator]
    done = fetch(replace(arm, package=str(copy)), folder, tmp_path / "scratch")
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"PackageRefused: The package {copy} of endpoint small is refused")
    assert said in done.stderr
    assert not (tmp_path / "scratch" / "package").exists()


def test_a_signed_package_of_another_version_is_refused(arm: RemoteArm, folder: Path, tmp_path: Path) -> None:
    done = fetch(replace(arm, version="0" * 12), folder, tmp_path / "scratch")
    assert done.returncode == 1
    assert "not the 000000000000" in done.stderr
