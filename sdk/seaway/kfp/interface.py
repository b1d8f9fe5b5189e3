"""What a component or pipeline takes and gives, read without importing kfp: names, types and defaults from its compiled
YAML, and what they mean from its docstring.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seaway.errors import DataUnreadable
from seaway.kfp import docstring
from seaway.kfp.catalog import Entry
from seaway.kfp.docstring import Docstring
from seaway.storage.yaml_text import documents

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
    compiled, *_ = documents(entry.compiled.read_text(encoding="utf-8"))
    return parse(compiled, docstring.read(entry.source, entry.name), is_component=bool(entry.category))


def parse(compiled: Mapping[str, Any], told: Docstring, is_component: bool) -> Interface:
    """The interface in what was compiled; a component's is inside it, below the pipeline of one step that wraps it."""
    root = next(iter(compiled["components"].values())) if is_component else compiled["root"]
    given, made = root.get("inputDefinitions", {}), root.get("outputDefinitions", {})
    return Interface(
        compiled["pipelineInfo"]["name"],
        told.text,
        tuple(_artifacts(given, told.arguments)),
        tuple(_parameters(given, told.arguments)),
        (*_artifacts(made, told.outputs), *_parameters(made, told.outputs)),
    )


def _artifacts(definitions: Mapping[str, Any], meanings: Mapping[str, str]) -> list[Port]:
    return [
        Port(
            name,
            spec["artifactType"]["schemaTitle"].removeprefix("system."),
            meanings.get(name, ""),
            None if spec.get("isOptional") else REQUIRED,
        )
        for name, spec in definitions.get("artifacts", {}).items()
    ]


def _parameters(definitions: Mapping[str, Any], meanings: Mapping[str, str]) -> list[Port]:
    return [_parameter(name, spec, meanings) for name, spec in definitions.get("parameters", {}).items()]


def _parameter(name: str, spec: Mapping[str, Any], meanings: Mapping[str, str]) -> Port:
    kind = TYPES[spec["parameterType"]]
    default = spec.get("defaultValue", None if spec.get("isOptional") else REQUIRED)
    whole = kind == "int" and isinstance(default, float)
    return Port(name, kind, meanings.get(name, ""), int(default) if whole else default)
