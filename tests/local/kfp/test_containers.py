"""Container components run for real by podman, in an image of one static program that is made here, without a network.

Skipped, with podman's own words, where podman cannot run a container: it needs root or subordinate ids, and a runtime.
"""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from seaway.errors import RunFailed
from seaway.kfp.local import containers
from seaway.kfp.local.run_record import Record
from seaway.kfp.local.runner import local_run

CLUSTER = Path(__file__).with_name("foreign") / "cluster.py"
SEAWAY = Path(sys.executable).with_name("seaway")
IMAGE = "localhost/alpine:3.20"
PROGRAMS = ("sh", "mkdir", "dirname", "printf", "echo", "cat", "sleep")
SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = """
[storage]
driver = "vfs"
graphroot = "{folder}/store"
runroot = "{folder}/run"
"""


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Podman with a store of its own that has the image."""
    folder = tmp_path_factory.mktemp("podman")
    busybox, runtime = shutil.which("busybox"), shutil.which("runc") or shutil.which("crun")
    if not (shutil.which("podman") and busybox and runtime):
        pytest.skip("needs podman, runc or crun, and a static busybox on PATH")
    (folder / "containers.conf").write_text(SETTINGS.format(runtime=Path(runtime).name))
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        patch.setattr(containers, "PROGRAMS", ("podman",))
        containers.program.cache_clear()
        _podman("import", str(_image(folder, Path(busybox))), IMAGE)
        tried = _podman("run", "--rm", IMAGE, "sh", "-c", "true", check=False)
        if tried.returncode:
            pytest.skip(f"podman runs no container here: {tried.stderr.strip()}")
        yield
        _podman("rm", "--all", "--force")
    containers.program.cache_clear()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _image(folder: Path, busybox: Path) -> Path:
    """A root file system of busybox alone."""
    file = folder / "image.tar"
    with tarfile.open(file, "w") as archive:
        archive.add(busybox.resolve(), "bin/busybox")
        for name in PROGRAMS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return file


def _podman(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["podman", *words], capture_output=True, text=True, check=check)


def _containers() -> list[str]:
    """All that are there, running or not."""
    return _podman("ps", "--all", "--quiet").stdout.split()


def run(name: str, **given: object) -> Record:
    return local_run(f"{CLUSTER}:{name}", given, caching=False)


@pytest.mark.usefixtures("podman")
def test_it_runs_with_its_arguments_its_files_and_its_variables() -> None:
    record = run("container")
    assert [(step.name, step.outputs) for step in record.steps] == [("hello", {"size": 7}), ("half", {"Output": 3.5})]
    assert record.steps[0].log.read_text() == "<it's>\n"
    told = run("container_between_steps", word="it's \u201em\u00e4rz\u201c").steps
    assert [step.outputs.get("Output") for step in told if step.name == "lines"] == [
        ["row", "it's \u201em\u00e4rz\u201c"]
    ]
    assert _containers() == []


@pytest.mark.usefixtures("podman")
def test_its_failure_is_the_runs_in_one_paragraph() -> None:
    with pytest.raises(RunFailed, match=r"Step 'broken' failed. exit code 3: no licence\nLog: "):
        run("container_that_fails")
    assert _containers() == []


@pytest.mark.usefixtures("podman")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_none_is_left_when_the_run_is_ended(number: signal.Signals, state: Path) -> None:
    heard = f"--default-signal={number.name.removeprefix('SIG')}"  # whoever starts the tests may ignore it
    command = ["env", heard, SEAWAY, "run", f"{CLUSTER}:container_that_waits"]
    own = {**os.environ, "PATH": _path_without_docker()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own) as process:
        while not _containers():
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.2)
        process.send_signal(number)
        output = process.communicate()[0]
    assert process.returncode == 128 + number, output
    assert _containers() == []


def _path_without_docker() -> str:
    return os.pathsep.join(folder for folder in os.get_exec_path() if not (Path(folder) / "docker").exists())
