"""What AWS Lambda hands to a function for an HTTP request, and takes as its answer.

Three services do: function URLs and HTTP APIs write version 2.0 of the event, REST APIs version 1.0, load balancers
nearly the same (Lambda Developer Guide, "Invoking Lambda function URLs"; API Gateway Developer Guide, "payload format
version").
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec

CONTEXT = "requestContext"  # of every event that is an HTTP request
DEFAULT_STAGE = "$default"  # of HTTP APIs, which stands in no path


@dataclass(frozen=True)
class Request:
    """An HTTP request out of an event.

    Attributes:
        path: Without the stage of an API.
        headers: By name in lower case.
        body: Of the request.
        by_iam: Whether AWS has found that the caller may: it writes so where callers cannot.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    by_iam: bool

    @classmethod
    def of(cls, event: object) -> "Request | None":
        """None where the event is no HTTP request. Raises: InvalidSpec: its body is no base64."""
        if not isinstance(event, dict) or not isinstance(context := event.get(CONTEXT), dict):
            return None
        path, stage = str(event.get("rawPath") or event.get("path") or "/"), context.get("stage")
        if "rawPath" in event and stage and stage != DEFAULT_STAGE:
            path = path.removeprefix(f"/{stage}")
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        return cls(path, headers, _body(event), _by_iam(context))


def response(status: int, headers: Mapping[str, str], content: bytes, text: bool) -> dict[str, Any]:
    """The answer in the form of all three; what is no text goes as base64."""
    body = content.decode() if text else base64.b64encode(content).decode()
    return {"statusCode": status, "headers": dict(headers), "body": body, "isBase64Encoded": not text}


def _body(event: Mapping[str, Any]) -> bytes:
    body = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise InvalidSpec(f"The event's body is no base64: {error}.") from error


def _by_iam(context: Mapping[str, Any]) -> bool:
    authorizer, identity = context.get("authorizer") or {}, context.get("identity") or {}
    return bool(authorizer.get("iam") or identity.get("userArn"))
