"""Derive the schema of Experiment, whose CRD has none, from Katib's own typed models (kubeflow-katib-api).

    python -m tools.kubernetes_schemas.katib

Katib's CRD takes any field and its webhook drops those that it does not know; the schema refuses them, so that a
misspelt one is told instead of lost.
"""

from importlib.metadata import version
from typing import Any

from kubeflow_katib_api.models import V1beta1Experiment

from tools.kubernetes_schemas.published import ANY, Schema, write

SOURCE = {
    "group": "kubeflow.org",
    "version": "v1beta1",
    "kind": "Experiment",
    "plural": "experiments",
    "scope": "Namespaced",
    "of": f"Katib {version('kubeflow-katib-api')}",
}
INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
WRAPPED = {  # models that stand for a single value
    "IoK8sApimachineryPkgUtilIntstrIntOrString": INT_OR_STRING,
    "IoK8sApimachineryPkgApiResourceQuantity": INT_OR_STRING,
}
LEFT_OUT = ("title", "default", "required", "$defs")  # Katib reads a field that is not there as empty
COUNTS = ("maxFailedTrialCount", "maxTrialCount", "parallelTrialCount")
NULL = {"type": "null"}


def main() -> None:
    """Write the file beside this one."""
    published = V1beta1Experiment.model_json_schema(by_alias=True)
    schema = _inlined(published, published["$defs"])
    for count in COUNTS:
        schema["properties"]["spec"]["properties"][count]["format"] = "int32"
    write(schema, SOURCE)


def _inlined(part: Any, definitions: dict[str, Schema]) -> Any:
    """`part` with its references replaced by what they refer to, in the words of OpenAPI."""
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return WRAPPED.get(name) or _inlined(definitions[name], definitions)
    if "anyOf" in part:
        return _inlined(_only([choice for choice in part["anyOf"] if choice != NULL]), definitions)
    kept = {keyword: value for keyword, value in part.items() if keyword not in LEFT_OUT}
    if kept.get("additionalProperties") is True:
        return ANY
    for keyword in ("items", "additionalProperties"):
        if keyword in kept:
            kept[keyword] = _inlined(kept[keyword], definitions)
    if "properties" in kept:
        kept["properties"] = {name: _inlined(below, definitions) for name, below in kept["properties"].items()}
    return kept


def _only(choices: list[Schema]) -> Schema:
    """The one choice that is left; a number may also be written as an integer."""
    return next((choice for choice in choices if choice.get("type") == "number"), choices[0])


if __name__ == "__main__":
    main()
