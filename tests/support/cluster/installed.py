"""What a cluster must have for a test; where it is missing the test skips, with the reason."""

import pytest
from kubernetes import client, dynamic
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.serving import kserve
from seaway.platforms.kubernetes.training import pytorchjob, rayjob, trainjob

CONTROLLERS = {
    pytorchjob.RESOURCE: "training-operator",
    trainjob.RESOURCE: "trainer-controller-manager",
    rayjob.RESOURCE: "kuberay-operator",
    kserve.INFERENCE_SERVICES: "kserve-controller-manager",
}


def require_served(cluster: dynamic.DynamicClient, resource: Resource) -> None:
    """The cluster has the custom resource definition."""
    try:
        cluster.resources.get(api_version=resource.api_version, kind=resource.kind)
    except dynamic.exceptions.ResourceNotFoundError:
        pytest.skip(f"the cluster does not serve {resource.full_name}")


def require_deployment(cluster: dynamic.DynamicClient, name: str) -> None:
    """A deployment whose name ends so is available, in whatever namespace."""
    found = client.AppsV1Api(cluster.client).list_deployment_for_all_namespaces().items
    if not any(item.metadata.name.endswith(name) and item.status.available_replicas for item in found):
        pytest.skip(f"no deployment {name} runs in this cluster")


def require_controller(cluster: dynamic.DynamicClient, resource: Resource) -> None:
    """The controller of this kind of object runs."""
    require_deployment(cluster, CONTROLLERS[resource])
