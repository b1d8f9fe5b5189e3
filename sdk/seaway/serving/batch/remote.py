"""Predictions whose rows, package and answers lie behind URIs: what a step hands to the pods that carry them out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from seaway.errors import InvalidSpec
from seaway.serving.batch.parts import Part
from seaway.serving.batch.spec import BatchResult, BatchSpec

VARIABLE = "SEAWAY_BATCH"  # the pods' environment variable that holds one
SHARD_VARIABLE = "JOB_COMPLETION_INDEX"  # Kubernetes' own, of a Job with indexed completions
SCRATCH_VARIABLE = "SEAWAY_SCRATCH"  # the folder that a pod can write


@dataclass(frozen=True)
class RemoteBatch:
    """`BatchSpec` with a URI in the place of paths.

    Args:
        root: URI of a folder that has the `package` and the `rows`, and gets `predictions` and `results`.
        public_key: What verifies the package, PEM.
        shards: Pods that share the work.
        keep, workers, threads, rows_at_once: As in `BatchSpec`.
    Raises:
        InvalidSpec: a field is missing, unknown or out of range.
    """

    root: str
    public_key: str
    shards: int
    keep: Sequence[str] = ()
    workers: int = 1
    threads: int = 1
    rows_at_once: int = 8192

    def __post_init__(self) -> None:
        self.local(Path(), 0)

    @classmethod
    def of(cls, spec: BatchSpec, root: str, pods: int) -> "RemoteBatch":
        """The predictions of `spec`, by pods."""
        key = spec.public_key.read_text(encoding="utf-8")
        return cls(root, key, pods, list(spec.keep), spec.workers, spec.threads, spec.rows_at_once)

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> "RemoteBatch":
        """Read what `text` wrote."""
        try:
            return cls(**json.loads(environment.get(VARIABLE, "")))
        except (TypeError, ValueError) as error:
            raise InvalidSpec(f"{VARIABLE} holds no predictions to be made: {error}.") from error

    @property
    def text(self) -> str:
        """As JSON, the same for equal work."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def package(self) -> str:
        return f"{self.root}/package"

    @property
    def rows(self) -> str:
        """The folder of the rows' files."""
        return f"{self.root}/rows"

    @property
    def predictions(self) -> str:
        """The folder of the answers, a file a row group, each put there once it is whole."""
        return f"{self.root}/predictions"

    def result(self, shard: int) -> str:
        """What a shard tells of its work, put there last."""
        return f"{self.root}/results/{shard}.json"

    def is_of(self, shard: int, name: str) -> bool:
        """Whether a file of answers, by its name, is a shard's."""
        return Part.number_of(name) % self.shards == shard

    def local(self, folder: Path, shard: int) -> BatchSpec:
        """One shard's spec, all paths below `folder`."""
        return BatchSpec(
            folder / "package",
            folder / "rows",
            folder / "predictions",
            folder / "signing.pub",
            self.keep,
            self.workers,
            self.threads,
            self.rows_at_once,
            shard,
            self.shards,
        )


def merged(results: Sequence[BatchResult]) -> BatchResult:
    """Of all shards of the same work."""
    first = results[0]
    counted = {name: sum(one.missing[name] for one in results) for name in first.missing}
    sums = {name: sum(getattr(one, name) for one in results) for name in ("rows", "parts", "asked")}
    return BatchResult(**{**first.to_json(), **sums, "missing": counted})
