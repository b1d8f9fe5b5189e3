"""KFP's executor input of each step in a pod, made of the pod's own; and the pod's executor output, made of theirs."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.kfp.fuse.placeholders import path, resolved
from seaway.kfp.fuse.step import Source, Step, joint
from seaway.kfp.fuse.values import arriving, carried, parsed

OUTPUT = "executor_output.json"


@dataclass
class Pod:
    """What the steps of a pod have been given and have made so far.

    Args:
        given: The pod's executor input.
    """

    given: Mapping[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)  # made so far, by the pod's names
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, executor_input: str) -> "Pod":
        """For an executor input as KFP writes it: what is empty is left out there."""
        given = json.loads(executor_input)
        inputs = {"parameterValues": {}, "artifacts": {}, **given.get("inputs", {})}
        return cls({"inputs": inputs, "outputs": {"parameters": {}, "artifacts": {}, **given["outputs"]}})

    def input_of(self, step: Step) -> dict[str, Any]:
        """A step's executor input."""
        found = {name: self._parameter(step, name, source) for name, source in step.parameters.items()}
        values = {name: value for name, value in found.items() if value is not None}
        values |= {name: resolved(value, values) for name, value in values.items() if name in _constants(step)}
        artifacts = {name: self._artifacts(source) for name, source in step.artifacts.items()}
        return {
            "inputs": {
                "parameterValues": values,
                "artifacts": {name: {"artifacts": listed} for name, listed in artifacts.items() if listed},
            },
            "outputs": self._outputs_of(step),
        }

    def collect(self, step: Step) -> None:
        """Take what a step that has succeeded has made.

        Raises:
            DataUnreadable: a parameter that it promises is missing or of another type, or its output is no JSON.
        """
        outputs = self._outputs_of(step)
        written = _read(Path(outputs["outputFile"]))
        for name, kind in step.results.items():
            self.parameters[joint(step.name, name)] = _parameter(step.name, name, kind, outputs, written)
        for name in step.outputs:
            [artifact] = outputs["artifacts"][name]["artifacts"]
            for told in written.get("artifacts", {}).get(name, {}).get("artifacts", [])[:1]:
                artifact = _merged(artifact, told)
            self.artifacts[joint(step.name, name)] = artifact

    def make_room(self, step: Step) -> None:
        """Make the folders of a step's outputs, and remove what an attempt before has left: a new pod has nothing."""
        outputs = self._outputs_of(step)
        files = [outputs["outputFile"], *(one["outputFile"] for one in outputs["parameters"].values())]
        for place in map(Path, (*files, *(path(listed["artifacts"][0]) for listed in outputs["artifacts"].values()))):
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)

    def write(self) -> None:
        """Write the pod's executor output, of all steps so far."""
        outputs = self.given["outputs"]["artifacts"]
        named = {
            name: {**artifact, "name": outputs[name]["artifacts"][0]["name"]}
            for name, artifact in self.artifacts.items()
        }
        content = {
            "parameterValues": self.parameters,
            "artifacts": {name: {"artifacts": [_told(artifact)]} for name, artifact in named.items()},
        }
        Path(self.given["outputs"]["outputFile"]).write_text(json.dumps(content), encoding="utf-8")

    def _parameter(self, step: Step, name: str, source: Source) -> Any:
        if "constant" in source:
            return source["constant"]
        if "output" in source:
            return arriving(self.parameters[source["output"]], step.types.get(name, ""))
        return self.given["inputs"]["parameterValues"].get(source["input"])

    def _artifacts(self, source: Source) -> list[dict[str, Any]]:
        if "output" in source:
            return [self.artifacts[source["output"]]]
        listed: list[dict[str, Any]] = self.given["inputs"]["artifacts"].get(source["input"], {}).get("artifacts", [])
        return listed

    def _outputs_of(self, step: Step) -> dict[str, Any]:
        outputs = self.given["outputs"]
        artifacts = {name: outputs["artifacts"][joint(step.name, name)]["artifacts"][0] for name in step.outputs}
        return {
            "parameters": {name: outputs["parameters"][joint(step.name, name)] for name in step.results},
            "artifacts": {name: {"artifacts": [{**artifact, "name": name}]} for name, artifact in artifacts.items()},
            "outputFile": str(Path(outputs["outputFile"]).parent / step.name / OUTPUT),
        }


def _constants(step: Step) -> set[str]:
    return {name for name, source in step.parameters.items() if "constant" in source}


def _read(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:  # a component that is no Python need not write one
        return {}
    except ValueError as error:
        raise DataUnreadable(f"{file} is no executor output of KFP: {error}.") from error
    return content


def _parameter(step: str, name: str, kind: str, outputs: Mapping[str, Any], written: Mapping[str, Any]) -> Any:
    """A step's output parameter; what it has told comes before what is in the parameter's file."""
    told = written.get("parameterValues", {})
    if name in told:
        return carried(told[name])
    file = Path(outputs["parameters"][name]["outputFile"])
    try:
        return parsed(file.read_text(encoding="utf-8"), kind)
    except (OSError, DataUnreadable) as error:
        raise DataUnreadable(f"Step {step} has not given its output {name}: {error}") from error


def _merged(artifact: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact with what its step has told of it."""
    custom = told.get("customPath") or told.get("custom_path")
    metadata = {**artifact.get("metadata", {}), **carried(told.get("metadata", {}))}
    place = {"uri": told.get("uri") or artifact["uri"], **({"customPath": custom} if custom else {})}
    return {**artifact, **place, "metadata": metadata}


def _told(artifact: Mapping[str, Any]) -> dict[str, Any]:
    """What an executor output says of an artifact."""
    return {key: artifact[key] for key in ("name", "uri", "metadata", "customPath") if key in artifact}
