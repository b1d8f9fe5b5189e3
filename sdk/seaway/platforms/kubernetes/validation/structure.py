"""A value beside its part of a structural schema: the part below, and the value as the server reads it."""

from collections.abc import Iterator, Mapping
from typing import Any

Part = Mapping[str, Any]
ZERO: Part = {"string": "", "integer": 0, "number": 0, "boolean": False, "object": {}}  # of a field that Go writes


def resolved(part: Part, definitions: Part) -> Part:
    """The part itself where it is a reference to one."""
    return definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def below(value: Any, part: Part) -> Iterator[tuple[str | int, Any, Part]]:
    """Key or index, value and schema of what a value holds; no schema where its schema says nothing of it."""
    if isinstance(value, list):
        yield from ((index, entry, part.get("items", {})) for index, entry in enumerate(value))
    elif isinstance(value, Mapping):
        properties, others = part.get("properties", {}), part.get("additionalProperties", {})
        others = others if isinstance(others, Mapping) else {}
        yield from ((name, entry, properties.get(name, others)) for name, entry in value.items())


def read(value: Any, part: Part, definitions: Part) -> Any:
    """The value as the server reads it, before it looks: without nulls in objects, with the schema's defaults."""
    part = resolved(part, definitions)
    entries = [(key, entry, resolved(schema, definitions)) for key, entry, schema in below(value, part)]
    if isinstance(value, list):
        return [read(entry, schema, definitions) for _, entry, schema in entries]
    if not isinstance(value, Mapping):
        return value
    kept = {
        key: read(entry, schema, definitions)
        for key, entry, schema in entries
        if entry is not None or not schema or schema.get("nullable")
    }
    return {**_defaults(kept, part, definitions), **kept}


def filled(value: Any, part: Part, definitions: Part) -> Any:
    """The value as an operator's webhook gives it back that reads it into its own type, to set what it fills in.

    Go writes a required number, text or object that nobody gave as its zero, and so a null in a list. A list or a map
    is written as null, which is neither. So the server, which looks at the schema afterwards, misses less.
    """
    part = resolved(part, definitions)
    if isinstance(value, list):
        entries = [(entry, resolved(schema, definitions)) for _, entry, schema in below(value, part)]
        return [filled(_zero(schema) if entry is None else entry, schema, definitions) for entry, schema in entries]
    if not isinstance(value, Mapping):
        return value
    lacking = {name: zero for name in part.get("required", ()) if name not in value
               and (zero := _zero(resolved(part["properties"][name], definitions))) is not None}  # fmt: skip
    return {key: filled(entry, schema, definitions) for key, entry, schema in below({**value, **lacking}, part)}


def _zero(part: Part) -> Any:
    if part.get("x-kubernetes-int-or-string"):
        return 0
    return None if "additionalProperties" in part else ZERO.get(part.get("type", ""))


def _defaults(kept: Mapping[Any, Any], part: Part, definitions: Part) -> dict[str, Any]:
    schemas = {name: resolved(schema, definitions) for name, schema in part.get("properties", {}).items()}
    return {
        name: read(schema["default"], schema, definitions)
        for name, schema in schemas.items()
        if name not in kept and "default" in schema
    }
