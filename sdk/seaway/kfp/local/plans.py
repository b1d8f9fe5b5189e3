"""How each step of a pipeline is run here, and what the local run does not have, told before the first step."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2 as pb

from seaway.errors import InvalidSpec
from seaway.kfp.decorator import IMAGE
from seaway.kfp.local import conditions, containers, environments, kfp_launcher
from seaway.kfp.local.graph import order
from seaway.kfp.parameters import type_name
from seaway.version import RUNTIME

KUBERNETES = "kubernetes"
CLUSTER_ONLY = {"argostub/createpvc": "makes a volume of a cluster", "argostub/deletepvc": "deletes one of a cluster"}


@dataclass(frozen=True)
class Plan:
    """How the steps of one executor are run."""

    label: str
    image: str
    container: bool = False
    python: str = ""  # of an environment of its own; empty for Seaway's
    note: str = ""
    limit_s: float = math.inf  # that its pipeline gives to each attempt

    @property
    def forked(self) -> bool:
        """Whether the step is Seaway's own, and can have its libraries from the fork server."""
        return not self.container and not self.python


def plans(compiled: Any, executors: Mapping[str, Any], folder: Path) -> dict[str, Plan]:
    """A plan for each executor, with its environment made below `folder`.

    Raises:
        InvalidSpec: the pipeline has what the local run has not, by the names of the steps; nothing was started.
    """
    reasons = [*_unreadable(compiled.spec), *_missing(compiled, executors)]
    if reasons:
        raise InvalidSpec(f"{compiled.name} cannot run here: {'; '.join(reasons)}.")
    return {
        label: replace(_plan(label, executor.container, folder), limit_s=_limit_s(_config(compiled, label)))
        for label, executor in executors.items()
    }


def limit_s(compiled: Any) -> float:
    """Seconds that a pipeline gives to a run of it, but for its exit tasks; without end where it says nothing."""
    platform = compiled.platform.platforms
    return _limit_s(platform[KUBERNETES].pipelineConfig if KUBERNETES in platform else None)


def _limit_s(config: Any) -> float:
    return float(getattr(config, "active_deadline_seconds", 0)) or math.inf


def _plan(label: str, container: Any, folder: Path) -> Plan:
    program = kfp_launcher.program([*container.command, *container.args])
    if is_seaway(container.image) and not (program and program.packages):
        return Plan(label, container.image)
    if program is None:
        return Plan(label, container.image, container=bool(container.image))
    wanted = environments.environment(container.image, program.packages)
    python = environments.prepared(wanted, folder, name_of(label))
    return Plan(label, container.image, python=str(python), note=environments.fallback(container.image))


def is_seaway(image: str) -> bool:
    """Whether an image is Seaway's runtime, in whatever registry and version."""
    name = image.partition("@")[0].rpartition(":")[0] or image
    return image == IMAGE or name.endswith(RUNTIME.partition("/")[2])


def name_of(label: str) -> str:
    """The name of a step by that of its executor."""
    return label.removeprefix("exec-")


def _unreadable(spec: Any) -> Iterator[str]:
    """Conditions and orders that cannot be."""
    for name, component in [("the pipeline", spec.root), *spec.components.items()]:
        try:
            order(component.dag.tasks)
        except InvalidSpec as error:
            yield f"in {name.removeprefix('comp-')}, {str(error).rstrip('.')}"
        for task, one in component.dag.tasks.items():
            if text := one.trigger_policy.condition:
                try:
                    conditions.condition(text)
                except InvalidSpec as error:
                    yield f"in {task}, {error}"


def _missing(compiled: Any, executors: Mapping[str, Any]) -> Iterator[str]:
    for label, executor in executors.items():
        for reason in (*_of_executor(executor), *_of_pod(_config(compiled, label))):
            yield f"step {name_of(label)} {reason}"
    for name, component in compiled.spec.components.items():
        for parameter, one in component.input_definitions.parameters.items():
            if type_name(one) == "TaskConfig":
                yield f"step {name.removeprefix('comp-')} takes the settings of its pod ({parameter}: TaskConfig)"


def _config(compiled: Any, label: str) -> pb.KubernetesExecutorConfig:
    """What a pipeline says of the pod of a step."""
    platform = compiled.platform.platforms
    configs = platform[KUBERNETES].deployment_spec.executors if KUBERNETES in platform else {}
    told = json_format.MessageToDict(configs[label]) if label in configs else {}
    return json_format.ParseDict(told, pb.KubernetesExecutorConfig())


def _of_executor(executor: Any) -> Iterator[str]:
    kind = executor.WhichOneof("spec")
    if kind not in ("container", "importer"):
        yield f"is of a kind ({kind}) that only Vertex AI runs"
    if kind != "container":
        return
    container = executor.container
    if what := CLUSTER_ONLY.get(container.image):
        yield what
    elif _is_container(container) and not containers.program()[0]:
        yield f"is a container ({container.image}), and {containers.program()[1]}"


def _is_container(container: Any) -> bool:
    """Whether a step runs what its image has; of Seaway's image all of it is here."""
    words = [*container.command, *container.args]
    return kfp_launcher.program(words) is None and not is_seaway(container.image)


def _of_pod(config: Any) -> Iterator[str]:
    """What a step would read of its pod; what only says where the pod runs does not matter here."""
    for secret in (*config.secret_as_env, *config.config_map_as_env):
        kind = "secret" if hasattr(secret, "secret_name") else "config map"
        for key in secret.key_to_env:
            if key.env_var not in os.environ and not secret.optional:
                yield f"takes {key.env_var} from the {kind} {_named(secret)}; set that variable"
    for volume in config.secret_as_volume:
        if not volume.optional:
            yield f"mounts the secret {_named(volume)} at {volume.mount_path}, which only a cluster does"
    for volume in config.config_map_as_volume:
        if not volume.optional:
            yield f"mounts the config map {_named(volume)} at {volume.mount_path}, which only a cluster does"
    for volume in (*config.pvc_mount, *config.generic_ephemeral_volume, *config.empty_dir_mounts):
        yield f"mounts a volume at {volume.mount_path}, which only a cluster does"
    for field in config.field_path_as_env:
        if field.name not in os.environ:
            yield f"takes {field.name} from its pod ({field.field_path}); set that variable"


def _named(mount: Any) -> str:
    plain = getattr(mount, "secret_name", "") or getattr(mount, "config_map_name", "")
    parameter = getattr(mount, "secret_name_parameter", None) or getattr(mount, "config_map_name_parameter", None)
    return plain or (parameter.runtime_value.constant.string_value if parameter else "") or "of a parameter"
