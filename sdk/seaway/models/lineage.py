"""Where a model comes from: data, code, parameters, figures, parent."""

import hashlib
import importlib.metadata
import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import seaway
from seaway.errors import InvalidSpec
from seaway.storage import read_json, sha256, write_json

LINEAGE_FILE = "lineage.json"
METRICS_FILE, EVALUATION_FILE = "metrics.json", "evaluation.json"
FRAMEWORKS = (
    *("torch", "numpy", "safetensors", "seaway", "onnxruntime", "scikit-learn", "skops", "xgboost-cpu", "xgboost"),
    *("lightgbm", "keras"),
)
OPTIONAL = ("source", "origins")  # left out of the file where they say nothing
GIT_TIMEOUT_S = 10


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def framework_versions() -> dict[str, str]:
    """Installed versions of what decides a model's numbers."""
    installed = {distribution.name.lower(): distribution.version for distribution in importlib.metadata.distributions()}
    return {name: installed[name] for name in FRAMEWORKS if name in installed}


@dataclass(frozen=True)
class Lineage:
    """The record that a package carries and the registry shows.

    `data_sha256` is the hash of the training rows, empty where a model was imported and nobody has them: `source` then
    names the file that it was. `code_version` what `code_version()` gives, `parent` the name and
    version of the model that this one is to replace (empty: none), `created` an ISO 8601 time in UTC.
    `origins` are the data that the rows were made of: their `version`, the `source` that read them, and what it `read`.
    """

    data_sha256: str
    code_version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    parent: str = ""
    created: str = field(default_factory=_now)
    frameworks: Mapping[str, str] = field(default_factory=framework_versions)
    source: str = ""
    origins: Sequence[Mapping[str, str]] = ()

    def __post_init__(self) -> None:
        unknown = self.source and not self.data_sha256
        if not unknown and len(self.data_sha256) != hashlib.sha256().digest_size * 2:
            raise InvalidSpec(
                f"Lineage names data by {self.data_sha256!r}; give the SHA-256 of the training rows in hex."
            )
        if not self.code_version:
            raise InvalidSpec("Lineage names no code; give seaway.models.code_version().")
        if broken := sorted(name for name, value in self.metrics.items() if not math.isfinite(value)):
            raise InvalidSpec(f"The metrics {', '.join(broken)} are not finite; leave them out of the lineage.")

    def write(self, folder: Path) -> None:
        """Write `lineage.json` into `folder`, atomically."""
        told = {name: value for name, value in asdict(self).items() if value or name not in OPTIONAL}
        write_json(folder / LINEAGE_FILE, told)

    @classmethod
    def read(cls, folder: Path) -> "Lineage":
        """Read `lineage.json` of `folder`. Raises: DataUnreadable, InvalidSpec."""
        value = read_json(folder / LINEAGE_FILE)
        try:
            return cls(**value)
        except (TypeError, AttributeError) as error:
            raise InvalidSpec(f"{folder / LINEAGE_FILE} is no lineage: {error}.") from error


def trace(
    model: Path,
    train: Path,
    parameters: Mapping[str, Any],
    *,
    seed: int = 0,
    parent: str = "",
    evaluation: Path | None = None,
    origins: Sequence[Mapping[str, str]] = (),
) -> Lineage:
    """The lineage of a trained model.

    Args:
        model: Folder of the trained model; the finite figures of its `metrics.json` are taken.
        train: The training rows.
        parameters: What it was trained with.
        seed: Of the training.
        parent: Name and version of the model that it is to replace; empty for none.
        evaluation: Folder with `evaluation.json`; the finite figures of its `metrics` are taken, named `test_*`.
        origins: Which data the rows were made of, see `Lineage`.

    Raises:
        DataUnreadable: a file is missing or is no JSON.
    """
    metrics = _figures(read_json(model / METRICS_FILE))
    if evaluation is not None:
        tested = _figures(read_json(evaluation / EVALUATION_FILE).get("metrics", {}))
        metrics |= {f"test_{name}": value for name, value in tested.items()}
    return Lineage(sha256(train), code_version(), dict(parameters), metrics, seed, parent, origins=origins)


def _figures(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    }


def code_version(folder: Path | None = None) -> str:
    """`git:<commit>` of the work tree at `folder` (default: the current one), with `-modified` where files differ.

    Outside a work tree it is `seaway:<version>-<hash>`, the hash over the source of the installed library.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return f"seaway:{seaway.__version__}-{_source_hash()}"
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"git:{commit}-modified" if changed else f"git:{commit}"


def _git(folder: Path | None, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=GIT_TIMEOUT_S
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _source_hash() -> str:
    root = Path(seaway.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(root.rglob("*.py")):
        digest.update(source.relative_to(root).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:12]
