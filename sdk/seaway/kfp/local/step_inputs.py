"""What a step of a run was given, found by walking once more through what was compiled, with what was recorded."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seaway.kfp import compile as compiler
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.inputs import Result
from seaway.kfp.local.job_placeholders import told_of_run
from seaway.kfp.local.orchestrator import Call, Orchestrator
from seaway.kfp.local.records import record, record_file
from seaway.kfp.local.run_state import PIPELINE
from seaway.platforms.home import home

PLACE = re.compile(r"\{\{seaway:\w*:([^{}]+)\}\}")
WENT_WELL = {"succeeded", "cached"}


def calls(run: str) -> list[Call]:
    """The steps of a run that were started, each with its inputs, in their order; also the one that failed.

    Raises:
        InvalidSpec: there is no such run, or its edition did not keep what was compiled.
    """
    kept = record(run)
    spec = compiler.load_file(record_file(run).with_name(PIPELINE)).spec
    steps = {step["place"]: step for step in kept["steps"]}
    found: list[Call] = []

    def recorded(call: Call) -> Result:
        step = steps.get(call.place)
        if step is None:
            return Result("FAILED", reason="it was not started")
        found.append(replace(call, inputs={name: _filled(value, call.inputs) for name, value in call.inputs.items()}))
        return Result("SUCCEEDED" if step["state"] in WENT_WELL else "FAILED", _outputs(step["outputs"], call))

    job = told_of_run(spec, run, home(), home())
    Orchestrator(spec.components, job, recorded, lambda call, reason: None).run(spec.root, kept["arguments"])
    return found


def _filled(value: Any, inputs: Mapping[str, Any]) -> Any:
    """A value with those of the places in it that `filling.py` has a step fill in."""
    if isinstance(value, dict):
        return {key: _filled(one, inputs) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, inputs) for one in value]
    if not isinstance(value, str):
        return value
    if whole := PLACE.fullmatch(value):
        return inputs.get(whole[1])
    return PLACE.sub(lambda place: _text(inputs.get(place[1])), value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _outputs(kept: Mapping[str, Any], call: Call) -> dict[str, Any]:
    artifacts = call.component.output_definitions.artifacts
    return {name: _artifact(name, value) if name in artifacts else value for name, value in kept.items()}


def _artifact(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_artifact(name, one) for one in value]
    return Artifact(name, value["uri"], {"schemaTitle": value["type"]}, value["metadata"])


def path_of(value: Any) -> Path | None:
    """Where an artifact is on this machine; None for what is no artifact or lies in a store."""
    return value.path if isinstance(value, Artifact) else None
