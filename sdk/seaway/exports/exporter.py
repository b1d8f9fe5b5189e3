"""From a compiled pipeline and a target's name to files, and to what is lost on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.exports.port import Exporter, Source
from seaway.exports.units import units
from seaway.kfp.compile import Compiled, plain
from seaway.kfp.local.plans import is_seaway, name_of
from seaway.kfp.parameters import default
from seaway.kfp.refusals import require_runnable


@dataclass(frozen=True)
class Export:
    """Files to write, what of the pipeline is lost in them, and what to do with them."""

    files: Mapping[Path, str]
    losses: tuple[str, ...]
    advice: str


def exported(target: str, compiled: Compiled, to: Path | None, image: str = "") -> Export:
    """A pipeline in the language of a target.

    Raises:
        InvalidSpec: there is no such target, or it lacks something that it needs.
    """
    require_runnable(compiled.spec)
    if not compiled.spec.root.dag.tasks:
        raise InvalidSpec(f"{compiled.name} is no pipeline: it has no tasks.")
    exporter: Exporter = registry.find("Exporter", target).load()()
    file = to or Path(exporter.file.format(name=compiled.name))
    source = Source(
        name=compiled.name,
        units=units(compiled.spec),
        parameters={name: default(one) for name, one in compiled.spec.root.input_definitions.parameters.items()},
        text=compiled.text,
        spec=plain(compiled.spec),
        file=file,
        image=image,
    )
    files = {file: exporter.write(source), **({source.compiled: source.text} if exporter.apart else {})}
    losses = (*exporter.losses, *(_losses(compiled, source) if exporter.apart else ()))
    return Export(files, losses, exporter.advice.format(file=file, name=compiled.name))


def _losses(compiled: Compiled, source: Source) -> Iterator[str]:
    """What steps that run where the orchestrator's workers are do not have."""
    told = plain(compiled.spec)["deploymentSpec"].get("executors", {})
    containers = {name_of(label): one["container"] for label, one in sorted(told.items()) if "container" in one}
    if foreign := [f"{name} ({one['image']})" for name, one in containers.items() if not is_seaway(one["image"])]:
        yield f"images, for steps run in an environment of their own or by the worker's docker: {', '.join(foreign)}"
    if asking := [name for name, one in containers.items() if one.get("resources")]:
        yield f"processors, memory and accelerators of pods, which no worker gives by itself: {', '.join(asking)}"
    if pods := _of_pods(compiled):
        yield f"what Kubernetes does for pods (volumes, secrets, nodes, deadlines): {', '.join(pods)}"
    if loops := [unit.place for unit in source.units if unit.loop]:
        yield f"a view of each iteration: a loop is one task, whose iterations run in it: {', '.join(loops)}"


def _of_pods(compiled: Compiled) -> list[str]:
    platforms: dict[str, Any] = plain(compiled.platform).get("platforms", {}).get("kubernetes", {})
    steps = [name_of(label) for label in sorted(platforms.get("deploymentSpec", {}).get("executors", {}))]
    return [*steps, *(["the pipeline"] if platforms.get("pipelineConfig") else [])]
