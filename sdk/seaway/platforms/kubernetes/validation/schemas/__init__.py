"""The OpenAPI schemas of the custom resources that Seaway creates, as their projects publish them, without prose.

Made by `python -m seaway.platforms.kubernetes.validation.schemas CRD.yaml ...`; equal parts are written once, under
`$defs`.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from seaway.errors import InvalidSpec


@cache
def schema(group: str, plural: str, version: str) -> dict[str, Any]:
    """The schema of one version of a custom resource.

    Raises:
        InvalidSpec: Seaway has no schema of it.
    """
    file = files(__package__) / f"{plural}.{group}_{version}.json"
    if not file.is_file():
        raise InvalidSpec(f"There is no schema of {plural}.{group}/{version}; make it from its CRD file.")
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read
