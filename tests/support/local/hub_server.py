"""Kubeflow's model registry (Hub) itself, on a PostgreSQL of the test's own."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import postgres
import pytest
import urllib3
from free_ports import free_port

START_S = 120.0
MODELS = "/api/model_registry/v1alpha3/registered_models"
PROGRAM = "model-registry"  # built from github.com/kubeflow/hub by `go build`


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """The address of a running one, its state in `folder`. The test skips where a program is missing."""
    program = shutil.which(PROGRAM)
    if program is None or postgres.BIN is None:
        pytest.skip(f"there is no {PROGRAM} of github.com/kubeflow/hub on PATH, or no PostgreSQL (Debian: postgresql)")
    with short_folder() as data, postgres.running(data / "postgres"), (folder / "hub.log").open("wb") as log:
        port = free_port()
        database = f"host={data / 'postgres'} user=seaway dbname=postgres sslmode=disable"
        command = [program, "proxy", "--hostname=127.0.0.1", f"--port={port}",
                   "--embedmd-database-type=postgres", f"--embedmd-database-dsn={database}"]  # fmt: skip
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _await(f"http://127.0.0.1:{port}", process, folder / "hub.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def short_folder() -> Iterator[Path]:
    """That another user may enter, and whose path a socket's name has room for."""
    with TemporaryDirectory(prefix="hub-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if (
                urllib3.request("GET", f"{url}/api/model_registry/v1alpha3/registered_models", retries=False).status
                == 200
            ):
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"It did not start: {log.read_text()}")
