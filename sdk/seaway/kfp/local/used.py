"""What the processes of a step's attempt used, by the system's own account of them (`wait4`).

It counts a process and all that it waited for: the workers of a training too, a server that goes on by itself not.
"""

import os
import resource
import sys
import threading
from dataclasses import dataclass

from seaway.reporting.usage import GIB

PEAK_UNIT = 1 if sys.platform == "darwin" else 1 << 10  # of ru_maxrss, in bytes


@dataclass(frozen=True)
class Used:
    """Seconds of processor time, and the memory of the largest process at its peak, in GiB."""

    cpu_seconds: float
    memory_gib: float

    @classmethod
    def of(cls, account: resource.struct_rusage) -> "Used":
        return cls(account.ru_utime + account.ru_stime, account.ru_maxrss * PEAK_UNIT / GIB)


class Child:
    """A child process that is waited for by `wait4`, so that what it used is known at its end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.used: Used | None = None
        self._code: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code once it has ended; None also while another thread waits for it."""
        if self._code is None and self._lock.acquire(blocking=False):
            try:
                if self._code is None:
                    self._reap(os.WNOHANG)
            finally:
                self._lock.release()
        return self._code

    def wait(self) -> int:
        """Wait for the exit code."""
        with self._lock:
            while self._code is None:
                self._reap(0)
            return self._code

    def _reap(self, flags: int) -> None:
        pid, status, account = os.wait4(self.pid, flags)
        if pid:
            self._code, self.used = os.waitstatus_to_exitcode(status), Used.of(account)
