"""Steps forked from a process that has their libraries are as much on their own as processes started afresh."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from places import LOCAL_PROGRAMS
from seaway.kfp.local.fork_client import Forks
from seaway.kfp.local.kfp_launcher import Program
from seaway.kfp.local.preload import LATE
from seaway.kfp.local.runner import local_run

GONE_S = 120  # on a busy machine; else at once
RUN = [sys.executable, "-c", "from seaway.cli import main; main()", "run"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="steps are forked on Linux only")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_steps_are_forked_die_alone_and_leave_nothing(state: Path, tmp_path: Path) -> None:
    marker = tmp_path / "server"
    record = local_run(str(LOCAL_PROGRAMS / "forking_pipeline.py"), {"marker": str(marker)})
    steps = {step.name: step for step in record.steps}
    server = int(marker.read_text())

    parent, leads_its_session, _ = steps["look"].outputs["Output"]
    assert "seaway.kfp.local.fork_server" in parent
    assert leads_its_session
    assert "looking around" in steps["look"].log.read_text()

    parent, leads_its_session, variable = steps["look-2"].outputs["Output"]  # it has an environment of its own
    assert "seaway.kfp.local.fork_server" not in parent
    assert (leads_its_session, variable) == (True, "yes")

    assert steps["die-once"].attempts == 2
    assert steps["die-once"].outputs["Output"] == server  # which outlived the first attempt, but not the run
    assert not psutil.pid_exists(server)


@pytest.mark.parametrize(("afresh", "leader"), [("no", "fork_server"), ("yes", "guard.py")])
def test_a_killed_runner_takes_its_steps_along(afresh: str, leader: str, state: Path, tmp_path: Path) -> None:
    """The step ignores SIGTERM, so that only its grace and SIGKILL end it."""
    pids = tmp_path / "pids"
    command = [*RUN, str(LOCAL_PROGRAMS / "stubborn_pipeline.py"), "-p", f"pids={pids}", "-p", f"afresh={afresh}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as runner:
        while not pids.exists():
            assert runner.poll() is None
            time.sleep(0.1)
        step, own_session = (psutil.Process(pid) for pid in json.loads(pids.read_text()))
        server = step.parent()
        runner.kill()
    try:
        assert leader in " ".join(server.cmdline())
        assert psutil.wait_procs([step, server], timeout=GONE_S)[1] == []
    finally:
        own_session.kill()


LEAVING = """
def leave():
    import atexit, sys, threading, time
    atexit.register(print, "handled")
    threading.Thread(target=lambda: time.sleep(0.3) or print("finished")).start()
    sys.exit("no licence")
"""


def test_a_forked_step_ends_as_python_does(tmp_path: Path) -> None:
    executor_input = json.dumps({"inputs": {}, "outputs": {"outputFile": str(tmp_path / "output.json")}})
    program = Program(LEAVING, ("--executor_input", executor_input, "--function_to_execute", "leave"))
    forks = Forks(os.environ, [], tmp_path / "server.log")
    try:
        step = forks.start(program, tmp_path / "step.log")
        assert step is not None
        assert step.wait() == 1
        assert (tmp_path / "step.log").read_text().splitlines()[-3:] == ["no licence", "finished", "handled"]
    finally:
        forks.close()


LEAVING_A_CHILD = """
def leave():
    import signal, subprocess, sys
    subprocess.Popen([sys.executable, "-c", {child!r}])
    signal.pause()
"""
TIDY = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(1)
    pathlib.Path({folder!r}, "tidied").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path({folder!r}, "ready").touch()
time.sleep(600)
"""


def test_what_a_forked_step_started_has_its_time_to_end(tmp_path: Path) -> None:
    source = LEAVING_A_CHILD.format(child=TIDY.format(folder=str(tmp_path)))
    close_once_ready(source, tmp_path)
    assert (tmp_path / "tidied").exists()


STUBBORN = """
def leave():
    import pathlib, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path({folder!r}, "ready").touch()
    time.sleep(600)
"""


def test_a_forked_step_that_ignores_sigterm_does_not_outlive_its_server(tmp_path: Path) -> None:
    step = close_once_ready(STUBBORN.format(folder=str(tmp_path)), tmp_path)
    assert psutil.wait_procs([step], timeout=GONE_S)[1] == []


def close_once_ready(source: str, folder: Path) -> psutil.Process:
    """Fork `leave`, and end the server when the step has written the file `ready`."""
    executor_input = json.dumps({"inputs": {}, "outputs": {"outputFile": str(folder / "output.json")}})
    program = Program(source, ("--executor_input", executor_input, "--function_to_execute", "leave"))
    forks = Forks(os.environ, [], folder / "server.log")
    try:
        step = forks.start(program, folder / "step.log")
        assert step is not None
        process = psutil.Process(step.pid)
        while not (folder / "ready").exists():
            assert step.poll() is None, (folder / "step.log").read_text()
            time.sleep(0.05)
    finally:
        forks.close()
    return process


def test_no_step_is_forked_beside_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LATE, "seaway.data", ("threaded",))
    forks = Forks({**os.environ, "PYTHONPATH": str(LOCAL_PROGRAMS)}, [], tmp_path / "server.log")
    try:
        assert forks.start(Program("from seaway.data import ingest", ()), tmp_path / "step.log") is None
    finally:
        forks.close()


def test_what_is_imported_for_steps_exists_and_starts_no_thread() -> None:
    references = [reference for group in LATE.values() for reference in group]
    program = (
        "import os, sys\n"
        "from seaway.kfp.local.fork_server import load\n"
        "from seaway.model_server.processes import alone\n"
        "def loaded(module, _, function): return hasattr(sys.modules.get(module), function or '__name__')\n"
        "missing = [one for one in sys.argv[1:] if load(one) or not loaded(*one.partition(':'))]\n"
        "print(missing, alone())"
    )
    environment = {**os.environ, "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *references],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] True"


def test_a_step_on_a_cluster_has_time_to_end_its_pods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from seaway.kfp.local import step_process

    monkeypatch.setattr(step_process, "GRACE_S", {**step_process.GRACE_S, "local": 0.2})
    program = (
        "import pathlib, signal, sys, time\n"
        "def end(*_): time.sleep(float(sys.argv[1])); pathlib.Path('ended').touch(); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); pathlib.Path('ready').touch(); time.sleep(600)"
    )
    ended = {}
    for place, needed_s in (("local", "600"), ("kubernetes", "1")):
        monkeypatch.setenv("SEAWAY_PLATFORM", place)
        folder = tmp_path / place
        folder.mkdir()
        monkeypatch.chdir(folder)
        process = step_process.start([sys.executable, "-c", program, needed_s], os.environ, folder / "log")
        while not (folder / "ready").exists():
            time.sleep(0.05)
        step_process.end(process)
        ended[place] = (process.poll(), (folder / "ended").exists())
    assert ended == {"local": (-signal.SIGKILL, False), "kubernetes": (0, True)}
