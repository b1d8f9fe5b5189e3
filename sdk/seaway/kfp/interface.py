"""What a compiled component or pipeline takes and gives, read from its YAML without importing kfp."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from seaway.errors import DataUnreadable
from seaway.kfp.catalog import Entry

TYPES = {
    "NUMBER_INTEGER": "int",
    "NUMBER_DOUBLE": "float",
    "BOOLEAN": "bool",
    "STRING": "str",
    "LIST": "list",
    "STRUCT": "dict",
    "TASK_FINAL_STATUS": "PipelineTaskFinalStatus",
}
REQUIRED = object()


@dataclass(frozen=True)
class Port:
    """One input, output or parameter."""

    name: str
    type: str
    description: str = ""
    default: object = REQUIRED

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Interface:
    """Artifacts and parameters in, artifacts and parameters out."""

    name: str
    description: str
    inputs: tuple[Port, ...]
    parameters: tuple[Port, ...]
    outputs: tuple[Port, ...]


def interface(entry: Entry) -> Interface:
    """The interface of a component or pipeline of the catalogue.

    Raises:
        DataUnreadable: it has not been compiled.
    """
    if not entry.compiled.is_file():
        raise DataUnreadable(f"{entry.compiled} does not exist; `make generate` writes it.")
    return parse(entry.compiled.read_text(encoding="utf-8"), is_component=bool(entry.category))


def parse(compiled: str, is_component: bool) -> Interface:
    """The interface in a compiled text; a component's is inside it, below the pipeline of one step that wraps it."""
    content = next(yaml.safe_load_all(compiled))
    root = next(iter(content["components"].values())) if is_component else content["root"]
    given, made = root.get("inputDefinitions", {}), root.get("outputDefinitions", {})
    return Interface(
        content["pipelineInfo"]["name"],
        content["pipelineInfo"].get("description", ""),
        tuple(_artifacts(given)),
        tuple(_parameters(given)),
        (*_artifacts(made), *_parameters(made)),
    )


def _artifacts(definitions: Mapping[str, Any]) -> list[Port]:
    return [
        Port(
            name,
            spec["artifactType"]["schemaTitle"].removeprefix("system."),
            spec.get("description", ""),
            None if spec.get("isOptional") else REQUIRED,
        )
        for name, spec in definitions.get("artifacts", {}).items()
    ]


def _parameters(definitions: Mapping[str, Any]) -> list[Port]:
    return [_parameter(name, spec) for name, spec in definitions.get("parameters", {}).items()]


def _parameter(name: str, spec: Mapping[str, Any]) -> Port:
    kind = TYPES[spec["parameterType"]]
    default = spec.get("defaultValue", None if spec.get("isOptional") else REQUIRED)
    whole = kind == "int" and isinstance(default, float)
    return Port(name, kind, spec.get("description", ""), int(default) if whole else default)
