"""Checkpoints kept behind a URI while they are written, and brought back when a training begins anew."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seaway.errors import DataUnreadable, SeawayError
from seaway.storage import storage_for

LOOK_S = 1.0  # between looks at the folder
BROUGHT = 0  # modification time of a file that was downloaded, so that it is not sent back
log = logging.getLogger(__name__)


class Mirror:
    """Sends new files of a folder to a URI, and removes there what is gone here once it has sent something.

    Only one pod writes checkpoints, so only one sends. A file counts when it has its last name: entrypoints write
    under a name that starts with a dot, then rename.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = folder
        self.uri = uri
        self._sent: dict[str, int] = {}

    def send(self) -> None:
        """Send what is new or changed.

        Raises:
            StorageUnavailable: the storage does not answer; the next call tries again.
        """
        storage = storage_for(self.uri)
        new = {name: time for name, time in self._files().items() if time != self._sent.get(name, BROUGHT)}
        for name, time in sorted(new.items()):
            try:
                storage.upload(self.folder / name, f"{self.uri}/{name}")
            except (DataUnreadable, FileNotFoundError):
                continue  # a newer one has replaced it
            self._sent[name] = time
            log.info("kept checkpoint %s", name)
        if new:
            for name in _remote(self.uri) - set(self._files()):
                storage.remove(f"{self.uri}/{name}")

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send in the background, and once more at the end."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep_sending, args=[stop], name="checkpoints", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._try_to_send()

    def _keep_sending(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_S):
            self._try_to_send()

    def _try_to_send(self) -> None:
        try:
            self.send()
        except SeawayError as error:
            log.warning("A checkpoint is not yet kept: %s", error)

    def _files(self) -> dict[str, int]:
        """Relative path and modification time in nanoseconds."""
        found = {}
        for path in self.folder.rglob("[!.]*"):
            try:
                if path.is_file():
                    found[path.relative_to(self.folder).as_posix()] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
        return found


def bring(uri: str, folder: Path) -> None:
    """Download the checkpoints that are kept at `uri` and not yet in `folder`."""
    storage = storage_for(uri)
    for name in sorted(_remote(uri)):
        target = folder / name
        if target.exists():
            continue
        try:
            storage.download(f"{uri}/{name}", target)
            os.utime(target, ns=(BROUGHT, BROUGHT))
        except (DataUnreadable, FileNotFoundError):
            log.info("checkpoint %s was replaced by a newer one", name)


def _remote(uri: str) -> set[str]:
    return {found.removeprefix(f"{uri}/") for found in storage_for(uri).list(uri)}
