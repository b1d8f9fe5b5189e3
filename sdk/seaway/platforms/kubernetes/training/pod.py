"""The pod that trains."""

import os
from typing import Any

from seaway.platforms.kubernetes.pods.template import WITHOUT_MESH, container, number, pod_spec, variables
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.training.heartbeat import VARIABLE as HEARTBEAT
from seaway.training.pod.job import VARIABLE, RemoteTraining

COMMAND = ["python", "-m", "seaway.training.pod"]
SCRATCH = "/scratch"
GRACE_S = 60  # from SIGTERM to SIGKILL: the workers end and the last checkpoint is uploaded
PASSED_ON = (HEARTBEAT, "TRACEPARENT")  # of the step's own settings
START_S = 900  # for scheduling and pulling images, on top of the training's own time


def pod_template(training: RemoteTraining, placement: Placement, container: str) -> dict[str, Any]:
    """A PodTemplateSpec whose training container is called `container`."""
    spec = pod_spec(placement, [_container(training, placement, container)], _volumes(placement), GRACE_S)
    if placement.scheduler:
        spec["schedulerName"] = placement.scheduler
    return {"metadata": {"labels": {**LABELS, **WITHOUT_MESH}, "annotations": dict(WITHOUT_MESH)}, "spec": spec}


LABELS = {"app.kubernetes.io/managed-by": "seaway", "app.kubernetes.io/component": "training"}


def environment(training: RemoteTraining, placement: Placement) -> list[dict[str, str]]:
    """What the pods' program reads, then the settings of `placement`, which win."""
    ours = {
        "HOME": SCRATCH,
        "TMPDIR": "/tmp",  # noqa: S108  # a volume of the pod's own
        "OMP_NUM_THREADS": str(_threads(placement)),
        "PYTHONUNBUFFERED": "1",
        **{name: value for name in PASSED_ON if (value := os.environ.get(name))},
    }
    settings = {**ours, **placement.env, "SEAWAY_SCRATCH": SCRATCH, VARIABLE: training.text}
    return variables(settings)


def _container(training: RemoteTraining, placement: Placement, name: str) -> dict[str, Any]:
    mounts = [
        {"name": "scratch", "mountPath": SCRATCH},
        {"name": "scratch", "mountPath": "/tmp", "subPath": "tmp"},  # noqa: S108
        {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108
        *({"name": f"volume-{index}", "mountPath": path} for index, path in enumerate(placement.volumes)),
    ]
    return container(placement, name, COMMAND, environment(training, placement), mounts)


def _volumes(placement: Placement) -> list[dict[str, Any]]:
    return [
        {"name": "scratch", "emptyDir": {"sizeLimit": placement.scratch}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": placement.shared_memory}},
        *({"name": f"volume-{index}", **source} for index, source in enumerate(placement.volumes.values())),
    ]


def _threads(placement: Placement) -> int:
    """Cores of a pod shared out among its processes."""
    return max(1, int(number(placement.cpu)) // placement.processes)
