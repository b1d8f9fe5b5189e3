"""A schema as the wheel carries it: without prose, equal parts written once, with where it is from."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seaway.platforms.kubernetes.validation import schemas
from seaway.storage import atomic_path

Schema = dict[str, Any]

PROSE = ("description", "example", "externalDocs")
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
FOLDER = Path(schemas.__file__).parent
SMALLEST_SHARED = 120  # characters; below it a reference is hardly shorter


def write(published: Schema, source: dict[str, str]) -> None:
    """The published schema, plain and without what is written by controllers.

    `source` has group, version, kind, plural, scope and `of`, the project with its version; `scale` where the kind has
    that subresource.
    """
    plain = plain_schema(published)
    plain["properties"]["status"] = ANY  # the controllers write it, Seaway does not
    made = {**_shared(plain), "x-source": source}
    target = FOLDER / f"{source['plural']}.{source['group']}_{source['version']}.json"
    with atomic_path(target) as draft:
        draft.write_text(json.dumps(made, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")


def plain_schema(schema: Schema) -> Schema:
    """The schema without prose; a property may be called `description`, so only keywords are dropped."""
    kept = {keyword: value for keyword, value in schema.items() if keyword not in PROSE}
    for keyword, value in kept.items():
        if keyword == "properties":
            kept[keyword] = {name: plain_schema(part) for name, part in value.items()}
        elif keyword in ("items", "additionalProperties", "not") and isinstance(value, dict):
            kept[keyword] = plain_schema(value)
        elif keyword in ("anyOf", "allOf", "oneOf"):
            kept[keyword] = [plain_schema(part) for part in value]
    return kept


def _shared(schema: Schema) -> Schema:
    """The schema with each part that occurs twice or more written once."""
    seen = Counter(_key(part) for part in _parts(schema))
    names = {key: hashlib.sha256(key.encode()).hexdigest()[:8] for key, count in seen.items() if count > 1}
    names = {key: name for key, name in names.items() if len(key) >= SMALLEST_SHARED}
    definitions = {names[key]: _referring(part, names) for part in _parts(schema) if (key := _key(part)) in names}
    return {**_referring(schema, names), "$defs": definitions}


def _key(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True)


def _children(schema: Schema) -> Iterator[tuple[str, str | int | None, Schema]]:
    """Keyword, place under it, and sub-schema."""
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield keyword, None, schema[keyword]
    for name, part in schema.get("properties", {}).items():
        yield "properties", name, part


def _parts(schema: Schema) -> Iterator[Schema]:
    for _, _, part in _children(schema):
        yield part
        yield from _parts(part)


def _referring(schema: Schema, names: dict[str, str]) -> Schema:
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = dict(schema["properties"])
    for keyword, place, part in _children(schema):
        name = names.get(_key(part))
        short = {"$ref": f"#/$defs/{name}"} if name else _referring(part, names)
        if place is None:
            result[keyword] = short
        else:
            result[keyword][place] = short
    return result
