"""Which dialect a file is in, and what it says."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import read_text, yaml_text
from seaway.tuning.dialects import documents, programs
from seaway.tuning.dialects.draft import Search
from seaway.tuning.dialects.source import Program

DOCUMENTS: dict[str, tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], Search]]] = {
    "katib": (lambda found: found.get("kind") == "Experiment" and "spec" in found, documents.katib),
    "keras-tuner": (
        lambda found: isinstance((found.get("hyperparameters") or found).get("space"), list),
        documents.keras_tuner,
    ),
    "sigopt": (lambda found: isinstance(found.get("parameters"), list), documents.sigopt),
    "sweeps": (lambda found: isinstance(found.get("parameters"), Mapping), documents.sweeps),
}
PROGRAMS: dict[str, tuple[str, Callable[[Program], Search]]] = {  # the module that it imports
    "ray-tune": ("ray", programs.ray_tune),
    "hyperas": ("hyperas", programs.hyperas),
    "hyperopt": ("hyperopt", programs.hyperopt),
    "keras-tuner": ("keras_tuner", programs.keras_tuner),
    "sweeps": ("wandb", programs.wandb),
}
FORMATS = tuple(sorted({*DOCUMENTS, *PROGRAMS}))
OLD_NAMES = {"kerastuner": "keras_tuner"}


def read(file: Path, dialect: str = "") -> Search:
    """What a file says; its dialect is told by what is in it, unless it is named.

    Raises:
        DataUnreadable: the file is not there, or is neither YAML, JSON nor Python.
        InvalidSpec: it is of no dialect that is read, or lacks what that needs.
    """
    text = read_text(file)
    if dialect and dialect not in FORMATS:
        raise InvalidSpec(f"{dialect!r} is none of {', '.join(FORMATS)}.")
    try:
        found = _program(Program(text), dialect) if file.suffix == ".py" else _document(_parsed(file, text), dialect)
        _require_parameters(found)
        found.arguments()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InvalidSpec):
            raise InvalidSpec(f"{file}: {error}") from error
        raise InvalidSpec(f"{file} lacks what its dialect has, or has it otherwise: {error!r}.") from error
    return found


def _require_parameters(found: Search) -> None:
    if not found.space:
        lost = f" What was found cannot be said here: {'; '.join(found.lost)}." if found.lost else ""
        raise InvalidSpec(f"No parameter is searched.{lost}")


def _parsed(file: Path, text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if file.suffix == ".json" else next(iter(yaml_text.documents(text)), None)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataUnreadable(f"{file} is no YAML or JSON: {' '.join(str(error).split())}") from error
    if not isinstance(found, Mapping):
        raise InvalidSpec("There is no object in it.")
    return found


def _document(found: Mapping[str, Any], dialect: str) -> Search:
    for name, (is_one, make) in DOCUMENTS.items():
        if name == dialect or (not dialect and is_one(found)):
            return make(found)
    raise InvalidSpec(f"It is none of {', '.join(DOCUMENTS)}, as far as YAML and JSON are read.")


def _program(program: Program, dialect: str) -> Search:
    imported = {name.partition(".")[0] for name in program.modules.values()}
    imported |= {OLD_NAMES[name] for name in imported if name in OLD_NAMES}
    for name, (module, make) in PROGRAMS.items():
        if name == dialect or (not dialect and module in imported):
            return make(program)
    raise InvalidSpec(f"It imports none of {', '.join(module for module, _ in PROGRAMS.values())}.")
