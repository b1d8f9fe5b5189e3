"""Ctrl-C while nothing has been started ends the program at once, without an exception.

Python raises KeyboardInterrupt wherever it happens to be: in an import that is a traceback, and in a callback of the
import system it is printed and lost, so that the run goes on as if nobody had asked.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDED = 128 + signal.SIGINT  # a shell's convention
SHOW_CURSOR = b"\x1b[?25h"  # which a live line hides


@contextmanager
def ending_at_once() -> Iterator[None]:
    """For what starts nothing; a Ctrl-C that is ignored, as in a shell's background, stays so."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), SHOW_CURSOR + b"\n")
    os._exit(ENDED)
