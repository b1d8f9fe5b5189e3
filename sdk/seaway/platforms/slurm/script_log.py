"""A job's log, which Slurm writes into a shared folder, told line by line while it grows."""

import logging
import time
from pathlib import Path

TAIL_LINES = 60  # when one process fails, those that lose it fail after it, each with a traceback
LOOK_S = 0.5
log = logging.getLogger(__name__)


class ScriptLog:
    """What a job has written and what of it has been told; the file need not be there yet."""

    def __init__(self, path: Path, number: str) -> None:
        self.path = path
        self._number = number
        self._offset = 0
        self._rest = b""

    def tell_new(self) -> None:
        """Write the lines that were added since the last call into this process's log."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            log.info("%s | %s", self._number, line.decode("utf-8", "replace"))

    def follow(self, seconds: float) -> None:
        """Tell what comes for so long."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(LOOK_S, left))
            self.tell_new()

    def tail(self) -> str:
        """The last lines, and where the others are."""
        if not self.path.exists():
            return "(it wrote nothing)"
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([*lines[-TAIL_LINES:], f"(The whole log is {self.path}.)"])
