"""From a pipeline's name, source or compiled file to a PipelineSpec, the form that is run and submitted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp import components
from kfp.dsl.graph_component import GraphComponent
from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec
from seaway.kfp import catalog, pipeline_file
from seaway.kfp.filled import with_filling
from seaway.kfp.mounts import with_mounts
from seaway.kfp.prose import without_prose
from seaway.platforms.kubernetes.client.yaml import manifests_text


@dataclass(frozen=True)
class Compiled:
    """A component or pipeline as Kubeflow Pipelines takes it: what runs, and what it says of its pods."""

    spec: pipeline_spec_pb2.PipelineSpec
    platform: pipeline_spec_pb2.PlatformSpec

    @property
    def name(self) -> str:
        """The pipeline's."""
        return str(self.spec.pipeline_info.name)

    @property
    def text(self) -> str:
        """As YAML; the same source always gives the same text."""
        return manifests_text([plain(self.spec), *([plain(self.platform)] if self.platform.platforms else [])])


def load(reference: str) -> Compiled:
    """The pipeline of that name, of that compiled `.yaml` file, or of that `.py` file, or `file.py:name` of it.

    Raises:
        InvalidSpec: no such pipeline or file, or the file holds none, or several and none is named.
    """
    if Path(reference).suffix in {".yaml", ".yml"}:
        return load_file(Path(reference))
    return compiled(load_source(reference))


def load_source(reference: str) -> Any:
    """The pipeline (or component) object of a name, of a `.py` file, or of `file.py:name`."""
    if pipeline_file.is_python(reference):
        return pipeline_file.load(reference)
    return catalog.pipeline(reference).load()


def description(reference: str) -> str:
    """What is said of a pipeline in a line, as a dashboard shows it; nothing of a compiled file, which has no prose."""
    if Path(reference).suffix in {".yaml", ".yml"}:
        return ""
    if pipeline_file.is_python(reference):
        text = str(load_source(reference).description or "").strip()
        return " ".join(text.partition("\n\n")[0].split())
    return catalog.pipeline(reference).description


def load_file(path: Path) -> Compiled:
    """A compiled pipeline or component, as the file says."""
    if not path.is_file():
        raise InvalidSpec(f"{path} does not exist; `seaway compile` writes it.")
    try:
        loaded = components.load_component_from_file(str(path))
        return Compiled(with_filling(loaded.pipeline_spec), loaded.platform_spec)
    except InvalidSpec:
        raise
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise InvalidSpec(f"{path} is no compiled pipeline: {why}; `seaway compile` writes one.") from error


def compiled(source: Any) -> Compiled:
    """Compile a component or pipeline, without its prose; a pipeline's steps mount what they need."""
    spec = without_prose(with_filling(source.pipeline_spec))
    pipeline = isinstance(source, GraphComponent)
    return Compiled(spec, with_mounts(source.platform_spec, spec) if pipeline else source.platform_spec)


def plain(message: Any) -> dict[str, Any]:
    """A message of kfp's as JSON, its keys in the order of the alphabet; a message itself has them in any."""
    content: dict[str, Any] = json.loads(json_format.MessageToJson(message, sort_keys=True))
    return content
