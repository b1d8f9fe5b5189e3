"""Settings that the pods of a training and those of an endpoint have in common: image, resources, nodes, variables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.settings import check_whole

# k8s.io/apimachinery resource.Quantity
QUANTITY = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
RESOURCE_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
TOLERATION_FIELDS = {"key", "operator", "value", "effect", "tolerationSeconds"}
RESERVED = ("SEAWAY_", "PET_")  # variables that the pods' programs and the operators set


@dataclass(frozen=True)
class PodSettings:
    """How a pod runs, whatever it does; validated on construction.

    Args:
        image: By its full name.
        cpu: Cores that each pod asks for, as Kubernetes writes quantities; where more are free it may use them.
        memory: Of each pod, asked for and at most.
        gpus: Accelerators of each pod.
        gpu_resource: What the cluster's device plugin calls an accelerator.
        scratch: Size of the local disk for data and models.
        node_selector: Labels that a node must have.
        tolerations: Taints of nodes that do not matter.
        priority_class: Of the pods.
        env: Variables.
        env_secrets: Secrets whose keys become variables; the storage's credentials among them.
        image_pull_policy, image_pull_secrets: For a private registry.
        service_account: Of the pods; they call no API, so its token is not mounted.
        user: Numeric user and group; never root.
    Raises:
        InvalidSpec: a field is out of range; nothing is sent to a cluster.
    """

    image: str
    cpu: str = "1"
    memory: str = "4Gi"
    gpus: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    scratch: str = "20Gi"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    priority_class: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    env_secrets: Sequence[str] = ()
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: Sequence[str] = ()
    service_account: str = ""
    user: int = 1000

    def __post_init__(self) -> None:
        if not self.image or self.image != self.image.strip():
            raise InvalidSpec("image is empty; give the full name of an image that has Seaway and what it is to run.")
        check_quantities(self, "cpu", "memory", "scratch")
        check_whole(self, gpus=0, user=1)
        self._check_names()
        for toleration in self.tolerations:
            if unknown := sorted(set(toleration) - TOLERATION_FIELDS):
                raise InvalidSpec(f"tolerations: unknown field {', '.join(unknown)}; there are: key, operator, "
                                  "value, effect, tolerationSeconds.")  # fmt: skip

    def _check_names(self) -> None:
        if not RESOURCE_NAME.fullmatch(self.gpu_resource):
            raise InvalidSpec(f"gpu_resource={self.gpu_resource!r} is no resource name; one is 'nvidia.com/gpu'.")
        if self.image_pull_policy not in PULL_POLICIES:
            raise InvalidSpec(f"image_pull_policy={self.image_pull_policy!r}; there are: {', '.join(PULL_POLICIES)}.")
        for name in self.env:
            if not VARIABLE.fullmatch(name) or name.startswith(RESERVED):
                raise InvalidSpec(f"env: {name!r} is no variable's name, or one of Seaway's or torchrun's own.")


def check_quantities(settings: Any, *names: str) -> None:
    """Make texts of these fields. Raises: InvalidSpec: one is no quantity of Kubernetes, or is negative."""
    for name in names:
        value = str(getattr(settings, name))
        if not QUANTITY.fullmatch(value) or value.startswith("-"):
            raise InvalidSpec(f"{name}={value!r} is no quantity; write one such as 2, 500m or 4Gi.")
        object.__setattr__(settings, name, value)
