"""Waiting for a job: its changes, its pods' troubles, events and logs, until it ends or the patience does."""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from seaway.errors import ObjectDeleted, OperatorMissing, PodsStuck, SeawayError, TimedOut
from seaway.platforms.kubernetes.client.api_errors import ApiCall
from seaway.platforms.kubernetes.client.informer import Change, NotListed, Queue, Selector, events_of, subscribed
from seaway.platforms.kubernetes.client.naming import OURS
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import EVENTS, PODS, Manifest
from seaway.platforms.kubernetes.jobs import queueing
from seaway.platforms.kubernetes.jobs.kind import Kind, Outcome
from seaway.platforms.kubernetes.jobs.pod_logs import Logs, Tell
from seaway.platforms.kubernetes.jobs.pod_problems import image_missing, problems
from seaway.platforms.kubernetes.jobs.stopwatch import Stopwatch

COMPLAINTS = 5  # warnings told again in an error
TURN_S = 30.0  # between looks at a job's place in its queue
LOOK_S = 1.0  # between looks for what is being deleted, should the watch be what fails
log = logging.getLogger(__name__)
Reached = TypeVar("Reached")


@dataclass(frozen=True)
class Patience:
    """How long a launch bears what may pass by itself, in seconds.

    Attributes:
        operator_s: nothing takes the object up; a controller with a thousand jobs before ours needs a minute.
        image_s: a pod's image cannot be had.
        cleanup_s: a deleted job or its pods are still there.
    """

    operator_s: float = 120.0
    image_s: float = 300.0
    cleanup_s: float = 120.0


@dataclass
class JobWait:
    """One wait. Use it as a context: subscriptions begin with it, before the job is created, and end with it."""

    objects: Objects
    kind: Kind
    name: str
    tell: Tell
    timeout_s: float
    patience: Patience
    queue: Queue = field(default_factory=SimpleQueue)
    started: bool = False  # whether there may be a job to end
    job: Manifest = field(default_factory=dict)
    pods: dict[str, Manifest] = field(default_factory=dict)  # by name

    def __post_init__(self) -> None:
        self.call = ApiCall("watch", self.kind.resource, self.objects.namespace, self.name)
        self.stack = ExitStack()
        self.logs = Logs(self.objects, self.tell, self.queue.put)
        self.told: set[str] = set()
        self.deleted: set[str] = set()
        self.parts: set[str] = set()
        self.warnings = deque[str](maxlen=COMPLAINTS)
        self.clock = Stopwatch()
        self.workload: Manifest = {}  # Kueue's, of a job that is in a queue
        self.waits = ""  # what was told last of a job that is suspended
        self.imageless: dict[str, float] = {}  # pod -> since when its image is missing

    def __enter__(self) -> "JobWait":
        pod_key = ("metadata", "labels", self.kind.pod_label)
        self._subscribe(Selector(self.kind.resource, OURS), self.name)
        self._subscribe(Selector(PODS, self.kind.pod_label, pod_key), self.name)
        self._subscribe_events(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()
        self.logs.finish(LOOK_S)

    def outcome(self, job: Manifest) -> Outcome:
        """Wait until `job` ends; its logs have been told to the end then.

        Raises:
            ObjectDeleted, OperatorMissing, PodsStuck, TimedOut: it will not end by itself.
            Forbidden, KindMissing, ServerGone: it cannot be watched.
        """
        ended = self.wait_for(job, lambda: self.kind.outcome(self.job))
        self._read_to_the_end()
        return ended

    def wait_for(self, job: Manifest, reached: Callable[[], Reached | None]) -> Reached:
        """Take what happens to `job` and its pods until that makes `reached` say something. Raises as `outcome`."""
        self.job, self.clock = job, Stopwatch()
        if queueing.queue_of(job):
            self._subscribe(*queueing.workload_of(self.objects, job))
        self._note_turn()
        while (result := reached()) is None:
            try:
                self._take(self.queue.get(timeout=self._left_s()))
            except Empty:
                log.debug("Nothing happens to %s.", self.call)
            self._note_turn()
            if reached() is None:
                self._check_patience()
        return result

    def wait_deleted(self) -> bool:
        """Wait until the job and its pods are gone; False where they are still there when the patience ends."""
        deadline = time.monotonic() + self.patience.cleanup_s
        while not self._is_gone():
            if time.monotonic() > deadline:
                return False
            try:
                self.queue.get(timeout=LOOK_S)
            except Empty:
                log.debug("%s is still there.", self.call)
        return True

    def diagnosis(self) -> str:
        """What the pods' statuses complain of, and the last lines of those that do."""
        lines = [] if self.pods else list(self.warnings)
        for name, pod in sorted(self.pods.items()):
            deleted = [f"Pod {name} was deleted"] if name in self.deleted else []
            if said := [*problems(pod), *deleted]:
                lines += [f"{'. '.join(said)}."]
                if tail := self.logs.tail(name):
                    lines += [f"Last lines of {name}:", tail]
        return "\n".join(lines)

    def _subscribe(self, selector: Selector, key: str) -> None:
        self.stack.enter_context(subscribed(self.objects, selector, key, self.queue))

    def _subscribe_events(self, name: str) -> None:
        self._subscribe(events_of(name), name)

    def _take(self, message: Change | NotListed | SeawayError) -> None:
        if isinstance(message, SeawayError):
            raise message
        if isinstance(message, NotListed):
            return self._look_for_job() if message.resource == self.kind.resource else None
        if message.resource == self.kind.resource:
            return self._take_job(message)
        if message.resource in queueing.WORKLOADS:
            self.workload = message.object if message.present else {}
            return None
        if message.resource == EVENTS:
            return self._take_event(message.object)
        return self._take_pod(message)

    def _take_job(self, change: Change) -> None:
        if not change.present or change.object["metadata"]["uid"] != self.job["metadata"]["uid"]:
            return self._look_for_job()
        self.job = change.object
        for sentence in self.kind.progress(self.job):
            self._say(logging.INFO, sentence)
        for name in set(self.kind.parts(self.job)) - self.parts:
            self.parts.add(name)
            self._subscribe_events(name)
        return None

    def _note_turn(self) -> None:
        """Stop the clock while the job is suspended, and tell why it waits, and when it no longer does."""
        if self.kind.is_suspended(self.job):
            self.clock.stop()
            if (why := self._why_it_waits()) not in ("", self.waits):
                self.waits = why
                log.info("%s", why)
        elif self.clock.stopped:
            self.clock.go_on()
            self.waits = ""
            log.info("%s may run, after %.0f s of waiting.", self.call, self.clock.waited_s())

    def _why_it_waits(self) -> str:
        """Empty where Kueue has nothing against it any more, and has not let it go yet."""
        queue = queueing.queue_of(self.job)
        if not queue:
            return f"{self.call} is suspended and waits for somebody to let it run."
        if not self.workload:
            return f"{self.call} waits in queue {queue}, and Kueue has not taken it up."
        if not (reason := queueing.reason(self.workload)):
            return ""
        place = queueing.place(self.objects, queue, self.workload)
        return f"{self.call} waits in queue {queue}{place and f' at {place}'}: {reason}"

    def _look_for_job(self) -> None:
        found = self.objects.get(self.kind.resource, self.name)
        if found is None or found["metadata"]["uid"] != self.job["metadata"]["uid"]:
            raise ObjectDeleted(
                f"{self.call} was deleted by somebody else while this step waited for it. `kubectl get events -n "
                f"{self.call.namespace}` may show by whom; run the step again to start it anew."
            )

    def _take_pod(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        if name not in self.pods:
            self._subscribe_events(name)
        self._keep(change.object)
        if change.present:
            self._listen(change.object)
        else:
            self.logs.leave(change.object)
        self._note_image(name, change)
        for sentence in problems(change.object):
            self._say(logging.WARNING, sentence)

    def _listen(self, pod: Manifest) -> None:
        self.logs.see(pod)

    def _keep(self, pod: Manifest) -> None:
        """A pod as it was while nobody deleted it: what its end by deletion says is no reason for anything."""
        name = pod["metadata"]["name"]
        if "deletionTimestamp" in pod["metadata"]:
            self.deleted.add(name)
            self.pods.setdefault(name, pod)
        else:
            self.pods[name] = pod

    def _note_image(self, name: str, change: Change) -> None:
        if change.present and image_missing(change.object):
            self.imageless.setdefault(name, time.monotonic())
        else:
            self.imageless.pop(name, None)

    def _take_event(self, event: Manifest) -> None:
        level = logging.INFO if event.get("type") == "Normal" else logging.WARNING
        name = event["involvedObject"]["name"]
        message = event.get("message", "")
        self._say(level, f"{name}: {event.get('reason', '')}: {message}")
        if "violates PodSecurity" in message:
            raise PodsStuck(
                f"The pods of {self.call} are refused by Pod Security: {message}. Change the pod template; "
                f"`kubectl get namespace {self.call.namespace} --show-labels` shows the level that it enforces."
            )

    def _say(self, level: int, sentence: str) -> None:
        if sentence in self.told:
            return
        self.told.add(sentence)
        log.log(level, "%s", sentence)
        if level >= logging.WARNING:
            self.warnings.append(sentence)

    def _left_s(self) -> float:
        """Seconds until one of the patiences may be at its end, or another look at the queue is due."""
        if self.clock.stopped:
            return TURN_S
        ran_s, now = self.clock.ran_s(), time.monotonic()
        left = [self.timeout_s - ran_s, *(since + self.patience.image_s - now for since in self.imageless.values())]
        if not self.kind.taken_up(self.job):
            left.append(self.patience.operator_s - ran_s)
        return max(0.0, min(left))

    def _check_patience(self) -> None:
        if self.clock.stopped:
            return
        now, ran_s = time.monotonic(), self.clock.ran_s()
        if not self.kind.taken_up(self.job) and ran_s >= self.patience.operator_s:
            raise OperatorMissing(
                f"Nothing has taken {self.call} up within {self.patience.operator_s:g} s: {self.kind.controller} does "
                "not run, or does not watch this namespace. `kubectl get deployments --all-namespaces` shows the "
                "operators; docs/clusters.md says which one this kind needs."
            )
        for name, since in self.imageless.items():
            if now >= since + self.patience.image_s:
                raise PodsStuck(
                    f"{image_missing(self.pods[name])} for {self.patience.image_s:g} s. Mend name or pull secret: "
                    f"`kubectl describe pod {name} -n {self.call.namespace}` has the registry's answer."
                )
        if ran_s >= self.timeout_s:
            raise TimedOut(
                f"{self.call} did not end within {self.timeout_s:g} s and is deleted; raise timeout_s, or see why:\n"
                f"{self.diagnosis() or ('its pods run without complaint.' if self.pods else 'it has no pods.')}"
            )

    def _read_to_the_end(self) -> None:
        for pod in self.objects.list(PODS, self._pods_query()).items:
            self._keep(pod)
            self.logs.see(pod)
        self.logs.finish()

    def _is_gone(self) -> bool:
        if self.objects.get(self.kind.resource, self.name) is not None:
            return False
        return not self.objects.list(PODS, self._pods_query()).items

    def _pods_query(self) -> dict[str, Any]:
        return {"labelSelector": self.kind.pods(self.name)}
