"""Loss and validation figures by epoch, as JSON lines and for TensorBoard."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from seaway.storage import atomic_path


class HistoryWriter:
    """Writes `history.jsonl` and `tensorboard/` into a folder; a resumed run starts with the epochs it has had."""

    def __init__(self, folder: Path, past: Sequence[Mapping[str, Any]]) -> None:
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)
        self._file = folder / "history.jsonl"
        self._board = SummaryWriter(str(folder / "tensorboard"))
        self._save(past)
        for entry in past:
            self._draw(entry)

    def write(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write the whole history, whose last entry is new."""
        self._save(history)
        self._draw(history[-1])
        self._board.flush()

    def close(self) -> None:
        self._board.close()

    def _save(self, history: Sequence[Mapping[str, Any]]) -> None:
        with atomic_path(self._file) as draft:
            draft.write_text("".join(json.dumps(entry) + "\n" for entry in history), encoding="utf-8")

    def _draw(self, entry: Mapping[str, Any]) -> None:
        for name, value in entry.items():
            if name != "epoch":
                self._board.add_scalar(name, value, entry["epoch"])
