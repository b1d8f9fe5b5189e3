"""Following the logs of a job's pods: live, every line once, across broken streams and restarted containers.

The log endpoint resumes only at whole seconds (`sinceTime`), so a resumed stream begins with lines that are known;
they are told apart by their timestamps of nanoseconds. The timestamps are the node's: this machine's clock is not used.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from urllib3 import BaseHTTPResponse

from seaway.errors import SeawayError
from seaway.platforms.kubernetes.client.api_errors import UNREACHABLE, ApiCall, Status, error_for
from seaway.platforms.kubernetes.client.backoff import Backoff
from seaway.platforms.kubernetes.client.informer import interrupt
from seaway.platforms.kubernetes.client.objects import Objects, lines
from seaway.platforms.kubernetes.client.resources import POD_LOGS, PODS, Manifest

SILENCE_S = 300.0  # a stream that says nothing for so long is opened anew; load balancers cut earlier
DRAIN_S = 5.0  # for the last lines of a log that cannot be had at once
TAIL_LINES = 20  # of a failed pod, told in the error
OVERLAP = timedelta(seconds=1)
Tell = Callable[[str, str], None]  # name of the pod, line
log = logging.getLogger(__name__)


def to_log(pod: str, line: str) -> None:
    """Write a pod's line into this process's log."""
    log.info("%s | %s", pod, line)


@dataclass
class Cursor:
    """How far a container's log was told: the newest second, and the timestamps of the lines since `OVERLAP` before it.

    Output and error stream are stamped apart, so that lines may stand a little out of order.
    """

    newest: datetime | None = None
    told: dict[datetime, Counter[str]] = field(default_factory=dict)

    def resume(self) -> Counter[str]:
        """Timestamps of known lines that a resumed stream repeats; `is_new` uses them up."""
        return sum(self.told.values(), Counter())

    def is_new(self, stamp: str, repeated: Counter[str]) -> bool:
        """Whether the line of this timestamp has not been told; it counts as told from here on."""
        if repeated[stamp] > 0:
            repeated[stamp] -= 1
            return False
        second = datetime.fromisoformat(stamp).astimezone(UTC).replace(microsecond=0)
        if self.newest is None or second > self.newest:
            self.newest = second
            self.told = {known: stamps for known, stamps in self.told.items() if known >= second - OVERLAP}
        if second >= self.newest - OVERLAP:
            self.told.setdefault(second, Counter())[stamp] += 1
        return True

    def query(self) -> dict[str, str]:
        return {"sinceTime": (self.newest - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")} if self.newest else {}


@dataclass(frozen=True)
class Seen:
    """What the pod's status says of a container: which instance, whether it ended, and which one was before it."""

    instance: str = ""
    ended: bool = False
    before: str = ""

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> "Seen":
        before = status.get("lastState", {}).get("terminated", {}).get("containerID", "")
        instance = status.get("containerID", "")
        return cls(instance, "running" not in status.get("state", {}), before if before != instance else "")


class Follower(threading.Thread):
    """The thread that tells one container's log."""

    def __init__(self, objects: Objects, pod: str, container: str, tell: Tell, report: Callable[[SeawayError], None]):
        super().__init__(name=f"log-{pod}-{container}", daemon=True)
        self.objects, self.container = objects, container
        self.call = ApiCall("get", PODS, objects.namespace, pod)
        self.tell, self.report = tell, report
        self.cursor, self.tail = Cursor(), deque[str](maxlen=TAIL_LINES)
        self.seen, self.read_before = Seen(), ""
        self.news, self.finishing = threading.Event(), threading.Event()
        self.response: BaseHTTPResponse | None = None

    def see(self, seen: Seen) -> None:
        """The container started, ended or was started anew: read on from there."""
        if seen != self.seen:
            self.seen = seen
            self._wake()

    def finish(self) -> None:
        """Read what is left, then end."""
        self.finishing.set()
        self._wake()

    def run(self) -> None:
        backoff = Backoff(float("inf"))
        while not self.finishing.is_set():
            self.news.clear()
            seen = self.seen
            if self._read_before(seen) and self._read(follow=not seen.ended) and seen.ended:
                self.news.wait()
            else:
                backoff.failed()
                self.news.wait(backoff.pause_s())
        self._read_the_rest()

    def _read_the_rest(self) -> None:
        backoff = Backoff(DRAIN_S)
        while not (self._read_before(self.seen) and self._read(follow=False)):
            if not backoff.failed():
                return log.warning("The last lines of %s are missing: its log cannot be had.", self.call)
            time.sleep(backoff.pause_s())
        return None

    def _read_before(self, seen: Seen) -> bool:
        """Read the rest of the instance before this one, once."""
        if seen.before and seen.before != self.read_before:
            if not self._read(follow=False, previous=True):
                return False
            self.read_before = seen.before
        return True

    def _read(self, *, follow: bool, previous: bool = False) -> bool:
        """Tell the lines after the cursor; whether the stream ended well."""
        query = {"container": self.container, "timestamps": "true", **self.cursor.query()}
        query |= {"follow": "true"} if follow else {}
        query |= {"previous": "true"} if previous else {}
        try:
            with self.objects.stream(self.call, query, SILENCE_S, "log") as response:
                return self._tell_all(response, follow=follow)
        except UNREACHABLE as error:
            return self._ended_by(Status.of(error))

    def _tell_all(self, response: BaseHTTPResponse, *, follow: bool) -> bool:
        self.response = response if follow else None  # only a stream without end needs to be woken
        if follow and self.news.is_set():  # they came while the stream was being opened
            interrupt(response)
        repeated = self.cursor.resume()
        try:
            for line in lines(response):
                if not self._tell_line(line.decode("utf-8", "replace"), repeated):
                    return False
        finally:
            self.response = None
        return True

    def _tell_line(self, text: str, repeated: Counter[str]) -> bool:
        stamp, _, line = text.partition(" ")
        try:
            new = self.cursor.is_new(stamp, repeated)
        except ValueError:  # not a line of the container, but the kubelet's reason for having none
            log.debug("The log of %s: %s", self.call, text)
            return False
        if new:
            self.tail.append(line)
            self.tell(self.call.name, line)
        return True

    def _ended_by(self, status: Status) -> bool:
        if status.code in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST):  # pod gone, or no such instance
            return True
        if not status.passing:
            self.report(error_for(status, ApiCall("get", POD_LOGS, self.call.namespace, self.call.name)))
            return True
        log.debug("The log of %s broke: %s; going on.", self.call, status.message)
        return False

    def _wake(self) -> None:
        self.news.set()
        if response := self.response:
            interrupt(response)


@dataclass
class Logs:
    """The followers of a job's pods."""

    objects: Objects
    tell: Tell
    report: Callable[[SeawayError], None]
    followers: dict[tuple[str, str], Follower] = field(default_factory=dict)

    def see(self, pod: Manifest) -> None:
        """Follow what has started, and finish what has ended."""
        statuses = pod.get("status", {}).get("containerStatuses") or ()
        for status in statuses:
            if (seen := Seen.of(status)).instance:
                self._follower(pod, status["name"], alone=len(statuses) == 1).see(seen)

    def leave(self, pod: Manifest) -> None:
        """The pod is gone."""
        for (uid, _), follower in self.followers.items():
            if uid == pod["metadata"]["uid"]:
                follower.finish()

    def finish(self, within_s: float = 2 * DRAIN_S) -> None:
        """Read everything to the end."""
        deadline = time.monotonic() + within_s
        for follower in self.followers.values():
            follower.finish()
        for follower in self.followers.values():
            follower.join(max(0.0, deadline - time.monotonic()))

    def tail(self, pod: str) -> str:
        """The last lines of a pod."""
        tails = [line for (_, _), f in self.followers.items() if f.call.name == pod for line in f.tail]
        return "\n".join(tails[-TAIL_LINES:])

    def _follower(self, pod: Manifest, container: str, *, alone: bool) -> Follower:
        key = (pod["metadata"]["uid"], container)
        if key not in self.followers:
            name = pod["metadata"]["name"]

            def tell(_: str, line: str) -> None:
                self.tell(name if alone else f"{name}/{container}", line)

            self.followers[key] = Follower(self.objects, name, container, tell, self.report)
            self.followers[key].start()
        return self.followers[key]
