"""Checkpoints that survive a kill at any moment: whole or absent, verified when read, never unpickled.

A checkpoint is one safetensors file named by its epoch and the SHA-256 of its bytes; the run's state and fingerprint
are in the file's own header, so that the hash covers them too.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from seaway.errors import CheckpointUnusable
from seaway.storage import atomic_path

KEPT = 2  # the newest may be damaged by a failing disk; the one before it is the way back
NAME = re.compile(r"epoch-(\d{6})-([0-9a-f]{64})\.safetensors")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """The state at the end of an epoch (counted from 1): tensors by name, and JSON values."""

    epoch: int
    tensors: Mapping[str, torch.Tensor]
    state: Mapping[str, Any]


class Checkpoints:
    """The last checkpoints of one run, in `folder`."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint atomically, then drop all but the last two.

        Raises:
            CheckpointUnusable: it cannot be written (disk full, no permission); the earlier ones are untouched.
        """
        data = self._serialise(checkpoint)
        target = self.folder / f"epoch-{checkpoint.epoch:06d}-{hashlib.sha256(data).hexdigest()}.safetensors"
        try:
            with atomic_path(target) as draft:
                draft.write_bytes(data)
        except OSError as error:
            raise CheckpointUnusable(
                f"The checkpoint of epoch {checkpoint.epoch} ({len(data):,} bytes) cannot be written to {self.folder}: "
                f"{error.strerror}. Free some space or set SEAWAY_HOME to another disk and start again; "
                f"the training resumes from the last checkpoint that was written."
            ) from error
        self._drop_old()
        return target

    def newest(self) -> Checkpoint | None:
        """The last undamaged checkpoint, or None where there is none.

        Raises:
            CheckpointUnusable: it belongs to a run with other data, parameters, seed or code.
        """
        data = self.newest_data()
        return None if data is None else self.parse(data)

    def newest_data(self) -> bytes | None:
        """The bytes of the last undamaged checkpoint, for `parse`, here or in another process."""
        found = (data for path in reversed(self._paths()) if (data := _undamaged(path)) is not None)
        return next(found, None)

    def adopt(self, folder: Path) -> None:
        """Go on from the newest checkpoint of another run, which `folder` holds, unless this run has one of its own.

        Raises:
            CheckpointUnusable: there is none that is undamaged.
        """
        if self.newest_data() is not None:
            return
        data = Checkpoints(folder, "").newest_data()
        if data is None:
            raise CheckpointUnusable(f"{folder} holds no undamaged checkpoint to start from; name another folder.")
        self.save(_read(data))

    def remove_drafts(self) -> None:
        """Remove what a killed writer left; only while no other process writes here."""
        for draft in self.folder.glob(".epoch-*.tmp"):
            draft.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("epoch-*") if NAME.fullmatch(path.name))

    def _drop_old(self) -> None:
        for path in self._paths()[:-KEPT]:
            path.unlink(missing_ok=True)

    def _serialise(self, checkpoint: Checkpoint) -> bytes:
        header = {
            "fingerprint": self.fingerprint,
            "epoch": str(checkpoint.epoch),
            "state": json.dumps(checkpoint.state, allow_nan=False),
        }
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
        return bytes(safetensors.torch.save(tensors, metadata=header))

    def parse(self, data: bytes) -> Checkpoint:
        """Read the bytes of a checkpoint.

        Raises:
            CheckpointUnusable: it belongs to a run with other data, parameters, seed or code.
        """
        if _header(data)["fingerprint"] != self.fingerprint:
            raise CheckpointUnusable(
                f"The checkpoint in {self.folder} is of another training run (other data, parameters, seed or code); "
                f"give this run its own checkpoint folder, or remove that one."
            )
        return _read(data)


def _read(data: bytes) -> Checkpoint:
    header = _header(data)
    return Checkpoint(int(header["epoch"]), safetensors.torch.load(data), json.loads(header["state"]))


def _header(data: bytes) -> dict[str, str]:
    """The texts in a safetensors file: it begins with the length of its JSON header, 8 bytes, little-endian."""
    length = int.from_bytes(data[:8], "little")
    header: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return header


def _undamaged(path: Path) -> bytes | None:
    """The file's bytes where they have the hash that its name promises."""
    matched = NAME.fullmatch(path.name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if matched and hashlib.sha256(data).hexdigest() == matched[2]:
        return data
    log.warning("Checkpoint %s is damaged; taking the one before it.", path)
    return None
