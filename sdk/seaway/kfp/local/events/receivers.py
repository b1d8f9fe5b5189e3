"""Who is told of runs: `SEAWAY_EVENTS=openlineage+http://marquez:5000,otlp+http://collector:4318`."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, cast
from urllib.parse import urlsplit

import urllib3

from seaway.errors import InvalidSpec
from seaway.extras import advice

SETTING = "SEAWAY_EVENTS"
PATHS = {"openlineage": "/api/v1/lineage", "otlp": "/v1/traces"}  # as each of the two protocols has it
PACKAGES = {"openlineage": "openlineage", "otlp": "opentelemetry"}  # that make their messages
TIMEOUT_S = 5.0  # of one message
Protocol = Literal["openlineage", "otlp"]


@dataclass(frozen=True)
class Receiver:
    """One of them."""

    protocol: Protocol
    url: str

    def send(self, body: bytes) -> None:
        """Raises: urllib3.exceptions.HTTPError: it does not take it."""
        kind = "application/json" if self.protocol == "openlineage" else "application/x-protobuf"
        answer = urllib3.request(
            "POST", self.url, body=body, headers={"Content-Type": kind}, timeout=TIMEOUT_S, retries=False
        )
        if answer.status >= 300:  # noqa: PLR2004
            raise urllib3.exceptions.HTTPError(f"it answers {answer.status}")


def receivers() -> list[Receiver]:
    """Those of the setting; none where it is not set.

    Raises:
        InvalidSpec: one is of no known protocol, is no address, or what makes its messages is not installed.
    """
    return [_receiver(word.strip()) for word in os.environ.get(SETTING, "").split(",") if word.strip()]


def _receiver(word: str) -> Receiver:
    protocol, _, address = word.partition("+")
    parts = urlsplit(address)
    if protocol not in PATHS or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSpec(
            f"{SETTING} names {word!r}; write openlineage+http://HOST:PORT or otlp+http://HOST:PORT, several by commas."
        )
    if not find_spec(PACKAGES[protocol]):
        raise InvalidSpec(f"{SETTING} names {word!r}. {advice(PACKAGES[protocol])}")
    path = parts.path if parts.path.strip("/") else PATHS[protocol]
    return Receiver(cast("Protocol", protocol), parts._replace(path=path).geturl())
