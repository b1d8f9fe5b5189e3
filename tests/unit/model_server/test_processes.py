import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from seaway.errors import EndpointFailed, PortTaken
from seaway.model_server import ports, processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = [
    sys.executable,
    "-c",
    f"import subprocess, time; subprocess.Popen({SLEEP!r}); print('up', flush=True); time.sleep(600)",
]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def wait_for_log(daemon: processes.Daemon, text: str) -> None:
    while text not in daemon.log.read_text():
        assert daemon.running(), daemon.last_lines()
        time.sleep(0.02)


def test_stopping_a_daemon_ends_what_it_started_too(tmp_path: Path) -> None:
    daemon = processes.start("server", PARENT, tmp_path)
    wait_for_log(daemon, "up")
    children = psutil.Process(daemon.pid).children()
    assert processes.stop(tmp_path) == 2
    assert not daemon.running()
    assert children
    assert not any(child.is_running() for child in children)


def test_a_child_is_ended_though_its_parent_was_killed(tmp_path: Path) -> None:
    daemon = processes.start("server", PARENT, tmp_path)
    wait_for_log(daemon, "up")
    (child,) = psutil.Process(daemon.pid).children()
    psutil.Process(daemon.pid).kill()
    processes.stop(tmp_path)
    assert not child.is_running()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    daemon = processes.start("deaf", DEAF, tmp_path)
    wait_for_log(daemon, "up")
    processes.stop(tmp_path, grace_s=0.2)
    assert not daemon.running()


def test_only_the_named_daemon_of_only_this_folder_ends(tmp_path: Path) -> None:
    first = processes.start("model-1", SLEEP, tmp_path / "a")
    second = processes.start("model-12", SLEEP, tmp_path / "a")
    neighbour = processes.start("model-1", SLEEP, tmp_path / "ab")
    try:
        processes.stop(tmp_path / "a", "model-1")
        assert (first.running(), second.running(), neighbour.running()) == (False, True, True)
        assert processes.find(tmp_path / "a") == [second]
    finally:
        processes.stop(tmp_path / "a")
        processes.stop(tmp_path / "ab")


def test_a_daemon_is_found_though_its_record_was_never_written(tmp_path: Path) -> None:
    daemon = processes.start("server", SLEEP, tmp_path)
    (tmp_path / "server.pid.json").unlink()
    assert processes.find(tmp_path) == [daemon]
    processes.stop(tmp_path)
    assert processes.find(tmp_path) == []


def test_a_daemon_that_ends_while_it_is_looked_at_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ending = subprocess.Popen(SLEEP)
    looked_at = psutil.Process(ending.pid)
    monkeypatch.setattr(processes, "_members", lambda folder, name: [looked_at])
    ending.kill()
    while looked_at.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
    assert processes.find(tmp_path) == []
    ending.wait()
    assert processes.find(tmp_path) == []


def test_another_process_with_the_recorded_pid_is_not_the_daemon(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        daemon = processes.Daemon("server", tmp_path, stranger.pid, started=1.0)
        assert not daemon.running()
        assert replace(daemon, started=psutil.Process(stranger.pid).create_time()).running()
        assert processes.stop(tmp_path) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_program_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(EndpointFailed, match="nosuch"):
        processes.start("server", [str(tmp_path / "nosuch")], tmp_path)


def test_a_taken_port_is_told_with_its_owner() -> None:
    with socket.socket() as taken:
        port = _bind_where_no_client_is(taken)
        taken.listen()
        with pytest.raises(PortTaken, match=rf"{port}.*process {os.getpid()}"):
            ports.require_free(port)
    ports.require_free(port)


def _bind_where_no_client_is(listener: socket.socket) -> int:
    """Below the ports that the system gives to clients: once it is free, no connection of another program takes it."""
    for port in range(29000, 32000):
        try:
            listener.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue
    raise AssertionError("every port from 29000 to 31999 is in use")
