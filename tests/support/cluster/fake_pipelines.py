"""Kubeflow Pipelines' backend, played: its driver and its launcher, for a compiled pipeline in a real cluster.

The backend itself (API server, workflows, metadata) cannot be had here. Seaway's own orchestrator says which step is
next and what it is given; the driver is played here, fault for fault as it was seen: what it refuses, what it tells an
exit task, where artifacts are. Each attempt of a step is a pod as Kubeflow makes it: the compiled command in the
compiled image, the mounts that the compiled file's PlatformSpec names and no others, the label of the run, Argo's name
of the node, the shipped account. `fake_launcher.py` moves the artifacts.
"""

import json
import logging
import re
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from google.protobuf import json_format
from jobs import RESTRICTED
from kfp.kubernetes import kubernetes_executor_config_pb2 as pb
from kubernetes import client
from kubernetes.utils.quantity import parse_quantity
from object_store_pod import StoreInCluster
from seaway.kfp import compile as compiler
from seaway.kfp import parameters
from seaway.kfp.decorator import IMAGE
from seaway.kfp.fuse.join import fused
from seaway.kfp.fuse.step import origin
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.executor import OUTPUT_FILE, executor_input, outputs
from seaway.kfp.local.inputs import Result, artifacts_in
from seaway.kfp.local.orchestrator import Call, Orchestrator, told_of
from seaway.kfp.local.placeholders import Command
from seaway.kfp.local.steps import executors_of
from seaway.platforms.kubernetes.client.ownership import NODE, RUN_LABEL
from seaway.platforms.kubernetes.install import rbac
from seaway.storage import storage_for

LAUNCHER = Path(__file__).with_name("fake_launcher.py")
KEYS = "fake-launcher"  # the Secret of the launcher, and where it is mounted
SCRATCH = ("/s3", "/minio", "/gcs", "/.local", "/.cache", "/.config")  # as Kubeflow Pipelines gives each step
CORES = Decimal(1)  # at most, so that a training's pods find room beside the step that waits for them on a node of two
POLL_S = 0.5
STEP_S = 600
END_OF_LOG = 3000  # characters
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
    kept: dict[str, Result] = field(default_factory=dict)  # by place, what a Retry of the run does not do again

    def run(self, **given: object) -> None:
        """All steps, in order; called again it is Retry: what succeeded is kept, and no exit task runs a second time.

        Raises:
            RuntimeError: one failed; the step says why.
        """
        spec = compiler.load_file(self.compiled).spec
        job = {f"{{{{$.{name}}}}}": value for name, value in self._job(spec.pipeline_info.name).items()}
        driver = _Driver(self, executors_of(spec), job)
        result = Orchestrator(spec.components, job, driver, driver.refuse).run(spec.root, parameters.bind(spec, given))
        if result.state == "FAILED":
            raise RuntimeError(result.reason)

    def _job(self, name: str) -> dict[str, str]:
        named = dict.fromkeys(("pipeline_job_name", "pipeline_job_resource_name"), f"{name}-{self.id[:5]}")
        return {**named, "pipeline_job_uuid": self.id, "pipeline_root": self.root}

    def step(self, executor: str) -> Step:
        """The last attempt."""
        return [step for step in self.steps if step.executor == executor][-1]

    def mounts(self, executor: str) -> pb.KubernetesExecutorConfig:
        """What the file's second document says of this executor."""
        _, platforms = yaml.safe_load_all(self.compiled.read_text(encoding="utf-8"))
        executors = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        return json_format.ParseDict(executors.get(executor, {}), pb.KubernetesExecutorConfig())


@dataclass(frozen=True)
class _Driver:
    """What comes before each step's pod; called, it carries a step out."""

    run: FakeRun
    executors: Mapping[str, Any]
    job: Mapping[str, str]

    def __call__(self, call: Call) -> Result:
        if call.place not in self.run.kept:
            result = self._carried_out(call)
            if call.exiting or result.state == "SUCCEEDED":
                self.run.kept[call.place] = result
            return result
        return self.run.kept[call.place]

    def _carried_out(self, call: Call) -> Result:
        if why := refusal(call.inputs):
            return Result("FAILED", reason=f"{call.name}: {why}")
        call = replace(call, inputs={name: as_told(value) for name, value in call.inputs.items()})
        for number in range(call.task.retry_policy.max_retry_count + 1):
            attempt = _Attempt(
                self.run, call, self.executors[call.component.executor_label].container, self.job, number
            )
            if attempt.run():
                return Result("SUCCEEDED", attempt.outputs())
        said = self.run.steps[-1].log[-END_OF_LOG:]
        return Result("FAILED", reason=f"{call.name}: its pod failed; the reason is in its log only:\n{said}")

    def refuse(self, call: Call, reason: str) -> None:
        """A task that could not start; the orchestrator ends the run for it."""


def refusal(inputs: Mapping[str, Any]) -> str:
    """Why Kubeflow's driver does not start a step: its database keeps one event for an execution and an artifact."""
    uris = [artifact.uri for value in inputs.values() for artifact in artifacts_in(value)]
    return 'no execution found for task name=""' if len(set(uris)) < len(uris) else ""


def as_told(value: Any) -> Any:
    """A final status in the driver's words, which give no reason; any other value as it is."""
    if not (isinstance(value, dict) and "pipelineTaskName" in value):
        return value
    return {**value, "state": {"SUCCEEDED": "COMPLETE"}.get(value["state"], value["state"]), "error": {}}


HERE = Path("/played")  # stands for the URI of a step's folder


class _Attempt:
    """One pod, whose artifacts are on S3."""

    def __init__(self, run: FakeRun, call: Call, container: Any, job: Mapping[str, str], number: int) -> None:
        self._run, self._executor, self._container = run, call.component.executor_label, container
        self._component = call.component
        pipeline = job["{{$.pipeline_job_name}}"]
        self._node = f"{pipeline}.root.{call.place.replace('/', '.')}.executor({number})"
        salt = secrets.token_hex(4)  # each attempt has a folder of its own
        self._folder = f"{run.root}/{pipeline.rpartition('-')[0]}/{run.id}/{call.place}/{salt}"
        told = json.loads(
            json.dumps(executor_input(call.component, call.inputs, HERE)).replace(str(HERE), self._folder)
        )
        command = Command(told, {**job, **told_of(call.name, call.place)})
        self._command = [*command.filled(container.command), *command.filled(container.args)]

    def run(self) -> bool:
        """Whether it succeeded."""
        began, core, namespace = time.monotonic(), client.CoreV1Api(self._run.api), self._run.namespace
        name = f"{self._executor.removeprefix('exec-')}-{secrets.token_hex(3)}"
        core.create_namespaced_pod(namespace, self._pod(name))
        succeeded = _await_end(core, name, namespace) == "Succeeded"
        said = core.read_namespaced_pod_log(name, namespace)
        self._run.steps.append(Step(self._executor, name, succeeded, said))
        ended = "succeeded" if succeeded else "failed"
        log.info("%s %s after %.0f s:\n%s", name, ended, time.monotonic() - began, said)
        return succeeded

    def outputs(self) -> dict[str, Any]:
        """What the launcher has told of the step."""
        with TemporaryDirectory() as folder:
            for name in (OUTPUT_FILE, *self._component.output_definitions.parameters):
                uri = f"{self._folder}/{name}"
                if storage_for(uri).exists(uri):
                    storage_for(uri).download(uri, Path(folder) / name)
            found = outputs(self._component, Path(folder))
            return {name: _moved(value, folder, self._folder) for name, value in found.items()}

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
        metadata = {"name": name, "labels": {RUN_LABEL: self._run.id}, "annotations": {NODE: self._node}}
        return {"metadata": metadata, "spec": spec}

    def _no_root(self) -> dict[str, bool]:
        """Said by the step or by the installation; else nothing is, and `restricted` refuses the pod."""
        said = self._run.mounts(self._executor).security_context
        return {"runAsNonRoot": True} if said.run_as_non_root or self._run.as_no_root else {}


def _moved(value: Any, here: str, there: str) -> Any:
    """An artifact whose step has not told of it, at its URI."""
    if isinstance(value, list):
        return [_moved(item, here, there) for item in value]
    return replace(value, uri=value.uri.replace(here, there)) if isinstance(value, Artifact) else value


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


def read_artifact(run: FakeRun, step: str, output: str, folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of an output of a step, which may share its pod with others."""
    there = re.compile(rf"/({step}/\w+/{output}|\w+/{re.escape(origin(step, output))})/{re.escape(name)}$")
    [uri] = [found for found in storage_for(run.root).list(run.root) if there.search(found)]
    return _read(uri, folder)


def read_told(run: FakeRun, pod: str, folder: Path) -> dict[str, Any]:
    """What the steps of a pod have told of their outputs."""
    [uri] = [found for found in storage_for(run.root).list(run.root) if re.search(rf"/{pod}/\w+/{OUTPUT_FILE}$", found)]
    return _read(uri, folder)


def told_artifacts(run: FakeRun, step: str, output: str, folder: Path) -> list[dict[str, Any]]:
    """What a step has told of one of its outputs, alone or in a pod with others."""
    joined, found = origin(step, output), list[dict[str, Any]]()
    for uri in storage_for(run.root).list(run.root):
        if there := re.search(rf"/([^/]+)/\w+/{OUTPUT_FILE}$", uri):
            told = _read(uri, folder).get("artifacts", {})
            found += told.get(output if there[1] == step else joined, {}).get("artifacts", [])
    return found


def _read(uri: str, folder: Path) -> dict[str, Any]:
    storage_for(uri).download(uri, folder / "read.json")
    content: dict[str, Any] = json.loads((folder / "read.json").read_text(encoding="utf-8"))
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
