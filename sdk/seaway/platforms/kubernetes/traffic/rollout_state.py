"""A rollout's journal in ConfigMap `NAME-rollout`, so that a step restarted anywhere goes on where the last look ended.

It is compressed: the API server keeps 1 MiB, the journal of some 20,000 requests. The history of an endpoint's rollouts
is in `NAME-rollout-history`, which nothing owns: it outlives the endpoint, and has a bounded size.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from seaway.errors import NameTaken, ObjectChanged
from seaway.platforms.kubernetes.client.connection import Connection, connected
from seaway.platforms.kubernetes.client.naming import MANAGED_BY, endpoint_labels
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import ROUTED, Permission
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Manifest
from seaway.platforms.kubernetes.traffic.weighted_route import of_record
from seaway.serving import DeployedEndpoint

KEY = "journal.json.gz"
HISTORY_KEY = "history.json.gz"
ATTEMPTS = 5  # to write a history that others write at the same moment
FASTEST = 1  # of gzip's levels: a fourth of the time of its default, for a tenth more bytes


class ConfigMapRolloutStore:
    """One process writes at a time: a write is refused once another process has written."""

    permissions = (Permission(CONFIG_MAPS, ROUTED, "rollout_state: the rollout's journal, and the history"),)

    def __init__(self, connection: Connection | None = None) -> None:
        self._objects = Objects(connection or connected())
        self._known: dict[str, Manifest | None] = {}

    def read(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        kept = self._objects.get(CONFIG_MAPS, _name(endpoint))
        self._known[endpoint.name] = kept
        if kept is None:
            return None
        return _unpacked(kept, KEY)

    def write(self, endpoint: DeployedEndpoint, value: Mapping[str, Any]) -> None:
        self._known[endpoint.name] = self._kept(endpoint, _packed(value, KEY))

    def history(self, name: str) -> dict[str, Any] | None:
        kept = self._objects.get(CONFIG_MAPS, _history_name(name))
        return _unpacked(kept, HISTORY_KEY) if kept else None

    def remember(self, name: str, change: Callable[[dict[str, Any] | None], Mapping[str, Any]]) -> None:
        """Raises: ObjectChanged, NameTaken: others have written at the same moment, again and again."""
        for left in reversed(range(ATTEMPTS)):
            kept = self._objects.get(CONFIG_MAPS, _history_name(name))
            data = _packed(change(_unpacked(kept, HISTORY_KEY) if kept else None), HISTORY_KEY)
            try:
                self._remembered(name, kept, data)
            except (NameTaken, ObjectChanged):
                if not left:
                    raise
            else:
                return

    def _remembered(self, name: str, kept: Manifest | None, data: Mapping[str, str]) -> None:
        if kept is None:
            self._objects.create(CONFIG_MAPS, _object(_history_name(name), {MANAGED_BY: "seaway"}, data))
        elif kept["binaryData"] != data:
            self._objects.patch(CONFIG_MAPS, kept, [{"op": "add", "path": "/binaryData", "value": data}])

    def _kept(self, endpoint: DeployedEndpoint, data: Mapping[str, str]) -> Manifest:
        known = self._known.get(endpoint.name)
        try:
            if known is None:
                manifest = _object(_name(endpoint), endpoint_labels(endpoint.name), data)
                created = of_record(self._objects, manifest, endpoint)
                return self._objects.create(CONFIG_MAPS, created)
            return self._objects.patch(CONFIG_MAPS, known, [{"op": "add", "path": "/binaryData", "value": data}])
        except (NameTaken, ObjectChanged) as error:
            now = self._objects.get(CONFIG_MAPS, _name(endpoint))
            if now and now.get("binaryData") == data:  # written by an attempt whose answer was lost
                return now
            raise ObjectChanged(
                f"Another process drives the rollout of endpoint {endpoint.name}: it has written ConfigMap "
                f"{self._objects.namespace}/{_name(endpoint)} meanwhile. This one leaves the weights to it."
            ) from error


def _name(endpoint: DeployedEndpoint) -> str:
    return f"{endpoint.name}-rollout"


def _history_name(name: str) -> str:
    return f"{name}-rollout-history"


def _object(name: str, labels: Mapping[str, str], data: Mapping[str, str]) -> Manifest:
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": dict(data)}


def _packed(value: Mapping[str, Any], key: str) -> dict[str, str]:
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    return {key: base64.b64encode(gzip.compress(text, FASTEST, mtime=0)).decode()}


def _unpacked(kept: Manifest, key: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(kept["binaryData"][key])))
    return value
