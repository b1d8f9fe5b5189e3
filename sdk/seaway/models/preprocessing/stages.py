"""Stages by their settings: each kind is a backend of the port `Preprocessing`."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.models.preprocessing.port import Preprocessing

KIND, PROOF = "kind", "proof"  # settings that are not a stage's own: which it is, and the hash of the encoded sample
KEPT = 16  # stages in memory; a tokenizer has some megabytes


def stage(settings: Mapping[str, Any], folder: Path | None) -> Preprocessing:
    """The stage of these settings, its files in `folder`.

    Raises:
        InvalidSpec: there is no such kind, or a setting is none of it.
        PackageRefused: a file of the folder is not the one that the settings name.
    """
    own = {name: value for name, value in settings.items() if name != PROOF}
    return _made(json.dumps(own, sort_keys=True), folder)


def is_binary(settings: Mapping[str, Any]) -> bool:
    """Whether values are bytes. Raises: InvalidSpec: there is no such kind."""
    return bool(settings) and stage_class(settings).binary


def digest(array: npt.NDArray[Any]) -> str:
    """The SHA-256 of an array's dtype, shape and values."""
    head = f"{array.dtype.str}{list(array.shape)}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


@lru_cache(KEPT)
def _made(settings: str, folder: Path | None) -> Preprocessing:
    own = json.loads(settings)
    kind = stage_class(own)
    try:
        made: Preprocessing = kind(folder=folder, **{name: value for name, value in own.items() if name != KIND})
    except TypeError as error:
        raise InvalidSpec(f"Preprocessing {own[KIND]!r} has other settings than {settings}: {error}.") from error
    return made


def stage_class(settings: Mapping[str, Any]) -> Any:
    """The class of a kind. Raises: InvalidSpec: there is none."""
    kind = settings.get(KIND)
    if not isinstance(kind, str):
        raise InvalidSpec(f"Preprocessing {dict(settings)} has no 'kind', which names what reads the values.")
    return _loaded(kind)


@cache
def _loaded(kind: str) -> Any:
    return registry.find("Preprocessing", kind).load()
