"""What the API server refuses in objects of Kubernetes' own kinds, beside their schemas.

As k8s.io/kubernetes has it in its files validation.go. Not all of it: what is written most, and what is wrong most.
"""

import base64
import re
from collections.abc import Iterator, Mapping

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.manifests.fields import (
    Part,
    at_least,
    entries,
    label_name,
    one_of,
    part,
    required,
    unique,
)
from seaway.platforms.kubernetes.manifests.pod_rules import ALWAYS, HIGHEST_PORT, OF_JOBS, PROTOCOLS, pod, quantity
from seaway.platforms.kubernetes.validation.problem import Problem, Rule, short
from seaway.platforms.kubernetes.validation.schema import label_problems, qualified

COUNTED = re.compile(
    r"(requests|limits)\.(cpu|memory|ephemeral-storage)|(requests\.)?storage|requests\..+/.+|.+\..+\..+|count/.+"
)
QUOTAS = (
    "cpu", "memory", "ephemeral-storage", "pods", "services", "replicationcontrollers", "resourcequotas", "secrets",
    "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
)  # fmt: skip
LEVELS = ("privileged", "baseline", "restricted")
SECURITY = re.compile(r"pod-security\.kubernetes\.io/(enforce|audit|warn)(-version)?")
VERSION = re.compile(r"latest|v1\.\d+")
CRON_FIELDS = 5
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def pod_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Pod."""
    yield from pod(part(manifest, "spec"), "spec", ("Always", "OnFailure", "Never"))


def workload_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Deployment, StatefulSet or DaemonSet."""
    spec = part(manifest, "spec")
    claims = entries(spec, "volumeClaimTemplates", "spec")
    names = frozenset(str(part(claim, "metadata").get("name")) for _, claim in claims)
    yield from at_least(spec, "spec", 0, "replicas", "minReadySeconds", "revisionHistoryLimit")
    yield from selector(part(spec, "selector"), "spec.selector", part(spec, "template", "metadata", "labels"))
    yield from label_problems("spec.template.metadata.labels", part(spec, "template", "metadata").get("labels"))
    yield from pod(part(spec, "template", "spec"), "spec.template.spec", ALWAYS, names)
    for path, claim in claims:
        yield from claim_spec(part(claim, "spec"), f"{path}.spec")


def selector(wanted: Part, field: str, labels: Part) -> Iterator[Problem]:
    """It finds the pods that it makes."""
    yield from label_selector(wanted, field)
    if not wanted.get("matchLabels") and not wanted.get("matchExpressions"):
        yield Problem(field, "Invalid value: {}: empty selector is invalid")
    missed = [key for key, value in part(wanted, "matchLabels").items() if labels.get(key) != value]
    missed += [one["key"] for _, one in entries(wanted, "matchExpressions") if not _matches(one, labels)]
    if missed:
        yield Problem("spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`")


def _matches(one: Part, labels: Part) -> bool:
    there, values = one.get("key") in labels, one.get("values") or ()
    return {
        "In": there and labels.get(one.get("key", "")) in values,
        "NotIn": not there or labels[one["key"]] not in values,
        "Exists": there,
        "DoesNotExist": not there,
    }.get(str(one.get("operator")), True)


def label_selector(wanted: Part, field: str) -> Iterator[Problem]:
    """Labels and expressions that could be told of a pod."""
    yield from label_problems(f"{field}.matchLabels", wanted.get("matchLabels"))
    for path, one in entries(wanted, "matchExpressions", field):
        yield from one_of(one, path, "operator", OPERATORS)
        listed = one.get("operator") in ("In", "NotIn")
        if listed != bool(one.get("values")) and one.get("operator") in OPERATORS:
            yield Problem(f"{path}.values", "Invalid value: must be specified when `operator` is 'In' or 'NotIn' only")


def job_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Job."""
    yield from job(part(manifest, "spec"), "spec")


def job(spec: Part, field: str) -> Iterator[Problem]:
    """What a Job says, wherever it stands."""
    counts = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    yield from at_least(spec, field, 0, *counts)
    yield from one_of(spec, field, "completionMode", ("NonIndexed", "Indexed"), "NonIndexed")
    if spec.get("completionMode") == "Indexed":
        yield from required(spec, field, "completions")
    yield from pod(part(spec, "template", "spec"), f"{field}.template.spec", OF_JOBS)


def cron_job_rules(manifest: Manifest) -> Iterator[Problem]:
    """A CronJob."""
    spec = part(manifest, "spec")
    schedule = spec.get("schedule") or ""
    if len(schedule.split()) != CRON_FIELDS and not schedule.startswith("@"):
        yield Problem("spec.schedule", f"Invalid value: {short(schedule)}: expected exactly {CRON_FIELDS} fields")
    yield from one_of(spec, "spec", "concurrencyPolicy", ("Allow", "Forbid", "Replace"), "Allow")
    yield from at_least(
        spec, "spec", 0, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
    )
    yield from job(part(spec, "jobTemplate", "spec"), "spec.jobTemplate.spec")


def service_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Service."""
    spec = part(manifest, "spec")
    found = entries(spec, "ports", "spec")
    kinds = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
    yield from one_of(spec, "spec", "type", kinds, kinds[0])
    if not found and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield Problem("spec.ports", "Required value")
    yield from label_problems("spec.selector", spec.get("selector"))
    for path, port in found:
        if len(found) > 1 or port.get("name"):
            yield from label_name(port, path)
        yield from one_of(port, path, "protocol", PROTOCOLS, PROTOCOLS[0])
        if not isinstance(port.get("port"), int) or not 0 < port["port"] <= HIGHEST_PORT:
            yield Problem(f"{path}.port", f"Invalid value: {port.get('port')}: must be between 1 and {HIGHEST_PORT}")
    yield from unique((f"{path}.name", port.get("name")) for path, port in found)
    yield from unique((path, [port.get("protocol") or "TCP", port.get("port")]) for path, port in found)


def claim_rules(manifest: Manifest) -> Iterator[Problem]:
    """A PersistentVolumeClaim."""
    yield from claim_spec(part(manifest, "spec"), "spec")


def claim_spec(spec: Part, field: str) -> Iterator[Problem]:
    """What a claim asks for."""
    modes = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
    yield from required(spec, field, "accessModes")
    for index, mode in enumerate(spec.get("accessModes") or ()):
        if mode not in modes:
            yield Problem(f"{field}.accessModes[{index}]", f"Unsupported value: {short(mode)}")
    yield from required(part(spec, "resources", "requests"), f"{field}.resources.requests", "storage")
    if (quantity(part(spec, "resources", "requests").get("storage")) or 1) <= 0:
        yield Problem(f"{field}.resources.requests.storage", "Invalid value: must be greater than zero")


def quota_rules(manifest: Manifest) -> Iterator[Problem]:
    """A ResourceQuota."""
    for name in part(manifest, "spec", "hard"):
        if name not in QUOTAS and not COUNTED.fullmatch(name) and not (qualified(name) and "/" in name):
            says = "must be a standard resource for quota"
            yield Problem(f"spec.hard[{name}]", f"Invalid value: {short(name)}: {says}")


def secret_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Secret, whose data are base64 of bytes."""
    for name, text in part(manifest, "data").items():
        if isinstance(text, str) and not _is_base64(text):
            yield Problem(f"data[{name}]", "Invalid value: illegal base64 data; plain text goes into stringData")


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)) or not text
    except ValueError:
        return False


def role_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Role or ClusterRole: every rule says what may be done to what."""
    for path, rule in entries(manifest, "rules"):
        yield from required(rule, path, "verbs")
        if not rule.get("nonResourceURLs"):
            yield from required(rule, path, "apiGroups", "resources")


def namespace_rules(manifest: Manifest) -> Iterator[Problem]:
    """A Namespace: its Pod Security Standards are ones that there are."""
    for key, value in part(manifest, "metadata", "labels").items():
        if found := SECURITY.fullmatch(key):
            right = VERSION.fullmatch(value or "") if found[2] else value in LEVELS
            if not right:
                says = 'must be "latest" or "v1.x"' if found[2] else f"must be one of {', '.join(LEVELS)}"
                yield Problem(f"metadata.labels[{key}]", f"Invalid value: {short(value)}: {says}")


def budget_rules(manifest: Manifest) -> Iterator[Problem]:
    """A PodDisruptionBudget."""
    spec = part(manifest, "spec")
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield Problem("spec", "Invalid value: minAvailable and maxUnavailable cannot be both set")
    yield from label_selector(part(spec, "selector"), "spec.selector")


def policy_rules(manifest: Manifest) -> Iterator[Problem]:
    """A NetworkPolicy."""
    spec = part(manifest, "spec")
    yield from label_selector(part(spec, "podSelector"), "spec.podSelector")
    kinds = spec.get("policyTypes") or ()
    if len(kinds) > 2:  # noqa: PLR2004 there are two
        yield Problem("spec.policyTypes", "Invalid value: may not specify more than two policyTypes")
    for index, kind in enumerate(kinds):
        if kind not in ("Ingress", "Egress"):
            yield Problem(f"spec.policyTypes[{index}]", f"Unsupported value: {short(kind)}")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for path, rule in entries(spec, direction, "spec"):
            for place, peer in entries(rule, peers, path):
                if not any(peer.get(kind) is not None for kind in ("podSelector", "namespaceSelector", "ipBlock")):
                    yield Problem(place, "Required value: must specify a peer")


def scaler_rules(manifest: Manifest) -> Iterator[Problem]:
    """A HorizontalPodAutoscaler."""
    spec = part(manifest, "spec")
    yield from at_least(spec, "spec", 1, "minReplicas", "maxReplicas")
    least, most = spec.get("minReplicas"), spec.get("maxReplicas")
    if isinstance(least, int) and isinstance(most, int) and most < least:
        yield Problem("spec.maxReplicas", f"Invalid value: {most}: must be greater than or equal to `minReplicas`")


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "Pod"): pod_rules,
    ("apps", "Deployment"): workload_rules,
    ("apps", "StatefulSet"): workload_rules,
    ("apps", "DaemonSet"): workload_rules,
    ("batch", "Job"): job_rules,
    ("batch", "CronJob"): cron_job_rules,
    ("", "Service"): service_rules,
    ("", "PersistentVolumeClaim"): claim_rules,
    ("", "ResourceQuota"): quota_rules,
    ("", "Secret"): secret_rules,
    ("", "Namespace"): namespace_rules,
    ("policy", "PodDisruptionBudget"): budget_rules,
    ("networking.k8s.io", "NetworkPolicy"): policy_rules,
    ("autoscaling", "HorizontalPodAutoscaler"): scaler_rules,
    ("rbac.authorization.k8s.io", "Role"): role_rules,
    ("rbac.authorization.k8s.io", "ClusterRole"): role_rules,
}
