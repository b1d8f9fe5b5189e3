"""Settings of a place as frozen dataclasses: from a file of the installation, and from a spec's own mapping."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from seaway.errors import InvalidSpec

VARIABLE = re.compile(r"[A-Za-z_]\w*")


def check_whole(settings: Any, **least: int) -> None:
    """Raises: InvalidSpec: one of these fields is no whole number, or is below its least value."""
    for name, bound in least.items():
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < bound:
            raise InvalidSpec(f"{name}={value!r} must be a whole number of at least {bound}.")


def check_seconds(settings: Any, *names: str) -> None:
    """Raises: InvalidSpec: one of these fields of a placement is no positive number."""
    for name in names:
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise InvalidSpec(f"placement.{name}={value!r}: give a positive number of seconds.")


def check_variables(variables: Mapping[str, str], reserved: Sequence[str]) -> None:
    """Raises: InvalidSpec: a name of `placement.env` is none of a variable, or begins with a reserved prefix."""
    for name in variables:
        if not VARIABLE.fullmatch(name) or name.startswith(tuple(reserved)):
            raise InvalidSpec(
                f"placement.env: {name!r} is no variable's name, or is set for the processes: {', '.join(reserved)}."
            )


def token(where: str, file: Path) -> str:
    """What a file that the setting `where` names holds. Raises: InvalidSpec: it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidSpec(f"{where}={file} cannot be read: {error.strerror}.") from error


def parsed(kind: Any, settings: Mapping[str, Any], where: str) -> Any:
    """A `kind` of JSON or YAML values. Raises: InvalidSpec: a name is unknown or missing."""
    known = [entry.name for entry in fields(kind)]
    if unknown := sorted(set(settings) - set(known)):
        raise InvalidSpec(f"{where}{unknown[0]} is unknown; there are: {', '.join(known)}.")
    try:
        return kind(**settings)
    except TypeError as error:
        raise InvalidSpec(f"{where}: {error}.") from error


def cluster_settings(variable: str) -> dict[str, Any]:
    """What the YAML or JSON file that this environment variable names says for all that runs on the cluster.

    Raises:
        InvalidSpec: it cannot be read, or holds no mapping.
    """
    file = os.environ.get(variable)
    if not file:
        return {}
    try:
        settings = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InvalidSpec(f"{variable}={file} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise InvalidSpec(f"{variable}={file} holds no mapping; write one setting a line.")
    return settings
