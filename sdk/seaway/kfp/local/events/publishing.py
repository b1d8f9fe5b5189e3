"""Sending what happens in a run, beside the run: a receiver that is slow or gone costs it nothing but a warning."""

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3

from seaway.kfp.local.events.receivers import Receiver
from seaway.kfp.local.run_record import Record, Step

LAST_S = 10.0  # that what is left is waited for when a run has ended
OPEN = ("running", "retrying")
log = logging.getLogger(__name__)


@contextmanager
def published(record: Record, receivers: Sequence[Receiver], whole: bool = True) -> Iterator[None]:
    """Tell the receivers of a run, its steps and its end; with `whole` false, of steps alone."""
    if not receivers:
        yield
        return
    sender = _Sender(record, receivers)
    listener = record.listener

    def told(step: Step) -> None:
        sender.tell_step(step)
        listener(step)

    record.listener = told
    if whole:
        sender.tell_run()
    try:
        yield
    finally:
        record.listener = listener
        if whole:
            sender.tell_run()
        sender.close()


@dataclass
class _Sender:
    """A thread that sends what is put before it, in order."""

    record: Record
    receivers: Sequence[Receiver]
    begun: set[int] = field(default_factory=set)  # steps that were told of
    waiting: "queue.Queue[tuple[Receiver, bytes] | None]" = field(default_factory=queue.Queue)
    lost: dict[str, str] = field(default_factory=dict)  # address -> why it was not told

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._send, name="events", daemon=True)
        self.thread.start()

    def tell_run(self) -> None:
        from seaway.kfp.local.events import lineage, spans

        for receiver in self.receivers:
            if receiver.protocol == "openlineage":
                self.waiting.put((receiver, lineage.of_run(self.record)))
            elif self.record.state not in OPEN:
                self.waiting.put((receiver, spans.of_run(self.record)))

    def tell_step(self, step: Step) -> None:
        from seaway.kfp.local.events import lineage, spans

        first = step.number not in self.begun
        self.begun.add(step.number)
        for receiver in self.receivers:
            if receiver.protocol == "openlineage" and (first or step.state not in OPEN):
                self.waiting.put((receiver, lineage.of_step(self.record, step)))
            elif receiver.protocol == "otlp" and step.state not in OPEN:
                self.waiting.put((receiver, spans.of_step(self.record, step)))

    def close(self) -> None:
        """Send what is left, and tell who was not told."""
        self.waiting.put(None)
        self.thread.join(LAST_S)
        if self.thread.is_alive():
            self.lost.setdefault(self.receivers[0].url, f"something was left to be sent after {LAST_S:g} s")
        for url, why in self.lost.items():
            log.warning("%s was not told of all that happened in this run: %s.", url, why)

    def _send(self) -> None:
        while (found := self.waiting.get()) is not None:
            receiver, body = found
            if receiver.url in self.lost:
                continue
            try:
                receiver.send(body)
            except urllib3.exceptions.HTTPError as error:
                self.lost[receiver.url] = " ".join(str(error).split())
