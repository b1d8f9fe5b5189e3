"""Custom resource definitions of the kinds that Seaway writes, by the schemas that it ships where it has them."""

import time
from typing import Any

from kubernetes import client
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.traffic.gateway_api import GATEWAYS
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES
from seaway.platforms.kubernetes.tuning.experiment import RESOURCE as EXPERIMENTS
from seaway.platforms.kubernetes.tuning.experiment import TRIALS
from seaway.platforms.kubernetes.validation.schemas import schema

UNCHECKED = (EXPERIMENTS, TRIALS, DESTINATION_RULES, GATEWAYS)  # Katib's own definitions have no schema
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SERVED_S = 180.0


def install(api: client.ApiClient, resource: Resource) -> None:
    """Have the server know the kind; returns once it serves it."""
    of_object = FREE if resource in UNCHECKED else published(resource)
    client.ApiextensionsV1Api(api).create_custom_resource_definition(definition(resource, of_object))
    await_served(api, resource)


def definition(resource: Resource, of_object: dict[str, Any]) -> dict[str, Any]:
    """With a status that is written apart, as all their projects have it."""
    version = {"name": resource.version, "served": True, "storage": True, "subresources": {"status": {}}}
    names = {"kind": resource.kind, "plural": resource.plural, "singular": resource.kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": resource.full_name,
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},  # asked of groups below k8s.io
        },
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": names,
            "versions": [{**version, "schema": {"openAPIV3Schema": of_object}}],
        },
    }


def published(resource: Resource) -> dict[str, Any]:
    """The shipped schema: a definition has no references, nor rules about a status, of which none is shipped."""
    shipped = schema(resource.group, resource.plural, resource.version)
    whole: dict[str, Any] = inlined(
        {key: value for key, value in shipped.items() if key not in ("$defs", "x-source")}, shipped["$defs"]
    )
    rules = [one for one in whole.pop("x-kubernetes-validations", ()) if ".status" not in one["rule"]]
    return whole | ({"x-kubernetes-validations": rules} if rules else {})


def inlined(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [inlined(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return inlined(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: inlined(value, definitions) for key, value in part.items()}


def await_served(api: client.ApiClient, resource: Resource) -> None:
    """Until it lists objects of the kind, and says in its discovery, a little later, that it does."""
    objects, deadline = client.CustomObjectsApi(api), time.monotonic() + SERVED_S
    while not served(objects, resource):
        assert time.monotonic() < deadline, f"{resource.full_name} is not served"
        time.sleep(0.1)


def served(objects: client.CustomObjectsApi, resource: Resource) -> bool:
    try:
        objects.list_cluster_custom_object(resource.group, resource.version, resource.plural)
        told = objects.get_api_resources(resource.group, resource.version).resources
    except client.ApiException as error:
        assert error.status == 404, error
        return False
    return resource.plural in {one.name for one in told}
