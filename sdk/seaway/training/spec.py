"""What is to be trained: data, entrypoint, parameters, processes."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.storage import as_json, read_json, write_json

MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
LARGEST_SEED = 2**63 - 1  # torch.Generator takes an int64
PATHS = ("train", "validation", "output", "checkpoints")


@dataclass(frozen=True)
class TrainSpec:
    """One training run; validated on construction.

    Args:
        train: Parquet file that is learned from.
        validation: Parquet file that early stopping looks at.
        output: Folder of the trained model; a finished identical result in it is reused.
        checkpoints: Folder that outlives the run; a run keeps its checkpoints below it, under its fingerprint.
        entrypoint: Module with a `torch.distributed` main, run as `python -m ENTRYPOINT --spec spec.json`.
        params: What the entrypoint wants to know; JSON values.
        workers: Processes, one accelerator each where there are any.
        seed: Of initial weights and of the order of rows.
        timeout_s: Seconds after which the run is ended as failed.
        start_from: Folder with the checkpoint of another run that this one goes on from; None starts anew.
        placement: What a cluster wants to know of the pods; JSON values. A platform without pods passes over it.
    Raises:
        InvalidSpec: a field is out of range.
    """

    train: Path
    validation: Path
    output: Path
    checkpoints: Path
    entrypoint: str = "seaway.training.tabular"
    params: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    seed: int = 0
    timeout_s: float = 3600.0
    start_from: Path | None = None
    placement: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in PATHS:
            object.__setattr__(self, name, Path(getattr(self, name)))
        if self.start_from is not None:
            object.__setattr__(self, "start_from", Path(self.start_from))
        if not MODULE.fullmatch(self.entrypoint):
            raise InvalidSpec(f"entrypoint={self.entrypoint!r} is no module name; give one like 'my_package.train'.")
        if self.workers < 1:
            raise InvalidSpec(f"workers={self.workers}: a training needs at least 1 process.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InvalidSpec(f"seed={self.seed} is outside 0 to {LARGEST_SEED}.")
        if not self.timeout_s > 0:
            raise InvalidSpec(f"timeout_s={self.timeout_s}: give a positive number of seconds.")
        for name in ("params", "placement"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise InvalidSpec(f"{name}={given!r} is no mapping; give each value its name.")
            object.__setattr__(self, name, as_json(dict(given), name))

    def write(self, path: Path, fingerprint: str) -> None:
        """Write the file that an entrypoint gets as `--spec`: the fields, paths absolute, and the fingerprint."""
        named = {name: getattr(self, name) for name in (*PATHS, "start_from")}
        fields = asdict(self) | {name: path and str(path.absolute()) for name, path in named.items()}
        write_json(path, fields | {"fingerprint": fingerprint})

    @classmethod
    def read(cls, path: Path) -> "tuple[TrainSpec, str]":
        """The spec and the fingerprint that `write` wrote."""
        fields = read_json(path)
        fingerprint: str = fields.pop("fingerprint")
        return cls(**fields), fingerprint
