"""A Workflow of Argo: one pod a step, in an image that has Seaway, on a volume that all of them mount."""

import base64
import json
from typing import Any

import yaml

from seaway.errors import InvalidSpec
from seaway.exports.port import Source
from seaway.exports.units import Unit

VOLUME, HOME, FILE = "state", "/seaway-state", "/seaway-pipeline/pipeline.base64"
STEP = f"""\
base64 -d {FILE} > /tmp/pipeline.yaml
exec seaway step /tmp/pipeline.yaml "$PLACE" --run "$RUN"
"""
ENDED = ("Succeeded", "Failed", "Skipped", "Errored", "Omitted", "Daemoned")  # how Argo says that a task has ended


class Argo:
    """The Workflow of a pipeline."""

    file = "{name}.argo.yaml"
    apart = False
    losses = (
        "images of single steps: all run in --image, those of another in an environment of their own",
        "processors, memory, accelerators, volumes and secrets of single steps: write them into the template",
        "a view of each iteration: a loop is one task, whose iterations run in it",
    )
    advice = "Submit it: argo submit {file} -p parameters='{{}}'; its volume is to be ReadWriteMany on several nodes."

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        if not source.image:
            raise InvalidSpec("Argo runs images: name one that has Seaway and what the steps need by --image.")
        spec = {
            "entrypoint": "pipeline",
            "arguments": {"parameters": [{"name": "parameters", "value": json.dumps(_given(source))}]},
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000},
            "volumeClaimTemplates": [_claim()],
            "templates": [{"name": "pipeline", "dag": {"failFast": False, "tasks": list(map(_task, source.units))}},
                          _step(source)],
        }  # fmt: skip
        metadata = {"generateName": f"{source.name}-"}
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}
        return f"# Made by `seaway export argo`.\n{yaml.safe_dump(workflow, sort_keys=False, width=120)}"


def _given(source: Source) -> dict[str, Any]:
    return {name: value for name, value in source.parameters.items() if value is not None}


def _claim() -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
    return {"metadata": {"name": VOLUME}, "spec": spec}


def _task(unit: Unit) -> dict[str, Any]:
    """What is not due succeeds without having run, so only failures keep others from starting."""
    task: dict[str, Any] = {
        "name": unit.name,
        "template": "step",
        "arguments": {"parameters": [{"name": "place", "value": unit.place}]},
    }
    states = ENDED if unit.always else ("Succeeded",)
    conditions = [" || ".join(f"{name}.{state}" for state in states) for name in unit.after]
    if conditions:
        task["depends"] = " && ".join(f"({one})" if unit.always else one for one in conditions)
    return task


def _step(source: Source) -> dict[str, Any]:
    """Base64, for Argo would fill what looks like its own placeholders in a pipeline's text."""
    encoded = base64.b64encode(source.text.encode()).decode()
    variables = {"PLACE": "{{inputs.parameters.place}}", "RUN": "{{workflow.name}}",
                 "SEAWAY_HOME": HOME, "SEAWAY_PARAMETERS": "{{workflow.parameters.parameters}}",
                 "SEAWAY_PLATFORM": "kubernetes"}  # fmt: skip
    return {
        "name": "step",
        "inputs": {
            "parameters": [{"name": "place"}],
            "artifacts": [{"name": "pipeline", "path": FILE, "raw": {"data": encoded}}],
        },
        "container": {
            "image": source.image,
            "command": ["sh", "-ec", STEP],
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "volumeMounts": [{"name": VOLUME, "mountPath": HOME}],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        },
    }
