"""What the API server would refuse, found before it is asked: by the resource's OpenAPI schema, then by its own rules.

Structural schemas are OpenAPI 3 with extensions (kubernetes.io: "Extend the Kubernetes API with
CustomResourceDefinitions"). Unknown fields are problems, because server-side apply refuses them. A check here must
never refuse what the server accepts: where the server's own word is not known for sure, nothing is said.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.validation import cel
from seaway.platforms.kubernetes.validation.problem import Problem, Rule, path_text, short
from seaway.platforms.kubernetes.validation.schemas import schema
from seaway.platforms.kubernetes.validation.structure import filled, read

Errors = Iterator[jsonschema.ValidationError]

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
ANNOTATIONS_BYTES = 256 << 10  # k8s.io/apimachinery TotalAnnotationSizeLimitB
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
METADATA = frozenset((  # ObjectMeta of k8s.io/apimachinery
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    "managedFields",
))  # fmt: skip
RBAC = "rbac.authorization.k8s.io"  # whose names may hold colons
RANGES = {"int32": 31, "int64": 63}  # format -> bits beside the sign


def require_valid(manifest: Manifest, resource: Resource, rules: Sequence[Rule] = ()) -> None:
    """Pass only what the server would take.

    Raises:
        InvalidSpec: names every field that it would refuse, and its words.
    """
    if found := problems(manifest, resource, rules):
        name = manifest.get("metadata", {}).get("name", "")
        listed = "; ".join(str(problem) for problem in found)
        raise InvalidSpec(
            f"{manifest.get('kind')} {name!r} would be refused by the cluster, so nothing was sent. {listed}."
        )


def problems(manifest: Manifest, resource: Resource, rules: Sequence[Rule] = ()) -> list[Problem]:
    """All that the server would refuse, by the schema that Seaway has of the kind."""
    return carried(resource).problems(manifest, rules)


@cache
def carried(resource: Resource) -> "Structure":
    """The structure that Seaway has of a kind. Raises: InvalidSpec: it has none."""
    return Structure(schema(resource.group, resource.plural, resource.version), resource)


@dataclass(frozen=True)
class Structure:
    """A structural schema, its shared parts under `$defs`, and the kind that it is of."""

    schema: Mapping[str, Any]
    resource: Resource

    @cached_property
    def _validator(self) -> Validator:
        return _Structural(_root(self.schema))

    def read(self, manifest: Any) -> Any:
        """As the server reads it, before it looks."""
        return read(_named(manifest), self.schema, self.schema["$defs"])

    def filled(self, manifest: Any) -> Any:
        """As an operator's webhook gives it back, which writes every field of its own type."""
        return filled(self.read(manifest), self.schema, self.schema["$defs"])

    def problems(self, manifest: Any, rules: Sequence[Rule] = ()) -> list[Problem]:
        """All that the server would refuse; rules are asked only about an object of the right shape."""
        if not isinstance(manifest, Mapping):
            return [Problem("", f"Invalid value: {short(manifest)}: must be an object")]
        definitions, wanted = self.schema["$defs"], self.read(manifest)
        structural = map(_problem, self._validator.iter_errors(wanted))
        scale = self.schema.get("x-source", {}).get("scale", "")
        found = [
            *_identity_problems(wanted, self.resource),
            *structural,
            *_metadata_problems(wanted, self.resource),
            *_scale_problems(wanted, scale),
        ]
        return found or [
            *cel.problems(wanted, self.schema, definitions),
            *(one for rule in rules for one in rule(wanted)),
        ]


def _named(manifest: Manifest) -> Manifest:
    """With the name that the server makes of `generateName`: five characters more."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("name") or not metadata.get("generateName"):
        return manifest
    return {**manifest, "metadata": {**metadata, "name": f"{metadata['generateName']}xxxxx"}}


def _scale_problems(manifest: Manifest, place: str) -> Iterator[Problem]:
    """Where a kind can be scaled, the server looks at its replicas itself; `place` is as `.spec.replicas`."""
    value: Any = manifest
    for name in place.split(".")[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, int) and value < 0:
        yield Problem(place.removeprefix("."), f"Invalid value: {value}: should be a non-negative integer")


def _root(published: Mapping[str, Any]) -> dict[str, Any]:
    """Every object has a type and metadata, though not every published schema says so (Istio's do not)."""
    metadata = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    typed = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    return {**published, "properties": {**typed, **published["properties"], "metadata": metadata}}


def _properties(validator: Any, properties: Mapping[str, Any], instance: Any, part: Mapping[str, Any]) -> Errors:
    if not isinstance(instance, Mapping):
        return
    for name, below in properties.items():
        if name in instance:
            yield from validator.descend(instance[name], below, path=name, schema_path=name)
    if not part.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in part:
        for name in sorted(set(instance) - set(properties), key=str):
            yield jsonschema.ValidationError("field not declared in schema", path=[name])


def _required(validator: Any, names: Sequence[str], instance: Any, part: Mapping[str, Any]) -> Errors:
    if isinstance(instance, Mapping):
        for name in (name for name in names if name not in instance):
            yield jsonschema.ValidationError("Required value", path=[name])


def _unless_null(keyword: str) -> Callable[..., Errors]:
    """The keyword as JSON Schema has it, of which a null is free where the schema says that it may be one."""
    usual = jsonschema.Draft202012Validator.VALIDATORS[keyword]

    def asked(validator: Any, wanted: Any, instance: Any, part: Mapping[str, Any]) -> Errors:
        if instance is not None or not part.get("nullable"):
            yield from usual(validator, wanted, instance, part) or ()

    return asked


def _format(validator: Any, name: str, instance: Any, part: Mapping[str, Any]) -> Errors:
    bits = RANGES.get(name)
    if bits and isinstance(instance, int) and not -(2**bits) <= instance < 2**bits:
        yield jsonschema.ValidationError(f"Invalid value: {instance}: must fit {name}")


def _pattern(validator: Any, pattern: str, instance: Any, part: Mapping[str, Any]) -> Errors:
    """Go's `$` is the end of the text; Python's also comes before a last newline."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f'Invalid value: "{instance}": should match {pattern!r}')


def _list_type(validator: Any, kind: str, instance: Any, part: Mapping[str, Any]) -> Errors:
    """Lists that are merged by key, or are sets, hold nothing twice."""
    if not isinstance(instance, list) or kind == "atomic":
        return
    keys: Sequence[str] = part.get("x-kubernetes-list-map-keys", ())
    defaults = {key: _default(validator, part, key) for key in keys}
    entries = [
        repr([entry.get(key, defaults[key]) for key in keys]) if isinstance(entry, Mapping) and keys else repr(entry)
        for entry in instance
    ]
    for entry, count in Counter(entries).items():
        if count > 1:
            yield jsonschema.ValidationError("Duplicate value", path=[entries.index(entry, entries.index(entry) + 1)])


def _default(validator: Any, part: Mapping[str, Any], key: str) -> Any:
    item = part["items"]
    if "$ref" in item:
        item = validator._resolver.lookup(item["$ref"]).contents
    return item.get("properties", {}).get(key, {}).get("default")


def _problem(error: jsonschema.ValidationError) -> Problem:
    return Problem(path_text(error.absolute_path), WORDS.get(str(error.validator), _as_told)(error))


def _as_told(error: jsonschema.ValidationError) -> str:
    return str(error.message)


def _wrong_type(error: jsonschema.ValidationError) -> str:
    return f"Invalid value: {short(error.instance)}: must be of type {error.validator_value}"


def _unsupported(error: jsonschema.ValidationError) -> str:
    values = ", ".join(f'"{value}"' for value in error.validator_value)
    return f"Unsupported value: {short(error.instance)}: supported values: {values}"


def _outside(error: jsonschema.ValidationError) -> str:
    bound = {"minimum": "greater than or equal to", "maximum": "less than or equal to"}[str(error.validator)]
    return f"Invalid value: {short(error.instance)}: should be {bound} {error.validator_value}"


WORDS: dict[str, Callable[[jsonschema.ValidationError], str]] = {
    "type": _wrong_type,
    "anyOf": lambda error: f"Invalid value: {short(error.instance)}: must be of type integer or string",
    "enum": _unsupported,
    "minimum": _outside,
    "maximum": _outside,
    "minLength": lambda error: (
        f"Invalid value: {short(error.instance)}: should be at least {error.validator_value} chars long"
    ),
    "maxLength": lambda error: f"Too long: may not be more than {error.validator_value} bytes",
    "minItems": lambda error: f"should have at least {error.validator_value} items",
    "maxItems": lambda error: f"Too many: must have at most {error.validator_value} items",
}


def _identity_problems(manifest: Manifest, resource: Resource) -> Iterator[Problem]:
    for name, wanted in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        if manifest.get(name) != wanted:
            yield Problem(name, f"Invalid value: {short(manifest.get(name))}: must be {wanted}")


def _metadata_problems(manifest: Manifest, resource: Resource) -> Iterator[Problem]:
    """As k8s.io/apimachinery validates the metadata of any object."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        yield Problem("metadata", "Required value")
        return
    for unknown in sorted(set(metadata) - METADATA, key=str):
        yield Problem(f"metadata.{unknown}", "unknown field")
    yield from _name_problems(metadata, resource)
    yield from label_problems("metadata.labels", metadata.get("labels"))
    yield from _finalizer_problems(metadata.get("finalizers"))
    yield from _text_map_problems("metadata.annotations", metadata.get("annotations"), lambda value: None)
    yield from _annotation_size_problem(metadata.get("annotations"))


def _finalizer_problems(finalizers: Any) -> Iterator[Problem]:
    if finalizers is not None and not isinstance(finalizers, list):
        yield Problem("metadata.finalizers", f"Invalid value: {short(finalizers)}: must be of type array")
        return
    for index, one in enumerate(finalizers or ()):
        if not isinstance(one, str | None) or not qualified(one or ""):
            yield Problem(f"metadata.finalizers[{index}]", f"Invalid value: {short(one)}: must be a qualified name")


def _name_problems(metadata: Mapping[str, Any], resource: Resource) -> Iterator[Problem]:
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        yield Problem("metadata.name", "Required value: name or generateName is required")
    elif resource.group == RBAC:
        if name in (".", "..") or "/" in name or "%" in name:
            yield Problem("metadata.name", f'Invalid value: "{name}": may not be . or .., nor contain / or %')
    elif len(name) > SUBDOMAIN_LENGTH or not SUBDOMAIN.fullmatch(name):
        yield Problem("metadata.name", f'Invalid value: "{name}": {SUBDOMAIN_RULE}')


def _text_map_problems(field: str, texts: Any, value_problem: Callable[[str], str | None]) -> Iterator[Problem]:
    if texts is None:
        return
    if not isinstance(texts, Mapping):
        yield Problem(field, f"Invalid value: {short(texts)}: must be of type object")
        return
    for key, given in texts.items():
        value = "" if given is None else given  # as Go reads a null
        if not isinstance(value, str):
            yield Problem(f"{field}[{key}]", f"Invalid value: {short(value)}: must be of type string")
        elif not qualified(key):
            yield Problem(field, f'Invalid value: "{key}": name part must consist of alphanumeric characters')
        elif (says := value_problem(value)) is not None:
            yield Problem(f"{field}[{key}]", says)


def label_problems(field: str, labels: Any) -> Iterator[Problem]:
    """What the server says of labels, wherever they stand."""
    return _text_map_problems(field, labels, _label_value_problem)


def qualified(key: str) -> bool:
    """Whether `key` is a label's or annotation's name: up to 63 characters, after an optional `domain/`."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= SUBDOMAIN_LENGTH and SUBDOMAIN.fullmatch(prefix)):
        return False
    return bool(name) and len(name) <= LABEL_LENGTH and bool(LABEL_VALUE.fullmatch(name))


def _label_value_problem(value: str) -> str | None:
    if len(value) > LABEL_LENGTH:
        return f'Invalid value: "{value}": must be no more than {LABEL_LENGTH} characters'
    if not LABEL_VALUE.fullmatch(value):
        return f'Invalid value: "{value}": a valid label must be an empty string or consist of alphanumeric characters'
    return None


def _annotation_size_problem(annotations: Any) -> Iterator[Problem]:
    if not isinstance(annotations, Mapping):
        return
    size = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_BYTES:
        yield Problem("metadata.annotations", f"Too long: may not be more than {ANNOTATIONS_BYTES} bytes")


_Structural = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {
        "properties": _properties,
        "required": _required,
        **{keyword: _unless_null(keyword) for keyword in ("type", "anyOf")},
        "format": _format,
        "pattern": _pattern,
        "x-kubernetes-list-type": _list_type,
    },
)
