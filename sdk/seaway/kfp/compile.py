"""From a pipeline's name, source or compiled file to a PipelineSpec, the form that is run and submitted."""

import hashlib
import importlib.util
import sys
import tempfile
from itertools import dropwhile
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, components
from kfp.compiler.compiler_utils import KubernetesManifestOptions
from kfp.dsl.base_component import BaseComponent
from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec
from seaway.kfp import catalog
from seaway.kfp.mounts import mounted

HASH_DIGITS = 12  # of a version's name: two of a million versions meet by a chance of 1 in 500


def load(reference: str) -> pipeline_spec_pb2.PipelineSpec:
    """The pipeline of that name, of that compiled `.yaml` file, or of that `.py` file.

    Raises:
        InvalidSpec: no such pipeline or file, or the file holds none or several.
    """
    if Path(reference).suffix in {".yaml", ".yml"}:
        return load_file(Path(reference))
    return load_source(reference).pipeline_spec


def load_source(reference: str) -> Any:
    """The pipeline (or component) object of a name or of a `.py` file."""
    if reference.endswith(".py"):
        return _only_pipeline(Path(reference))
    return catalog.pipeline(reference).load()


def load_file(path: Path) -> pipeline_spec_pb2.PipelineSpec:
    """A compiled pipeline or component."""
    if not path.is_file():
        raise InvalidSpec(f"{path} does not exist; `seaway compile` writes it.")
    try:
        return components.load_component_from_file(str(path)).pipeline_spec
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise InvalidSpec(f"{path} is no compiled pipeline: {why}; `seaway compile` writes one.") from error


def _only_pipeline(path: Path) -> BaseComponent:
    """The one pipeline that a file defines; a component where it defines no pipeline."""
    if not path.is_file():
        raise InvalidSpec(f"{path} does not exist.")
    module = _module(path)
    own = [value for value in vars(module).values() if isinstance(value, BaseComponent)]
    graphs = [value for value in own if type(value).__name__ == "GraphComponent"] or own
    if len(graphs) != 1:
        names = ", ".join(value.name for value in graphs) or "none"
        raise InvalidSpec(f"{path} must define one pipeline (@dsl.pipeline), it defines: {names}.")
    return graphs[0]


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InvalidSpec(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's code may raise anything
        raise InvalidSpec(f"{path} cannot be imported: {type(error).__name__}: {error}.") from error
    return module


def compile_to(source: Any, target: Path, kubernetes_manifests: bool = False) -> None:
    """Write the compiled YAML; as Pipeline and PipelineVersion objects where `kubernetes_manifests` is set."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not kubernetes_manifests:
        target.write_text(compile_text(source), encoding="utf-8")
        return
    name = source.pipeline_spec.pipeline_info.name
    version = version_name(name, compile_text(source))
    options = KubernetesManifestOptions(pipeline_version_name=version, include_pipeline_manifest=True)
    compiler.Compiler().compile(
        mounted(source), str(target), kubernetes_manifest_format=True, kubernetes_manifest_options=options
    )


def version_name(pipeline: str, text: str) -> str:
    """A version cannot be changed, so another text needs another name."""
    return f"{pipeline}-{hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]}"


def text_of(reference: str) -> str:
    """The compiled YAML of what `load` takes."""
    if Path(reference).suffix in {".yaml", ".yml"}:
        return _without_comment(Path(reference).read_text(encoding="utf-8"))
    return compile_text(load_source(reference))


def compile_text(source: Any) -> str:
    """The compiled YAML of a component or pipeline; the same source always gives the same text.

    kfp's comment at the top is left out: it prints a dict's default in an order that changes from run to run.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "compiled.yaml"
        compiler.Compiler().compile(mounted(source), str(target))
        return _without_comment(target.read_text(encoding="utf-8"))


def _without_comment(text: str) -> str:
    return "".join(dropwhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))
