"""Namespaces that tests make for themselves, in any cluster."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from kubernetes import client, dynamic

RESTRICTED = MappingProxyType({"pod-security.kubernetes.io/enforce": "restricted"})
STUDIES = MappingProxyType({"katib.kubeflow.org/metrics-collector-injection": "enabled"})


@contextmanager
def made_namespace(cluster: dynamic.DynamicClient, labels: Mapping[str, str] = RESTRICTED) -> Iterator[str]:
    """A new namespace, deleted at the end; without other labels it takes only pods of Pod Security `restricted`."""
    name = f"seaway-test-{secrets.token_hex(4)}"
    core = client.CoreV1Api(cluster.client)
    core.create_namespace({"metadata": {"name": name, "labels": dict(labels)}})
    try:
        yield name
    finally:
        core.delete_namespace(name)
