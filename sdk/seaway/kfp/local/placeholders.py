"""What stands for a value in a step's command and in a pipeline's constants, `{{$.inputs.parameters['x']}}` and others.

A value is put in once: text of a user that looks like a placeholder stays as it is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seaway.kfp.command_words import words

PLACEHOLDER = re.compile(r"\{\{\$(?:\.([^{}]*))?\}\}")
INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")
KEYED = re.compile(
    r"(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)\['?'?(?P<name>[^']+)'?'?\]"
    r"(?:\.(?P<field>\w+)(?:\['?'?(?P<key>[^']+)'?'?\])?)?"
)
WORKSPACE_MOUNT = "/kfp-workspace"  # kfp's place of the workspace in a pod


def text_of(value: Any) -> str:
    """A value inside a text: itself, or its JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def filled(constant: Any, inputs: Mapping[str, Any], job: Mapping[str, str]) -> Any:
    """A constant of a pipeline with its placeholders filled; one that is all of a text gives the value as it is."""
    if isinstance(constant, dict):
        return {key: filled(value, inputs, job) for key, value in constant.items()}
    if isinstance(constant, list):
        return [filled(item, inputs, job) for item in constant]
    if not isinstance(constant, str):
        return constant
    if (whole := INPUT.fullmatch(constant)) and whole[1] in inputs:
        return inputs[whole[1]]

    def value(found: re.Match[str]) -> str:
        name = INPUT.fullmatch(found[0])
        if name and name[1] in inputs:
            return text_of(inputs[name[1]])
        return job.get(found[0], found[0])

    return PLACEHOLDER.sub(value, constant)


@dataclass(frozen=True)
class Command:
    """The command and arguments of a step, to be filled with its ExecutorInput and what is known of the run."""

    executor_input: Mapping[str, Any]
    job: Mapping[str, str]  # placeholder -> text
    workspace: str = ""  # where the run's workspace is

    def filled(self, parts: Iterable[str]) -> list[str]:
        """The words that are run; those that are optional and absent are left out."""
        given = {*self._inputs("parameterValues"), *self._inputs("artifacts")}
        return [self.text(word) for part in parts for word in words(part, given)]

    def text(self, text: str) -> str:
        """One word with its placeholders filled."""
        if self.workspace:
            text = text.replace(WORKSPACE_MOUNT, self.workspace)
        return PLACEHOLDER.sub(lambda found: self._value(found[0], found[1]), text)

    def _inputs(self, kind: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.executor_input["inputs"].get(kind, {})
        return found

    def _value(self, placeholder: str, inner: str | None) -> str:
        if inner is None:
            return json.dumps(self.executor_input)
        if inner in ("outputs.output_file", "outputMetadataUri"):
            return str(self.executor_input["outputs"]["outputFile"])
        keyed = KEYED.fullmatch(inner)
        return self._keyed(**keyed.groupdict()) if keyed else self.job.get(placeholder, placeholder)

    def _keyed(self, side: str, kind: str, name: str, field: str | None, key: str | None) -> str:
        if kind == "artifacts":
            return _of_artifact(self.executor_input[side].get("artifacts", {}).get(name), field or "", key)
        if side == "outputs":
            return str(self.executor_input["outputs"]["parameters"][name]["outputFile"])
        return text_of(self._inputs("parameterValues").get(name))


def _of_artifact(told: Mapping[str, Any] | None, field: str, key: str | None) -> str:
    if not told or not told["artifacts"]:
        return "null"
    first = told["artifacts"][0]
    found = first["uri"] if field == "path" else first.get(field)
    return text_of(found.get(key) if key and isinstance(found, Mapping) else found)
