"""Hub's REST API: models, their versions, and the artifacts of those.

Source: `api/openapi/model-registry.yaml` of github.com/kubeflow/hub at v1alpha3; paths of v1 differ by their prefix.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from seaway.errors import InvalidSpec, RegistryUnavailable
from seaway.platforms.settings import token
from seaway.serving.clients.trust import Trust

URL, TOKEN_FILE = "SEAWAY_HUB_URI", "SEAWAY_HUB_TOKEN_FILE"
APIS = ("v1", "v1alpha3")  # the newest first
TIMEOUT_S = 10.0
RETRIES = urllib3.Retry(total=3, backoff_factor=0.5, status_forcelist=(502, 503, 504), raise_on_status=False)
PAGE = 100
TOLD = 300  # signs of an answer in a message
Record = dict[str, Any]


class Conflict(Exception):
    """Another has made a thing of that name."""


@dataclass(frozen=True)
class HubServer:
    """A server and the header that says who asks."""

    url: str
    headers: Mapping[str, str]

    @classmethod
    def named(cls) -> "HubServer":
        """That of the environment. Raises: InvalidSpec: none is named."""
        url = os.environ.get(URL, "").rstrip("/")
        if not url:
            raise InvalidSpec(
                f"Set {URL} to Kubeflow's model registry, such as http://model-registry-service.kubeflow:8080."
            )
        file = os.environ.get(TOKEN_FILE)
        return cls(url, {"authorization": f"Bearer {token(TOKEN_FILE, Path(file))}"} if file else {})

    def model(self, name: str) -> Record | None:
        """The registered model of that name; None where there is none."""
        return self._found("registered_model", name=name)

    def version(self, model: str, name: str) -> Record | None:
        """A model's version by its name; None where there is none."""
        return self._found("model_version", name=name, parentResourceId=model)

    def versions(self, model: str) -> Iterator[Record]:
        """A model's versions, in the order of their making."""
        return self._items(f"registered_models/{model}/versions")

    def artifacts(self, version: str) -> Iterator[Record]:
        """What belongs to a version."""
        return self._items(f"model_versions/{version}/artifacts")

    def make(self, path: str, **fields: Any) -> Record:
        """A new thing. Raises: Conflict: there is one of that name."""
        answer = self._answer("POST", path, fields)
        if answer.status == HTTPStatus.CONFLICT:
            raise Conflict(path)
        return self._read(answer, path)

    def change(self, path: str, **fields: Any) -> None:
        """Set fields of a thing."""
        self._read(self._answer("PATCH", path, fields), path)

    def _found(self, kind: str, **by: str) -> Record | None:
        path = f"{kind}?{urlencode(by)}"
        answer = self._answer("GET", path)
        return None if answer.status == HTTPStatus.NOT_FOUND else self._read(answer, path)

    def _items(self, path: str) -> Iterator[Record]:
        following = ""
        while True:
            page = f"{path}?{urlencode({'pageSize': PAGE, **({'nextPageToken': following} if following else {})})}"
            answer = self._read(self._answer("GET", page), page)
            yield from answer.get("items") or ()
            following = answer.get("nextPageToken") or ""
            if not following:
                return

    @cached_property
    def _api(self) -> str:
        """The newest API that the server has."""
        for api in APIS:
            base = f"{self.url}/api/model_registry/{api}"
            if self._asked("GET", f"{base}/registered_models?pageSize=1").status != HTTPStatus.NOT_FOUND:
                return base
        raise RegistryUnavailable(
            f"{self.url} has no API of Kubeflow's model registry ({', '.join(APIS)}); set {URL} to one."
        )

    def _answer(self, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
        return self._asked(method, f"{self._api}/{path}", body)

    def _asked(self, method: str, url: str, body: Any = None) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(method, url, headers=self.headers, json=body, timeout=TIMEOUT_S, retries=RETRIES)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise RegistryUnavailable(
                f"Kubeflow's model registry at {self.url} does not answer ({error}). See that it runs, and that {URL} "
                "names it as this machine or pod reaches it."
            ) from error

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(ssl_context=Trust.here().context() if self.url.startswith("https:") else None)

    def _read(self, answer: urllib3.BaseHTTPResponse, path: str) -> Record:
        try:
            said = json.loads(answer.data)
        except ValueError:
            said = None
        if answer.status in range(200, 300) and isinstance(said, dict):
            return said
        told = said.get("message") if isinstance(said, dict) else answer.data.decode(errors="replace")
        why = str(told).strip()[:TOLD] or "nothing"
        raise RegistryUnavailable(
            f"Kubeflow's model registry at {self.url} answered {answer.status} to {path}: {why}. "
            f"See that {URL} names a model registry, and {TOKEN_FILE} a file with a token that may change it."
        )


def properties(values: Mapping[str, str]) -> Record:
    """Texts as custom properties."""
    return {name: {"metadataType": "MetadataStringValue", "string_value": value} for name, value in values.items()}


def texts(record: Record) -> dict[str, str]:
    """The custom properties of a thing that are texts."""
    given = record.get("customProperties") or {}
    return {name: value["string_value"] for name, value in given.items() if "string_value" in value}
