"""The forms in which a request reaches a model's handler and its answer leaves it: JSON of REST, protobuf of gRPC."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from seaway.errors import InvalidSpec
from seaway.serving.protocol import grpc_messages

BAD_REQUEST = 400
INVALID_ARGUMENT = "3"  # google.rpc.Code


class Json:
    """The REST form."""

    content_type = "application/json"
    inference = metadata = staticmethod(json.dumps)

    @staticmethod
    def body(request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: InvalidSpec."""
        body = request.get("body", b"")
        if isinstance(body, (bytes, bytearray)):
            try:
                body = json.loads(body)
            except ValueError as error:
                raise InvalidSpec(
                    f"The request is no JSON ({error}); send an Open Inference Protocol object."
                ) from error
        if not isinstance(body, dict) or not isinstance(body.get("inputs"), list):
            raise InvalidSpec("The request has no list 'inputs'; send an Open Inference Protocol object.")
        return body

    @staticmethod
    def readiness(name: str) -> str:
        return json.dumps({"name": name, "ready": True})

    @staticmethod
    def server() -> str:
        return json.dumps({"name": "seaway", "version": "2", "extensions": []})

    @staticmethod
    def refusal(context: Any, index: int, error: InvalidSpec) -> str:
        context.set_response_status(BAD_REQUEST, idx=index)
        return json.dumps({"error": str(error)})


class Protobuf:
    """The gRPC form: bare messages, the status in headers."""

    content_type = grpc_messages.CONTENT_TYPE
    inference = staticmethod(grpc_messages.inference_response)
    metadata = staticmethod(grpc_messages.metadata_response)
    server = staticmethod(grpc_messages.server_response)

    @staticmethod
    def body(request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: InvalidSpec."""
        return grpc_messages.inference_request(bytes(request.get("body", b"")))

    @staticmethod
    def readiness(name: str) -> bytes:
        return grpc_messages.readiness_response()

    @staticmethod
    def refusal(context: Any, index: int, error: InvalidSpec) -> bytes:
        context.set_response_header(index, grpc_messages.STATUS, INVALID_ARGUMENT)
        context.set_response_header(index, grpc_messages.MESSAGE, quote(str(error), safe=" ':,;()[]{}"))
        return b""


Wire = type[Json] | type[Protobuf]


def wire(content_type: str | None) -> Wire:
    """The form of a request by its content type."""
    return Protobuf if content_type == grpc_messages.CONTENT_TYPE else Json
