"""What the steps of a run leave for its report, which is written when nothing can be handed on: one JSON file each.

An exit task is given no artifacts, for the step that would make one may have failed. So a step that has something for
the report keeps it in the run's own folder, by name, and the report takes what is there.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seaway.errors import SeawayError
from seaway.storage import read_json, storage_for, write_json

NAMES = (DATA, MODEL, ENDPOINT, ROLLOUT) = ("data", "model", "endpoint", "rollout")
log = logging.getLogger(__name__)


def keep(folder: str, name: str, content: Mapping[str, Any]) -> None:
    """Keep what the report shows of a step in the folder of that URI; an empty one keeps nothing.

    Where that fails the step goes on: its work is worth more than a page about it.
    """
    if not folder:
        log.warning("Set SEAWAY_STORAGE, or the report of this run will show nothing of its %s.", name)
        return
    try:
        with TemporaryDirectory() as scratch:
            write_json(Path(scratch) / name, dict(content))
            storage_for(folder).upload(Path(scratch) / name, _file(folder, name))
    except SeawayError as error:
        log.warning("The report of this run will show nothing of its %s: %s", name, error)


def kept(folder: str) -> tuple[dict[str, dict[str, Any]], str]:
    """What was kept there by name, and why there is no more where it cannot be read."""
    try:
        return {name: content for name in NAMES if (content := kept_file(folder, name))}, ""
    except SeawayError as error:
        return {}, str(error)


def kept_file(folder: str, name: str) -> dict[str, Any]:
    """Empty where the step that keeps it has not come to its end.

    Raises:
        StorageUnavailable, DataUnreadable: what is there cannot be read.
    """
    uri = _file(folder, name)
    if not folder or not storage_for(folder).exists(uri):
        return {}
    with TemporaryDirectory() as scratch:
        storage_for(folder).download(uri, Path(scratch) / name)
        content: dict[str, Any] = read_json(Path(scratch) / name)
    return content


def _file(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}.json"
