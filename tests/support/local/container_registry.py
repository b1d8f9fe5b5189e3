"""A real container registry on loopback: Docker's own, as Debian has it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from free_ports import free_port
from web_program import web_program


@contextmanager
def container_registry(folder: Path) -> Iterator[str]:
    """Yields host:port; what is pushed lies in the folder. The test skips where the program is missing."""
    program = shutil.which("docker-registry")
    if not program:
        pytest.skip("docker-registry is missing (Debian: docker-registry)")
    address = f"127.0.0.1:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    file, log = folder / "config.yml", folder / "log"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with web_program([program, "serve", str(file)], f"http://{address}/v2/", log):
        yield address
