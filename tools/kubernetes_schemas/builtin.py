"""Derive the schemas of Kubernetes' own kinds from the API server's OpenAPI 3 documents.

    kubectl get --raw /openapi/v3/apis/apps/v1 > apps.json
    python -m tools.kubernetes_schemas.builtin "Kubernetes 1.36" apps.json ...

Only the kinds of KINDS, whose plurals and scopes those documents tell by their paths.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from tools.kubernetes_schemas.published import ANY, Schema, write

KINDS = frozenset((
    "ClusterRole", "ClusterRoleBinding", "ConfigMap", "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler",
    "Job", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "Namespace", "NetworkPolicy",
    "PersistentVolume", "PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "PriorityClass", "ResourceQuota", "Role",
    "RoleBinding", "Secret", "Service", "ServiceAccount", "StatefulSet", "StorageClass", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
))  # fmt: skip
INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
QUANTITY = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "number"}, {"type": "string"}],
    "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$",
}
WRAPPED = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": INT_OR_STRING,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": QUANTITY,
}
KEPT = ("type", "properties", "items", "additionalProperties", "required", "enum", "format")
DEFAULTED = frozenset((("RoleRef", "apiGroup"),))  # required by the document, and set by the server where it lacks


def main(project: str, documents: list[Path]) -> None:
    """Write one file a kind."""
    for path in documents:
        document = json.loads(path.read_text(encoding="utf-8"))
        components = document["components"]["schemas"]
        for place, operations in document["paths"].items():
            named = operations.get("post", {}).get("x-kubernetes-group-version-kind", {})
            if named.get("kind") in KINDS and not place.endswith("}"):
                scope = "Namespaced" if "{namespace}" in place else "Cluster"
                source = {**named, "plural": place.rpartition("/")[2], "scope": scope, "of": project}
                write(_inlined(components[_component(operations)], components), source)


def _component(operations: dict[str, Any]) -> str:
    body = operations["post"]["requestBody"]["content"]["*/*"]["schema"]
    return str(body["$ref"]).rpartition("/")[2]


def _inlined(part: Any, components: dict[str, Schema], within: tuple[str, ...] = ()) -> Schema:
    """`part` with its references replaced by what they refer to; a schema that holds itself ends in anything."""
    reference = part.get("$ref") or next((one["$ref"] for one in part.get("allOf", ())), "")
    if name := reference.rpartition("/")[2]:
        if name in WRAPPED:
            return WRAPPED[name]
        return ANY if name in within else _named(name, _inlined(components[name], components, (*within, name)))
    kept = {keyword: value for keyword, value in part.items() if keyword in KEPT}
    if kept.get("format") == "byte":
        return {"type": ["string", "array"]}  # Go reads bytes from a list of numbers too
    for keyword in ("items", "additionalProperties"):
        if isinstance(kept.get(keyword), dict):
            kept[keyword] = {**_inlined(kept[keyword], components, within), "nullable": True}  # as Go reads a null
    if "properties" in kept:
        kept["properties"] = {key: _inlined(below, components, within) for key, below in kept["properties"].items()}
    return kept or ANY


def _named(name: str, made: Schema) -> Schema:
    kind = name.rpartition(".")[2]
    required = [field for field in made.get("required", ()) if (kind, field) not in DEFAULTED]
    return {**made, "required": required} if "required" in made else made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", help="whose they are, with the version")
    parser.add_argument("documents", type=Path, nargs="+", metavar="OPENAPI.json")
    asked = parser.parse_args()
    main(asked.project, asked.documents)
