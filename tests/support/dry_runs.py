"""What the API server says of an object that it is asked to create, and does not keep."""

import json
from typing import Any

from kubernetes.client import ApiException
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import STRICT


def server_says(connection: Connection, path: str, manifest: dict[str, Any]) -> str | None:
    """Why the server would not create it in the collection at `path`; None where it would."""
    try:
        connection.request("POST", path, {**STRICT, "dryRun": "All"}, manifest, "application/json")
    except ApiException as error:
        told: str = json.loads(error.body)["message"]
        assert error.status < 500 or "webhook" in told, told  # else it is an outage, not a refusal
        return told
    return None
