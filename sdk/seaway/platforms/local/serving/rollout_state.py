"""A rollout's journal as a file beside the endpoint's own, and the history of all endpoints of a name above them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.platforms.home import home
from seaway.serving import DeployedEndpoint
from seaway.storage import atomic_path, locked, read_json

FILE = "rollout.json"
HISTORY = ".history.json"  # after the endpoint's name


class FileRolloutStore:
    """Written whole, by renaming. The history is `<home>/endpoints/<name>.history.json`: it outlives the endpoint.

    Args:
        file: another file than `rollout.json` in the endpoint's folder; the history is beside it.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def read(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        return _read(self._path(endpoint))

    def write(self, endpoint: DeployedEndpoint, value: Mapping[str, Any]) -> None:
        _write(self._path(endpoint), value)

    def history(self, name: str) -> dict[str, Any] | None:
        return _read(self._history(name))

    def remember(self, name: str, change: Callable[[dict[str, Any] | None], Mapping[str, Any]]) -> None:
        file = self._history(name)
        with locked(file.with_suffix(".lock")):
            _write(file, change(_read(file)))

    def _path(self, endpoint: DeployedEndpoint) -> Path:
        return self._file or endpoint.folder / FILE

    def _history(self, name: str) -> Path:
        folder = self._file.parent if self._file else home() / "endpoints"
        return folder / f"{name}{HISTORY}"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = read_json(file)
    except DataUnreadable:
        return None
    return kept


def _write(file: Path, value: Mapping[str, Any]) -> None:
    with atomic_path(file) as draft:
        draft.write_text(json.dumps(value, allow_nan=False), encoding="utf-8")
