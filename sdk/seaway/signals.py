"""SIGTERM as an exception, so that what was started is ended before the process is."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

log = logging.getLogger(__name__)


@dataclass
class Termination:
    """Whether SIGTERM arrived, and whether it may be raised now."""

    arrived: bool = False
    held: bool = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        first, self.arrived = not self.arrived, True
        if first and not self.held:
            self._raise()

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Raise at the end of the block what arrives in it: a request that is cut in two may have been carried out."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
        if self.arrived:
            self._raise()

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """Finish the block, whatever arrives."""
        self.held = True
        try:
            yield
        finally:
            self.held = False

    def _raise(self) -> None:
        log.warning("SIGTERM: ending what was started.")
        raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def sigterm_raises() -> Iterator[Termination]:
    """SIGTERM ends the block as Ctrl-C does; only the main thread can be interrupted so, others go on."""
    termination = Termination()
    if threading.current_thread() is not threading.main_thread():
        yield termination
        return
    before = signal.signal(signal.SIGTERM, termination.handle)
    try:
        yield termination
    finally:
        signal.signal(signal.SIGTERM, before)
