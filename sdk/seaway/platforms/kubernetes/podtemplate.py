"""Pods that pass the Pod Security Standard `restricted`: the one that trains, and what it shares with all others."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from seaway.platforms.kubernetes.placement import Placement
from seaway.platforms.kubernetes.podsettings import QUANTITY, PodSettings
from seaway.training.pod.job import VARIABLE, RemoteTraining

COMMAND = ["python", "-m", "seaway.training.pod"]
SCRATCH = "/scratch"
GRACE_S = 60  # from SIGTERM to SIGKILL: the workers end and the last checkpoint is uploaded
START_S = 900  # for scheduling and pulling images, on top of the training's own time
SUFFIXES = {"m": Decimal("0.001"), "u": Decimal("1e-6"), "n": Decimal("1e-9"), "k": Decimal(1000)}
WITHOUT_MESH = {"sidecar.istio.io/inject": "false"}  # a sidecar keeps a finished pod running, and torch from its peers


def pod_template(training: RemoteTraining, placement: Placement, container: str) -> dict[str, Any]:
    """A PodTemplateSpec whose training container is called `container`."""
    spec = pod_spec(placement, [_container(training, placement, container)], _volumes(placement), GRACE_S)
    if placement.scheduler:
        spec["schedulerName"] = placement.scheduler
    return {"metadata": {"labels": {**LABELS, **WITHOUT_MESH}, "annotations": dict(WITHOUT_MESH)}, "spec": spec}


LABELS = {"app.kubernetes.io/managed-by": "seaway", "app.kubernetes.io/component": "training"}


def pod_spec(
    settings: PodSettings,
    containers: Sequence[Mapping[str, Any]],
    volumes: Sequence[Mapping[str, Any]],
    grace_s: int,
) -> dict[str, Any]:
    """A PodSpec; `grace_s` seconds pass from SIGTERM to SIGKILL."""
    return present(
        {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": settings.user,
                "runAsGroup": settings.user,
                "fsGroup": settings.user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": grace_s,
            "serviceAccountName": settings.service_account,
            "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
            "nodeSelector": dict(settings.node_selector),
            "tolerations": [dict(toleration) for toleration in settings.tolerations],
            "priorityClassName": settings.priority_class,
            "volumes": list(volumes),
            "containers": list(containers),
        }
    )


def container(
    settings: PodSettings,
    name: str,
    command: Sequence[str],
    env: Sequence[Mapping[str, str]],
    mounts: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A container without any right, on a root file system that it cannot write to."""
    return present(
        {
            "name": name,
            "image": settings.image,
            "imagePullPolicy": settings.image_pull_policy,
            "command": list(command),
            "env": list(env),
            "envFrom": [{"secretRef": {"name": secret}} for secret in settings.env_secrets],
            "resources": resources(settings),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": list(mounts),
        }
    )


def resources(settings: PodSettings) -> dict[str, Any]:
    """Cores are asked for and not limited: a limit would hold back the slowest pod, and so all of them."""
    limits = {"memory": settings.memory}
    if settings.gpus:
        limits[settings.gpu_resource] = str(settings.gpus)
    return {"requests": {"cpu": settings.cpu, **limits}, "limits": limits}


def environment(training: RemoteTraining, placement: Placement) -> list[dict[str, str]]:
    """What the pods' program reads, then the settings of `placement`, which win."""
    ours = {
        "HOME": SCRATCH,
        "TMPDIR": "/tmp",  # noqa: S108  # a volume of the pod's own
        "OMP_NUM_THREADS": str(_threads(placement)),
        "PYTHONUNBUFFERED": "1",
    }
    settings = {**ours, **placement.env, "SEAWAY_SCRATCH": SCRATCH, VARIABLE: training.text}
    return variables(settings)


def variables(settings: Mapping[str, str]) -> list[dict[str, str]]:
    """Variables of a container."""
    return [{"name": name, "value": value} for name, value in settings.items()]


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


def number(quantity: str) -> Decimal:
    """The value of a quantity below 1,000 that has no binary suffix, such as a number of cores."""
    matched = QUANTITY.fullmatch(quantity)
    suffix = (matched[3] or "") if matched else ""
    if suffix in SUFFIXES:
        return Decimal(quantity.removesuffix(suffix)) * SUFFIXES[suffix]
    return Decimal(quantity) if suffix[:1] in ("", "e") else Decimal(1)


def present(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was left empty."""
    return {name: value for name, value in settings.items() if value not in ("", [], {})}
