"""What makes two training runs the same: data, code, parameters and seed, but not the number of processes."""

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seaway.data.augmentation.siblings import refuse_siblings
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import sha256
from seaway.training.spec import TrainSpec

FILES = {  # the param that names their code
    "seaway.training.script": "script",
    "seaway.training.mpi": "script",
    "seaway.training.keras": "network",
}
BUNDLED, LOOP = "seaway.training.", "seaway.training.loop"  # what is said of trainers, and what they share


def fingerprint(spec: TrainSpec) -> dict[str, str]:
    """Hashes by name: `train`, `validation`, `code`, `settings`, and `run`, the hash of the four.

    Raises:
        DataUnreadable: a data file is missing or empty, or rows of validation are augmented copies, or have some.
        InvalidSpec: the entrypoint does not exist.
    """
    train = _data_hash(spec.train)
    refuse_siblings(spec.train, spec.validation)
    if spec.start_from is not None:
        train = _digest([train, sha256(spec.start_from)])
    parts = {
        "train": train,
        "validation": _data_hash(spec.validation),
        "code": _code_hash(spec.entrypoint, spec.params),
    }
    return with_params(parts, spec.entrypoint, spec.params, spec.seed)


def with_params(parts: Mapping[str, str], entrypoint: str, params: Mapping[str, Any], seed: int) -> dict[str, str]:
    """The fingerprint of the same data and code with these settings."""
    known = {name: parts[name] for name in ("train", "validation", "code")}
    known["settings"] = _digest({"entrypoint": entrypoint, "params": dict(params), "seed": seed})
    return {**known, "run": _digest(known)}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _data_hash(path: Path) -> str:
    if not path.is_file() or path.stat().st_size == 0:
        raise DataUnreadable(f"{path} does not exist or is empty; give a Parquet file with training examples.")
    return sha256(path)


def _code_hash(entrypoint: str, params: Mapping[str, Any]) -> str:
    """Hash of the entrypoint's source: its file, or every Python file of its package; of ours with their loop.

    A plain script is code too, and so is a network's file.
    """
    bundled = entrypoint.startswith(BUNDLED) and _source(entrypoint).name == "__init__.py"
    hashes = _files(entrypoint)
    if name := FILES.get(entrypoint):
        hashes[name] = _file_hash(name, Path(str(params.get(name, ""))))
    return _digest([hashes, _files(LOOP)] if bundled else hashes)


def _file_hash(name: str, file: Path) -> str:
    if not file.is_file():
        raise InvalidSpec(f"The {name} {str(file)!r} does not exist; give params its path as {name!r}.")
    return sha256(file)


def _files(module: str) -> dict[str, str]:
    """Hashes of a module's file, or of every Python file of a package."""
    origin = _source(module)
    files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    return {str(file.relative_to(origin.parent)): sha256(file) for file in files}


def _source(entrypoint: str) -> Path:
    try:
        found = importlib.util.find_spec(entrypoint)
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise InvalidSpec(f"entrypoint {entrypoint!r} cannot be imported; is its folder on PYTHONPATH?")
    return Path(found.origin)
