"""HTTP answers of monitoring systems and gateways, had whole and in time or not at all."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

import urllib3

from seaway.serving.clients.trust import Trust

LARGEST = 64 << 20  # bytes of an answer
CHUNK = 1 << 16


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@lru_cache(maxsize=4)
def _pool(trust: Trust) -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=4, ssl_context=trust.context() if trust != Trust() else None)


def fetch(url: str, timeout_s: float, headers: Mapping[str, str] | None = None, trust: Trust | None = None) -> Answer:
    """GET `url`; redirects are not followed. `trust` None is the machine's authorities, and no certificate is shown.

    Raises:
        InvalidSpec: what is trusted cannot be read.
        OSError: no whole answer within `timeout_s` seconds, or one that is too large.
    """
    deadline = time.monotonic() + timeout_s
    try:
        response = _pool(trust or Trust()).request(
            "GET", url, headers=dict(headers or {}), timeout=timeout_s, retries=False, preload_content=False
        )
        with closing(response):
            body = _whole(response, deadline)
    except urllib3.exceptions.HTTPError as error:
        raise ConnectionError(f"{_shown(url)} did not answer in full: {error}") from error
    return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)


def _shown(url: str | None) -> str:
    """The URL without a name and password that it may hold."""
    return urllib3.util.parse_url(url or "")._replace(auth=None).url


def _whole(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """A socket's time-out starts anew with every byte, so the clock is read as well."""
    body = bytearray()
    while chunk := response.read1(CHUNK):
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError(f"the answer of {_shown(response.url)} was still arriving when its time was up")
        if len(body) > LARGEST:
            raise OSError(f"the answer of {_shown(response.url)} is larger than {LARGEST >> 20} MiB")
    return bytes(body)
