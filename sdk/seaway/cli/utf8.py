"""Paths, arguments and files are UTF-8, whatever the locale says: one that knows ASCII only cannot name a `Größe`.

Python takes UTF-8 in the locales C and POSIX by itself, but not where PYTHONUTF8=0 is set, as some images do.
"""

import os
import sys

VARIABLE = "PYTHONUTF8"


def require_utf8() -> None:
    """Start this program again in Python's UTF-8 mode where it would read all but ASCII as undecodable bytes."""
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get(VARIABLE) == "1":
        return
    os.environ[VARIABLE] = "1"  # the steps inherit it
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - the same program with the same words
