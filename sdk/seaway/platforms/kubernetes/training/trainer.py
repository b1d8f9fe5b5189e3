"""Training as a job of the cluster: the data go to the storage, the job runs, the model comes back.

The environment says where: `SEAWAY_STORAGE` is the URI below which runs keep their data, `SEAWAY_TRAINER_IMAGE` the
pods' image, `SEAWAY_NAMESPACE` their namespace where it is not the context's, `SEAWAY_PLACEMENT` a YAML or JSON file
with the cluster's settings for `Placement`; `TrainSpec.placement` wins over them.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from seaway.errors import InvalidSpec, JobFailed, TrainingFailed
from seaway.platforms.home import run_id
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import with_owner
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.client.served import missing
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.jobs.launch import launch, launching
from seaway.platforms.kubernetes.training import pytorchjob, rayjob, trainjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.remote_training import STEP, below, carried_out, finished
from seaway.platforms.settings import cluster_settings
from seaway.training.fingerprint import fingerprint
from seaway.training.pod.job import RemoteTraining
from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec


class PyTorchJobTrainer:
    """Runs an entrypoint as a PyTorchJob of `spec.workers` processes."""

    kind = pytorchjob.KIND
    permissions = launching(kind.resource)

    @classmethod
    def missing(cls) -> str:
        """See `seaway.platforms.kubernetes.client.served.missing`."""
        return missing(cls.permissions)

    def train(self, spec: TrainSpec) -> TrainResult:
        """See `seaway.training.Trainer.train`."""
        return _train(spec, _launch_pytorchjob)


class TrainJobTrainer:
    """Runs an entrypoint as a TrainJob of `spec.workers` processes."""

    kind = trainjob.KIND
    permissions = (
        *launching(kind.resource),
        Permission(trainjob.RUNTIME, ("create", "patch"), "trainer: apply the runtime that a TrainJob refers to"),
    )

    @classmethod
    def missing(cls) -> str:
        """See `seaway.platforms.kubernetes.client.served.missing`."""
        return missing(cls.permissions)

    def train(self, spec: TrainSpec) -> TrainResult:
        """See `seaway.training.Trainer.train`."""
        return _train(spec, _launch_trainjob)


class RayJobTrainer:
    """Runs an entrypoint as a RayJob of `spec.workers` processes, on a RayCluster of its own."""

    permissions = launching(rayjob.KIND.resource)

    @classmethod
    def missing(cls) -> str:
        """See `seaway.platforms.kubernetes.client.served.missing`."""
        return missing(cls.permissions)

    def train(self, spec: TrainSpec) -> TrainResult:
        """See `seaway.training.Trainer.train`."""
        return _train(spec, _launch_rayjob)


def _train(spec: TrainSpec, run: Callable[[RemoteTraining, Placement], None]) -> TrainResult:
    identity = fingerprint(spec)
    if (result := finished(spec, identity)) is not None:
        return result
    training, settings = remote(spec, identity), placement(spec.placement)
    return carried_out(spec, training, lambda: run(training, settings))


def remote(spec: TrainSpec, identity: Mapping[str, str], step: str = STEP) -> RemoteTraining:
    """The training with its data and model below this run's URI, and checkpoints that later runs find again.

    Raises:
        InvalidSpec: SEAWAY_STORAGE is not set.
    """
    root = os.environ.get("SEAWAY_STORAGE", "").rstrip("/")
    if not root:
        raise InvalidSpec(
            "SEAWAY_STORAGE is not set: give the URI that this machine and the pods keep data under, "
            "such as s3://my-bucket/seaway."
        )
    return below(root, spec, identity, step)


def placement(wanted: Mapping[str, Any]) -> Placement:
    """The cluster's settings, the image that the environment names, then what this training wants.

    Raises:
        InvalidSpec: no image is named, or a setting is wrong.
    """
    image = os.environ.get("SEAWAY_TRAINER_IMAGE")
    settings = {**cluster_settings("SEAWAY_PLACEMENT"), **({"image": image} if image else {}), **wanted}
    if "image" not in settings:
        raise InvalidSpec(
            "Which image has the trainer? Set SEAWAY_TRAINER_IMAGE, or placement.image, to its full name."
        )
    return Placement.parse(settings)


def _launch_pytorchjob(training: RemoteTraining, settings: Placement) -> None:
    _launch(pytorchjob.KIND, _stamped(pytorchjob.KIND, pytorchjob.build(training, settings)), training.timeout_s)


def _launch_rayjob(training: RemoteTraining, settings: Placement) -> None:
    job = rayjob.labelled(_stamped(rayjob.KIND, rayjob.build(training, settings)))
    _launch(rayjob.KIND, job, training.timeout_s)


def _launch_trainjob(training: RemoteTraining, settings: Placement) -> None:
    job = _stamped(trainjob.KIND, trainjob.build(training, settings))
    trainjob.preflight(job)
    if not settings.runtime:
        bring_runtime(Objects(connected()), trainjob.build_runtime(training, settings))
    _launch(trainjob.KIND, job, training.timeout_s)


def bring_runtime(objects: Objects, runtime: Manifest) -> None:
    """Apply the runtime of a TrainJob, owned by the workflow of this run where there is one.

    Equal placements of several runs share it, and the last of them owns it. Trainer keeps a runtime as long as a
    TrainJob refers to it (its finalizer `resource-in-use`), and each training applies it anew.
    """
    trainjob.preflight_runtime(runtime)
    objects.apply(trainjob.RUNTIME, with_owner(objects, runtime))


def _stamped(kind: Kind, manifest: Manifest) -> dict[str, Any]:
    return stamp(manifest, Step(run_id(), STEP), kind.suffix)


def _launch(kind: Kind, job: Manifest, timeout_s: float) -> None:
    try:
        launch(kind, job, timeout_s=timeout_s, connection=connected())
    except JobFailed as failure:
        raise TrainingFailed(str(failure)) from failure
