"""A real Label Studio on loopback, from an environment of its own, which a person makes once.

It is 0.8 GB, and its start prepares a database for a minute of the processor, so tests do not make it: they skip where
it is not there.

uv venv --python 3.11 ~/.cache/seaway/label-studio-1.23.2
uv pip install --python ~/.cache/seaway/label-studio-1.23.2/bin/python label-studio==1.23.2
"""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from free_ports import free_port

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "seaway"
FOLDER = CACHE / "label-studio-1.23.2"
PROGRAM = FOLDER / "bin" / "label-studio"
STARTS_S = 600
PERSON = "ann@example.com"
QUIET = {
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
}


@dataclass(frozen=True)
class LabelStudio:
    """Where it is, and the token of its one user, `PERSON`."""

    url: str
    token: str


@contextmanager
def label_studio(folder: Path) -> Iterator[LabelStudio]:
    """A server whose state is in `folder`, ended with the block."""
    token = secrets.token_hex(20)
    with _started(folder, token) as url:
        yield LabelStudio(url, token)


@contextmanager
def _started(folder: Path, token: str) -> Iterator[str]:
    port = free_port()
    environment = {**os.environ, **QUIET, "LABEL_STUDIO_BASE_DATA_DIR": str(folder)}
    words = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    person = ["--username", PERSON, "--password", secrets.token_hex(8), "--user-token", token]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, *words, *person], env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, token, process, folder / "server.log")
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, token: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the user is there: the server says that it is up before."""
    end = time.monotonic() + STARTS_S
    headers = {"authorization": f"Token {token}"}
    while True:
        try:
            if urllib3.request("GET", f"{url}/api/users", headers=headers, retries=False, timeout=10).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.5)
