"""`dsl.importer`: an artifact that somebody else made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seaway.kfp.local.artifacts import Artifact, kind_of
from seaway.kfp.local.executor import copied
from seaway.kfp.local.orchestrator import Call
from seaway.kfp.local.placeholders import Command
from seaway.kfp.parameters import plain_value, whole


class ImportFailed(Exception):
    """An artifact could not be brought into the workspace."""


def run(spec: Any, call: Call, command: Command, workspace: Path) -> dict[str, Artifact]:
    """The artifact of an importer, downloaded into the run's workspace where that is asked for.

    Raises:
        ImportFailed: it is not there.
    """
    uri = _uri(spec, call.inputs)
    metadata = _filled(plain_value_of(spec.metadata), command)
    if spec.download_to_workspace:
        uri = str(_downloaded(uri, workspace / ".artifacts" / call.place))
    [name] = call.component.output_definitions.artifacts or ["artifact"]
    return {name: Artifact(name, uri, kind_of(spec.type_schema), metadata)}


def plain_value_of(struct: Any) -> dict[str, Any]:
    """A Struct message as Python has it."""
    return {name: whole(plain_value(value)) for name, value in struct.fields.items()}


def _uri(spec: Any, inputs: Mapping[str, Any]) -> str:
    uri = spec.artifact_uri
    return str(inputs["uri"] if uri.WhichOneof("value") == "runtime_parameter" else uri.constant.string_value)


def _filled(value: Any, command: Command) -> Any:
    if isinstance(value, dict):
        return {command.text(key): _filled(item, command) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, command) for item in value]
    return command.text(value) if isinstance(value, str) else value


def _downloaded(uri: str, folder: Path) -> Path:
    source = Path(uri.removeprefix("file://"))
    if not source.is_absolute() or not source.exists():
        raise ImportFailed(f"{uri} is to be copied into the workspace, and there is no such file or folder here")
    target = folder / source.name
    copied(source, target)
    return target
