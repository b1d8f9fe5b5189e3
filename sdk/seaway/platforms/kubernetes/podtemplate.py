"""The pod that trains, the same for every kind of job; it passes the Pod Security Standard `restricted`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from seaway.platforms.kubernetes.placement import QUANTITY, Placement
from seaway.training.remote import VARIABLE, RemoteTraining

COMMAND = ["python", "-m", "seaway.training.pod"]
SCRATCH = "/scratch"
GRACE_S = 60  # from SIGTERM to SIGKILL: the workers end and the last checkpoint is uploaded
SUFFIXES = {"m": Decimal("0.001"), "u": Decimal("1e-6"), "n": Decimal("1e-9"), "k": Decimal(1000)}
WITHOUT_MESH = {"sidecar.istio.io/inject": "false"}  # a sidecar keeps a finished pod running, and torch from its peers


def pod_template(training: RemoteTraining, placement: Placement, container: str) -> dict[str, Any]:
    """A PodTemplateSpec whose training container is called `container`."""
    return {
        "metadata": {"labels": {**LABELS, **WITHOUT_MESH}, "annotations": dict(WITHOUT_MESH)},
        "spec": _present(
            {
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": placement.user,
                    "runAsGroup": placement.user,
                    "fsGroup": placement.user,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": GRACE_S,
                "serviceAccountName": placement.service_account,
                "imagePullSecrets": [{"name": name} for name in placement.image_pull_secrets],
                "nodeSelector": dict(placement.node_selector),
                "tolerations": [dict(toleration) for toleration in placement.tolerations],
                "priorityClassName": placement.priority_class,
                "schedulerName": placement.scheduler,
                "volumes": _volumes(placement),
                "containers": [_container(training, placement, container)],
            }
        ),
    }


LABELS = {"app.kubernetes.io/managed-by": "seaway", "app.kubernetes.io/component": "training"}


def resources(placement: Placement) -> dict[str, Any]:
    """Cores are asked for and not limited: a limit would hold back the slowest pod, and so all of them."""
    limits = {"memory": placement.memory}
    if placement.gpus:
        limits[placement.gpu_resource] = str(placement.gpus)
    return {"requests": {"cpu": placement.cpu, **limits}, "limits": limits}


def environment(training: RemoteTraining, placement: Placement) -> list[dict[str, str]]:
    """What the pods' program reads, then the settings of `placement`, which win."""
    ours = {
        "HOME": SCRATCH,
        "TMPDIR": "/tmp",  # noqa: S108  # a volume of the pod's own
        "OMP_NUM_THREADS": str(_threads(placement)),
        "PYTHONUNBUFFERED": "1",
    }
    settings = {**ours, **placement.env, "SEAWAY_SCRATCH": SCRATCH, VARIABLE: training.text}
    return [{"name": name, "value": value} for name, value in settings.items()]


def _container(training: RemoteTraining, placement: Placement, name: str) -> dict[str, Any]:
    return _present(
        {
            "name": name,
            "image": placement.image,
            "imagePullPolicy": placement.image_pull_policy,
            "command": COMMAND,
            "env": environment(training, placement),
            "envFrom": [{"secretRef": {"name": secret}} for secret in placement.env_secrets],
            "resources": resources(placement),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [
                {"name": "scratch", "mountPath": SCRATCH},
                {"name": "scratch", "mountPath": "/tmp", "subPath": "tmp"},  # noqa: S108
                {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108
                *({"name": f"volume-{index}", "mountPath": path} for index, path in enumerate(placement.volumes)),
            ],
        }
    )


def _volumes(placement: Placement) -> list[dict[str, Any]]:
    return [
        {"name": "scratch", "emptyDir": {"sizeLimit": placement.scratch}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": placement.shared_memory}},
        *({"name": f"volume-{index}", **source} for index, source in enumerate(placement.volumes.values())),
    ]


def _threads(placement: Placement) -> int:
    """Cores of a pod shared out among its processes."""
    return max(1, int(_number(placement.cpu)) // placement.processes)


def _number(quantity: str) -> Decimal:
    matched = QUANTITY.fullmatch(quantity)
    suffix = (matched[3] or "") if matched else ""
    if suffix in SUFFIXES:
        return Decimal(quantity.removesuffix(suffix)) * SUFFIXES[suffix]
    return Decimal(quantity) if suffix[:1] in ("", "e") else Decimal(1)


def _present(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was left empty."""
    return {name: value for name, value in settings.items() if value not in ("", [], {})}
