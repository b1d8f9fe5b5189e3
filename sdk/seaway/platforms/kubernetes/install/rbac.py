"""What a step may do in its namespace: the rules that its backends name, from which manifests/access is generated.

A test takes each permission away and sees the launcher name it; another runs jobs with nothing more than these.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from seaway import registry
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launching
from seaway.registry import KUBERNETES, PORTS

NAME = "seaway"  # of the ServiceAccount, the Role and the RoleBinding
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "access"}


def of(*ports: str) -> tuple[Permission, ...]:
    """The rules that the cluster's backends of these ports name, one for each resource."""
    adapters = [backend.load() for port in ports for backend in registry.backends(port, KUBERNETES).values()]
    return _joined(rule for adapter in adapters for rule in getattr(adapter, "permissions", ()))


def _joined(rules: Iterable[Permission]) -> tuple[Permission, ...]:
    """Rules on the same objects as one, with the verbs and the reasons of all."""
    joined: dict[tuple[Resource, tuple[str, ...]], Permission] = {}
    for rule in rules:
        known = joined.get((rule.resource, rule.names), rule)
        verbs = tuple(dict.fromkeys((*known.verbs, *rule.verbs)))
        why = "; ".join(dict.fromkeys((*known.why.split("; "), *rule.why.split("; "))))
        joined[rule.resource, rule.names] = replace(known, verbs=verbs, why=why)
    return tuple(joined.values())


JOBS = _joined((*launching(batch_job.KIND.resource), *of("Trainer")))
ENDPOINTS = of("Endpoint")
STUDIES = of("Tuner")
ROUTES = of("Traffic")
RULES = _joined((*JOBS, *ENDPOINTS, *STUDIES, *ROUTES, *of(*PORTS)))


def role(rules: tuple[Permission, ...] = RULES) -> dict[str, Any]:
    """The Role of these rules."""
    return {**_head("rbac.authorization.k8s.io/v1", "Role"), "rules": [rule.manifest() for rule in rules]}


def service_account() -> dict[str, Any]:
    """Who steps run as; the pods of the jobs that they start call no API and need no account of their own."""
    return _head("v1", "ServiceAccount")


def role_binding() -> dict[str, Any]:
    """The Role given to the ServiceAccount; a Kubeflow profile's own accounts are added by kustomize."""
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    subjects = [{"kind": "ServiceAccount", "name": NAME}]
    return {**_head("rbac.authorization.k8s.io/v1", "RoleBinding"), "roleRef": reference, "subjects": subjects}


def without(lost: Resource, verb: str) -> tuple[Permission, ...]:
    """The rules less one verb on one resource."""
    kept = (replace(rule, verbs=tuple(v for v in rule.verbs if rule.resource != lost or v != verb)) for rule in RULES)
    return tuple(rule for rule in kept if rule.verbs)


def permissions(rules: tuple[Permission, ...] = RULES) -> Iterator[tuple[Resource, str]]:
    """Each verb on each resource."""
    for rule in rules:
        for verb in rule.verbs:
            yield rule.resource, verb


def _head(api_version: str, kind: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": NAME, "labels": dict(LABELS)}}
