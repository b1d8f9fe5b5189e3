"""One watch a kind and namespace in a process, shared by all who wait (Kubernetes' "shared informer").

A `SharedInformer` lists, then watches from the list's resource version, and hands every change to the queues that
subscribed to its key. It goes on after a closed watch, lists again after 410, and ends with an error for every
subscriber when the server refuses it, or is away for longer than an outage may last.
"""

import json
import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any

import urllib3
from kubernetes.client import ApiException
from urllib3 import BaseHTTPResponse

from seaway.errors import SeawayError, ServerGone
from seaway.platforms.kubernetes.client.api_errors import UNREACHABLE, ApiCall, Status, error_for
from seaway.platforms.kubernetes.client.backoff import Backoff
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects, lines
from seaway.platforms.kubernetes.client.resources import EVENTS, Manifest, Resource

SESSION_S = (240, 300)  # the server ends a watch after this; spread, so that watches do not end together
LASTING_S = 1.0  # a watch that was open for so long has worked
SILENCE_S = 100.0  # the server sends a bookmark about every 60 s
NARROW = 8  # objects of a process whose events are watched one by one: a job and a few pods
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selector:
    """What is watched: a resource, narrowed by a selector, its objects told apart by the text at `key`."""

    resource: Resource
    label_selector: str = ""
    key: tuple[str, ...] = ("metadata", "name")
    field_selector: str = ""

    def query(self) -> dict[str, str]:
        """What a request says of it."""
        asked = {"labelSelector": self.label_selector, "fieldSelector": self.field_selector}
        return {name: text for name, text in asked.items() if text}

    def key_of(self, item: Manifest) -> str:
        value: Any = item
        for part in self.key:
            value = (value or {}).get(part)
        return str(value)


@dataclass(frozen=True)
class Change:
    """An object as it is now, or as it was last where it is no longer `present`."""

    resource: Resource
    object: Manifest
    present: bool


@dataclass(frozen=True)
class NotListed:
    """A complete list, begun after the subscription, has no object of this key."""

    resource: Resource
    key: str


Queue = SimpleQueue[Change | NotListed | SeawayError]


class Expired(Exception):
    """The server no longer knows the resource version: list anew."""


class SharedInformer(threading.Thread):
    """The thread that holds one watch."""

    def __init__(self, objects: Objects, selector: Selector) -> None:
        super().__init__(name=f"watch-{selector.resource.plural}", daemon=True)
        self.objects, self.selector = objects, selector
        self.call = ApiCall("watch", selector.resource, objects.namespace)
        self.subscribers: dict[str, list[Queue]] = defaultdict(list)
        self.known: dict[str, dict[str, Manifest]] = defaultdict(dict)  # key -> uid -> object
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.error: SeawayError | None = None
        self.response: BaseHTTPResponse | None = None

    def subscribe(self, key: str, queue: Queue) -> None:
        """Send what is known of `key`, and everything after it."""
        with self.lock:
            self.subscribers[key].append(queue)
            for item in self.known.get(key, {}).values():
                queue.put(Change(self.selector.resource, item, present=True))
            if self.error:
                queue.put(self.error)

    def unsubscribe(self, key: str, queue: Queue) -> bool:
        """Whether somebody still listens."""
        with self.lock:
            self.subscribers[key].remove(queue)
            if not self.subscribers[key]:
                del self.subscribers[key]
            return bool(self.subscribers)

    def stop(self) -> None:
        """End the watch and its connection."""
        self.stopping.set()
        if response := self.response:
            interrupt(response)

    def run(self) -> None:
        try:
            self._go_on()
        except SeawayError as error:
            self._fail(error)
        finally:  # whoever waits must learn of it, whatever it was
            if not self.stopping.is_set() and self.error is None:
                self._fail(ServerGone(f"The watch of {self.call} ended by a fault; the log has it."))

    def _go_on(self) -> None:
        backoff = Backoff(self.objects.connection.outage_s)
        version = ""
        while not self.stopping.is_set():
            version = version or self._list()
            began = time.monotonic()
            try:
                version = self._watch(version, backoff)
            except Expired:
                log.debug("%s of %s fell behind; listing again.", self.name, self.objects.namespace)
                version = ""
            except UNREACHABLE as error:
                status = Status.of(error)
                if not status.passing or not backoff.failed():
                    raise error_for(status, self.call) from error
            if time.monotonic() - began < LASTING_S:  # a watch that ends at once must not become a poll
                self.stopping.wait(backoff.pause_s())

    def _list(self) -> str:
        with self.lock:
            waiting = {key: list(queues) for key, queues in self.subscribers.items()}
        listing = self.objects.list(self.selector.resource, self.selector.query())
        present = {item["metadata"]["uid"] for item in listing.items}
        with self.lock:
            gone = [item for items in self.known.values() for uid, item in items.items() if uid not in present]
        for item in gone:
            self._tell(item, present=False)
        for item in listing.items:
            self._tell(item, present=True)
        keys = {self.selector.key_of(item) for item in listing.items}
        for key in waiting.keys() - keys:
            for queue in waiting[key]:
                queue.put(NotListed(self.selector.resource, key))
        return listing.version

    def _watch(self, version: str, backoff: Backoff) -> str:
        """Watch until the stream ends; returns the version to go on from."""
        query = {
            **self.selector.query(),
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": random.randint(*SESSION_S),  # noqa: S311
        }
        try:
            with self.objects.stream(self.call, query, SILENCE_S) as response:
                self.response = response
                backoff.succeeded()
                if self.stopping.is_set():
                    return version
                for line in lines(response):
                    version = self._take(json.loads(line))
        except ApiException as error:
            if error.status == HTTPStatus.GONE:
                raise Expired from error
            raise
        except (
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:  # ValueError: a line cut off, even in a letter
            if self.response is None:  # it never began
                raise
            log.debug("%s broke (%s); going on from %s.", self.name, error, version)
        finally:
            self.response = None
        return version

    def _take(self, event: dict[str, Any]) -> str:
        item = event["object"]
        if event["type"] == "ERROR":
            raise Expired(item.get("message", ""))
        if event["type"] != "BOOKMARK":
            self._tell(item, present=event["type"] != "DELETED")
        return str(item["metadata"]["resourceVersion"])

    def _tell(self, item: Manifest, *, present: bool) -> None:
        item["metadata"].pop("managedFields", None)
        item.setdefault("kind", self.selector.resource.kind)  # type: ignore[attr-defined]
        key, uid = self.selector.key_of(item), item["metadata"]["uid"]
        with self.lock:
            if present:
                self.known[key][uid] = item
            else:
                self.known[key].pop(uid, None)
                if not self.known[key]:
                    del self.known[key]
            for queue in self.subscribers.get(key, ()):
                queue.put(Change(self.selector.resource, item, present))

    def _fail(self, error: SeawayError) -> None:
        with self.lock:
            self.error = error
            for queues in self.subscribers.values():
                for queue in queues:
                    queue.put(error)


_informers: dict[tuple[Connection, Selector], SharedInformer] = {}
_lock = threading.Lock()


def events_of(name: str) -> Selector:
    """The events of one object; those of all where this process watches the events of `NARROW` objects already.

    A namespace has the events of everybody's jobs. A step waits for one job and hears of nothing else; who waits for
    a thousand has one watch rather than thousands.
    """
    with _lock:
        narrow = sum(bool(selector.field_selector) for _, selector in _informers)
    chosen = f"involvedObject.name={name}" if narrow < NARROW else ""
    return Selector(EVENTS, field_selector=chosen, key=("involvedObject", "name"))


@contextmanager
def subscribed(objects: Objects, selector: Selector, key: str, queue: Queue) -> Iterator[None]:
    """Have every change of the objects of `key` put into `queue`.

    The process holds one watch for each `selector` and namespace while anybody is subscribed to it.
    """
    place = (objects.connection, selector)
    with _lock:
        informer = _informers.get(place)
        if informer is None or informer.error:
            informer = _informers[place] = SharedInformer(objects, selector)
            informer.start()
        informer.subscribe(key, queue)
    try:
        yield
    finally:
        with _lock:
            if not informer.unsubscribe(key, queue):
                informer.stop()
                if _informers.get(place) is informer:
                    del _informers[place]


def interrupt(response: BaseHTTPResponse) -> None:
    """Wake a thread that reads `response`; its stream then ends or breaks."""
    try:
        response.shutdown()
    except (OSError, ValueError, RuntimeError):
        log.debug("The stream had ended.")
