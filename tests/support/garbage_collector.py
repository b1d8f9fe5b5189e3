"""Kubernetes' garbage collector, played: what an object owns goes with it."""

import json
import threading
from dataclasses import replace
from typing import Any

from seaway.errors import ObjectChanged, ObjectDeleted
from seaway.platforms.kubernetes.client.api_errors import UNREACHABLE
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects, lines
from seaway.platforms.kubernetes.client.resources import Resource

FOREGROUND = "foregroundDeletion"
SILENCE_S = 3600.0


class GarbageCollector:
    """Works in all namespaces on the kinds that it is told of, until the server ends."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.resources, self.over = connection, list[Resource](), threading.Event()

    def add(self, resource: Resource) -> None:
        self.resources.append(resource)
        threading.Thread(target=self.collect, args=(resource,), daemon=True).start()

    def collect(self, resource: Resource) -> None:
        path = resource.path("")
        while not self.over.is_set():
            try:
                with self.connection.stream(path, {"watch": "true"}, SILENCE_S) as response:
                    for line in lines(response):
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        self.take(resource, event["type"], event["object"])
            except UNREACHABLE:
                self.over.wait(0.1)

    def take(self, resource: Resource, happened: str, item: dict[str, Any]) -> None:
        metadata = item["metadata"]
        objects = Objects(replace(self.connection, namespace=metadata["namespace"]))
        if happened == "DELETED":
            self.delete_owned(objects, metadata["uid"], blocking=False)
        elif "deletionTimestamp" in metadata and FOREGROUND in metadata.get("finalizers", ()):
            self.delete_owned(objects, metadata["uid"], blocking=True)
            release(objects, resource, item)

    def delete_owned(self, objects: Objects, uid: str, *, blocking: bool) -> None:
        """What an object owns goes after it, and before it where the reference says so."""
        for resource in self.resources:
            for owned in objects.list(resource).items:
                owners = [one for one in owned["metadata"].get("ownerReferences", ()) if one["uid"] == uid]
                if any(one.get("blockOwnerDeletion") or not blocking for one in owners):
                    delete(objects, resource, owned["metadata"]["name"])


def delete(objects: Objects, resource: Resource, name: str) -> None:
    options = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
    path = resource.path(objects.namespace, name)
    try:
        objects.connection.request("DELETE", path, {}, options, "application/json")
    except UNREACHABLE as error:
        assert getattr(error, "status", 0) == 404, error


def release(objects: Objects, resource: Resource, item: dict[str, Any]) -> None:
    left = [name for name in item["metadata"]["finalizers"] if name != FOREGROUND]
    try:
        objects.patch(resource, item, [{"op": "add", "path": "/metadata/finalizers", "value": left}])
    except (ObjectChanged, ObjectDeleted):  # then there is another event
        return
