"""The objects of one namespace: create, apply, get, list, delete, and open streams, for any `Resource`."""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from urllib3 import BaseHTTPResponse

from seaway.errors import InvalidSpec, NameTaken, ObjectChanged, ObjectDeleted
from seaway.platforms.kubernetes.client.api_errors import UNREACHABLE, WRITES, ApiCall, Status, error_for, of_webhook
from seaway.platforms.kubernetes.client.backoff import Backoff
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.resources import Manifest, Resource

MANAGER = "seaway"  # field manager of all that we write
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"  # RFC 6902
STRICT = {"fieldManager": MANAGER, "fieldValidation": "Strict"}  # a misspelt field is refused, not dropped
WRITE_S = 10  # of a write of an operator's kind: its webhook may hang for 30 s, and answers in milliseconds when well
WEBHOOK_S = 8.0  # how long a webhook that does not answer is borne: its operator may be starting
PAGE = 500  # objects in one answer to a list
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """Objects as they were at one resource version, from which a watch goes on."""

    items: list[dict[str, Any]]
    version: str


@dataclass(frozen=True)
class Objects:
    """The objects of a connection's namespace.

    Every method raises the error that `refusals` makes of the server's answer. An API server that does not answer,
    or answers 5xx or 429, is asked again for `connection.outage_s` seconds, then ServerGone is raised.
    """

    connection: Connection

    @property
    def namespace(self) -> str:
        return self.connection.namespace

    def create(self, resource: Resource, manifest: Manifest, *, dry_run: bool = False) -> dict[str, Any]:
        """Create an object; unlike `apply` it can never change one that is there.

        Raises:
            NameTaken: there is one, be it from an earlier attempt of this very request.
        """
        query = {**STRICT, "dryRun": "All"} if dry_run else STRICT
        call = ApiCall("create", resource, self.namespace, manifest["metadata"]["name"])
        return self._ask(call, "POST", resource.path(self.namespace), query, manifest, "application/json")

    def apply(self, resource: Resource, manifest: Manifest, found: Manifest | None = None) -> dict[str, Any]:
        """Server-side apply: create the object, or set the fields that are ours.

        Args:
            found: the object as it was read and proved ours: its fields are set whoever has written them meanwhile.

        Raises:
            NameTaken: another field manager has set one of them to another value; of `found`, it is another object by
                now.
        """
        name = manifest["metadata"]["name"]
        query: Mapping[str, Any] = STRICT
        if found:
            query = {**STRICT, "force": "true"}
            manifest = {**manifest, "metadata": {**manifest["metadata"], "uid": found["metadata"]["uid"]}}
        call = ApiCall("patch", resource, self.namespace, name)
        return self._ask(call, "PATCH", resource.path(self.namespace, name), query, manifest, APPLY)

    def reapply(self, resource: Resource, found: Manifest, manifest: Manifest) -> dict[str, Any]:
        """`apply` over an object of ours as it was read.

        Raises:
            ObjectChanged: it is another one by now.
        """
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        try:
            return self.apply(resource, {**manifest, "metadata": {**manifest["metadata"], **version}}, found)
        except NameTaken as refused:
            call = ApiCall("patch", resource, self.namespace, found["metadata"]["name"])
            raise _changed(call) from refused

    def patch(self, resource: Resource, found: Manifest, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """JSON patch of an object as it was read.

        Raises:
            ObjectChanged: it is another one by now, be it by an earlier attempt of this very request.
            ObjectDeleted: it is gone.
        """
        name, version = found["metadata"]["name"], found["metadata"]["resourceVersion"]
        call = ApiCall("patch", resource, self.namespace, name)
        unchanged = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
        path = resource.path(self.namespace, name)
        try:
            return self._ask(call, "PATCH", path, STRICT, [unchanged, *operations], JSON_PATCH)
        except InvalidSpec as refused:
            now = self.get(resource, name)
            if now and now["metadata"]["resourceVersion"] == version:
                raise
            raise _changed(call) from refused

    def get(self, resource: Resource, name: str, part: str = "") -> dict[str, Any] | None:
        """The object, or a part of it (a subresource), or None where there is none."""
        call = ApiCall("get", resource, self.namespace, name)
        try:
            return self._ask(call, "GET", resource.path(self.namespace, name, part))
        except ObjectDeleted:
            return None

    def list(self, resource: Resource, query: Mapping[str, Any] | None = None) -> Listing:
        """All objects that `query` (`labelSelector`, `fieldSelector`) selects, read consistently."""
        call, path = ApiCall("list", resource, self.namespace), resource.path(self.namespace)
        items: list[dict[str, Any]] = []
        page: Mapping[str, Any] = {"metadata": {"continue": ""}}
        while True:
            onward = {"limit": PAGE, "continue": page["metadata"].get("continue", "")}
            page = self._ask(call, "GET", path, {**(query or {}), **{k: v for k, v in onward.items() if v}})
            items += page["items"]
            if not page["metadata"].get("continue"):
                return Listing(items, page["metadata"]["resourceVersion"])

    def delete(self, resource: Resource, name: str, uid: str | None = None) -> None:
        """Delete an object after all that it owns; nothing happens where it is gone, or is another one than `uid`."""
        options: dict[str, Any] = {"propagationPolicy": "Foreground"}
        if uid:
            options["preconditions"] = {"uid": uid}
        call = ApiCall("delete", resource, self.namespace, name)
        try:
            self._ask(call, "DELETE", resource.path(self.namespace, name), {}, options, "application/json")
        except ObjectDeleted:
            log.debug("%s was gone already.", call)
        except NameTaken:
            found = self.get(resource, name)
            if found and found["metadata"]["uid"] == uid:
                raise
            log.debug("%s is another one by now.", call)

    def discover(self, call: ApiCall) -> dict[str, Any]:
        """The APIResourceList of a kind's group and version. Raises: KindMissing: there is no such version."""
        return self._ask(call, "GET", call.resource.root)

    @contextmanager
    def stream(
        self, call: ApiCall, query: Mapping[str, Any], silence_s: float, subresource: str = ""
    ) -> Iterator[BaseHTTPResponse]:
        """An open answer: a watch, or a log that is followed. It is not retried; use `lines` to read it.

        Raises:
            kubernetes.client.ApiException: the server refused.
            urllib3.exceptions.HTTPError: it could not be reached, or the answer broke.
        """
        path = call.resource.path(self.namespace, call.name, subresource)
        with self.connection.stream(path, query, silence_s) as response:
            yield response

    def _ask(
        self,
        call: ApiCall,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        content_type: str | None = None,
    ) -> dict[str, Any]:
        backoff, webhook = Backoff(self.connection.outage_s), Backoff(WEBHOOK_S)
        hurried = call.verb in WRITES and call.resource.has_operator
        if hurried:
            query = {**(query or {}), "timeout": f"{WRITE_S}s"}
        locked = isinstance(body, Mapping) and "resourceVersion" in body.get("metadata", {})
        while True:
            began = time.monotonic()
            try:
                answer: dict[str, Any] = json.loads(
                    self.connection.request(method, path, query or {}, body, content_type)
                )
                return answer
            except UNREACHABLE as error:
                status = Status.of(error)
                if hurried and not status.code and time.monotonic() - began >= WRITE_S:
                    status = replace(status, code=HTTPStatus.GATEWAY_TIMEOUT)  # a server may also just hang up by then
                late = locked and status.lost_race and status.details.get("name") == call.name
                patience = webhook if of_webhook(status, call) else backoff
                if late or not status.passing or not patience.failed():
                    raise error_for(status, call) from error
                log.debug("%s %s: %s; trying again.", call.verb, call, status.message)
            time.sleep(patience.pause_s())


def _changed(call: ApiCall) -> ObjectChanged:
    return ObjectChanged(
        f"{call} was changed by somebody else while it was written; the change was left as it is. "
        f"`kubectl get {call.kubectl_target} -o yaml --show-managed-fields` shows by whom."
    )


def lines(response: BaseHTTPResponse) -> Iterator[bytes]:
    """Whole lines without their ends, as they arrive; a last line without an end comes when the stream ends well."""
    rest = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
