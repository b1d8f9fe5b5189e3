"""`seaway serve` with a real package: it answers, it refuses strangers, and it can be ended at any time."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from seaway.kfp.local.step_process import processes_of
from seaway.serving import Client, InferenceRefused
from small_package import SIGNATURE, small_package

SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("serve") / "home"
    yield home
    seaway(home, "down")


@pytest.fixture(scope="module")
def package(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_package(tmp_path_factory.mktemp("package"), state)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SEAWAY_HOME": str(home)}


def seaway(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SEAWAY, *words], env=environment(home), capture_output=True, text=True, check=False)


def left(home: Path) -> list[str]:
    return [folder.name for folder in home.glob("endpoints/*")]


def test_a_package_is_served_until_down(state: Path, package: Path) -> None:
    started = seaway(state, "serve", str(package), "--name", "small", "-o", "json")
    assert started.returncode == 0, started.stderr
    told = json.loads(started.stdout)

    with Client(told["url"], Path(told["token_file"]).read_text().strip()) as client:
        assert len(client.infer("small", SIGNATURE.sample)["probability"]) == 2
    with Client(told["url"], "guess") as stranger, pytest.raises(InferenceRefused):
        stranger.infer("small", SIGNATURE.sample)

    rows = state / "rows.json"
    rows.write_text(json.dumps(SIGNATURE.sample))
    by_rest, by_grpc = (seaway(state, "predict", "small", str(rows), "-o", "json", *how) for how in ([], ["--grpc"]))
    assert json.loads(by_rest.stdout) == json.loads(by_grpc.stdout)
    assert len(json.loads(by_rest.stdout)["outputs"]["probability"]) == 2
    wrong = seaway(state, "predict", "small", '{"plan": ["AA"]}')
    assert (wrong.returncode, "distance" in wrong.stderr, "Traceback" in wrong.stderr) == (1, True, False)

    ended = seaway(state, "down", told["run"])
    assert "ended endpoint small" in ended.stdout
    assert "No endpoint small" in seaway(state, "predict", "small", str(rows)).stderr
    assert (processes_of(told["run"]), left(state)) == ([], [])


def test_a_taken_port_is_named_and_nothing_is_left(state: Path, package: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = seaway(state, "serve", str(package), "--port", port)
    assert refused.returncode == 1
    assert port in refused.stderr
    assert "in use" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert left(state) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_endpoint_that_is_still_starting_ends_with_its_command(
    state: Path, package: Path, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        [*SEAWAY, "serve", str(package)], env=environment(state), stderr=subprocess.PIPE, text=True
    ) as process:
        while not left(state):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        (folder,) = left(state)
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert (processes_of(folder.removeprefix("model-")), left(state)) == ([], [])
