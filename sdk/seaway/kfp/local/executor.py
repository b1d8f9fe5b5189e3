"""What a step is told, and what it tells: kfp's ExecutorInput, and the outputs that it leaves in files."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seaway.kfp.carried import hindrance, parsed, shown
from seaway.kfp.local.artifacts import Artifact, kind_of
from seaway.kfp.local.inputs import artifacts_in
from seaway.kfp.parameters import mistyped, type_name, typed

OUTPUT_FILE = "executor_output.json"


class OutputUnreadable(Exception):
    """A step ended well, but what it wrote is not what it says that it gives."""


def executor_input(component: Any, inputs: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The message for a step that writes to a folder, as JSON; numbers are as the step declares them."""
    artifacts = {
        name: {"artifacts": [artifact.message() for artifact in artifacts_in(value)]}
        for name, value in inputs.items()
        if name in component.input_definitions.artifacts
    }
    declared = component.output_definitions
    return {
        "inputs": {
            "parameterValues": {name: value for name, value in inputs.items() if name not in artifacts},
            "artifacts": artifacts,
        },
        "outputs": {
            "parameters": {name: {"outputFile": str(folder / name)} for name in declared.parameters},
            "artifacts": {
                name: {"artifacts": [Artifact(name, str(folder / name), kind_of(one.artifact_type)).message()]}
                for name, one in declared.artifacts.items()
            },
            "outputFile": str(folder / OUTPUT_FILE),
        },
    }


def outputs(component: Any, folder: Path) -> dict[str, Any]:
    """What a step has written: parameters, and artifacts with their metadata.

    Raises:
        OutputUnreadable: a value is not of its type, or is one that Kubeflow cannot carry, such as NaN.
    """
    file = folder / OUTPUT_FILE
    try:
        return _outputs(component.output_definitions, _told(file), folder)
    except (AttributeError, TypeError) as error:
        raise OutputUnreadable(f"what it wrote to {file} has not the form of kfp's: {error}") from error


def _outputs(declared: Any, told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    parameters = {**told.get("parameterValues", {}), **dict(_in_files(declared.parameters, folder))}
    found = {
        name: _parameter(name, one, parameters[name]) for name, one in declared.parameters.items() if name in parameters
    }
    for name, spec in declared.artifacts.items():
        kind, listed = kind_of(spec.artifact_type), told.get("artifacts", {}).get(name, {}).get("artifacts", [])
        made = [_checked(name, _artifact(one, kind)) for one in listed] or [Artifact(name, str(folder / name), kind)]
        found[name] = made if spec.is_artifact_list else made[0]
    return found


def _artifact(told: Mapping[str, Any], kind: Mapping[str, Any]) -> Artifact:
    """The artifact that a step tells of, brought to its place from the path of its own that it may have had."""
    uri, elsewhere = told.get("uri", ""), Path(told.get("custom_path", ""))
    if elsewhere.is_absolute() and elsewhere != Path(uri):
        copied(elsewhere, Path(uri))
    return Artifact(told.get("name", ""), uri, kind, told.get("metadata") or {})


def copied(source: Path, target: Path) -> None:
    """Copy a file or a folder.

    Raises:
        OutputUnreadable: there is none.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    except OSError as error:
        raise OutputUnreadable(f"{source} cannot be copied to {target}: {error.strerror or error}") from error


def _told(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        told = parsed(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OutputUnreadable(f"what it wrote to {file} is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise OutputUnreadable(f"what it wrote to {file} is no object with parameterValues and artifacts")
    return told


def _in_files(declared: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Any]]:
    """Parameters that a step wrote to files of their own."""
    for name, parameter in declared.items():
        file = folder / name
        if not file.is_file():
            continue
        label = type_name(parameter)
        try:
            yield name, READ.get(label, parsed)(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise OutputUnreadable(f"its output {name} in {file} is no {label}") from error


READ: dict[str, Callable[[str], Any]] = {"str": str, "bool": lambda text: parsed(text.lower())}


def _parameter(name: str, declared: Any, value: Any) -> Any:
    if why := hindrance(value, null=True):
        raise OutputUnreadable(f"its output {name} is {shown(value)}, which cannot travel: {why}")
    value = typed(declared, value)
    kind = "" if value is None or isinstance(value, str) else mistyped(declared, value)
    if kind and kind != "str":  # what a text holds is read by who takes it
        raise OutputUnreadable(f"its output {name} is {shown(value)}, which is no {kind}")
    return value


def _checked(name: str, artifact: Artifact) -> Artifact:
    for field in (artifact.name, artifact.uri):
        if not isinstance(field, str) or hindrance(field) or "\0" in field:
            raise OutputUnreadable(f"the name and the URI of its output {name} have to be text, not {shown(field)}")
    for key, value in artifact.metadata.items():
        if why := hindrance(key) or hindrance(value, null=True):
            what = "metric" if artifact.schema_title.endswith("Metrics") else "metadata"
            raise OutputUnreadable(
                f"the {what} {key!r} of its output {name} is {shown(value)}, which cannot travel: {why}"
            )
    return artifact
