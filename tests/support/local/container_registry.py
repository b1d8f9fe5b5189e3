"""A real container registry on loopback: Docker's own, as Debian has it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
import yaml
from free_ports import free_port

START_S = 60.0


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
    with log.open("wb") as output:
        process = subprocess.Popen([program, "serve", str(file)], stdout=output, stderr=output, env=dict(os.environ))
    try:
        _await(f"http://{address}/v2/", process, log)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if urllib3.request("GET", url, retries=False, timeout=2.0).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"It did not start: {log.read_text()}")
