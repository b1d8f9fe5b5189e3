"""Derive the schemas beside this file from CRD files, as a module: `python -m ...validation.schemas CRD.yaml ...`."""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from seaway.storage import atomic_path

Schema = dict[str, Any]

PROSE = ("description", "example", "externalDocs")
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SMALLEST_SHARED = 120  # characters; below it a reference is hardly shorter


def main(crds: list[Path]) -> None:
    """Write one file a version of each CRD."""
    for path in crds:
        for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for version in crd["spec"]["versions"]:
                name = f"{crd['spec']['names']['plural']}.{crd['spec']['group']}_{version['name']}.json"
                write(Path(__file__).parent / name, version["schema"]["openAPIV3Schema"])


def write(target: Path, published: Schema) -> None:
    """The published schema, plain and without what is written by controllers."""
    plain = _plain(published)
    plain["properties"]["status"] = ANY  # the controllers write it, Seaway does not
    with atomic_path(target) as draft:
        draft.write_text(json.dumps(_shared(plain), sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")


def _plain(schema: Schema) -> Schema:
    """The schema without prose; a property may be called `description`, so only keywords are dropped."""
    kept = {keyword: value for keyword, value in schema.items() if keyword not in PROSE}
    for keyword, value in kept.items():
        if keyword == "properties":
            kept[keyword] = {name: _plain(part) for name, part in value.items()}
        elif keyword in ("items", "additionalProperties", "not") and isinstance(value, dict):
            kept[keyword] = _plain(value)
        elif keyword in ("anyOf", "allOf", "oneOf"):
            kept[keyword] = [_plain(part) for part in value]
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crds", type=Path, nargs="+", metavar="CRD.yaml", help="files that the projects publish")
    main(parser.parse_args().crds)
