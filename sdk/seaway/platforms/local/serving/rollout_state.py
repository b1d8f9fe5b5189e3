"""A rollout's journal as a file beside the endpoint's own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.serving import DeployedEndpoint
from seaway.storage import atomic_path, read_json

FILE = "rollout.json"


class FileRolloutStore:
    """Written whole, by renaming.

    Args:
        file: another file than `rollout.json` in the endpoint's folder.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def read(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = read_json(self._path(endpoint))
        except DataUnreadable:
            return None
        return kept

    def write(self, endpoint: DeployedEndpoint, value: Mapping[str, Any]) -> None:
        with atomic_path(self._path(endpoint)) as draft:
            draft.write_text(json.dumps(value, allow_nan=False), encoding="utf-8")

    def _path(self, endpoint: DeployedEndpoint) -> Path:
        return self._file or endpoint.folder / FILE
