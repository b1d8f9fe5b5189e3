"""The bundled trainer for tables, which stops at its next checkpoint while the file that HOLD names stands."""

import os
import time
from pathlib import Path

from seaway.training.checkpoint import Checkpoint, Checkpoints
from seaway.training.command_line import start
from seaway.training.tabular.__main__ import main

HOLD = "SEAWAY_TEST_HOLD"
save = Checkpoints.save


def held_save(self: Checkpoints, checkpoint: Checkpoint) -> None:
    save(self, checkpoint)
    while Path(os.environ[HOLD]).exists():
        time.sleep(0.05)


if __name__ == "__main__":
    Checkpoints.save = held_save  # type: ignore[method-assign]
    start(main, "Train the tabular model, held where a test wants to cut it.")
