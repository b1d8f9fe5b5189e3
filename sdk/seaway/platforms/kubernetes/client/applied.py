"""What we have applied of an object, so that an apply with one change leaves the rest of it ours, and nothing more.

A server-side apply removes what its manager had applied before and leaves out. `managedFields` says what that is.
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from seaway.platforms.kubernetes.client.objects import MANAGER
from seaway.platforms.kubernetes.client.resources import Manifest


def applied(found: Manifest) -> dict[str, Any]:
    """The object with the metadata and the fields of `spec` that we have applied, as they are now."""
    fields = _fields(found)
    metadata, given = found["metadata"], fields.get("f:metadata", {})
    kept = {part: _named(metadata.get(part, {}), given.get(f"f:{part}", {})) for part in ("labels", "annotations")}
    owners = [one for one in metadata.get("ownerReferences", ()) if _key(one) in given.get("f:ownerReferences", {})]
    parts = {**kept, "ownerReferences": owners}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {"name": metadata["name"], **{part: value for part, value in parts.items() if value}},
        "spec": _named(found["spec"], fields.get("f:spec", {})),
    }


def patched(document: Manifest, operations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What a JSON patch of `add` and `remove` at members of objects makes of a document."""
    result = deepcopy(dict(document))
    for operation in operations:
        part: Any = result
        *way, last = (key.replace("~1", "/").replace("~0", "~") for key in operation["path"].split("/")[1:])
        for key in way:
            part = part[int(key)] if isinstance(part, list) else part[key]
        if operation["op"] == "remove":
            del part[last]
        else:
            part[last] = operation["value"]
    return result


def _fields(found: Manifest) -> Mapping[str, Any]:
    entries = found["metadata"].get("managedFields", ())
    ours = [one for one in entries if (one["manager"], one["operation"]) == (MANAGER, "Apply")]
    return ours[0]["fieldsV1"] if ours else {}


def _named(value: Manifest, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if f"f:{key}" in fields}


def _key(owner: Manifest) -> str:
    return f"k:{json.dumps({'uid': owner['uid']}, separators=(',', ':'))}"
