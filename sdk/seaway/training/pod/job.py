"""A training whose data and results lie behind URIs: what a step hands to the pods that carry it out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.training.spec import TrainSpec

VARIABLE = "SEAWAY_TRAINING"  # the pods' environment variable that holds one


@dataclass(frozen=True)
class RemoteTraining:
    """`TrainSpec` with URIs in the place of paths, and the fingerprint that the step took of data, code and settings.

    Args:
        train, validation: Parquet files.
        output: Folder; it appears when the model in it is whole.
        checkpoints: Folder of the last checkpoints of this very training.
        fingerprint: As `seaway.training.fingerprint` gives it.
        entrypoint, params, workers, seed, timeout_s: As in `TrainSpec`.
    Raises:
        InvalidSpec: a field is missing, unknown or out of range.
    """

    train: str
    validation: str
    output: str
    checkpoints: str
    fingerprint: Mapping[str, str]
    entrypoint: str
    params: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    seed: int = 0
    timeout_s: float = 3600.0

    def __post_init__(self) -> None:
        if "run" not in self.fingerprint:
            raise InvalidSpec("fingerprint lacks 'run', the hash of data, code and settings.")
        self.local(Path())

    @classmethod
    def of(cls, spec: TrainSpec, fingerprint: Mapping[str, str], run: str, checkpoints: str) -> "RemoteTraining":
        """The training of `spec`, its data and model below the URI `run`, its checkpoints below `checkpoints`.

        Raises:
            InvalidSpec: it is to start from another run's checkpoint, which is on this machine.
        """
        if spec.start_from is not None:
            raise InvalidSpec("Pods cannot start from a checkpoint on this machine; leave out start_from.")
        return cls(
            train=f"{run}/train.parquet",
            validation=f"{run}/validation.parquet",
            output=f"{run}/model",
            checkpoints=f"{checkpoints}/{fingerprint['run'][:16]}",
            fingerprint=dict(fingerprint),
            entrypoint=spec.entrypoint,
            params=dict(spec.params),
            workers=spec.workers,
            seed=spec.seed,
            timeout_s=spec.timeout_s,
        )

    @classmethod
    def parse(cls, text: str) -> "RemoteTraining":
        """Read what `text` wrote."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise InvalidSpec(f"{VARIABLE} holds no training: {error}.") from error

    @property
    def text(self) -> str:
        """As JSON, the same for equal trainings."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def local(self, folder: Path) -> TrainSpec:
        """The spec on this machine, all paths below `folder`."""
        return TrainSpec(
            train=folder / "data" / "train.parquet",
            validation=folder / "data" / "validation.parquet",
            output=folder / "model",
            checkpoints=folder / "checkpoints",
            entrypoint=self.entrypoint,
            params=self.params,
            workers=self.workers,
            seed=self.seed,
            timeout_s=self.timeout_s,
        )
