"""Pods that pass the Pod Security Standard `restricted`."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from seaway.platforms.kubernetes.pods.settings import QUANTITY, PodSettings

SUFFIXES = {"m": Decimal("0.001"), "u": Decimal("1e-6"), "n": Decimal("1e-9"), "k": Decimal(1000)}


WITHOUT_MESH = {"sidecar.istio.io/inject": "false"}  # a sidecar keeps a finished pod running, and torch from its peers


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


def variables(settings: Mapping[str, str]) -> list[dict[str, str]]:
    """Variables of a container."""
    return [{"name": name, "value": value} for name, value in settings.items()]


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
