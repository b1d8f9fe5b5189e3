"""Kubeflow's model registry (Hub) itself, on a PostgreSQL of the test's own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import postgres
import pytest
from free_ports import free_port
from web_program import web_program

MODELS = "/api/model_registry/v1alpha3/registered_models"
PROGRAM = "model-registry"  # built from github.com/kubeflow/hub by `go build`


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """The address of a running one, its state in `folder`. The test skips where a program is missing."""
    program = shutil.which(PROGRAM)
    if program is None or postgres.BIN is None:
        pytest.skip(f"there is no {PROGRAM} of github.com/kubeflow/hub on PATH, or no PostgreSQL (Debian: postgresql)")
    with short_folder() as data, postgres.running(data / "postgres"):
        port = free_port()
        database = f"host={data / 'postgres'} user=seaway dbname=postgres sslmode=disable"
        command = [program, "proxy", "--hostname=127.0.0.1", f"--port={port}",
                   "--embedmd-database-type=postgres", f"--embedmd-database-dsn={database}"]  # fmt: skip
        with web_program(command, f"http://127.0.0.1:{port}{MODELS}", folder / "hub.log"):
            yield f"http://127.0.0.1:{port}"


@contextmanager
def short_folder() -> Iterator[Path]:
    """That another user may enter, and whose path a socket's name has room for."""
    with TemporaryDirectory(prefix="hub-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
