"""What is to be predicted, and what was."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import read_json


@dataclass(frozen=True)
class BatchSpec:
    """Rows for which a model is asked.

    Args:
        package: The model's package; it is verified, and what was verified is what answers.
        rows: A Parquet file, or a folder of them. Its columns have the names of the model's inputs; others may be kept.
        predictions: Folder of the answers, a Parquet file for each row group. One that a run was ended in is gone on
            with: the row groups that it has are not asked for again.
        public_key: Of who signed the package.
        keep: Columns of the rows that the answers have as well, such as their keys.
        workers: Processes, each with a copy of the model.
        threads: That one pass computes on.
        rows_at_once: Of one pass through the model.
        shard: The first row group that is taken, where several machines share the work; then every `shards`-th.
        shards: Machines that share the work.
        hosting: How a cluster runs the pods, as `seaway.platforms.kubernetes.serving.hosting.Hosting` reads it.
    Raises:
        InvalidSpec: a number is out of range.
    """

    package: Path
    rows: Path
    predictions: Path
    public_key: Path
    keep: Sequence[str] = ()
    workers: int = 1
    threads: int = 1
    rows_at_once: int = 8192
    shard: int = 0
    shards: int = 1
    hosting: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("workers", "threads", "rows_at_once", "shards"):
            if getattr(self, name) < 1:
                raise InvalidSpec(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if not 0 <= self.shard < self.shards:
            raise InvalidSpec(f"shard is {self.shard}; of {self.shards} it must be 0 to {self.shards - 1}.")


@dataclass(frozen=True)
class BatchResult:
    """What was predicted, from what and by what.

    Args:
        rows: Of all parts of this shard.
        parts: Row groups of this shard; `asked` of them now, the others by a run before.
        package: SHA-256 of the package's content.
        signature: SHA-256 of its signature.
        inputs: SHA-256 by file of the rows.
        outputs: Datatypes by output.
        missing: Answers that are NaN or null, by output, of what was asked now.
    """

    rows: int
    parts: int
    asked: int
    package: str
    signature: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    missing: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, file: Path) -> "BatchResult":
        """Raises: DataUnreadable: it is missing, or none."""
        value = read_json(file)
        try:
            return cls(**value)
        except TypeError as error:
            raise DataUnreadable(f"{file} tells of no predictions ({error}).") from error
