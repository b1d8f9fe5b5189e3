"""Ray's job API, as its dashboard has it: submit, look, read the log, stop.

Source: "Ray Jobs REST API" of Ray's documentation. By REST, because a step then needs neither Ray nor its version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3

from seaway.errors import InvalidSpec
from seaway.platforms.patience import Away
from seaway.platforms.ray.placement import Placement
from seaway.platforms.settings import token
from seaway.serving.clients.trust import Trust

TIMEOUT = urllib3.Timeout(connect=10.0, read=60.0)
AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
UNKNOWN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
TOLD = 600  # signs of an answer in a message
PENDING, RUNNING, SUCCEEDED, STOPPED = "PENDING", "RUNNING", "SUCCEEDED", "STOPPED"
ACTIVE = (PENDING, RUNNING)


@dataclass(frozen=True)
class JobRecord:
    """What Ray knows of a job: its status, what it says of it, and the exit code of its program, if it has one."""

    status: str
    message: str = ""
    code: int | None = None


@dataclass(frozen=True)
class JobServer:
    """A cluster's dashboard, and the header that says who asks."""

    url: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, placement: Placement) -> "JobServer":
        """That of a placement. Raises: InvalidSpec: the token cannot be read."""
        secret = token("placement.token_file", Path(placement.token_file)) if placement.token_file else ""
        return cls(placement.address.rstrip("/"), {"authorization": f"Bearer {secret}"} if secret else {})

    def show(self, name: str) -> JobRecord | None:
        """The job of this name; None where there is none. Raises: Away, InvalidSpec."""
        answer = self._asked("GET", f"/{name}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        told = self._read(answer)
        message, *_ = (told.get("message") or "").splitlines() or [""]  # a traceback may follow
        return JobRecord(told["status"], message, told.get("driver_exit_code"))

    def submit(self, name: str, entrypoint: str, runtime_env: Mapping[str, Any]) -> None:
        """Start a job. Raises: Away; InvalidSpec: Ray refuses it, in its words."""
        asked = {"submission_id": name, "entrypoint": entrypoint, "runtime_env": dict(runtime_env)}
        self._read(self._asked("POST", "/", asked))

    def log(self, name: str) -> str:
        """All that the job has written, where it is still known. Raises: Away, InvalidSpec."""
        answer = self._asked("GET", f"/{name}/logs")
        return "" if answer.status == HTTPStatus.NOT_FOUND else str(self._read(answer).get("logs", ""))

    def stop(self, name: str) -> None:
        """Ask it to end. Raises: Away, InvalidSpec."""
        self._asked("POST", f"/{name}/stop")

    def _asked(self, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
        url = f"{self.url}/api/jobs{path}"
        try:
            answer = self._pool.request(
                method, url, headers=self.headers, json=body, timeout=TIMEOUT, retries=False, redirect=False
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise Away(f"{url} does not answer ({error})") from error
        if answer.status in AWAY:
            raise Away(f"{url} answers {answer.status}")
        if answer.status in UNKNOWN:
            raise InvalidSpec(
                f"The Ray cluster at {self.url} does not know who asks ({_words(answer)}). Write its token into a file "
                "and name that as placement.token_file."
            )
        return answer

    def _read(self, answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = None
        if answer.status != HTTPStatus.OK or not isinstance(told, dict):
            raise InvalidSpec(
                f"The Ray cluster at {self.url} answered {answer.status}: {_words(answer)}. See that "
                "placement.address is the address of its dashboard."
            )
        return told

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(ssl_context=Trust.here().context() if self.url.startswith("https:") else None)


def _words(answer: urllib3.BaseHTTPResponse) -> str:
    """The last line of an answer, which is the error where it is a traceback."""
    lines = [line.strip() for line in answer.data.decode(errors="replace").splitlines() if len(line.strip()) > 1]
    return lines[-1][:TOLD].rstrip(".") if lines else "nothing"
