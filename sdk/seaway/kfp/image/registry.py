"""A container registry by its own API (OCI distribution 1.1, and Docker's): blobs and manifests, by their digests."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import urlencode, urljoin

import urllib3

from seaway.errors import ImageNotBuilt
from seaway.kfp.image.reference import HUB, Reference, digest_of

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
CHUNK, KEPT_IN_MEMORY = 1 << 20, 64 << 20
LARGEST_MANIFEST = 4 << 20
TIMEOUT = urllib3.Timeout(connect=10, read=300)
HUB_KEY = "https://index.docker.io/v1/"  # of Docker's own configuration


@dataclass(frozen=True)
class Manifest:
    """A manifest, or an index of several, as its registry has it."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    @property
    def value(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    @classmethod
    def of(cls, media_type: str, value: Mapping[str, Any]) -> "Manifest":
        return cls(media_type, json.dumps(value, separators=(",", ":")).encode())


@dataclass
class Repository:
    """One repository of a registry.

    Every method raises ImageNotBuilt where the registry does not answer, refuses, or gives other bytes than asked for.
    """

    reference: Reference
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=3, timeout=TIMEOUT))
    authorization: str = ""

    def manifest(self, wanted: str) -> Manifest:
        """By tag or digest."""
        accepted = ", ".join((*INDEXES, *MANIFESTS))
        answer = self._ask("GET", f"manifests/{wanted}", {HTTPStatus.OK}, headers={"Accept": accepted})
        found = Manifest(answer.headers.get("Content-Type", ""), answer.data)
        if wanted.startswith("sha256:") and found.digest != wanted:
            raise self._failed(f"manifest {wanted} has other bytes than its digest says")
        return found

    def put_manifest(self, name: str, manifest: Manifest) -> None:
        """Under a tag or its own digest."""
        headers = {"Content-Type": manifest.media_type}
        self._ask("PUT", f"manifests/{name}", {HTTPStatus.CREATED}, body=manifest.body, headers=headers)

    def has(self, digest: str) -> bool:
        """Whether a blob is there."""
        answer = self._ask("HEAD", f"blobs/{digest}", {HTTPStatus.OK, HTTPStatus.NOT_FOUND})
        return answer.status == HTTPStatus.OK

    def blob(self, digest: str) -> bytes:
        """A small blob, such as a configuration."""
        with self.open(digest) as file:
            return file.read()

    def open(self, digest: str) -> IO[bytes]:
        """A blob as a file of this machine, proved whole."""
        file: IO[bytes] = SpooledTemporaryFile(KEPT_IN_MEMORY)  # noqa: SIM115  # the caller's to close
        answer = self._ask("GET", f"blobs/{digest}", {HTTPStatus.OK}, stream=True)
        found = hashlib.sha256()
        try:
            with closing(answer):
                for chunk in answer.stream(CHUNK):
                    found.update(chunk)
                    file.write(chunk)
        except urllib3.exceptions.HTTPError as error:
            raise self._failed(f"blob {digest} broke off: {error}") from error
        if f"sha256:{found.hexdigest()}" != digest:
            raise self._failed(f"blob {digest} has other bytes than its digest says")
        file.seek(0)
        return file

    def put(self, digest: str, file: IO[bytes]) -> None:
        """Upload a blob, unless it is there."""
        if self.has(digest):
            return
        begun = self._ask("POST", "blobs/uploads/", {HTTPStatus.ACCEPTED})
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._ask("PUT", self._upload(begun, digest), {HTTPStatus.CREATED}, body=file, headers=headers)

    def copy(self, digest: str, source: "Repository") -> None:
        """Have a blob of another repository, without moving it where both are in one registry."""
        if self.has(digest):
            return
        if source.reference.registry == self.reference.registry:
            asked = urlencode({"mount": digest, "from": source.reference.repository})
            allowed = {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
            if self._ask("POST", f"blobs/uploads/?{asked}", allowed).status == HTTPStatus.CREATED:
                return
        with source.open(digest) as file:
            self.put(digest, file)

    def _upload(self, begun: urllib3.BaseHTTPResponse, digest: str) -> str:
        where = urljoin(f"{self.reference.url}/", begun.headers["Location"])
        return f"{where}{'&' if '?' in where else '?'}{urlencode({'digest': digest})}"

    def _ask(
        self,
        method: str,
        path: str,
        allowed: set[HTTPStatus],
        *,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        url = path if path.startswith("http") else f"{self.reference.url}/{path}"
        try:
            answer = self._send(method, url, body, headers, stream)
            if answer.status == HTTPStatus.UNAUTHORIZED and (granted := self._log_in(answer, method)):
                self.authorization = granted
                if body is not None and not isinstance(body, bytes):
                    body.seek(0)
                answer = self._send(method, url, body, headers, stream)
        except urllib3.exceptions.HTTPError as error:
            raise self._failed(f"it does not answer: {error}") from error
        if answer.status not in allowed:
            raise self._failed(f"it answers {answer.status} to {method} {path.partition('?')[0]}: {_said(answer)}")
        return answer

    def _send(
        self, method: str, url: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str] | None, stream: bool
    ) -> urllib3.BaseHTTPResponse:
        own = {"Authorization": self.authorization} if self.authorization else {}
        return self.pool.request(
            method, url, body=body, headers={**(headers or {}), **own}, preload_content=not stream
        )  # fmt: skip

    def _log_in(self, refused: urllib3.BaseHTTPResponse, method: str) -> str:
        """What a further request says of who asks; empty where that is not to be had."""
        kind, _, told = refused.headers.get("WWW-Authenticate", "").partition(" ")
        known = credentials(self.reference.registry)
        if kind.lower() == "basic":
            return f"Basic {known}" if known else ""
        given = dict(CHALLENGE.findall(told))
        if kind.lower() != "bearer" or "realm" not in given:
            return ""
        actions = "pull" if method in ("GET", "HEAD") else "pull,push"
        scope = {"scope": f"repository:{self.reference.repository}:{actions}", "service": given.get("service", "")}
        headers = {"Authorization": f"Basic {known}"} if known else {}
        answer = self.pool.request("GET", f"{given['realm']}?{urlencode(scope)}", headers=headers)
        token = json.loads(answer.data) if answer.status == HTTPStatus.OK else {}
        return f"Bearer {token.get('token') or token.get('access_token')}" if token else ""

    def _failed(self, why: str) -> ImageNotBuilt:
        return ImageNotBuilt(
            f"Registry {self.reference.registry}, repository {self.reference.repository}: {why}. Is the name right, "
            "and are you logged in (`docker login`, which writes ~/.docker/config.json)?"
        )


def credentials(registry: str) -> str:
    """`user:password` in base64, as `docker login` leaves it in its configuration; empty where it has none."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        auths = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("auths", {})
    except (OSError, ValueError):
        return ""
    keys = (HUB_KEY,) if registry == HUB else (registry, f"https://{registry}", f"https://{registry}/v2/")
    for entry in _entries(auths, keys):
        if entry.get("auth"):
            return str(entry["auth"])
        if entry.get("username"):
            return base64.b64encode(f"{entry['username']}:{entry.get('password', '')}".encode()).decode()
    return ""


def _entries(auths: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    return (auths[key] for key in keys if isinstance(auths.get(key), dict))


def _said(answer: urllib3.BaseHTTPResponse) -> str:
    """The registry's own words, in a line."""
    try:
        return "; ".join(str(one.get("message")) for one in json.loads(answer.data)["errors"]) or answer.reason or ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.reason or ""
