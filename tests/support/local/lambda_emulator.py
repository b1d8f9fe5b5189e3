"""AWS' own emulator of Lambda's runtime interface, and before it what a function URL does: an HTTP request as an event.

The emulator is real: it starts the function's process, hands it events by the runtime API and takes its answers. A
function URL is a service of AWS that runs nowhere else; its payload is documented, and is all that is played here.
"""

import base64
import http.client
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from bare_api_server import free_ports

MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator"
VERSION = "v0.0.0-20261030222936-bef5c4ba774d"
PROGRAM = "aws-lambda-rie"
INVOKE = "/2015-03-31/functions/function/invocations"
STARTUP_S = 300.0


def program() -> str:
    """The emulator on PATH, or one that Go builds once into the user's cache; without either the test is skipped."""
    if found := shutil.which(PROGRAM):
        return found
    kept = Path.home() / ".cache" / "seaway-tests" / f"rie-{VERSION}"
    if not (kept / PROGRAM).exists():
        if not (go := shutil.which("go")):
            pytest.skip(f"{PROGRAM} is not on PATH, and no Go that could build it")
        environment = {**os.environ, "GOBIN": str(kept), "CGO_ENABLED": "0"}
        words = [go, "install", f"{MODULE}/cmd/{PROGRAM}@{VERSION}"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{PROGRAM} cannot be built here: {done.stderr.strip().splitlines()[-1:]}")
    return str(kept / PROGRAM)


@dataclass(frozen=True)
class Emulated:
    """A function that the emulator runs; it takes one event at a time, as an instance of a function does."""

    port: int
    log: Path
    one: threading.Lock

    def invoke(self, event: object) -> Any:
        """What the function returns; of a call that failed, an object with `errorMessage`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STARTUP_S)
        with self.one:
            connection.request("POST", INVOKE, json.dumps(event))
            content = connection.getresponse().read()
        connection.close()
        return json.loads(content)


@contextmanager
def emulated(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Emulated]:
    """The function whose process is `command`, in the emulator."""
    ports = free_ports(2)
    told = ("--runtime-interface-emulator-address", "--runtime-api-address")
    addresses = [word for name, port in zip(told, ports, strict=True) for word in (name, f"127.0.0.1:{port}")]
    log = folder / "log"
    limits = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "300", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}
    words, variables = [program(), *addresses, *command], {**os.environ, **limits, **environment}
    with log.open("wb") as output, subprocess.Popen(words, env=variables, stdout=output, stderr=output) as run:
        try:
            _wait(ports[0], run, log)
            yield Emulated(ports[0], log, threading.Lock())
        finally:
            run.terminate()


def _wait(port: int, run: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTUP_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STARTUP_S)
        try:
            connection.connect()
            return
        except OSError:
            assert run.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        finally:
            connection.close()


def function_url(function: Emulated) -> type[BaseHTTPRequestHandler]:
    """What asks the function for each HTTP request, in version 2.0 of the payload."""

    class Url(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            said = function.invoke(
                {
                    "version": "2.0",
                    "rawPath": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "requestContext": {"stage": "$default", "http": {"method": self.command, "path": self.path}},
                    "body": base64.b64encode(body).decode(),
                    "isBase64Encoded": True,
                }
            )
            status = said.get("statusCode", 502)
            told = str(said.get("body", json.dumps(said)))
            content = base64.b64decode(told) if said.get("isBase64Encoded") else told.encode()
            self.send_response(status)
            for name, value in {**said.get("headers", {}), "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Url
