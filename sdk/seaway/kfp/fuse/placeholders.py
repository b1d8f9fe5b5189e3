"""KFP's placeholders in a component's command, filled in as its driver and launcher do; others are left as they are."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seaway.kfp.command_words import words
from seaway.kfp.fuse.values import text_of

Json = Mapping[str, Any]
INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['(.+?)'\]\}\}")
PLACES = {"gs": "/gcs", "minio": "/minio", "s3": "/s3"}  # where KFP keeps what is there, in a pod
WORKSPACE = "/kfp-workspace/.artifacts"  # and what an importer has put into the run's volume


def filled(command: Sequence[str], given: Json) -> list[str]:
    """The command for an executor input; a word may become several or none, by `dsl.IfPresentPlaceholder`."""
    values = {"{{$}}": json.dumps(given), **dict(_values(given))}
    known = re.compile("|".join(map(re.escape, values)))
    there = {*given["inputs"]["parameterValues"], *given["inputs"]["artifacts"]}
    return [known.sub(lambda found: values[found[0]], word) for part in command for word in words(part, there)]


def path(artifact: Json) -> str:
    """Where an artifact's content is on this machine."""
    if custom := artifact.get("customPath"):
        return str(custom)
    uri = str(artifact["uri"])
    scheme, _, rest = uri.partition("://")
    if scheme == "oci":
        return f"/oci/{rest.replace('/', '_')}/models"
    place = f"{PLACES[scheme]}/{rest}" if scheme in PLACES else uri
    in_workspace = artifact.get("metadata", {}).get("_kfp_workspace") is True
    return f"{WORKSPACE}{place}" if in_workspace else place


def resolved(constant: Any, parameters: Json) -> Any:
    """A constant that speaks of other parameters of its step, with their values as text."""
    if isinstance(constant, str):
        return INPUT.sub(lambda found: text_of(parameters[found[1]]) if found[1] in parameters else found[0], constant)
    if isinstance(constant, list):
        return [resolved(item, parameters) for item in constant]
    if isinstance(constant, dict):
        return {resolved(key, parameters): resolved(value, parameters) for key, value in constant.items()}
    return constant


def _values(given: Json) -> Iterator[tuple[str, str]]:
    inputs, outputs = given["inputs"], given["outputs"]
    for side, artifacts in (("inputs", inputs["artifacts"]), ("outputs", outputs["artifacts"])):
        for name, listed in artifacts.items():
            for artifact in listed["artifacts"][:1]:
                yield f"{{{{$.{side}.artifacts['{name}'].uri}}}}", artifact["uri"]
                yield f"{{{{$.{side}.artifacts['{name}'].path}}}}", path(artifact)
    for name, value in inputs["parameterValues"].items():
        yield f"{{{{$.inputs.parameters['{name}']}}}}", text_of(value)
    for name, parameter in outputs["parameters"].items():
        yield f"{{{{$.outputs.parameters['{name}'].output_file}}}}", parameter["outputFile"]
    yield "{{$.outputs.output_file}}", outputs["outputFile"]
    yield "{{$.outputMetadataUri}}", outputs["outputFile"]
