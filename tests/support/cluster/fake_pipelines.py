"""Kubeflow Pipelines' backend, played: its driver and its launcher, for a compiled pipeline in a real cluster.

The backend itself (API server, workflows, metadata) cannot be had here. `kfp.local` says which step is next and what it
is given; instead of a process, each attempt of a step is a pod as Kubeflow's driver makes it: the compiled command in
the compiled image, the mounts that the compiled file's PlatformSpec names and no others, the label of the run, the
shipped account. `fake_launcher.py` moves the artifacts. So steps share what they would under Kubeflow, and no more.
"""

import json
import logging
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from jobs import RESTRICTED
from kfp import local
from kfp.kubernetes import kubernetes_executor_config_pb2 as pb
from kfp.local import pipeline_orchestrator, subprocess_task_handler, task_dispatcher
from kfp.local.status import Status
from kubernetes import client
from kubernetes.utils.quantity import parse_quantity
from object_store_pod import StoreInCluster
from seaway.kfp import compile as compiler
from seaway.kfp import parameters
from seaway.kfp.decorator import IMAGE
from seaway.kfp.fuse.join import fused
from seaway.platforms.kubernetes.client.ownership import RUN_LABEL
from seaway.platforms.kubernetes.install import rbac
from seaway.storage import storage_for

INPUT = "--executor_input"
LAUNCHER = Path(__file__).with_name("fake_launcher.py")
KEYS = "fake-launcher"  # the Secret of the launcher, and where it is mounted
SCRATCH = ("/s3", "/minio", "/gcs", "/.local", "/.cache", "/.config")  # as Kubeflow Pipelines gives each step
CORES = Decimal(1)  # at most, so that a training's pods find room beside the step that waits for them on a node of two
POLL_S = 0.5
STEP_S = 600
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """One attempt: how it ended, and what its pod has said."""

    executor: str
    pod: str
    succeeded: bool
    log: str


@dataclass
class FakeRun:
    """One run of a compiled pipeline.

    Args:
        compiled: The file that `seaway compile` writes.
        namespace: Where its pods go; it has the Secret of `give_keys`.
        root: URI on S3 that artifacts are kept under.
        as_no_root: Whether the installation has `defaultSecurityContextRunAsNonRoot`.
    """

    compiled: Path
    api: client.ApiClient
    namespace: str
    root: str
    as_no_root: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    steps: list[Step] = field(default_factory=list)

    def run(self, **given: object) -> None:
        """All steps, in order.

        Raises:
            RuntimeError: one failed; the step says why.
        """
        spec = compiler.load_file(self.compiled).spec
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            original = task_dispatcher.run_single_task_implementation
            patch.setattr(task_dispatcher, "run_single_task_implementation", self._in_pods(original))
            local.init(local.SubprocessRunner(use_venv=False), pipeline_root=folder, enable_caching=False)
            pipeline_orchestrator.run_local_pipeline(spec, parameters.bind(spec, given))

    def step(self, executor: str) -> Step:
        """The last attempt."""
        return [step for step in self.steps if step.executor == executor][-1]

    def mounts(self, executor: str) -> pb.KubernetesExecutorConfig:
        """What the file's second document says of this executor."""
        _, platforms = yaml.safe_load_all(self.compiled.read_text(encoding="utf-8"))
        executors = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        return json_format.ParseDict(executors.get(executor, {}), pb.KubernetesExecutorConfig())

    def _in_pods(self, original: Any) -> Any:
        """kfp.local's execution of one attempt, with a pod where it would start a process."""

        def run(*, component_spec: Any, executor_spec: Any, **others: Any) -> Any:
            attempt = partial(_Attempt, self, component_spec.executor_label, executor_spec.container)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(subprocess_task_handler, "SubprocessTaskHandler", attempt)
                return original(component_spec=component_spec, executor_spec=executor_spec, **others)

        return run


class _Attempt:
    """What kfp.local takes for its handler of a task: one pod, whose artifacts are on S3."""

    def __init__(
        self, run: FakeRun, executor: str, container: Any, *, full_command: list[str], pipeline_root: str, **_: Any
    ) -> None:
        self._run, self._executor, self._container, self._local_root = run, executor, container, pipeline_root
        place = full_command.index(INPUT) + 1
        given = _as_the_driver_gives(json.loads(full_command[place]))
        words = [*full_command[:place], json.dumps(given), *full_command[place + 1 :]]
        self._command = [word.replace(pipeline_root, run.root) for word in words]

    def run(self) -> Status:
        began, core, namespace = time.monotonic(), client.CoreV1Api(self._run.api), self._run.namespace
        name = f"{self._executor.removeprefix('exec-')}-{secrets.token_hex(3)}"
        core.create_namespaced_pod(namespace, self._pod(name))
        succeeded = _await_end(core, name, namespace) == "Succeeded"
        said = core.read_namespaced_pod_log(name, namespace)
        self._run.steps.append(Step(self._executor, name, succeeded, said))
        ended = "succeeded" if succeeded else "failed"
        log.info("%s %s after %.0f s:\n%s", name, ended, time.monotonic() - began, said)
        self._fetch_outputs()
        return Status.SUCCESS if succeeded else Status.FAILURE

    def _fetch_outputs(self) -> None:
        """What kfp.local reads of a step: its parameters, and where its artifacts are."""
        given = json.loads(self._command[self._command.index(INPUT) + 1])
        uri = given["outputs"]["outputFile"]
        if storage_for(uri).exists(uri):
            storage_for(uri).download(uri, Path(uri.replace(self._run.root, self._local_root)))

    def _pod(self, name: str) -> dict[str, Any]:
        volumes = [*_volumes(self._run.mounts(self._executor)), _secret(KEYS, f"/{KEYS}", False), *_scratch()]
        container = {
            "name": "main",
            "image": self._container.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", LAUNCHER.read_text(encoding="utf-8"), *self._command],
            "workingDir": "/tmp",  # noqa: S108  # the Dockerfile's; an image that was imported as files has none
            "env": [{"name": "KFP_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"requests": _requests(self._container.resources)},
            "securityContext": {**RESTRICTED, **self._no_root()},
            "volumeMounts": [{"name": volume["name"], "mountPath": path} for volume, path in volumes],
        }
        spec = {
            "serviceAccountName": rbac.NAME,
            "restartPolicy": "Never",
            "securityContext": {"runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [volume for volume, _ in volumes],
        }
        return {"metadata": {"name": name, "labels": {RUN_LABEL: self._run.id}}, "spec": spec}

    def _no_root(self) -> dict[str, bool]:
        """Said by the step or by the installation; else nothing is, and `restricted` refuses the pod."""
        said = self._run.mounts(self._executor).security_context
        return {"runAsNonRoot": True} if said.run_as_non_root or self._run.as_no_root else {}


def _as_the_driver_gives(given: dict[str, Any]) -> dict[str, Any]:
    """The input of an executor as Kubeflow's driver makes it where kfp.local's differs.

    Raises:
        RuntimeError: one artifact by two inputs.
    """
    inputs = given.get("inputs", {})
    uris = [one["uri"] for found in inputs.get("artifacts", {}).values() for one in found["artifacts"]]
    if len(set(uris)) < len(uris):
        raise RuntimeError('no execution found for task name=""')
    for value in inputs.get("parameterValues", {}).values():
        if isinstance(value, dict) and (task := value.pop("pipeline_task_name", None)):
            state = {"SUCCEEDED": "COMPLETE"}.get(value["state"], value["state"])
            value.update(state=state, pipelineTaskName=task, pipelineJobResourceName="sample-x1", error={})
    return given


def compiled(pipeline: Any, image: str, folder: Path, fuse: bool = False) -> Path:
    """What `seaway compile` writes, with `--fuse` where asked, and with the image that holds this tree's code."""
    source = compiler.load_source(pipeline) if isinstance(pipeline, str) else pipeline
    text = compiler.compiled(source).text
    for built in (IMAGE, "python:3.11"):
        text = text.replace(f"image: {built}\n", f"image: {image}\n")
    file = folder / "pipeline.yaml"
    file.write_text(text, encoding="utf-8")
    if fuse:
        file.write_text(fused(compiler.load_file(file)).text, encoding="utf-8")
    return file


def read_artifact(run: FakeRun, path: str, folder: Path, name: str) -> dict[str, Any]:
    """A JSON file below `STEP/ARTIFACT`."""
    [uri] = [found for found in storage_for(run.root).list(run.root) if found.endswith(f"/{path}/{name}")]
    storage_for(uri).download(uri, folder / name)
    content: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return content


def give_keys(core: client.CoreV1Api, namespace: str, store: StoreInCluster) -> None:
    """The Secret by which the launcher reaches the store."""
    content = {**store.keys, "AWS_ENDPOINT_URL": store.inside}
    core.create_namespaced_secret(namespace, {"metadata": {"name": KEYS}, "stringData": content})


def _await_end(core: client.CoreV1Api, name: str, namespace: str) -> str:
    deadline = time.monotonic() + STEP_S
    while time.monotonic() < deadline:
        status = core.read_namespaced_pod_status(name, namespace).status
        if status.phase in ("Succeeded", "Failed"):
            return str(status.phase)
        time.sleep(POLL_S)
    events = core.list_namespaced_event(namespace, field_selector=f"involvedObject.name={name}").items
    raise TimeoutError(f"Pod {name} has not ended: {status}; {[event.message for event in events]}")


Volume = tuple[dict[str, Any], str]  # and where it is mounted


def _volumes(config: pb.KubernetesExecutorConfig) -> Iterator[Volume]:
    """The mounts of an executor, as Kubeflow's driver makes volumes of them."""
    for one in config.config_map_as_volume:
        name = one.config_map_name_parameter.runtime_value.constant.string_value
        yield {"name": name, "configMap": {"name": name, "optional": one.optional}}, one.mount_path
    for one in config.secret_as_volume:
        name = one.secret_name_parameter.runtime_value.constant.string_value
        yield _secret(name, one.mount_path, one.optional)


def _secret(name: str, path: str, optional: bool) -> Volume:
    return {"name": name, "secret": {"secretName": name, "optional": optional}}, path


def _scratch() -> Iterator[Volume]:
    for path in SCRATCH:
        yield {"name": "scratch-" + path.strip("/."), "emptyDir": {}}, path


def _requests(resources: Any) -> Mapping[str, str]:
    """What the pipeline asks for."""
    cpu, memory = resources.resource_cpu_request, resources.resource_memory_request
    return {"cpu": str(min(parse_quantity(cpu), CORES)), "memory": memory} if cpu else {}
