"""What the API server refuses in a pod, or in a template of pods, beside its schema.

As k8s.io/kubernetes has it in pkg/apis/core/validation/validation.go.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from seaway.platforms.kubernetes.manifests.fields import (
    Part,
    at_least,
    entries,
    label_name,
    object_name,
    one_of,
    only_one,
    part,
    required,
    unique,
)
from seaway.platforms.kubernetes.validation.problem import Problem, short
from seaway.platforms.kubernetes.validation.schema import label_problems, qualified

ALWAYS, OF_JOBS = ("Always",), ("OnFailure", "Never")
PULLS, PROTOCOLS = ("Always", "IfNotPresent", "Never"), ("TCP", "UDP", "SCTP")
DNS = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
PROBES, HOOKS = ("livenessProbe", "readinessProbe", "startupProbe"), ("postStart", "preStop")
PROBED, HOOKED = ("exec", "httpGet", "tcpSocket", "grpc"), ("exec", "httpGet", "tcpSocket", "sleep")
VALUES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?")
PORT_NAME_LENGTH, HIGHEST_PORT = 15, 65535
COMPUTE = ("cpu", "memory", "ephemeral-storage")
CONTAINERS = ("initContainers", "containers")
KEYS = {
    "configMapKeyRef": ("key",),
    "secretKeyRef": ("key",),
    "fieldRef": ("fieldPath",),
    "resourceFieldRef": ("resource",),
}
SOURCES = {
    "hostPath": ("path",),
    "persistentVolumeClaim": ("claimName",),
    "nfs": ("server", "path"),
    "csi": ("driver",),
}


def pod(spec: Part, field: str, restarts: tuple[str, ...], claims: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Of a pod's spec; `claims` are names of volumes that a StatefulSet adds."""
    yield from required(spec, field, "containers")
    yield from one_of(spec, field, "restartPolicy", restarts, restarts[0] if restarts != OF_JOBS else "")
    yield from one_of(spec, field, "dnsPolicy", DNS, DNS[0])
    yield from at_least(spec, field, 0, "terminationGracePeriodSeconds")
    yield from at_least(spec, field, 1, "activeDeadlineSeconds")
    yield from object_name(spec, field, "serviceAccountName")
    yield from label_problems(f"{field}.nodeSelector", spec.get("nodeSelector"))
    yield from chain.from_iterable(toleration(one, path) for path, one in entries(spec, "tolerations", field))
    yield from chain.from_iterable(spread(one, path) for path, one in entries(spec, "topologySpreadConstraints", field))
    yield from affinity(part(spec, "affinity"), f"{field}.affinity")
    yield from volumes(spec, field)
    known = claims | {one.get("name") for _, one in entries(spec, "volumes")}
    all_of = [each for kind in CONTAINERS for each in entries(spec, kind, field)]
    yield from chain.from_iterable(container(one, path, known) for path, one in all_of)
    yield from unique((f"{path}.name", one.get("name")) for path, one in all_of)


def volumes(spec: Part, field: str) -> Iterator[Problem]:
    """Names, and one source each."""
    found = entries(spec, "volumes", field)
    for path, one in found:
        yield from label_name(one, path)
        yield from only_one(one, path, [kind for kind in one if kind != "name"] or ["emptyDir", "configMap", "..."])
        for kind, names in SOURCES.items():
            if one.get(kind) is not None:
                yield from required(part(one, kind), f"{path}.{kind}", *names)
        for kind in ("configMap", "secret"):
            for place, item in entries(part(one, kind), "items", f"{path}.{kind}"):
                yield from required(item, place, "key", "path")
    yield from unique((f"{path}.name", one.get("name")) for path, one in found)


def container(one: Part, field: str, known: set[Any] | frozenset[Any]) -> Iterator[Problem]:
    """Of a container; `known` are the names of volumes."""
    yield from label_name(one, field)
    yield from required(one, field, "image")
    yield from one_of(one, field, "imagePullPolicy", PULLS, PULLS[1])
    yield from ports(one, field)
    yield from chain.from_iterable(variable(each, path) for path, each in entries(one, "env", field))
    for path, each in entries(one, "envFrom", field):
        yield from only_one(each, path, ("configMapRef", "secretRef"))
    yield from mounts(one, field, known)
    yield from resources(part(one, "resources"), f"{field}.resources")
    for kind in PROBES:
        if one.get(kind) is not None:
            yield from probe(part(one, kind), f"{field}.{kind}")
    for kind in HOOKS:
        if part(one, "lifecycle").get(kind) is not None:
            yield from handler(part(one, "lifecycle", kind), f"{field}.lifecycle.{kind}", HOOKED)


def ports(one: Part, field: str) -> Iterator[Problem]:
    """Numbers, and names that probes and Services use."""
    found = entries(one, "ports", field)
    for path, port in found:
        number, name = port.get("containerPort"), port.get("name")
        if not isinstance(number, int) or not 0 < number <= HIGHEST_PORT:
            yield Problem(f"{path}.containerPort", f"Invalid value: {number}: must be between 1 and {HIGHEST_PORT}")
        yield from one_of(port, path, "protocol", PROTOCOLS, PROTOCOLS[0])
        if name and (len(name) > PORT_NAME_LENGTH or not PORT_NAME.fullmatch(name) or "--" in name):
            yield Problem(
                f"{path}.name", f"Invalid value: {short(name)}: must be up to 15 of a-z, 0-9 and -, with a letter"
            )
    yield from unique((f"{path}.name", port.get("name")) for path, port in found)


def variable(one: Part, field: str) -> Iterator[Problem]:
    """A name, and a value or where it is from."""
    name, source = one.get("name"), one.get("valueFrom")
    if not name:
        yield Problem(f"{field}.name", "Required value")
    elif "=" in name or not (name.isascii() and name.isprintable()):
        yield Problem(f"{field}.name", f"Invalid value: {short(name)}: printable ASCII without '=' is wanted")
    if source is None:
        return
    if one.get("value"):
        yield Problem(f"{field}.valueFrom", "Invalid value: may not be specified when `value` is not empty")
    yield from only_one(source, f"{field}.valueFrom", VALUES)
    for kind, names in KEYS.items():
        if source.get(kind) is not None:
            yield from required(part(source, kind), f"{field}.valueFrom.{kind}", *names)
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if source.get(kind) is not None and not part(source, kind).get("optional"):
            yield from required(part(source, kind), f"{field}.valueFrom.{kind}", "name")


def mounts(one: Part, field: str, known: set[Any] | frozenset[Any]) -> Iterator[Problem]:
    """Of volumes that are there, each at a place of its own."""
    found = entries(one, "volumeMounts", field)
    for path, mount in found:
        yield from required(mount, path, "name", "mountPath")
        if mount.get("name") and mount["name"] not in known:
            yield Problem(f"{path}.name", f"Not found: {short(mount['name'])}")
    yield from unique((f"{path}.mountPath", mount.get("mountPath")) for path, mount in found)


def resources(asked: Part, field: str) -> Iterator[Problem]:
    """Requests within limits, of resources that there may be."""
    limits, requests = part(asked, "limits"), part(asked, "requests")
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if name not in COMPUTE and not name.startswith("hugepages-") and not ("/" in name and qualified(name)):
                says = "must be a standard resource type or fully qualified"
                yield Problem(f"{field}.{kind}[{name}]", f"Invalid value: {short(name)}: {says}")
            elif (quantity(amount) or 0) < 0:
                yield Problem(f"{field}.{kind}[{name}]", f"Invalid value: {short(amount)}: must not be negative")
    for name in requests.keys() & limits.keys():
        most, least = quantity(limits[name]), quantity(requests[name])
        if most is not None and least is not None and least > most:
            yield Problem(
                f"{field}.requests", f"Invalid value: {short(requests[name])}: must be at most the {name} limit"
            )


def quantity(text: Any) -> Decimal | None:
    """None where it is none."""
    try:
        return Decimal(parse_quantity(text))
    except (ValueError, ArithmeticError):
        return None


def probe(one: Part, field: str) -> Iterator[Problem]:
    """One way of asking, and times."""
    yield from handler(one, field, PROBED)
    yield from at_least(one, field, 0, "initialDelaySeconds", "timeoutSeconds", "periodSeconds")
    yield from at_least(one, field, 0, "successThreshold", "failureThreshold")


def handler(one: Part, field: str, kinds: tuple[str, ...]) -> Iterator[Problem]:
    """One of several ways, and what it takes."""
    yield from only_one(one, field, kinds)
    if one.get("exec") is not None:
        yield from required(part(one, "exec"), f"{field}.exec", "command")
    for kind in ("httpGet", "tcpSocket"):
        if one.get(kind) is not None:
            yield from required(part(one, kind), f"{field}.{kind}", "port")


def toleration(one: Part, field: str) -> Iterator[Problem]:
    """Of one taint."""
    yield from one_of(one, field, "operator", ("Equal", "Exists", "Lt", "Gt"), "Equal")
    yield from one_of(one, field, "effect", EFFECTS, EFFECTS[0])
    if not one.get("key") and one.get("operator") != "Exists":
        yield Problem(f"{field}.operator", "Invalid value: operator must be Exists when `key` is empty")
    if one.get("operator") == "Exists" and one.get("value"):
        yield Problem(f"{field}.operator", "Invalid value: value must be empty when `operator` is 'Exists'")


def spread(one: Part, field: str) -> Iterator[Problem]:
    """How pods spread over nodes."""
    yield from at_least(one, field, 1, "maxSkew")
    yield from required(one, field, "topologyKey")
    yield from one_of(one, field, "whenUnsatisfiable", ("DoNotSchedule", "ScheduleAnyway"))


def affinity(wanted: Part, field: str) -> Iterator[Problem]:
    """Terms of nodes that are to be chosen from."""
    kind = "requiredDuringSchedulingIgnoredDuringExecution"
    nodes = part(wanted, "nodeAffinity")
    if isinstance(nodes.get(kind), Mapping):
        yield from required(part(nodes, kind), f"{field}.nodeAffinity.{kind}", "nodeSelectorTerms")
