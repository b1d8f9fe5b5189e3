"""Times keep their zones in Arrow, whatever somebody's module imports."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "PYARROW_IGNORE_TIMEZONE"


@contextmanager
def heeded() -> Iterator[None]:
    """For an import: PyArrow goes on heeding the zone of a datetime after it, unless a user has said that it shall not.

    `import pandera` tells it not to, for Spark's sake: then 10:00 in Tokyo is 10:00 UTC to `pyarrow.array`, in this
    process and in all that it starts.
    """
    said = VARIABLE in os.environ
    try:
        yield
    finally:
        if not said:
            os.environ.pop(VARIABLE, None)
