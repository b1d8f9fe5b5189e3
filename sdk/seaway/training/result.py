"""What a training leaves behind, and the check that it is all there."""

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable, TrainingFailed
from seaway.models import flavours
from seaway.models.flavours import Flavour
from seaway.models.signature import SIGNATURE_FILE, TORCH_EXPORT
from seaway.storage import atomic_path, read_json, sha256, write_json

FIGURE_FILES = ("metrics.json", "history.jsonl")
RECORD = "training.json"  # written last: the fingerprint of the run and the hash of each output file


@dataclass(frozen=True)
class TrainResult:
    """A trained model's folder, its final metrics, one mapping an epoch, and whether an earlier run trained it."""

    path: Path
    metrics: Mapping[str, float]
    history: tuple[Mapping[str, float], ...]
    reused: bool = field(default=False, compare=False)

    @classmethod
    def read(cls, folder: Path) -> "TrainResult":
        """Read what an entrypoint wrote.

        Raises:
            TrainingFailed: a file of the output contract is missing or unreadable.
        """
        wanted = output_files(folder)
        if missing := [name for name in wanted if not (folder / name).is_file()]:
            raise TrainingFailed(
                f"The training ended without an error but did not write {', '.join(missing)} into {folder}; "
                f"an entrypoint writes {', '.join(wanted)} there (rank 0 only)."
            )
        try:
            lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
            history = tuple(json.loads(line) for line in lines)
            return cls(folder, read_json(folder / "metrics.json"), history)
        except (DataUnreadable, json.JSONDecodeError) as error:
            raise TrainingFailed(f"The training wrote metrics or a history that is no JSON: {error}") from error

    @property
    def sha256(self) -> str:
        """What names the model: the hash of the weights, or of what its flavour has in their place."""
        return sha256(self.path / _flavour(self.path).files[0])

    @property
    def summary(self) -> str:
        """A line for a person: epochs, and the metrics that name how good the model is on the validation set."""
        figures = [name for name in self.metrics if name.startswith("validation_")]
        shown = [f"{name.replace('_', ' ')} {self.metrics[name]:.4f}" for name in figures]
        origin = ["reused"] if self.reused else []
        return ", ".join([f"{len(self.history)} epochs", *shown, *origin])

    def record(self, fingerprint: Mapping[str, str]) -> None:
        """Mark the folder as the finished result of the run with this fingerprint."""
        files = {name: sha256(self.path / name) for name in output_files(self.path)}
        write_json(self.path / RECORD, {**fingerprint, "files": files})

    def copy_to(self, folder: Path) -> None:
        """Copy a recorded result; the record comes last, so that half a copy is never taken for a result."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns(RECORD))
        with atomic_path(folder / RECORD) as draft:
            shutil.copyfile(self.path / RECORD, draft)


def output_files(folder: Path) -> tuple[str, ...]:
    """What a finished training has written: the files of its model's flavour, which its signature names."""
    return (*_flavour(folder).files, SIGNATURE_FILE, *FIGURE_FILES)


def _flavour(folder: Path) -> Flavour:
    """An exported graph's where nothing else is said; what a signature says besides is for who packs the model.

    Raises:
        InvalidSpec: there is no flavour of that name.
    """
    try:
        said = read_json(folder / SIGNATURE_FILE)
    except DataUnreadable:
        said = {}
    return flavours.named(said.get("flavour", TORCH_EXPORT) if isinstance(said, dict) else TORCH_EXPORT)


def earlier(folders: Sequence[Path], fingerprint: Mapping[str, str]) -> TrainResult | None:
    """The undamaged result of the run with this fingerprint, from the first of `folders` that holds it."""
    for folder in folders:
        if _finished(folder, fingerprint):
            return dataclasses.replace(TrainResult.read(folder), reused=True)
    return None


def _finished(folder: Path, fingerprint: Mapping[str, str]) -> bool:
    """Whether `folder` holds the undamaged result of the run with this fingerprint."""
    if not (folder / RECORD).is_file():
        return False
    record: dict[str, Any] = read_json(folder / RECORD)
    files = record.pop("files", {})
    return record == dict(fingerprint) and all(
        (folder / name).is_file() and sha256(folder / name) == files.get(name) for name in output_files(folder)
    )
