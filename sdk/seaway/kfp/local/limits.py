"""How long a step may run: as its pipeline says of its pod, or of the whole run."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from seaway.kfp.local import step_process

OVERDUE = 124  # the exit code of `timeout`


class Overdue(Exception):
    """A step was ended, or not started, because its time was over."""


@dataclass(frozen=True, order=True)
class Limit:
    """Seconds that an attempt of a step has left, and who says so; the less of two is the one that counts."""

    seconds: float
    why: str

    def require(self) -> None:
        """Nothing where there is time left.

        Raises:
            Overdue: there is none.
        """
        if self.seconds <= 0:
            raise Overdue(self.why)

    @contextmanager
    def of(self, process: step_process.Process) -> Iterator[None]:
        """End the process when its time is over.

        Raises:
            Overdue: that was so.
        """
        over = threading.Event()
        timer = threading.Timer(self.seconds, _end, (process, over))
        timer.daemon = True
        if self.seconds < math.inf:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()
        if over.is_set():
            raise Overdue(self.why)


def _end(process: step_process.Process, over: threading.Event) -> None:
    over.set()
    step_process.end(process)
