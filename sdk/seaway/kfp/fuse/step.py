"""One step among those that share a pod, as the pod's command line carries it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

MARKED = {"$": "\\u0024", "python3": "\\u0070ython3"}  # JSON for the same text
Source = Mapping[str, Any]  # {"input": NAME} or {"output": NAME} of the pod, or {"constant": VALUE}


@dataclass(frozen=True)
class Step:
    """What runs, where its inputs come from, and what it gives.

    Args:
        name: Its task's in the pipeline as it was written; its title is prose, and would change what is compiled.
        command: The component's own, with KFP's placeholders.
        parameters: Where each comes from; what was not given has no source in the pod, and is left out.
        artifacts: The same.
        types: KFP's types of the parameters that come from another step.
        results: KFP's types of the output parameters.
        outputs: Its output artifacts.
        retry: KFP's retry policy, where the pod as a whole has none.
    """

    name: str
    command: Sequence[str]
    parameters: Mapping[str, Source] = field(default_factory=dict)
    artifacts: Mapping[str, Source] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    outputs: Sequence[str] = field(default_factory=list)
    retry: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> str:
        """As one word of a command line, in which nobody on the way finds a placeholder or a `python3` to replace."""
        text = json.dumps(asdict(self), sort_keys=True)
        for plain, marked in MARKED.items():
            text = text.replace(plain, marked)
        return text


def decode(word: str) -> Step:
    """The step that a word of a command line holds."""
    return Step(**json.loads(word))


def joint(step: str, name: str) -> str:
    """The pod's name of a step's input or output; no two are the same, for no task's name has two dashes in a row."""
    return f"{step}--{name}"


def origin(task: str, output: str) -> str:
    """The joint name of a task's output, whether the task is a step or a pod of several, whose outputs have it."""
    return output if "--" in output else joint(task, output)
