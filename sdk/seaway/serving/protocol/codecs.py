"""The forms in which a request reaches a model's handler and its answer leaves it: JSON of REST, protobuf of gRPC."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from seaway.errors import InvalidSpec, SeawayError
from seaway.serving.protocol import grpc_messages

BAD_REQUEST, SERVER_ERROR = 400, 500
INVALID_ARGUMENT, INTERNAL = "3", "13"  # google.rpc.Code
LONGEST = 1000  # characters of a message that travels in a header


class Json:
    """The REST form."""

    content_type = "application/json"
    inference = metadata = staticmethod(json.dumps)

    @staticmethod
    def require_model(request: Mapping[str, Any], name: str) -> None:
        """The path has named it."""

    @staticmethod
    def body(request: Mapping[str, Any], name: str) -> object:
        """Any JSON value. Raises: InvalidSpec."""
        body = request.get("body", b"")
        try:
            return json.loads(body) if isinstance(body, (bytes, bytearray)) else body
        except (ValueError, RecursionError) as error:
            raise InvalidSpec(f"The request is no JSON ({error}); send an Open Inference Protocol object.") from error

    @staticmethod
    def readiness(name: str) -> str:
        return json.dumps({"name": name, "ready": True})

    @staticmethod
    def server() -> str:
        return json.dumps({"name": "seaway", "version": "2", "extensions": []})

    @staticmethod
    def refusal(context: Any, index: int, error: SeawayError) -> str:
        context.set_response_status(BAD_REQUEST if isinstance(error, InvalidSpec) else SERVER_ERROR, idx=index)
        return json.dumps({"error": str(error)})


class Protobuf:
    """The gRPC form: bare messages, the status in headers."""

    content_type = grpc_messages.CONTENT_TYPE
    inference = staticmethod(grpc_messages.inference_response)
    metadata = staticmethod(grpc_messages.metadata_response)
    server = staticmethod(grpc_messages.server_response)

    @staticmethod
    def require_model(request: Mapping[str, Any], name: str) -> None:
        """Raises: InvalidSpec."""
        grpc_messages.require_model(bytes(request.get("body", b"")), name)

    @staticmethod
    def body(request: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Raises: InvalidSpec."""
        return grpc_messages.inference_request(bytes(request.get("body", b"")), name)

    @staticmethod
    def readiness(name: str) -> bytes:
        return grpc_messages.readiness_response()

    @staticmethod
    def refusal(context: Any, index: int, error: SeawayError) -> bytes:
        refused = isinstance(error, InvalidSpec)
        context.set_response_header(index, grpc_messages.STATUS, INVALID_ARGUMENT if refused else INTERNAL)
        context.set_response_header(index, grpc_messages.MESSAGE, quote(str(error)[:LONGEST], safe=" ':,;()[]{}"))
        return b""


Wire = type[Json] | type[Protobuf]


def wire(content_type: str | None) -> Wire:
    """The form of a request by its content type."""
    return Protobuf if content_type == grpc_messages.CONTENT_TYPE else Json
