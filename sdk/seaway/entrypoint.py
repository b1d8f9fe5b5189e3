"""What the modules that run as `python -m` in pods and by torchrun have in common."""

import logging
import sys
from collections.abc import Callable

from seaway.errors import SeawayError


def run(main: Callable[[], int | None]) -> None:
    """Carry out `main` with its log as plain lines, and end the process with its exit code if that is not 0.

    An error that Seaway knows ends it with code 1 and its paragraph, without a traceback.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if code := main():
            sys.exit(code)
    except SeawayError as error:
        sys.exit(f"{type(error).__name__}: {error}")
