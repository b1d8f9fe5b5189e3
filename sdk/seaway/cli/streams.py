"""What a program is started with, made fit: the locale, and standard streams that may be closed, or be left by readers.

Paths, arguments and files are UTF-8, whatever the locale says: one that knows ASCII only cannot name a `Größe`. Python
takes UTF-8 in the locales C and POSIX by itself, but not where PYTHONUTF8=0 is set, as some images do.
"""

import io
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

UTF8 = "PYTHONUTF8"


def require_utf8() -> None:
    """Start this program again in Python's UTF-8 mode where it would read all but ASCII as undecodable bytes."""
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get(UTF8) == "1":
        return
    os.environ[UTF8] = "1"  # the steps inherit it
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - the same program with the same words


def require_streams() -> None:
    """Open what was closed (`>&-`), whose numbers files would be given else; show what no encoding has as `\\udcff`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - to the program's end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class Heard:
    """A stream that is written to while somebody reads it: who leaves (`| head`) or is full does not end a run."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, or do nothing."""
        self._tried(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, or do nothing."""
        self._tried(self._file.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _tried(self, writing: Callable[[], object]) -> None:
        try:
            writing()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())  # what is still to be flushed goes there
            os.close(nowhere)
